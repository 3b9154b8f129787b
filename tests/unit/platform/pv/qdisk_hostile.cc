// SPDX-License-Identifier: MIT
// Whatever the guest puts into its ring: an answer, and nothing else happens.
#include "tests/unit/platform/pv/qdisk_rig.h"

#include <random>

namespace dm::pv::test {
namespace {

struct HostileRig : QdiskRig {
  /// The request that was put in last fails and reaches neither image nor pages.
  void expect(std::int16_t status) {
    const std::size_t before = disk.log.size();
    go();
    const Response response = answer();
    BOOST_TEST(response.status == status);
    BOOST_TEST(disk.log.size() == before);
    BOOST_TEST(frontend.mapped_pages() == 1U);
  }
};

BOOST_FIXTURE_TEST_SUITE(pv_qdisk_hostile, HostileRig)

BOOST_AUTO_TEST_CASE(segments_that_make_no_sense_fail) {
  connected();
  ring->transfer(BlkfrontDriver::kRead, 1, 0, {});
  expect(-1);
  for (const Segment bad : {Segment{grant(0), 5, 4}, Segment{grant(0), 0, 8},
                            Segment{grant(0), 7, 255}, Segment{grant(0), 255, 255}}) {
    ring->transfer(BlkfrontDriver::kWrite, 2, 0, {{grant(1), 0, 7}, bad});
    expect(-1);
  }
  for (const unsigned count : {12U, 255U}) {
    ring->transfer(BlkfrontDriver::kRead, 3, 0, pages(11));
    ring->last()[1] = static_cast<std::byte>(count);
    expect(-1);
  }
}

BOOST_AUTO_TEST_CASE(sectors_past_the_end_and_sums_that_wrap_fail) {
  connected();
  const std::uint64_t end = kDiskBytes / 512;
  for (const std::uint64_t sector :
       {end, end - 7, end + 1, std::uint64_t{1} << 55, ~std::uint64_t{0}, ~std::uint64_t{0} - 6}) {
    ring->transfer(BlkfrontDriver::kRead, 1, sector, pages(1));
    expect(-1);
    ring->discard(2, sector, 8);
    expect(-1);
  }
  ring->discard(3, 8, ~std::uint64_t{0} - 7);
  expect(-1);
  ring->discard(4, 0, std::uint64_t{1} << 55);
  expect(-1);
  ring->transfer(BlkfrontDriver::kRead, 5, end - 8, pages(1));
  go();
  BOOST_TEST(answer().status == 0);
}

BOOST_AUTO_TEST_CASE(operations_that_do_not_exist_are_not_supported) {
  connected();
  for (const int operation : {4, 7, 8, 128, 255}) {
    ring->transfer(static_cast<std::uint8_t>(operation), 1, 0, pages(1));
    expect(-2);
  }
}

BOOST_AUTO_TEST_CASE(indirect_requests_of_any_other_kind_fail) {
  connected();
  lay_out(300, pages(300));
  for (const int inner : {2, 3, 5, 6, 200}) {
    ring->indirect(static_cast<std::uint8_t>(inner), 1, 0, 8, {grant(300)});
    expect(-1);
  }
  for (const unsigned count : {0U, 257U, 512U, 65535U}) {
    ring->indirect(BlkfrontDriver::kRead, 2, 0, static_cast<std::uint16_t>(count),
                   {grant(300), grant(301)});
    expect(-1);
  }
  ring->indirect(BlkfrontDriver::kRead, 3, 0, 8, {4'000'000});
  expect(-1);
}

BOOST_AUTO_TEST_CASE(grants_that_cannot_be_mapped_fail) {
  connected();
  ring->transfer(BlkfrontDriver::kRead, 1, 0, {{grant(0), 0, 7}, {99, 0, 7}});
  expect(-1);
  ring->transfer(BlkfrontDriver::kRead, 2, 0, {{0xffffffff, 0, 7}});
  expect(-1);
  frontend.grant(2000, kData, true);
  ring->transfer(BlkfrontDriver::kRead, 3, 0, {{2000, 0, 7}});  // to be written: read-only
  expect(-1);
  ring->transfer(BlkfrontDriver::kWrite, 4, 0, {{2000, 0, 7}});
  go();
  BOOST_TEST(answer().status == 0);
}

BOOST_AUTO_TEST_CASE(the_same_page_may_be_named_again_and_again) {
  connected();
  ring->transfer(BlkfrontDriver::kRead, 1, 0,
                 {{grant(0), 0, 7}, {grant(0), 0, 7}, {grant(0), 0, 0}});
  go();
  BOOST_TEST(answer().status == 0);
}

// XSA-155: what was checked is what is used.
BOOST_AUTO_TEST_CASE(what_is_changed_after_it_was_taken_is_not_looked_at) {
  connected();
  disk.hold();
  fill(0, 1);
  ring->transfer(BlkfrontDriver::kWrite, 77, 8, pages(1));
  lay_out(300, pages(2));
  std::byte* const direct = ring->last();
  ring->indirect(BlkfrontDriver::kRead, 78, 0, 2, {grant(300)});
  std::byte* const indirect = ring->last();
  go();
  BOOST_TEST(disk.pending() == 2U);
  std::memset(direct, 0xff, 112);
  std::memset(indirect, 0xff, 112);
  std::memset(data(300), 0xff, 4096);
  for (std::size_t page = 0; page < 2; ++page) {
    frontend.revoke(grant(page));
  }
  disk.complete_all();
  settle();
  const auto all = ring->responses();
  BOOST_TEST_REQUIRE(all.size() == 2U);
  BOOST_TEST(all[0].id == 77U);
  BOOST_TEST(all[0].operation == 1);
  BOOST_TEST(all[0].status == 0);
  BOOST_TEST(all[1].id == 78U);
  BOOST_TEST(all[1].operation == 0);
  BOOST_TEST(disk.log[0].offset == 8U * 512);
  BOOST_TEST(disk.log[0].length == 4096U);
}

BOOST_AUTO_TEST_CASE(an_index_farther_ahead_than_the_ring_is_long_closes_the_device) {
  for (const std::uint32_t more : {33U, 1000U, 0x80000000U, 0xffffffffU}) {
    disk.hold(false);
    if (!backends) {
      boot();
    }
    connect();
    BOOST_TEST_REQUIRE(ours("state") == kConnected);
    disk.hold();
    ring->transfer(BlkfrontDriver::kRead, 1, 0, pages(1));
    go();
    ring->claim(more == 0xffffffffU ? more - 1 : more);
    frontend.kick(kPort);
    settle();
    BOOST_TEST(ours("state") == kClosing);
    BOOST_TEST(frontend.mapped_pages() == 0U);
    BOOST_TEST(disk.pending() == 0U);
    guest_sets(front("vbd", kId) + "/state", kClosed);
    guest_sets(front("vbd", kId) + "/state", kInitialising);
  }
}

BOOST_AUTO_TEST_CASE(transport_that_makes_no_sense_closes_the_device) {
  boot();
  const std::string path = front("vbd", kId);
  struct Row {
    const char* key;
    const char* value;
  };
  for (const Row row :
       {Row{"protocol", "arm-abi"}, Row{"ring-page-order", "5"}, Row{"ring-page-order", "-1"},
        Row{"ring-page-order", "4294967296"}, Row{"ring-page-order", "1"}, Row{"ring-ref", "12345"},
        Row{"ring-ref", "x"}, Row{"event-channel", "9"}, Row{"event-channel", ""}}) {
    ring.emplace(frontend.page(kRingPage), 1, Abi::x86_64);
    frontend.grant(500, kRingPage);
    store.remove(path + "/protocol");
    store.remove(path + "/ring-page-order");
    store.set(path + "/ring-ref", "500", kDomid);
    store.set(path + "/event-channel", std::to_string(kPort), kDomid);
    store.set(path + "/" + row.key, row.value, kDomid);
    guest_sets(path + "/state", kInitialised);
    BOOST_TEST(ours("state") == kClosing, row.key << "=" << row.value);
    BOOST_TEST(frontend.mapped_pages() == 0U);
    BOOST_TEST(frontend.bound() == 0U);
    guest_sets(path + "/state", kClosed);
    guest_sets(path + "/state", kInitialising);
  }
  store.set(path + "/event-channel", std::to_string(kPort), kDomid);
  connect();
  BOOST_TEST(ours("state") == kConnected);
  BOOST_TEST(disks_opened.size() == 1U);
}

BOOST_AUTO_TEST_CASE(mapped_pages_are_bounded) {
  connected(Abi::x86_64, 4);
  disk.hold();
  lay_out(300, pages(256));
  for (std::uint64_t id = 0; id < 500; ++id) {
    ring->indirect(BlkfrontDriver::kRead, id, 0, 256, {grant(300)});
  }
  go();
  BOOST_TEST(disk.pending() == 32U);
  BOOST_TEST(frontend.most_mapped <= 16U + 32U * 256U + 1U);
  std::size_t answered = 0;
  while (disk.pending() != 0) {
    disk.complete_all();
    settle();
    answered += ring->responses().size();
  }
  BOOST_TEST(answered == 500U);
}

BOOST_AUTO_TEST_CASE(a_ring_of_rubbish_is_answered_to_the_last_request) {
  std::mt19937_64 random{3};
  for (const Abi abi : {Abi::x86_64, Abi::x86_32}) {
    backends.reset();
    store.remove("/local/domain");
    boot();
    connect(abi);
    for (int round = 0; round < 400; ++round) {
      const std::uint32_t count = 1 + static_cast<std::uint32_t>(random() % ring->entries());
      disk.hold(random() % 2 == 0);
      for (std::uint32_t i = 0; i < count; ++i) {
        ring->transfer(static_cast<std::uint8_t>(random() % 8), random(),
                       random() % (random() % 3 == 0 ? ~0ULL : 131072),
                       pages(random() % 12, random() % 500));
        std::byte* const entry = ring->last();
        for (std::uint64_t n = random() % 6; n != 0; --n) {
          entry[random() % 108] = static_cast<std::byte>(random());
        }
      }
      go();
      std::size_t answered = ring->responses().size();
      for (int turn = 0; turn < 40 && answered < count; ++turn) {
        disk.complete_all();
        settle();
        answered += ring->responses().size();
      }
      BOOST_TEST_REQUIRE(answered == count);
      BOOST_TEST_REQUIRE(frontend.mapped_pages() == 1U);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_guest_that_scribbles_over_its_ring_all_the_time_is_served_or_closed) {
  std::mt19937_64 random{4};
  boot();
  for (int life = 0; life < 60; ++life) {
    disk.hold(false);
    connect(life % 2 == 0 ? Abi::x86_64 : Abi::x86_32, static_cast<unsigned>(random() % 3));
    BOOST_TEST_REQUIRE(ours("state") == kConnected);
    for (int step = 0; step < 100; ++step) {
      std::byte* const page = frontend.page(kRingPage);
      switch (random() % 4) {
        case 0:
          ring->set(4 * (random() % 4), static_cast<std::uint32_t>(random() % 64));
          break;
        case 1:
          page[random() % 4096] = static_cast<std::byte>(random());
          break;
        case 2:
          disk.hold(random() % 2 == 0);
          break;
        default:
          disk.complete_all();
          break;
      }
      frontend.kick(kPort);
      for (std::uint64_t n = random() % 5; n != 0; --n) {
        work.run_one();
      }
    }
    settle();
    guest_sets(front("vbd", kId) + "/state", kClosed);
    BOOST_TEST_REQUIRE(frontend.mapped_pages() == 0U);
    guest_sets(front("vbd", kId) + "/state", kInitialising);
  }
}

unsigned log_lines = 0;

struct CyclingRig : QdiskRig {
  CyclingRig() {
    log_lines = 0;
    log::set_sink([](log::Level, std::string_view) noexcept { ++log_lines; });
  }
  void cycle() {
    for (unsigned round = 0; round < 1000; ++round) {
      guest_sets(front("vbd", kId) + "/state", kClosed);
      guest_sets(front("vbd", kId) + "/state", kInitialising);
      connect();
    }
  }
};

// Each opening is a line in the log, and with qcow2 a process in dom0.
BOOST_FIXTURE_TEST_CASE(a_frontend_that_comes_and_goes_without_end_opens_the_image_once,
                        CyclingRig) {
  boot();
  cycle();
  BOOST_TEST(ours("state") == kConnected);
  BOOST_TEST(disks_opened.size() == 1U);
  BOOST_TEST(disk.flushes_now == 0U);
  BOOST_TEST(log_lines == 0U);
}

BOOST_FIXTURE_TEST_CASE(an_image_that_cannot_be_opened_is_not_tried_without_end, CyclingRig) {
  boot("qcow2:/missing");
  cycle();
  BOOST_TEST(ours("state") == kClosing);
  BOOST_TEST(disks_opened.size() == 8U);
  BOOST_TEST(log_lines <= 8U);
}

BOOST_FIXTURE_TEST_CASE(a_toolstack_that_changes_the_disc_is_listened_to_again, CyclingRig) {
  boot("qcow2:/missing", false, true);
  cycle();
  store.set(back("qdisk", kId) + "/params", "qcow2:/srv/two.iso");
  settle();
  guest_sets(front("vbd", kId) + "/state", kInitialising);
  connect();
  BOOST_TEST(ours("state") == kConnected);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::pv::test
