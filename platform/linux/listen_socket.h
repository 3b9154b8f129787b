// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/linux/unique_fd.h"

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace dm::host {

/// A listening stream unix socket, non-blocking and close-on-exec. One made by make() removes its
/// file at the end, if the file is still its own.
class ListenSocket {
 public:
  /// The error when another process listens at the path.
  struct Rival {
    std::string_view advice;                ///< ends the message: what to do about it
    std::chrono::milliseconds patience{0};  ///< waits so long for it to go; start-up only
  };
  /// Makes a socket to which only the owner may connect (mode 0600). Replaces a socket on which
  /// nobody listens any more, and nothing else. `backlog` clients wait in the kernel.
  [[nodiscard]] static Result<ListenSocket> make(const std::string& path,
                                                 int backlog,
                                                 const Rival& rival);
  /// Takes over an inherited descriptor.
  [[nodiscard]] static Result<ListenSocket> adopt(int fd);

  /// Removes the file of a socket on which nobody listens any more; anything else stays.
  static void remove_abandoned(const std::string& path);

  ListenSocket(ListenSocket&& other) noexcept
      : fd_{std::move(other.fd_)},
        path_{std::exchange(other.path_, {})},
        device_{other.device_},
        inode_{other.inode_} {}
  ListenSocket& operator=(ListenSocket&&) = delete;
  ListenSocket(const ListenSocket&) = delete;
  ListenSocket& operator=(const ListenSocket&) = delete;
  ~ListenSocket() { remove_file(); }

  [[nodiscard]] int get() const noexcept { return fd_.get(); }
  /// Gives the descriptor to the caller; this object still removes the file.
  [[nodiscard]] int release() noexcept { return fd_.release(); }
  /// The file stays: somebody else removes it.
  void keep_file() noexcept { path_.clear(); }
  /// Removes the file now, as the destructor would. Idempotent.
  void remove_file() noexcept;

 private:
  ListenSocket() = default;

  UniqueFd fd_;
  std::string path_;  ///< to remove; empty for an adopted one
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace dm::host
