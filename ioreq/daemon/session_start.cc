// SPDX-License-Identifier: MIT
// The start, in the order that README.md gives reasons for.
#include "core/obs/log.h"
#include "ioreq/daemon/open_backends.h"
#include "ioreq/daemon/session.h"
#include "ioreq/machine/inspect.h"
#include "platform/linux/process/first_process.h"
#include "platform/linux/process/privileges.h"
#include "platform/linux/process/syscall_filter.h"
#include "platform/linux/unique_fd.h"
#include "platform/supervisor/supervisor.h"
#include "platform/toolstack/qmp/qmp_medium.h"
#include "platform/toolstack/store/xenstore.h"
#include "platform/xen/handles.h"

#include <sys/stat.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace dm {

namespace {

/// Of the process that serves the guest in a stub domain.
constexpr const char* kNowhere = "/nowhere";
constexpr const char* kNobody = "65534:65534";
constexpr const char* kSaveConsole = "/dev/hvc1";  // libxl_internal.h, STUBDOM_CONSOLE_SAVE
/// xenstored answers in milliseconds.
constexpr std::chrono::milliseconds kReportTime{400};

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

/// How the supervisor ends in a stub domain.
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

}  // namespace

/// How far the start has come, where the whole domain starts with us.
void Session::stage(std::string_view what) const noexcept {
  if (in_stub_domain()) {
    host::log_stage(what);
  }
}

Result<> Session::start() {
  std::optional<Incoming> saved;
  if (config_.incoming_fd) {
    const auto file = adopt_incoming(*config_.incoming_fd);
    if (!file) {
      return file.error();
    }
    auto read = read_incoming(file->get());
    if (!read) {
      return read.error();
    }
    saved = std::move(*read);
  }
  if (auto started = start_supervisor(); !started) {
    return started;
  }
  if (auto taken = take_place(saved ? &*saved : nullptr); !taken) {
    return taken;
  }
  if (saved) {
    if (auto loaded = load_incoming(*saved, *machine_); !loaded) {
      return loaded;
    }
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

/// Forks, so before threads, mappings and handles.
Result<> Session::start_supervisor() {
  auto link = supervisor::start(
      {.domid = static_cast<xen::DomId>(config_.domid),
       .place = in_stub_domain() ? supervisor::Place::parent : supervisor::Place::child,
       .confinement = {.chroot = config_.chroot, .run_as = config_.run_as},
       .finish = in_stub_domain() ? &end_domain : nullptr});
  if (!link) {
    return link.error();
  }
  supervisor_.emplace(std::move(*link));
  supervisor_line_ = host::Watch{loop_, host::duplicate(supervisor_->descriptor()),
                                 host::Callback::bind<&Session::on_supervisor>(*this)};
  if (!supervisor_line_.ok()) {
    return Error{"the loop cannot watch the supervisor"};
  }
  supervisor_line_.await_readable();
  return {};
}

Result<> Session::take_place(const Incoming* saved) {
  auto backends = open_backends(config_, saved != nullptr ? saved->gone : UnplugRequest{}, loop_);
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
  if (auto told = supervisor_->serve(xen_->server().id()); !told) {
    return told;
  }
  if (config_.vga) {
    const std::size_t bytes = std::size_t{config_.vga->memory_mib} << 20U;
    if (auto opened = xen_->open_video(bytes, config_.xen_platform,
                                       saved != nullptr ? saved->video : std::nullopt);
        !opened) {
      return opened;
    }
  }
  const MachineHost host{.claims = xen_->server(),
                         .irqs = xen_->irqs(),
                         .memory = xen_->memory(),
                         .ioreq = xen_->server(),
                         .domain = xen_->domain(),
                         .clock = clock_,
                         .events = events_,
                         .video = xen_->video(),
                         .black_box = &supervisor_->black_box()};
  auto machine = Machine::create(config_, host, std::move(*backends), spin_policy(config_.spin));
  if (!machine) {
    return machine.error();
  }
  machine_ = std::move(*machine);
  loop_.add(xen_->server().descriptor());
  ControlHost& process = *this;
  control_ = std::make_unique<Control>(config_, *machine_, clock_, xen_->memory(), process);
  return {};
}

/// Where xl save wants the state.
toolstack::OpenStateTarget Session::state_target() {
  if (!in_stub_domain()) {
    return toolstack::passed_descriptors(fd_sets_);
  }
  const auto xenstore = toolstack::Xenstore::open();
  save_console_.emplace(kSaveConsole, xenstore && saves_begin_anew(*xenstore));
  return [this](const std::string& name) { return save_console_->begin(name); };
}

Result<> Session::listen() {
  toolstack::add_machine_commands(commands_, *control_, config_.name);
  commands_.add("x-stubdm-inspect", [this](toolstack::QmpCall&) -> toolstack::QmpResult {
    return inspect(*machine_, config_);
  });
  toolstack::add_fd_set_commands(commands_, fd_sets_);
  toolstack::add_migration_commands(commands_, *control_, state_target());
  toolstack::add_medium_commands(
      commands_, *control_, fd_sets_,
      [this](const std::string& name, host::UniqueFd file, ImageFormat format) {
        return discs_.image(name, std::move(file), format);
      });
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

}  // namespace dm
