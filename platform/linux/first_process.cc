// SPDX-License-Identifier: MIT
#include "platform/linux/first_process.h"

#include "core/obs/log.h"
#include "platform/linux/error_text.h"
#include "platform/linux/tty_mode.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <ctime>

namespace dm::host {

namespace {

struct Mount {
  const char* type;
  const char* where;
  unsigned long flags;
};
constexpr std::array<Mount, 3> kMounts{{{"proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC},
                                        {"sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC},
                                        {"devtmpfs", "/dev", MS_NOSUID | MS_NOEXEC}}};

/// Save, restore, and a guest's four serial ports (libxl_internal.h, STUBDOM_CONSOLE_*).
constexpr unsigned kConsoles = 6;

}  // namespace

Result<> mount_kernel_filesystems() {
  for (const Mount& mount : kMounts) {
    static_cast<void>(::mkdir(mount.where, 0755));
    if (::mount(mount.type, mount.where, mount.type, mount.flags, nullptr) != 0 && errno != EBUSY) {
      return fail("cannot mount ", mount.where, ": ", error_text(errno),
                  ". The kernel was built without ", mount.type);
    }
  }
  return {};
}

void log_stage(std::string_view what) noexcept {
  timespec now{};
  static_cast<void>(::clock_gettime(CLOCK_BOOTTIME, &now));
  std::array<char, 24> text{};
  static_cast<void>(std::snprintf(text.data(), text.size(), "%lld.%03ld",
                                  static_cast<long long>(now.tv_sec), now.tv_nsec / 1'000'000));
  struct sysinfo memory {};
  static_cast<void>(::sysinfo(&memory));
  const auto kib = [&memory](unsigned long units) { return units * memory.mem_unit / 1024; };
  log::info(std::string_view{text.data()}, " s: ", what, "; ", kib(memory.freeram), " of ",
            kib(memory.totalram), " KiB free");
}

RawConsoles RawConsoles::open(const std::string& directory) {
  RawConsoles consoles;
  for (unsigned number = 1; number <= kConsoles; ++number) {
    const std::string path = directory + "/hvc" + std::to_string(number);
    UniqueFd console{::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)};
    if (console && TtyMode::make_raw_for_good(console.get())) {
      consoles.open_.push_back(std::move(console));
    }
  }
  return consoles;
}

Result<> never_wait_for_console() {
  // Opened anew: the parent has the other description, and O_NONBLOCK belongs to a description.
  const UniqueFd console{
      ::open("/proc/self/fd/2", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | O_APPEND)};
  if (!console || ::dup2(console.get(), STDERR_FILENO) < 0) {
    return fail("cannot open the console once more: ", error_text(errno));
  }
  return {};
}

void try_for(std::chrono::milliseconds time, void (*work)()) noexcept {
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::_exit(0);
  }
  const auto end = std::chrono::steady_clock::now() + time;
  while (child > 0 && ::waitpid(child, nullptr, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() >= end) {
      ::kill(child, SIGKILL);
      return;
    }
    const timespec moment{.tv_sec = 0, .tv_nsec = 1'000'000};
    ::nanosleep(&moment, nullptr);
  }
}

void power_off() noexcept {
  try_for(std::chrono::milliseconds{500}, [] { static_cast<void>(::tcdrain(STDERR_FILENO)); });
  ::sync();
  static_cast<void>(::reboot(RB_POWER_OFF));
  for (;;) {
    ::pause();  // the first process must not end: the kernel would panic
  }
}

}  // namespace dm::host
