// SPDX-License-Identifier: MIT
// The card's PCI function, and the life of the pages behind BAR 0.
#include "tests/unit/devices/vga/vga_rig.h"

namespace dm::test {
namespace {

constexpr std::uint64_t kElsewhere = 0xe0000000;

struct Placed : OneScreen {
  void place(std::uint64_t at) { guest.config_write(kVga, 0x10, 4, at); }
  void command(std::uint16_t value) { guest.config_write(kVga, 0x04, 2, value); }
  [[nodiscard]] std::uint64_t at() const { return video.at().value; }
};

BOOST_AUTO_TEST_SUITE(vga_pci)

BOOST_FIXTURE_TEST_CASE(it_is_the_card_that_drivers_know, OneScreen) {
  BOOST_TEST(guest.config_read(kVga, 0x00, 4) == 0x11111234U);
  BOOST_TEST(guest.config_read(kVga, 0x08, 4) == 0x03000002U);
  BOOST_TEST(guest.config_read(kVga, 0x2c, 4) == 0x11001af4U);
  BOOST_TEST(guest.config_read(kVga, 0x3d, 1) == 0U);
  const auto size_of = [this](std::uint8_t reg) {
    guest.config_write(kVga, reg, 4, 0xffffffff);
    return guest.config_read(kVga, reg, 4);
  };
  BOOST_TEST(size_of(0x10) == 0xff000008U);
  BOOST_TEST(size_of(0x14) == 0U);
  BOOST_TEST(size_of(0x18) == 0xfffff000U);
  BOOST_TEST(size_of(0x30) == 0xffff0001U);
}

BOOST_FIXTURE_TEST_CASE(the_command_register_switches_everything, Placed) {
  driver.sr(2, 5);
  command(2);
  BOOST_TEST(guest.inb(0x3c5) == 0xff);
  BOOST_TEST(guest.inw(0x1d0) == 0xffff);
  BOOST_TEST(guest.mmio_read(VgaDriver::kBar2 + 0x400 + 5, 1) == 5U);
  command(1);
  BOOST_TEST(guest.inb(0x3c5) == 5);
  BOOST_TEST(guest.mmio_read(VgaDriver::kBar2, 4) == 0xffffffffU);
  driver.sr(4, 0x0e);
  driver.gr(6, 5);
  BOOST_TEST(guest.mmio_read(kWindow, 1) == 0xffU);
  command(3);
  BOOST_TEST(guest.mmio_read(kWindow, 1) == 0U);
  command(0);
  BOOST_TEST(guest.claims().ports().empty());
  BOOST_TEST(guest.claims().mmio().empty());
  BOOST_TEST(guest.claims().errors() == 0U);
}

BOOST_FIXTURE_TEST_CASE(the_rom_can_be_read_where_it_is_enabled, OneScreen) {
  BOOST_TEST(guest.mmio_read(VgaDriver::kRom, 2) == 0xffffU);
  guest.config_write(kVga, 0x30, 4, VgaDriver::kRom | 1U);
  BOOST_TEST(guest.mmio_read(VgaDriver::kRom, 2) == 0x5a5aU);
  BOOST_TEST(guest.mmio_read(VgaDriver::kRom + 39932, 8) == 0xffffffff5a5a5a5aU);
  BOOST_TEST(guest.mmio_read(VgaDriver::kRom + 0xfff8, 8) == ~std::uint64_t{0});
}

BOOST_FIXTURE_TEST_CASE(video_memory_is_not_claimed_and_follows_its_bar, Placed) {
  BOOST_TEST(at() == VgaDriver::kBar0);
  BOOST_TEST(video.asked() == 0U);  // it was populated where firmware puts the BAR
  place(kElsewhere);
  BOOST_TEST(at() == kElsewhere);
  BOOST_TEST(card->bar_mapped(0));
  for (const auto& claimed : guest.claims().mmio()) {
    BOOST_TEST(!claimed.overlaps({kElsewhere, kElsewhere + kMemory - 1}));
  }
  guest.mmio_write(kElsewhere + 3, 4, 0x01020304);  // in case it reaches us all the same
  BOOST_TEST(video_byte(3) == 4);
  BOOST_TEST(guest.mmio_read(kElsewhere + 3, 4) == 0x01020304U);
}

BOOST_FIXTURE_TEST_CASE(pages_stay_while_the_bar_is_sized_or_off, Placed) {
  command(0);
  place(0xffffffff);
  place(kElsewhere);
  BOOST_TEST(at() == VgaDriver::kBar0);
  place(0);
  command(2);
  place(0xffffffff);
  BOOST_TEST(at() == VgaDriver::kBar0);
  BOOST_TEST(!card->bar_mapped(0));
  place(VgaDriver::kBar0);
  BOOST_TEST(card->bar_mapped(0));
  BOOST_TEST(video.asked() == 0U);
}

BOOST_FIXTURE_TEST_CASE(pages_do_not_go_where_something_is, Placed) {
  video.take({0x00000000, 0xbfffffff});  // RAM
  place(0x10000000);
  BOOST_TEST(at() == VgaDriver::kBar0);
  BOOST_TEST(!card->bar_mapped(0));
  BOOST_TEST(card->counters().refused == 1U);
  place(0xfe000000);  // would reach over the I/O APIC and the local one
  BOOST_TEST(at() == VgaDriver::kBar0);
  BOOST_TEST(card->counters().refused == 2U);
  BOOST_TEST(video.asked() == 1U);
  guest.config_write(kVga, 0x18, 4, kElsewhere + 0x5000);
  place(kElsewhere);  // over its own registers
  BOOST_TEST(!card->bar_mapped(0));
  BOOST_TEST(video.asked() == 1U);
  guest.config_write(kVga, 0x18, 4, VgaDriver::kBar2);
  place(kElsewhere);
  BOOST_TEST(card->bar_mapped(0));
}

BOOST_FIXTURE_TEST_CASE(pages_make_room_for_what_is_claimed_where_they_lie, Placed) {
  place(kElsewhere);
  command(0);
  BOOST_TEST(at() == kElsewhere);
  struct Nothing {
    std::uint64_t read(IoAccess) noexcept { return 0; }
    void write(IoAccess, std::uint64_t) noexcept {}
  } nothing;
  const auto handler = IoHandler::bind<&Nothing::read, &Nothing::write>(nothing);
  const MmioClaim other =
      guest.mmio().claim({kElsewhere + 0x1000, kElsewhere + 0x1fff}, handler, "another");
  BOOST_TEST(other.ok());
  BOOST_TEST(at() == VgaDriver::kBar0);  // home
  const MmioClaim at_home =
      guest.mmio().claim({VgaDriver::kBar0, VgaDriver::kBar0 + 0xfff}, handler, "a third");
  BOOST_TEST(at_home.ok());
  BOOST_TEST(at() == VgaDriver::kBar0);
  BOOST_TEST(card->counters().in_the_way == 1U);
}

BOOST_FIXTURE_TEST_CASE(sixteen_moves_a_second_and_the_next_one_waits, Placed) {
  for (unsigned i = 0; i < 100'000; ++i) {
    place(i % 2 == 0 ? kElsewhere : VgaDriver::kBar0);
  }
  BOOST_TEST(video.asked() == 16U);
  BOOST_TEST(card->counters().moves == 16U);
  place(kElsewhere);
  BOOST_TEST(!card->bar_mapped(0));
  BOOST_TEST(at() == VgaDriver::kBar0);
  guest.advance(1s);
  BOOST_TEST(card->bar_mapped(0));
  BOOST_TEST(at() == kElsewhere);
}

BOOST_FIXTURE_TEST_CASE(a_move_that_waits_goes_on_waiting_in_a_card_that_is_loaded, Placed) {
  for (unsigned i = 0; i < 17; ++i) {
    place(i % 2 == 0 ? kElsewhere : VgaDriver::kBar0);
  }
  vga::State saved = state();
  BOOST_TEST(!card->bar_mapped(0));
  OneScreen other;
  BOOST_TEST_REQUIRE(other.card->restore(saved));
  vga::State loaded = other.state();
  BOOST_TEST(state::hash(loaded) == state::hash(saved));
  other.guest.advance(1s);
  BOOST_TEST(other.card->bar_mapped(0));
  BOOST_TEST(other.video.at().value == kElsewhere);
}

BOOST_FIXTURE_TEST_CASE(a_reset_brings_the_pages_home, Placed) {
  place(kElsewhere);
  card->reset();
  BOOST_TEST(at() == VgaDriver::kBar0);
  BOOST_TEST(guest.claims().mmio().empty());
  BOOST_TEST(guest.claims().ports().empty());
}

BOOST_FIXTURE_TEST_CASE(after_s3_only_the_registers_are_new, Placed) {
  place(kElsewhere);
  driver.sr(2, 3);
  card->wake();
  BOOST_TEST(at() == kElsewhere);
  BOOST_TEST(driver.sr(2) == 0);
}

BOOST_FIXTURE_TEST_CASE(a_slot_that_is_taken_is_an_error_in_words, OneScreen) {
  sim::SimVideoMemory another{kMemory};
  const auto second =
      vga::Vga::create({.where = kVga, .monitor = {}, .rom = {}}, {.pci = guest.pci(),
                                                                   .pio = guest.pio(),
                                                                   .mmio = guest.mmio(),
                                                                   .memory = guest.memory(),
                                                                   .timers = guest.timers(),
                                                                   .video = another});
  BOOST_TEST_REQUIRE(second.has_error());
  BOOST_TEST(second.error().message.find("PCI slot 3.0") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
