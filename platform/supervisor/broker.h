// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/unique_fd.h"

#include <poll.h>
#include <sys/types.h>

#include <cerrno>
#include <cstdint>
#include <span>
#include <vector>

namespace dm::supervisor {

/// What the supervisor does for a worker that may not do it itself. The vocabulary is fixed
/// (protocol.h), and nothing in it names a path. All of it runs in the supervisor's process. Thread
/// rule: its only thread. No call may wait for the worker.
class Broker {
 public:
  Broker() = default;
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;
  virtual ~Broker() = default;

  /// The descriptors that the supervisor shall keep when it closes what it has inherited.
  [[nodiscard]] virtual std::vector<int> inherited() const { return {}; }
  /// Opens what it needs, with all privileges that the process was started with.
  virtual void open() {}

  /// The guest's ACPI sleep state: 0 or 3. Returns 0 or a positive errno value.
  [[nodiscard]] virtual int sleep(std::uint32_t state) noexcept = 0;

  /// What is in CD-ROM drive `position` (0 to 3) now, open for reading: for a drive that is meant
  /// to be empty, a file without a byte. Returns 0 or a positive errno value: ENOENT while the host
  /// has not put it there yet.
  [[nodiscard]] virtual int disc(std::uint32_t /*position*/, host::UniqueFd& /*to*/) noexcept {
    return ENOSYS;
  }

  /// Most descriptors that it waits for.
  static constexpr std::size_t kMostWaits = 5;
  /// What it waits for besides the worker. An entry with descriptor -1 waits for nothing.
  virtual void fill(std::span<pollfd, kMostWaits> waits) const noexcept {
    for (pollfd& wait : waits) {
      wait = {.fd = -1, .events = 0, .revents = 0};
    }
  }
  /// Called after a wait, with what ppoll(2) has found.
  virtual void run(std::span<const pollfd, kMostWaits> /*ready*/) noexcept {}
  /// A child of this process that is not the worker has ended.
  virtual void child_ended(pid_t /*child*/) noexcept {}
  /// The worker has ended, in whatever way.
  virtual void worker_ended() noexcept {}
};

}  // namespace dm::supervisor
