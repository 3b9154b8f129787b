// SPDX-License-Identifier: MIT
#include "platform/xen/dm_ops_library.h"

#include <cerrno>

namespace dm::xen {

namespace {
/// The library's 0 or -1 with errno, as one number.
[[nodiscard]] int outcome(int result) noexcept {
  return result == 0 ? 0 : errno;
}
}  // namespace

int LibraryDmOps::create_server(ioservid_t& id) noexcept {
  return outcome(
      xendevicemodel_create_ioreq_server(handle_.get(), domid_, HVM_IOREQSRV_BUFIOREQ_OFF, &id));
}

int LibraryDmOps::destroy_server(ioservid_t id) noexcept {
  return outcome(xendevicemodel_destroy_ioreq_server(handle_.get(), domid_, id));
}

int LibraryDmOps::set_server_state(ioservid_t id, bool enabled) noexcept {
  return outcome(xendevicemodel_set_ioreq_server_state(handle_.get(), domid_, id, enabled ? 1 : 0));
}

int LibraryDmOps::map_ports(ioservid_t id, PortRange range) noexcept {
  return outcome(xendevicemodel_map_io_range_to_ioreq_server(handle_.get(), domid_, id, 0,
                                                             range.first, range.last));
}

int LibraryDmOps::unmap_ports(ioservid_t id, PortRange range) noexcept {
  return outcome(xendevicemodel_unmap_io_range_from_ioreq_server(handle_.get(), domid_, id, 0,
                                                                 range.first, range.last));
}

int LibraryDmOps::map_mmio(ioservid_t id, MmioRange range) noexcept {
  return outcome(xendevicemodel_map_io_range_to_ioreq_server(handle_.get(), domid_, id, 1,
                                                             range.first, range.last));
}

int LibraryDmOps::unmap_mmio(ioservid_t id, MmioRange range) noexcept {
  return outcome(xendevicemodel_unmap_io_range_from_ioreq_server(handle_.get(), domid_, id, 1,
                                                                 range.first, range.last));
}

int LibraryDmOps::map_pci(ioservid_t id, PciBdf function) noexcept {
  return outcome(xendevicemodel_map_pcidev_to_ioreq_server(handle_.get(), domid_, id, 0, 0,
                                                           function.device, function.function));
}

int LibraryDmOps::unmap_pci(ioservid_t id, PciBdf function) noexcept {
  return outcome(xendevicemodel_unmap_pcidev_from_ioreq_server(handle_.get(), domid_, id, 0, 0,
                                                               function.device, function.function));
}

int LibraryDmOps::set_isa_level(std::uint8_t irq, bool level) noexcept {
  return outcome(xendevicemodel_set_isa_irq_level(handle_.get(), domid_, irq, level ? 1 : 0));
}

int LibraryDmOps::set_intx_level(std::uint8_t device, std::uint8_t pin, bool level) noexcept {
  return outcome(
      xendevicemodel_set_pci_intx_level(handle_.get(), domid_, 0, 0, device, pin, level ? 1 : 0));
}

int LibraryDmOps::set_link_route(std::uint8_t link, std::uint8_t irq) noexcept {
  return outcome(xendevicemodel_set_pci_link_route(handle_.get(), domid_, link, irq));
}

int LibraryDmOps::modified_memory(std::uint64_t first_gfn, std::uint32_t pages) noexcept {
  return outcome(xendevicemodel_modified_memory(handle_.get(), domid_, first_gfn, pages));
}

int LibraryDmOps::modified_memory(std::span<Extent> extents) noexcept {
  return outcome(xendevicemodel_modified_memory_bulk(handle_.get(), domid_, extents.data(),
                                                     static_cast<std::uint32_t>(extents.size())));
}

int LibraryDmOps::set_mem_type(hvmmem_type_t type,
                               std::uint64_t first_gfn,
                               std::uint32_t pages) noexcept {
  return outcome(xendevicemodel_set_mem_type(handle_.get(), domid_, type, first_gfn, pages));
}

int LibraryDmOps::relocate_memory(std::uint64_t from_gfn,
                                  std::uint64_t to_gfn,
                                  std::uint32_t pages) noexcept {
  return outcome(xendevicemodel_relocate_memory(handle_.get(), domid_, pages, from_gfn, to_gfn));
}

int LibraryDmOps::pin_memory_cacheattr(std::uint64_t first_gfn,
                                       std::uint64_t last_gfn,
                                       std::uint32_t type) noexcept {
  return outcome(
      xendevicemodel_pin_memory_cacheattr(handle_.get(), domid_, first_gfn, last_gfn, type));
}

int LibraryDmOps::track_dirty_vram(std::uint64_t first_gfn,
                                   std::uint32_t pages,
                                   std::span<std::uint64_t> bitmap) noexcept {
  static_assert(sizeof(unsigned long) == sizeof(std::uint64_t));
  auto* const words = static_cast<unsigned long*>(static_cast<void*>(bitmap.data()));
  return outcome(xendevicemodel_track_dirty_vram(handle_.get(), domid_, first_gfn, pages, words));
}

int LibraryDmOps::shutdown(unsigned reason) noexcept {
  return outcome(xendevicemodel_shutdown(handle_.get(), domid_, reason));
}

int LibraryDmOps::nr_vcpus(unsigned& vcpus) noexcept {
  return outcome(xendevicemodel_nr_vcpus(handle_.get(), domid_, &vcpus));
}

int LibraryDmOps::restrict_to_domain() noexcept {
  return outcome(xendevicemodel_restrict(handle_.get(), domid_));
}

}  // namespace dm::xen
