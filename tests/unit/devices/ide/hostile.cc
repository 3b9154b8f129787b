// SPDX-License-Identifier: MIT
// A guest that does anything at all.
#include "tests/unit/devices/ide/ide_rig.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace dm;
using drivers::IdeDriver;

namespace {

constexpr unsigned kOpcodes[] = {0x06, 0x20, 0x24, 0x25, 0x27, 0x29, 0x30, 0x34, 0x35,
                                 0x39, 0x3d, 0x40, 0x42, 0x90, 0x91, 0xb0, 0xc4, 0xc5,
                                 0xc6, 0xc8, 0xca, 0xe0, 0xe7, 0xec, 0xef, 0xf8};
constexpr std::uint32_t kPlaces[] = {0,         0x8000,   0xfffffff8, 0xfff000,
                                     0x1000000, 0x200001, 0xc000,     0xffffffff};

/// Registers, widths and values at random, PRDs anywhere, completions in any order.
class Hostile {
 public:
  explicit Hostile(std::uint64_t seed) : x_{seed * 0x9e3779b97f4a7c15U + 1} { m.ide0.enable(); }

  void do_anything() {
    base_ = static_cast<std::uint16_t>(random(2) != 0 ? 0x1f0 : 0x170);
    size_ = static_cast<std::uint8_t>(1U << random(3));
    m.guest.set_auto_work(random(4) != 0 && !work_waits);
    first.hold(random(3) == 0);
    second.hold(random(3) == 0);
    const auto what = random(12);
    if (what < 8) {
      touch_command_block(what);
    } else if (what < 10) {
      touch_bus_master(what);
    } else if (what == 10) {
      touch_control();
    } else {
      complete_something(first);
      complete_something(second);
    }
  }

  [[nodiscard]] std::size_t asked() const { return first.log.size() + second.log.size(); }

  bool work_waits = false;  ///< it is run by hand
  rig::ScriptedBlock first{1 << 20};
  rig::ScriptedBlock second{(1 << 16) + 512};
  test::IdeMachine m{{&first, &second, nullptr, &second}};

 private:
  std::uint64_t random(std::uint64_t below) {
    x_ ^= x_ << 13U;
    x_ ^= x_ >> 7U;
    x_ ^= x_ << 17U;
    return x_ % below;
  }

  void touch_command_block(std::uint64_t what) {
    switch (what) {
      case 0:
      case 1:
        m.guest.outb(static_cast<std::uint16_t>(base_ + 7),
                     static_cast<std::uint8_t>(kOpcodes[random(std::size(kOpcodes))]));
        break;
      case 2:
      case 3:
        m.guest.pio_write(base_ + 1 + random(6), 1, random(2) != 0 ? random(256) : random(4));
        break;
      case 4:
        (void)m.guest.pio_read(base_ + random(8), size_);
        break;
      case 5:
        m.guest.pio_write(base_ + random(8), size_, x_);
        break;
      case 6:
        m.guest.rep_ins(base_, size_, 0x300000 + random(4096),
                        static_cast<std::uint32_t>(random(2048)));
        break;
      default:
        m.guest.rep_outs(base_, size_, 0x300000 + random(4096),
                         static_cast<std::uint32_t>(random(2048)));
        break;
    }
  }

  void touch_bus_master(std::uint64_t what) {
    if (what == 8) {
      m.guest.pio_write(0xc000 + random(16), size_, random(3) != 0 ? random(16) : x_);
      return;
    }
    m.guest.outl(static_cast<std::uint16_t>(0xc004 + 8 * random(2)),
                 kPlaces[random(std::size(kPlaces))]);
    for (unsigned k = 0; k < 8; ++k) {
      m.guest.poke<std::uint32_t>(0x8000 + 8 * k, kPlaces[random(std::size(kPlaces))]);
      m.guest.poke<std::uint32_t>(
          0x8004 + 8 * k,
          static_cast<std::uint32_t>(random(4) == 0 ? 0x80000000U + random(8192) : random(65536)));
    }
  }

  void touch_control() {
    const bool anything = random(4) == 0;
    m.guest.outb(static_cast<std::uint16_t>(base_ + 0x206),
                 static_cast<std::uint8_t>(anything ? random(256) : 0));
    if (random(8) == 0) {
      m.guest.config_write(IdeDriver::kBdf, 4, 2, random(8));
      m.ide0.enable();
    }
  }

  void complete_something(rig::ScriptedBlock& disk) {
    if (disk.pending() != 0) {
      disk.complete(random(disk.pending()));
    }
  }

  std::uint64_t x_;
  std::uint16_t base_ = 0;
  std::uint8_t size_ = 1;
};

void check_that_a_reset_brings_it_back(IdeDriver& ide, unsigned unit) {
  ide.control(ide.SRST);
  ide.control(0);
  ide.select(unit);
  BOOST_TEST(ide.status() == 0x50);
  BOOST_TEST(ide.identify(unit)[0] == 0x0040);
  BOOST_TEST(ide.status() == 0x50);
  BOOST_TEST(!ide.irq());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ide_hostile)

// Section F: everything at once. What is asserted is what must hold whatever happened: requests
// stay on the disk, are whole sectors, and a reset brings the drives back.
BOOST_DATA_TEST_CASE(random_accesses_do_no_harm, boost::unit_test::data::xrange(24), seed) {
  Hostile guest{static_cast<std::uint64_t>(seed)};
  for (int i = 0; i < 4000; ++i) {
    guest.do_anything();
  }
  guest.m.guest.set_auto_work(true);
  guest.m.guest.run_work();
  for (auto* disk : {&guest.first, &guest.second}) {
    for (const auto& entry : disk->log) {
      BOOST_REQUIRE(within(0, disk->info.size, entry.offset, entry.length));
      BOOST_REQUIRE_EQUAL(entry.length % 512, 0U);
      BOOST_REQUIRE(entry.length <= 32U << 20U);
    }
    disk->complete_all();
    disk->hold(false);
  }
  check_that_a_reset_brings_it_back(guest.m.ide0, 0);
  check_that_a_reset_brings_it_back(guest.m.ide1, 1);
}

/// How long an access can take: images are asked by deferred work, one request in each unit, and
/// between units every vCPU is looked after.
BOOST_DATA_TEST_CASE(no_access_and_no_unit_of_work_asks_an_image_for_more_than_one_thing,
                     boost::unit_test::data::xrange(4),
                     seed) {
  Hostile guest{static_cast<std::uint64_t>(seed) + 100};
  guest.work_waits = true;
  for (int i = 0; i < 20000; ++i) {
    std::size_t before = guest.asked();
    guest.do_anything();
    BOOST_REQUIRE_LE(guest.asked() - before, 1U);
    bool more = true;
    for (unsigned unit = 0; unit < 100 && more; ++unit) {
      before = guest.asked();
      more = guest.m.guest.work().run_one();
      BOOST_REQUIRE_LE(guest.asked() - before, 1U);
    }
  }
  BOOST_TEST(guest.asked() > 50U);
}

BOOST_AUTO_TEST_SUITE_END()
