// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
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
/// through a gate, and the files of sockets, which go when the worker has gone. What it does
/// follows from the configuration that the toolstack has written, and from nothing that the worker
/// names.
class HvmBroker final : public supervisor::Broker {
 public:
  /// `store_line` is the supervisor's end of the worker's way to xenstore. None: it has no such
  /// way.
  HvmBroker(const MachineConfig& config, host::UniqueFd store_line);

  [[nodiscard]] std::vector<int> inherited() const override;
  void open() override;
  [[nodiscard]] int sleep(std::uint32_t state) noexcept override;
  void fill(std::span<pollfd, kMostWaits> waits) const noexcept override;
  void run(std::span<const pollfd, kMostWaits> ready) noexcept override;
  void worker_ended() noexcept override;

 private:
  std::uint32_t domid_;
  std::vector<std::string> sockets_;  ///< paths
  host::UniqueFd store_line_;
  std::unique_ptr<xen::SleepState> sleep_;
  std::optional<toolstack::StoreGate> gate_;
};

}  // namespace dm
