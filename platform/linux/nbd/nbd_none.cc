// SPDX-License-Identifier: MIT
// In place of the others, in a build without NBD (a stub domain's: its disks are block devices).
#include "platform/linux/nbd/nbd_open.h"

namespace dm::host {

Result<std::unique_ptr<BlockBackend>> open_nbd(Loop& /*loop*/,
                                               const DiskConfig& config,
                                               UniqueFd /*image*/,
                                               std::chrono::milliseconds /*patience*/) {
  return fail("disk ", config.path,
              ": this build of stubdm serves raw images alone (it was made with DM_NBD=OFF)");
}

std::unique_ptr<NbdOpening> begin_nbd(Loop& loop,
                                      const DiskConfig& config,
                                      UniqueFd /*image*/,
                                      std::chrono::milliseconds /*patience*/,
                                      NbdOpening::Opened opened) {
  opened(open_nbd(loop, config));
  return nullptr;
}

}  // namespace dm::host
