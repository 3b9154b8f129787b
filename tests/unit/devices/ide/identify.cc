// SPDX-License-Identifier: MIT
#include "tests/unit/devices/ide/ide_rig.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <map>
#include <numeric>
#include <string>

using namespace dm;
using test::OneDisk;

namespace {

std::string text(const std::array<std::uint16_t, 256>& words, unsigned first, unsigned last) {
  std::string out;
  for (unsigned i = first; i <= last; ++i) {
    out += static_cast<char>(words[i] >> 8U);
    out += static_cast<char>(words[i] & 0xffU);
  }
  return out;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ide_identify, OneDisk)

BOOST_AUTO_TEST_CASE(every_word_of_a_64_mib_disk_is_as_documented) {
  const auto words = ide.identify(0);
  // ATA/ATAPI-6 8.16; words that are not listed are 0.
  const std::map<unsigned, unsigned> expected{
      {0, 0x0040},  {1, 130},     {3, 16},      {6, 63},      {20, 3},       {21, 512},
      {22, 4},      {47, 0x8010}, {48, 1},      {49, 0x0b00}, {50, 0x4000},  {51, 0x0200},
      {52, 0x0200}, {53, 3},      {54, 130},    {55, 16},     {56, 63},      {57, 131040 & 0xffff},
      {58, 1},      {59, 0x0110}, {60, 0},      {61, 2},      {63, 0x0407},  {64, 3},
      {65, 120},    {66, 120},    {67, 120},    {68, 120},    {80, 0x00f0},  {81, 0x0016},
      {82, 0x4021}, {83, 0x7400}, {84, 0x4040}, {85, 0x4021}, {86, 0x3400},  {87, 0x4040},
      {93, 0x600b}, {100, 0},     {101, 2},     {105, 8},     {106, 0x4000}, {169, 1},
      {217, 1}};
  for (unsigned i = 0; i < 255; ++i) {
    if ((i >= 10 && i <= 19) || (i >= 23 && i <= 46)) {
      continue;
    }
    const auto it = expected.find(i);
    BOOST_TEST(words[i] == (it == expected.end() ? 0U : it->second),
               "word " << i << " is " << words[i]);
  }
  BOOST_TEST(text(words, 10, 19) == "DM00001             ");
  BOOST_TEST(text(words, 23, 26) == "1.0     ");
  BOOST_TEST(text(words, 27, 46) == "STUBDM HARDDISK                         ");
}

BOOST_AUTO_TEST_CASE(integrity_word_makes_the_sum_zero) {
  const auto words = ide.identify(0);
  unsigned sum = 0;
  for (const unsigned w : words) {
    sum += (w & 0xffU) + (w >> 8U);
  }
  BOOST_TEST((words[255] & 0xffU) == 0xa5U);
  BOOST_TEST((sum & 0xffU) == 0U);
}

BOOST_AUTO_TEST_CASE(status_is_drdy_and_drq_before_every_word_and_ready_after_the_last) {
  // The loop of QEMU's ide-test /ide/identify.
  ide.select(0);
  ide.command(0xec);
  for (int i = 0; i < 256; ++i) {
    const auto s = ide.status();
    BOOST_REQUIRE_EQUAL(s & (ide.BSY | ide.DRDY | ide.DRQ | ide.DF | ide.ERR), ide.DRDY | ide.DRQ);
    (void)guest.inw(ide.data_port());
  }
  BOOST_TEST(ide.status() == 0x50);
  BOOST_TEST(!ide.irq());
}

BOOST_AUTO_TEST_CASE(dword_reads_of_the_data_port_give_two_words) {
  const auto words = ide.identify(0);
  ide.select(0);
  ide.command(0xec);
  for (unsigned i = 0; i < 256; i += 2) {
    const std::uint32_t both = guest.inl(ide.data_port());
    BOOST_REQUIRE_EQUAL(both, std::uint32_t{words[i]} | std::uint32_t{words[i + 1]} << 16U);
  }
  BOOST_TEST(ide.status() == 0x50);
}

BOOST_AUTO_TEST_CASE(linux_reads_it_with_rep_insl) {
  const auto words = ide.identify(0);
  ide.select(0);
  ide.command(0xec);
  const auto bytes = ide.read_data(1, 1, 4);
  BOOST_TEST(std::memcmp(bytes.data(), words.data(), 512) == 0);
}

BOOST_AUTO_TEST_CASE(identify_needs_no_disk_access) {
  (void)ide.identify(0);
  BOOST_TEST(disk.log.empty());
}

BOOST_AUTO_TEST_CASE(settings_show_up) {
  ide.select(0);
  ide.out(1, 0x03);  // SET FEATURES, transfer mode
  ide.out(2, 0x21);  // multiword DMA 1
  ide.command(0xef);
  BOOST_TEST(ide.status() == 0x50);
  ide.out(2, 8);
  ide.command(0xc6);  // SET MULTIPLE
  ide.out(1, 0x82);
  ide.command(0xef);  // write cache off
  ide.out(1, 0xd9);
  ide.out(4, 0x4f);
  ide.out(5, 0xc2);
  ide.command(0xb0);  // SMART off
  ide.select(0, 7);   // 8 heads
  ide.out(2, 32);     // of 32 sectors
  ide.command(0x91);
  const auto words = ide.identify(0);
  BOOST_TEST(words[63] == 0x0207);
  BOOST_TEST(words[59] == 0x0108);
  BOOST_TEST(words[85] == 0x4000);
  BOOST_TEST(words[54] == 512);
  BOOST_TEST(words[55] == 8);
  BOOST_TEST(words[56] == 32);
  BOOST_TEST((words[57] | words[58] << 16U) == 131072);
  BOOST_TEST(words[1] == 130);  // the default translation stays
}

BOOST_AUTO_TEST_CASE(the_slave_says_so_and_has_its_own_serial_number) {
  rig::ScriptedBlock slave{1 << 20};
  test::IdeMachine two{{&disk, &slave, nullptr, &slave}};
  const auto words = two.ide0.identify(1);
  BOOST_TEST(words[93] == 0x6300);
  BOOST_TEST(text(words, 10, 19) == "DM00002             ");
  BOOST_TEST(text(two.ide1.identify(1), 10, 19) == "DM00004             ");
  // SeaBIOS, ata_detect: (word 93 & 0xdf61) == 0x4041 in device 0 means that device 1 is not there.
  BOOST_TEST((two.ide0.identify(0)[93] & 0xdf61U) != 0x4041U);
}

BOOST_AUTO_TEST_CASE(strings_are_cut_padded_and_printable) {  // B29
  rig::SimGuest host;
  ide::Piix3Ide::Drives drives;
  const ata::DiskIdentity identity{.serial = "0123456789012345678901234567890",
                                   .firmware = "a\x01\xffz"};
  drives[0] = std::make_unique<ata::AtaDisk>(disk.open(), host.work(), identity);
  ide::Piix3Ide controller{host.pci(), host.pio(), host.irqs(), host.memory(), std::move(drives)};
  drivers::IdeDriver driver{host};
  const auto words = driver.identify(0);
  BOOST_TEST(text(words, 10, 19) == "01234567890123456789");
  BOOST_TEST(text(words, 23, 26) == "a??z    ");
}

BOOST_AUTO_TEST_CASE(a_4k_backing_shows_in_words_106_and_209) {
  rig::ScriptedBlock big{1 << 20};
  big.info.physical_block = 4096;
  test::IdeMachine other{{&big, nullptr, nullptr, nullptr}};
  const auto words = other.ide0.identify(0);
  BOOST_TEST(words[106] == 0x6003);
  BOOST_TEST(words[209] == 0x4000);
}

BOOST_AUTO_TEST_CASE(trim_is_claimed_only_when_the_image_can_discard) {
  rig::ScriptedBlock plain{1 << 20};
  plain.info.can_discard = false;
  test::IdeMachine other{{&plain, nullptr, nullptr, nullptr}};
  const auto words = other.ide0.identify(0);
  BOOST_TEST(words[105] == 0);
  BOOST_TEST(words[169] == 0);
}

namespace {
struct Size {
  std::uint64_t sectors;
  unsigned cylinders;
  std::uint32_t lba28;
};
std::ostream& operator<<(std::ostream& out, const Size& s) {
  return out << s.sectors << " sectors";
}
const Size kSizes[] = {{1, 1, 1},
                       {1008, 1, 1008},
                       {1008 * 2 - 1, 1, 1008 * 2 - 1},
                       {1008ULL * 16383, 16383, 1008 * 16383},
                       {1008ULL * 16384, 16383, 1008 * 16384},
                       {0x0ffffffeULL, 16383, 0x0ffffffe},
                       {0x0fffffffULL, 16383, 0x0fffffff},
                       {0x10000000ULL, 16383, 0x0fffffff},
                       {0x123456789ULL, 16383, 0x0fffffff}};
}  // namespace

BOOST_DATA_TEST_CASE(sizes_and_geometry_follow_the_image,
                     boost::unit_test::data::make(kSizes),
                     size) {
  rig::ScriptedBlock other{size.sectors * 512};
  test::IdeMachine m{{&other, nullptr, nullptr, nullptr}};
  const auto words = m.ide0.identify(0);
  BOOST_TEST(words[1] == size.cylinders);
  BOOST_TEST((words[60] | static_cast<std::uint32_t>(words[61]) << 16U) == size.lba28);
  const std::uint64_t lba48 = words[100] | std::uint64_t{words[101]} << 16U |
                              std::uint64_t{words[102]} << 32U | std::uint64_t{words[103]} << 48U;
  BOOST_TEST(lba48 == size.sectors);
  BOOST_TEST(m.disk_at(0).geometry().cylinders == size.cylinders);
}

BOOST_AUTO_TEST_CASE(a_partial_last_sector_does_not_exist) {
  rig::ScriptedBlock odd{512 * 100 + 511};
  test::IdeMachine m{{&odd, nullptr, nullptr, nullptr}};
  BOOST_TEST(m.ide0.identify(0)[60] == 100);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(ide_smart, OneDisk)

namespace {
void smart(drivers::IdeDriver& ide, unsigned feature, unsigned low = 0, unsigned count = 1) {
  ide.select(0);
  ide.out(1, feature);
  ide.out(2, count);
  ide.out(3, low);
  ide.out(4, 0x4f);
  ide.out(5, 0xc2);
  ide.command(0xb0);
}
unsigned sum(std::span<const std::byte> bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), 0U,
                         [](unsigned s, std::byte b) { return s + std::to_integer<unsigned>(b); });
}
}  // namespace

