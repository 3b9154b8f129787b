// SPDX-License-Identifier: MIT
// Any device through what core/device.h asks of it, and through its ports. An input is a byte that
// says which machine, a byte that says which of its devices, and a program of the guest, of time
// and of the machine's owner. It knows no device: one that is added to a machine is fuzzed.
#include "ioreq/machine/json_inspector.h"
#include "ioreq/machine/machine_state.h"
#include "tests/fuzz/fuzz_pc.h"
#include "tests/rig/more_devices.h"

#include <boost/json/object.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace dm::fuzz {

namespace {

class Program {
 public:
  explicit Program(Input in) : in_{in}, shape_{in_.byte()}, pc_{make()} {
    pc_->set_up_as_firmware_does();
    device_ = in_.below(pc_->machine().devices().size());
  }

  void run() {
    constexpr unsigned kMostSteps = 200;
    for (unsigned i = 0; i < kMostSteps && !in_.empty(); ++i) {
      step();
      if (!paused_) {
        pc_->resume();  // changes nothing, and what was asked here is no cost of a request
      }
      pc_->check();
    }
    if (!paused_) {
      pc_->pause();
    }
    move();
    pc_->resume();
    pc_->let_everything_end();
  }

 private:
  [[nodiscard]] std::unique_ptr<FuzzPc> make() const {
    return std::make_unique<FuzzPc>(shape_, rig::kMoreDevices);
  }
  [[nodiscard]] Device& device() const { return *pc_->machine().devices()[device_]; }

  void step() {
    constexpr std::size_t kSteps = 16;
    switch (const auto which = in_.below(kSteps); which) {
      case 0:
        paused_ = !paused_;
        paused_ ? pc_->pause() : pc_->resume();
        return;
      case 1:
        paused_ ? device().pause() : device().resume();  // a second time
        return;
      case 2:
        save_and_look();
        return;
      case 3:
        load_damaged();
        return;
      case 4:
        require(device().flush(), "what the images have taken can be made durable");
        return;
      case 5:
        device_ = in_.below(pc_->machine().devices().size());
        return;
      default:
        if (!paused_) {
          live(which);
        }
        return;
    }
  }

  /// What a device that is not paused may meet.
  void live(std::size_t which) {
    switch (which) {
      case 6:
        device().reset();
        return;
      case 7:
        device().wake();
        return;
      case 8:
        unplug();
        return;
      case 9:
        pc_->advance(std::chrono::microseconds{in_.take<std::uint16_t>()});
        pc_->turn();
        return;
      case 10:
        pc_->let_everything_end();
        return;
      case 11:
        configure();
        return;
      case 12:
        pc_->cable.deliver({}, in_.take<std::uint16_t>(), {});
        pc_->other_cable.deliver({}, in_.byte(), {});
        return;
      case 13:
        access_memory();
        return;
      default:
        access_ports();
        return;
    }
  }

  /// A place in one of the regions that are claimed now.
  template <class Regions>
  [[nodiscard]] std::uint64_t place_in(const Regions& regions) {
    std::size_t left = in_.byte();
    const std::uint64_t offset = in_.take<std::uint16_t>();
    std::size_t used = 0;
    for (const auto& region : regions) {
      used += region.used ? 1 : 0;
    }
    left %= used + 1;
    for (const auto& region : regions) {
      if (region.used && left-- == 0) {
        return region.range.first + offset % (region.range.last - region.range.first + 1U);
      }
    }
    return offset;  // of nobody's
  }

  void access_ports() {
    const auto port = static_cast<std::uint16_t>(place_in(pc_->machine().pio().regions()));
    const auto how = in_.byte();
    const auto size = static_cast<std::uint8_t>(1U << (how & 3U) % 3);
    if ((how & 4U) != 0) {
      const auto count = in_.byte();
      const auto where = Ram::address(in_);
      (how & 8U) != 0 ? pc_->rep_ins(port, size, where, count)
                      : pc_->rep_outs(port, size, where, count);
    } else if ((how & 8U) != 0) {
      (void)(size == 1 ? pc_->inb(port) : size == 2 ? pc_->inw(port) : pc_->inl(port));
    } else {
      const auto value = in_.take<std::uint32_t>();
      size == 1   ? pc_->outb(port, static_cast<std::uint8_t>(value))
      : size == 2 ? pc_->outw(port, static_cast<std::uint16_t>(value))
                  : pc_->outl(port, value);
    }
  }

  void access_memory() {
    const auto address = place_in(pc_->machine().mmio().regions());
    const auto how = in_.byte();
    const auto size = static_cast<std::uint8_t>(1U << (how & 3U));
    if ((how & 8U) != 0) {
      (void)pc_->mmio_read(address, size);
    } else {
      pc_->mmio_write(address, size, in_.take<std::uint32_t>());
    }
  }

  void configure() {
    const auto devfn = in_.byte();
    const PciBdf bdf{.device = static_cast<std::uint8_t>(devfn % 8),
                     .function = static_cast<std::uint8_t>(devfn / 8 % 4)};
    const auto offset = static_cast<std::uint8_t>(in_.byte() & 0xfcU);
    (void)pc_->config_read(bdf, offset, 4);
    pc_->config_write(bdf, offset, 4, in_.take<std::uint32_t>());
  }

  /// By the guest, so that the chipset knows of it, and by the owner once more.
  void unplug() {
    const auto mask = in_.byte();
    if (shape_.xen_platform) {
      pc_->outw(0x10, mask & 7U);
      require(device().unplug({.ide_disks = (mask & 1U) != 0,
                               .ide_secondary_disks = (mask & 4U) != 0,
                               .nics = (mask & 2U) != 0}),
              "what has left has left");
    }
  }

  void save_and_look() {
    boost::json::object all;
    JsonInspector to{all};
    const auto before = paused_ ? device().save() : std::vector<std::byte>{};
    device().inspect(to);
    require(!paused_ || same_bytes(device().save(), before), "to look changes nothing");
    if (paused_) {
      move();
    }
  }

  /// Into a machine of the same kind, which goes on.
  void move() {
    auto other = pc_->moved();
    pc_ = std::move(other);
    paused_ = true;
  }

  /// One device's bytes, changed in one place or cut, in the file of the whole machine.
  void load_damaged() {
    if (!paused_) {
      pc_->pause();
      paused_ = true;
    }
    auto devices = read_saved_state(pc_->machine().save()).value();
    auto& bytes = devices[device_].bytes;
    const auto at = bytes.empty() ? 0 : in_.take<std::uint16_t>() % bytes.size();
    if (const auto flip = in_.byte(); flip != 0 && !bytes.empty()) {
      bytes[at] ^= static_cast<std::byte>(flip);
    } else {
      bytes.resize(at);
    }
    auto other = make();
    if (other->load_hostile(write_saved_state(devices))) {
      pc_ = std::move(other);
    }
  }

  Input in_;
  Shape shape_;
  std::unique_ptr<FuzzPc> pc_;
  std::size_t device_ = 0;
  bool paused_ = false;
};

}  // namespace

}  // namespace dm::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dm::fuzz::Ram::get().reset();
  dm::fuzz::Program{dm::fuzz::Input{data, size}}.run();
  return 0;
}
