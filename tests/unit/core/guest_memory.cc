// SPDX-License-Identifier: MIT
#include "core/mem/guest_memory.h"

#include "platform/sim/sim_platform.h"

#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

namespace {

using dm::Dma;
using dm::DmaBuffer;
using dm::Gpa;

constexpr std::uint64_t kWindow = std::uint64_t{2} << 20;
constexpr std::uint64_t kRam = 8 * kWindow;

struct Dirty final : dm::DirtySink {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> pages;
  void written(std::uint64_t first, std::uint64_t count) noexcept override {
    pages.emplace_back(first, count);
  }
};

struct Ram {
  dm::sim::SimMemory sim{kRam};
  dm::GuestMemory memory{sim, {.windows = 3}};
};

/// As in a machine: time passes, and requests begin and end.
struct PacedRam {
  dm::sim::SimMemory sim{kRam};
  dm::sim::SimClock clock;
  dm::Meter meter;
  dm::GuestMemory memory{sim, {.windows = 3}, {.clock = &clock, .meter = &meter}};

  [[nodiscard]] bool readable(std::uint64_t gpa) {
    std::uint8_t value = 0;
    return memory.read(Gpa{gpa}, value);
  }
};

BOOST_FIXTURE_TEST_SUITE(guest_memory, Ram)

BOOST_AUTO_TEST_CASE(values_are_copied_in_and_out_across_pages_and_windows) {
  const std::uint64_t value = 0x1122334455667788;
  for (const std::uint64_t at : {std::uint64_t{0}, std::uint64_t{0xffc}, kWindow - 4, kRam - 8}) {
    BOOST_TEST(memory.write(Gpa{at}, value));
    std::uint64_t back = 0;
    BOOST_TEST(memory.read(Gpa{at}, back));
    BOOST_TEST(back == value);
    std::memcpy(&back, sim.ram().data() + at, sizeof back);
    BOOST_TEST(back == value);
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_ram_fails_and_changes_nothing) {
  std::uint32_t value = 5;
  BOOST_TEST(!memory.read(Gpa{kRam}, value));
  BOOST_TEST(!memory.read(Gpa{kRam - 2}, value));
  BOOST_TEST(!memory.read(Gpa{~std::uint64_t{0} - 1}, value));
  BOOST_TEST(!memory.read(Gpa{std::uint64_t{1} << 50}, value));
  BOOST_TEST(value == 5U);
  BOOST_TEST(memory.counters().failures >= 4U);
}

BOOST_AUTO_TEST_CASE(a_write_that_ends_in_a_hole_writes_no_byte_at_all) {
  sim.set_present(1, false);
  const std::array<std::byte, 64> ones = [] {
    std::array<std::byte, 64> a{};
    a.fill(std::byte{1});
    return a;
  }();
  BOOST_TEST(!memory.write_bytes(Gpa{0xfe0}, ones));
  BOOST_TEST((sim.ram()[0xfe0] == std::byte{0}));
}

BOOST_AUTO_TEST_CASE(a_page_that_appears_later_is_found) {
  sim.set_present(3, false);
  std::uint8_t value = 0;
  BOOST_TEST(memory.read(Gpa{0}, value));
  BOOST_TEST(!memory.read(Gpa{0x3000}, value));
  sim.set_present(3, true);
  BOOST_TEST(memory.read(Gpa{0x3000}, value));
}

BOOST_AUTO_TEST_CASE(windows_are_bounded_and_the_one_used_longest_ago_makes_room) {
  std::uint8_t value = 0;
  for (std::uint64_t window = 0; window < 8; ++window) {
    BOOST_TEST(memory.read(Gpa{window * kWindow}, value));
    BOOST_TEST(memory.mapped_windows() <= 3U);
    BOOST_TEST(sim.mapped() == memory.mapped_windows());
  }
  BOOST_TEST(memory.counters().evictions == 5U);
  const auto maps = memory.counters().maps;
  BOOST_TEST(memory.read(Gpa{7 * kWindow}, value));
  BOOST_TEST(memory.counters().maps == maps);
}

BOOST_AUTO_TEST_CASE(a_transfer_names_the_guests_own_pages_in_few_spans) {
  DmaBuffer buffer;
  BOOST_TEST(memory.append(buffer, Gpa{0x1000}, 0x3000, Dma::to_guest));
  BOOST_TEST(memory.append(buffer, Gpa{0x4000}, 0x1000, Dma::to_guest));
  BOOST_TEST(buffer.spans().size() == 1U);
  BOOST_TEST(buffer.size() == 0x4000U);
  BOOST_TEST(buffer.spans()[0].data() == sim.ram().data() + 0x1000);
  BOOST_TEST(memory.append(buffer, Gpa{0x9000}, 0x10, Dma::to_guest));
  BOOST_TEST(buffer.spans().size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_failed_append_leaves_the_transfer_as_it_was) {
  sim.set_present(5, false);
  DmaBuffer buffer;
  BOOST_TEST(memory.append(buffer, Gpa{0x1000}, 0x1000, Dma::from_guest));
  BOOST_TEST(!memory.append(buffer, Gpa{0x2000}, 0x4000, Dma::from_guest));
  BOOST_TEST(buffer.size() == 0x1000U);
  BOOST_TEST(buffer.spans().size() == 1U);
  BOOST_TEST(buffer.spans()[0].size() == 0x1000U);
  BOOST_TEST(!memory.append(buffer, Gpa{kRam - 0x1000}, 0x2000, Dma::from_guest));
  BOOST_TEST(buffer.size() == 0x1000U);
}

BOOST_AUTO_TEST_CASE(a_transfer_takes_256_pieces_and_refuses_the_next) {
  DmaBuffer buffer;
  for (std::uint64_t i = 0; i < DmaBuffer::kMaxSpans; ++i) {
    BOOST_TEST(memory.append(buffer, Gpa{i * 0x2000}, 16, Dma::from_guest));
  }
  BOOST_TEST(!memory.append(buffer, Gpa{0x1000}, 16, Dma::from_guest));
  BOOST_TEST(buffer.size() == 256U * 16);
}

BOOST_AUTO_TEST_CASE(windows_of_a_transfer_survive_eviction_and_invalidate) {
  DmaBuffer buffer;
  BOOST_TEST(memory.append(buffer, Gpa{0}, 0x1000, Dma::to_guest));
  std::uint8_t value = 0;
  for (std::uint64_t window = 1; window < 8; ++window) {
    BOOST_TEST(memory.read(Gpa{window * kWindow}, value));
  }
  memory.invalidate();
  BOOST_TEST(sim.mapped() == 1U);          // the held one
  BOOST_TEST(memory.read(Gpa{0}, value));  // mapped anew beside it
  BOOST_TEST(sim.mapped() == 2U);
  buffer.release();
  BOOST_TEST(sim.mapped() == 1U);
  BOOST_TEST(memory.read(Gpa{0}, value));
}

BOOST_AUTO_TEST_CASE(when_transfers_hold_every_window_the_next_access_fails_softly) {
  std::array<DmaBuffer, 3> held;
  for (std::uint64_t i = 0; i < held.size(); ++i) {
    BOOST_TEST(memory.append(held[i], Gpa{i * kWindow}, 16, Dma::from_guest));
  }
  std::uint8_t value = 0;
  BOOST_TEST(!memory.read(Gpa{5 * kWindow}, value));
  held[1].release();
  BOOST_TEST(memory.read(Gpa{5 * kWindow}, value));
}

BOOST_AUTO_TEST_CASE(written_pages_are_reported_when_somebody_tracks_them) {
  Dirty dirty;
  DmaBuffer buffer;
  memory.track_dirty(&dirty);
  BOOST_TEST(memory.write(Gpa{0x1ffe}, std::uint32_t{1}));
  BOOST_TEST((dirty.pages == std::vector<std::pair<std::uint64_t, std::uint64_t>>{{1, 2}}));
  dirty.pages.clear();
  BOOST_TEST(memory.append(buffer, Gpa{0x5000}, 0x2000, Dma::to_guest));
  BOOST_TEST(dirty.pages.empty());  // only when the data is there
  buffer.release();
  BOOST_TEST((dirty.pages == std::vector<std::pair<std::uint64_t, std::uint64_t>>{{5, 2}}));
  dirty.pages.clear();
  BOOST_TEST(memory.append(buffer, Gpa{0x5000}, 0x2000, Dma::from_guest));
  buffer.release();
  BOOST_TEST(dirty.pages.empty());
}

BOOST_AUTO_TEST_CASE(random_reads_and_writes_agree_with_a_byte_by_byte_model) {
  std::mt19937_64 random{42};
  std::vector<bool> present(kRam / 0x1000, true);
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t gfn = random() % present.size();
    present[gfn] = false;
    sim.set_present(gfn, false);
  }
  std::vector<std::byte> model(kRam);
  for (int round = 0; round < 20000; ++round) {
    const std::uint64_t at = random() % (kRam + 0x2000);
    const std::size_t length = 1 + random() % 9000;
    bool all = at + length <= kRam;
    for (std::uint64_t gfn = at >> 12; all && gfn <= (at + length - 1) >> 12; ++gfn) {
      all = present[gfn];
    }
    std::vector<std::byte> bytes(length);
    if (random() % 2 == 0) {
      for (auto& b : bytes) {
        b = static_cast<std::byte>(random());
      }
      BOOST_REQUIRE(memory.write_bytes(Gpa{at}, bytes) == all);
      if (all) {
        std::memcpy(model.data() + at, bytes.data(), length);
      }
    } else {
      BOOST_REQUIRE(memory.read_bytes(Gpa{at}, bytes) == all);
      BOOST_REQUIRE((!all || std::memcmp(bytes.data(), model.data() + at, length) == 0));
    }
    if (random() % 500 == 0) {
      memory.invalidate();
    }
  }
  BOOST_TEST(std::memcmp(model.data(), sim.ram().data(), kRam) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(absent_guest_memory, PacedRam)

BOOST_AUTO_TEST_CASE(is_mapped_once_however_often_it_is_named) {
  sim.set_present(3, false);
  for (int i = 0; i < 4096; ++i) {
    BOOST_TEST(!readable(0x3000));
    BOOST_TEST(!readable(kRam));  // a window without any RAM
  }
  BOOST_TEST(sim.calls() == 2U);
  BOOST_TEST(memory.counters().failures == 8192U);
  BOOST_TEST(memory.counters().remembered == 8190U);
}

BOOST_AUTO_TEST_CASE(does_not_hide_the_pages_beside_it) {
  sim.set_present(3, false);
  BOOST_TEST(!readable(0x3000));
  BOOST_TEST(readable(0x2000));
  BOOST_TEST(readable(0x4000));
  BOOST_TEST(sim.calls() == 1U);
}

BOOST_AUTO_TEST_CASE(is_seen_a_millisecond_after_it_has_come_back) {
  sim.set_present(3, false);
  BOOST_TEST(!readable(0x3000));
  meter.end_request();
  sim.set_present(3, true);
  clock.advance(std::chrono::microseconds{999});
  BOOST_TEST(!readable(0x3000));
  clock.advance(std::chrono::microseconds{1});
  BOOST_TEST(readable(0x3000));
}

BOOST_AUTO_TEST_CASE(is_seen_at_once_after_invalidate) {
  sim.set_present(3, false);
  BOOST_TEST(!readable(0x3000));
  sim.set_present(3, true);
  memory.invalidate();
  BOOST_TEST(readable(0x3000));
  for (std::uint64_t gfn = 512; gfn < 1024; ++gfn) {
    sim.set_present(gfn, false);
  }
  memory.invalidate();
  BOOST_TEST(!readable(kWindow));
  sim.set_present(600, true);
  memory.invalidate();
  BOOST_TEST(readable(kWindow + 88 * 0x1000));
}

BOOST_AUTO_TEST_CASE(that_nobody_has_named_is_looked_for_when_somebody_does) {
  sim.set_present(3, false);
  BOOST_TEST(readable(0));  // the window is mapped without page 3
  sim.set_present(3, true);
  BOOST_TEST(readable(0x3000));
}

BOOST_AUTO_TEST_CASE(is_not_mapped_twice_in_one_request_that_takes_long) {
  sim.set_present(3, false);
  for (int i = 0; i < 100; ++i) {
    BOOST_TEST(!readable(0x3000));
    clock.advance(std::chrono::milliseconds{5});
  }
  BOOST_TEST(sim.calls() == 1U);
  meter.end_request();
  BOOST_TEST(!readable(0x3000));
  BOOST_TEST(sim.calls() == 2U);
}

BOOST_AUTO_TEST_CASE(under_a_transfer_keeps_the_windows_that_it_holds) {
  sim.set_present(3, false);
  DmaBuffer held;
  BOOST_TEST(memory.append(held, Gpa{0x1000}, 0x1000, Dma::from_guest));
  for (int i = 0; i < 100; ++i) {
    BOOST_TEST(!memory.append(held, Gpa{0x3000}, 0x1000, Dma::from_guest));
  }
  BOOST_TEST(sim.calls() == 2U);  // for the transfer, and once more for the page
  BOOST_TEST(held.size() == 0x1000U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
