// SPDX-License-Identifier: MIT
#include "tests/fuzz/fuzz_pc.h"

#include "core/obs/log.h"
#include "tests/rig/boot_files.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace dm::fuzz {

namespace {

constexpr std::size_t kSlotSize = 32;
constexpr std::size_t kFlags = 30;
constexpr unsigned kReady = 1;
constexpr unsigned kAnswered = 3;
/// The longest command moves 32 MiB in pieces of a sector at worst, and a guest may have begun one
/// on each drive.
constexpr unsigned kMostUnits = 400'000;

unsigned state_of(const std::byte* slots, unsigned vcpu) {
  return std::to_integer<unsigned>(slots[vcpu * kSlotSize + kFlags]) & 0x0fU;
}

/// Whatever an input does has to be the same each time.
std::chrono::steady_clock::time_point stands_still() noexcept {
  return {};
}

void require_within(const Cost& worst, const Cost& most) {
  require(worst.maps <= most.maps, "the worst number of mappings is within its bound");
  require(worst.image_requests <= most.image_requests,
          "the worst number of requests to images is within its bound");
  require(worst.sends <= most.sends, "the worst number of frames sent is within its bound");
  require(worst.bytes <= most.bytes, "the worst number of bytes is within its bound");
}

MachineConfig config_of(const Shape& shape) {
  MachineConfig config;
  config.acpi = shape.acpi;
  config.xen_platform = shape.xen_platform;
  config.vcpus_max = FuzzPc::kVcpus;
  if (shape.card) {
    NicConfig& nic = config.nics.emplace_back();
    nic.mac = {0x00, 0x16, 0x3e, 1, 2, 3};
    nic.model = kE1000Model;
  }
  if (shape.other_card) {
    NicConfig& nic = config.nics.emplace_back();
    nic.mac = {0x00, 0x16, 0x3e, 1, 2, 4};
    nic.model = kRtl8139Model;
  }
  if (shape.screen) {
    config.vga.emplace().memory_mib = 1;
  }
  if (shape.usb) {
    config.usb.emplace().devices = {UsbDevice::tablet, UsbDevice::keyboard};
  }
  return config;
}

}  // namespace

FuzzPc::FuzzPc(const Shape& shape, std::span<const DeviceMaker> more) : shape_{shape}, more_{more} {
  log::set_sink([](log::Level, std::string_view) noexcept {});
  const std::uint64_t sectors = shape.large ? std::uint64_t{1} << 29 : 3000;
  disks[0] = std::make_unique<FuzzDisk>(sectors * 512);
  if (shape.two_drives) {
    disks[1] = std::make_unique<FuzzDisk>(std::uint64_t{1} << 20);
  }
  disks[2] = std::make_unique<FuzzDisk>(std::uint64_t{8} << 20);
  Backends backends;
  if (shape.cdrom) {
    disks[kCd] = std::make_unique<FuzzDisk>(std::uint64_t{300} * 2048 + 512);
    disks[kCd]->info.read_only = true;
    backends.cdroms[kCd] = true;
  }
  for (std::size_t i = 0; i < disks.size(); ++i) {
    if (disks[i] != nullptr) {
      backends.disks[i] = disks[i]->open();
    }
  }
  for (std::size_t i = 0; i < shape.ports; ++i) {
    backends.serial[i] = lines[i].open();
  }
  if (shape.card) {
    backends.nics.push_back({.cable = cable.open(), .rom = {}});
  }
  if (shape.other_card) {
    backends.nics.push_back({.cable = other_cable.open(), .rom = {}});
  }
  if (shape.screen) {
    video_.emplace(std::size_t{1} << 20U);
  }
  if (shape.kernel) {
    backends.boot = rig::make_boot(100'000, 70'000);
  }
  const MachineHost host{
      .claims = claims_,
      .irqs = irqs_,
      .memory = memory_,
      .ioreq = port_,
      .domain = domain_,
      .clock = clock_,
      .events = loop_,
      .video = video_ ? &*video_ : nullptr,
      .black_box = nullptr,
      .memory_limits = {.windows = FuzzMemory::kMostWindows, .size = std::uint64_t{1} << 32},
      .more_devices = more_};
  auto made = Machine::create(config_of(shape), host, std::move(backends),
                              {.mode = ioreq::SpinPolicy::Mode::off, .now = &stands_still});
  require(made.has_value(), "the machine can be made");
  machine_ = std::move(*made);
}

FuzzPc::~FuzzPc() {
  machine_.reset();
  require(irqs_.all_low(), "no interrupt stays when the machine goes");
}

