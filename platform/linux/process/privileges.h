// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <cstdint>
#include <string>

namespace dm::host {

/// What libxl asks for with dm_restrict=1.
struct Confinement {
  std::string chroot;  ///< directory to make the root, empty: none
  std::string run_as;  ///< "user" or "uid:gid", empty: stay
};

/// Gives up privileges for good: root directory, groups, user, and with the user all capabilities
/// and the way to any (bounding set, no_new_privs). Then it checks that root is out of reach.
/// Everything must be open before. Thread rule: start-up only; capabilities and no_new_privs are
/// the calling thread's alone, so there must be no other, or one that never runs code of a guest's
/// choice.
[[nodiscard]] Result<> confine(const Confinement& to);

/// Makes an empty directory the root: one that exists nowhere any more, so that nothing can be made
/// in it either. Needs CAP_SYS_CHROOT. Thread rule: as above.
[[nodiscard]] Result<> enter_empty_root();

/// A network of its own, without an interface, and no part in the host's System V IPC. What is open
/// stays where it was made. False where the kernel has no such thing, or does not allow it: then it
/// is as before. Thread rule: as above.
[[nodiscard]] bool leave_networks() noexcept;

/// No core files, no more memory of its own than 256 MiB, no more descriptors than now, no message
/// queues. Thread rule: any thread, for all of them.
[[nodiscard]] Result<> limit_resources();

/// "uid:gid" for the process that serves this guest, when nobody names one. Each guest has its own,
/// so that one such process may not signal or trace another. They begin at 0x70000000, in the range
/// that nobody hands out to users or containers (systemd, "Users, Groups, UIDs and GIDs").
[[nodiscard]] std::string user_of_guest(std::uint32_t domid);

/// The same for the program that shows this guest's screen: others, so that neither may touch the
/// other.
[[nodiscard]] std::string user_of_display(std::uint32_t domid);

/// For a process that stays root, because it opens images later and starts qemu-nbd for them. Of
/// root's capabilities it keeps those for files of other users, locked memory and limits, for
/// itself and for what it starts; it can never get others. A process that is not root keeps what it
/// has. Thread rule: start-up only, while the process has one thread. Source: capabilities(7).
[[nodiscard]] Result<> keep_file_rights();

}  // namespace dm::host
