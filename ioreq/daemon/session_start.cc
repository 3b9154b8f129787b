// SPDX-License-Identifier: MIT
// The start, in the order that README.md gives reasons for.
#include "core/obs/log.h"
#include "ioreq/daemon/hvm_broker.h"
#include "ioreq/daemon/incoming.h"
#include "ioreq/daemon/open_backends.h"
#include "ioreq/daemon/session.h"
#include "ioreq/daemon/stub_broker.h"
#include "platform/linux/disk/worker_pool.h"
#include "platform/linux/process/first_process.h"
#include "platform/linux/process/last_words.h"
#include "platform/linux/process/privileges.h"
#include "platform/linux/process/syscall_filter.h"
#include "platform/linux/unique_fd.h"
#include "platform/supervisor/supervisor.h"
#include "platform/toolstack/qmp/new_discs.h"
#include "platform/toolstack/qmp/qmp_medium.h"
#include "platform/toolstack/store/xenstore.h"
#include "platform/xen/handles.h"
#include "platform/xen/worker_ioctls.h"

#include <xen/sched.h>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace dm {

namespace {

/// Of the process that serves the guest in a stub domain, where there are no others.
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

/// Ends the guest from a signal handler. It is set once, before the handlers are.
xen::DmOps* last_operations = nullptr;

void crash_guest() noexcept {
  if (last_operations != nullptr) {
    static_cast<void>(last_operations->shutdown(SHUTDOWN_crash));
  }
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
  supervisor::Options options{
      .domid = static_cast<xen::DomId>(config_.domid),
      .place = in_stub_domain() ? supervisor::Place::parent : supervisor::Place::child,
      .confinement = {.chroot = config_.chroot, .run_as = config_.run_as},
      .finish = in_stub_domain() ? &end_domain : nullptr};
  if (!in_stub_domain()) {
    HvmBroker::Parts parts;
    if (auto prepared = prepare_screen(parts); !prepared) {
      return prepared;
    }
    if (parts.screen) {
      options.confinement = {};  // whoever starts a display for a viewer has to be root for that
    }
    std::array<int, 2> ends{-1, -1};
    // With dm_restrict=1 no process has a way to xenstore: libxl gives it none.
    if (!config_.gives_up_privileges() &&
        ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0) {
      store_line_ = host::UniqueFd{ends[0]};
      parts.store_line = host::UniqueFd{ends[1]};
    }
    options.broker = std::make_unique<HvmBroker>(config_, std::move(parts));
  } else {
    options.broker = std::make_unique<StubBroker>(config_);
  }
  auto link = supervisor::start(std::move(options));
  if (!link) {
    return link.error();
  }
  supervisor_.emplace(std::move(*link));
  if (Pulse* const pulse = supervisor_->pulse(); pulse != nullptr) {
    loop_.show(*pulse, supervisor_->pulse_timer());
  }
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
  by_threads_ = std::any_of(backends->disks.begin(), backends->disks.end(), [](const auto& disk) {
    return disk != nullptr && disk->engine().starts_with("threads");
  });
  stage("disks, consoles and network cards are open");
  // The supervisor of a stub domain may not do it either: its kernel refuses the hypercall.
  if (!in_stub_domain()) {
    sleep_.emplace(*supervisor_);
  } else {
    log::info("no S3 for this guest: it is served from a stub domain");
  }
  auto xen = XenHost::open(static_cast<xen::DomId>(config_.domid), config_.vcpus_max,
                           sleep_ ? &*sleep_ : nullptr);
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
                         .black_box = &supervisor_->black_box(),
                         .pulse = supervisor_->pulse()};
  auto machine = Machine::create(config_, host, std::move(*backends), spin_policy(config_.spin));
  if (!machine) {
    return machine.error();
  }
  machine_ = std::move(*machine);
  if (auto opened = open_screen(); !opened) {
    return opened;
  }
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
  if (screen_) {
    toolstack::add_vnc_commands(commands_, screen_place_, [this](std::string_view password) {
      screen_->set_password(password);
    });
  } else if (config_.vnc && config_.vnc->password) {
    toolstack::add_needless_vnc_password(commands_);
  }
  commands_.add("x-stubdm-inspect",
                [this](toolstack::QmpCall&) -> toolstack::QmpResult { return inspect_all(); });
  if (in_stub_domain()) {
    toolstack::add_fd_set_commands(commands_, fd_sets_, [this] {
      toolstack::list_new_discs(*control_, fd_sets_,
                                [this](std::string_view drive) { return fetch_disc(drive); });
    });
  } else {
    toolstack::add_fd_set_commands(commands_, fd_sets_);
  }
  add_screenshot_command();
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

/// An image that is not raw, or a CD-ROM drive: the guest's PV disk is ours to serve, too.
bool Session::serves_pv_disks() const {
  if (in_stub_domain() || config_.gives_up_privileges()) {
    return false;
  }
  const auto xenstore = toolstack::Xenstore::open();
  return xenstore && xenstore->list("backend/qdisk/" + std::to_string(config_.domid)).has_value();
}

/// PV disks take grants, images by their paths, and qemu-nbd, later on. So such a process stays
/// root, with the rights over files and no others.
Result<> Session::keep_disks() {
  log::warning(
      "the device model serves PV disks of the guest (an image that is not raw, or a "
      "CD-ROM drive): it stays root, with the rights over files alone, and without the "
      "filter of system calls");
  if (auto restricted = xen_->restrict_to_guest(); !restricted) {
    return restricted;
  }
  if (auto restricted = pv_ ? pv_->restrict_to_guest() : Result<>{}; !restricted) {
    return restricted;
  }
  return host::keep_file_rights();
}

/// Root directory and user: libxl's choice with dm_restrict=1, else ours.
Result<> Session::lose_root() {
  host::Confinement to{.chroot = config_.chroot, .run_as = config_.run_as};
  if (::geteuid() != 0) {
    log::warning("not started by root: the device model keeps its user and its root directory");
    return host::confine(to);
  }
  if (to.chroot.empty()) {
    if (auto empty = host::enter_empty_root(); !empty) {
      return empty;
    }
  }
  if (to.run_as.empty()) {
    to.run_as = in_stub_domain() ? kNobody : host::user_of_guest(config_.domid);
  }
  return host::confine(to);
}

/// Disks of this process can start no thread from now on. Two are for what a ring cannot do
/// (BLKDISCARD) and for a disc that is inserted later; where no disk has a ring they do all.
void Session::keep_threads() {
  if (in_stub_domain() || config_.disks.empty()) {
    return;  // there, its memory is worth more
  }
  loop_.part<host::WorkerPool>().keep(by_threads_ ? host::WorkerPool::kThreads : 2);
}

/// The process that reads the guest's bytes keeps nothing but what is open, in every home: the
/// handles first, since that needs privileges, and the filter last.
Result<> Session::give_up_privileges() {
  const auto domid = static_cast<xen::DomId>(config_.domid);
  static const std::unique_ptr<xen::DmOps> signal_safe = xen::open_signal_safe_ops(domid);
  last_operations = signal_safe.get();
  if (auto prepared = host::prepare_last_words(&crash_guest); !prepared) {
    return prepared;
  }
  if (serves_pv_disks()) {
    return keep_disks();
  }
  if (auto restricted = in_stub_domain() ? xen_->restrict_to_guest() : xen::restrict_all(domid);
      !restricted) {
    return restricted;
  }
  if (in_stub_domain()) {
    if (auto console = host::never_wait_for_console(); !console) {
      return console;
    }
  } else if (!host::leave_networks()) {
    log::info("no network namespace of its own: the kernel has none, or does not allow it");
  }
  if (auto lost = lose_root(); !lost) {
    return lost;
  }
  keep_threads();
  if (auto limited = host::limit_resources(); !limited) {
    return limited;
  }
  return host::filter_system_calls(
      {.home = in_stub_domain() ? host::Homes::stub_domain : host::Homes::dom0,
       .ioctls = xen::kWorkerIoctls});
}

/// What xenstore leads to: the guest's end, and PV devices that libxl leaves to us. Not in a stub
/// domain, which libxl ends together with its guest and whose disks are not its own to serve, nor
/// with dm_restrict=1: libxl ends such a process by its user id.
void Session::watch_store() {
  if (!store_line_) {
    return;
  }
  store_.emplace(loop_, std::move(store_line_));
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
