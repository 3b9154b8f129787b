// SPDX-License-Identifier: MIT
// A guest that is about to go on elsewhere while this process still exists: what has become of its
// disks at each step of xl migrate, and when it goes on here after all (libxl 4.17:
// libxl_dom_suspend.c, libxl_dom_save.c).
#include "tests/unit/ioreq/daemon/saved_machines.h"

#include <algorithm>
#include <cstddef>

namespace dm::test {
namespace {

constexpr std::uint8_t kReadDma = 0xc8;
constexpr std::uint8_t kWriteDma = 0xca;

struct MovingPc : SavedPc {
  MovingPc() { firmware(); }

  /// Writes a sector of its own to the primary master, without a flush.
  void write(std::uint32_t lba) {
    const auto bytes = rig::ScriptedBlock::pattern(lba, 5);
    std::copy(bytes.begin(), bytes.end(), memory.ram().begin() + 0x200000);
    ide_dma(kWriteDma, lba, 1, 0x200000);
  }
  [[nodiscard]] bool has(std::uint32_t lba) const {
    return disks[0].sector(lba) == rig::ScriptedBlock::pattern(lba, 5);
  }
  /// DRDY and no error after a read of the primary master.
  [[nodiscard]] bool reads(std::uint32_t lba) {
    ide_dma(kReadDma, lba, 1, 0x300000);
    return (inb(0x1f7) & 0x21U) == 0;
  }
  [[nodiscard]] bool all_are(bool away) const {
    return std::ranges::all_of(disks, [away](const auto& disk) { return disk.is_away() == away; });
  }
  [[nodiscard]] unsigned flushes() const {
    unsigned all = 0;
    for (const auto& disk : disks) {
      all += disk.flushes_now;
    }
    return all;
  }
};

BOOST_FIXTURE_TEST_SUITE(moving, MovingPc)

/// The target may be another host on shared storage, and xl save may be the last thing before a
/// host is switched off.
BOOST_AUTO_TEST_CASE(what_was_acknowledged_before_stop_is_on_stable_storage_after_it) {
  write(40);
  control->stop();
  BOOST_TEST(control->durable());
  disks[0].power_cut();
  BOOST_TEST(has(40));
  BOOST_TEST(all_are(false));
}

BOOST_AUTO_TEST_CASE(after_a_live_save_every_image_is_anothers_and_cont_takes_it_back) {
  write(40);
  control->stop();
  BOOST_TEST(!control->save(0).empty());
  BOOST_TEST(control->hand_over());
  BOOST_TEST(all_are(true));  // the disc, too
  BOOST_TEST(!others_here);
  control->cont();
  BOOST_TEST(all_are(false));
  BOOST_TEST(others_here);
  BOOST_TEST(others_run);
  BOOST_TEST(reads(40));
  write(41);
  control->stop();
  BOOST_TEST(control->hand_over());  // Remus, and a second attempt
  BOOST_TEST(all_are(true));
  disks[0].power_cut();
  BOOST_TEST(has(41));
}

/// libxl kills the process when the guest runs elsewhere: what is flushed then is another's.
BOOST_AUTO_TEST_CASE(a_process_that_ends_after_a_live_save_touches_no_image) {
  write(40);
  control->stop();
  BOOST_TEST(control->hand_over());
  const unsigned before = flushes();
  BOOST_TEST(machine->make_durable());
  control->stop();
  BOOST_TEST(flushes() == before);
  const std::size_t requests = disks[0].log.size();
  machine.reset();
  BOOST_TEST(flushes() == before);
  BOOST_TEST(disks[0].log.size() == requests);
  BOOST_TEST(!disks[0].is_open());
}

BOOST_AUTO_TEST_CASE(a_process_that_ends_after_another_save_makes_its_disks_durable_as_ever) {
  control->stop();
  const unsigned before = flushes();
  BOOST_TEST(machine->make_durable());
  BOOST_TEST(flushes() > before);
}

/// 200 sectors are more than one request to the image: some are made before, some after.
BOOST_AUTO_TEST_CASE(a_command_under_way_goes_on_when_its_image_is_back) {
  const auto take = [this](unsigned sectors) {
    for (unsigned i = 0; i < sectors; ++i) {
      rep_ins(0x1f0, 2, 0x10000, 256);
      settle();
    }
  };
  ide_command(0, 0x20, 0, 200);  // READ SECTORS
  settle();
  take(10);
  control->stop();
  BOOST_TEST(control->hand_over());
  const std::size_t made = disks[0].log.size();
  settle();
  BOOST_TEST(disks[0].log.size() == made);
  control->cont();
  settle();
  take(190);
  BOOST_TEST(disks[0].log.size() > made);
  BOOST_TEST(inb(0x1f7) == 0x50);
}

BOOST_AUTO_TEST_CASE(a_disk_that_cannot_be_had_again_fails_and_the_others_go_on) {
  disks[0].cannot_come_back();
  control->stop();
  BOOST_TEST(control->hand_over());
  control->cont();
  BOOST_TEST(control->running());
  BOOST_TEST(!reads(7));
  BOOST_TEST(!disks[1].is_away());
  BOOST_TEST(!disks[2].is_away());
  ide0.select(0);
  outb(0x1f7, 0xe7);  // FLUSH CACHE
  settle();
  BOOST_TEST((inb(0x1f7) & 0x21U) != 0);
}

BOOST_AUTO_TEST_CASE(an_image_that_cannot_be_handed_over_is_an_error_and_the_guest_goes_on_here) {
  disks[2].cannot_go();
  write(40);
  control->stop();
  BOOST_TEST(!control->hand_over());
  BOOST_TEST(!disks[2].is_away());
  control->cont();
  BOOST_TEST(all_are(false));
  BOOST_TEST(reads(40));
  others_stay = true;
  disks[2].cannot_go(false);
  control->stop();
  BOOST_TEST(!control->hand_over());
  control->cont();
  BOOST_TEST(all_are(false));
  BOOST_TEST(others_here);
}

BOOST_AUTO_TEST_CASE(a_disk_that_cannot_be_flushed_at_stop_is_told) {
  write(40);
  disks[0].fail_flushes();
  control->stop();
  BOOST_TEST(!control->durable());
  control->cont();
  control->stop();
  BOOST_TEST(!control->durable());  // for good
}

BOOST_AUTO_TEST_CASE(devices_beside_the_machine_have_to_be_durable_too) {
  others_durable = false;
  control->stop();
  BOOST_TEST(!control->durable());
  others_durable = true;
  control->cont();
  control->stop();
  BOOST_TEST(control->durable());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
