// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"
#include "core/config/machine_config.h"
#include "core/result.h"
#include "platform/linux/unique_fd.h"

#include <boost/asio/io_context.hpp>

#include <memory>

namespace dm::host {

/// Opens an image that is not raw, over a qemu-nbd that is started for it, or the export that
/// `config.path` is the address of (QEMU's nbd:unix:PATH[:exportname=E] and
/// nbd:HOST:PORT[:exportname=E], or the NBD project's nbd:// and nbd+unix:// URIs; no TLS).
/// `image`, if there is one, is served instead of what the path names. Takes at most ten seconds.
/// The error says what is wrong and what to change. `context` must be a Loop's and outlive the
/// result.
[[nodiscard]] Result<std::unique_ptr<BlockBackend>> open_nbd(boost::asio::io_context& context,
                                                             const DiskConfig& config,
                                                             UniqueFd image = {});

}  // namespace dm::host
