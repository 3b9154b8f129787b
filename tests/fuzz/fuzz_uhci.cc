// SPDX-License-Identifier: MIT
// A USB controller alone, with a tablet and a keyboard. An input is a program: registers, lists in
// memory and out of it, whole and broken transfers, what a person does, time, saved states that are
// changed in a byte and loaded.
#include "core/bounds.h"
#include "devices/usb/piix3_uhci.h"
#include "tests/fuzz/input.h"
#include "tests/rig/sim_guest.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>

namespace dm::fuzz {

namespace {

constexpr PciBdf kController{.device = 1, .function = 2};
constexpr std::uint16_t kPorts = 0xc040;
constexpr std::uint32_t kFrames = 0x1000;
/// Queue heads and transfer descriptors lie here, 16 bytes each, and data behind them.
constexpr std::uint32_t kLists = 0x2000;
constexpr std::uint32_t kPlaces = 32;
constexpr std::uint32_t kData = 0x4000;

class Program {
 public:
  explicit Program(Input in) : in_{in} {
    guest_.config_write(kController, 0x20, 4, kPorts);
    guest_.config_write(kController, 0x04, 2, 5);
    for (std::uint32_t i = 0; i < 1024; ++i) {
      guest_.poke(kFrames + 4 * i, link(static_cast<std::uint8_t>(i % 8)));
    }
    guest_.pio_write(kPorts + 8, 4, kFrames);
    guest_.outw(kPorts + 4, 0xf);
    guest_.outw(kPorts + 0x10, 4);
    guest_.outw(kPorts + 0x12, 4);
    guest_.outw(kPorts, 0xc1);
  }

  void run() {
    constexpr unsigned kMostSteps = 300;
    for (unsigned i = 0; i < kMostSteps && !in_.empty(); ++i) {
      step();
      require(usb::validate(uhci_->state()), "the controller's state is valid");
      const Cost& worst = guest_.work().meter().worst_unit();
      require(worst.maps <= bounds::kMapsPerUnit, "a frame maps no more than a unit may");
      require(guest_.work().empty(), "frames that are caught up come to an end");
    }
  }

 private:
  /// To one of the places, or anywhere.
  [[nodiscard]] std::uint32_t link(std::uint8_t choice) {
    if (choice == 0xff) {
      return in_.take<std::uint32_t>();
    }
    const std::uint32_t flags = (choice >> 5U) ^ 2U;  // most lead to a queue
    return (kLists + 16 * (choice % kPlaces)) | (flags & 7U);
  }

  void step() {
    switch (in_.below(8)) {
      case 0:
        access_port();
        return;
      case 1:
        put_queue();
        return;
      case 2:
        put_descriptor();
        return;
      case 3:
        setup();
        return;
      case 4:
        guest_.advance(std::chrono::milliseconds{in_.byte() % 64U});
        return;
      case 5:
        person();
        return;
      case 6:
        guest_.poke(kFrames + 4 * (in_.take<std::uint16_t>() % 1024U), link(in_.byte()));
        return;
      default:
        seldom();
        return;
    }
  }

  void access_port() {
    const std::uint8_t how = in_.byte();
    const auto size = static_cast<std::uint8_t>(1U << (how & 3U) % 3);
    const auto port = static_cast<std::uint16_t>(kPorts + (how >> 3U));
    if ((how & 4U) != 0) {
      guest_.pio_write(port, size, in_.take<std::uint32_t>());
    } else {
      (void)guest_.pio_read(port, size);
    }
  }

  void put_queue() {
    const std::uint32_t at = kLists + 16 * (in_.byte() % kPlaces);
    guest_.poke(at, link(in_.byte()));
    guest_.poke(at + 4, link(in_.byte()));
  }

  void put_descriptor() {
    constexpr std::array<std::uint32_t, 4> kPids{0x69, 0xe1, 0x2d, 0x00};
    const std::uint32_t at = kLists + 16 * (in_.byte() % kPlaces);
    const std::uint8_t how = in_.byte();
    const std::uint32_t length = (how & 0x80U) != 0 ? in_.take<std::uint16_t>() : 7U;
    const std::uint32_t address = (how & 0x40U) != 0 ? in_.byte() & 0x7fU : 0U;
    const std::uint32_t token = length << 21U | (how >> 2U & 1U) << 19U | (how >> 3U & 1U) << 15U |
                                address << 8U | kPids.at(how & 3U);
    guest_.poke(at, link(in_.byte()));
    guest_.poke(at + 4, 0x1d800000U | (how & 0x10U) << 25U);
    guest_.poke(at + 8, token);
    guest_.poke(at + 12, (how & 0x20U) != 0 ? in_.take<std::uint32_t>() : kData);
  }

  void setup() {
    for (std::uint32_t i = 0; i < 8; ++i) {
      guest_.poke(kData + i, in_.byte());
    }
  }

  void person() {
    const std::uint8_t how = in_.byte();
    usb::HidDevice& device = *uhci_->device(how & 1U);
    switch (how >> 1U & 3U) {
      case 0:
        device.pointer(in_.take<std::uint16_t>(), in_.take<std::uint16_t>(), in_.byte());
        break;
      case 1:
        device.pointer_by(in_.take<std::int32_t>(), in_.take<std::int32_t>(), in_.byte());
        break;
      default:
        device.key(in_.byte(), (how & 8U) != 0);
        break;
    }
    (void)device.ready();
    guest_.run_work();
  }

  void seldom() {
    switch (in_.below(4)) {
      case 0:
        guest_.config_write(kController, 0x04, 2, in_.byte());
        return;
      case 1:
        uhci_->reset();
        return;
      case 2:
        uhci_->wake();
        return;
      default:
        load_damaged();
        return;
    }
  }

  void load_damaged() {
    uhci_->pause();
    usb::UhciState now = uhci_->state();
    auto bytes = state::save(now);
    usb::UhciState read;
    require(state::load(bytes, read) && uhci_->restore(read), "what was saved is loaded");
    usb::UhciState again = uhci_->state();
    require(state::hash(again) == state::hash(now), "and is the same");
    bytes[in_.take<std::uint16_t>() % bytes.size()] ^= std::byte{in_.byte()};
    if (state::load(bytes, read)) {
      (void)uhci_->restore(read);
    }
    uhci_->resume();
    guest_.run_work();
  }

  Input in_;
  rig::SimGuest guest_{{.ram = std::size_t{1} << 20}};
  std::unique_ptr<usb::Piix3Uhci> uhci_ =
      usb::Piix3Uhci::create({usb::HidKind::tablet, usb::HidKind::keyboard},
                             {.pio = guest_.pio(),
                              .mmio = guest_.mmio(),
                              .pci = guest_.pci(),
                              .irqs = guest_.irqs(),
                              .timers = guest_.timers(),
                              .work = guest_.work(),
                              .memory = guest_.memory()})
          .value();
};

}  // namespace

}  // namespace dm::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dm::fuzz::Program{dm::fuzz::Input{data, size}}.run();
  return 0;
}
