// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"
#include "core/config/machine_config.h"
#include "core/result.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/unique_fd.h"

#include <memory>
#include <string>

namespace dm::host {

/// Opens an image in the format that `config` says, whatever its bytes say (CVE-2008-2004). A raw
/// image is a regular file or a block device. Other formats, and NBD exports, go over NBD
/// (nbd_open.h). Read-only images and CD-ROMs are opened O_RDONLY, so that no mistake of ours can
/// write to them (XSA-142). The size is read once. If an image ends within a sector (512 bytes, for
/// a CD-ROM 2048), that sector exists too (ragged_disk.h).
///
/// We take no lock: the guest's PV back end, a process that replaces this one, and the receiving
/// side of a migration share the image legitimately. If somebody else probably writes to the image,
/// the log has a warning (disk/README.md).
///
/// The error says what is wrong and what to change. `loop` outlives the result. Thread rule: the
/// loop's thread only.
[[nodiscard]] Result<std::unique_ptr<BlockBackend>> open_disk(Loop& loop, const DiskConfig& config);

/// The same for a disc, which is only read. If `fd` is a descriptor, its file is the image,
/// whatever it was opened for, and `name` is for messages; messages name the file itself where that
/// can be found out. Without a descriptor, `name` is opened.
[[nodiscard]] Result<std::unique_ptr<BlockBackend>> open_disc(Loop& loop,
                                                              const std::string& name,
                                                              UniqueFd fd,
                                                              ImageFormat format);

}  // namespace dm::host
