// SPDX-License-Identifier: MIT
// A random guest against a shadow image: whatever mixture of commands, sizes, orders and resets,
// the disk holds what was written and reads return it; after a flush, a power cut takes nothing.
#include "tests/unit/devices/ide/ide_rig.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <random>

using namespace dm;
using drivers::IdeDriver;
using test::Prd;
using test::same;

namespace {

constexpr std::uint64_t kSectors = 4096;
constexpr std::uint32_t kArena = 0x200000;  ///< where PRDs point: 8 MiB
constexpr std::uint32_t kArenaSize = 0x800000;

class Chaos {
 public:
  explicit Chaos(unsigned seed) : random_{seed}, shadow_(kSectors * 512), stable_(kSectors * 512) {
    machine_.ide0.enable();
    machine_.ide0.idle = [this] { complete_one(); };
    set_block(16);
  }

  void step() {
    disk_.hold(below(2) == 0);
    switch (below(10)) {
      case 0:
      case 1:
        read_pio();
        break;
      case 2:
      case 3:
        write_pio();
        break;
      case 4:
      case 5:
        transfer_dma(true);
        break;
      case 6:
      case 7:
        transfer_dma(false);
        break;
      case 8:
        if (below(3) == 0) {
          cut_off_a_write();
        } else {
          set_block(1U << below(5));
        }
        break;
      default:
        flush();
        break;
    }
  }
  void check_image() {
    disk_.complete_all();
    BOOST_TEST(same(test::image(disk_, 0, kSectors), shadow_));
  }
  void check_power_cut() {
    flush();
    disk_.power_cut();
    BOOST_TEST(same(test::image(disk_, 0, kSectors), stable_));
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  void complete_one() {
    if (disk_.pending() != 0) {
      disk_.complete(below(disk_.pending()));
    }
  }
  std::span<std::byte> shadow(std::uint64_t lba, std::uint64_t sectors) {
    return std::span{shadow_}.subspan(lba * 512, sectors * 512);
  }
  std::vector<std::byte> fresh(std::uint64_t sectors) {
    return test::patterns(random_(), sectors, random_());
  }
  void pick(std::uint64_t most) {
    sectors_ = 1 + (below(3) == 0 ? below(most) : below(std::min<std::uint64_t>(most, 20)));
    lba_ = below(2) == 0 && last_ + sectors_ <= kSectors ? last_ : below(kSectors - sectors_ + 1);
    last_ = lba_ + sectors_;
    extended_ = sectors_ > 256 || below(2) == 0;
  }
  void address() {
    if (extended_) {
      machine_.ide0.lba48(0, lba_, static_cast<unsigned>(sectors_));
    } else if (below(4) == 0) {
      const auto track = static_cast<unsigned>(lba_ / 63);
      if (track / 16 < kSectors / 1008) {
        machine_.ide0.chs(0, track / 16, track % 16, static_cast<unsigned>(lba_ % 63) + 1,
                          static_cast<unsigned>(sectors_));
      } else {
        machine_.ide0.lba28(0, static_cast<std::uint32_t>(lba_), static_cast<unsigned>(sectors_));
      }
    } else {
      machine_.ide0.lba28(0, static_cast<std::uint32_t>(lba_), static_cast<unsigned>(sectors_));
    }
  }
  void set_block(unsigned sectors) {
    machine_.ide0.select(0);
    machine_.ide0.out(2, sectors);
    machine_.ide0.command(0xc6);
    BOOST_REQUIRE_EQUAL(machine_.ide0.wait(), 0x50);
    block_ = sectors;
  }
  void read_pio() {
    pick(400);
    const bool multiple = below(2) == 0;
    address();
    machine_.ide0.command(extended_ ? (multiple ? 0x29 : 0x24) : (multiple ? 0xc4 : 0x20));
    const auto data = machine_.ide0.read_data(static_cast<unsigned>(sectors_),
                                              multiple ? block_ : 1, below(2) == 0 ? 2 : 4);
    BOOST_REQUIRE(same(data, shadow(lba_, sectors_)));
  }
  void write_pio() {
    pick(60);
    const bool multiple = below(2) == 0;
    const bool fua = extended_ && multiple && below(2) == 0;
    const auto data = fresh(sectors_);
    address();
    machine_.ide0.command(fua         ? 0xce
                          : extended_ ? (multiple ? 0x39 : 0x34)
                                      : (multiple ? 0xc5 : 0x30));
    machine_.ide0.write_data(data, multiple ? block_ : 1, below(2) == 0 ? 2 : 4);
    BOOST_REQUIRE_EQUAL(machine_.ide0.wait(), 0x50);
    std::ranges::copy(data, shadow(lba_, sectors_).begin());
  }
  /// Cuts the transfer into regions of any even size, at disjoint places in the arena, in any
  /// order.
  std::vector<Prd> scatter() {
    const std::uint64_t bytes = sectors_ * 512;
    std::vector<Prd> prds;
    std::uint32_t at = kArena;
    for (std::uint64_t left = bytes; left != 0;) {
      std::uint64_t size = 2 + 2 * below(below(2) == 0 ? 32768 : 600);
      if (prds.size() > 400) {
        size = 65536;
      }
      size = std::min<std::uint64_t>({size, left, 65536});
      at += static_cast<std::uint32_t>(2 * below(2000));
      prds.push_back({at, static_cast<std::uint32_t>(size)});
      at += static_cast<std::uint32_t>(size);
      left -= size;
    }
    BOOST_REQUIRE(at <= kArena + kArenaSize);
    std::ranges::shuffle(prds, random_);
    return prds;
  }
  void transfer_dma(bool read) {
    pick(2048);
    const auto prds = scatter();
    const auto data = fresh(sectors_);
    std::size_t at = 0;
    for (const auto& prd : prds) {
      if (!read) {
        test::put_memory(machine_.guest, prd.base, std::span{data}.subspan(at, prd.bytes));
      }
      at += prd.bytes;
    }
    machine_.ide0.prepare_dma(prds);
    address();
    machine_.ide0.command(extended_ ? (read            ? 0x25
                                       : below(2) == 0 ? 0x3d
                                                       : 0x35)
                                    : (read ? 0xc8 : 0xca));
    const auto r = machine_.ide0.run_dma(read);
    BOOST_REQUIRE_EQUAL(r.bm, 0x04);
    BOOST_REQUIRE_EQUAL(r.status, 0x50);
    if (!read) {
      std::ranges::copy(data, shadow(lba_, sectors_).begin());
      return;
    }
    std::vector<std::byte> got;
    for (const auto& prd : prds) {
      const auto part = machine_.guest.ram().subspan(prd.base, prd.bytes);
      got.insert(got.end(), part.begin(), part.end());
    }
    BOOST_REQUIRE(same(got, shadow(lba_, sectors_)));
  }
  /// SRST somewhere inside a write: each of its sectors is old or new, no other one changes.
  void cut_off_a_write() {
    pick(40);
    const auto data = fresh(sectors_);
    address();
    machine_.ide0.command(extended_ ? 0x34 : 0x30);
    machine_.ide0.write_data(std::span{data}.first(512 * (1 + below(sectors_))));
    machine_.ide0.soft_reset();
    block_ = 16;
    BOOST_REQUIRE_EQUAL(disk_.pending(), 0U);
    for (std::uint64_t i = 0; i < sectors_; ++i) {
      const auto now = test::image(disk_, lba_ + i, 1);
      const auto fresh_one = std::span{data}.subspan(i * 512, 512);
      BOOST_REQUIRE((same(now, shadow(lba_ + i, 1)) || same(now, fresh_one)));
      std::ranges::copy(now, shadow(lba_ + i, 1).begin());
    }
  }
  void flush() {
    machine_.ide0.select(0);
    machine_.ide0.command(below(2) == 0 ? 0xe7 : 0xea);
    BOOST_REQUIRE_EQUAL(machine_.ide0.wait(), 0x50);
    stable_ = shadow_;
  }

  std::mt19937_64 random_;
  rig::ScriptedBlock disk_{kSectors * 512};
  test::IdeMachine machine_{{&disk_, nullptr, nullptr, nullptr}};
  std::vector<std::byte> shadow_;
  std::vector<std::byte> stable_;
  std::uint64_t lba_ = 0;
  std::uint64_t sectors_ = 0;
  std::uint64_t last_ = 0;
  unsigned block_ = 16;
  bool extended_ = false;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(ide_integrity)

BOOST_DATA_TEST_CASE(the_disk_holds_what_was_written, boost::unit_test::data::xrange(12), seed) {
  Chaos chaos{static_cast<unsigned>(seed)};
  for (int i = 0; i < 250; ++i) {
    chaos.step();
  }
  chaos.check_image();
  chaos.check_power_cut();
}

BOOST_AUTO_TEST_SUITE_END()
