// SPDX-License-Identifier: MIT
// Prints the programs of screens.cc as commands of QEMU's qtest protocol, for screens_of_qemu.py: a
// line "screen NAME" before each program.
#include "tests/unit/devices/vga/screens.h"

#include <iostream>

namespace dm::test {
namespace {

class Recorder final : public rig::GuestInstructions {
 public:
  using GuestInstructions::send;
  std::uint64_t send(const rig::RawRequest& r, unsigned /*vcpu*/) override {
    constexpr std::uint8_t kPort = 0;
    constexpr std::uint8_t kMemory = 1;
    if (r.type == kPort) {
      access(r.read ? "in" : "out", "?bw?l"[r.size], r);
    } else if (r.type == kMemory) {
      access(r.read ? "read" : "write", "?bw?l???q"[r.size], r);
    } else {
      configure(r);
    }
    return 0;
  }

 private:
  static void access(const char* what, char size, const rig::RawRequest& r) {
    std::cout << what << size << " 0x" << std::hex << r.addr;
    if (!r.read) {
      std::cout << " 0x" << (r.data & all_ones(static_cast<std::uint8_t>(r.size)));
    }
    std::cout << std::dec << '\n';
  }
  /// By mechanism 1.
  void configure(const rig::RawRequest& r) {
    const auto address = static_cast<std::uint32_t>(r.addr & 0xfcU);
    outl(0xcf8, 0x80000000U | static_cast<std::uint32_t>(r.addr >> 32U << 8U) | address);
    pio_write(0xcfc + (r.addr & 3U), static_cast<std::uint8_t>(r.size), r.data);
  }
};

}  // namespace
}  // namespace dm::test

int main() {
  using namespace dm;  // NOLINT(google-build-using-namespace): a program of a few lines
  for (const test::Screen& screen : test::screens()) {
    std::cout << "screen " << screen.name << '\n';
    test::Recorder guest;
    drivers::VgaDriver driver{guest, {.device = 3}};
    driver.map();
    screen.make(guest, driver);
  }
}
