// SPDX-License-Identifier: MIT
#include "core/io/mmio_bus.h"
#include "core/io/pio_bus.h"
#include "platform/sim/sim_platform.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace {

using dm::IoAccess;
using dm::IoHandler;

struct Recorder {
  struct Write {
    std::uint64_t offset;
    unsigned size;
    std::uint64_t value;
    bool operator==(const Write&) const = default;
  };
  std::vector<Write> writes;
  std::vector<Write> reads;
  std::uint64_t answer = 0x1122334455667788;
  std::size_t run_takes = 0;

  std::uint64_t read(IoAccess a) noexcept {
    reads.push_back({a.offset, a.size, 0});
    return answer;
  }
  void write(IoAccess a, std::uint64_t value) noexcept {
    writes.push_back({a.offset, a.size, value});
  }
  std::size_t read_run(IoAccess a, std::span<std::byte> to) noexcept {
    const std::size_t n = std::min(to.size(), run_takes) / a.size * a.size;
    std::ranges::fill(to.first(n), std::byte{0xaa});
    return n;
  }
  std::size_t write_run(IoAccess a, std::span<const std::byte> from) noexcept {
    return std::min(from.size(), run_takes) / a.size * a.size;
  }
  [[nodiscard]] IoHandler handler() {
    return IoHandler::bind<&Recorder::read, &Recorder::write>(*this);
  }
  [[nodiscard]] IoHandler run_handler() {
    return IoHandler::bind_with_runs<&Recorder::read, &Recorder::write, &Recorder::read_run,
                                     &Recorder::write_run>(*this);
  }
};

struct Ports {
  dm::sim::SimClaims claims;
  dm::PioBus bus{claims};
  dm::MmioBus mmio{claims};
  Recorder device;
};

BOOST_FIXTURE_TEST_SUITE(io_buses, Ports)

BOOST_AUTO_TEST_CASE(ports_nobody_claimed_read_all_ones_and_drop_writes) {
  BOOST_TEST(bus.read(0x60, 1) == 0xffU);
  BOOST_TEST(bus.read(0x60, 2) == 0xffffU);
  BOOST_TEST(bus.read(0x60, 4) == 0xffffffffU);
  bus.write(0x60, 4, 0x12345678);
  BOOST_TEST(bus.unclaimed() == 11U);
}

BOOST_AUTO_TEST_CASE(a_device_sees_offsets_from_its_first_port_and_values_of_the_access_width) {
  const auto claim = bus.claim({0x3f8, 0x3ff}, device.handler(), "uart");
  BOOST_TEST_REQUIRE(claim.ok());
  BOOST_TEST(bus.read(0x3fd, 1) == 0x88U);
  BOOST_TEST(bus.read(0x3fc, 4) == 0x55667788U);
  bus.write(0x3f8, 1, 0xfffffff1);
  BOOST_TEST((device.writes == std::vector<Recorder::Write>{{0, 1, 0xf1}}));
  BOOST_TEST((device.reads == std::vector<Recorder::Write>{{5, 1, 0}, {4, 4, 0}}));
}

BOOST_AUTO_TEST_CASE(an_access_across_the_end_of_a_region_is_split_into_bytes_low_byte_first) {
  const auto claim = bus.claim({0x10, 0x11}, device.handler(), "two");
  device.answer = 0x42;
  BOOST_TEST(bus.read(0x11, 2) == 0xff42U);
  bus.write(0x0f, 4, 0xddccbbaa);
  BOOST_TEST((device.writes == std::vector<Recorder::Write>{{0, 1, 0xbb}, {1, 1, 0xcc}}));
}

BOOST_AUTO_TEST_CASE(an_access_past_the_last_port_reads_ones_there) {
  const auto claim = bus.claim({0xffff, 0xffff}, device.handler(), "last");
  device.answer = 0;
  BOOST_TEST(bus.read(0xffff, 4) == 0xffffff00U);
  bus.write(0xffff, 4, 0x01020304);
  BOOST_TEST((device.writes == std::vector<Recorder::Write>{{0, 1, 4}}));
}

