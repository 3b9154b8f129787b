// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "platform/linux/unique_fd.h"
#include "platform/supervisor/broker.h"

#include <array>
#include <cstdint>
#include <string>

namespace dm {

/// What the supervisor of a stub domain, its first process, does for the worker: it opens the disc
/// that the toolstack has put into a CD-ROM drive while the guest runs. Which drives there are
/// follows from the command line, and what is in them from xenstore. The worker names a position.
class StubBroker final : public supervisor::Broker {
 public:
  explicit StubBroker(const MachineConfig& config);

  /// Its kernel lets nobody make the hypercall.
  [[nodiscard]] int sleep(std::uint32_t state) noexcept override;
  [[nodiscard]] int disc(std::uint32_t position, host::UniqueFd& to) noexcept override;

 private:
  /// By position, their numbers in xenstore, "5632". Empty: no drive whose disc can be changed.
  std::array<std::string, 4> drives_;
};

}  // namespace dm
