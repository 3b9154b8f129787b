// SPDX-License-Identifier: MIT
// Of QEMU's ide-test what passes through more than the drives: options, the server's memory and
// interrupt inputs, a flush that is held, a CD-ROM drive after firmware. The unit tests of
// devices/ide have the rest. Register numbers typed from ATA/ATAPI-6 and "Programming Interface
// for Bus Master IDE Controller" 1.0.
#include "tests/qtest/client.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <fstream>

namespace dm::qtest {
namespace {

constexpr std::uint16_t kBase = 0x1f0;
constexpr std::uint16_t kBusMaster = 0xc000;
constexpr unsigned kIrq = 14;
constexpr std::uint64_t kImage = std::uint64_t{64} << 20;

constexpr std::uint8_t BSY = 0x80, DRDY = 0x40, DF = 0x20, DRQ = 0x08, ERR = 0x01;
constexpr std::uint8_t ACTIVE = 0x01, INTR = 0x04;

constexpr std::uint8_t kPacket = 0xa0, kReadDma = 0xc8, kWriteDma = 0xca, kFlush = 0xe7,
                       kIdentify = 0xec;

constexpr std::uint64_t kTable = 0x100000;  // of PRDs, in guest memory
constexpr std::uint64_t kBuffer = 0x200000;
constexpr std::size_t kBlock = 2048;

struct Prd {
  std::uint32_t address;
  std::uint32_t size;
};
constexpr std::uint32_t kEnd = 0x80000000;

std::vector<std::byte> filled(std::size_t size, unsigned value) {
  return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

/// The controller as libqos finds it, and the disk as the drivers of that test use it.
struct Ide : Client {
  explicit Ide(const std::string& arguments) : Client{"-machine pc " + arguments} {
    BOOST_TEST_REQUIRE(pci.word(0x00) == 0x8086);
    BOOST_TEST_REQUIRE(pci.word(0x02) == 0x7010);
    BOOST_TEST_REQUIRE(pci.place(4, kBusMaster) == 16U);
    pci.enable();
  }

  std::uint8_t reg(unsigned number) { return inb(static_cast<std::uint16_t>(kBase + number)); }
  void reg(unsigned number, unsigned value) {
    outb(static_cast<std::uint16_t>(kBase + number), static_cast<std::uint8_t>(value));
  }
  std::uint8_t status() { return reg(7); }
  void begin_dma(std::span<const Prd> prds) {
    reg(6, 0x40);
    outb(kBusMaster, 0);
    outb(kBusMaster + 2, INTR);
    memory(kTable, std::as_bytes(prds));
    outl(kBusMaster + 4, kTable);
  }
  /// Of one sector.
  void command(std::uint8_t opcode, std::uint32_t lba) {
    reg(1, 0);
    reg(2, 1);
    reg(3, lba & 0xffU);
    reg(4, lba >> 8U & 0xffU);
    reg(5, lba >> 16U & 0xffU);
    reg(7, opcode);
  }
  using Client::command;
  /// Starts the bus master and follows it to the end; its status there.
  std::uint8_t run_dma(bool to_memory) {
    outb(kBusMaster, to_memory ? 0x09 : 0x01);
    std::uint8_t bm = 0;
    BOOST_TEST_REQUIRE(eventually(400, [&] {
      bm = inb(kBusMaster + 2);
      return (bm & (ACTIVE | INTR)) != ACTIVE;
    }));
    BOOST_TEST(irq(kIrq) == ((bm & INTR) != 0));
    BOOST_TEST((status() & (DRDY | BSY | DRQ)) == DRDY);
    BOOST_TEST(!irq(kIrq));  // reading Status took it away
    if ((bm & ACTIVE) != 0) {
      outb(kBusMaster, 0);
    }
    return bm;
  }
  std::uint8_t dma(std::uint8_t opcode, std::uint32_t lba) {
    const Prd prd[] = {{kBuffer, 512 | kEnd}};
    begin_dma(prd);
    command(opcode, lba);
    return run_dma(opcode == kReadDma);
  }
  bool no_error() { return (status() & (DF | ERR)) == 0; }
  /// As a driver that polls: reads Status until the bits are gone.
  std::uint8_t wait_clear(std::uint8_t bits) {
    std::uint8_t now = 0;
    BOOST_TEST_REQUIRE(eventually(400, [&] { return ((now = status()) & bits) == 0; }));
    return now;
  }
  void wait_irq() {
    BOOST_TEST_REQUIRE(eventually(400, [this] { return irq(kIrq); }));
  }

  PciDevice pci{*this, 1, 1};
};

struct Images {
  TempDirectory directory;
  std::string disk = directory.image("disk", kImage);
  std::string one_drive = "-drive file=" + disk +
                          ",if=ide,cache=writeback,format=raw -global ide-hd.serial=testdisk "
                          "-global ide-hd.ver=version";
  std::string one_cd = "-drive if=none,file=" + disk +
                       ",media=cdrom,format=raw,id=sr0,index=0 -device ide-cd,drive=sr0,bus=ide.0";

  /// Blocks that differ from each other, and what they hold.
  [[nodiscard]] std::vector<std::byte> burn_disc(std::size_t blocks) const {
    std::vector<std::byte> bytes(blocks * kBlock);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::byte>((i * 7 + i / kBlock * 13) & 0xffU);
    }
    std::ofstream{disk, std::ios::binary}.write(reinterpret_cast<const char*>(bytes.data()),
                                                static_cast<std::streamsize>(bytes.size()));
    return bytes;
  }
};

std::string text_of(std::span<const std::uint16_t> words) {
  std::string out;
  for (const std::uint16_t word : words) {
    out += static_cast<char>(word >> 8U);
    out += static_cast<char>(word & 0xffU);
  }
  return out;
}

BOOST_FIXTURE_TEST_SUITE(ide, Images)

BOOST_AUTO_TEST_CASE(identify_offers_every_word_with_drq_and_names_the_disk_as_configured) {
  Ide ide{one_drive};
  ide.reg(6, 0);
  ide.reg(7, kIdentify);
  BOOST_TEST((ide.reg(6) & 0x10) == 0);
  std::array<std::uint16_t, 256> words{};
  for (std::uint16_t& word : words) {
    BOOST_TEST_REQUIRE((ide.status() & (BSY | DRDY | DF | DRQ | ERR)) == (DRDY | DRQ));
    word = ide.inw(kBase);
  }
  BOOST_TEST((ide.status() & (BSY | DRDY | DF | DRQ | ERR)) == DRDY);
  const std::span all{words};
  BOOST_TEST(text_of(all.subspan(10, 10)) == "testdisk            ");
  BOOST_TEST(text_of(all.subspan(23, 4)) == "version ");
  BOOST_TEST((words[85] & 0x20U) != 0U);
  BOOST_TEST(ide.quit() == 0);
}

BOOST_AUTO_TEST_CASE(dma_writes_two_sectors_and_reads_them_back) {
  Ide ide{one_drive};
  ide.intercept();
  for (const unsigned lba : {0U, 1U}) {
    ide.memory(kBuffer, filled(512, lba == 0 ? 0x55 : 0xaa));
    BOOST_TEST(ide.dma(kWriteDma, lba) == INTR);
    BOOST_TEST(ide.no_error());
  }
  for (const unsigned lba : {0U, 1U}) {
    BOOST_TEST(ide.dma(kReadDma, lba) == INTR);
    BOOST_TEST(ide.no_error());
    BOOST_TEST((ide.memory(kBuffer, 512) == filled(512, lba == 0 ? 0x55 : 0xaa)));
  }
  BOOST_TEST(ide.quit() == 0);
}

BOOST_AUTO_TEST_CASE(flush_is_busy_until_the_image_has_flushed) {
  Ide ide{"-drive file=blkdebug::" + disk + ",if=ide,cache=writeback,format=raw"};
  ide.intercept();
  ide.memory(kBuffer, filled(512, 0x5a));
  BOOST_TEST(ide.dma(kWriteDma, 1) == INTR);
  BOOST_TEST(ide.hmp("qemu-io ide0-hd0 \"break flush_to_os A\"") == "");
  ide.reg(6, 0);
  ide.reg(7, kFlush);
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST((ide.status() & (BSY | DRDY | DF | DRQ | ERR)) == (BSY | DRDY));
    BOOST_TEST(!ide.irq(kIrq));
  }
  BOOST_TEST(ide.hmp("qemu-io ide0-hd0 \"resume A\"") == "");
  ide.wait_irq();
  BOOST_TEST((ide.reg(6) & 0x10) == 0);
  BOOST_TEST((ide.wait_clear(BSY) & (DRDY | DF | DRQ | ERR)) == DRDY);
  BOOST_TEST(ide.quit() == 0);
}

void send_read10(Ide& ide, unsigned blocks) {
  const std::array<std::uint8_t, 12> packet{0x28,
                                            0,
                                            0,
                                            0,
                                            0,
                                            0,
                                            0,
                                            static_cast<std::uint8_t>(blocks >> 8U),
                                            static_cast<std::uint8_t>(blocks & 0xffU)};
  for (std::size_t i = 0; i < packet.size(); i += 2) {
    ide.outw(kBase, static_cast<std::uint16_t>(packet[i] | packet[i + 1] << 8U));
  }
}

BOOST_AUTO_TEST_CASE(a_cd_rom_gives_its_blocks_in_bursts_of_the_byte_count_limit) {
  constexpr std::size_t kLimit = 5120;
  for (const unsigned blocks : {1U, 10U}) {
    const auto disc = burn_disc(16);
    Ide ide{one_cd};
    ide.intercept();
    ide.reg(6, 0);
    ide.reg(4, kLimit & 0xffU);
    ide.reg(5, kLimit >> 8U);
    ide.reg(7, kPacket);
    BOOST_TEST((ide.wait_clear(BSY) & (DRQ | DRDY | ERR | DF)) == (DRQ | DRDY));
    send_read10(ide, blocks);
    std::vector<std::byte> got;
    while (got.size() < blocks * kBlock) {
      ide.wait_irq();
      BOOST_TEST_REQUIRE((ide.wait_clear(BSY) & (DRQ | DRDY | ERR | DF)) == (DRQ | DRDY));
      const std::size_t burst = std::min(kLimit, blocks * kBlock - got.size());
      for (std::size_t i = 0; i < burst; i += 2) {
        const std::uint16_t word = ide.inw(kBase);
        got.push_back(static_cast<std::byte>(word & 0xffU));
        got.push_back(static_cast<std::byte>(word >> 8U));
      }
    }
    ide.wait_irq();
    BOOST_TEST((ide.wait_clear(DRQ) & (BSY | DRDY | DRQ | DF | ERR)) == DRDY);
    BOOST_TEST(std::equal(got.begin(), got.end(), disc.begin()));
    BOOST_TEST(ide.quit() == 0);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::qtest
