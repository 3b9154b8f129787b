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

/// All PV backends that libxl leaves to the device model, for one domain: it finds them in
/// xenstore, at the beginning and when the toolstack adds some, and lets them go when their
/// directories vanish. Thread rule: the loop's thread only.
class Backends {
 public:
  enum class Kind : std::uint8_t { console, qdisk, vkbd, vfb };

  /// More of a kind are not served, which is told in the log: what libxl itself can name of disks,
  /// and the consoles that a stub domain can have and some.
  static constexpr std::size_t kMostDevices = 64;

  /// `host` is kept: all that it names outlives this.
  Backends(Host host, std::vector<Kind> kinds);
  Backends(const Backends&) = delete;
  Backends& operator=(const Backends&) = delete;
  ~Backends();

  /// Everything that was there at the beginning is ready for its frontend, or has failed.
  [[nodiscard]] bool settled() const noexcept;
  /// Of those: the first that cannot be served.
  [[nodiscard]] std::optional<Error> failure() const;

  /// The end: every device finishes what is under way and lets go of its frontend. What consoles
  /// have taken last is with their character devices then.
  void disconnect() noexcept;

  /// While the domain's memory is saved: disks finish what is under way and take no more, those
  /// that are found meanwhile too.
  void pause() noexcept;
  void resume() noexcept;

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
  log::Limit complaints_{1};
};

}  // namespace dm::pv
