// SPDX-License-Identifier: MIT
// The same program as the first and only one of a stub domain: what an init would do, the command
// line from xenstore, then the guest.

#include "core/obs/log.h"
#include "ioreq/daemon/daemon.h"
#include "platform/linux/error_text.h"
#include "platform/linux/net/frontends.h"
#include "platform/linux/process/first_process.h"
#include "platform/linux/unique_fd.h"
#include "platform/toolstack/command_line/command_line.h"
#include "platform/toolstack/command_line/start_log.h"
#include "platform/toolstack/command_line/stub_arguments.h"
#include "platform/toolstack/store/xenstore.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

/// What the console in dom0 may be filled with, as libxl proposes it to a process in dom0.
constexpr std::string_view kLogBudget = "1048576";
/// libxl gives up after 30 s (libxl_dm.c), and the message has to arrive before.
constexpr std::chrono::seconds kDeviceTimeout{20};
/// xenstored answers in milliseconds.
constexpr std::chrono::milliseconds kReportTime{400};
/// libxl_dm.c; libxl_internal.h, STUBDOM_CONSOLE_RESTORE.
constexpr std::string_view kSavedState = "$STUBDOM_RESTORE_INCOMING_ARG";
constexpr const char* kRestoreConsole = "/dev/hvc2";

struct FromXenstore {
  dm::toolstack::StubArguments stub;
  std::vector<std::string> unserved_disks;
};

/// Where the ramdisk for a kernel that is not our own has what that kernel lacks.
constexpr const char* kModules = "/modules";

/// The connection is closed on return: the supervisor is forked next, and handles are not for both.
dm::Result<FromXenstore> read_xenstore() {
  const auto xenstore = dm::toolstack::Xenstore::open();
  if (!xenstore) {
    return xenstore.error();
  }
  auto stub = dm::toolstack::read_stub_arguments(*xenstore);
  if (!stub) {
    return stub.error();
  }
  auto disks = dm::toolstack::unserved_pv_disks(*xenstore, stub->domid);
  return FromXenstore{std::move(*stub), std::move(disks)};
}

void tell_unserved(const std::vector<std::string>& disks, bool xen_platform) {
  std::string names;
  for (const std::string& disk : disks) {
    names.append(names.empty() ? "" : ", ").append(disk);
  }
  if (!names.empty() && xen_platform) {
    dm::log::warning("PV disk ", names,
                     ": nobody serves images that are not raw to the guest of a stub domain. A "
                     "guest with PV drivers gives the emulated disk up and waits for one: write "
                     "xen_platform_pci=0 in xl.cfg, or convert the image to raw");
  }
}

/// What is a path or a tap in dom0 is a device of this domain's own kernel here.
dm::Result<> use_frontends(dm::MachineConfig& config) {
  const auto until = std::chrono::steady_clock::now() + kDeviceTimeout;
  for (dm::DiskConfig& disk : config.disks) {
    if (disk.path.empty()) {
      continue;
    }
    disk.direct = true;
    if (auto there = dm::host::await_disk(disk.path, until); !there) {
      return there;
    }
  }
  for (std::size_t i = 0; i < config.nics.size(); ++i) {
    dm::NicConfig& nic = config.nics[i];
    const auto same = std::count_if(config.nics.begin(),
                                    std::next(config.nics.begin(), static_cast<std::ptrdiff_t>(i)),
                                    [&](const auto& other) { return other.mac == nic.mac; });
    auto interface = dm::host::await_interface(nic.mac, static_cast<std::size_t>(same), until);
    if (!interface) {
      return interface.error();
    }
    nic.interface = std::move(*interface);
    nic.tap_name.clear();
    if (auto up = dm::host::bring_up(nic.interface); !up) {
      return up;
    }
  }
  return {};
}

/// libxl writes a place-holder where it would write a descriptor to a process in dom0.
dm::Result<> open_saved_state(std::vector<std::string>& arguments) {
  const auto found = std::find(arguments.begin(), arguments.end(), kSavedState);
  if (found == arguments.end()) {
    return {};
  }
  dm::host::UniqueFd console{::open(kRestoreConsole, O_RDONLY | O_NOCTTY | O_CLOEXEC)};
  if (!console) {
    return dm::fail("the saved guest cannot go on here: ", kRestoreConsole,
                    " cannot be opened: ", dm::host::error_text(errno));
  }
  *found = "fd:" + std::to_string(console.release());
  return {};
}

dm::Result<> run() {
  if (auto mounted = dm::host::mount_kernel_filesystems(); !mounted) {
    return mounted;
  }
  dm::host::log_stage("the kernel is up");
  const auto modules = dm::host::load_modules(kModules);
  if (!modules) {
    return modules.error();
  }
  if (*modules != 0) {
    dm::host::log_stage(std::to_string(*modules) + " kernel modules are loaded");
  }
  const auto consoles = dm::host::RawConsoles::open("/dev");
  auto found = read_xenstore();
  if (!found) {
    return found.error();
  }
  dm::toolstack::StubArguments& stub = found->stub;
  dm::host::log_stage("arguments are read");
  if (auto open = open_saved_state(stub.arguments); !open) {
    return open;
  }
  const std::vector<std::string_view> arguments{stub.arguments.begin(), stub.arguments.end()};
  auto invocation = dm::toolstack::parse_command_line(arguments, {.console_limit = kLogBudget});
  if (!invocation) {
    return invocation.error();
  }
  if (invocation->action != dm::toolstack::Invocation::Action::serve) {
    return dm::Error{"the arguments in xenstore ask for no guest"};
  }
  if (invocation->config.domid != stub.domid) {
    return dm::fail("-xen-domid says ", std::to_string(invocation->config.domid),
                    ", but this domain's target is ", std::to_string(stub.domid));
  }
  if (invocation->config.kernel) {
    return dm::fail("kernel=", invocation->config.kernel->path,
                    ": a stub domain sees no file of dom0. Write no kernel, ramdisk, cmdline, root "
                    "or extra line, so that the guest boots from its disk, or no "
                    "device_model_stubdomain_override");
  }
  dm::log::set_budget(invocation->log_budget);
  dm::toolstack::log_start(invocation->config);
  tell_unserved(found->unserved_disks, invocation->config.xen_platform);
  if (auto there = use_frontends(invocation->config); !there) {
    return there;
  }
  dm::host::log_stage("disks and network cards are there");
  return dm::Daemon::serve(invocation->config, dm::Home::stub_domain);
}

/// For the child that serves the guest, its exit status; the first process ends the domain instead.
int end(int status) {
  if (::getpid() == 1) {
    dm::host::power_off();
  }
  return status;
}

/// On the console, and where dom0 can read it when the domain has gone.
int fail_with(const std::string& why) {
  dm::toolstack::log_lines(dm::log::Level::error, why);
  dm::host::try_for(kReportTime, [&why] {
    if (auto xenstore = dm::toolstack::Xenstore::open()) {
      static_cast<void>(xenstore->report_failure(why));
    }
  });
  return end(1);
}

int main_of_domain() {
  try {
    const auto served = run();
    return served ? end(0) : fail_with(served.error().message);
  } catch (const std::exception& error) {
    // Constructors of start-up only: nothing throws once the guest is served.
    return fail_with(error.what());
  }
}

}  // namespace

int main() {
  if (::getpid() != 1) {
    dm::log::error(
        "this is the first program of a stub domain, its /init; in dom0 libxl starts stubdm");
    return 1;
  }
  return main_of_domain();
}
