// SPDX-License-Identifier: MIT
// CMOS bytes 0x0E-0x7F, as IBM's AT BIOS and SeaBIOS use them.
#include "tests/unit/devices/chipset/chipset_rig.h"

#include <boost/test/unit_test.hpp>

#include <string>

namespace dm::test {
namespace {

using chipset::CmosPresets;
using chipset::DiskGeometry;

Machine machine_with(const CmosPresets& presets) {
  return Machine{{.cmos = presets}};
}

BOOST_FIXTURE_TEST_SUITE(chipset_cmos, Machine)

BOOST_AUTO_TEST_CASE(presets_are_those_of_a_machine_without_floppies_and_disks) {
  for (unsigned index = 0x0e; index < 0x80; ++index) {
    unsigned expected = 0;
    switch (index) {
      case 0x14:
        expected = 0x06;  // coprocessor, pointing device
        break;
      case 0x32:
        expected = 0x20;
        break;
      case 0x38:
        expected = 0x11;
        break;
      case 0x3d:
        expected = 0x32;
        break;
      default:
        break;
    }
    BOOST_TEST_CONTEXT("index " << std::hex << index) {
      BOOST_TEST(firmware.cmos_read(static_cast<std::uint8_t>(index)) == expected);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_byte_from_0e_up_is_storage) {
  for (unsigned index = 0x0e; index < 0x80; ++index) {
    firmware.cmos_write(static_cast<std::uint8_t>(index), static_cast<std::uint8_t>(index * 7));
  }
  for (unsigned index = 0x0e; index < 0x80; ++index) {
    BOOST_TEST(firmware.cmos_read(static_cast<std::uint8_t>(index)) == ((index * 7) & 0xffU));
  }
}

// SECURITY.md D17
BOOST_AUTO_TEST_CASE(bit_7_of_the_index_is_the_nmi_mask_and_no_index) {
  for (unsigned index = 0x8e; index < 0x100; ++index) {
    firmware.cmos_write(static_cast<std::uint8_t>(index), static_cast<std::uint8_t>(index));
    BOOST_TEST(firmware.cmos_read(static_cast<std::uint8_t>(index & 0x7fU)) == index);
  }
}

// SECURITY.md D17: these are Xen's, and never come here from a real guest
BOOST_AUTO_TEST_CASE(clock_registers_are_not_ours) {
  for (const unsigned index : {0x00U, 0x0bU, 0x0dU, 0x80U, 0x8dU}) {
    firmware.cmos_write(static_cast<std::uint8_t>(index), 0x42);
    BOOST_TEST(firmware.cmos_read(static_cast<std::uint8_t>(index)) == 0xff);
  }
}

BOOST_AUTO_TEST_CASE(the_index_cannot_be_read_and_there_is_no_second_bank) {
  guest.outb(0x70, 0x3d);
  BOOST_TEST(guest.inb(0x70) == 0xff);
  guest.outb(0x72, 0x3d);
  BOOST_TEST(guest.inb(0x73) == 0xff);
  BOOST_TEST(guest.inb(0x71) == 0x32);
}

BOOST_AUTO_TEST_CASE(wide_accesses_go_byte_by_byte) {
  guest.outw(0x70, 0x5a20);  // index 20h, data 5Ah
  BOOST_TEST(guest.inb(0x71) == 0x5a);
  BOOST_TEST(guest.inw(0x70) == 0x5aff);
  BOOST_TEST(guest.inl(0x71) == 0xffffff5a);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(chipset_cmos_presets)

BOOST_AUTO_TEST_CASE(boot_orders_become_seabios_device_numbers) {
  struct Row {
    const char* order;
    unsigned byte_3d;
    unsigned byte_38;
  };
  constexpr Row kRows[] = {{"cda", 0x32, 0x11}, {"c", 0x02, 0x01},    {"d", 0x03, 0x01},
                           {"dc", 0x23, 0x01},  {"nc", 0x24, 0x01},   {"acn", 0x21, 0x41},
                           {"", 0x00, 0x01},    {"cdna", 0x32, 0x41}, {"xcyd", 0x32, 0x01}};
  for (const Row& row : kRows) {
    BOOST_TEST_CONTEXT("order " << row.order) {
      Machine m = machine_with({.boot_order = row.order});
      BOOST_TEST(m.firmware.cmos_read(0x3d) == row.byte_3d);
      BOOST_TEST(m.firmware.cmos_read(0x38) == row.byte_38);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_very_long_boot_order_is_cut) {
  const std::string order(100000, 'c');
  Machine m = machine_with({.boot_order = order});
  BOOST_TEST(m.firmware.cmos_read(0x3d) == 0x22);
  BOOST_TEST(m.firmware.cmos_read(0x38) == 0x21);
}

BOOST_AUTO_TEST_CASE(the_floppy_signature_check_can_be_kept) {
  Machine m = machine_with({.check_floppy_signature = true});
  BOOST_TEST(m.firmware.cmos_read(0x38) == 0x10);
}

BOOST_AUTO_TEST_CASE(disks_of_the_first_channel_get_a_user_defined_type) {
  Machine m =
      machine_with({.disks = {DiskGeometry{16383, 16, 63}, DiskGeometry{200, 4, 32}, {}, {}}});
  BOOST_TEST(m.firmware.cmos_read(0x12) == 0xff);
  BOOST_TEST(m.firmware.cmos_read(0x19) == 47);
  BOOST_TEST(m.firmware.cmos_read(0x1a) == 47);
  const std::vector<int> first{0xff, 0x3f, 16, 0xff, 0xff, 0xc8, 0xff, 0x3f, 63};
  const std::vector<int> second{200, 0, 4, 0xff, 0xff, 0xc0, 200, 0, 32};
  for (unsigned i = 0; i < 9; ++i) {
    BOOST_TEST(m.firmware.cmos_read(static_cast<std::uint8_t>(0x1b + i)) == first[i]);
    BOOST_TEST(m.firmware.cmos_read(static_cast<std::uint8_t>(0x24 + i)) == second[i]);
  }
  BOOST_TEST(m.firmware.cmos_read(0x39) == 0x01);  // LBA for the first, none for the second
}

BOOST_AUTO_TEST_CASE(a_single_slave_uses_the_low_nibble) {
  Machine m = machine_with({.disks = {std::nullopt, DiskGeometry{1025, 16, 63}}});
  BOOST_TEST(m.firmware.cmos_read(0x12) == 0x0f);
  BOOST_TEST(m.firmware.cmos_read(0x19) == 0);
  BOOST_TEST(m.firmware.cmos_read(0x1a) == 47);
  BOOST_TEST(m.firmware.cmos_read(0x1b) == 0);
  BOOST_TEST(m.firmware.cmos_read(0x24) == 0x01);
  BOOST_TEST(m.firmware.cmos_read(0x39) == 0x04);
}

BOOST_AUTO_TEST_CASE(disks_of_the_second_channel_only_have_a_translation) {
  Machine m = machine_with({.disks = {std::nullopt, std::nullopt, DiskGeometry{1024, 16, 63},
                                      DiskGeometry{5000, 16, 63}}});
  BOOST_TEST(m.firmware.cmos_read(0x12) == 0);
  for (unsigned index = 0x19; index < 0x2d; ++index) {
    BOOST_TEST(m.firmware.cmos_read(static_cast<std::uint8_t>(index)) == 0);
  }
  BOOST_TEST(m.firmware.cmos_read(0x39) == 0x40);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
