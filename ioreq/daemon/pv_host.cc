// SPDX-License-Identifier: MIT
#include "ioreq/daemon/pv_host.h"

#include "core/obs/log.h"
#include "platform/linux/chardev/chardev.h"
#include "platform/linux/chardev/state_file.h"
#include "platform/linux/error_text.h"
#include "platform/linux/image/disk.h"
#include "platform/linux/loop/loop.h"

#include <cerrno>
#include <utility>

namespace dm {

namespace {

pv::Host make_host(host::Loop& loop,
                   StorePort& store,
                   std::uint32_t domid,
                   FrontendPort& frontend,
                   const host::CharLimits& limits) {
  return {.domid = domid,
          .store = store,
          .frontend = frontend,
          .work = loop.turn_queue(),
          .open_chardev =
              [&loop, limits](const std::string& spec) -> Result<std::unique_ptr<CharBackend>> {
            auto opened = host::StateFile::is_one(spec) ? host::StateFile::open(spec, limits)
                                                        : host::open_chardev(loop, spec, limits);
            if (!opened) {
              return opened.error();
            }
            return std::unique_ptr<CharBackend>{std::move(*opened)};
          },
          .open_disk = [&loop](const DiskConfig& disk) { return host::open_disk(loop, disk); }};
}

}  // namespace

Result<std::unique_ptr<PvHost>> PvHost::open(host::Loop& loop,
                                             toolstack::StoreClient& store,
                                             std::uint32_t domid,
                                             std::vector<pv::Backends::Kind> kinds,
                                             const host::CharLimits& limits) {
  auto frontend = xen::XenFrontend::open(static_cast<domid_t>(domid));
  if (!frontend) {
    return frontend.error();
  }
  // The library keeps its descriptor, the loop wants one of its own.
  host::UniqueFd events = host::duplicate((*frontend)->descriptor());
  if (!events) {
    return fail("no descriptor left for the event channels of PV devices: ",
                host::error_text(errno));
  }
  std::unique_ptr<PvHost> made{new PvHost{loop, store, domid, std::move(kinds), limits,
                                          std::move(*frontend), std::move(events)}};
  if (!made->events_.ok()) {
    return Error{"the loop cannot watch the event channels of PV devices"};
  }
  return made;
}

PvHost::PvHost(host::Loop& loop,
               toolstack::StoreClient& store,
               std::uint32_t domid,
               std::vector<pv::Backends::Kind> kinds,
               const host::CharLimits& limits,
               std::unique_ptr<xen::XenFrontend> frontend,
               host::UniqueFd events)
    : frontend_{std::move(frontend)},
      events_{loop, std::move(events), host::Callback::bind<&PvHost::on_events>(*this)},
      backends_{make_host(loop, store, domid, *frontend_, limits), std::move(kinds)} {
  events_.await_readable();
}

void PvHost::on_events() noexcept {
  if (frontend_->dispatch()) {
    events_.await_readable();
  } else {
    log::error("event channels of PV devices: /dev/xen/evtchn does not work any more");
  }
}

}  // namespace dm
