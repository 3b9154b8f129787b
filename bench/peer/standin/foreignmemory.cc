// SPDX-License-Identifier: MIT
// Stand-in for libxenforeignmemory: guest memory is a file, so a mapping is one mmap (an mmap and
// an ioctl on Xen). Pages are populated at once, as Xen's are.
#include "common.h"

using namespace peer;

extern "C" {

struct xenforeignmemory_handle {
  Control* control;
  int ram;
  int slots;
};
struct xenforeignmemory_resource_handle {
  void* at;
  std::size_t size;
};

void* xenforeignmemory_open(void*, unsigned) {
  auto* const handle =
      static_cast<xenforeignmemory_handle*>(calloc(1, sizeof(xenforeignmemory_handle)));
  if (handle == nullptr || (handle->control = map_control()) == nullptr) {
    return nullptr;
  }
  handle->ram = open_file("ram");
  handle->slots = open_file("slots");
  return handle;
}
int xenforeignmemory_close(xenforeignmemory_handle* h) {
  munmap(h->control, sizeof(Control));
  close(h->ram);
  close(h->slots);
  free(h);
  return 0;
}
int xenforeignmemory_restrict(xenforeignmemory_handle* h, std::uint16_t) {
  one_system_call(h->ram);
  return 0;
}

void* xenforeignmemory_map2(xenforeignmemory_handle* h,
                            std::uint32_t,
                            void* hint,
                            int prot,
                            int flags,
                            std::size_t pages,
                            const std::uint64_t frames[],
                            int errors[]) {
  std::size_t holes = 0;
  bool contiguous = true;
  for (std::size_t page = 0; page < pages; ++page) {
    const bool hole = frames[page] >= h->control->ram_pages;
    holes += hole ? 1 : 0;
    contiguous = contiguous && frames[page] == frames[0] + page;
    if (errors != nullptr) {
      errors[page] = hole ? -EINVAL : 0;
    }
  }
  if (holes != 0 && errors == nullptr) {
    errno = EINVAL;
    return nullptr;
  }
  h->control->mapped_pages += static_cast<std::uint32_t>(pages);
  if (contiguous && holes < pages) {
    void* const at =
        mmap(hint, pages * 4096, prot, flags | MAP_SHARED | (holes == 0 ? MAP_POPULATE : 0), h->ram,
             static_cast<off_t>(frames[0] * 4096));
    return at == MAP_FAILED ? nullptr : at;
  }
  void* const at = mmap(hint, pages * 4096, PROT_NONE, flags | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) {
    return nullptr;
  }
  for (std::size_t page = 0; page < pages && holes < pages; ++page) {
    if (frames[page] < h->control->ram_pages) {
      mmap(static_cast<char*>(at) + page * 4096, 4096, prot, MAP_SHARED | MAP_FIXED | MAP_POPULATE,
           h->ram, static_cast<off_t>(frames[page] * 4096));
    }
  }
  return at;
}
void* xenforeignmemory_map(xenforeignmemory_handle* h,
                           std::uint32_t domain,
                           int prot,
                           std::size_t pages,
                           const std::uint64_t frames[],
                           int errors[]) {
  return xenforeignmemory_map2(h, domain, nullptr, prot, 0, pages, frames, errors);
}
int xenforeignmemory_unmap(xenforeignmemory_handle* h, void* at, std::size_t pages) {
  h->control->unmapped_pages += static_cast<std::uint32_t>(pages);
  return munmap(at, pages * 4096);
}

void* xenforeignmemory_map_resource(xenforeignmemory_handle* h,
                                    std::uint16_t,
                                    unsigned type,
                                    unsigned,
                                    unsigned long frame,
                                    unsigned long count,
                                    void** at,
                                    int prot,
                                    int flags) {
  if (type != 0 || frame + count > 2) {
    errno = EINVAL;
    return nullptr;
  }
  void* const page = mmap(*at, count * 4096, prot, flags | MAP_SHARED | MAP_POPULATE, h->slots,
                          static_cast<off_t>(frame * 4096));
  auto* const resource = static_cast<xenforeignmemory_resource_handle*>(
      malloc(sizeof(xenforeignmemory_resource_handle)));
  if (page == MAP_FAILED || resource == nullptr) {
    return nullptr;
  }
  *resource = {.at = page, .size = count * 4096};
  *at = page;
  return resource;
}
int xenforeignmemory_unmap_resource(xenforeignmemory_handle*,
                                    xenforeignmemory_resource_handle* resource) {
  munmap(resource->at, resource->size);
  free(resource);
  return 0;
}

}  // extern "C"
