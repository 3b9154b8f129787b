// SPDX-License-Identifier: MIT
#include "platform/xen/errors.h"

#include "platform/linux/error_text.h"

#include <cerrno>
#include <string>

namespace dm::xen {

std::string error_text(int error) {
  return std::string{host::error_text(error)} + " (" + std::to_string(error) + ")";
}

Error explain_open(std::string_view device, int error) {
  switch (error) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return fail(
          device,
          " does not exist: this is not a Xen host (or not dom0). Check that the machine "
          "was booted by Xen"
          " (/sys/hypervisor/type says xen) and that the module of that device is loaded: "
          "xen-privcmd for"
          " /dev/xen/privcmd, xen-evtchn for /dev/xen/evtchn, xen-gntdev for /dev/xen/gntdev");
    case EACCES:
    case EPERM:
      return fail(
          "no permission to open ", device,
          ": the device model is started as root (by xl) and gives up its privileges later");
    default:
      return fail("cannot open ", device, ": ", error_text(error));
  }
}

Error explain_domain(std::string_view what, domid_t domid, int error) {
  const std::string name = "domain " + std::to_string(domid);
  const std::string lead = "cannot " + std::string{what} + " of " + name + ": ";
  switch (error) {
    case ESRCH:
      return fail(
          lead, "there is no such domain. `xl list` shows the domains; -xen-domid names the guest");
    case EINVAL:
      return fail(lead, name,
                  " is not an HVM guest (PV and PVH guests need no device model), or it is being "
                  "destroyed. Check"
                  " type=\"hvm\" in its configuration");
    case EPERM:
    case EACCES:
      return fail(lead,
                  "Xen refuses: this domain may not serve it. A device model runs in dom0, or in a "
                  "stub domain whose"
                  " `target` in xenstore is that guest");
    case ENOSPC:
      return fail(lead,
                  "it has 8 ioreq servers already, Xen's limit. Device models that died without "
                  "removing theirs count;"
                  " `xl destroy` and a new start of the guest clears them");
    case ENOMEM:
      return fail(lead, "Xen has no memory left for it");
    default:
      return fail(lead, error_text(error));
  }
}

}  // namespace dm::xen
