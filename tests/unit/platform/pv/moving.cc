// SPDX-License-Identifier: MIT
// A guest with PV devices is saved: its disks' images are handed over while its frontends stay
// connected. It goes on here after all (xl save -c, a migration that failed, Remus), or elsewhere,
// where its frontends connect anew (Linux 6.1: blkfront_resume, xencons_resume, xenkbd_resume).
#include "tests/drivers/console_driver.h"
#include "tests/unit/platform/pv/qdisk_rig.h"

#include <string>

namespace dm::pv::test {
namespace {

using dm::test::ConsoleDriver;

struct MovingRig : QdiskRig {
  void write(std::uint64_t id, std::uint64_t sector, std::size_t page) {
    fill(page, id);
    ring->transfer(BlkfrontDriver::kWrite, id, sector, pages(1, page));
  }
  void save_live() {
    BOOST_TEST(backends->pause());
    BOOST_TEST(backends->hand_over());
  }
  void go_on() {
    backends->take_back();
    backends->resume();
    settle();
  }
  /// The source's process ends, and its domain's nodes go.
  void leave() {
    backends.reset();
    store.remove("/local/domain/7");
    store.remove("/local/domain/0/backend");
  }
};

BOOST_FIXTURE_TEST_SUITE(pv_moving, MovingRig)

BOOST_AUTO_TEST_CASE(what_was_answered_before_a_pause_is_durable_after_it) {
  connected();
  write(1, 8, 0);
  go();
  BOOST_TEST(answer().status == 0);
  BOOST_TEST(backends->pause());
  disk.power_cut();
  BOOST_TEST(on_disk(8, 0, 0, 8));
  BOOST_TEST(!disk.is_away());
}

BOOST_AUTO_TEST_CASE(a_disk_that_cannot_be_flushed_is_told_each_time) {
  connected();
  write(1, 8, 0);
  go();
  disk.fail_flushes();
  for (int again = 0; again < 3; ++again) {
    BOOST_TEST(!backends->pause());
    backends->resume();
  }
}

BOOST_AUTO_TEST_CASE(a_request_that_arrives_between_waits_and_brings_the_image_back) {
  connected();
  disk.hold();
  write(1, 8, 0);
  go();
  save_live();
  BOOST_TEST(disk.is_away());
  BOOST_TEST(answer().id == 1U);  // what was under way has finished
  BOOST_TEST(state("qdisk", kId) == kConnected);
  disk.hold(false);
  write(2, 16, 1);
  go();
  BOOST_TEST(ring->responses().empty());
  BOOST_TEST(disk.log.size() == 1U);
  go_on();
  BOOST_TEST(answer().status == 0);
  BOOST_TEST(!disk.is_away());
  BOOST_TEST(on_disk(8, 0, 0, 8));
  BOOST_TEST(on_disk(16, 1, 0, 8));
  BOOST_TEST(disks_opened.size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_image_stays_closed_until_it_is_needed) {
  connected();
  save_live();
  go_on();
  BOOST_TEST(disk.is_away());
  ring->transfer(BlkfrontDriver::kFlush, 7, 0, {});
  go();
  BOOST_TEST(answer().status == 0);
  BOOST_TEST(!disk.is_away());
  BOOST_TEST(disk.take_backs == 1U);
}

BOOST_AUTO_TEST_CASE(remus_hands_over_and_takes_back_as_often_as_it_likes) {
  connected();
  for (std::uint64_t round = 1; round < 40; ++round) {
    write(round, 8 * round, 0);
    go();
    BOOST_TEST(answer().status == 0);
    save_live();
    disk.power_cut();
    BOOST_TEST(on_disk(8 * round, 0, 0, 8));
    go_on();
  }
  BOOST_TEST(state("qdisk", kId) == kConnected);
  BOOST_TEST(disks_opened.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_barrier_that_waits_through_it_all_is_carried_out_once) {
  connected();
  disk.hold();
  write(1, 8, 0);
  fill(1, 2);
  ring->transfer(BlkfrontDriver::kBarrier, 2, 16, pages(1, 1));
  go();
  save_live();
  disk.hold(false);
  go_on();
  const auto all = ring->responses();
  BOOST_TEST_REQUIRE(all.size() == 2U);
  BOOST_TEST(all[0].status == 0);
  BOOST_TEST(all[1].status == 0);
  disk.power_cut();
  BOOST_TEST(on_disk(16, 1, 0, 8));
}

BOOST_AUTO_TEST_CASE(an_image_that_cannot_be_had_again_gives_errors) {
  connected();
  disk.cannot_come_back();
  save_live();
  go_on();
  for (std::uint64_t id = 1; id < 4; ++id) {
    write(id, 8, 0);
    go();
    BOOST_TEST(answer().status == -1);
  }
  BOOST_TEST(disk.take_backs == 1U);
}

BOOST_AUTO_TEST_CASE(an_image_that_cannot_be_handed_over_stays_in_use) {
  connected();
  disk.cannot_go();
  BOOST_TEST(backends->pause());
  BOOST_TEST(!backends->hand_over());
  go_on();
  write(1, 8, 0);
  go();
  BOOST_TEST(answer().status == 0);
}

/// After the answer to a live save the image is another's, until the end of this process.
BOOST_AUTO_TEST_CASE(nothing_touches_an_image_that_was_handed_over_when_everything_ends) {
  connected();
  write(1, 8, 0);
  go();
  save_live();
  const unsigned flushes = disk.flushes_now;
  const std::size_t requests = disk.log.size();
  store.set(front("vbd", kId) + "/state", kClosed, kDomid);
  settle();
  backends.reset();
  BOOST_TEST(disk.flushes_now == flushes);
  BOOST_TEST(disk.log.size() == requests);
  BOOST_TEST(disk.take_backs == 0U);
}

/// What the guest wrote before it was suspended may be read from xenstore only now.
BOOST_AUTO_TEST_CASE(a_frontend_that_connects_meanwhile_waits_and_no_image_is_opened) {
  boot();
  save_live();
  connect();
  BOOST_TEST(disks_opened.empty());
  BOOST_TEST(state("qdisk", kId) == kInitWait);
  go_on();
  BOOST_TEST(state("qdisk", kId) == kConnected);
  BOOST_TEST(disks_opened.size() == 1U);
  write(1, 8, 0);
  go();
  BOOST_TEST(answer().status == 0);
}

BOOST_AUTO_TEST_CASE(a_disk_that_is_found_meanwhile_waits_too) {
  start({Kind::qdisk});
  save_live();
  add_disk(kId, "aio:/srv/image", true);
  settle();
  connect();
  BOOST_TEST(disks_opened.empty());
  go_on();
  BOOST_TEST(state("qdisk", kId) == kConnected);
}

BOOST_AUTO_TEST_CASE(a_frontend_that_closed_and_comes_again_meanwhile_finds_the_image_later) {
  connected();
  guest_sets(front("vbd", kId) + "/state", kClosed);
  save_live();
  guest_sets(front("vbd", kId) + "/state", kInitialising);
  connect();
  BOOST_TEST(state("qdisk", kId) == kConnected);  // its size is known
  BOOST_TEST(disk.is_away());
  go_on();
  write(1, 8, 0);
  go();
  BOOST_TEST(answer().status == 0);
  BOOST_TEST(!disk.is_away());
}

/// blkfront asks again, on a new ring, for what it has no answer to (blkfront_resume).
BOOST_AUTO_TEST_CASE(a_restored_guests_disk_connects_anew_and_loses_nothing) {
  connected();
  write(1, 8, 0);
  go();
  BOOST_TEST(answer().status == 0);
  BOOST_TEST(backends->pause());
  write(2, 16, 1);  // nobody takes it
  go();
  leave();
  boot();
  BOOST_TEST(state("qdisk", kId) == kInitWait);
  connect();
  BOOST_TEST_REQUIRE(state("qdisk", kId) == kConnected);
  BOOST_TEST(disks_opened.size() == 2U);
  write(2, 16, 1);
  ring->transfer(BlkfrontDriver::kRead, 3, 8, pages(1, 2));
  go();
  const auto all = ring->responses();
  BOOST_TEST_REQUIRE(all.size() == 2U);
  BOOST_TEST(all[0].status == 0);
  BOOST_TEST(all[1].status == 0);
  BOOST_TEST(on_disk(8, 0, 0, 8));
  BOOST_TEST(on_disk(8, 2, 0, 8));
  BOOST_TEST(on_disk(16, 1, 0, 8));
}

BOOST_AUTO_TEST_CASE(a_restored_guests_consoles_go_on) {
  constexpr std::uint32_t kFrame = 5;
  constexpr std::uint32_t kPage = 9;
  constexpr std::uint32_t kGrant = 77;
  ConsoleDriver first{frontend.page(kFrame)};
  ConsoleDriver third{frontend.page(kPage)};
  frontend.grant(kGrant, kPage);
  frontend.offer(2);
  frontend.offer(12);
  for (const std::string word : {"here", "there"}) {
    store.set("/local/domain/7/console/ring-ref", std::to_string(kFrame));
    store.set("/local/domain/7/console/port", "2");
    add_console(0, "file:/var/log/" + word);
    add_console(3, "pty");
    static_cast<void>(first.print(word));  // hvc prints as soon as the guest runs
    start({Kind::console});
    store.set(front("console", 3) + "/ring-ref", std::to_string(kGrant), kDomid);
    store.set(front("console", 3) + "/port", "12", kDomid);
    guest_sets(front("console", 3) + "/state", kInitialised);
    BOOST_TEST(state("console", 0) == kConnected);
    BOOST_TEST(state("console", 3) == kConnected);
    BOOST_TEST(chardevs["file:/var/log/" + word].sent == word);
    static_cast<void>(third.print(word));
    BOOST_TEST(frontend.kick(12));
    settle();
    BOOST_TEST(chardevs["pty"].sent.ends_with(word));
    save_live();
    leave();
  }
}

BOOST_AUTO_TEST_CASE(a_restored_guests_keyboard_connects_and_its_framebuffer_does_not_wait) {
  for (int home = 0; home < 2; ++home) {
    for (const std::string kind : {"vkbd", "vfb"}) {
      store.set(front(kind, 0) + "/state", kInitialising, kDomid);
      add_pair(kind, kind, 0);
    }
    start({Kind::vkbd, Kind::vfb});
    BOOST_TEST(state("vkbd", 0) == kInitWait);
    BOOST_TEST(state("vfb", 0) == kClosed);
    guest_sets(front("vkbd", 0) + "/state", kInitialised);
    BOOST_TEST(state("vkbd", 0) == kConnected);
    save_live();
    go_on();
    BOOST_TEST(state("vkbd", 0) == kConnected);
    save_live();
    leave();
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::pv::test