void FuzzPc::set_up_as_firmware_does() {
  config_write({1, 1}, 0x20, 4, 0xc001);
  config_write({1, 1}, 0x04, 2, 5);
  config_write({1, 3}, 0x40, 4, 0xb001);
  config_write({1, 3}, 0x80, 1, 1);
  config_write({2, 0}, 0x10, 4, 0xc101);
  config_write({2, 0}, 0x14, 4, 0xf2000000);
  config_write({2, 0}, 0x04, 2, 3);
  config_write({4, 0}, 0x10, 4, kCardRegisters);
  config_write({4, 0}, 0x14, 4, kCardPorts + 1U);
  config_write({4, 0}, 0x04, 2, 7);
  config_write({5, 0}, 0x10, 4, kOtherCardPorts + 1U);
  config_write({5, 0}, 0x14, 4, kOtherCardRegisters);
  config_write({5, 0}, 0x04, 2, 7);
  config_write({1, 2}, 0x20, 4, kUsbPorts + 1U);
  config_write({1, 2}, 0x04, 2, 5);
  config_write({3, 0}, 0x10, 4, kScreenMemory);
  config_write({3, 0}, 0x18, 4, kScreenRegisters);
  config_write({3, 0}, 0x04, 2, 3);
  require(!shape_.screen || machine_->screen()->bar_mapped(0),
          "video memory is where firmware puts it");
  require(!shape_.card || machine_->cards().front()->bar_mapped(0),
          "a card's registers are where firmware puts them");
}

/// Xen public header hvm/ioreq.h: count at 16, size at 20. A string operation is cut to a page.
FuzzPc::Waiting FuzzPc::waiting() {
  Waiting all;
  for (unsigned vcpu = 0; vcpu < kVcpus; ++vcpu) {
    if (state_of(slots(), vcpu) != kReady) {
      continue;
    }
    std::array<std::uint32_t, 2> count_and_size{};
    std::memcpy(count_and_size.data(), slots() + vcpu * kSlotSize + 16, sizeof count_and_size);
    const std::uint32_t most = 4096 / std::max(count_and_size[1], 1U);
    ++all.requests;
    all.items += std::clamp(count_and_size[0], 1U, std::max(most, 1U));
  }
  return all;
}

void FuzzPc::serve() {
  const Waiting now = waiting();
  const Costs costs;
  std::array<unsigned, kVcpus> before{};
  for (unsigned vcpu = 0; vcpu < kVcpus; ++vcpu) {
    before[vcpu] = state_of(slots(), vcpu);
  }
  machine_->server().serve_ready();
  costs.check(now.requests, now.items, 0);
  for (unsigned vcpu = 0; vcpu < kVcpus; ++vcpu) {
    const unsigned after = state_of(slots(), vcpu);
    require(after == (before[vcpu] == kReady ? kAnswered : before[vcpu]),
            "every request is answered, and nothing else is");
  }
}

/// Requests, or a unit; beside these what waits for its time, and a unit behind it.
void FuzzPc::turn() {
  constexpr std::uint64_t kUnits = 3;
  const Waiting now = waiting();
  const Costs costs;
  require(machine_->poller().turn(), "the guest is still there");
  costs.check(now.requests, now.items, kUnits);
}

std::uint64_t FuzzPc::send(const rig::RawRequest& request, unsigned vcpu) {
  rig::fill_slot(slots(), request, vcpu);
  serve();
  return rig::take_answer(slots(), vcpu);
}

void FuzzPc::check() const {
  require(validate(machine_->chipset().state()), "the chipset's state is valid");
  for (const auto& port : machine_->serial()) {
    require(port == nullptr || validate(port->uart().state()), "a serial port's state is valid");
  }
  require(machine_->memory().mapped_windows() <= FuzzMemory::kMostWindows,
          "guest memory stays within its limit");
  const Meter& meter = std::as_const(*machine_).work().meter();
  require_within(meter.worst_request(), {.maps = bounds::kMapsPerRequest,
                                         .image_requests = bounds::kImageRequestsPerRequest,
                                         .sends = bounds::kSendsPerRequest,
                                         .bytes = bounds::kBytesPerRequest});
  require_within(meter.worst_unit(), {.maps = bounds::kMapsPerUnit,
                                      .image_requests = bounds::kImageRequestsPerUnit,
                                      .sends = bounds::kSendsPerUnit,
                                      .bytes = bounds::kBytesPerUnit});
}

