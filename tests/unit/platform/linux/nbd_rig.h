// SPDX-License-Identifier: MIT
// An NBD server that answers as a test wants it to. The numbers are those of the protocol text of
// the NBD project (doc/proto.md), typed anew.
#pragma once

#include "platform/linux/unique_fd.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace dm::test {

struct NbdRequest {
  std::uint16_t flags = 0;  ///< bit 0: FUA
  std::uint16_t type = 0;   ///< 0 read, 1 write, 2 disconnect, 3 flush, 4 trim
  std::uint64_t cookie = 0;
  std::uint64_t offset = 0;
  std::uint32_t length = 0;
  std::vector<std::byte> data;
};

class NbdPeer {
 public:
  static constexpr std::uint16_t kHasFlags = 1, kReadOnly = 2, kFlush = 4, kFua = 8, kTrim = 32;

  struct Manner {
    std::uint64_t size = 1 << 20;
    std::uint16_t flags = kHasFlags | kFlush | kFua | kTrim;
    std::string greeting{};  ///< instead of the real one
    bool silent = false;     ///< accepts, and says nothing at all
    /// Called for each request instead of a good server's answer; false: the good answer after all.
    std::function<bool(NbdPeer&, const NbdRequest&)> answer{};
  };

  NbdPeer(const std::string& path, Manner manner);
  NbdPeer(const NbdPeer&) = delete;
  NbdPeer& operator=(const NbdPeer&) = delete;
  ~NbdPeer();

  [[nodiscard]] std::string address() const { return "nbd:unix:" + path_; }
  /// What has come in so far, data included.
  [[nodiscard]] std::vector<NbdRequest> requests() const;
  [[nodiscard]] std::vector<std::byte>& image() noexcept { return image_; }

  // For Manner::answer, on the server's thread.
  void reply(std::uint64_t cookie, std::uint32_t error, std::span<const std::byte> data = {});
  void send(std::span<const std::byte> bytes);
  void good_answer(const NbdRequest& request);
  void hang_up();

 private:
  void serve();
  [[nodiscard]] bool negotiate();
  [[nodiscard]] bool receive(void* to, std::size_t size);

  std::string path_;
  Manner manner_;
  std::vector<std::byte> image_;
  host::UniqueFd listener_;
  host::UniqueFd wake_;
  host::UniqueFd peer_;
  mutable std::mutex mutex_;
  std::vector<NbdRequest> requests_;
  std::thread thread_;
};

}  // namespace dm::test
