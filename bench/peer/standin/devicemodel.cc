// SPDX-License-Identifier: MIT
// Stand-in for libxendevicemodel: each operation is one real system call, as it is one ioctl on
// Xen.
#include "common.h"

using namespace peer;

extern "C" {

struct xendevicemodel_handle {
  Control* control;
  Connection link;
};

void* xendevicemodel_open(void*, unsigned) {
  auto* const handle =
      static_cast<xendevicemodel_handle*>(calloc(1, sizeof(xendevicemodel_handle)));
  if (handle == nullptr || (handle->control = map_control()) == nullptr ||
      !connect_guest(*handle->control, handle->link)) {
    return nullptr;
  }
  return handle;
}
int xendevicemodel_close(xendevicemodel_handle* h) {
  munmap(h->control, sizeof(Control));
  disconnect_guest(h->link);
  free(h);
  return 0;
}
int xendevicemodel_restrict(xendevicemodel_handle* h, std::uint16_t) {
  one_system_call(h->link.events);
  return 0;
}

int xendevicemodel_create_ioreq_server(xendevicemodel_handle* h,
                                       std::uint16_t,
                                       int,
                                       std::uint16_t* id) {
  one_system_call(h->link.events);
  h->control->server_exists = 1;
  *id = 1;
  return 0;
}
int xendevicemodel_destroy_ioreq_server(xendevicemodel_handle* h, std::uint16_t, std::uint16_t) {
  wake_guest(h->link.wake);
  h->control->server_exists = 0;
  return 0;
}
int xendevicemodel_get_ioreq_server_info(xendevicemodel_handle* h,
                                         std::uint16_t,
                                         std::uint16_t,
                                         std::uint64_t*,
                                         std::uint64_t*,
                                         std::uint32_t* port) {
  one_system_call(h->link.events);
  if (port != nullptr) {
    *port = kBufferedPort;
  }
  return 0;
}
int xendevicemodel_set_ioreq_server_state(xendevicemodel_handle* h,
                                          std::uint16_t,
                                          std::uint16_t,
                                          int enabled) {
  // Xen fills vp_eport of every vCPU now.
  const int file = open_file("slots");
  const std::uint32_t port = kRemotePort;
  const bool filled = pwrite(file, &port, sizeof port, 4096 + 24) == sizeof port;
  close(file);
  h->control->enabled = enabled != 0 ? 1 : 0;
  return filled ? 0 : -1;
}

static int add(xendevicemodel_handle* h,
               std::uint32_t kind,
               std::uint64_t first,
               std::uint64_t last) {
  one_system_call(h->link.events);
  Range* room = nullptr;
  for (Range& range : h->control->ranges) {
    if (range.kind == range_free) {
      room = room == nullptr ? &range : room;
    } else if (range.kind == kind && range.first <= last && first <= range.last) {
      errno = EEXIST;
      return -1;
    }
  }
  if (room == nullptr) {
    errno = ENOMEM;
    return -1;
  }
  room->first = first;
  room->last = last;
  room->kind = kind;
  return 0;
}
static int take(xendevicemodel_handle* h,
                std::uint32_t kind,
                std::uint64_t first,
                std::uint64_t last) {
  one_system_call(h->link.events);
  for (Range& range : h->control->ranges) {
    if (range.kind == kind && range.first == first && range.last == last) {
      range.kind = range_free;
      return 0;
    }
  }
  errno = ENOENT;
  return -1;
}
int xendevicemodel_map_io_range_to_ioreq_server(xendevicemodel_handle* h,
                                                std::uint16_t,
                                                std::uint16_t,
                                                int mmio,
                                                std::uint64_t first,
                                                std::uint64_t last) {
  return add(h, mmio != 0 ? range_mmio : range_port, first, last);
}
int xendevicemodel_unmap_io_range_from_ioreq_server(xendevicemodel_handle* h,
                                                    std::uint16_t,
                                                    std::uint16_t,
                                                    int mmio,
                                                    std::uint64_t first,
                                                    std::uint64_t last) {
  return take(h, mmio != 0 ? range_mmio : range_port, first, last);
}
int xendevicemodel_map_pcidev_to_ioreq_server(xendevicemodel_handle* h,
                                              std::uint16_t,
                                              std::uint16_t,
                                              std::uint16_t,
                                              std::uint8_t,
                                              std::uint8_t device,
                                              std::uint8_t function) {
  const unsigned devfn = device * 8U + function;
  return add(h, range_pci, devfn, devfn);
}
int xendevicemodel_unmap_pcidev_from_ioreq_server(xendevicemodel_handle* h,
                                                  std::uint16_t,
                                                  std::uint16_t,
                                                  std::uint16_t,
                                                  std::uint8_t,
                                                  std::uint8_t device,
                                                  std::uint8_t function) {
  const unsigned devfn = device * 8U + function;
  return take(h, range_pci, devfn, devfn);
}

int xendevicemodel_set_isa_irq_level(xendevicemodel_handle* h,
                                     std::uint16_t,
                                     std::uint8_t irq,
                                     unsigned level) {
  h->control->isa_level[irq & 15U].store(level != 0 ? 1 : 0, std::memory_order_release);
  wake_guest(h->link.wake);
  return 0;
}
int xendevicemodel_set_pci_intx_level(xendevicemodel_handle* h,
                                      std::uint16_t,
                                      std::uint16_t,
                                      std::uint8_t,
                                      std::uint8_t device,
                                      std::uint8_t pin,
                                      unsigned level) {
  h->control->intx_level[(device & 31U) * 4U + (pin & 3U)].store(level != 0 ? 1 : 0,
                                                                 std::memory_order_release);
  wake_guest(h->link.wake);
  return 0;
}
int xendevicemodel_set_pci_link_route(xendevicemodel_handle* h,
                                      std::uint16_t,
                                      std::uint8_t link,
                                      std::uint8_t irq) {
  one_system_call(h->link.events);
  h->control->link_route[link & 3U] = irq;
  return 0;
}
int xendevicemodel_inject_msi(xendevicemodel_handle* h,
                              std::uint16_t,
                              std::uint64_t,
                              std::uint32_t) {
  one_system_call(h->link.events);
  return 0;
}
int xendevicemodel_track_dirty_vram(
    xendevicemodel_handle* h, std::uint16_t, std::uint64_t, std::uint32_t, unsigned long*) {
  one_system_call(h->link.events);
  return 0;
}
int xendevicemodel_modified_memory(xendevicemodel_handle* h,
                                   std::uint16_t,
                                   std::uint64_t,
                                   std::uint32_t) {
  one_system_call(h->link.events);
  return 0;
}
int xendevicemodel_modified_memory_bulk(xendevicemodel_handle* h,
                                        std::uint16_t,
                                        void*,
                                        std::uint32_t) {
  one_system_call(h->link.events);
  return 0;
}
int xendevicemodel_set_mem_type(
    xendevicemodel_handle* h, std::uint16_t, int, std::uint64_t, std::uint32_t) {
  one_system_call(h->link.events);
  return 0;
}
int xendevicemodel_shutdown(xendevicemodel_handle* h, std::uint16_t, unsigned reason) {
  h->control->shutdown = reason + 1;
  wake_guest(h->link.wake);
  return 0;
}
int xendevicemodel_relocate_memory(
    xendevicemodel_handle* h, std::uint16_t, std::uint32_t, std::uint64_t, std::uint64_t) {
  one_system_call(h->link.events);
  return 0;
}
int xendevicemodel_pin_memory_cacheattr(
    xendevicemodel_handle* h, std::uint16_t, std::uint64_t, std::uint64_t, std::uint32_t) {
  one_system_call(h->link.events);
  return 0;
}
int xendevicemodel_nr_vcpus(xendevicemodel_handle* h, std::uint16_t, unsigned* vcpus) {
  one_system_call(h->link.events);
  *vcpus = 1;
  return 0;
}

}  // extern "C"
