// SPDX-License-Identifier: MIT
// Drives on a controller that is not IDE: it has no I/O port and no PRD table, and the guest's
// memory for a command is one run of bytes.
#include "devices/ata/ata_disk.h"
#include "devices/ata/atapi_drive.h"
#include "platform/sim/sim_platform.h"
#include "tests/rig/same_bytes.h"
#include "tests/rig/scripted_block.h"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace dm {

using ata::Drive;
using ata::TransferPort;
using rig::same;

namespace {

// Registers and bits, ATA/ATAPI-6 clause 7.
constexpr std::uint8_t kFeatures = 1, kCount = 2, kLow = 3, kMid = 4, kHigh = 5, kDevice = 6,
                       kStatus = 7, kError = 1;
constexpr std::uint8_t BSY = 0x80, DRDY = 0x40, DSC = 0x10, DRQ = 0x08, ERR = 0x01, ABRT = 0x04;
constexpr std::uint8_t kReadDmaExt = 0x25, kWriteDmaExt = 0x35, kIdentify = 0xec, kPacket = 0xa0;

constexpr std::uint64_t kBuffer = 0x100000;

class Controller final : public ata::Cable, public TransferPort {
 public:
  explicit Controller(GuestMemory& memory) : memory_{memory} {}
  ~Controller() = default;

  // What the guest gives.
  std::uint64_t given = 0;  ///< bytes from kBuffer on
  bool is_armed = false;
  bool broken = false;  ///< memory fails at the next gather()
  bool loaded = false;  ///< after a restore, until go_on()

  // What the drive asks.
  unsigned interrupts = 0;
  unsigned begun = 0;
  unsigned gathered = 0;
  std::vector<std::uint64_t> went_on;
  std::vector<End> ends;

  void interrupt_changed() noexcept override { ++interrupts; }

  [[nodiscard]] bool armed() const noexcept override { return is_armed; }
  [[nodiscard]] Fit begin(std::uint64_t bytes, Dma direction) noexcept override {
    ++begun;
    is_armed = false;
    moved_ = 0;
    direction_ = direction;
    return given < bytes ? Fit::shorter : given == bytes ? Fit::equal : Fit::longer;
  }
  [[nodiscard]] bool interrupted() const noexcept override { return loaded; }
  [[nodiscard]] bool go_on(std::uint64_t left, Dma direction) noexcept override {
    went_on.push_back(left);
    loaded = false;
    direction_ = direction;
    return true;
  }
  [[nodiscard]] std::uint64_t moved() const noexcept override { return moved_; }
  [[nodiscard]] Gathered gather(DmaBuffer& buffer, std::uint64_t limit) noexcept override {
    ++gathered;
    if (broken || !memory_.append(buffer, Gpa{kBuffer + moved_}, limit, direction_)) {
      return {};
    }
    moved_ += limit;
    return {.piece = Piece::memory, .bytes = limit};
  }
  void stopping(bool /*on*/) noexcept override {}
  void finish(End end) noexcept override { ends.push_back(end); }

  void continue_from(std::uint64_t moved) {
    loaded = true;
    moved_ = moved;
  }

 private:
  GuestMemory& memory_;
  std::uint64_t moved_ = 0;
  Dma direction_ = Dma::to_guest;
};

struct Machine {
  void put_lba48(Drive& drive, std::uint64_t lba, unsigned sectors) {
    drive.latch_register(kDevice, 0x40);
    for (const unsigned shift : {8U, 0U}) {
      drive.latch_register(kCount, static_cast<std::uint8_t>(sectors >> shift));
      drive.latch_register(kLow, static_cast<std::uint8_t>(lba >> (3 * shift)));
      drive.latch_register(kMid, static_cast<std::uint8_t>(lba >> (3 * shift + 8)));
      drive.latch_register(kHigh, static_cast<std::uint8_t>(lba >> (3 * shift + 16)));
    }
  }
  /// As a controller whose commands bring their memory with them.
  void issue(Drive& drive, std::uint8_t opcode, std::uint64_t lba, unsigned sectors) {
    put_lba48(drive, lba, sectors);
    controller.is_armed = true;
    drive.command(opcode);
  }
  void run_work() {
    for (int i = 0; i < 100 && work.run_one(); ++i) {
    }
    BOOST_TEST(work.empty());
  }
  [[nodiscard]] std::span<std::byte> buffer(std::size_t bytes) {
    return ram.ram().subspan(kBuffer, bytes);
  }

  sim::SimMemory ram{std::size_t{8} << 20};
  GuestMemory memory{ram, {.windows = 8}};
  WorkQueue work;
  Controller controller{memory};
};

std::uint8_t status(const Drive& drive) {
  return drive.read_register(kStatus, false);
}
std::uint8_t error(const Drive& drive) {
  return drive.read_register(kError, false);
}

struct WithDisk : Machine {
  rig::ScriptedBlock image{std::uint64_t{64} << 20};
  ata::AtaDisk disk{image.open(), work, ata::default_identity(0)};
  WithDisk() { disk.connect(controller, controller, 0); }

