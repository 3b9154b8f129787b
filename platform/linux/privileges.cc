// SPDX-License-Identifier: MIT
#include "platform/linux/privileges.h"

#include "core/text/number.h"
#include "platform/linux/error_text.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
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

}  // namespace

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
  if (::setgroups(1, &identity->gid) != 0 ||
      ::setresgid(identity->gid, identity->gid, identity->gid) != 0 ||
      ::setresuid(identity->uid, identity->uid, identity->uid) != 0) {
    return fail("cannot become ", to.run_as, ": ", error_text(errno));
  }
  if (::setuid(0) == 0) {
    return fail("became ", to.run_as, ", but could still become root again");
  }
  return {};
}

}  // namespace dm::host
