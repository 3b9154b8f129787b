// SPDX-License-Identifier: MIT
#include "tests/fuzz/fuzz_host.h"

#include "core/addr.h"

#include <sys/mman.h>

#include <algorithm>

namespace dm::fuzz {

namespace {
constexpr std::size_t kWindowBytes = kWindowPages * kPageSize;
}

Ram& Ram::get() {
  static Ram ram;
  return ram;
}

Ram::Ram() {
  void* const at = ::mmap(nullptr, kWindows * kWindowBytes, PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  require(at != MAP_FAILED, "there is address space for the guest's memory");
  base_ = static_cast<std::byte*>(at);
  for (const Island& island : kIslands) {
    require(::mprotect(base_ + island.first_gfn * kPageSize, island.pages * kPageSize,
                       PROT_READ | PROT_WRITE) == 0,
            "there is memory for the guest");
  }
}

void Ram::reset() {
  for (WindowPages& window : present_) {
    window.reset();
  }
  for (const Island& island : kIslands) {
    std::fill_n(base_ + island.first_gfn * kPageSize, island.pages * kPageSize, std::byte{});
    for (std::uint64_t gfn = island.first_gfn; gfn < island.first_gfn + island.pages; ++gfn) {
      set_present(gfn, true);
    }
  }
}

std::uint64_t Ram::address(Input& in) noexcept {
  const auto place = in.take<std::uint16_t>();
  const Island& island = kIslands[(place & 3U) % kIslands.size()];
  const std::uint64_t page = in.byte() % island.pages;
  return (island.first_gfn + page) * kPageSize + (place >> 2U & (kPageSize - 1));
}

std::size_t Ram::room(std::uint64_t gpa) noexcept {
  for (const Island& island : kIslands) {
    const std::uint64_t first = island.first_gfn * kPageSize;
    if (gpa >= first && gpa - first < island.pages * kPageSize) {
      return island.pages * kPageSize - (gpa - first);
    }
  }
  return 0;
}

void Ram::set_present(std::uint64_t gfn, bool present) noexcept {
  present_[gfn / kWindowPages][gfn % kWindowPages] = present;
}

std::byte* FuzzMemory::map(std::uint64_t number, WindowPages& present) noexcept {
  ++host_calls.maps;
  if (number >= Ram::kWindows || Ram::get().present(number).none()) {
    return nullptr;
  }
  present = Ram::get().present(number);
  ++mapped_;
  require(mapped_ <= kMostWindows, "no more windows are mapped than are allowed");
  return Ram::get().base() + number * kWindowBytes;
}

void FuzzMemory::unmap(std::byte* window) noexcept {
  const std::byte* const base = Ram::get().base();
  require(window >= base && window < base + Ram::kWindows * kWindowBytes && mapped_ != 0,
          "what is unmapped was mapped");
  --mapped_;
}

}  // namespace dm::fuzz

// Every execution makes a machine anew. Freed memory is kept apart for as long as one execution
// lasts, not for hundreds: what is warm in the cache is quicker.
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl*): the sanitizer's name for it
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "quarantine_size_mb=4:malloc_context_size=8";
}
// NOLINTEND(bugprone-reserved-identifier,cert-dcl*)
