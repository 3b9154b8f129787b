// SPDX-License-Identifier: MIT
#pragma once

#include "platform/xen/dm_ops.h"
#include "platform/xen/handles.h"

namespace dm::xen {

/// Device-model operations through libxendevicemodel.
class LibraryDmOps final : public DmOps {
 public:
  LibraryDmOps(DeviceModelHandle handle, DomId domid) noexcept
      : handle_{std::move(handle)}, domid_{domid} {}

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
  DeviceModelHandle handle_;
  DomId domid_;
};

}  // namespace dm::xen
