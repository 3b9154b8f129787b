// SPDX-License-Identifier: MIT
// Every state that a request can be held in, and everything that can come then: each request is
// answered once, none reaches an image that it was not checked against, and the ring goes on.
#include "tests/unit/platform/pv/qdisk_disc_rig.h"

namespace dm::pv::test {
namespace {

BOOST_AUTO_TEST_SUITE(pv_qdisk_disc)

// The guest queues a read and an empty barrier; xl cd-eject; then stop and cont.
BOOST_FIXTURE_TEST_CASE(a_barrier_that_waits_when_the_disc_goes_fails_and_the_ring_goes_on,
                        DiscRig) {
  boot_and_connect(true);
  disk.hold();
  read();
  ordered(BlkfrontDriver::kBarrier, 0);
  go();
  params("");
  settle();
  collect();
  BOOST_TEST(status.at(1) == 0);   // it was under way, and the disc waited for it
  BOOST_TEST(status.at(2) == -1);  // it never was
  BOOST_TEST(!disk.is_open());
  BOOST_TEST(disk.log.size() == 1U);
  backends->pause();
  backends->resume();
  disk.hold(false);
  read();
  go();
  collect();
  BOOST_TEST(status.at(3) == -1);  // no disc
  params("aio:/srv/two.iso");
  settle();
  read();
  go();
  collect();
  BOOST_TEST(status.at(4) == 0);
}

// The ring of a guest whose memory is being saved is not written to.
BOOST_FIXTURE_TEST_CASE(a_disc_that_goes_in_a_pause_is_told_after_it, DiscRig) {
  boot_and_connect(true);
  disk.hold();
  read();
  ordered(BlkfrontDriver::kBarrier, 0);
  go();
  backends->pause();
  collect();
  BOOST_TEST(answers.size() == 1U);
  params("aio:/srv/two.iso");
  settle();
  BOOST_TEST(disks_opened.back().path == "/srv/two.iso");
  BOOST_TEST(ring->responses().empty());
  backends->resume();
  settle();
  collect();
  BOOST_TEST(status.at(2) == -1);
  BOOST_TEST(disk.log.size() == 1U);  // no flush of the disc that is in now
}

BOOST_FIXTURE_TEST_CASE(a_disk_that_is_found_in_a_pause_waits_for_its_end, DiscRig) {
  start({Kind::qdisk});
  backends->pause();
  add_disk(kId, "aio:/srv/image", true);
  settle();
  connect();
  BOOST_TEST_REQUIRE(is_connected());
  read();
  go();
  BOOST_TEST(ring->responses().empty());
  BOOST_TEST(disk.log.empty());
  backends->resume();
  settle();
  collect();
  BOOST_TEST(status.at(1) == 0);
}

BOOST_AUTO_TEST_CASE(each_request_is_answered_once_whatever_comes_and_the_ring_goes_on) {
  for (const bool cdrom : {true, false}) {
    for (const Named& held : kHeld) {
      for (const Named& first : kEvents) {
        for (const Named& second : kEvents) {
          BOOST_TEST_CONTEXT(held.name << "; " << first.name << "; " << second.name) {
            DiscRig rig;
            rig.boot_and_connect(cdrom);
            held.run(rig);
            first.run(rig);
            second.run(rig);
            rig.finish(true);
            BOOST_TEST_REQUIRE(rig.is_connected());
            rig.disk.heal();
            for (std::size_t page = 0; page < QdiskRig::kDataPages; ++page) {
              rig.frontend.grant(QdiskRig::grant(page), QdiskRig::kData + page);
            }
            rig.reads_again(true);
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(when_the_other_side_goes_everything_ends_and_a_new_frontend_is_served) {
  for (const bool cdrom : {true, false}) {
    for (const Named& held : kHeld) {
      for (const Named& first : kEvents) {
        for (const Named& end : kEnds) {
          BOOST_TEST_CONTEXT(held.name << "; " << first.name << "; " << end.name) {
            DiscRig rig;
            rig.boot_and_connect(cdrom);
            held.run(rig);
            first.run(rig);
            end.run(rig);
            rig.settle();
            BOOST_TEST(rig.frontend.mapped_pages() == 0U);
            BOOST_TEST(rig.frontend.bound() == 0U);
            BOOST_TEST(rig.disk.pending() == 0U);
            const std::size_t log = rig.disk.log.size();
            rig.finish(false);
            BOOST_TEST(rig.disk.log.size() == log);  // nothing was started after the end
            BOOST_TEST(rig.disk.abandoned == 0U);
            const bool stays =
                rig.backends && rig.backends->devices() == 1 && rig.ours("online") == "1";
            if (!stays) {
              BOOST_TEST(!rig.disk.is_open());
              continue;
            }
            rig.disk.heal();
            for (std::size_t page = 0; page < QdiskRig::kDataPages; ++page) {
              rig.frontend.grant(QdiskRig::grant(page), QdiskRig::kData + page);
            }
            rig.reads_again(false);
          }
        }
      }
    }
  }
}

// The event comes between any two turns of the loop.
BOOST_AUTO_TEST_CASE(a_disc_may_be_changed_between_any_two_turns) {
  for (unsigned turns = 0; turns < 40; ++turns) {
    for (const char* const next : {"", "aio:/srv/two.iso", "aio:/missing"}) {
      DiscRig rig;
      rig.boot_and_connect(true);
      rig.disk.hold(turns % 2 == 0);
      for (int i = 0; i < 4; ++i) {
        rig.read();
        rig.ordered(BlkfrontDriver::kBarrier, 0);
      }
      static_cast<void>(rig.ring->push());
      rig.frontend.kick(QdiskRig::kPort);
      rig.params(next);
      for (unsigned turn = 0; turn < turns; ++turn) {
        rig.work.run_one();
        if (turn % 3 == 0) {
          rig.store.step();
        }
      }
      rig.params("aio:/srv/three.iso");
      rig.finish(true);
      rig.reads_again(true);
    }
  }
}

// The first values are read, then the toolstack changes the disc, then they arrive.
BOOST_FIXTURE_TEST_CASE(
    a_disc_that_is_changed_while_the_device_is_being_found_is_the_one_that_counts, DiscRig) {
  for (unsigned steps = 0; steps < 24; ++steps) {
    BOOST_TEST_CONTEXT(steps) {
      store.remove("/local/domain");
      add_disk(kId, "aio:/srv/one.iso", false, true);
      backends = std::make_unique<Backends>(host(), std::vector{Kind::qdisk});
      for (unsigned step = 0; step < steps; ++step) {
        store.step();
      }
      params("aio:/srv/two.iso");
      settle();
      connect();
      BOOST_TEST(is_connected());
      BOOST_TEST(disks_opened.back().path == "/srv/two.iso");
      backends.reset();
      settle();
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::pv::test
