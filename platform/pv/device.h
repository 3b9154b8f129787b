// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/log.h"
#include "platform/pv/driver.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dm::pv {

/// Xen public header io/xenbus.h.
enum class XenbusState : std::uint8_t {
  unknown,
  initialising,
  init_wait,
  initialised,
  connected,
  closing,
  closed,
  reconfiguring,
  reconfigured
};

/// The backend's half of one PV device's life, the same for every kind (io/xenbus.h; io/blkif.h
/// draws it). The toolstack makes both directories; the frontend shows its state, we show ours:
///
///     frontend                       backend
///     Initialising                   InitWait       prepare() has published
///     Initialised or Connected       Connected      connect()
///     Closing                        Closing        disconnect()
///     Closed                         Closed
///     Initialising again             InitWait       a new driver in the guest: kexec, reload
///     its node has vanished          Closed
///
/// The toolstack asks for the end by online=0 and state Closing on our side; it removes the nodes
/// when we are Closed. One question to xenstore is open at a time, however often the guest
/// writes its state.
class Device {
 public:
  /// `path`: the backend's directory, relative: "backend/qdisk/7/51712". `host` outlives it.
  /// `sweep` is scheduled when the device is gone() and may be destroyed.
  Device(const Host& host, std::string path, std::unique_ptr<Driver> driver, Work& sweep);
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device();

  /// Something at or below the directory has changed; `key` is what.
  void on_backend_changed(std::string_view key);

  /// What a frontend asked for while the driver could not connect (Driver::may_connect) is done
  /// now.
  void go_on();

  /// Nothing of the frontend is touched after this, unless it connects again.
  void disconnect() noexcept;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] XenbusState state() const noexcept { return state_; }
  /// It is known whether the device can be served: what prepare() opens is open.
  [[nodiscard]] bool settled() const noexcept { return settled_; }
  [[nodiscard]] const std::optional<Error>& failure() const noexcept { return failure_; }
  /// Its directory has gone: nobody will ask for it any more.
  [[nodiscard]] bool gone() const noexcept { return gone_; }
  [[nodiscard]] Driver& driver() noexcept { return *driver_; }
  [[nodiscard]] const Driver& driver() const noexcept { return *driver_; }

 private:
  void identify();
  void on_identity(const Values& values);
  struct Believed;
  void read_believed(std::vector<std::string> paths, std::function<void(const Values&)> done);
  void check_owner(const std::shared_ptr<Believed>& question, std::size_t index);
  void prepare();
  void on_prepared(Nodes nodes);
  void look();
  void on_look(const Values& values);
  void advance(XenbusState ours, bool online, XenbusState theirs);
  void close(bool online);
  void begin_connect();
  void on_transport(const Values& values);
  void close_for_error(const Error& error);
  void reread_parameters();

  void publish(const Nodes& nodes);
  void set(XenbusState state);
  void go();
  /// Asks again what may have changed while a question was open.
  void done();

  const Host& host_;
  std::string path_;
  std::unique_ptr<Driver> driver_;
  Work& sweep_;
  std::string frontend_;  ///< its directory; empty until known
  Values values_;         ///< for prepare()
  XenbusState state_ = XenbusState::initialising;
  bool busy_ = false;       ///< a question is open
  bool again_ = false;      ///< a change came meanwhile
  bool rereading_ = false;  ///< a question for backend_keys() is open
  bool reread_ = false;     ///< they have changed since
  bool settled_ = false;
  bool foreign_ = false;  ///< another program serves it
  bool connected_ = false;
  bool gone_ = false;
  std::optional<Error> failure_;
  log::Limit complaints_;
};

}  // namespace dm::pv
