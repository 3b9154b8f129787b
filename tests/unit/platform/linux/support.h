// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/chardev.h"
#include "platform/linux/loop/loop.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace dm::test {

using namespace std::chrono_literals;

/// A directory that goes with everything in it.
class TempDir {
 public:
  TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();

  [[nodiscard]] std::string file(std::string_view name) const { return (path_ / name).string(); }
  /// Makes a file of `size` bytes, byte i being pattern(i).
  [[nodiscard]] std::string image(std::string_view name, std::uint64_t size) const;

 private:
  std::filesystem::path path_;
};

[[nodiscard]] constexpr std::byte pattern(std::uint64_t i) noexcept {
  return static_cast<std::byte>((i * 31 + i / 512) & 0xff);
}

/// Turns the loop until `done` or until five seconds are over. Returns done().
bool run_until(host::Loop& loop,
               const std::function<bool()>& done,
               std::chrono::milliseconds limit = 5000ms);
/// Turns the loop for this long.
void run_for(host::Loop& loop, std::chrono::milliseconds time);

/// Does one sleep of this length pass without a wake-up?
[[nodiscard]] bool stays_idle(host::Loop& loop, std::chrono::milliseconds time);

[[nodiscard]] std::span<const std::byte> bytes(std::string_view text);
/// Whatever can be read from a non-blocking descriptor now.
[[nodiscard]] std::string read_all(int fd);
/// Everything in a file.
[[nodiscard]] std::string contents(const std::string& path);

/// How many times operator new has run in this program.
[[nodiscard]] std::uint64_t allocations() noexcept;

/// A UART that takes everything, or as much as it is told to.
class Client final : public CharClient {
 public:
  explicit Client(CharBackend& backend) : backend_{backend} { backend_.attach(this); }
  ~Client() override { backend_.attach(nullptr); }

  void on_readable() noexcept override {
    ++readable_calls;
    pull();
  }
  void on_writable() noexcept override { ++writable_calls; }
  void on_lines(ModemLines now) noexcept override {
    ++lines_calls;
    lines = now;
  }
  void on_break() noexcept override {
    ++breaks;
    received += "<break>";
  }
  /// Reads until there is no more or `room` is used up.
  void pull() noexcept;

  std::string received;
  std::size_t room = std::size_t{1} << 30;
  int readable_calls = 0;
  int writable_calls = 0;
  int lines_calls = 0;
  int breaks = 0;
  ModemLines lines{.cts = false, .dsr = false, .dcd = false, .ri = false};  ///< until told

 private:
  CharBackend& backend_;
};

/// What the kernel is made to do to the next calls. Default: what it does.
struct Faults {
  int sync_error = 0;       ///< errno for every fdatasync
  int sync_error_once = 0;  ///< for the next one
  std::chrono::milliseconds sync_delay{0};
  int dsync_error = 0;      ///< for pwritev2 with RWF_DSYNC: data is written, then this
  int write_error = 0;      ///< for every pwritev2 without RWF_NOWAIT, before any byte
  int interrupts = 0;       ///< so many calls say EINTR first
  std::size_t at_most = 0;  ///< bytes moved in one call, 0 for all
  std::chrono::milliseconds write_delay{0};
  bool nothing_cached = false;  ///< RWF_NOWAIT reads say EAGAIN
  bool nowait_unknown = false;  ///< RWF_NOWAIT says EOPNOTSUPP
  bool no_pwait2 = false;       ///< a kernel before 5.11
  bool no_inotify = false;      ///< its limit per user is used up
  // io_uring alone (uring_faults.cc). The others above mean there what they mean for the calls.
  int ring_error = 0;         ///< errno of making a ring
  int restrict_error = 0;     ///< errno of restricting it
  int submits_refused = 0;    ///< so many submissions say EAGAIN and take nothing
  int answer = 0;             ///< errno in every answer; nothing is done
  bool newest_first = false;  ///< answers come in the wrong order
};
void set_faults(const Faults& faults);
struct Calls {
  std::uint64_t syncs = 0;
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
  std::uint64_t reads_elsewhere = 0;  ///< not on the thread that asked for the count last
  std::uint64_t writes_elsewhere = 0;
  std::uint64_t vector_writes = 0;          ///< writev
  std::uint64_t epoll_changes = 0;          ///< epoll_ctl
  std::uint64_t naps = 0;                   ///< poll of nothing
  std::chrono::nanoseconds last_sleep{-1};  ///< what epoll_pwait2 was asked for; -1: for ever
};
/// For what stands in for a system call: the faults now, without those that are used up by it.
[[nodiscard]] Faults take_faults(bool interruptible);
enum class Call { read, write, sync, vector_write, epoll_change };
void count_call(Call call, bool elsewhere);
void reset_calls();
[[nodiscard]] Calls calls();
/// Are rings kept from this run (DM_TEST_ENGINE=pool), so that the threads are tested?
[[nodiscard]] bool pool_only();

}  // namespace dm::test
