// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/linux/process/privileges.h"
#include "platform/supervisor/broker.h"
#include "platform/supervisor/link.h"
#include "platform/xen/dm_ops.h"

#include <cstdint>
#include <memory>

namespace dm::supervisor {

/// The supervisor is a second, small process. It watches the worker, the process that serves the
/// guest, and ends right after it. An ioreq server belongs to the guest, not to us: when its device
/// model dies, vCPUs that touch a device hang for ever, and nobody is told. So after a sudden death
/// the supervisor crashes the guest (the toolstack then acts on on_crash=), destroys the server,
/// says in the log what the worker did last, and ends. Before an orderly end the worker tells it;
/// then it ends silently.
///
/// start() forks, so call it before there are handles on Xen, mappings and threads. The supervisor
/// closes all descriptors that it inherits, except standard error and its broker's. It opens its
/// own privcmd handle and confines it to the guest. Only the worker wakes it, and what its broker
/// waits for. It ignores SIGHUP, SIGINT and SIGTERM: a terminal or a toolstack sends them to the
/// whole group, and the worker's end decides. The worker is told when the supervisor ends, because
/// then nobody would clean up after it.
///
/// The worker sends messages (protocol.h, README.md) and writes its last requests into one shared
/// page, which the supervisor reads after its death. The supervisor trusts neither: messages are
/// checked, Xen refuses a wrong server id, and text is printed filtered.
enum class Place : std::uint8_t {
  child,   ///< dom0: the worker keeps the pid that libxl recorded
  parent,  ///< stub domain: the supervisor stays pid 1, the worker is its child, and orphans are
           ///< reaped
};

struct Options {
  xen::DomId domid = 0;
  Place place = Place::child;
  /// What the supervisor gives up once it has its handle. If it cannot give up something, the log
  /// says so.
  host::Confinement confinement{};
  /// Ends the supervisor: status 0 after an orderly end of the worker, else 1. Does not return.
  /// Null: _exit. As parent, the supervisor knows the worker's exit status, so a worker that fails
  /// before it serves also gives 1.
  void (*finish)(int status) noexcept = nullptr;
  /// What it does for the worker; null: nothing, and whoever asks gets ENOSYS. Only the supervisor
  /// uses it.
  std::unique_ptr<Broker> broker{};
  /// Opens the supervisor's own handle. Called in the supervisor.
  Result<std::unique_ptr<xen::DmOps>> (*open_ops)(xen::DomId) = &xen::open_dm_ops;
};

/// Forks, and returns in the worker only. Thread rule: start-up, while the process has one thread.
/// Fails without memory, sockets or processes, and as Place::child on Linux older than 5.3
/// (pidfd_open).
[[nodiscard]] Result<Link> start(Options options);

}  // namespace dm::supervisor
