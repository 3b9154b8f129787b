// SPDX-License-Identifier: MIT
#include "ioreq/daemon/daemon.h"

#include "core/obs/log.h"
#include "ioreq/daemon/control.h"
#include "ioreq/daemon/ending.h"
#include "ioreq/daemon/open_backends.h"
#include "ioreq/daemon/pv_host.h"
#include "ioreq/daemon/stub_qmp.h"
#include "ioreq/daemon/xen_host.h"
#include "ioreq/machine/inspect.h"
#include "ioreq/machine/machine.h"
#include "platform/linux/image/disc_opener.h"
#include "platform/linux/loop/host_clock.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/signals.h"
#include "platform/linux/loop/watch.h"
#include "platform/linux/process/first_process.h"
#include "platform/linux/process/privileges.h"
#include "platform/linux/process/start_pages.h"
#include "platform/linux/process/syscall_filter.h"
#include "platform/linux/unique_fd.h"
#include "platform/toolstack/qmp/fd_sets.h"
#include "platform/toolstack/qmp/qmp_commands.h"
#include "platform/toolstack/qmp/qmp_medium.h"
#include "platform/toolstack/qmp/qmp_server.h"
#include "platform/toolstack/store/domain_watch.h"
#include "platform/toolstack/store/xenstore.h"
#include "platform/xen/handles.h"
#include "platform/xen/watcher.h"

#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <thread>
#include <utility>

namespace dm {

namespace {

/// Of the process that serves the guest in a stub domain.
constexpr const char* kNowhere = "/nowhere";
constexpr const char* kNobody = "65534:65534";
/// xenstored answers in milliseconds.
constexpr std::chrono::milliseconds kReportTime{400};

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

ioreq::SpinPolicy spin_policy(const SpinConfig& spin) noexcept {
  ioreq::SpinPolicy policy;
  policy.cpus = std::thread::hardware_concurrency();
  switch (spin.mode) {
    case SpinConfig::Mode::automatic:
      break;
    case SpinConfig::Mode::off:
      policy.mode = ioreq::SpinPolicy::Mode::off;
      break;
    case SpinConfig::Mode::always:
      policy.mode = ioreq::SpinPolicy::Mode::always;
      policy.limit = std::chrono::microseconds{spin.microseconds};
      break;
  }
  return policy;
}

/// The process's parts, in the order of their making. What is below may use what is above.
class Session {
 public:
  Session(const MachineConfig& config, Home home) : config_{config}, home_{home} {}
  [[nodiscard]] Result<> start();
  [[nodiscard]] Result<> run();

 private:
  [[nodiscard]] Result<> take_place();
  [[nodiscard]] Result<> listen();
  [[nodiscard]] Result<> announce();
  [[nodiscard]] Result<> give_up_privileges();
  [[nodiscard]] Result<> give_up_everything();
  [[nodiscard]] bool launch() noexcept;
  void watch_store();
  void on_domain_gone() noexcept;
  void on_signal() noexcept;
  void on_watcher_gone() noexcept;
  void end(Ending::Cause cause) noexcept;
  void end_guest() noexcept;

  [[nodiscard]] bool in_stub_domain() const noexcept { return home_ == Home::stub_domain; }
  void stage(std::string_view what) const noexcept;

