// SPDX-License-Identifier: MIT
#pragma once

#include "platform/xen/dm_ops.h"

namespace dm::xen {

/// Device-model operations by IOCTL_PRIVCMD_DM_OP on a descriptor of /dev/xen/privcmd. `struct
/// xen_dm_op` is built here, with all unused bytes zero because Xen checks padding (XSA-238), and
/// sent in one system call. Sources: Xen public header hvm/dm_op.h; Linux
/// include/uapi/xen/privcmd.h.
class PrivcmdDmOps final : public DmOps {
 public:
  /// ioctl(2), or what a test puts in its place.
  using Ioctl = int (*)(int descriptor, unsigned long request, void* argument);

  /// Takes over the descriptor and closes it at the end.
  PrivcmdDmOps(int descriptor, DomId domid, Ioctl ioctl) noexcept
      : descriptor_{descriptor}, domid_{domid}, ioctl_{ioctl} {}
  PrivcmdDmOps(int descriptor, DomId domid) noexcept;
  ~PrivcmdDmOps() override;

  /// Makes the library's own probe: an operation without buffers on DOMID_INVALID. Returns 0, or
  /// the errno value of the refusal.
  [[nodiscard]] static int probe(int descriptor, Ioctl ioctl) noexcept;
  [[nodiscard]] static int probe(int descriptor) noexcept;

  int create_server(ioservid_t& id) noexcept override;
  int destroy_server(ioservid_t id) noexcept override;
  int set_server_state(ioservid_t id, bool enabled) noexcept override;
  int map_ports(ioservid_t id, PortRange range) noexcept override;
  int unmap_ports(ioservid_t id, PortRange range) noexcept override;
  int map_mmio(ioservid_t id, MmioRange range) noexcept override;
  int unmap_mmio(ioservid_t id, MmioRange range) noexcept override;
  int map_pci(ioservid_t id, PciBdf function) noexcept override;
  int unmap_pci(ioservid_t id, PciBdf function) noexcept override;
  int set_isa_level(std::uint8_t irq, bool level) noexcept override;
  int set_intx_level(std::uint8_t device, std::uint8_t pin, bool level) noexcept override;
  int set_link_route(std::uint8_t link, std::uint8_t irq) noexcept override;
  int modified_memory(std::uint64_t first_gfn, std::uint32_t pages) noexcept override;
  int modified_memory(std::span<Extent> extents) noexcept override;
  int set_mem_type(hvmmem_type_t type,
                   std::uint64_t first_gfn,
                   std::uint32_t pages) noexcept override;
  int relocate_memory(std::uint64_t from_gfn,
                      std::uint64_t to_gfn,
                      std::uint32_t pages) noexcept override;
  int pin_memory_cacheattr(std::uint64_t first_gfn,
                           std::uint64_t last_gfn,
                           std::uint32_t type) noexcept override;
  int track_dirty_vram(std::uint64_t first_gfn,
                       std::uint32_t pages,
                       std::span<std::uint64_t> bitmap) noexcept override;
  int shutdown(unsigned reason) noexcept override;
  int nr_vcpus(unsigned& vcpus) noexcept override;
  int restrict_to_domain() noexcept override;

 private:
  [[nodiscard]] int send(xen_dm_op& op) noexcept;
  [[nodiscard]] int send(xen_dm_op& op, std::span<std::byte> second) noexcept;
  [[nodiscard]] int range(std::uint32_t operation,
                          ioservid_t id,
                          std::uint32_t type,
                          std::uint64_t first,
                          std::uint64_t last) noexcept;

  int descriptor_;
  DomId domid_;
  Ioctl ioctl_;
};

}  // namespace dm::xen
