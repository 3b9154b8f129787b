// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/log.h"
#include "platform/pv/device.h"
#include "platform/pv/driver.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dm::pv {

/// All PV backends that libxl leaves to the device model, for one domain. It finds them in
/// xenstore, at the beginning and when the toolstack adds some, and lets go of them when their
/// directories vanish. Thread rule: the loop's thread only.
class Backends {
 public:
  enum class Kind : std::uint8_t { console, qdisk, vkbd, vfb };

  /// Most devices of a kind; more are not served, and the log says so. For disks it is what libxl
  /// itself can name; for consoles, what a stub domain can have and some.
  static constexpr std::size_t kMostDevices = 64;

  /// `host` is kept: all that it names outlives this.
  Backends(Host host, std::vector<Kind> kinds);
  Backends(const Backends&) = delete;
  Backends& operator=(const Backends&) = delete;
  ~Backends();

  /// True when every device that was there at the beginning is ready for its frontend, or has
  /// failed.
  [[nodiscard]] bool settled() const noexcept;
  /// The first of those devices that cannot be served.
  [[nodiscard]] std::optional<Error> failure() const;

  /// Ends everything: each device finishes what is in flight and lets go of its frontend. The last
  /// output that consoles have taken is then with their character devices.
  void disconnect() noexcept;

  /// For the time in which the domain's memory is saved: disks finish what is in flight and take no
  /// more. The same holds for disks that are found meanwhile. False when some of what they have
  /// acknowledged could not be made durable; the log says which.
  bool pause() noexcept;
  void resume() noexcept;
  /// In a pause: another device model is about to open the images (BlockBackend::hand_over).
  /// Frontends stay connected, and no image is opened meanwhile. False when one stays here.
  [[nodiscard]] bool hand_over() noexcept;
  /// Before resume(), also after a hand_over() that failed. An image is opened again for the first
  /// request that needs it.
  void take_back();

  // For the management side.
  [[nodiscard]] std::vector<ChardevInfo> chardevs() const;
  [[nodiscard]] std::vector<DriveInfo> drives() const;
  [[nodiscard]] std::size_t devices() const noexcept;
  [[nodiscard]] const Device* find(Kind kind, std::uint32_t id) const noexcept;

 private:
  struct Class {
    Kind kind;
    std::string path;  ///< "backend/qdisk/7"
    bool listed = false;
    bool listing = false;
    bool list_again = false;
    std::map<std::uint32_t, std::unique_ptr<Device>> devices;
  };

  void on_changed(Class& of, std::string_view path);
  void list(Class& of);
  void on_list(Class& of, const StorePort::Names& names);
  [[nodiscard]] std::unique_ptr<Driver> make_driver(Kind kind, std::uint32_t id) const;
  bool sweep() noexcept;

  Host host_;
  Work sweep_;
  std::vector<std::unique_ptr<Class>> classes_;
  bool paused_ = false;
  bool handed_over_ = false;
  log::Limit complaints_{1};
};

}  // namespace dm::pv