BOOST_AUTO_TEST_CASE(data_thresholds_and_logs_sum_to_zero) {
  for (const auto& [feature, low] : {std::pair{0xd0U, 0U}, {0xd1U, 0U}, {0xd5U, 1U}, {0xd5U, 6U}}) {
    smart(ide, feature, low);
    const auto data = ide.read_data(1);
    BOOST_TEST((sum(data) & 0xffU) == 0U);
    BOOST_TEST(std::to_integer<int>(data[0]) == 1);
  }
}

BOOST_AUTO_TEST_CASE(log_directory_lists_the_two_logs) {
  smart(ide, 0xd5, 0);
  const auto data = ide.read_data(1);
  for (unsigned log = 1; log < 256; ++log) {
    const unsigned sectors = std::to_integer<unsigned>(data[2 * log]) |
                             std::to_integer<unsigned>(data[2 * log + 1]) << 8U;
    BOOST_TEST(sectors == (log == 1 || log == 6 ? 1U : 0U));
  }
}

BOOST_AUTO_TEST_CASE(status_says_healthy_until_a_flush_has_failed) {
  smart(ide, 0xda);
  BOOST_TEST(ide.status() == 0x50);
  BOOST_TEST(ide.in(4) == 0x4f);
  BOOST_TEST(ide.in(5) == 0xc2);
  disk.fail_flushes();
  ide.command(0xe7);
  BOOST_TEST((ide.wait() & ide.ERR) != 0);
  smart(ide, 0xda);
  BOOST_TEST(ide.in(4) == 0xf4);
  BOOST_TEST(ide.in(5) == 0x2c);
}

