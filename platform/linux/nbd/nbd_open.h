// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"
#include "core/config/machine_config.h"
#include "core/result.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/unique_fd.h"

#include <chrono>
#include <functional>
#include <memory>

namespace dm::host {

class ServerWait;

/// Opens an image that is not raw, over a qemu-nbd that is started for it, or the export that
/// `config.path` is the address of (QEMU's nbd:unix:PATH[:exportname=E] and
/// nbd:HOST:PORT[:exportname=E], or the NBD project's nbd:// and nbd+unix:// URIs; no TLS).
/// `image`, if there is one, is served instead of what the path names. Waits for the server, for
/// `patience` at most; a host's name is looked up before that, by the C library's rules. The error
/// says what is wrong and what to change. `loop` outlives the result.
[[nodiscard]] Result<std::unique_ptr<BlockBackend>> open_nbd(
    Loop& loop,
    const DiskConfig& config,
    UniqueFd image = {},
    std::chrono::milliseconds patience = std::chrono::seconds{10});

/// The same for an export over a connection that is there, with a clock and a way to wait, which
/// outlives the result.
[[nodiscard]] Result<std::unique_ptr<BlockBackend>> open_nbd_connection(
    Loop& loop,
    const DiskConfig& config,
    UniqueFd connection,
    std::chrono::milliseconds patience,
    ServerWait& wait);

/// A qemu-nbd that starts and opens its image, while the guest runs. Destroyed, it ends.
class NbdOpening {
 public:
  using Opened = std::function<void(Result<std::unique_ptr<BlockBackend>>)>;
  virtual ~NbdOpening() = default;
  /// `opened` has been called.
  [[nodiscard]] virtual bool finished() const noexcept = 0;
};

/// open_nbd() for an image that is no export, without the waiting: calls `opened` once, from the
/// loop, or from inside when it cannot even begin; then there is no NbdOpening. What still happens
/// at once is the start of the process, and in the end a greeting and a few questions to a server
/// that is there: milliseconds.
[[nodiscard]] std::unique_ptr<NbdOpening> begin_nbd(Loop& loop,
                                                    const DiskConfig& config,
                                                    UniqueFd image,
                                                    std::chrono::milliseconds patience,
                                                    NbdOpening::Opened opened);

}  // namespace dm::host
