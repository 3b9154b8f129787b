// SPDX-License-Identifier: MIT
// A machine with a CD-ROM drive: wiring, discs changed by management, unplug, save.
#include "tests/drivers/atapi_driver.h"
#include "tests/unit/ioreq/daemon/pc_rig.h"

#include <cstring>
#include <string>
#include <vector>

namespace dm::test {
namespace {

MachineConfig with_cd(unsigned index = 2) {
  MachineConfig config = six_vcpus();
  DiskConfig cd;
  cd.index = index;
  cd.cdrom = cd.read_only = true;
  cd.id = "ide-5632";
  config.disks.push_back(cd);
  return config;
}

struct CdPc : ManagedPc {
  CdPc() : ManagedPc{with_cd()} {}

  /// A packet without data to the secondary master: the error register; 0: it succeeded.
  unsigned packet(const drivers::AtapiDriver::Cdb& bytes) {
    const auto result = drivers::AtapiDriver{ide1}.packet(bytes);
    return result.ok() ? 0U : result.error;
  }
  unsigned ready() { return packet({}); }
  DriveInfo cd() { return control->drives().at(2); }
};

BOOST_FIXTURE_TEST_SUITE(cdrom, CdPc)

BOOST_AUTO_TEST_CASE(the_drive_is_where_it_was_configured_and_bears_libxls_name) {
  ide1.select(0);
  BOOST_TEST(ide1.in(4) == 0x14);
  BOOST_TEST(ide1.in(5) == 0xeb);
  BOOST_TEST(cd().name == "ide-5632");
  BOOST_TEST(cd().removable);
  BOOST_TEST(cd().image == "scripted");
  BOOST_TEST(!cd().tray_open);
  BOOST_TEST(control->drives().at(3).name == "ide1-hd1");
}

BOOST_AUTO_TEST_CASE(cmos_knows_hard_disks_only) {
  ManagedPc pc{with_cd(1)};
  pc.outb(0x70, 0x12);
  BOOST_TEST(pc.inb(0x71) == 0xf0);
}

BOOST_AUTO_TEST_CASE(xl_cd_insert_changes_the_disc_of_a_running_guest) {
  BOOST_TEST(ready() == 0x60U);  // power-on
  BOOST_TEST(ready() == 0U);
  BOOST_TEST((control->eject("ide-5632", false) == DiscChange::done));
  BOOST_TEST((control->eject("ide-5632", false) == DiscChange::done));
  BOOST_TEST(!disks[2].is_open());
  BOOST_TEST(cd().image.empty());
  BOOST_TEST(cd().tray_open);
  BOOST_TEST(ready() == 0x20U);
  BOOST_TEST((insert("ide-5632", "/dev/fdset/0")->value() == DiscChange::done));
  BOOST_TEST(!cd().tray_open);
  BOOST_TEST(cd().size == std::uint64_t{1} << 20);
  BOOST_TEST(ready() == 0x60U);
  BOOST_TEST(ready() == 0U);
}

BOOST_AUTO_TEST_CASE(a_stopped_guest_finds_the_new_disc_when_it_goes_on) {
  (void)ready();
  control->stop();
  BOOST_TEST((control->eject("ide-5632", false) == DiscChange::done));
  BOOST_TEST((insert("ide-5632", "/b.iso")->value() == DiscChange::done));
  BOOST_TEST(is_valid(*machine));
  control->cont();
  BOOST_TEST(ready() == 0x60U);
  BOOST_TEST(ready() == 0U);
}

BOOST_AUTO_TEST_CASE(a_lock_holds_against_management_and_falls_to_force) {
  (void)ready();
  BOOST_TEST(packet({0x1e, 0, 0, 0, 1}) == 0U);
  BOOST_TEST(cd().locked);
  BOOST_TEST((control->eject("ide-5632", false) == DiscChange::locked));
  BOOST_TEST((insert("ide-5632", "/b.iso")->value() == DiscChange::locked));
  BOOST_TEST(!other_disc.is_open());
  BOOST_TEST(disks[2].is_open());
  BOOST_TEST((control->eject("ide-5632", true) == DiscChange::done));
  BOOST_TEST(!disks[2].is_open());
  BOOST_TEST(!cd().locked);
  // The lock is gone for good: discs come and go until the guest locks the tray again.
  BOOST_TEST((insert("ide-5632", "/b.iso")->value() == DiscChange::done));
  BOOST_TEST(!cd().locked);
  BOOST_TEST((control->eject("ide-5632", false) == DiscChange::done));
  BOOST_TEST(!other_disc.is_open());
}

BOOST_AUTO_TEST_CASE(an_image_that_cannot_be_opened_leaves_the_disc_that_is_there) {
  BOOST_TEST(insert("ide-5632", "/missing")->has_error());
  BOOST_TEST(disks[2].is_open());
  BOOST_TEST((control->eject("ide-832", false) == DiscChange::no_such_drive));
  BOOST_TEST((control->eject("ide1-hd1", false) == DiscChange::no_such_drive));
  BOOST_TEST((insert("ide0-hd0", "/b.iso")->value() == DiscChange::no_such_drive));
}

BOOST_AUTO_TEST_CASE(the_old_disc_stays_until_the_new_one_is_open) {
  (void)ready();
  slow_opening = true;
  std::optional<Result<DiscChange>> answer;
  control->insert("ide-5632", image("/b.iso"),
                  [&answer](Result<DiscChange> given) { answer = std::move(given); });
  BOOST_TEST(!answer.has_value());
  BOOST_TEST(disks[2].is_open());
  BOOST_TEST(ready() == 0U);
  opening();
  BOOST_TEST_REQUIRE(answer.has_value());
  BOOST_TEST((answer->value() == DiscChange::done));
  BOOST_TEST(!disks[2].is_open());
  BOOST_TEST(other_disc.is_open());
}

BOOST_AUTO_TEST_CASE(a_guest_that_locks_the_tray_while_the_image_is_being_opened_keeps_its_disc) {
  (void)ready();
  slow_opening = true;
  std::optional<Result<DiscChange>> answer;
  control->insert("ide-5632", image("/b.iso"),
                  [&answer](Result<DiscChange> given) { answer = std::move(given); });
  BOOST_TEST(packet({0x1e, 0, 0, 0, 1}) == 0U);
  opening();
  BOOST_TEST_REQUIRE(answer.has_value());
  BOOST_TEST((answer->value() == DiscChange::locked));
  BOOST_TEST(disks[2].is_open());
  BOOST_TEST(!other_disc.is_open());
}

BOOST_AUTO_TEST_CASE(pv_unplug_takes_disks_and_leaves_the_cd) {
  (void)ready();
  outw(0x10, 1);
  BOOST_TEST(!disks[3].is_open());
  BOOST_TEST(disks[2].is_open());
  BOOST_TEST(ready() == 0U);
  machine->pause();
  BOOST_TEST(is_valid(*machine));
}

BOOST_AUTO_TEST_CASE(a_machine_with_a_cd_goes_on_in_another_process) {
  (void)ready();
  BOOST_TEST(packet({0x1e, 0, 0, 0, 1}) == 0U);
  machine->pause();
  const auto bytes = machine->save();
  CdPc other;
  other.machine->pause();
  BOOST_TEST_REQUIRE(other.machine->load(bytes).has_value());
  BOOST_TEST((other.machine->save() == bytes));
  BOOST_TEST(other.cd().locked);
  ManagedPc without;
  without.machine->pause();
  BOOST_TEST(without.machine->load(bytes).has_error());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
