// SPDX-License-Identifier: MIT
#include "platform/linux/process/syscall_filter.h"

#include "platform/linux/error_text.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <vector>

namespace dm::host {

namespace {

using Program = std::vector<sock_filter>;

constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;

void load(Program& program, std::size_t offset) {
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
}
/// The lower half of an argument: commands, options and protections have 32 bits, and that is what
/// the kernel looks at.
void load_argument(Program& program, std::size_t number) {
  load(program, offsetof(seccomp_data, args) + number * sizeof(std::uint64_t));
}
/// Goes on if they are equal, else skips so many.
void equal_or_skip(Program& program, std::uint32_t value, std::size_t skip) {
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, static_cast<std::uint8_t>(skip)));
}
void answer(Program& program, std::uint32_t action) {
  program.push_back(BPF_STMT(BPF_RET | BPF_K, action));
}
void allow_each(Program& program, std::span<const std::uint32_t> values) {
  for (const std::uint32_t value : values) {
    equal_or_skip(program, value, 1);
    answer(program, SECCOMP_RET_ALLOW);
  }
}

/// What looks at the arguments of one call and answers in every case.
[[nodiscard]] Program check(const AllowedCall& call, const FilterRules& rules) {
  Program part;
  switch (call.check) {
    case Check::none:
      answer(part, SECCOMP_RET_ALLOW);
      return part;
    case Check::ioctl_request:
      load_argument(part, 1);
      allow_each(part, rules.ioctls);
      allow_each(part, kAllowedIoctls);
      break;
    case Check::fcntl_command:
      load_argument(part, 1);
      allow_each(part, kAllowedFcntls);
      break;
    case Check::socket_option:
      for (const SocketOption& one : kAllowedOptions) {
        load_argument(part, 1);
        equal_or_skip(part, one.level, 3);
        load_argument(part, 2);
        equal_or_skip(part, one.option, 1);
        answer(part, SECCOMP_RET_ALLOW);
      }
      break;
    case Check::no_execution:
      load_argument(part, 2);
      part.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0));
      answer(part, SECCOMP_RET_ALLOW);
      break;
    case Check::ring_gives_back:
      load_argument(part, 1);
      allow_each(part, std::array<std::uint32_t, 1>{IORING_UNREGISTER_FILES});
      break;
    case Check::no_address:
      load_argument(part, 4);
      equal_or_skip(part, 0, 3);
      load(part, offsetof(seccomp_data, args) + 4 * sizeof(std::uint64_t) + sizeof(std::uint32_t));
      equal_or_skip(part, 0, 1);
      answer(part, SECCOMP_RET_ALLOW);
      break;
  }
  answer(part, SECCOMP_RET_TRAP);
  return part;
}

[[nodiscard]] Program make_program(const FilterRules& rules) {
  Program program;
  load(program, offsetof(seccomp_data, arch));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
  answer(program, SECCOMP_RET_KILL_PROCESS);
  load(program, offsetof(seccomp_data, nr));
  for (const AllowedCall& call : rules.calls) {
    if (includes(call.homes, rules.home)) {
      const Program part = check(call, rules);
      equal_or_skip(program, static_cast<std::uint32_t>(call.number), part.size());
      program.insert(program.end(), part.begin(), part.end());
    }
  }
  for (const AllowedCall& call : kRefusedCalls) {
    equal_or_skip(program, static_cast<std::uint32_t>(call.number), 1);
    answer(program, kRefuse);
  }
  answer(program, SECCOMP_RET_TRAP);  // the interface of x32, too: its numbers are others
  return program;
}

}  // namespace

Result<> filter_system_calls(const FilterRules& rules) {
  // A jump skips 255 instructions at most.
  constexpr std::size_t kMostIoctls = 120;
  if (rules.ioctls.size() + kAllowedIoctls.size() > kMostIoctls) {
    return Error{"too many requests of ioctl for the filter of system calls"};
  }
  Program program = make_program(rules);
  const sock_fprog all{.len = static_cast<unsigned short>(program.size()),
                       .filter = program.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &all) != 0) {
    return fail("cannot filter system calls: ", error_text(errno),
                ". The kernel was built without SECCOMP_FILTER");
  }
  return {};
}

}  // namespace dm::host