BOOST_AUTO_TEST_CASE(overlap_is_refused_and_names_the_holder) {
  const auto first = bus.claim({0x1f0, 0x1f7}, device.handler(), "ide0");
  const auto second = bus.claim({0x1f7, 0x200}, device.handler(), "other");
  BOOST_TEST(!second.ok());
  BOOST_TEST((second.status() == dm::ClaimStatus::overlap));
  BOOST_TEST(second.holder() == "ide0");
}

BOOST_AUTO_TEST_CASE(releasing_gives_the_ports_back_here_and_at_the_hypervisor) {
  {
    const auto claim = bus.claim({0x60, 0x60}, device.handler(), "kbd");
    BOOST_TEST(claims.ports().size() == 1U);
  }
  BOOST_TEST(claims.ports().empty());
  BOOST_TEST(claims.errors() == 0U);
  BOOST_TEST(bus.read(0x60, 1) == 0xffU);
  BOOST_TEST(bus.claim({0x60, 0x60}, device.handler(), "again").ok());
}

BOOST_AUTO_TEST_CASE(the_256th_region_is_refused_without_harm) {
  std::vector<dm::PioClaim> held;
  for (unsigned i = 0; i < dm::PioBus::kMaxRegions; ++i) {
    const auto port = static_cast<std::uint16_t>(0x1000 + 2 * i);
    held.push_back(bus.claim({port, port}, device.handler(), "one"));
    BOOST_TEST_REQUIRE(held.back().ok());
  }
  BOOST_TEST(
      (bus.claim({0x10, 0x10}, device.handler(), "more").status() == dm::ClaimStatus::table_full));
  device.answer = 7;
  BOOST_TEST(bus.read(0x1000 + 2 * 254, 1) == 7U);
}

BOOST_AUTO_TEST_CASE(a_run_is_given_to_the_device_whole_and_what_it_leaves_goes_item_by_item) {
  const auto claim = bus.claim({0x1f0, 0x1f0}, device.run_handler(), "data");
  device.run_takes = 6;
  device.answer = 0xbb;
  std::array<std::byte, 8> buffer{};
  bus.read_run(0x1f0, 1, buffer);  // 6 at once, then 2 at once
  BOOST_TEST((buffer == std::array<std::byte, 8>{std::byte{0xaa}, std::byte{0xaa}, std::byte{0xaa},
                                                 std::byte{0xaa}, std::byte{0xaa}, std::byte{0xaa},
                                                 std::byte{0xaa}, std::byte{0xaa}}));
  BOOST_TEST(device.reads.empty());
  device.run_takes = 0;
  bus.read_run(0x1f0, 1, std::span{buffer}.first(3));
  BOOST_TEST(device.reads.size() == 3U);
  BOOST_TEST((buffer[2] == std::byte{0xbb}));
  bus.write_run(0x1f0, 1, std::array{std::byte{1}, std::byte{2}});
  BOOST_TEST((device.writes == std::vector<Recorder::Write>{{0, 1, 1}, {0, 1, 2}}));
}

BOOST_AUTO_TEST_CASE(a_run_on_unclaimed_ports_fills_with_ones) {
  std::array<std::byte, 6> buffer{};
  bus.read_run(0x300, 2, buffer);
  BOOST_TEST(std::ranges::all_of(buffer, [](std::byte b) { return b == std::byte{0xff}; }));
}

BOOST_AUTO_TEST_CASE(counters_follow_reads_and_writes_of_a_region) {
  const auto claim = bus.claim({0x70, 0x71}, device.handler(), "cmos");
  bus.write(0x70, 1, 1);
  (void)bus.read(0x71, 1);
  (void)bus.read(0x71, 1);
  const auto region =
      std::ranges::find(bus.regions(), std::string_view{"cmos"}, &dm::PioBus::Region::name);
  BOOST_TEST(region->reads == 2U);
  BOOST_TEST(region->writes == 1U);
}

