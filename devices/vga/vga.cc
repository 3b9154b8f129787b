// SPDX-License-Identifier: MIT
#include "devices/vga/vga.h"

#include "core/state/show.h"

#include <chrono>
#include <exception>
#include <string>

namespace dm::vga {

namespace {

constexpr std::uint8_t kMemoryBar = 0;
constexpr std::uint8_t kRegisterBar = 2;
/// Where a PC has its I/O APIC: below it is the room for BARs.
constexpr std::uint64_t kIoApic = 0xfec00000;
constexpr unsigned kMovesPerSecond = 16;

[[nodiscard]] constexpr MmioRange bytes_from(std::uint64_t first, std::uint64_t size) noexcept {
  return {first, first + size - 1};
}

}  // namespace

Vga::Vga(const Setup& setup, const Ports& ports)
    : PciFunction{ports.pci, setup.where, "vga", Config{regs::ConfigMap{}}},
      ports_{ports},
      chip_{{.video = ports.video, .memory = ports.memory, .timers = ports.timers}, setup.monitor},
      retry_{Timer::bind<&Vga::on_retry>(ports.timers, *this)} {
  add_memory_bar(kMemoryBar, static_cast<std::uint32_t>(ports.video.bytes().size()),
                 IoHandler::bind<&Chip::read_memory, &Chip::write_memory>(chip_), "vga memory");
  add_bar(kRegisterBar, BarKind::memory, regs::bar2::kSize,
          IoHandler::bind<&Chip::read_registers, &Chip::write_registers>(chip_), "vga registers");
  if (!setup.rom.empty()) {
    add_rom(setup.rom, "vga rom");
  }
  ports_.mmio.set_movable(this);
}

Vga::~Vga() {
  ports_.mmio.set_movable(nullptr);
}

Result<std::unique_ptr<Vga>> Vga::create(const Setup& setup, const Ports& ports) {
  try {
    return std::unique_ptr<Vga>{new Vga{setup, ports}};
  } catch (const std::exception& e) {
    return fail("vga: ", e.what());
  }
}

void Vga::config_written(std::uint8_t /*offset*/, std::uint8_t /*size*/) noexcept {
  follow_command();
}

/// What the command register switches beside the BARs.
void Vga::follow_command() noexcept {
  using Command = pci::PCICMD<0>;
  const std::uint16_t command = config().get<Command>();
  const bool ports = pci::CommandBits::IOSE::test(command);
  const auto follow = [this](PioClaim& claim, bool on, PortRange range, IoHandler handler) {
    if (on && !claim.ok()) {
      claim = ports_.pio.claim(range, handler, "vga");
    } else if (!on) {
      claim = PioClaim{};
    }
  };
  follow(mono_, ports, {regs::port::kFirst, regs::port::kLastMono},
         IoHandler::bind<&Chip::read_mono, &Chip::write_mono>(chip_));
  follow(colour_, ports, {regs::port::kAttribute, regs::port::kLast},
         IoHandler::bind<&Chip::read_colour, &Chip::write_colour>(chip_));
  follow(dispi_, ports, {regs::port::kDispiIndex, regs::port::kDispiDataEven + 1},
         IoHandler::bind<&Chip::read_dispi, &Chip::write_dispi>(chip_));
  if (!pci::CommandBits::MSE::test(command)) {
    window_ = MmioClaim{};
  } else if (!window_.ok()) {
    window_ = ports_.mmio.claim(bytes_from(regs::kWindow, regs::kWindowSize),
                                IoHandler::bind<&Chip::read_window, &Chip::write_window>(chip_),
                                "vga window");
  }
}

/// Counts a move that is about to be made, if it can be made now.
bool Vga::may_move() noexcept {
  constexpr std::chrono::seconds kSecond{1};
  const GuestTime now = ports_.timers.now();
  if (now - second_ >= kSecond) {
    second_ = now;
    moves_in_second_ = 0;
  }
  if (moves_in_second_ == kMovesPerSecond) {
    retry_.arm(second_ + kSecond);
    ++counters_.delayed;
    return false;
  }
  ++moves_in_second_;
  return true;
}

bool Vga::move(Gpa to) noexcept {
  const bool moved = ports_.video.move(to);
  ++(moved ? counters_.moves : counters_.refused);
  return moved;
}

bool Vga::memory_wanted(std::uint8_t /*index*/, std::uint64_t base) noexcept {
  if (ports_.video.at().value == base) {
    return true;
  }
  if (base + ports_.video.bytes().size() > kIoApic) {
    ++counters_.refused;
    return false;
  }
  return may_move() && move(Gpa{base});
}

void Vga::make_room(MmioRange range) noexcept {
  const std::uint64_t size = ports_.video.bytes().size();
  const Gpa home = ports_.video.home();
  if (!bytes_from(ports_.video.at().value, size).overlaps(range)) {
    return;
  }
  const bool room_at_home = !bytes_from(home.value, size).overlaps(range);
  if (!room_at_home || !move(home)) {
    ++counters_.in_the_way;
  }
}

void Vga::reset() noexcept {
  retry_.cancel();
  chip_.reset();
  reset_config();
  follow_command();
  if (ports_.video.at() != ports_.video.home()) {
    static_cast<void>(move(ports_.video.home()));
  }
}

State Vga::state() const noexcept {
  State out = chip_.state();
  out.config = config().bytes();
  out.memory_frame = ports_.video.at().gfn();
  return out;
}

bool Vga::restore(const State& saved) noexcept {
  if (!validate(saved) || saved.memory_mib != chip_.state().memory_mib) {
    return false;
  }
  retry_.cancel();
  chip_.restore(saved);
  const Gpa place{saved.memory_frame << kPageShift};
  if (ports_.video.at() != place) {
    static_cast<void>(move(place));
  }
  // What had to wait for its move goes on waiting, so that a card that is loaded is the saved one.
  second_ = ports_.timers.now();
  moves_in_second_ = kMovesPerSecond;
  restore_config(saved.config);
  follow_command();
  return true;
}

Result<> Vga::fits(const State& saved, UnplugRequest& /*gone*/) const {
  if (saved.memory_mib != chip_.state().memory_mib) {
    return fail("videoram was ", std::to_string(saved.memory_mib), " (MiB) and is ",
                std::to_string(chip_.state().memory_mib));
  }
  return {};
}

void Vga::inspect(Inspector& to, std::string_view name) const {
  const Inspector::Part part{to, name};
  to.hex("memory_at", ports_.video.at().value);
  to.flag("memory_mapped", bar_mapped(kMemoryBar));
  {
    const Inspector::Part counters{to, "counters"};
    to.number("moves", counters_.moves);
    to.number("moves_refused", counters_.refused);
    to.number("moves_delayed", counters_.delayed);
    to.number("in_the_way", counters_.in_the_way);
  }
  state::show(state(), to);
}

}  // namespace dm::vga
