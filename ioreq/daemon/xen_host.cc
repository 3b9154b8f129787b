// SPDX-License-Identifier: MIT
#include "ioreq/daemon/xen_host.h"

#include "core/obs/log.h"

#include <utility>

namespace dm {

XenHost::XenHost(xen::DomId domid,
                 std::unique_ptr<xen::DmOps> ops,
                 xen::ForeignMemoryHandle foreign_memory,
                 std::unique_ptr<xen::IoreqServer> server,
                 std::optional<xen::SleepState> sleep) noexcept
    : ops_{std::move(ops)},
      foreign_memory_{std::move(foreign_memory)},
      server_{std::move(server)},
      sleep_{std::move(sleep)},
      memory_{*foreign_memory_, *ops_, domid},
      irqs_{*ops_},
      domain_{*ops_, domid, sleep_ ? &*sleep_ : nullptr} {}

Result<std::unique_ptr<XenHost>> XenHost::open(xen::DomId domid, unsigned vcpus) {
  auto ops = xen::open_dm_ops(domid);
  if (!ops) {
    return ops.error();
  }
  auto foreign_memory = xen::open_foreign_memory();
  if (!foreign_memory) {
    return foreign_memory.error();
  }
  auto server = xen::IoreqServer::create(**ops, **foreign_memory, domid, vcpus);
  if (!server) {
    return server.error();
  }
  std::optional<xen::SleepState> sleep;
  if (auto opened = xen::SleepState::open(domid); opened) {
    sleep.emplace(std::move(*opened));
  } else {
    log::info("no S3 for this guest: ", std::string_view{opened.error().message});
  }
  return std::unique_ptr<XenHost>{new XenHost{domid, std::move(*ops), std::move(*foreign_memory),
                                              std::move(*server), std::move(sleep)}};
}

}  // namespace dm
