// SPDX-License-Identifier: MIT
// What QEMU's ide-test wants of an IDE controller, over the same protocol: register numbers typed
// from ATA/ATAPI-6 and "Programming Interface for Bus Master IDE Controller" 1.0.
#include "tests/qtest/client.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <numeric>

namespace dm::qtest {
namespace {

constexpr std::uint16_t kBase = 0x1f0;
constexpr std::uint16_t kBusMaster = 0xc000;
constexpr unsigned kIrq = 14;
constexpr std::uint64_t kImage = std::uint64_t{64} << 20;

constexpr std::uint8_t BSY = 0x80, DRDY = 0x40, DF = 0x20, DRQ = 0x08, ERR = 0x01;
constexpr std::uint8_t ABRT = 0x04;
constexpr std::uint8_t ACTIVE = 0x01, INTR = 0x04;

constexpr std::uint8_t kDataSetManagement = 0x06, kDiagnostic = 0x90, kPacket = 0xa0,
                       kReadDma = 0xc8, kWriteDma = 0xca, kFlush = 0xe7, kIdentify = 0xec;

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
  void command(std::uint8_t opcode, std::uint32_t lba, unsigned sectors) {
    reg(1, opcode == kDataSetManagement ? 1 : 0);
    if (opcode == kDataSetManagement) {
      reg(2, sectors >> 8U);  // a 48-bit command: what the register held before counts too
    }
    reg(2, sectors & 0xffU);
    reg(3, lba & 0xffU);
    reg(4, lba >> 8U & 0xffU);
    reg(5, lba >> 16U & 0xffU);
    reg(7, opcode);
  }
  using Client::command;
  /// Starts the bus master and follows it to the end; its status there.
  std::uint8_t run_dma(bool to_memory, bool abort = false) {
    outb(kBusMaster, to_memory ? 0x09 : 0x01);
    if (abort) {
      outb(kBusMaster, 0);
    }
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
  std::uint8_t dma(std::uint8_t opcode,
                   std::uint32_t lba,
                   unsigned sectors,
                   std::span<const Prd> prds,
                   bool abort = false) {
    begin_dma(prds);
    command(opcode, lba, sectors);
    return run_dma(opcode == kReadDma, abort);
  }
  std::uint8_t dma(std::uint8_t opcode, std::uint32_t lba) {
    const Prd prd[] = {{kBuffer, 512 | kEnd}};
    return dma(opcode, lba, 1, prd);
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
  std::string other = directory.image("other", kImage);
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

BOOST_AUTO_TEST_CASE(diagnostic_leaves_device_0_selected) {
  Ide ide{"-blockdev driver=file,node-name=hda,filename=" + disk +
          " -blockdev driver=file,node-name=hdb,filename=" + other +
          " -device ide-hd,drive=hda,bus=ide.0,unit=0 -device ide-hd,drive=hdb,bus=ide.0,unit=1"};
  ide.reg(6, 0x10);
  BOOST_TEST((ide.reg(6) & 0x10) == 0x10);
  ide.reg(7, kDiagnostic);
  BOOST_TEST((ide.reg(6) & 0x10) == 0);
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

BOOST_AUTO_TEST_CASE(trim_takes_ranges_inside_the_disk_and_refuses_one_past_its_end) {
  Ide ide{one_drive};
  ide.intercept();
  const auto range = [](std::uint64_t lba, std::uint64_t count) { return count << 48U | lba; };
  auto block = filled(512, 0);
  const auto put = [&](std::uint64_t first, std::uint64_t second) {
    std::memcpy(block.data(), &first, 8);
    std::memcpy(block.data() + 8, &second, 8);
    ide.memory(kBuffer, block);
  };
  put(range(0, 2), range(6, 8));
  BOOST_TEST(ide.dma(kDataSetManagement, 0) == INTR);
  BOOST_TEST(ide.no_error());
  put(range(10, 1), range(kImage / 512 - 1, 2));
  BOOST_TEST(ide.dma(kDataSetManagement, 0) == INTR);
  BOOST_TEST((ide.status() & ERR) == ERR);
  BOOST_TEST((ide.reg(1) & ABRT) == ABRT);
  BOOST_TEST(ide.quit() == 0);
}

/// Table 3.1 of the bus master's specification: shorter, equal and longer than the transfer; and
/// the same when it is stopped at once. QEMU tries every 256 bytes, which takes it most of its
/// time; the sizes around each transfer's and some between tell as much.
BOOST_AUTO_TEST_CASE(prd_tables_of_any_size_end_as_the_specification_says) {
  Ide ide{one_drive};
  ide.intercept();
  for (unsigned sectors = 1; sectors <= 256; sectors *= 2) {
    const std::uint32_t wanted = sectors * 512;
    for (std::uint32_t size = 0; size < 65536; size += 256) {
      const std::uint32_t bytes = size == 0 ? 65536 : size;
      const bool near = bytes + 512 >= wanted && bytes <= wanted + 512;
      if (!near && size % 8192 != 0) {
        continue;
      }
      const Prd prd[] = {{0, size | kEnd}};
      const int ends = bytes < wanted ? 0 : bytes == wanted ? INTR : ACTIVE | INTR;
      const int stopped = bytes < wanted ? 0 : INTR;
      BOOST_TEST_CONTEXT(sectors << " sectors, " << bytes << " bytes of memory") {
        BOOST_TEST(ide.dma(kReadDma, 0, sectors, prd) == ends);
        BOOST_TEST(ide.no_error());
        BOOST_TEST(ide.dma(kReadDma, 0, sectors, prd, true) == stopped);
        BOOST_TEST(ide.no_error());
      }
    }
  }
  BOOST_TEST(ide.quit() == 0);
}

BOOST_AUTO_TEST_CASE(without_bus_mastering_a_read_goes_nowhere_and_ends_well) {
  Ide ide{one_drive};
  ide.intercept();
  ide.pci.word(0x04, 3);  // I/O and memory
  const std::vector<Prd> zeros(4096);
  BOOST_TEST(ide.dma(kReadDma, 0, 512, zeros) == (ACTIVE | INTR));
  BOOST_TEST(ide.no_error());
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

BOOST_AUTO_TEST_CASE(flush_without_a_drive_or_without_a_disc_harms_nobody) {
  for (const char* const arguments : {"", "-device ide-cd,bus=ide.0"}) {
    Ide ide{arguments};
    ide.reg(6, 0);
    ide.reg(7, kFlush);
    BOOST_TEST((ide.status() & BSY) == 0);
    BOOST_TEST(ide.quit() == 0);
  }
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

BOOST_AUTO_TEST_CASE(a_cd_rom_gives_a_block_by_dma) {
  const auto disc = burn_disc(16);
  Ide ide{one_cd};
  ide.intercept();
  const Prd prd[] = {{kBuffer, kBlock | kEnd}};
  ide.begin_dma(prd);
  ide.reg(1, 1);
  ide.reg(7, kPacket);
  send_read10(ide, 1);
  BOOST_TEST(ide.run_dma(true) == INTR);
  const auto got = ide.memory(kBuffer, kBlock);
  BOOST_TEST(std::equal(got.begin(), got.end(), disc.begin()));
  BOOST_TEST(ide.quit() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::qtest
