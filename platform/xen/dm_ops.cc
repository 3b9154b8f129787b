// SPDX-License-Identifier: MIT
#include "platform/xen/dm_ops.h"

#include "core/obs/log.h"
#include "platform/xen/dm_ops_library.h"
#include "platform/xen/dm_ops_privcmd.h"
#include "platform/xen/errors.h"
#include "platform/xen/handles.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace dm::xen {

namespace {
constexpr const char* kPrivcmd = "/dev/xen/privcmd";
}

Result<std::unique_ptr<DmOps>> open_dm_ops(DomId domid) {
  const int descriptor = ::open(kPrivcmd, O_RDWR | O_CLOEXEC);
  if (descriptor >= 0) {
    const int refused = PrivcmdDmOps::probe(descriptor);
    // EPERM and EACCES: the handle is bound to a target. Anything else (ENOTTY, a kernel
    // before 4.11) means that there is no such ioctl, and the library knows the older way.
    if (refused == EPERM || refused == EACCES) {
      log::info(
          "device-model operations go through IOCTL_PRIVCMD_DM_OP directly: the kernel binds ",
          kPrivcmd, " to one domain (XSA-482)");
      return std::unique_ptr<DmOps>{std::make_unique<PrivcmdDmOps>(descriptor, domid)};
    }
    ::close(descriptor);
  }
  DeviceModelHandle handle{xendevicemodel_open(library_logger(), 0)};
  if (!handle) {
    return explain_open(kPrivcmd, errno);
  }
  return std::unique_ptr<DmOps>{std::make_unique<LibraryDmOps>(std::move(handle), domid)};
}

std::unique_ptr<DmOps> open_signal_safe_ops(DomId domid) {
  const int descriptor = ::open(kPrivcmd, O_RDWR | O_CLOEXEC);
  if (descriptor < 0) {
    return nullptr;
  }
  auto ops = std::make_unique<PrivcmdDmOps>(descriptor, domid);
  return ops->restrict_to_domain() == 0 ? std::move(ops) : nullptr;
}

}  // namespace dm::xen
