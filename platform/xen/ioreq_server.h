// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/log.h"
#include "core/ports/io_claims.h"
#include "core/ports/ioreq_port.h"
#include "core/result.h"
#include "platform/xen/dm_ops.h"
#include "platform/xen/handles.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace dm::xen {

/// Reads and unmasks every pending port of a descriptor of /dev/xen/evtchn, and adds their number
/// to `events`. False when the descriptor is not usable any more.
[[nodiscard]] bool acknowledge_events(int descriptor, std::uint64_t& events) noexcept;

/// One ioreq server of one guest: its page of slots, one event channel for each vCPU, and the
/// ranges of addresses that Xen sends to us. The page is mapped as a resource
/// (XENMEM_resource_ioreq_server, frame 1), so the guest cannot reach it.
///
/// Life: create() makes the server and maps the page. Devices claim their ranges. enable() lets
/// requests come. The destructor unmaps the page, destroys the server (Xen then lets go a vCPU that
/// still waits) and closes the channels, in this order, because Xen frees the page with its last
/// reference (XSA-276). A failure half way through create() or enable() cleans up in the same way.
/// Thread rule: the loop's thread only. Source: Xen public headers hvm/dm_op.h and hvm/ioreq.h.
class IoreqServer final : public IoreqPort, public IoClaims {
 public:
  static constexpr unsigned kMaxVcpus = 128;  ///< slots of 32 bytes in one page: HVM_MAX_VCPUS
  struct Counters {
    std::uint64_t events = 0;  ///< ports read and unmasked
    std::uint64_t notify_errors =
        0;  ///< answers whose notification failed: the guest is going away
    std::uint64_t claims_refused = 0;
  };

  /// `ops` and `memory` outlive the server. `vcpus`: 1 to kMaxVcpus, all that the domain can have,
  /// online or not.
  [[nodiscard]] static Result<std::unique_ptr<IoreqServer>> create(DmOps& ops,
                                                                   xenforeignmemory_handle& memory,
                                                                   DomId domid,
                                                                   unsigned vcpus);
  ~IoreqServer() override;

  /// Lets requests come. Call it once. Fails if Xen has fewer vCPUs than create() was told.
  [[nodiscard]] Result<> enable();
  /// From now on its event channels lead to the guest only. Call it before or after enable().
  [[nodiscard]] Result<> restrict_to_guest() noexcept;
  /// The server that the supervisor must destroy when we cannot.
  [[nodiscard]] ioservid_t id() const noexcept { return id_; }
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

  std::byte* slots() noexcept override { return page_; }
  unsigned vcpus() const noexcept override { return vcpus_; }
  void notify(unsigned vcpu) noexcept override;
  bool acknowledge() noexcept override;
  int descriptor() const noexcept override { return descriptor_; }

  bool claim_ports(PortRange range) noexcept override;
  void release_ports(PortRange range) noexcept override;
  bool claim_mmio(MmioRange range) noexcept override;
  void release_mmio(MmioRange range) noexcept override;
  bool claim_pci(PciBdf function) noexcept override;
  void release_pci(PciBdf function) noexcept override;

 private:
  IoreqServer(DmOps& ops,
              xenforeignmemory_handle& memory,
              DomId domid,
              unsigned vcpus,
              EvtchnHandle evtchn) noexcept;

  [[nodiscard]] Result<> make();
  [[nodiscard]] Result<> bind(unsigned vcpu);
  [[nodiscard]] bool claimed(int error, const char* what, std::uint64_t first) noexcept;

  DmOps& ops_;
  xenforeignmemory_handle& memory_;
  DomId domid_;
  unsigned vcpus_;
  EvtchnHandle evtchn_;
  int descriptor_;
  bool exists_ = false;
  ioservid_t id_ = 0;
  xenforeignmemory_resource_handle* resource_ = nullptr;
  std::byte* page_ = nullptr;
  std::array<evtchn_port_t, kMaxVcpus> local_ports_{};
  Counters counters_;
  log::Limit complaints_;
};

}  // namespace dm::xen
