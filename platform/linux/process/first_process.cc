// SPDX-License-Identifier: MIT
#include "platform/linux/process/first_process.h"

#include "core/obs/log.h"
#include "platform/linux/error_text.h"
#include "platform/linux/nap.h"
#include "platform/linux/tty_mode.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <optional>
#include <utility>

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

/// A list is some hundred bytes; what is longer than this is no list.
constexpr std::size_t kListBytes = 16384;

/// A name in the list's own directory: nothing that leads elsewhere.
[[nodiscard]] bool is_file_name(std::string_view name) noexcept {
  return !name.empty() && name.front() != '.' && name.find('/') == std::string_view::npos;
}

[[nodiscard]] bool is_printable(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// Its contents, or nothing when there is no such file.
[[nodiscard]] Result<std::optional<std::string>> read_list(const std::string& path) {
  const UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) {
    if (errno == ENOENT) {
      return std::optional<std::string>{};
    }
    return fail("cannot open ", path, ": ", error_text(errno));
  }
  std::string text(kListBytes + 1, '\0');
  std::size_t size = 0;
  for (;;) {
    const ssize_t count = ::read(file.get(), text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return fail("cannot read ", path, ": ", error_text(errno));
    }
    size += static_cast<std::size_t>(count);
    if (size > kListBytes) {
      return fail(path, " is longer than a list of kernel modules can be");
    }
    if (count == 0) {
      text.resize(size);
      return std::optional<std::string>{std::move(text)};
    }
  }
}

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

Result<std::vector<KernelModule>> parse_module_list(std::string_view text) {
  std::vector<KernelModule> modules;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.empty() || line.front() == '#') {
      continue;
    }
    const std::string_view name = line.substr(0, line.find(' '));
    if (!is_printable(line) || !is_file_name(name)) {
      return fail("line ", std::to_string(number),
                  " of the list of kernel modules names no file beside it. Make the ramdisk again "
                  "(target stubdom-debian)");
    }
    std::string_view parameters = line.substr(name.size());
    parameters.remove_prefix(std::min(parameters.size(), parameters.find_first_not_of(' ')));
    modules.push_back({std::string{name}, std::string{parameters}});
  }
  return modules;
}

int insert_module(int file, const char* parameters) noexcept {
  return static_cast<int>(::syscall(SYS_finit_module, file, parameters, 0));
}

Result<std::size_t> load_modules(const std::string& directory, InsertModule insert) {
  const auto text = read_list(directory + "/list");
  if (!text) {
    return text.error();
  }
  if (!text->has_value()) {
    return std::size_t{0};
  }
  const auto modules = parse_module_list(**text);
  if (!modules) {
    return modules.error();
  }
  for (const KernelModule& module : *modules) {
    const std::string path = directory + "/" + module.file;
    const UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file || (insert(file.get(), module.parameters.c_str()) != 0 && errno != EEXIST)) {
      return fail("kernel module ", path, " cannot be loaded: ", error_text(errno),
                  ". Kernel and ramdisk of the stub domain must be from one build (target "
                  "stubdom-debian); install both again");
    }
  }
  return modules->size();
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

namespace {

/// While it lives, no kernel thread of normal priority runs on this processor. (A stub domain has
/// one.) Where it is not allowed, nothing changes.
class Undisturbed {
 public:
  Undisturbed() noexcept { set(SCHED_FIFO, 1); }
  Undisturbed(const Undisturbed&) = delete;
  Undisturbed& operator=(const Undisturbed&) = delete;
  ~Undisturbed() { set(SCHED_OTHER, 0); }

 private:
  static void set(int policy, int priority) noexcept {
    const sched_param param{.sched_priority = priority};
    static_cast<void>(::sched_setscheduler(0, policy, &param));
  }
};

}  // namespace

/// A console's first open starts its reader, in a kernel thread, and at first the line discipline
/// echoes, waits for whole lines, and takes some bytes for keys. dom0 would find the echo in the
/// file of the saved state. So nothing comes between opening and raw mode.
RawConsoles RawConsoles::open(const std::string& directory) {
  const Undisturbed until_raw;
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

void try_for(std::chrono::milliseconds time, const std::function<void()>& work) noexcept {
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
    nap(std::chrono::milliseconds{1});
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
