// SPDX-License-Identifier: MIT
#include "platform/linux/process/privileges.h"

#include "core/text/number.h"
#include "platform/linux/error_text.h"
#include "platform/linux/unique_fd.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace dm::host {

namespace {

struct Identity {
  uid_t uid;
  gid_t gid;
};

/// "uid:gid", as libxl writes it, or the name of a user.
Result<Identity> look_up(const std::string& run_as) {
  if (const auto colon = run_as.find(':'); colon != std::string::npos) {
    const auto uid = parse_number<unsigned>(std::string_view{run_as}.substr(0, colon));
    const auto gid = parse_number<unsigned>(std::string_view{run_as}.substr(colon + 1));
    if (uid && gid) {
      return Identity{*uid, *gid};
    }
    return fail("-runas ", run_as, ": not UID:GID");
  }
  const passwd* const user =
      ::getpwnam(run_as.c_str());  // NOLINT(concurrency-mt-unsafe): one thread
  if (user == nullptr) {
    return fail("-runas ", run_as, ": there is no such user; see device_model_user in xl.cfg");
  }
  return Identity{user->pw_uid, user->pw_gid};
}

/// What root needs for images that belong to others (FOWNER for O_NOATIME, which qemu-nbd may ask
/// for), io_uring's memory, and to lift the limit of file sizes from qemu-nbd.
constexpr std::uint64_t kFileRights =
    std::uint64_t{1} << CAP_DAC_OVERRIDE | std::uint64_t{1} << CAP_DAC_READ_SEARCH |
    std::uint64_t{1} << CAP_FOWNER | std::uint64_t{1} << CAP_IPC_LOCK |
    std::uint64_t{1} << CAP_SYS_RESOURCE;

/// What an execve may give back. Unknown numbers end it.
[[nodiscard]] Result<> bound_capabilities(std::uint64_t kept) {
  for (int capability = 0; capability < 64 && ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
       ++capability) {
    if ((kept >> capability & 1U) == 0 && ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 &&
        errno != EPERM) {
      return fail("cannot give up capabilities: ", error_text(errno));
    }
  }
  return {};
}

/// Of those that it has, and it can never get others.
[[nodiscard]] Result<> keep_capabilities(std::uint64_t kept) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) {
    return fail("cannot find out its capabilities: ", error_text(errno));
  }
  const std::array<std::uint32_t, 2> halves{static_cast<std::uint32_t>(kept),
                                            static_cast<std::uint32_t>(kept >> 32)};
  for (std::size_t word = 0; word < sets.size(); ++word) {
    const std::uint32_t rights = halves.at(word);
    sets.at(word).permitted &= rights;
    sets.at(word).effective &= rights;
    sets.at(word).inheritable = 0;
  }
  if (::syscall(SYS_capset, &header, sets.data()) != 0 ||
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return fail("cannot give up capabilities: ", error_text(errno));
  }
  return {};
}

/// Nobody needs more than this, and no guest can make a process take it.
constexpr rlim_t kMostMemory = rlim_t{256} << 20;
constexpr std::uint32_t kFirstGuestUser = 0x7000'0000;
constexpr std::uint32_t kFirstDisplayUser = 0x7001'0000;

[[nodiscard]] bool limit(__rlimit_resource resource, rlim_t most) noexcept {
  rlimit now{};
  if (::getrlimit(resource, &now) != 0) {
    return false;
  }
  const rlim_t at_most = std::min(most, now.rlim_max);
  const rlimit lower{.rlim_cur = std::min(now.rlim_cur, at_most), .rlim_max = at_most};
  return ::setrlimit(resource, &lower) == 0;
}

}  // namespace

Result<> keep_file_rights() {
  if (auto bound = bound_capabilities(kFileRights); !bound) {
    return bound;
  }
  return keep_capabilities(kFileRights);
}

Result<> enter_empty_root() {
  // /run is there on every host; a stub domain's ramdisk has only its own root.
  for (std::string path : {"/run/stubdm-XXXXXX", "/stubdm-XXXXXX"}) {
    if (::mkdtemp(path.data()) == nullptr) {
      continue;
    }
    const UniqueFd directory{::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    const bool removed = ::rmdir(path.c_str()) == 0;
    if (!directory || !removed || ::fchdir(directory.get()) != 0 || ::chroot(".") != 0) {
      return fail("cannot make an empty root directory: ", error_text(errno));
    }
    return {};
  }
  return fail("cannot make an empty directory in /run: ", error_text(errno));
}

bool leave_networks() noexcept {
  const bool network = ::unshare(CLONE_NEWNET) == 0;
  static_cast<void>(::unshare(CLONE_NEWIPC));
  return network;
}

Result<> limit_resources() {
  // Not RLIMIT_NPROC: the kernel's own threads, which an io_uring needs to flush, count as ours.
  rlimit descriptors{};
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) != 0 ||
      !limit(RLIMIT_NOFILE, descriptors.rlim_cur) || !limit(RLIMIT_CORE, 0) ||
      !limit(RLIMIT_DATA, kMostMemory) || !limit(RLIMIT_MSGQUEUE, 0)) {
    return fail("cannot limit what the process may take: ", error_text(errno));
  }
  return {};
}

std::string user_of_guest(std::uint32_t domid) {
  const std::string number = std::to_string(kFirstGuestUser + domid);
  return number + ":" + number;
}

std::string user_of_display(std::uint32_t domid) {
  const std::string number = std::to_string(kFirstDisplayUser + domid);
  return number + ":" + number;
}

Result<> confine(const Confinement& to) {
  std::optional<Identity> identity;
  if (!to.run_as.empty()) {
    // Before the new root hides /etc/passwd.
    auto found = look_up(to.run_as);
    if (!found) {
      return found.error();
    }
    if (found->uid == 0) {
      return fail("-runas ", to.run_as, ": that is root");
    }
    identity = *found;
  }
  if (!to.chroot.empty() && (::chroot(to.chroot.c_str()) != 0 || ::chdir("/") != 0)) {
    return fail("cannot make ", to.chroot, " the root directory: ", error_text(errno));
  }
  if (!identity) {
    return {};
  }
  // While it is still allowed to.
  if (auto bound = bound_capabilities(0); !bound) {
    return bound;
  }
  if (::setgroups(1, &identity->gid) != 0 ||
      ::setresgid(identity->gid, identity->gid, identity->gid) != 0 ||
      ::setresuid(identity->uid, identity->uid, identity->uid) != 0) {
    return fail("cannot become ", to.run_as, ": ", error_text(errno));
  }
  if (::setuid(0) == 0) {
    return fail("became ", to.run_as, ", but could still become root again");
  }
  return keep_capabilities(0);
}

}  // namespace dm::host