  std::vector<std::byte> on_disk(std::uint64_t lba, std::uint64_t sectors) const {
    std::vector<std::byte> out(sectors * 512);
    image.read(lba * 512, out);
    return out;
  }
};

struct WithDisc : Machine {
  rig::ScriptedBlock image{std::uint64_t{1000} * 2048};
  std::unique_ptr<ata::AtapiDrive> drive;
  WithDisc() {
    image.info.read_only = true;
    drive = std::make_unique<ata::AtapiDrive>(image.open(), work, ata::default_cd_identity(0));
    drive->connect(controller, controller, 0);
    packet({0x00}, 0);  // TEST UNIT READY: it is told of the power-on
  }
  void packet(std::array<std::uint8_t, 12> bytes, std::uint8_t features) {
    drive->latch_register(kFeatures, features);
    drive->latch_register(kMid, 0xfe);
    drive->latch_register(kHigh, 0xff);
    drive->command(kPacket);
    BOOST_TEST(drive->data_left() == 12U);
    BOOST_TEST(drive->write_data(std::as_bytes(std::span{bytes})) == 12U);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(ata_any_controller)

BOOST_FIXTURE_TEST_CASE(memory_is_asked_for_once_a_request_and_not_once_a_sector, WithDisk) {
  constexpr unsigned kSectors = 3 * 2048;  // 3 MiB: three requests
  for (unsigned i = 0; i < kSectors; ++i) {
    const auto sector = rig::ScriptedBlock::pattern(i, 5);
    std::memcpy(buffer(kSectors * 512).data() + i * 512, sector.data(), sector.size());
  }
  controller.given = kSectors * 512;
  issue(disk, kWriteDmaExt, 1000, kSectors);
  BOOST_TEST(status(disk) == (BSY | DRDY | DSC));
  run_work();
  BOOST_TEST(status(disk) == (DRDY | DSC));
  BOOST_TEST(disk.intrq());
  BOOST_TEST(image.log.size() == 3U);
  BOOST_TEST(controller.begun == 1U);
  BOOST_TEST(controller.gathered == 3U);
  BOOST_TEST((controller.ends == std::vector{TransferPort::End::complete}));
  BOOST_TEST(controller.interrupts == 1U);
  BOOST_TEST(same(on_disk(1000, kSectors), buffer(kSectors * 512)));

  std::memset(buffer(kSectors * 512).data(), 0, kSectors * 512);
  issue(disk, kReadDmaExt, 1000, kSectors);
  run_work();
  BOOST_TEST(controller.gathered == 6U);
  BOOST_TEST(same(on_disk(1000, kSectors), buffer(kSectors * 512)));
}

BOOST_FIXTURE_TEST_CASE(a_command_waits_under_bsy_until_the_port_is_armed, WithDisk) {
  image.stamp(7);
  controller.given = 512;
  put_lba48(disk, 7, 1);
  disk.command(kReadDmaExt);
  run_work();
  BOOST_TEST((status(disk) & BSY) != 0);
  BOOST_TEST(controller.begun == 0U);
  controller.is_armed = true;
  disk.dma_started();
  run_work();
  BOOST_TEST(status(disk) == (DRDY | DSC));
  BOOST_TEST(same(buffer(512), rig::ScriptedBlock::pattern(7)));
}

BOOST_FIXTURE_TEST_CASE(too_little_memory_moves_nothing_and_raises_nothing, WithDisk) {
  controller.given = 512;
  issue(disk, kWriteDmaExt, 0, 2);
  run_work();
  BOOST_TEST((status(disk) & (BSY | DRQ | ERR)) == 0);
  BOOST_TEST(!disk.intrq());
  BOOST_TEST(image.log.empty());
  BOOST_TEST((controller.ends == std::vector{TransferPort::End::shorter}));
}

BOOST_FIXTURE_TEST_CASE(memory_that_fails_ends_the_command_with_an_error, WithDisk) {
  controller.given = 512;
  controller.broken = true;
  issue(disk, kReadDmaExt, 0, 1);
  run_work();
  BOOST_TEST((status(disk) & (BSY | ERR)) == ERR);
  BOOST_TEST(error(disk) == ABRT);
  BOOST_TEST(disk.intrq());
  BOOST_TEST(image.log.empty());
  BOOST_TEST((controller.ends == std::vector{TransferPort::End::fault}));
}

BOOST_FIXTURE_TEST_CASE(an_image_that_fails_is_told_to_the_port, WithDisk) {
  controller.given = 512;
  image.fail_at(9);
  issue(disk, kReadDmaExt, 9, 1);
  run_work();
  BOOST_TEST((status(disk) & ERR) != 0);
  BOOST_TEST((controller.ends == std::vector{TransferPort::End::error}));
}

BOOST_FIXTURE_TEST_CASE(a_stopped_transfer_has_failed_unless_one_request_was_all_of_it, WithDisk) {
  controller.given = 2 * 2048 * 512;
  issue(disk, kReadDmaExt, 0, 2 * 2048);
  disk.dma_stopped();
  BOOST_TEST((status(disk) & (BSY | ERR)) == ERR);
  BOOST_TEST(image.log.size() == 1U);
  controller.given = 512;
  issue(disk, kReadDmaExt, 0, 1);
  disk.dma_stopped();
  BOOST_TEST((status(disk) & (BSY | ERR)) == 0);
  BOOST_TEST(
      (controller.ends == std::vector{TransferPort::End::error, TransferPort::End::complete}));
  BOOST_TEST(work.empty());
}

BOOST_FIXTURE_TEST_CASE(a_transfer_saved_half_done_goes_on_behind_another_port, WithDisk) {
  constexpr unsigned kSectors = 2 * 2048;
  for (unsigned i = 0; i < kSectors; ++i) {
    image.stamp(i);
  }
  controller.given = kSectors * 512;
  issue(disk, kReadDmaExt, 0, kSectors);
  image.hold();
  (void)work.run_one();  // decodes, and makes the first request
  disk.settle();
  image.hold(false);
  ata::DriveState saved;
  disk.state(saved);
  BOOST_TEST(ata::validate(saved));
  BOOST_TEST(ata::transfers(saved));

  rig::ScriptedBlock same_image{std::uint64_t{64} << 20};
  for (unsigned i = 0; i < kSectors; ++i) {
    same_image.stamp(i);
  }
  Controller other{memory};
  ata::AtaDisk loaded{same_image.open(), work, ata::default_identity(0)};
  loaded.connect(other, other, 0);
  BOOST_TEST(loaded.restore(saved));
  other.continue_from(controller.moved());
  BOOST_TEST(other.moved() == 2048U * 512);
  loaded.resume();
  run_work();
  BOOST_TEST(status(loaded) == (DRDY | DSC));
  BOOST_TEST((other.went_on == std::vector<std::uint64_t>{2048U * 512}));
  BOOST_TEST(other.begun == 0U);
  BOOST_TEST((other.ends == std::vector{TransferPort::End::complete}));
  BOOST_TEST(same(on_disk(0, kSectors), buffer(kSectors * 512)));
}

BOOST_FIXTURE_TEST_CASE(pio_needs_no_port, WithDisk) {
  disk.command(kIdentify);
  BOOST_TEST((status(disk) & (BSY | DRQ)) == DRQ);
  std::array<std::byte, 512> words;
  BOOST_TEST(disk.read_data(words) == 512U);
  BOOST_TEST((status(disk) & DRQ) == 0);
  BOOST_TEST((std::to_integer<unsigned>(words[99]) & 0x03U) == 0x03U);  // word 49: LBA and DMA
  BOOST_TEST(controller.begun == 0U);
  BOOST_TEST(controller.ends.empty());
}

BOOST_FIXTURE_TEST_CASE(blocks_of_a_disc_come_by_the_same_port, WithDisc) {
  for (unsigned i = 0; i < 8; ++i) {
    image.stamp(40 + i);
  }
  image.log.clear();
  controller.given = 2 * 2048;
  controller.is_armed = true;
  packet({0x28, 0, 0, 0, 0, 10, 0, 0, 2}, 1);  // READ(10): two blocks from 10 on
  run_work();
  BOOST_TEST((status(*drive) & (BSY | DRQ | ERR)) == 0);
  BOOST_TEST(image.log.size() == 1U);
  BOOST_TEST(controller.begun == 1U);
  BOOST_TEST(controller.gathered == 1U);
  BOOST_TEST((controller.ends == std::vector{TransferPort::End::complete}));
  std::vector<std::byte> blocks(2 * 2048);
  image.read(std::uint64_t{10} * 2048, blocks);
  BOOST_TEST(same(blocks, buffer(blocks.size())));
}

BOOST_FIXTURE_TEST_CASE(a_reset_takes_the_transfer_from_the_port, WithDisk) {
  controller.given = 512;
  image.hold();
  issue(disk, kReadDmaExt, 0, 1);
  (void)work.run_one();
  BOOST_TEST(image.pending() == 1U);
  disk.reset(Drive::Reset::software);
  BOOST_TEST((controller.ends == std::vector{TransferPort::End::error}));
  ata::DriveState saved;
  disk.state(saved);
  BOOST_TEST(ata::held_by_reset(saved));
  disk.release_reset();
  BOOST_TEST(status(disk) == (DRDY | DSC));
  disk.state(saved);
  BOOST_TEST(!ata::held_by_reset(saved));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm
