// SPDX-License-Identifier: MIT
#include "platform/xen/ioreq_server.h"

#include "platform/xen/errors.h"
#include "platform/xen/event_ports.h"

#include <xen/hvm/ioreq.h>
#include <xen/memory.h>

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace dm::xen {

namespace {

/// Frame 0 is the buffered ring, which a server made with BUFIOREQ_OFF does not have; 1 is the page
/// of slots.
constexpr unsigned long kSlotsFrame = 1;
constexpr std::size_t kPortsPerRead = 128;

[[nodiscard]] evtchn_port_t remote_port(const std::byte* page, unsigned vcpu) noexcept {
  // Xen writes the port when the server is enabled, and never again: no barrier is needed, only one
  // read.
  evtchn_port_t port = 0;
  std::memcpy(&port, page + vcpu * sizeof(::ioreq) + offsetof(::ioreq, vp_eport), sizeof port);
  return port;
}

}  // namespace

bool acknowledge_events(int descriptor, std::uint64_t& events) noexcept {
  std::array<evtchn_port_t, kPortsPerRead> ports{};
  for (;;) {
    const auto count = take_events(descriptor, ports);
    if (!count) {
      return false;
    }
    events += *count;
    if (*count < ports.size()) {
      return true;
    }
  }
}

IoreqServer::IoreqServer(DmOps& ops,
                         xenforeignmemory_handle& memory,
                         DomId domid,
                         unsigned vcpus,
                         EvtchnHandle evtchn) noexcept
    : ops_{ops},
      memory_{memory},
      domid_{domid},
      vcpus_{vcpus},
      evtchn_{std::move(evtchn)},
      descriptor_{xenevtchn_fd(evtchn_.get())} {}

IoreqServer::~IoreqServer() {
  if (resource_ != nullptr) {
    static_cast<void>(xenforeignmemory_unmap_resource(&memory_, resource_));
  }
  if (exists_) {
    const int error = ops_.destroy_server(id_);
    if (error != 0 && error != ESRCH) {
      log::warning("ioreq server ", id_, " of domain ", domid_, " could not be destroyed: errno ",
                   error);
    }
  }
}

Result<std::unique_ptr<IoreqServer>> IoreqServer::create(DmOps& ops,
                                                         xenforeignmemory_handle& memory,
                                                         DomId domid,
                                                         unsigned vcpus) {
  if (vcpus == 0 || vcpus > kMaxVcpus) {
    return fail("a guest has 1 to 128 vCPUs, not ", std::to_string(vcpus),
                ": check vcpus= and maxvcpus= in its configuration");
  }
  Result<EvtchnHandle> evtchn = open_evtchn();
  if (!evtchn) {
    return evtchn.error();
  }
  std::unique_ptr<IoreqServer> server{
      new IoreqServer{ops, memory, domid, vcpus, std::move(*evtchn)}};
  if (Result<> made = server->make(); !made) {
    return made.error();
  }
  return server;
}

Result<> IoreqServer::make() {
  if (const int error = ops_.create_server(id_); error != 0) {
    return explain_domain("create an ioreq server", domid_, error);
  }
  exists_ = true;
  void* address = nullptr;
  resource_ = xenforeignmemory_map_resource(&memory_, domid_, XENMEM_resource_ioreq_server, id_,
                                            kSlotsFrame, 1, &address, PROT_READ | PROT_WRITE, 0);
  if (resource_ == nullptr) {
    const int error = errno;
    if (error == EOPNOTSUPP || error == ENOTTY) {
      return fail(
          "this kernel cannot map ioreq pages (XENMEM_acquire_resource): Linux 4.18 or newer is "
          "needed");
    }
    return explain_domain("map the ioreq page", domid_, error);
  }
  page_ = static_cast<std::byte*>(address);
  return {};
}

Result<> IoreqServer::enable() {
  if (const int error = ops_.set_server_state(id_, true); error != 0) {
    return explain_domain("enable the ioreq server", domid_, error);
  }
  for (unsigned vcpu = 0; vcpu < vcpus_; ++vcpu) {
    if (Result<> bound = bind(vcpu); !bound) {
      return bound;
    }
  }
  return {};
}

Result<> IoreqServer::restrict_to_guest() noexcept {
  if (xenevtchn_restrict(evtchn_.get(), domid_) != 0) {
    return explain_domain("confine the handle of event channels", domid_, errno);
  }
  return {};
}

Result<> IoreqServer::bind(unsigned vcpu) {
  const evtchn_port_t remote = remote_port(page_, vcpu);
  if (remote == 0) {
    return fail("Xen has no event channel for vCPU ", std::to_string(vcpu), " of domain ",
                std::to_string(domid_),
                ": the domain was created with fewer vCPUs than the command line says");
  }
  const xenevtchn_port_or_error_t local = xenevtchn_bind_interdomain(evtchn_.get(), domid_, remote);
  if (local < 0) {
    return fail("cannot bind event channel ", std::to_string(remote), " of vCPU ",
                std::to_string(vcpu), ": ", error_text(errno));
  }
  local_ports_[vcpu] = static_cast<evtchn_port_t>(local);
  return {};
}

void IoreqServer::notify(unsigned vcpu) noexcept {
  if (xenevtchn_notify(evtchn_.get(), local_ports_[vcpu]) != 0) [[unlikely]] {
    ++counters_.notify_errors;
  }
}

bool IoreqServer::acknowledge() noexcept {
  return acknowledge_events(descriptor_, counters_.events);
}

/// The guest moves BARs, so a refusal can be its doing: a limited line, and the region stays
/// unclaimed.
bool IoreqServer::claimed(int error, const char* what, std::uint64_t first) noexcept {
  if (error == 0) [[likely]] {
    return true;
  }
  ++counters_.claims_refused;
  complaints_.warning("Xen refuses to send us the ", what, " from ", log::hex(first), ": errno ",
                      error);
  return false;
}

bool IoreqServer::claim_ports(PortRange range) noexcept {
  return claimed(ops_.map_ports(id_, range), "ports", range.first);
}

void IoreqServer::release_ports(PortRange range) noexcept {
  static_cast<void>(ops_.unmap_ports(id_, range));
}

bool IoreqServer::claim_mmio(MmioRange range) noexcept {
  return claimed(ops_.map_mmio(id_, range), "memory", range.first);
}

void IoreqServer::release_mmio(MmioRange range) noexcept {
  static_cast<void>(ops_.unmap_mmio(id_, range));
}

bool IoreqServer::claim_pci(PciBdf function) noexcept {
  return claimed(ops_.map_pci(id_, function), "PCI function", function.devfn());
}

void IoreqServer::release_pci(PciBdf function) noexcept {
  static_cast<void>(ops_.unmap_pci(id_, function));
}

}  // namespace dm::xen
