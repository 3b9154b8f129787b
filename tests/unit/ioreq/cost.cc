// SPDX-License-Identifier: MIT
// What one request may cost: string operations on memory that is not there (ballooned out).
#include "core/obs/log.h"
#include "tests/rig/sim_guest.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <ostream>

namespace {

using dm::IoAccess;
using dm::IoHandler;
using dm::rig::RawRequest;
using dm::rig::SimGuest;

constexpr std::uint64_t kWindow = std::uint64_t{2} << 20;
constexpr std::uint64_t kMostMaps = 4;

struct Register {
  std::uint64_t read(IoAccess /*a*/) noexcept { return 0x11; }
  void write(IoAccess /*a*/, std::uint64_t value) noexcept {
    ++writes;
    last = value;
  }
  std::uint64_t writes = 0;
  std::uint64_t last = 0;
};

struct Rig {
  SimGuest guest{{.ram = 4 * kWindow}};
  Register device;
  IoHandler handler = IoHandler::bind<&Register::read, &Register::write>(device);
  dm::PioClaim port = guest.pio().claim({0x500, 0x507}, handler, "port");
  dm::MmioClaim memory = guest.mmio().claim({0xf0000000, 0xf000ffff}, handler, "memory");

  void balloon(std::uint64_t first_gfn, std::uint64_t count, bool present) {
    for (std::uint64_t gfn = first_gfn; gfn < first_gfn + count; ++gfn) {
      guest.sim_memory().set_present(gfn, present);
    }
  }
};

/// A string operation of one item a byte or more, as Xen sends it.
struct Run {
  std::uint8_t type;
  bool read;
  bool descending;
  std::uint32_t size;
};
std::ostream& operator<<(std::ostream& out, const Run& run) {
  return out << (run.type == 0 ? "port" : "memory") << (run.read ? " in" : " out")
             << (run.descending ? " down" : " up") << " by " << run.size;
}
constexpr Run kRuns[]{
    {0, false, false, 1}, {0, false, true, 1},  {0, true, false, 1}, {0, true, true, 2},
    {0, false, false, 4}, {1, false, false, 1}, {1, true, true, 8},  {1, true, false, 2},
};

BOOST_FIXTURE_TEST_SUITE(cost_of_a_request, Rig)

BOOST_DATA_TEST_CASE(a_run_on_an_absent_page_maps_a_window_at_most_four_times,
                     boost::unit_test::data::make(kRuns),
                     run) {
  // One page; and one across the edge of two windows, both without it; and where no RAM is at all.
  balloon(100, 1, false);
  balloon(511, 2, false);
  for (const std::uint64_t at :
       {std::uint64_t{100} << 12U, kWindow - 2048 - 1, 4 * kWindow, 4 * kWindow + kWindow - 2047}) {
    const std::uint32_t count = 4096 / run.size;
    const std::uint64_t data = run.descending ? at + 4096 - run.size : at;
    const auto before = guest.sim_memory().calls();
    guest.send({.addr = run.type == 0 ? 0x500U : 0xf0000000U,
                .data = data,
                .count = count,
                .size = run.size,
                .type = run.type,
                .data_is_ptr = true,
                .read = run.read,
                .descending = run.descending});
    BOOST_TEST(guest.sim_memory().calls() - before <= kMostMaps);
    BOOST_TEST(guest.sim_memory().calls() != before);
  }
  BOOST_TEST(guest.work().meter().worst_request().maps <= kMostMaps);
  BOOST_TEST(guest.work().meter().worst_request().maps != 0U);
}

BOOST_AUTO_TEST_CASE(many_runs_on_an_absent_page_map_it_a_thousand_times_a_second) {
  balloon(100, 1, false);
  const auto before = guest.sim_memory().calls();
  for (int i = 0; i < 1000; ++i) {
    guest.rep_outs(0x500, 1, 100U << 12U, 4096);
    guest.advance(std::chrono::microseconds{100});  // 0.1 s in all
  }
  BOOST_TEST(guest.sim_memory().calls() - before <= 101U);
  BOOST_TEST(guest.sim_memory().calls() - before >= 99U);
}

BOOST_AUTO_TEST_CASE(a_page_that_comes_back_from_the_balloon_is_seen) {
  balloon(100, 1, false);
  guest.poke(100U << 12U, std::uint8_t{0x77});
  guest.rep_outs(0x500, 1, 100U << 12U, 16);
  BOOST_TEST(device.last == 0xffU);
  balloon(100, 1, true);
  guest.advance(std::chrono::milliseconds{1});  // nothing announces it
  guest.rep_outs(0x500, 1, 100U << 12U, 1);
  BOOST_TEST(device.last == 0x77U);
  balloon(100, 1, false);
  guest.send({.type = 8});  // INVALIDATE
  guest.rep_outs(0x500, 1, 100U << 12U, 1);
  BOOST_TEST(device.last == 0xffU);
  balloon(100, 1, true);
  guest.send({.type = 8});
  guest.rep_outs(0x500, 1, 100U << 12U, 1);
  BOOST_TEST(device.last == 0x77U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
