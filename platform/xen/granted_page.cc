// SPDX-License-Identifier: MIT
#include "platform/xen/granted_page.h"

#include "platform/xen/errors.h"
#include "platform/xen/ioreq_server.h"

#include <cerrno>
#include <utility>

namespace dm::xen {

Result<std::unique_ptr<GrantedPage>> GrantedPage::open(DomId peer) {
  ShareHandle share{xengntshr_open(library_logger(), 0)};
  if (!share) {
    return fail("cannot open /dev/xen/gntalloc: ", error_text(errno),
                ". The kernel needs CONFIG_XEN_GRANT_DEV_ALLOC");
  }
  auto channel = open_evtchn();
  if (!channel) {
    return channel.error();
  }
  const auto port = xenevtchn_bind_unbound_port(channel->get(), peer);
  if (port < 0) {
    return fail("cannot offer domain ", std::to_string(peer),
                " an event channel: ", error_text(errno));
  }
  return std::unique_ptr<GrantedPage>{new GrantedPage{std::move(share), std::move(*channel),
                                                      static_cast<evtchn_port_t>(port), peer}};
}

GrantedPage::~GrantedPage() {
  give_back();
}

void GrantedPage::give_back() noexcept {
  if (void* const page = std::exchange(page_, nullptr); page != nullptr) {
    static_cast<void>(xengntshr_unshare(share_.get(), page, 1));
  }
}

Result<std::span<std::byte, GrantedPage::kSize>> GrantedPage::replace(std::uint32_t alive_at) {
  give_back();
  page_ = xengntshr_share_page_notify(share_.get(), peer_, &reference_, 1, alive_at, port_);
  if (page_ == nullptr) {
    return fail("no page to share with domain ", std::to_string(peer_), ": ", error_text(errno));
  }
  return std::span<std::byte, kSize>{static_cast<std::byte*>(page_), kSize};
}

void GrantedPage::notify() noexcept {
  static_cast<void>(xenevtchn_notify(channel_.get(), port_));
}

bool GrantedPage::acknowledge() noexcept {
  std::uint64_t events = 0;
  return acknowledge_events(descriptor(), events);
}

}  // namespace dm::xen
