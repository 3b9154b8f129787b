// SPDX-License-Identifier: MIT
// Whether a gate sees one instruction: the same way twice, to a device that has one more.

#include "bench/count.h"
#include "bench/keep.h"
#include "core/io/io_handler.h"
#include "tests/rig/sim_guest.h"

#include <cstdint>

namespace {

using dm::bench::count;
using dm::bench::keep;
using dm::bench::must;
using dm::bench::Row;

template <bool kOneMore>
struct SelfCheckDevice {
  std::uint64_t value = 0;
  std::uint64_t read(dm::IoAccess a) noexcept {
    if constexpr (kOneMore) {
      asm volatile("nop");
    }
    return value + a.offset;
  }
  void write(dm::IoAccess /*a*/, std::uint64_t v) noexcept { value = v; }
};
template <bool kOneMore>
void self_check() {
  using Device = SelfCheckDevice<kOneMore>;
  dm::rig::SimGuest guest;
  Device device;
  const auto claim = guest.pio().claim(
      {0x3f8, 0x3ff}, dm::IoHandler::bind<&Device::read, &Device::write>(device), "self-check");
  count([&] { keep(guest.inb(0x3fd)); });
  must(guest.inb(0x3fd) == 5);
}

constexpr Row kRows[]{
    {"self_check", self_check<false>},
    {"self_check_one_more", self_check<true>},
};

}  // namespace

int main(int argc, char** argv) {
  return dm::bench::run_row(kRows, argc, argv);
}
