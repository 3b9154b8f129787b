// SPDX-License-Identifier: MIT
#include "tests/unit/platform/pv/qdisk_rig.h"

#include <boost/test/data/test_case.hpp>

#include <algorithm>

namespace dm::pv::test {
namespace {

namespace data = boost::unit_test::data;

BOOST_FIXTURE_TEST_SUITE(pv_qdisk, QdiskRig)

BOOST_AUTO_TEST_CASE(features_are_published_before_and_the_size_when_the_frontend_connects) {
  boot();
  BOOST_TEST(ours("state") == kInitWait);
  BOOST_TEST(ours("feature-flush-cache") == "1");
  BOOST_TEST(ours("feature-barrier") == "1");
  BOOST_TEST(ours("feature-persistent") == "0");
  BOOST_TEST(ours("feature-max-indirect-segments") == "256");
  BOOST_TEST(ours("max-ring-page-order") == "4");
  BOOST_TEST(ours("sectors") == "none");
  connect();
  BOOST_TEST(ours("state") == kConnected);
  BOOST_TEST(ours("sectors") == "131072");
  BOOST_TEST(ours("sector-size") == "512");
  BOOST_TEST(ours("physical-sector-size") == "512");
  BOOST_TEST(ours("info") == "0");
  BOOST_TEST(ours("feature-discard") == "1");
  BOOST_TEST(ours("discard-granularity") == "512");
}

struct Layout {
  Abi abi;
  unsigned order;
  std::uint32_t entries;  ///< of the ring, by RING_SIZE of io/ring.h
};
std::ostream& operator<<(std::ostream& out, const Layout& layout) {
  return out << (layout.abi == Abi::x86_64 ? 64 : 32) << " bits, order " << layout.order;
}
constexpr Layout kLayouts[] = {{Abi::x86_64, 0, 32},
                               {Abi::x86_32, 0, 32},
                               {Abi::x86_64, 1, 64},
                               {Abi::x86_32, 2, 128},
                               {Abi::x86_64, 4, 512}};

BOOST_DATA_TEST_CASE_F(QdiskRig, sectors_go_both_ways, data::make(kLayouts), layout) {
  connected(layout.abi, layout.order);
  BOOST_TEST(ring->entries() == layout.entries);
  fill(0, 1);
  fill(1, 1);
  ring->transfer(BlkfrontDriver::kWrite, 0x1122334455667788, 64,
                 {{grant(0), 2, 7}, {grant(1), 0, 3}});
  go();
  const Response wrote = answer();
  BOOST_TEST(wrote.id == 0x1122334455667788U);
  BOOST_TEST(wrote.operation == 1);
  BOOST_TEST(wrote.status == 0);
  BOOST_TEST(on_disk(64, 0, 2, 6));
  BOOST_TEST(on_disk(70, 1, 0, 4));
  for (std::uint64_t lba = 1000; lba < 1012; ++lba) {
    disk.stamp(lba);
  }
  ring->transfer(BlkfrontDriver::kRead, 2, 1000, {{grant(2), 4, 7}, {grant(3), 0, 7}});
  go();
  BOOST_TEST(answer().status == 0);
  BOOST_TEST(on_disk(1000, 2, 4, 4));
  BOOST_TEST(on_disk(1004, 3, 0, 8));
  BOOST_TEST(frontend.kicks(kPort) == 2U);
}

BOOST_DATA_TEST_CASE_F(QdiskRig,
                       a_whole_ring_of_requests_is_answered_round_and_round,
                       data::make(kLayouts),
                       layout) {
  connected(layout.abi, layout.order);
  std::uint64_t id = 0;
  for (int round = 0; round < 5; ++round) {
    for (std::uint32_t i = 0; i < layout.entries; ++i) {
      ring->transfer(BlkfrontDriver::kWrite, id, id * 8 % 100'000, pages(1, i % 64));
      ++id;
    }
    go();
    const auto all = ring->responses();
    BOOST_TEST_REQUIRE(all.size() == layout.entries);
    BOOST_TEST(
        std::all_of(all.begin(), all.end(), [](const Response& r) { return r.status == 0; }));
  }
}

BOOST_AUTO_TEST_CASE(without_a_protocol_the_layout_is_that_of_64_bits) {
  boot();
  connect(Abi::x86_64, 0, false);
  ring->transfer(BlkfrontDriver::kRead, 5, 0, pages(1));
  go();
  BOOST_TEST(answer().id == 5U);
}

BOOST_DATA_TEST_CASE_F(QdiskRig,
                       indirect_requests_carry_a_mebibyte,
                       data::make({false, true}),
                       narrow) {
  connected(narrow ? Abi::x86_32 : Abi::x86_64);
  for (std::size_t page = 0; page < 256; ++page) {
    fill(page, 3);
  }
  lay_out(300, pages(256));
  ring->indirect(BlkfrontDriver::kWrite, 9, 2048, 256, {grant(300)});
  go();
  Response response = answer();
  BOOST_TEST(response.status == 0);
  BOOST_TEST(response.operation == 1);  // blkfront compares it with the inner operation
  for (std::size_t page = 0; page < 256; ++page) {
    BOOST_TEST_REQUIRE(on_disk(2048 + page * 8, page, 0, 8));
  }
  BOOST_TEST(disk.log.back().length == 1U << 20U);
  lay_out(300, pages(100, 400));
  ring->indirect(BlkfrontDriver::kRead, 10, 2048, 100, {grant(300)});
  go();
  BOOST_TEST(answer().status == 0);
  BOOST_TEST(on_disk(2048, 400, 0, 8));
  BOOST_TEST(on_disk(2048 + 99 * 8, 499, 0, 8));
  BOOST_TEST(frontend.mapped_pages() == 1U);  // the ring
}

BOOST_AUTO_TEST_CASE(requests_finish_in_any_order_and_no_more_than_32_are_under_way) {
  connected(Abi::x86_64, 2);
  disk.hold();
  for (std::uint64_t id = 0; id < 100; ++id) {
    ring->transfer(BlkfrontDriver::kRead, id, id * 8, pages(1, id));
  }
  go();
  BOOST_TEST(disk.pending() == 32U);
  disk.complete(31);
  disk.complete(5);
  settle();
  const auto first = ring->responses();
  BOOST_TEST_REQUIRE(first.size() == 2U);
  BOOST_TEST(first[0].id == 31U);
  BOOST_TEST(first[1].id == 5U);
  BOOST_TEST(disk.pending() == 32U);
  std::size_t answered = 2;
  for (int turn = 0; turn < 10; ++turn) {
    disk.complete_all();
    settle();
    answered += ring->responses().size();
  }
  BOOST_TEST(answered == 100U);
}

BOOST_AUTO_TEST_CASE(the_guest_is_notified_only_when_it_asked) {
  connected();
  ring->transfer(BlkfrontDriver::kRead, 1, 0, pages(1));
  ring->set(12, 1000);  // far ahead: no wish to hear
  go();
  BOOST_TEST(frontend.kicks(kPort) == 0U);
  BOOST_TEST(ring->responses().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_flush_makes_what_was_answered_durable) {
  connected();
  fill(0, 4);
  ring->transfer(BlkfrontDriver::kWrite, 1, 8, pages(1));
  go();
  BOOST_TEST(answer().status == 0);
  ring->transfer(BlkfrontDriver::kFlush, 2, 0, {});
  go();
  const Response response = answer();
  BOOST_TEST(response.status == 0);
  BOOST_TEST(response.operation == 3);
  disk.power_cut();
  BOOST_TEST(on_disk(8, 0, 0, 8));
  disk.fail_flushes();
  ring->transfer(BlkfrontDriver::kFlush, 3, 0, {});
  go();
  BOOST_TEST(answer().status == -1);
}

BOOST_AUTO_TEST_CASE(a_barrier_waits_for_all_before_it_and_holds_all_after_it) {
  connected();
  disk.hold();
  fill(5, 6);
  ring->transfer(BlkfrontDriver::kWrite, 1, 0, pages(1));
  ring->transfer(BlkfrontDriver::kWrite, 2, 8, pages(1, 1));
  ring->transfer(BlkfrontDriver::kBarrier, 3, 16, pages(1, 5));
  ring->transfer(BlkfrontDriver::kWrite, 4, 24, pages(1, 2));
  go();
  BOOST_TEST(disk.pending() == 2U);
  disk.complete(1);
  settle();
  BOOST_TEST(disk.pending() == 1U);
  disk.complete();
  settle();
  BOOST_TEST_REQUIRE(disk.pending() == 1U);
  BOOST_TEST((disk.log.back().op == BlockOp::flush));
  disk.complete();
  settle();
  BOOST_TEST_REQUIRE(disk.pending() == 1U);
  BOOST_TEST((disk.log.back().op == BlockOp::write));
  BOOST_TEST(disk.log.back().durable);
  BOOST_TEST(disk.log.back().offset == 16U * 512);
  disk.complete();
  settle();
  BOOST_TEST_REQUIRE(disk.pending() == 1U);
  BOOST_TEST(disk.log.back().offset == 24U * 512);
  disk.complete();
  settle();
  const auto all = ring->responses();
  BOOST_TEST_REQUIRE(all.size() == 4U);
  BOOST_TEST(all[2].id == 3U);
  BOOST_TEST(all[2].operation == 2);
  BOOST_TEST(all[3].id == 4U);
  disk.power_cut();
  BOOST_TEST(on_disk(16, 5, 0, 8));
}

BOOST_AUTO_TEST_CASE(a_barrier_without_data_and_a_flush_with_data_are_served) {
  connected();
  ring->transfer(BlkfrontDriver::kBarrier, 1, 0, {});
  go();
  BOOST_TEST(answer().status == 0);
  fill(0, 7);
  ring->transfer(BlkfrontDriver::kFlush, 2, 40, pages(1));
  go();
  BOOST_TEST(answer().status == 0);
  disk.power_cut();
  BOOST_TEST(on_disk(40, 0, 0, 8));
  disk.fail_flushes();
  ring->transfer(BlkfrontDriver::kBarrier, 3, 48, pages(1));
  go();
  BOOST_TEST(answer().status == -1);
  ring->transfer(BlkfrontDriver::kRead, 4, 0, pages(1));  // and it is not in the way
  go();
  BOOST_TEST(answer().status == 0);
}

BOOST_AUTO_TEST_CASE(discarded_sectors_read_as_zeros) {
  connected();
  disk.stamp(100);
  disk.stamp(104);
  ring->discard(1, 100, 4);
  go();
  const Response response = answer();
  BOOST_TEST(response.status == 0);
  BOOST_TEST(response.operation == 5);
  BOOST_TEST((disk.sector(100) == std::array<std::byte, 512>{}));
  BOOST_TEST((disk.sector(104) == rig::ScriptedBlock::pattern(104)));
  ring->discard(2, 100, 4, true);  // discard-secure is not offered
  go();
  BOOST_TEST(answer().status == -2);
  ring->discard(3, 100, 0);
  go();
  BOOST_TEST(answer().status == 0);
}

BOOST_AUTO_TEST_CASE(discard_is_not_offered_where_the_toolstack_or_the_image_says_no) {
  store.set(back("qdisk", kId) + "/discard-enable", "0");
  connected();
  BOOST_TEST(ours("feature-discard") == "0");
  ring->discard(1, 0, 8);
  go();
  BOOST_TEST(answer().status == -2);
}

BOOST_AUTO_TEST_CASE(an_error_of_the_image_is_one_of_the_request_alone) {
  connected();
  disk.fail_at(20);
  ring->transfer(BlkfrontDriver::kRead, 1, 16, pages(1));
  ring->transfer(BlkfrontDriver::kRead, 2, 24, pages(1, 1));
  go();
  const auto all = ring->responses();
  BOOST_TEST_REQUIRE(all.size() == 2U);
  BOOST_TEST(all[0].status == -1);
  BOOST_TEST(all[1].status == 0);
}

BOOST_AUTO_TEST_CASE(a_disk_that_goes_while_requests_are_under_way_finishes_them) {
  connected();
  disk.hold();
  fill(0, 8);
  ring->transfer(BlkfrontDriver::kWrite, 1, 0, pages(1));
  ring->transfer(BlkfrontDriver::kBarrier, 2, 8, pages(1, 1));
  go();
  guest_sets(front("vbd", kId) + "/state", kClosing);
  BOOST_TEST(ours("state") == kClosing);
  const auto all = ring->responses();
  BOOST_TEST_REQUIRE(all.size() == 2U);
  BOOST_TEST(all[0].status == 0);
  BOOST_TEST(all[1].status == -1);  // its turn had not come
  disk.power_cut();
  BOOST_TEST(on_disk(0, 0, 0, 8));
}

BOOST_AUTO_TEST_CASE(while_the_guest_is_saved_nothing_is_under_way_and_nothing_is_taken) {
  connected();
  disk.hold();
  ring->transfer(BlkfrontDriver::kWrite, 1, 0, pages(1));
  ring->transfer(BlkfrontDriver::kBarrier, 2, 8, pages(1, 1));
  go();
  backends->pause();
  BOOST_TEST(disk.pending() == 0U);
  ring->transfer(BlkfrontDriver::kRead, 3, 0, pages(1));
  go();
  BOOST_TEST(disk.pending() == 0U);
  BOOST_TEST(ring->responses().size() == 1U);
  disk.hold(false);
  backends->resume();
  settle();
  const auto all = ring->responses();
  BOOST_TEST_REQUIRE(all.size() == 2U);
  BOOST_TEST(all[0].id == 2U);
  BOOST_TEST(all[1].id == 3U);
}

/// It may go on on another host.
BOOST_AUTO_TEST_CASE(what_was_written_is_on_stable_storage_while_the_guest_is_saved) {
  connected();
  fill(0, 8);
  ring->transfer(BlkfrontDriver::kWrite, 1, 0, pages(1));
  go();
  BOOST_TEST(ring->responses().size() == 1U);
  backends->pause();
  disk.power_cut();
  BOOST_TEST(on_disk(0, 0, 0, 8));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::pv::test
