// SPDX-License-Identifier: MIT
#include "platform/sim/sim_platform.h"

#include "core/addr.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>

namespace dm::sim {

namespace {
constexpr std::size_t kWindowBytes = kWindowPages * kPageSize;
}

SimMemory::SimMemory(std::size_t bytes)
    : size_{bytes},
      reserved_{(bytes + kWindowBytes - 1) / kWindowBytes * kWindowBytes},
      present_(bytes / kPageSize, true) {
  void* const at = ::mmap(nullptr, reserved_, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) {
    throw std::bad_alloc{};
  }
  base_ = static_cast<std::byte*>(at);
}

SimMemory::~SimMemory() {
  ::munmap(base_, reserved_);
}

std::byte* SimMemory::map(std::uint64_t number, WindowPages& present) noexcept {
  ++calls_;
  const std::uint64_t first = number * kWindowPages;
  present.reset();
  for (std::size_t page = 0; page < kWindowPages && first + page < present_.size(); ++page) {
    present[page] = present_[first + page];
  }
  if (present.none()) {
    return nullptr;
  }
  ++mapped_;
  return base_ + number * kWindowBytes;
}

void SimMemory::unmap(std::byte* /*window*/) noexcept {
  --mapped_;
}

void SimIrqs::set(Input& input, bool level) noexcept {
  if (input.level == level) {
    ++redundant_;
    return;
  }
  input.level = level;
  input.edges += level ? 1U : 0U;
}
void SimIrqs::set_isa_level(std::uint8_t irq, bool level) noexcept {
  set(isa_[irq], level);
}
void SimIrqs::set_intx_level(std::uint8_t device, std::uint8_t pin, bool level) noexcept {
  set(intx_[device * 4U + pin], level);
}

bool SimClaims::claim(Ranges& set, MmioRange range) noexcept {
  if (std::ranges::any_of(set, [&](const MmioRange& held) { return held.overlaps(range); })) {
    return false;
  }
  set.push_back(range);
  return true;
}

void SimClaims::release(Ranges& set, MmioRange range) noexcept {
  const auto removed = std::erase_if(set, [&](const MmioRange& held) {
    return held.first == range.first && held.last == range.last;
  });
  errors_ += removed == 0 ? 1U : 0U;
}

bool SimClaims::claim_pci(PciBdf function) noexcept {
  return claim(pci_, {function.devfn(), function.devfn()});
}
void SimClaims::release_pci(PciBdf function) noexcept {
  release(pci_, {function.devfn(), function.devfn()});
}

}  // namespace dm::sim