void FuzzPc::check_cards() const {
  for (const auto& card : machine_->cards()) {
    require(validate(card->state()), "a network card's state is valid");
  }
}

void FuzzPc::pause() {
  const std::uint64_t images = host_calls.images;
  machine_->pause();
  require(host_calls.images == images, "a machine that is paused asks nothing more of its images");
  require(machine_->work().empty(), "a paused machine has no work to do");
  for (const auto& disk : disks) {
    require(disk == nullptr || disk->pending() == 0, "a paused machine has no I/O under way");
  }
  UnplugRequest gone;
  for (const auto& device : machine_->devices()) {
    require(device->check(device->save(), gone).has_value(), "a paused device's state is valid");
  }
}

void FuzzPc::resume() {
  machine_->resume();
}

void FuzzPc::sleep_and_wake() {
  machine_->make_durable();
  machine_->wake();
  for (const auto& disk : disks) {
    require(disk == nullptr || disk->pending() == 0, "no I/O is under way after S3");
  }
  for (const auto& port : machine_->serial()) {
    require(port == nullptr || port->uart().state().ier == 0, "no serial port interrupts after S3");
  }
  for (const auto& card : machine_->cards()) {
    require(!card->chip().interrupt(), "a card that slept asks for nothing");
    const auto file = card->state().file;
    require(!card->present() || (file.word[0x100 / 4] == 0 && file.word[0x400 / 4] == 0),
            "a card that slept neither receives nor sends");  // RCTL, TCTL
  }
}

void FuzzPc::change_disc(bool force) {
  ata::AtapiDrive* const drive = machine_->cd_drive(kCd);
  if (drive == nullptr) {
    return;
  }
  FuzzDisk& disc = *disks[kCd];
  if (!disc.is_open()) {
    drive->insert(disc.open());
    require(!drive->tray_open(), "a disc that is put in can be read");
  } else if (drive->eject(force)) {
    require(!disc.is_open(), "a disc that is out is closed");
    require(!force || !drive->locked(), "force breaks the lock");
  } else {
    require(!force && drive->locked(), "only a lock keeps a disc");
  }
}

void FuzzPc::advance(std::chrono::nanoseconds by) {
  clock_.advance(by);
}

void FuzzPc::let_everything_end() {
  for (const auto& disk : disks) {
    if (disk != nullptr) {
      disk->hold = false;
      disk->complete_all();
    }
  }
  cable.answer_with(SendStatus::sent);
  other_cable.answer_with(SendStatus::sent);
  unsigned units = 0;
  while (!machine_->work().empty()) {
    require(++units < kMostUnits, "deferred work comes to an end");
    turn();
  }
}

std::vector<std::byte> FuzzPc::fields() const {
  std::vector<std::byte> all;
  for (const auto& device : machine_->devices()) {
    const auto bytes = device->save();
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  return all;
}

std::unique_ptr<FuzzPc> FuzzPc::moved() {
  pause();
  const auto bytes = machine_->save();
  auto other = std::make_unique<FuzzPc>(shape_, more_);
  other->irqs_.take_over(irqs_);  // Xen saves and restores its own side
  other->machine().pause();
  if (shape_.cdrom && !disks[kCd]->is_open()) {
    other->change_disc(true);
  }
  if (shape_.card) {
    other->cable.set_link(cable.link());  // else the card there would tell its guest of a change
    other->other_cable.set_link(other_cable.link());
  }
  const auto loaded = other->machine().load(bytes);
  require(loaded.has_value(), "what a machine saved is loaded");
  require(same_bytes(other->fields(), fields()), "what was loaded is saved as it was");
  require(other->irqs_.same(irqs_), "a load changes no interrupt");
  if (irqs_.strict()) {  // else what was loaded here said other levels than were sent
    other->irqs_.be_strict();
  }
  other->clock_.set(clock_.now());
  for (std::size_t i = 0; i < disks.size(); ++i) {
    require(disks[i] == nullptr || disks[i]->is_open() == other->disks[i]->is_open(),
            "what was unplugged stays so");
  }
  return other;
}

bool FuzzPc::load_hostile(std::span<const std::byte> bytes) {
  pause();
  const auto before = fields();
  irqs_.take_over(irqs_);
  const auto loaded = machine_->load(bytes);
  if (!loaded) {
    require(!loaded.error().message.empty(), "a refusal says why");
    require(same_bytes(fields(), before), "a refused state changes nothing");
    irqs_.be_strict();
  }
  return loaded.has_value();
}

}  // namespace dm::fuzz
