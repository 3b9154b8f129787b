// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"
#include "core/backend/chardev.h"
#include "core/config/machine_config.h"
#include "core/ports/frontend_port.h"
#include "core/ports/machine_control.h"
#include "core/ports/store_port.h"
#include "core/result.h"
#include "core/time/work.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dm::pv {

/// What PV backends stand on. All of it outlives them.
struct Host {
  std::uint32_t domid = 0;      ///< of the domain with the front ends
  std::uint32_t own_domid = 0;  ///< ours: 0, or a driver domain's
  StorePort& store;
  FrontendPort& frontend;
  WorkQueue& work;  ///< run by the loop at the end of its turn
  std::function<Result<std::unique_ptr<CharBackend>>(const std::string& spec)> open_chardev;
  std::function<Result<std::unique_ptr<BlockBackend>>(const DiskConfig& disk)> open_disk;

  /// The one rule for nodes that lead to something of the host (an image, a terminal, a file, the
  /// frontend's domain): the toolstack must have written them. libxl gives such a node to the
  /// backend's domain, in both directories (libxl_device.c, libxl__device_generic_add).
  [[nodiscard]] bool believes(std::uint32_t owner) const noexcept {
    return owner == 0 || owner == own_domid;
  }
};

/// A node to write.
struct Node {
  enum class Side : std::uint8_t { backend, frontend };
  Side side = Side::backend;
  std::string key;
  std::string value;
};
using Nodes = std::vector<Node>;
using Values = StorePort::Values;
using Keys = std::vector<std::string>;

/// What one kind of device adds to the state machine of Device. Thread rule: the loop's thread
/// only.
class Driver {
 public:
  Driver() = default;
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  virtual ~Driver() = default;

  /// The nodes that the toolstack writes in the backend's directory and that prepare() needs. A
  /// node that Host::believes() refuses counts as absent.
  [[nodiscard]] virtual Keys backend_keys() const { return {}; }
  /// The same in the frontend's directory, where a guest may remove what the toolstack wrote and
  /// put its own in its place.
  [[nodiscard]] virtual Keys toolstack_keys() const { return {}; }
  /// The nodes that the guest writes: hostile text.
  [[nodiscard]] virtual Keys frontend_keys() const { return {}; }
  /// Console 0: its frontend has no state; its ring is there from the beginning.
  [[nodiscard]] virtual bool always_ready() const noexcept { return false; }
  /// True for a device that is never connected: its frontend finds it Closed.
  [[nodiscard]] virtual bool starts_closed() const noexcept { return false; }

  /// Returns what to publish before the frontend looks. Nothing: another program serves this
  /// device. The values are those of backend_keys(), then of toolstack_keys().
  [[nodiscard]] virtual Result<std::optional<Nodes>> prepare(const Values& values) = 0;
  /// The frontend has published frontend_keys(). An error closes the device, until its frontend
  /// starts anew.
  [[nodiscard]] virtual Result<Nodes> connect(const Values& values) = 0;
  /// Nothing of the frontend is touched after this. Idempotent.
  virtual void disconnect() noexcept = 0;
  /// Called after disconnect(): the toolstack takes the device away, and may give what is behind it
  /// to somebody else.
  virtual void release() noexcept {}
  /// True when the device cannot go on, because the frontend broke its side of the ring. The code
  /// that finds this calls on_broken.
  [[nodiscard]] virtual bool broken() const noexcept { return false; }
  std::function<void()> on_broken;
  /// The toolstack has written new `params` (another disc). Returns what to publish; nothing when
  /// there is no change.
  [[nodiscard]] virtual std::optional<Nodes> changed(const Values& /*backend_values*/) {
    return std::nullopt;
  }

  /// Until resume(), nothing touches the frontend's memory (unless the frontend is let go), and
  /// nothing is in flight. Requests that wait in a ring stay there: a guest that is restored asks
  /// for them again. False when some of what was acknowledged could not be made durable.
  [[nodiscard]] virtual bool pause() noexcept { return true; }
  virtual void resume() noexcept {}
  /// In a pause: another device model is about to open what is behind the device
  /// (BlockBackend::hand_over). The frontend stays connected. False when it stays here.
  [[nodiscard]] virtual bool hand_over() noexcept { return true; }
  /// Before resume(): the domain goes on here after all.
  virtual void take_back() noexcept {}
  /// False while connect() would open what is handed over. The frontend waits.
  [[nodiscard]] virtual bool may_connect() const noexcept { return true; }

  // For the management side.
  [[nodiscard]] virtual std::optional<ChardevInfo> chardev_info() const { return std::nullopt; }
  [[nodiscard]] virtual std::optional<DriveInfo> drive_info() const { return std::nullopt; }
};

}  // namespace dm::pv