BOOST_AUTO_TEST_CASE(without_its_signature_or_when_off_it_aborts) {
  ide.select(0);
  ide.out(1, 0xd0);
  ide.out(4, 0x4f);
  ide.out(5, 0);
  ide.command(0xb0);
  BOOST_TEST(ide.status() == 0x51);
  BOOST_TEST(ide.error() == ide.ABRT);
  smart(ide, 0xd9);
  BOOST_TEST(ide.status() == 0x50);
  smart(ide, 0xd0);
  BOOST_TEST(ide.status() == 0x51);
  smart(ide, 0xd8);
  BOOST_TEST(ide.status() == 0x50);
  smart(ide, 0xd0);
  BOOST_TEST((ide.status() & ide.DRQ) != 0);
}

BOOST_AUTO_TEST_CASE(unknown_logs_and_subcommands_abort) {
  for (const auto& [feature, low, count] : {std::array{0xd5U, 2U, 1U},
                                            {0xd5U, 0U, 2U},
                                            {0xd5U, 1U, 0U},
                                            {0xd6U, 1U, 1U},
                                            {0xd4U, 3U, 1U},
                                            {0xd4U, 0x7fU, 1U},
                                            {0x00U, 0U, 1U},
                                            {0xffU, 0U, 1U}}) {
    smart(ide, feature, low, count);
    BOOST_TEST(ide.status() == 0x51);
    BOOST_TEST(ide.error() == ide.ABRT);
  }
}

BOOST_AUTO_TEST_CASE(the_self_test_index_stays_in_1_to_21) {  // B6, CVE-2014-2894
  for (unsigned i = 1; i <= 100; ++i) {
    smart(ide, 0xd4, i % 2 + 1);
    BOOST_REQUIRE_EQUAL(ide.status(), 0x50);
    smart(ide, 0xd5, 6);
    const auto log = ide.read_data(1);
    const unsigned newest = std::to_integer<unsigned>(log[508]);
    BOOST_REQUIRE_EQUAL(newest, (i - 1) % 21 + 1);
    BOOST_REQUIRE_EQUAL(std::to_integer<unsigned>(log[2 + (newest - 1) * 24]), i % 2 + 1);
  }
  smart(ide, 0xd4, 0);  // off-line collection is no self-test
  smart(ide, 0xd5, 6);
  BOOST_TEST(std::to_integer<unsigned>(ide.read_data(1)[508]) == (100 - 1) % 21 + 1);
  smart(ide, 0xd0);
  BOOST_TEST((std::to_integer<unsigned>(ide.read_data(1)[362]) & 0x7fU) == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
