// SPDX-License-Identifier: MIT
// What SeaBIOS, boot ROMs and Linux' qemu_fw_cfg do.
#include "tests/unit/devices/fw_cfg/fw_cfg_rig.h"

using namespace dm;
using namespace dm::test;

BOOST_FIXTURE_TEST_SUITE(fw_cfg_device, BootedGuest)

BOOST_AUTO_TEST_CASE(firmware_finds_the_signature_and_what_the_device_can_do) {
  BOOST_TEST(item(0, 4) == "QEMU");
  BOOST_TEST(number(1) == 3U);  // ports and DMA
  BOOST_TEST(guest.inl(0x514) == 0x554d4551U);
  BOOST_TEST(guest.inl(0x518) == 0x47464320U);
  BOOST_TEST(guest.inb(0x51b) == 'G');
  BOOST_TEST((item(5, 2) == std::string{"\x02\0", 2}));
  BOOST_TEST((item(0xf, 2) == std::string{"\x04\0", 2}));
}

BOOST_AUTO_TEST_CASE(behind_an_item_s_end_and_where_none_is_there_are_zeros) {
  BOOST_TEST((item(0, 7) == std::string{"QEMU\0\0\0", 7}));
  BOOST_TEST((item(0x8000, 3) == std::string{"\0\0\0", 3}));
  BOOST_TEST((item(0xffff, 3) == std::string{"\0\0\0", 3}));
  BOOST_TEST(item(0, 2) == "QE");  // and selecting rewinds
}

BOOST_AUTO_TEST_CASE(the_kernel_is_there_in_four_parts) {
  BOOST_TEST(number(0x07) == 0x100000U);
  BOOST_TEST(number(0x08) == 3'000'000U - 5 * 512);
  BOOST_TEST(number(0x0b) == 700'001U);
  BOOST_TEST(number(0x13) == 0x20000U);
  BOOST_TEST(number(0x14) == 14U);
  BOOST_TEST((item(0x15, 15) == std::string{"console=ttyS0\0\0", 15}));
  BOOST_TEST(number(0x16) == 0x10000U);
  BOOST_TEST(number(0x17) == 5U * 512);
  const auto all = std::span{kernel.bytes()};
  select(0x18);
  const std::string setup = read(5 * 512);
  BOOST_TEST(std::memcmp(setup.data(), image.setup.data(), setup.size()) == 0);
  select(0x11);
  kernel.reads = 0;
  const std::string begin = read(10'000);
  BOOST_TEST(std::memcmp(begin.data(), all.subspan(5 * 512).data(), begin.size()) == 0);
  BOOST_TEST(kernel.reads == 3U);  // a page each
}

BOOST_AUTO_TEST_CASE(the_directory_names_the_rom_its_place_and_no_ram) {
  const auto files = directory();
  BOOST_TEST_REQUIRE(files.size() == 3U);
  const auto [size, key] = files.at("genroms/kernel.bin");
  BOOST_TEST(size == 512U);
  BOOST_TEST(static_cast<std::uint8_t>(item(key, 1)[0]) == 0x55);
  BOOST_TEST(files.at("etc/e820").first == 0U);
  const auto order = files.at("bootorder");
  BOOST_TEST(
      (item(order.second, order.first) == std::string{"/rom@genroms/kernel.bin\0", order.first}));
  for (const auto& [name, place] : files) {
    BOOST_TEST(place.second >= 0x20, name);
  }
}

BOOST_AUTO_TEST_CASE(a_string_operation_reads_an_item) {
  select(0x12);
  guest.rep_ins(0x511, 1, 0x5000, 4096);
  BOOST_TEST(holds(0x5000, std::span{initrd.bytes()}.first(4096)));
  BOOST_TEST(initrd.reads == 1U);
}

BOOST_AUTO_TEST_CASE(an_operation_selects_and_reads_a_whole_file) {
  begin(of(0x11) | kRead, image.kernel_size, 0x100000);
  BOOST_TEST(result() == 0U);
  BOOST_TEST(holds(0x100000, std::span{kernel.bytes()}.subspan(5 * 512)));
  begin(of(0x12) | kRead, 700'001, 0x800000);
  BOOST_TEST(result() == 0U);
  BOOST_TEST(holds(0x800000, initrd.bytes()));
}

BOOST_AUTO_TEST_CASE(requests_are_served_between_pieces_of_256_kib) {
  guest.set_auto_work(false);
  begin(of(0x12) | kRead, 700'001, 0x800000);
  BOOST_TEST((result() & ~1U) != 0U);  // under way
  BOOST_TEST(guest.peek<std::uint8_t>(0x800000) == 0);
  for (const std::uint32_t rest : {700'001U - 262'144, 700'001U - 524'288}) {
    BOOST_TEST(guest.work().run_one());
    BOOST_TEST(device->state().rest == rest);
    BOOST_TEST((result() & ~1U) != 0U);
  }
  BOOST_TEST(guest.work().run_one());
  BOOST_TEST(result() == 0U);
  BOOST_TEST(!guest.work().run_one());
}

BOOST_AUTO_TEST_CASE(operations_go_on_where_the_last_one_ended) {
  begin(of(0x15) | kSkip, 8, 0);
  BOOST_TEST(result() == 0U);
  begin(kRead, 4, 0x5000);
  guest.poke(0x5006, std::uint8_t{0x77});
  begin(kRead, 3, 0x5004);  // the last character, the zero, and one behind the end
  BOOST_TEST(std::memcmp(guest.ram().subspan(0x5000).data(), "ttyS0\0\0", 7) == 0);
}

BOOST_AUTO_TEST_CASE(an_operation_that_only_selects_is_done_at_once) {
  begin(of(0), 0, 0);
  BOOST_TEST(result() == 0U);
  BOOST_TEST(read(4) == "QEMU");
}

BOOST_AUTO_TEST_CASE(a_reset_ends_an_operation_and_forgets_the_selection) {
  guest.set_auto_work(false);
  begin(of(0x12) | kRead, 700'001, 0x800000);
  device->reset();
  BOOST_TEST(!guest.work().run_one());
  BOOST_TEST(!device->state().running);
  BOOST_TEST(item(0, 4) == "QEMU");
}

BOOST_AUTO_TEST_CASE(an_operation_that_was_saved_goes_on_in_another_device) {
  guest.set_auto_work(false);
  begin(of(0x12) | kRead, 700'001, 0x800000);
  BOOST_TEST(guest.work().run_one());
  device->pause();
  BOOST_TEST(!guest.work().run_one());
  const fw_cfg::State saved = device->state();
  device->reset();
  BOOST_TEST(device->restore(saved));
  BOOST_TEST(!guest.work().run_one());
  device->resume();
  guest.run_work();
  BOOST_TEST(result() == 0U);
  BOOST_TEST(holds(0x800000, initrd.bytes()));
}

BOOST_AUTO_TEST_SUITE_END()
