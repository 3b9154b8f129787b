// SPDX-License-Identifier: MIT
#include "platform/xen/xen_frontend.h"

#include "platform/xen/errors.h"
#include "platform/xen/event_ports.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace dm::xen {

XenFrontend::XenFrontend(domid_t domid,
                         GrantTableHandle grants,
                         ForeignMemoryHandle memory,
                         EvtchnHandle evtchn) noexcept
    : domid_{domid},
      grants_{std::move(grants)},
      memory_{std::move(memory)},
      evtchn_{std::move(evtchn)},
      descriptor_{xenevtchn_fd(evtchn_.get())} {}

XenFrontend::~XenFrontend() = default;

Result<std::unique_ptr<XenFrontend>> XenFrontend::open(domid_t domid) {
  auto grants = open_grant_table();
  if (!grants) {
    return grants.error();
  }
  auto memory = open_foreign_memory();
  if (!memory) {
    return memory.error();
  }
  auto evtchn = open_evtchn();
  if (!evtchn) {
    return evtchn.error();
  }
  return std::unique_ptr<XenFrontend>{
      new XenFrontend{domid, std::move(*grants), std::move(*memory), std::move(*evtchn)}};
}

Result<> XenFrontend::restrict_to_guest() noexcept {
  if (xenforeignmemory_restrict(memory_.get(), domid_) != 0) {
    return explain_domain("confine the memory handle of PV devices", domid_, errno);
  }
  if (xenevtchn_restrict(evtchn_.get(), domid_) != 0) {
    return explain_domain("confine the event channels of PV devices", domid_, errno);
  }
  return {};
}

XenFrontend::Channel* XenFrontend::channel(evtchn_port_t port) noexcept {
  const auto found = std::find_if(channels_.begin(), channels_.end(), [port](const Channel& c) {
    return c.client != nullptr && c.port == port;
  });
  return found == channels_.end() ? nullptr : &*found;
}

bool XenFrontend::dispatch() noexcept {
  std::array<evtchn_port_t, 128> ports{};
  const auto count = take_events(descriptor_, ports);
  if (!count) {
    return false;
  }
  for (const evtchn_port_t port : std::span{ports}.first(*count)) {
    // A client may unbind others: each is looked up when its turn comes.
    if (const Channel* const found = channel(port); found != nullptr) {
      found->client->on_event();
    }
  }
  return true;
}

std::byte* XenFrontend::map_grants(std::span<const std::uint32_t> grants, bool writable) noexcept {
  std::array<std::uint32_t, kMostGrants> references;  // the library's argument is not const
  if (grants.empty() || grants.size() > references.size()) {
    return nullptr;
  }
  std::copy(grants.begin(), grants.end(), references.begin());
  return static_cast<std::byte*>(xengnttab_map_domain_grant_refs(
      grants_.get(), static_cast<std::uint32_t>(grants.size()), domid_, references.data(),
      writable ? PROT_READ | PROT_WRITE : PROT_READ));
}

void XenFrontend::unmap_grants(std::byte* pages, std::size_t count) noexcept {
  static_cast<void>(xengnttab_unmap(grants_.get(), pages, static_cast<std::uint32_t>(count)));
}

std::byte* XenFrontend::map_frame(std::uint64_t frame) noexcept {
  const xen_pfn_t frames[1] = {frame};
  int errors[1] = {};
  void* const page = xenforeignmemory_map(memory_.get(), domid_, PROT_READ | PROT_WRITE, 1,
                                          std::begin(frames), std::begin(errors));
  if (page != nullptr && errors[0] != 0) {
    static_cast<void>(xenforeignmemory_unmap(memory_.get(), page, 1));
    return nullptr;
  }
  return static_cast<std::byte*>(page);
}

void XenFrontend::unmap_frame(std::byte* page) noexcept {
  static_cast<void>(xenforeignmemory_unmap(memory_.get(), page, 1));
}

std::optional<std::uint32_t> XenFrontend::bind(std::uint32_t remote, EventClient& client) noexcept {
  const auto free = std::find_if(channels_.begin(), channels_.end(),
                                 [](const Channel& c) { return c.client == nullptr; });
  if (free == channels_.end()) {
    return std::nullopt;
  }
  const xenevtchn_port_or_error_t port = xenevtchn_bind_interdomain(evtchn_.get(), domid_, remote);
  if (port < 0) {
    return std::nullopt;
  }
  *free = {.port = static_cast<evtchn_port_t>(port), .client = &client};
  return free->port;
}

void XenFrontend::unbind(std::uint32_t local) noexcept {
  if (Channel* const found = channel(local); found != nullptr) {
    *found = {};
    static_cast<void>(xenevtchn_unbind(evtchn_.get(), local));
  }
}

void XenFrontend::notify(std::uint32_t local) noexcept {
  static_cast<void>(xenevtchn_notify(evtchn_.get(), local));
}

}  // namespace dm::xen
