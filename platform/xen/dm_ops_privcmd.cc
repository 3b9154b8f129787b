// SPDX-License-Identifier: MIT
#include "platform/xen/dm_ops_privcmd.h"

#include <xen/sys/privcmd.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace dm::xen {

namespace {

int system_ioctl(int descriptor, unsigned long request, void* argument) {
  return ::ioctl(descriptor, request, argument);
}

/// An operation with every byte zero, padding included.
[[nodiscard]] xen_dm_op operation(std::uint32_t number) noexcept {
  xen_dm_op op;
  std::memset(&op, 0, sizeof op);
  op.op = number;
  return op;
}

[[nodiscard]] constexpr std::uint64_t sbdf(PciBdf function) noexcept {
  return function.devfn();  // segment 0, bus 0: XEN_DMOP_PCI_SBDF
}

}  // namespace

PrivcmdDmOps::PrivcmdDmOps(int descriptor, DomId domid) noexcept
    : PrivcmdDmOps{descriptor, domid, &system_ioctl} {}

PrivcmdDmOps::~PrivcmdDmOps() {
  ::close(descriptor_);
}

int PrivcmdDmOps::probe(int descriptor, Ioctl ioctl) noexcept {
  privcmd_dm_op call{.dom = DOMID_INVALID, .num = 0, .ubufs = nullptr};
  return ioctl(descriptor, IOCTL_PRIVCMD_DM_OP, &call) == 0 ? 0 : errno;
}

int PrivcmdDmOps::probe(int descriptor) noexcept {
  return probe(descriptor, &system_ioctl);
}

int PrivcmdDmOps::send(xen_dm_op& op) noexcept {
  const privcmd_dm_op_buf buffer{.uptr = &op, .size = sizeof op};
  privcmd_dm_op call{.dom = domid_, .num = 1, .ubufs = &buffer};
  return ioctl_(descriptor_, IOCTL_PRIVCMD_DM_OP, &call) == 0 ? 0 : errno;
}

int PrivcmdDmOps::send(xen_dm_op& op, std::span<std::byte> second) noexcept {
  const std::array<privcmd_dm_op_buf, 2> buffers{
      {{.uptr = &op, .size = sizeof op}, {.uptr = second.data(), .size = second.size()}}};
  privcmd_dm_op call{.dom = domid_, .num = 2, .ubufs = buffers.data()};
  return ioctl_(descriptor_, IOCTL_PRIVCMD_DM_OP, &call) == 0 ? 0 : errno;
}

int PrivcmdDmOps::create_server(ioservid_t& id) noexcept {
  xen_dm_op op = operation(XEN_DMOP_create_ioreq_server);
  op.u.create_ioreq_server.handle_bufioreq = HVM_IOREQSRV_BUFIOREQ_OFF;
  const int error = send(op);
  if (error == 0) {
    id = op.u.create_ioreq_server.id;
  }
  return error;
}

int PrivcmdDmOps::destroy_server(ioservid_t id) noexcept {
  xen_dm_op op = operation(XEN_DMOP_destroy_ioreq_server);
  op.u.destroy_ioreq_server.id = id;
  return send(op);
}

int PrivcmdDmOps::set_server_state(ioservid_t id, bool enabled) noexcept {
  xen_dm_op op = operation(XEN_DMOP_set_ioreq_server_state);
  op.u.set_ioreq_server_state.id = id;
  op.u.set_ioreq_server_state.enabled = enabled ? 1 : 0;
  return send(op);
}

int PrivcmdDmOps::range(std::uint32_t number,
                        ioservid_t id,
                        std::uint32_t type,
                        std::uint64_t first,
                        std::uint64_t last) noexcept {
  xen_dm_op op = operation(number);
  // Mapping and unmapping have the same layout.
  op.u.map_io_range_to_ioreq_server.id = id;
  op.u.map_io_range_to_ioreq_server.type = type;
  op.u.map_io_range_to_ioreq_server.start = first;
  op.u.map_io_range_to_ioreq_server.end = last;
  return send(op);
}

int PrivcmdDmOps::map_ports(ioservid_t id, PortRange range_of) noexcept {
  return range(XEN_DMOP_map_io_range_to_ioreq_server, id, XEN_DMOP_IO_RANGE_PORT, range_of.first,
               range_of.last);
}

int PrivcmdDmOps::unmap_ports(ioservid_t id, PortRange range_of) noexcept {
  return range(XEN_DMOP_unmap_io_range_from_ioreq_server, id, XEN_DMOP_IO_RANGE_PORT,
               range_of.first, range_of.last);
}

int PrivcmdDmOps::map_mmio(ioservid_t id, MmioRange range_of) noexcept {
  return range(XEN_DMOP_map_io_range_to_ioreq_server, id, XEN_DMOP_IO_RANGE_MEMORY, range_of.first,
               range_of.last);
}

int PrivcmdDmOps::unmap_mmio(ioservid_t id, MmioRange range_of) noexcept {
  return range(XEN_DMOP_unmap_io_range_from_ioreq_server, id, XEN_DMOP_IO_RANGE_MEMORY,
               range_of.first, range_of.last);
}

