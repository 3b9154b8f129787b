// SPDX-License-Identifier: MIT
// Descriptors that another processor of the guest rewrites while the card works on them. Whatever
// mixture of old and new the card has copied in, it uses that copy: nothing it writes leaves the
// places that some descriptor named.
#include "tests/rig/scribbler.h"
#include "tests/unit/devices/e1000/hostile_rig.h"

#include <random>

using namespace dm;
using D = drivers::E1000Driver;
using test::Bytes;

namespace {

/// Every address that is ever in a descriptor lies in here, or at 4 GiB and above, where there is
/// nothing. Dwords are written whole, so no mixture makes another.
constexpr std::uint32_t kArena = 0x600000;
constexpr std::uint32_t kArenaBytes = 0x20000;
constexpr std::uint32_t kLongestBuffer = 16384;
constexpr unsigned kRounds = 1500;

std::uint32_t address(std::size_t dword, std::minstd_rand& random) {
  if (dword % 2 == 1) {
    return random() % 8 == 0 ? 1 : 0;
  }
  return random() % 16 == 0 ? 0 : kArena + static_cast<std::uint32_t>(random() % kArenaBytes);
}

/// Legacy, data and context descriptors, long and short, with an end and without.
std::uint32_t transmit_dword(std::size_t at, std::minstd_rand& random) {
  const auto any = static_cast<std::uint32_t>(random() << 8U ^ random());
  switch (at % 4) {
    case 2: {
      const std::uint32_t length = random() % 4 == 0 ? any & 0xfffffU : any % 1600;
      return length | (any & 0xff000000U) | (random() % 2 == 0 ? 0x20100000U : 0);
    }
    case 3:
      return any;  // POPTS, HDRLEN, MSS; of a context TUCSS, HDRLEN, MSS
    default:
      return address(at, random);
  }
}

std::uint32_t receive_dword(std::size_t at, std::minstd_rand& random) {
  return at % 4 < 2 ? address(at, random) : static_cast<std::uint32_t>(random());
}

/// All of RAM that no descriptor has ever named.
struct Untouched {
  explicit Untouched(std::span<std::byte> ram) : ram_{ram}, before_(ram.begin(), ram.end()) {}
  [[nodiscard]] bool still() const {
    const auto same = [this](std::size_t from, std::size_t to) {
      return std::equal(before_.begin() + static_cast<std::ptrdiff_t>(from),
                        before_.begin() + static_cast<std::ptrdiff_t>(to),
                        ram_.begin() + static_cast<std::ptrdiff_t>(from));
    };
    return same(0, D::kTxRing) && same(D::kTxRing + 64 * 16, D::kRxRing) &&
           same(D::kRxRing + 64 * 16, kArena) &&
           same(kArena + kArenaBytes + kLongestBuffer, ram_.size());
  }

 private:
  std::span<std::byte> ram_;
  Bytes before_;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(e1000_concurrent, test::Hostile)

BOOST_AUTO_TEST_CASE(transmit_descriptors_that_change_while_they_are_read_harm_nobody) {
  const Untouched rest{guest.ram()};
  std::size_t sent = 0;
  {
    const rig::Scribbler other{guest.ram().subspan(D::kTxRing, 64 * 16), transmit_dword};
    std::minstd_rand random{2};
    for (unsigned round = 0; round < kRounds; ++round) {
      driver.set(D::TDT, static_cast<std::uint32_t>(random() % 64));
      guest.run_work();
      for (const auto& frame : net.sent) {
        BOOST_REQUIRE(frame.pieces <= NetBackend::kMostPieces);
        BOOST_REQUIRE(frame.bytes.size() >= 14U);
        BOOST_REQUIRE(frame.bytes.size() <= 0x40000U);
      }
      sent += net.sent.size();
      net.sent.clear();
      BOOST_REQUIRE(e1000::validate(card->state()));
      if (round % 64 == 0) {
        other.let_run();
      }
    }
    BOOST_TEST(other.written() != 0U);
  }
  BOOST_TEST(sent > 100U);
  BOOST_TEST(rest.still());
  alive();
}

BOOST_AUTO_TEST_CASE(receive_descriptors_that_change_while_they_are_used_lead_nowhere_else) {
  const Untouched rest{guest.ram()};
  {
    const rig::Scribbler other{guest.ram().subspan(D::kRxRing, 64 * 16), receive_dword};
    other.let_run();  // the buffers that open_rx() gave are outside of the arena
    driver.set(D::RCTL, 0);
    for (bool all = false; !all; other.let_run()) {
      all = true;
      for (std::uint64_t i = 0; i < 64; ++i) {
        const auto low = guest.peek<std::uint32_t>(D::kRxRing + i * 16);
        all = all && (low == 0 || (low >= kArena && low < kArena + kArenaBytes));
      }
    }
    driver.set(D::RCTL, D::RCTL_EN | D::RCTL_BAM | D::RCTL_UPE | D::RCTL_LPE | D::RCTL_SECRC);
    std::minstd_rand random{3};
    for (unsigned round = 0; round < kRounds; ++round) {
      driver.set(D::RDT, static_cast<std::uint32_t>(random() % 64));
      if (net.waiting() < 4) {
        arrive(test::frame_to_us(60 + random() % 9000));
      }
      guest.run_work();
      BOOST_REQUIRE(e1000::validate(card->state()));
      if (round % 64 == 0) {
        other.let_run();
      }
    }
    BOOST_TEST(other.written() != 0U);
  }
  BOOST_TEST(card->chip().counters().rx_dropped + net.counters().received > 100U);
  BOOST_TEST(rest.still());
  alive();
}

BOOST_AUTO_TEST_SUITE_END()
