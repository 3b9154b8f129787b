// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/linux/process/privileges.h"
#include "platform/supervisor/link.h"
#include "platform/xen/dm_ops.h"

#include <cstdint>
#include <memory>

namespace dm::supervisor {

/// A second, tiny process that outlives the worker, which serves the guest, by a moment. An ioreq
/// server belongs to the guest, not to us: when its device model dies, vCPUs that touch a device
/// hang for ever and nobody is told. The supervisor then crashes the guest (so that the toolstack
/// acts on on_crash=), destroys the server, says in the log what the worker did last, and ends. Of
/// an orderly end it is told, and ends silently.
///
/// start() forks, so it comes before handles on Xen, mappings and threads; the supervisor closes
/// all descriptors it inherits but standard error. It opens its own privcmd handle and confines it
/// to the guest. It holds nothing else, wakes up for nothing but the worker, ignores SIGHUP, SIGINT
/// and SIGTERM (a terminal or a toolstack sends them to the whole group; the worker's end decides)
/// and never outlives the worker. The worker in its turn hears of the supervisor's end: from then
/// on nobody would clean up after it.
///
/// What the worker says comes as messages (protocol.h, README.md), and what it did last is in one
/// page that it writes and the supervisor reads after its death. The supervisor trusts none of it:
/// messages are checked, a wrong server id is refused by Xen, text is printed filtered.
enum class Place : std::uint8_t {
  child,   ///< dom0: the worker keeps the pid that libxl recorded
  parent,  ///< stub domain: the supervisor stays pid 1, the worker is its child, and orphans are
           ///< reaped
};

struct Options {
  xen::DomId domid = 0;
  Place place = Place::child;
  /// What the supervisor gives up once it has its handle. What cannot be given up is told in the
  /// log.
  host::Confinement confinement{};
  /// How the supervisor ends, with 0 after an orderly end of the worker, else 1; does not return.
  /// Null: _exit. As parent it knows, too, when the worker fails before it serves.
  void (*finish)(int status) noexcept = nullptr;
  /// Makes the supervisor's own handle; called in the supervisor.
  Result<std::unique_ptr<xen::DmOps>> (*open_ops)(xen::DomId) = &xen::open_dm_ops;
};

/// Forks. Returns in the worker only. Start-up, while the process has one thread.
[[nodiscard]] Result<Link> start(const Options& options);

}  // namespace dm::supervisor
