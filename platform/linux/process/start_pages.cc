// SPDX-License-Identifier: MIT
#include "platform/linux/process/start_pages.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace dm::host {

namespace {

/// Segments that were never writable have nothing in memory that is not in their file. Where
/// relocations went (RELRO) the program header still says writable.
int drop_constant_segments(dl_phdr_info* object, std::size_t /*size*/, void* page_size) noexcept {
  const std::uintptr_t page = *static_cast<const std::uintptr_t*>(page_size);
  for (const ElfW(Phdr) & segment : std::span{object->dlpi_phdr, object->dlpi_phnum}) {
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) {
      continue;
    }
    const std::uintptr_t begin = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
    const std::uintptr_t end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    // Refused for the kernel's own object (vdso), which is no file: it stays as it is.
    static_cast<void>(
        ::madvise(reinterpret_cast<void*>(begin),  // NOLINT(performance-no-int-to-ptr)
                  end - begin, MADV_DONTNEED));
  }
  return 0;
}

}  // namespace

void drop_start_pages() noexcept {
  auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  static_cast<void>(::dl_iterate_phdr(&drop_constant_segments, &page));
}

}  // namespace dm::host
