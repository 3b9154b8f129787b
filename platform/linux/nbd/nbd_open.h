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

/// Opens an image that is not raw, through a qemu-nbd that is started for it; or opens an NBD
/// export. For an export, `config.path` is its address: QEMU's nbd:unix:PATH[:exportname=E] and
/// nbd:HOST:PORT[:exportname=E], or the NBD project's nbd:// and nbd+unix:// URIs; no TLS. If
/// `image` is a descriptor, that file is served instead of the path's. Waits for the server for at
/// most `patience`; before that, the C library looks up a host's name, without a limit of ours. The
/// error says what is wrong and what to change. `loop` outlives the result. Thread rule: the loop's
/// thread only.
[[nodiscard]] Result<std::unique_ptr<BlockBackend>> open_nbd(
    Loop& loop,
    const DiskConfig& config,
    UniqueFd image = {},
    std::chrono::milliseconds patience = std::chrono::seconds{10});

/// The same for an export over a connection that exists. `wait` is the clock and the way to wait;
/// it outlives the result.
[[nodiscard]] Result<std::unique_ptr<BlockBackend>> open_nbd_connection(
    Loop& loop,
    const DiskConfig& config,
    UniqueFd connection,
    std::chrono::milliseconds patience,
    ServerWait& wait);

/// A qemu-nbd that starts and opens its image while the guest runs. Destroying this object ends it.
class NbdOpening {
 public:
  using Opened = std::function<void(Result<std::unique_ptr<BlockBackend>>)>;
  virtual ~NbdOpening() = default;
  /// `opened` has been called.
  [[nodiscard]] virtual bool finished() const noexcept = 0;
};

/// As open_nbd() for an image that is no export, but without waiting. Calls `opened` once, from the
/// loop. If it cannot even begin, it calls `opened` from inside and returns null. Two things still
/// take a few milliseconds of the caller's time: starting the process and, at the end, a greeting
/// and a few questions to a server that is ready.
[[nodiscard]] std::unique_ptr<NbdOpening> begin_nbd(Loop& loop,
                                                    const DiskConfig& config,
                                                    UniqueFd image,
                                                    std::chrono::milliseconds patience,
                                                    NbdOpening::Opened opened);

}  // namespace dm::host
