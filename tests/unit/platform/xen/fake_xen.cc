// SPDX-License-Identifier: MIT
#include "tests/unit/platform/xen/fake_xen.h"

#include "platform/xen/c_api.h"

#include <xen/memory.h>

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>

namespace dm::test {

FakeXen& fake() {
  static FakeXen the_fake;
  return the_fake;
}

FreshFake::FreshFake() {
  fake() = FakeXen{};
}

int FakeXen::result(const std::string& function, const std::string& arguments) {
  calls.push_back(function + "(" + arguments + ")");
  const auto error = errors.find(function);
  if (error == errors.end()) {
    return 0;
  }
  errno = error->second;
  return -1;
}

bool FakeXen::called(const std::string& line) const {
  return std::find(calls.begin(), calls.end(), line) != calls.end();
}

std::size_t FakeXen::count(const std::string& function) const {
  return static_cast<std::size_t>(std::count_if(calls.begin(), calls.end(), [&](const auto& call) {
    return call.rfind(function + "(", 0) == 0;
  }));
}

namespace {

template <class... T>
std::string text(const T&... values) {
  std::ostringstream out;
  const char* separator = "";
  ((out << separator << +values, separator = " "), ...);
  return out.str();
}

template <class Handle>
Handle* some_handle() {
  static char object;
  return reinterpret_cast<Handle*>(&object);
}

}  // namespace
}  // namespace dm::test

using dm::test::fake;
using dm::test::some_handle;
using dm::test::text;