int PrivcmdDmOps::map_pci(ioservid_t id, PciBdf function) noexcept {
  return range(XEN_DMOP_map_io_range_to_ioreq_server, id, XEN_DMOP_IO_RANGE_PCI, sbdf(function),
               sbdf(function));
}

int PrivcmdDmOps::unmap_pci(ioservid_t id, PciBdf function) noexcept {
  return range(XEN_DMOP_unmap_io_range_from_ioreq_server, id, XEN_DMOP_IO_RANGE_PCI, sbdf(function),
               sbdf(function));
}

int PrivcmdDmOps::set_isa_level(std::uint8_t irq, bool level) noexcept {
  xen_dm_op op = operation(XEN_DMOP_set_isa_irq_level);
  op.u.set_isa_irq_level.isa_irq = irq;
  op.u.set_isa_irq_level.level = level ? 1 : 0;
  return send(op);
}

int PrivcmdDmOps::set_intx_level(std::uint8_t device, std::uint8_t pin, bool level) noexcept {
  xen_dm_op op = operation(XEN_DMOP_set_pci_intx_level);
  op.u.set_pci_intx_level.device = device;
  op.u.set_pci_intx_level.intx = pin;
  op.u.set_pci_intx_level.level = level ? 1 : 0;
  return send(op);
}

int PrivcmdDmOps::set_link_route(std::uint8_t link, std::uint8_t irq) noexcept {
  xen_dm_op op = operation(XEN_DMOP_set_pci_link_route);
  op.u.set_pci_link_route.link = link;
  op.u.set_pci_link_route.isa_irq = irq;
  return send(op);
}

int PrivcmdDmOps::modified_memory(std::uint64_t first_gfn, std::uint32_t pages) noexcept {
  Extent extent{.nr = pages, .pad = 0, .first_pfn = first_gfn};
  return modified_memory(std::span{&extent, 1});
}

int PrivcmdDmOps::modified_memory(std::span<Extent> extents) noexcept {
  xen_dm_op op = operation(XEN_DMOP_modified_memory);
  op.u.modified_memory.nr_extents = static_cast<std::uint32_t>(extents.size());
  return send(op, std::as_writable_bytes(extents));
}

int PrivcmdDmOps::set_mem_type(hvmmem_type_t type,
                               std::uint64_t first_gfn,
                               std::uint32_t pages) noexcept {
  xen_dm_op op = operation(XEN_DMOP_set_mem_type);
  op.u.set_mem_type.nr = pages;
  op.u.set_mem_type.mem_type = static_cast<std::uint16_t>(type);
  op.u.set_mem_type.first_pfn = first_gfn;
  return send(op);
}

int PrivcmdDmOps::relocate_memory(std::uint64_t from_gfn,
                                  std::uint64_t to_gfn,
                                  std::uint32_t pages) noexcept {
  xen_dm_op op = operation(XEN_DMOP_relocate_memory);
  op.u.relocate_memory.size = pages;
  op.u.relocate_memory.src_gfn = from_gfn;
  op.u.relocate_memory.dst_gfn = to_gfn;
  return send(op);
}

int PrivcmdDmOps::pin_memory_cacheattr(std::uint64_t first_gfn,
                                       std::uint64_t last_gfn,
                                       std::uint32_t type) noexcept {
  xen_dm_op op = operation(XEN_DMOP_pin_memory_cacheattr);
  op.u.pin_memory_cacheattr.start = first_gfn;
  op.u.pin_memory_cacheattr.end = last_gfn;
  op.u.pin_memory_cacheattr.type = type;
  return send(op);
}

int PrivcmdDmOps::track_dirty_vram(std::uint64_t first_gfn,
                                   std::uint32_t pages,
                                   std::span<std::uint64_t> bitmap) noexcept {
  xen_dm_op op = operation(XEN_DMOP_track_dirty_vram);
  op.u.track_dirty_vram.nr = pages;
  op.u.track_dirty_vram.first_pfn = first_gfn;
  return send(op, std::as_writable_bytes(bitmap).first((pages + std::size_t{7}) / 8));
}

int PrivcmdDmOps::shutdown(unsigned reason) noexcept {
  xen_dm_op op = operation(XEN_DMOP_remote_shutdown);
  op.u.remote_shutdown.reason = reason;
  return send(op);
}

int PrivcmdDmOps::nr_vcpus(unsigned& vcpus) noexcept {
  xen_dm_op op = operation(XEN_DMOP_nr_vcpus);
  const int error = send(op);
  if (error == 0) {
    vcpus = op.u.nr_vcpus.vcpus;
  }
  return error;
}

int PrivcmdDmOps::restrict_to_domain() noexcept {
  DomId domid = domid_;
  return ioctl_(descriptor_, IOCTL_PRIVCMD_RESTRICT, &domid) == 0 ? 0 : errno;
}

}  // namespace dm::xen
