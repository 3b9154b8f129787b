// SPDX-License-Identifier: MIT
#include "ioreq/daemon/stub_qmp.h"

#include "core/obs/log.h"
#include "platform/linux/error_text.h"

#include <cerrno>
#include <utility>

namespace dm {

namespace {

constexpr xen::DomId kToolstackDomain = 0;

}  // namespace

StubQmp::StubQmp(host::Loop& loop,
                 const toolstack::QmpCommands& commands,
                 std::uint32_t domid,
                 toolstack::Xenstore xenstore,
                 std::unique_ptr<xen::GrantedPage> page)
    : path_{"device-model/" + std::to_string(domid) + "/qmp-vchan"},
      xenstore_{std::move(xenstore)},
      page_{std::move(page)},
      vchan_{commands, *this},
      more_{Work::bind<&StubQmp::serve>(loop.turn_queue(), *this)} {}

Result<std::unique_ptr<StubQmp>> StubQmp::open(host::Loop& loop,
                                               const toolstack::QmpCommands& commands,
                                               std::uint32_t domid) {
  auto xenstore = toolstack::Xenstore::open();
  if (!xenstore) {
    return xenstore.error();
  }
  auto page = xen::GrantedPage::open(kToolstackDomain);
  if (!page) {
    return page.error();
  }
  std::unique_ptr<StubQmp> qmp{
      new StubQmp{loop, commands, domid, std::move(*xenstore), std::move(*page)}};
  // The library owns its descriptor, a Watch its own.
  qmp->watch_ = host::Watch{loop, host::duplicate(qmp->page_->descriptor()),
                            host::Callback::bind<&StubQmp::on_event>(*qmp)};
  if (!qmp->watch_.ok()) {
    return fail("the loop cannot watch QMP's event channel: ", host::error_text(errno));
  }
  if (auto started = qmp->vchan_.start(); !started) {
    return started.error();
  }
  qmp->watch_.await_readable();
  return qmp;
}

Result<std::span<std::byte, toolstack::VchanRing::kPage>> StubQmp::new_page() {
  return page_->replace(toolstack::VchanRing::kAliveAt);
}

/// The client waits for any change below the path and reads both keys then; the channel is the same
/// for every page, so it comes first.
Result<> StubQmp::announce() {
  if (auto written = xenstore_.write_for(kToolstackDomain, path_ + "/event-channel",
                                         std::to_string(page_->port()));
      !written) {
    return written;
  }
  return xenstore_.write_for(kToolstackDomain, path_ + "/ring-ref",
                             std::to_string(page_->reference()));
}

void StubQmp::on_event() noexcept {
  if (!page_->acknowledge()) {
    log::error("QMP's event channel is gone: no more commands can come from dom0");
    return;
  }
  watch_.await_readable();
  if (serve()) {
    more_.schedule();
  }
}

}  // namespace dm
