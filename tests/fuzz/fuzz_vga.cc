// SPDX-License-Identifier: MIT
// A graphics card alone, with its guest and a viewer. An input is a program: registers by ports and
// by BAR 2, the window, BARs that move, pictures that are drawn, saved states that are changed in a
// byte and loaded.
#include "devices/vga/picture.h"
#include "devices/vga/vga.h"
#include "platform/sim/sim_video.h"
#include "tests/fuzz/input.h"
#include "tests/rig/sim_guest.h"

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

namespace dm::fuzz {

namespace {

constexpr PciBdf kCard{.device = 3};
constexpr std::uint64_t kBar0 = 0xf1000000;
constexpr std::uint64_t kBar2 = 0xf2050000;
constexpr std::uint64_t kWindow = 0xa0000;
constexpr std::size_t kVideo = std::size_t{1} << 20;

class Program {
 public:
  explicit Program(Input in) : in_{in} {
    video_.take({0, 0xbfffffff});
    guest_.config_write(kCard, 0x10, 4, kBar0);
    guest_.config_write(kCard, 0x18, 4, kBar2);
    guest_.config_write(kCard, 0x04, 2, 3);
    guest_.outb(0x3c2, 0x67);
  }

  void run() {
    constexpr unsigned kMostSteps = 300;
    for (unsigned i = 0; i < kMostSteps && !in_.empty(); ++i) {
      step();
      require(vga::validate(card_->state()), "the card's state is valid");
      const Surface surface = vga::surface_of(card_->state());
      require(fits(surface), "a surface lies within video memory, or is small enough to draw");
    }
    look();
  }

 private:
  [[nodiscard]] static bool fits(const Surface& s) {
    switch (s.source) {
      case Surface::Source::nothing:
        return true;
      case Surface::Source::drawn:
        return s.stride == s.width && std::uint64_t{s.width} * s.height <= vga::kMostPixels;
      case Surface::Source::video_memory:
        return std::uint64_t{s.width} * bytes_of(s.format) <= s.stride &&
               s.offset + std::uint64_t{s.height} * s.stride <= kVideo;
    }
    return false;
  }

  void step() {
    constexpr std::size_t kSteps = 10;
    switch (in_.below(kSteps)) {
      case 0:
        indexed(0x3c4);
        return;
      case 1:
        indexed(0x3ce);
        return;
      case 2:
        indexed(0x3d4);
        return;
      case 3:
        guest_.outb(0x3c0, in_.byte());
        return;
      case 4:
        access_port();
        return;
      case 5:
        guest_.outw(0x1ce, in_.byte() % 12U);
        guest_.outw(0x1cf, in_.take<std::uint16_t>());
        return;
      case 6:
        access_memory(kWindow + in_.take<std::uint32_t>() % 0x20000);
        return;
      case 7:
        access_memory(kBar2 + in_.take<std::uint16_t>() % 0x1000U);
        return;
      case 8:
        configure();
        return;
      default:
        seldom();
        return;
    }
  }

  void indexed(std::uint16_t port) { guest_.outw(port, in_.take<std::uint16_t>()); }

  void access_port() {
    const auto port = static_cast<std::uint16_t>(0x3b0 + in_.below(0x30));
    const std::uint8_t how = in_.byte();
    const auto size = static_cast<std::uint8_t>(1U << (how & 3U) % 3);
    if ((how & 4U) != 0) {
      guest_.pio_write(port, size, in_.take<std::uint32_t>());
    } else {
      (void)guest_.pio_read(port, size);
    }
  }

  void access_memory(std::uint64_t at) {
    const std::uint8_t how = in_.byte();
    const auto size = static_cast<std::uint8_t>(1U << (how & 3U));
    if ((how & 4U) != 0) {
      guest_.send({.addr = at,
                   .data = in_.take<std::uint32_t>(),
                   .count = 1U + (how >> 4U) * 16U,
                   .size = size,
                   .type = 1,
                   .descending = (how & 8U) != 0});
    } else {
      (void)guest_.mmio_read(at, size);
    }
  }

  void configure() {
    constexpr std::array<std::uint8_t, 4> kRegisters{0x04, 0x10, 0x18, 0x30};
    guest_.config_write(kCard, kRegisters.at(in_.below(4)), 4, in_.take<std::uint32_t>());
  }

  void seldom() {
    switch (in_.below(5)) {
      case 0:
        look();
        return;
      case 1:
        guest_.advance(std::chrono::milliseconds{in_.byte()});
        return;
      case 2:
        card_->wake();
        return;
      case 3:
        load_damaged();
        return;
      default:
        access_memory(kBar0 + in_.take<std::uint32_t>() % kVideo);
        return;
    }
  }

  /// A viewer comes. Drawing is dear, so it comes a few times.
  void look() {
    constexpr unsigned kMostLooks = 3;
    const vga::State before = card_->state();
    const Surface surface = vga::surface_of(before);
    if (surface.source != Surface::Source::drawn || looks_++ == kMostLooks) {
      return;
    }
    std::vector<std::uint8_t> pixels(std::size_t{surface.width} * surface.height);
    vga::draw(before, video_.bytes(), surface, pixels);
    vga::State after = card_->state();
    vga::State same = before;
    require(state::hash(after) == state::hash(same), "to look changes nothing");
  }

  void load_damaged() {
    vga::State now = card_->state();
    auto bytes = state::save(now);
    vga::State read;
    require(state::load(bytes, read) && card_->restore(read), "what was saved is loaded");
    vga::State again = card_->state();
    require(state::hash(again) == state::hash(now), "and is the same");
    bytes[in_.take<std::uint16_t>() % bytes.size()] ^= std::byte{in_.byte()};
    if (state::load(bytes, read)) {
      (void)card_->restore(read);
    }
  }

  Input in_;
  rig::SimGuest guest_{{.ram = std::size_t{1} << 20}};
  sim::SimVideoMemory video_{kVideo};
  std::unique_ptr<vga::Vga> card_ = vga::Vga::create({.where = kCard, .monitor = {}, .rom = {}},
                                                     {.pci = guest_.pci(),
                                                      .pio = guest_.pio(),
                                                      .mmio = guest_.mmio(),
                                                      .memory = guest_.memory(),
                                                      .timers = guest_.timers(),
                                                      .video = video_})
                                        .value();
  unsigned looks_ = 0;
};

}  // namespace

}  // namespace dm::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dm::fuzz::Program{dm::fuzz::Input{data, size}}.run();
  return 0;
}
