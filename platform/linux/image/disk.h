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

/// Opens an image of the format that `config` says, whatever its bytes say (CVE-2008-2004): a raw
/// one itself, be it a regular file or a block device; others, and NBD exports, over NBD
/// (nbd_open.h). Read-only images and CD-ROMs are opened O_RDONLY, so that no mistake of
/// ours can write to them (XSA-142). The size is taken once. An image that ends within a sector
/// (512 bytes, 2048 of a CD-ROM) has that one too (ragged_disk.h).
///
/// We take no lock: the guest's PV backend, a replacement of this process and the receiving side of
/// a migration share the image legitimately. An image that somebody else is likely to be writing
/// to gets a warning (disk/README.md).
///
/// The error says what is wrong and what to change. `loop` outlives the
/// result.
[[nodiscard]] Result<std::unique_ptr<BlockBackend>> open_disk(Loop& loop, const DiskConfig& config);

/// The same for a disc, which is only read: the image that `fd` is open on, whatever it was opened
/// for, or the one called `name` when there is no descriptor. With one `name` is for messages; what
/// the descriptor leads to is named where that can be found out.
[[nodiscard]] Result<std::unique_ptr<BlockBackend>> open_disc(Loop& loop,
                                                              const std::string& name,
                                                              UniqueFd fd,
                                                              ImageFormat format);

}  // namespace dm::host
