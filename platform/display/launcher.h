// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/linux/unique_fd.h"

#include <poll.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dm::display {

/// The supervisor's part of a screen: it accepts viewers, starts the display for the first of them
/// and hands it the others. It reads no byte of theirs. A display that has had no viewer for a
/// while says so and is let go. When one dies, viewers that it had not taken get a new one, once,
/// and so does the next that comes.
/// While nobody looks there is no process, and nothing wakes this one.
///
/// Thread rule: the supervisor's only thread. No call waits.
class Launcher {
 public:
  /// Descriptors that the supervisor inherits, and what the display is told.
  struct Setup {
    host::UniqueFd viewers;   ///< listens
    host::UniqueFd browsers;  ///< listens, or none
    host::UniqueFd program;   ///< open(2) with O_PATH
    host::UniqueFd line;      ///< the display's end of its way to the worker
    host::UniqueFd area;      ///< open for reading
    host::UniqueFd video;     ///< for tests and benchmarks: video memory; none: the guest's
    std::vector<std::string> arguments;  ///< behind those that the launcher gives (program.h)
  };
  /// Opens the display's program, which lies beside this one.
  [[nodiscard]] static Result<host::UniqueFd> find_program();

  explicit Launcher(Setup setup) noexcept : setup_{std::move(setup)} {}
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;
  ~Launcher() { stop(); }

  [[nodiscard]] std::vector<int> inherited() const;

  static constexpr std::size_t kWaits = 3;
  [[nodiscard]] std::array<pollfd, kWaits> waits() const noexcept;
  void run(std::span<const pollfd, kWaits> ready) noexcept;
  /// One of the supervisor's children has ended.
  void child_ended(pid_t child) noexcept;
  [[nodiscard]] pid_t display() const noexcept { return display_; }
  /// The worker has ended: so does the display.
  void stop() noexcept;

 private:
  /// A viewer that was sent and may not have been taken.
  struct Sent {
    host::UniqueFd viewer;
    std::uint32_t number = 0;
  };
  void accept_from(int listener) noexcept;
  [[nodiscard]] bool send(host::UniqueFd& viewer) noexcept;
  void lose_display() noexcept;
  [[nodiscard]] bool start() noexcept;
  [[noreturn]] void become_display(int control) noexcept;
  void hear() noexcept;
  void tell_worker_gone() noexcept;

  Setup setup_;
  pid_t display_ = -1;      ///< -1: there is none
  host::UniqueFd control_;  ///< to it; none: it is about to end, or there is none
  std::uint32_t handed_over_ = 0;
  std::array<Sent, 8> sent_;
};

}  // namespace dm::display