BOOST_AUTO_TEST_CASE(memory_regions_are_found_in_any_order_of_claims) {
  Recorder other;
  other.answer = 2;
  device.answer = 1;
  const auto high = mmio.claim({0xf1000000, 0xf101ffff}, device.handler(), "high");
  const auto low = mmio.claim({0xf0000000, 0xf0ffffff}, other.handler(), "low");
  BOOST_TEST_REQUIRE(high.ok());
  BOOST_TEST_REQUIRE(low.ok());
  BOOST_TEST(mmio.read(0xf1000000, 4) == 1U);
  BOOST_TEST(mmio.read(0xf0ffffff, 1) == 2U);
  BOOST_TEST(mmio.read(0xf101fffc, 4) == 1U);
  BOOST_TEST(mmio.read(0xf101fffd, 4) == 0xffffffffU);
  BOOST_TEST(mmio.read(0xefffffff, 1) == 0xffU);
  BOOST_TEST(mmio.read(0xf1020000, 8) == ~std::uint64_t{0});
  BOOST_TEST(mmio.unclaimed() == 3U);
}

BOOST_AUTO_TEST_CASE(a_released_memory_region_is_not_reached_by_the_hint) {
  auto claim = mmio.claim({0xf0000000, 0xf0000fff}, device.handler(), "card");
  BOOST_TEST(mmio.read(0xf0000000, 4) != 0xffffffffU);
  claim.release();
  BOOST_TEST(mmio.read(0xf0000000, 4) == 0xffffffffU);
  BOOST_TEST(claims.mmio().empty());
}

BOOST_AUTO_TEST_CASE(memory_overlap_is_refused) {
  const auto claim = mmio.claim({0x1000, 0x1fff}, device.handler(), "a");
  BOOST_TEST(
      (mmio.claim({0x1fff, 0x2fff}, device.handler(), "b").status() == dm::ClaimStatus::overlap));
  BOOST_TEST(mmio.claim({0x2000, 0x2fff}, device.handler(), "c").ok());
}

BOOST_AUTO_TEST_CASE(a_reserved_region_answers_and_the_hypervisor_does_not_hear_of_it) {
  auto memory = mmio.reserve({0xe0000000, 0xe0ffffff}, device.handler(), "memory");
  BOOST_TEST_REQUIRE(memory.ok());
  BOOST_TEST(claims.mmio().empty());
  BOOST_TEST(mmio.read(0xe0000004, 4) == 0x55667788U);
  const auto over = mmio.claim({0xe0fff000, 0xe1000fff}, device.handler(), "over it");
  BOOST_TEST((over.status() == dm::ClaimStatus::overlap));
  memory.release();
  BOOST_TEST(mmio.read(0xe0000004, 4) == 0xffffffffU);
  BOOST_TEST(claims.errors() == 0U);
}

struct Squatter final : dm::MovableMemory {
  void make_room(dm::MmioRange range) noexcept override { asked.push_back(range.first); }
  std::vector<std::uint64_t> asked;
};

BOOST_AUTO_TEST_CASE(memory_that_may_lie_there_hears_of_a_claim_before_it_is_made) {
  Squatter squatter;
  mmio.set_movable(&squatter);
  const auto claim = mmio.claim({0x1000, 0x1fff}, device.handler(), "a");
  const auto refused = mmio.claim({0x1000, 0x2fff}, device.handler(), "b");
  const auto reserved = mmio.reserve({0x4000, 0x4fff}, device.handler(), "c");
  BOOST_TEST((squatter.asked == std::vector<std::uint64_t>{0x1000}));
  mmio.set_movable(nullptr);
  BOOST_TEST(mmio.claim({0x5000, 0x5fff}, device.handler(), "d").ok());
  BOOST_TEST(squatter.asked.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
