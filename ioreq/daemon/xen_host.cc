// SPDX-License-Identifier: MIT
#include "ioreq/daemon/xen_host.h"

#include "core/obs/log.h"
#include "platform/xen/c_api.h"
#include "platform/xen/errors.h"

#include <cerrno>
#include <utility>

namespace dm {

XenHost::XenHost(xen::DomId domid,
                 std::unique_ptr<xen::DmOps> ops,
                 xen::ForeignMemoryHandle foreign_memory,
                 std::unique_ptr<xen::IoreqServer> server,
                 std::optional<xen::SleepState> sleep) noexcept
    : domid_{domid},
      ops_{std::move(ops)},
      foreign_memory_{std::move(foreign_memory)},
      server_{std::move(server)},
      sleep_{std::move(sleep)},
      memory_{*foreign_memory_, *ops_, domid},
      irqs_{*ops_},
      domain_{*ops_, domid, sleep_ ? &*sleep_ : nullptr} {}

Result<std::unique_ptr<XenHost>> XenHost::open(xen::DomId domid, unsigned vcpus, bool with_sleep) {
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
  if (!with_sleep) {
    log::info("no S3 for this guest: it is served from a stub domain");
  } else if (auto opened = xen::SleepState::open(domid); opened) {
    sleep.emplace(std::move(*opened));
  } else {
    log::info("no S3 for this guest: ", std::string_view{opened.error().message});
  }
  return std::unique_ptr<XenHost>{new XenHost{domid, std::move(*ops), std::move(*foreign_memory),
                                              std::move(*server), std::move(sleep)}};
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
  return {};
}

}  // namespace dm
