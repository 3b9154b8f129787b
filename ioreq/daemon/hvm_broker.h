// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "platform/display/launcher.h"
#include "platform/linux/unique_fd.h"
#include "platform/supervisor/broker.h"
#include "platform/toolstack/store/store_gate.h"
#include "platform/xen/xen_domain.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dm {

/// What the supervisor of an HVM guest's worker in dom0 does for it: S3's hypercall, xenstore
/// through a gate, the program that shows the screen, and the files of sockets, which go when the
/// worker has gone. What it does
/// follows from the configuration that the toolstack has written, and from nothing that the worker
/// names.
class HvmBroker final : public supervisor::Broker {
 public:
  struct Parts {
    host::UniqueFd
        store_line;  ///< the supervisor's end of the worker's way to xenstore, if it has one
    std::optional<display::Launcher::Setup> screen;  ///< for a guest with viewers
    std::string socket;  ///< path of the viewers' unix socket; empty: none
  };
  HvmBroker(const MachineConfig& config, Parts parts);

  [[nodiscard]] std::vector<int> inherited() const override;
  void open() override;
  [[nodiscard]] int sleep(std::uint32_t state) noexcept override;
  void fill(std::span<pollfd, kMostWaits> waits) const noexcept override;
  void run(std::span<const pollfd, kMostWaits> ready) noexcept override;
  void child_ended(pid_t child) noexcept override;
  void worker_ended() noexcept override;

 private:
  std::uint32_t domid_;
  std::vector<std::string> sockets_;  ///< paths
  host::UniqueFd store_line_;
  std::unique_ptr<xen::SleepState> sleep_;
  std::optional<toolstack::StoreGate> gate_;
  std::optional<display::Launcher> screen_;
};

}  // namespace dm
