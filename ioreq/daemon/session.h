// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/obs/log.h"
#include "core/ports/event_loop.h"
#include "core/result.h"
#include "ioreq/daemon/daemon.h"
#include "ioreq/daemon/ending.h"
#include "ioreq/daemon/hvm_broker.h"
#include "ioreq/daemon/incoming.h"
#include "ioreq/daemon/pv_host.h"
#include "ioreq/daemon/save_console.h"
#include "ioreq/daemon/stub_qmp.h"
#include "ioreq/daemon/xen_host.h"
#include "ioreq/machine/control.h"
#include "ioreq/machine/machine.h"
#include "platform/display/screen_feed.h"
#include "platform/linux/image/disc_opener.h"
#include "platform/linux/loop/host_clock.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/signals.h"
#include "platform/linux/loop/watch.h"
#include "platform/linux/unique_fd.h"
#include "platform/supervisor/link.h"
#include "platform/toolstack/qmp/fd_sets.h"
#include "platform/toolstack/qmp/qmp_commands.h"
#include "platform/toolstack/qmp/qmp_migration.h"
#include "platform/toolstack/qmp/qmp_server.h"
#include "platform/toolstack/qmp/qmp_vnc.h"
#include "platform/toolstack/store/domain_watch.h"
#include "platform/toolstack/store/store_client.h"
#include "platform/xen/xen_domain.h"

#include <boost/json/object.hpp>

#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <string_view>

namespace dm {

/// The loop of platform/linux as the poller wants it.
class LoopEvents final : public EventLoop {
 public:
  explicit LoopEvents(host::Loop& loop) noexcept : loop_{loop} {}
  bool wait(std::optional<std::chrono::nanoseconds> timeout) noexcept override {
    return loop_.wait(timeout);
  }
  void poll() noexcept override { loop_.poll(); }

 private:
  host::Loop& loop_;
};

/// S3's hypercall, which this process may not make.
class SleepByBroker final : public xen::SleepSwitch {
 public:
  explicit SleepByBroker(supervisor::Link& supervisor) noexcept : supervisor_{supervisor} {}
  [[nodiscard]] int set(std::uint64_t state) noexcept override {
    return supervisor_.ask(
        {.kind = supervisor::Kind::sleep, .value = static_cast<std::uint32_t>(state)});
  }

 private:
  supervisor::Link& supervisor_;
};

/// The process's parts, in the order in which they are made. A later part may use an earlier one.
class Session final : private ControlHost {
 public:
  Session(const MachineConfig& config, Home home) : config_{config}, home_{home} {}
  [[nodiscard]] Result<> start();
  [[nodiscard]] Result<> run();

 private:
  [[nodiscard]] Result<> start_supervisor();
  [[nodiscard]] Result<> prepare_screen(HvmBroker::Parts& to);
  [[nodiscard]] Result<> open_screen();
  [[nodiscard]] boost::json::object inspect_all() const;
  void add_screenshot_command();
  [[nodiscard]] Result<> take_place(const Incoming* saved);
  [[nodiscard]] toolstack::OpenStateTarget state_target();
  [[nodiscard]] host::UniqueFd fetch_disc(std::string_view drive) noexcept;
  [[nodiscard]] Result<> listen();
  [[nodiscard]] Result<> announce();
  [[nodiscard]] Result<> give_up_privileges();
  [[nodiscard]] bool serves_pv_disks() const;
  [[nodiscard]] Result<> keep_disks();
  [[nodiscard]] Result<> lose_root();
  void keep_threads();
  void watch_store();
  void on_domain_gone() noexcept;
  void on_signal() noexcept;
  void on_supervisor() noexcept;
  void end(Ending::Cause cause) noexcept;
  void end_guest() noexcept;

  [[nodiscard]] bool launch() noexcept override;
  void quit() noexcept override { end(Ending::Cause::quit); }
  [[nodiscard]] bool asleep() noexcept override { return xen_->domain().asleep(); }
  void wake() noexcept override { static_cast<void>(xen_->domain().wake()); }
  [[nodiscard]] bool pause_others() noexcept override;
  void resume_others() noexcept override;
  [[nodiscard]] bool hand_over_others() noexcept override;
  void take_back_others() noexcept override;

  [[nodiscard]] bool in_stub_domain() const noexcept { return home_ == Home::stub_domain; }
  void stage(std::string_view what) const noexcept;

  const MachineConfig& config_;
  Home home_;
  std::optional<supervisor::Link> supervisor_;
  host::UniqueFd store_line_;  ///< to the supervisor's gate before xenstored
  host::Loop loop_;
  LoopEvents events_{loop_};
  host::HostClock clock_;
  host::SignalWatch signals_{
      loop_, {SIGTERM, SIGINT, SIGHUP}, host::Callback::bind<&Session::on_signal>(*this)};
  std::optional<SleepByBroker> sleep_;
  std::unique_ptr<XenHost> xen_;
  std::unique_ptr<Machine> machine_;
  host::UniqueFd screen_line_;  ///< to whoever shows the screen
  host::UniqueFd screen_area_;
  toolstack::VncPlace screen_place_;
  std::unique_ptr<display::ScreenFeed> screen_;
  std::unique_ptr<Control> control_;
  toolstack::FdSets fd_sets_;
  std::optional<SaveConsole> save_console_;
  toolstack::QmpCommands commands_;
  toolstack::QmpServer qmp_{loop_, commands_};
  std::optional<toolstack::StoreClient> store_;
  std::unique_ptr<StubQmp> stub_qmp_;
  std::optional<toolstack::DomainWatch> domain_watch_;
  std::unique_ptr<PvHost> pv_;
  host::Watch supervisor_line_;
  log::Limit complaints_;
  bool by_threads_ = false;  ///< a disk has no ring, and needs threads for each request
  Ending ending_;
  std::optional<Error> failure_;
  host::DiscOpener discs_{loop_};  ///< the first to go: control_ waits for it
};

}  // namespace dm
