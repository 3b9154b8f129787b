// SPDX-License-Identifier: MIT
#include "platform/linux/process/last_words.h"

#include "core/obs/log.h"
#include "platform/linux/error_text.h"
#include "platform/linux/process/call_names.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dm::host {

namespace {

/// A line of the log and what write(2) needs.
constexpr std::size_t kStack = std::size_t{32} * 1024;

void (*end_guest_now)() noexcept = nullptr;

[[nodiscard]] std::string_view name_of_signal(int signal) noexcept {
  switch (signal) {
    case SIGSEGV:
      return "SIGSEGV (no such memory)";
    case SIGBUS:
      return "SIGBUS (memory that is not there any more)";
    case SIGILL:
      return "SIGILL (no such instruction)";
    case SIGFPE:
      return "SIGFPE (arithmetic)";
    default:
      return "SIGABRT (it found itself broken)";
  }
}

/// Past the log's sink, its budget and stdio: any of them may be what is broken.
void write_line(const log::Line& line) noexcept {
  log::Line whole;
  whole.add("stubdm: error: ");
  whole.add(line.text());
  std::array<char, log::Line::kCapacity + 1> text{};
  const std::string_view said = whole.text();
  said.copy(text.data(), said.size());
  text.at(said.size()) = '\n';
  static_cast<void>(!::write(STDERR_FILENO, text.data(), said.size() + 1));
}

void say_call(const siginfo_t& info, const ucontext_t& context) noexcept {
  log::Line line;
  line.add("system call ");
  line.add(info.si_syscall);
  line.add(" (");
  line.add(name_of_call(info.si_syscall));
  line.add(", ");
  line.add(log::hex(static_cast<std::uint64_t>(context.uc_mcontext.gregs[REG_RDI])));
  line.add(", ");
  line.add(log::hex(static_cast<std::uint64_t>(context.uc_mcontext.gregs[REG_RSI])));
  line.add(end_guest_now != nullptr
               ? ") is not allowed to the process that serves the guest: it may have been taken "
                 "over. It ends, and the guest as crashed."
               : ") is not allowed to this process: it may have been taken over. It ends.");
  line.add(" This is a fault in stubdm or an attack: report it");
  write_line(line);
}

void say_signal(const siginfo_t& info, const ucontext_t& context) noexcept {
  log::Line line;
  line.add(end_guest_now != nullptr ? "the device model" : "the display of the screen");
  line.add(" is ended by ");
  line.add(name_of_signal(info.si_signo));
  line.add(", at ");
  line.add(log::hex(static_cast<std::uint64_t>(context.uc_mcontext.gregs[REG_RIP])));
  line.add(", address ");
  line.add(log::hex(reinterpret_cast<std::uint64_t>(info.si_addr)));
  line.add(end_guest_now != nullptr ? "; the guest ends as crashed." : ".");
  line.add(" This is a fault in stubdm: report it");
  write_line(line);
}

void on_signal(int /*signal*/, siginfo_t* info, void* context) noexcept {
  // First, so that no vCPU runs on while the log waits for its reader.
  if (end_guest_now != nullptr) {
    end_guest_now();
  }
  const auto& machine = *static_cast<const ucontext_t*>(context);
  if (info->si_signo == SIGSYS) {
    say_call(*info, machine);
  } else {
    say_signal(*info, machine);
  }
  // The compiler may not know that it never returns: before such a call ASan asks for its stack.
  for (volatile bool here = true; here;) {
    ::syscall(SYS_exit_group, kLastWordsStatus);
  }
}

}  // namespace

Result<> prepare_last_words(void (*end_guest)() noexcept) {
  // Never given back: it must be there at any moment.
  void* const stack =
      ::mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack == MAP_FAILED) {
    return fail("no memory for the last words: ", error_text(errno));
  }
  const stack_t other{.ss_sp = stack, .ss_flags = 0, .ss_size = kStack};
  if (::sigaltstack(&other, nullptr) != 0) {
    return fail("no stack for the last words: ", error_text(errno));
  }
  end_guest_now = end_guest;
  for (const int signal : {SIGSYS, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) {
    struct sigaction before {};
    static_cast<void>(::sigaction(signal, nullptr, &before));
    if (signal != SIGSYS && before.sa_handler != SIG_DFL) {
      continue;
    }
    struct sigaction action {};
    action.sa_sigaction = [](int number, siginfo_t* info, void* context) {
      on_signal(number, info, context);
    };
    // A second fault in the handler is the kernel's to end.
    action.sa_flags = static_cast<int>(SA_SIGINFO | SA_ONSTACK | SA_RESETHAND);
    if (::sigaction(signal, &action, nullptr) != 0) {
      return fail("cannot prepare the last words: ", error_text(errno));
    }
  }
  return {};
}

}  // namespace dm::host