  const MachineConfig& config_;
  Home home_;
  std::optional<xen::Watcher> watcher_;
  host::Loop loop_;
  LoopEvents events_{loop_};
  host::HostClock clock_;
  host::SignalWatch signals_{
      loop_, {SIGTERM, SIGINT, SIGHUP}, host::Callback::bind<&Session::on_signal>(*this)};
  std::unique_ptr<XenHost> xen_;
  std::unique_ptr<Machine> machine_;
  std::unique_ptr<Control> control_;
  toolstack::FdSets fd_sets_;
  toolstack::QmpCommands commands_;
  toolstack::QmpServer qmp_{loop_, commands_};
  std::optional<toolstack::StoreClient> store_;
  std::unique_ptr<StubQmp> stub_qmp_;
  std::optional<toolstack::DomainWatch> domain_watch_;
  std::unique_ptr<PvHost> pv_;
  host::Watch watcher_end_;
  Ending ending_;
  std::optional<Error> failure_;
  host::DiscOpener discs_{loop_};  ///< the first to go: control_ waits for it
};

/// For the watcher, whose hook takes no argument: set once, before it is forked.
const MachineConfig* watcher_config = nullptr;

void confine_watcher() noexcept {
  if (auto confined =
          host::confine({.chroot = watcher_config->chroot, .run_as = watcher_config->run_as});
      !confined) {
    log::warning("the watcher keeps its privileges: ", std::string_view{confined.error().message});
  }
  host::drop_start_pages();
}

void end_domain(int status) noexcept {
  host::log_stage("the device model has ended: power off");
  if (status != 0) {
    host::try_for(kReportTime, [] {
      if (auto xenstore = toolstack::Xenstore::open()) {
        static_cast<void>(
            xenstore->report_failure("the device model died: the last lines of its log say more"));
      }
    });
  }
  host::power_off();
}

/// How far the start has come, where the whole domain starts with us.
void Session::stage(std::string_view what) const noexcept {
  if (in_stub_domain()) {
    host::log_stage(what);
  }
}

Result<> Session::start() {
  // Forks, so before threads, mappings and handles.
  watcher_config = &config_;
  auto watcher = xen::Watcher::start(
      {.domid = static_cast<xen::DomId>(config_.domid),
       .place = in_stub_domain() ? xen::Watcher::Place::parent : xen::Watcher::Place::child,
       .confine = &confine_watcher,
       .finish = in_stub_domain() ? &end_domain : nullptr});
  if (!watcher) {
    return watcher.error();
  }
  watcher_.emplace(std::move(*watcher));
  watcher_end_ = host::Watch{loop_, host::UniqueFd{watcher_->take_lifeline()},
                             host::Callback::bind<&Session::on_watcher_gone>(*this)};
  if (!watcher_end_.ok()) {
    return Error{"the loop cannot watch the watcher"};
  }
  watcher_end_.await_readable();
  if (auto taken = take_place(); !taken) {
    return taken;
  }
  if (auto listening = listen(); !listening) {
    return listening;
  }
  if (auto announced = announce(); !announced) {
    return announced;
  }
  watch_store();
  return give_up_privileges();
}

Result<> Session::take_place() {
  auto backends = open_backends(config_, loop_);
  if (!backends) {
    return backends.error();
  }
  stage("disks, consoles and network cards are open");
  auto xen =
      XenHost::open(static_cast<xen::DomId>(config_.domid), config_.vcpus_max, !in_stub_domain());
  if (!xen) {
    return xen.error();
  }
  xen_ = std::move(*xen);
  watcher_->server_created(xen_->server().id());
  const MachineHost host{.claims = xen_->server(),
                         .irqs = xen_->irqs(),
                         .memory = xen_->memory(),
                         .ioreq = xen_->server(),
                         .domain = xen_->domain(),
                         .clock = clock_,
                         .events = events_,
                         .black_box = &watcher_->black_box()};
  auto machine = Machine::create(config_, host, std::move(*backends), spin_policy(config_.spin));
  if (!machine) {
    return machine.error();
  }
  machine_ = std::move(*machine);
  loop_.add(xen_->server().descriptor());
  control_ = std::make_unique<Control>(
      config_, *machine_, clock_, xen_->memory(),
      Control::Actions{.launch = [this] { return launch(); },
                       .quit = [this] { end(Ending::Cause::quit); },
                       .asleep = [this] { return xen_->domain().asleep(); },
                       .wake = [this] { (void)xen_->domain().wake(); },
                       .pause =
                           [this] {
                             if (pv_) {
                               pv_->backends().pause();
                             }
                           },
                       .resume =
                           [this] {
                             if (pv_) {
                               pv_->backends().resume();
                             }
                           },
                       .open_disc =
                           [this](const std::string& name, host::UniqueFd fd, ImageFormat format,
                                  Control::Actions::Opened opened) {
                             discs_.open(name, std::move(fd), format, std::move(opened));
                           }});
  return {};
}

Result<> Session::listen() {
  toolstack::add_machine_commands(commands_, *control_, config_.name);
  commands_.add("x-stubdm-inspect", [this](toolstack::QmpCall&) -> toolstack::QmpResult {
    return inspect(*machine_, config_);
  });
  toolstack::add_fd_set_commands(commands_, fd_sets_);
  toolstack::add_medium_commands(commands_, *control_, fd_sets_);
  if (in_stub_domain()) {
    auto opened = StubQmp::open(loop_, commands_, config_.domid);
    if (!opened) {
      return opened.error();
    }
    stub_qmp_ = std::move(*opened);
  }
  for (const QmpSocketConfig& socket : config_.qmp) {
    if (auto listening = qmp_.listen(socket); !listening) {
      return listening.error();
    }
  }
  return {};
}

/// Opens the gate for requests and tells libxl, which goes on with the guest then.
Result<> Session::announce() {
  if (config_.start_paused) {
    return {};  // libxl asks by QMP, and says cont
  }
  if (auto enabled = xen_->server().enable(); !enabled) {
    return enabled.error();
  }
  auto xenstore = toolstack::Xenstore::open();
  if (!xenstore) {
    return xenstore.error();
  }
  if (auto told = xenstore->report_running(config_.domid); !told) {
    return told;
  }
  stage("running");
  return {};
}

/// In a stub domain nobody asks for it and there is nobody to be protected but the domain's own
/// kernel: what the process has open is all it will ever need, so it keeps nothing else.
Result<> Session::give_up_everything() {
  if (auto restricted = xen_->restrict_to_guest(); !restricted) {
    return restricted;
  }
  if (auto console = host::never_wait_for_console(); !console) {
    return console;
  }
  static_cast<void>(::mkdir(kNowhere, 0));
  if (auto confined = host::confine({.chroot = kNowhere, .run_as = kNobody}); !confined) {
    return confined;
  }
  return host::filter_system_calls();
}

/// In libxl's order: the handles first, since that needs privileges (dm_restrict=1 in xl.cfg).
Result<> Session::give_up_privileges() {
  if (in_stub_domain()) {
    return give_up_everything();
  }
  if (config_.restrict_domid) {
    if (auto restricted = xen::restrict_all(static_cast<xen::DomId>(config_.domid)); !restricted) {
      return restricted;
    }
  }
  return host::confine({.chroot = config_.chroot, .run_as = config_.run_as});
}

/// What xenstore leads to: the guest's end, and PV devices that libxl leaves to us. Not in a stub
/// domain, which libxl ends together with its guest and whose disks are not its own to serve, nor
/// where privileges are given up: the connection could still do anything to xenstore. libxl ends
/// such a process by its user id.
void Session::watch_store() {
  if (in_stub_domain() || config_.gives_up_privileges()) {
    return;
  }
  auto connection = toolstack::StoreClient::connect();
  if (!connection) {
    log::info("xenstore does not tell when the domain vanishes: ",
              std::string_view{connection.error().message});
    return;
  }
  store_.emplace(loop_, std::move(*connection));
  domain_watch_.emplace(*store_, config_.domid,
                        host::Callback::bind<&Session::on_domain_gone>(*this));
  using Kind = pv::Backends::Kind;
  auto pv = PvHost::open(loop_, *store_, config_.domid, {Kind::qdisk, Kind::vkbd, Kind::vfb});
  if (!pv) {
    log::warning("no PV devices for the guest: ", std::string_view{pv.error().message});
    return;
  }
  pv_ = std::move(*pv);
}

void Session::on_domain_gone() noexcept {
  log::info("domain ", config_.domid, " has vanished: ending");
  end(Ending::Cause::domain_gone);
}

bool Session::launch() noexcept {
  if (auto enabled = xen_->server().enable(); !enabled) {
    failure_ = enabled.error();
    ending_.note(Ending::Cause::start_failed);
    return false;
  }
  return true;
}

void Session::on_signal() noexcept {
  const bool hang_up = signals_.last() == SIGHUP;
  log::info("signal ", signals_.last(), hang_up ? ": ending" : ": ending, and the guest with it");
  end(hang_up ? Ending::Cause::hang_up : Ending::Cause::signal);
}

void Session::on_watcher_gone() noexcept {
  log::error(
      "the watcher was killed: nobody would clean up after this process, so it ends, and the "
      "guest with it");
  end(Ending::Cause::watcher_died);
}

void Session::end(Ending::Cause cause) noexcept {
  ending_.note(cause);
  if (machine_ != nullptr) {
    machine_->poller().stop();
  }
}

/// What the guest has written is safe first; then it stops, while the server that its vCPUs may
/// wait for is still there.
void Session::end_guest() noexcept {
  machine_->make_durable();
  if (ending_.crashes_guest()) {
    xen_->domain().shutdown(ShutdownReason::crash);
  }
}

Result<> Session::run() {
  host::drop_start_pages();
  if (!machine_->poller().run()) {
    log::info("domain ", config_.domid, " is gone: ending");
    ending_.note(Ending::Cause::domain_gone);
  }
  machine_->stop_listening();
  pv_.reset();
  end_guest();
  if (failure_) {
    return *failure_;
  }
  return {};
}

}  // namespace

Result<> Daemon::serve(const MachineConfig& config, Home home) {
  Session session{config, home};
  if (auto started = session.start(); !started) {
    return started;
  }
  return session.run();
}

}  // namespace dm