extern "C" {

xendevicemodel_handle* xendevicemodel_open(xentoollog_logger*, unsigned) {
  return fake().result("devicemodel_open") == 0 ? some_handle<xendevicemodel_handle>() : nullptr;
}
int xendevicemodel_close(xendevicemodel_handle*) {
  return fake().result("devicemodel_close");
}
int xendevicemodel_create_ioreq_server(xendevicemodel_handle*, domid_t d, int buf, ioservid_t* id) {
  *id = fake().server_id;
  return fake().result("create_ioreq_server", text(d, buf));
}
int xendevicemodel_destroy_ioreq_server(xendevicemodel_handle*, domid_t d, ioservid_t id) {
  return fake().result("destroy_ioreq_server", text(d, id));
}
int xendevicemodel_set_ioreq_server_state(xendevicemodel_handle*,
                                          domid_t d,
                                          ioservid_t id,
                                          int on) {
  for (unsigned vcpu = 0; on != 0 && vcpu < fake().ports_given; ++vcpu) {
    const std::uint32_t port = 100 + vcpu;
    std::memcpy(fake().slots.data() + vcpu * 32U + 24, &port, sizeof port);
  }
  return fake().result("set_ioreq_server_state", text(d, id, on));
}
int xendevicemodel_map_io_range_to_ioreq_server(
    xendevicemodel_handle*, domid_t d, ioservid_t id, int mmio, uint64_t first, uint64_t last) {
  return fake().result("map_io_range", text(d, id, mmio, first, last));
}
int xendevicemodel_unmap_io_range_from_ioreq_server(
    xendevicemodel_handle*, domid_t d, ioservid_t id, int mmio, uint64_t first, uint64_t last) {
  return fake().result("unmap_io_range", text(d, id, mmio, first, last));
}
int xendevicemodel_map_pcidev_to_ioreq_server(xendevicemodel_handle*,
                                              domid_t d,
                                              ioservid_t id,
                                              uint16_t s,
                                              uint8_t b,
                                              uint8_t dev,
                                              uint8_t f) {
  return fake().result("map_pcidev", text(d, id, s, b, dev, f));
}
int xendevicemodel_unmap_pcidev_from_ioreq_server(xendevicemodel_handle*,
                                                  domid_t d,
                                                  ioservid_t id,
                                                  uint16_t s,
                                                  uint8_t b,
                                                  uint8_t dev,
                                                  uint8_t f) {
  return fake().result("unmap_pcidev", text(d, id, s, b, dev, f));
}
int xendevicemodel_set_isa_irq_level(xendevicemodel_handle*,
                                     domid_t d,
                                     uint8_t irq,
                                     unsigned level) {
  return fake().result("set_isa_irq_level", text(d, irq, level));
}
int xendevicemodel_set_pci_intx_level(xendevicemodel_handle*,
                                      domid_t d,
                                      uint16_t s,
                                      uint8_t b,
                                      uint8_t dev,
                                      uint8_t pin,
                                      unsigned level) {
  return fake().result("set_pci_intx_level", text(d, s, b, dev, pin, level));
}
int xendevicemodel_set_pci_link_route(xendevicemodel_handle*,
                                      domid_t d,
                                      uint8_t link,
                                      uint8_t irq) {
  return fake().result("set_pci_link_route", text(d, link, irq));
}
int xendevicemodel_modified_memory(xendevicemodel_handle*, domid_t d, uint64_t first, uint32_t nr) {
  return fake().result("modified_memory", text(d, first, nr));
}
int xendevicemodel_modified_memory_bulk(xendevicemodel_handle*,
                                        domid_t d,
                                        xen_dm_op_modified_memory_extent extents[],
                                        uint32_t nr) {
  fake().extents.assign(extents, extents + nr);
  return fake().result("modified_memory_bulk", text(d, nr));
}
int xendevicemodel_set_mem_type(
    xendevicemodel_handle*, domid_t d, hvmmem_type_t type, uint64_t first, uint32_t nr) {
  return fake().result("set_mem_type", text(d, static_cast<int>(type), first, nr));
}
int xendevicemodel_track_dirty_vram(
    xendevicemodel_handle*, domid_t d, uint64_t first, uint32_t pages, unsigned long* bitmap) {
  const int result = fake().result("track_dirty_vram", text(d, first, pages));
  for (const std::uint64_t page : fake().written) {
    if (result == 0 && page >= first && page < first + pages) {
      bitmap[(page - first) / 64] |= 1UL << ((page - first) % 64);
    }
  }
  return result;
}
int xendevicemodel_relocate_memory(
    xendevicemodel_handle*, domid_t d, uint32_t pages, uint64_t from, uint64_t to) {
  const int result = fake().result("relocate_memory", text(d, pages, from, to));
  for (std::uint32_t i = 0; i < pages && result == 0; ++i) {
    if (fake().absent.contains(from + i)) {
      errno = EINVAL;
      return -1;
    }
    fake().absent.erase(to + i);
    fake().absent[from + i] = -EINVAL;
  }
  return result;
}
int xendevicemodel_pin_memory_cacheattr(
    xendevicemodel_handle*, domid_t d, uint64_t first, uint64_t last, uint32_t type) {
  return fake().result("pin_memory_cacheattr", text(d, first, last, type));
}
int xendevicemodel_shutdown(xendevicemodel_handle*, domid_t d, unsigned reason) {
  return fake().result("shutdown", text(d, reason));
}
int xendevicemodel_nr_vcpus(xendevicemodel_handle*, domid_t d, unsigned* vcpus) {
  *vcpus = fake().nr_vcpus;
  return fake().result("nr_vcpus", text(d));
}
int xenforeignmemory_restrict(xenforeignmemory_handle*, domid_t d) {
  return fake().result("foreignmemory_restrict", text(d));
}
int xendevicemodel_restrict(xendevicemodel_handle*, domid_t d) {
  return fake().result("devicemodel_restrict", text(d));
}

xenforeignmemory_handle* xenforeignmemory_open(xentoollog_logger*, unsigned) {
  return fake().result("foreignmemory_open") == 0 ? some_handle<xenforeignmemory_handle>()
                                                  : nullptr;
}
int xenforeignmemory_close(xenforeignmemory_handle*) {
  return fake().result("foreignmemory_close");
}
void* xenforeignmemory_map(xenforeignmemory_handle*,
                           uint32_t d,
                           int prot,
                           size_t pages,
                           const xen_pfn_t arr[],
                           int err[]) {
  if (fake().result("foreignmemory_map", text(d, prot, pages, arr[0], arr[pages - 1])) != 0) {
    return nullptr;
  }
  for (std::size_t page = 0; page < pages; ++page) {
    const auto hole = fake().absent.find(arr[page]);
    err[page] = hole == fake().absent.end() ? 0 : hole->second;
  }
  void* const at =
      mmap(nullptr, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  fake().mapped.push_back(static_cast<std::byte*>(at));
  return at;
}
int xenforeignmemory_unmap(xenforeignmemory_handle*, void* at, size_t pages) {
  std::erase(fake().mapped, static_cast<std::byte*>(at));
  munmap(at, pages * 4096);
  return fake().result("foreignmemory_unmap", text(pages));
}
xenforeignmemory_resource_handle* xenforeignmemory_map_resource(xenforeignmemory_handle*,
                                                                domid_t d,
                                                                unsigned type,
                                                                unsigned id,
                                                                unsigned long frame,
                                                                unsigned long nr,
                                                                void** at,
                                                                int prot,
                                                                int flags) {
  if (fake().result("map_resource", text(d, type, id, frame, nr, prot, flags)) != 0) {
    return nullptr;
  }
  *at = fake().slots.data();
  return some_handle<xenforeignmemory_resource_handle>();
}
int xenforeignmemory_unmap_resource(xenforeignmemory_handle*, xenforeignmemory_resource_handle*) {
  return fake().result("unmap_resource");
}

int xenevtchn_restrict(xenevtchn_handle*, domid_t d) {
  return fake().result("evtchn_restrict", text(d));
}
xenevtchn_handle* xenevtchn_open(xentoollog_logger*, unsigned) {
  return fake().result("evtchn_open") == 0 ? some_handle<xenevtchn_handle>() : nullptr;
}
int xenevtchn_close(xenevtchn_handle*) {
  return fake().result("evtchn_close");
}
int xenevtchn_fd(xenevtchn_handle*) {
  return fake().evtchn_fd;
}
xengnttab_handle* xengnttab_open(xentoollog_logger*, unsigned) {
  return fake().result("gnttab_open") == 0 ? some_handle<xengnttab_handle>() : nullptr;
}
int xengnttab_close(xengnttab_handle*) {
  return fake().result("gnttab_close");
}
void* xengnttab_map_domain_grant_refs(
    xengnttab_handle*, uint32_t count, uint32_t d, uint32_t* refs, int prot) {
  if (fake().result("map_grants", text(count, d, refs[0], refs[count - 1], prot)) != 0) {
    return nullptr;
  }
  void* const at =
      mmap(nullptr, count * 4096UL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  fake().mapped.push_back(static_cast<std::byte*>(at));
  return at;
}
int xengnttab_unmap(xengnttab_handle*, void* at, uint32_t count) {
  std::erase(fake().mapped, static_cast<std::byte*>(at));
  munmap(at, count * 4096UL);
  return fake().result("unmap_grants", text(count));
}
int xenevtchn_unbind(xenevtchn_handle*, evtchn_port_t port) {
  return fake().result("evtchn_unbind", text(port));
}
int xenevtchn_notify(xenevtchn_handle*, evtchn_port_t port) {
  return fake().result("evtchn_notify", text(port));
}
xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle*,
                                                     uint32_t d,
                                                     evtchn_port_t remote) {
  if (fake().result("bind_interdomain", text(d, remote)) != 0) {
    return -1;
  }
  return static_cast<int>(remote) - 90;
}

xenevtchn_port_or_error_t xenevtchn_bind_unbound_port(xenevtchn_handle*, uint32_t d) {
  return fake().result("bind_unbound_port", text(d)) == 0 ? 55 : -1;
}

xengntshr_handle* xengntshr_open(xentoollog_logger*, unsigned) {
  return fake().result("gntshr_open") == 0 ? some_handle<xengntshr_handle>() : nullptr;
}
int xengntshr_close(xengntshr_handle*) {
  return fake().result("gntshr_close");
}
void* xengntshr_share_page_notify(xengntshr_handle*,
                                  uint32_t d,
                                  uint32_t* ref,
                                  int writable,
                                  uint32_t notify_offset,
                                  evtchn_port_t port) {
  if (fake().result("share_page_notify", text(d, writable, notify_offset, port)) != 0) {
    return nullptr;
  }
  *ref = fake().next_grant++;
  return mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
int xengntshr_unshare(xengntshr_handle*, void* at, uint32_t count) {
  munmap(at, count * 4096U);
  return fake().result("unshare", text(count));
}

int xentoolcore_restrict_all(domid_t d) {
  return fake().result("restrict_all", text(d));
}

xencall_handle* xencall_open(xentoollog_logger*, unsigned) {
  return fake().result("xencall_open") == 0 ? some_handle<xencall_handle>() : nullptr;
}
int xencall_close(xencall_handle*) {
  return fake().result("xencall_close");
}
void* xencall_alloc_buffer(xencall_handle*, size_t size) {
  return std::malloc(size);
}
void xencall_free_buffer(xencall_handle*, void* buffer) {
  std::free(buffer);
}
int xencall2(xencall_handle*, unsigned op, uint64_t command, uint64_t argument) {
  if (op == __HYPERVISOR_memory_op) {
    xen_memory_reservation asked{};
    std::memcpy(&asked, reinterpret_cast<const void*>(argument), sizeof asked);
    const xen_pfn_t first = asked.nr_extents != 0 ? *asked.extent_start.p : 0;
    if (fake().result("memory_op", text(command, asked.domid, asked.extent_order, asked.nr_extents,
                                        first)) != 0) {
      return -1;
    }
    const auto given = fake().populated.find(asked.extent_order);
    return given == fake().populated.end() ? static_cast<int>(asked.nr_extents) : given->second;
  }
  std::memcpy(fake().hvm_param.data(), reinterpret_cast<const void*>(argument), 16);
  return fake().result("xencall2", text(op, command));
}

}  // extern "C"
