// SPDX-License-Identifier: MIT
#include "ioreq/daemon/xen_host.h"

#include "platform/xen/c_api.h"
#include "platform/xen/errors.h"

#include <cerrno>
#include <utility>

namespace dm {

XenHost::XenHost(xen::DomId domid,
                 std::unique_ptr<xen::DmOps> ops,
                 xen::ForeignMemoryHandle foreign_memory,
                 std::unique_ptr<xen::IoreqServer> server,
                 xen::SleepSwitch* sleep) noexcept
    : domid_{domid},
      ops_{std::move(ops)},
      foreign_memory_{std::move(foreign_memory)},
      server_{std::move(server)},
      memory_{*foreign_memory_, *ops_, domid},
      irqs_{*ops_},
      domain_{*ops_, domid, sleep} {}

Result<std::unique_ptr<XenHost>> XenHost::open(xen::DomId domid,
                                               unsigned vcpus,
                                               xen::SleepSwitch* sleep) {
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
  return std::unique_ptr<XenHost>{
      new XenHost{domid, std::move(*ops), std::move(*foreign_memory), std::move(*server), sleep}};
}

Result<> XenHost::open_video(std::size_t bytes, bool xen_platform, std::optional<Gpa> found) {
  const Gpa at = found.value_or(xen::video_memory_place(bytes, xen_platform));
  if (!found) {
    if (auto populated = xen::populate_video_memory(domid_, at, bytes); !populated) {
      return populated;
    }
  }
  auto video = xen::XenVideoMemory::open({*foreign_memory_, *ops_, domid_}, at, bytes);
  if (!video) {
    return video.error();
  }
  video_ = std::move(*video);
  return {};
}

Result<> XenHost::restrict_to_guest() noexcept {
  if (const int error = ops_->restrict_to_domain(); error != 0) {
    return xen::explain_domain("confine the device-model handle", domid_, error);
  }
  if (xenforeignmemory_restrict(foreign_memory_.get(), domid_) != 0) {
    return xen::explain_domain("confine the memory handle", domid_, errno);
  }
  return server_->restrict_to_guest();
}

}  // namespace dm
