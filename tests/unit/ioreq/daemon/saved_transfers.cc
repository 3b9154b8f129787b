// SPDX-License-Identifier: MIT
// A machine that is saved in the middle of what its guest does.
//
//     test_saved_transfers                    each point of each transfer, in this program
//     test_saved_transfers -- save DIRECTORY  leaves states of many points in a directory
//     test_saved_transfers -- load DIRECTORY  goes on from each, which an older program has left
#include "ioreq/machine/machine_state.h"
#include "tests/unit/ioreq/daemon/transfers.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <random>
#include <set>
#include <string>
#include <string_view>

namespace dm::test {

static std::ostream& operator<<(std::ostream& out, const Transfer& transfer) {
  return out << transfer.name;
}

namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::byte>;

/// What is switched on before any transfer.
void be_firmware(MovingPc& pc) {
  pc.config_write({1, 3}, 0x40, 4, 0xb001);
  pc.config_write({1, 3}, 0x80, 1, 1);
  pc.ide0.enable(0x0005);
  pc.config_write({2, 0}, 0x10, 4, 0xc000);
  pc.config_write({2, 0}, 0x04, 2, 0x0001);
  pc.config_write(MovingPc::kCard, 0x10, 4, MovingPc::kCardRegisters);
  pc.config_write(MovingPc::kCard, 0x04, 2, 0x0006);
}

/// What the program was started with: "save" or "load", and where.
struct Asked {
  std::string what;
  fs::path where;
};
Asked asked() {
  const auto& suite = boost::unit_test::framework::master_test_suite();
  return suite.argc == 3 ? Asked{suite.argv[1], suite.argv[2]} : Asked{};
}

/// Runs it, with another machine that goes on from the state at every point; how many there were.
unsigned points_of(const Transfer& transfer) {
  MovingPc pc;
  be_firmware(pc);
  unsigned points = 0;
  pc.at_point = [&] {
    ++points;
    pc.go_on_from(pc.save());
  };
  transfer.run(pc);
  return points;
}

BOOST_AUTO_TEST_SUITE(saved_transfers)

BOOST_DATA_TEST_CASE(it_ends_as_if_the_machine_had_not_been_another_at_every_point,
                     transfers(),
                     transfer) {
  BOOST_TEST(points_of(transfer) > 1U);
}

/// One byte of one device's state is another, or it is cut: refused, or a machine that can be saved
/// and gone on with.
BOOST_DATA_TEST_CASE(a_damaged_state_of_any_point_is_refused_or_is_a_possible_one,
                     transfers(),
                     transfer) {
  MovingPc pc;
  be_firmware(pc);
  std::mt19937 random{7};
  unsigned points = 0;
  pc.at_point = [&] {
    constexpr unsigned kEvery = 5;
    if (points++ % kEvery != 0) {
      return;
    }
    auto devices = read_saved_state(pc.save()).value();
    auto& bytes = devices[random() % devices.size()].bytes;
    const std::size_t at = random() % bytes.size();
    if (random() % 4 == 0) {
      bytes.resize(at);
    } else {
      bytes[at] ^= static_cast<std::byte>(1 + random() % 255);
    }
    MovingPc other;
    other.machine->pause();
    if (const auto loaded = other.machine->load(write_saved_state(devices)); !loaded) {
      BOOST_TEST(!loaded.error().message.empty());
      return;
    }
    BOOST_TEST_REQUIRE(is_valid(*other.machine));
    other.machine->resume();
    other.ide0.soft_reset();
    other.work();
    (void)other.inb(0x1f7);
  };
  transfer.run(pc);
}

constexpr unsigned kPointsOfEach = 24;

/// In which points of how many a state is left: evenly, the first ones all.
bool is_kept(unsigned point, unsigned of) {
  return point < 8 || of <= kPointsOfEach || point % (of / (kPointsOfEach - 8) + 1) == 0;
}

fs::path file_of(const fs::path& directory, const Transfer& transfer, unsigned point) {
  return directory / (std::string{transfer.name} + "." + std::to_string(point));
}

void leave_states(const Transfer& transfer, const fs::path& directory) {
  const unsigned of = points_of(transfer);
  MovingPc pc;
  be_firmware(pc);
  unsigned point = 0;
  pc.at_point = [&] {
    // What is read ahead is not saved, so a new machine does things in other units: every point is
    // one, in the later program too.
    const Bytes bytes = pc.save();
    pc.go_on_from(bytes);
    if (is_kept(point, of)) {
      std::ofstream file{file_of(directory, transfer, point), std::ios::binary};
      file.write(reinterpret_cast<const char*>(bytes.data()),
                 static_cast<std::streamsize>(bytes.size()));
      BOOST_TEST_REQUIRE(file.good());
    }
    ++point;
  };
  transfer.run(pc);
}

/// Each of the states that are there, in the place of the machine's own.
unsigned go_on_from_states(const Transfer& transfer, const fs::path& directory) {
  MovingPc pc;
  be_firmware(pc);
  unsigned point = 0;
  unsigned taken = 0;
  pc.at_point = [&] {
    const fs::path path = file_of(directory, transfer, point++);
    if (!fs::exists(path)) {
      pc.go_on_from(pc.save());
      return;
    }
    pc.go_on_from_older(read_file(path));
    ++taken;
  };
  transfer.run(pc);
  return taken;
}

BOOST_AUTO_TEST_CASE(states_that_were_left_in_a_directory_are_gone_on_from) {
  const Asked from_outside = asked();
  const bool both = from_outside.what.empty();
  const fs::path directory =
      both ? fs::temp_directory_path() / ("stubdm-states-" + std::to_string(std::random_device{}()))
           : from_outside.where;
  fs::create_directories(directory);
  for (const Transfer& transfer : transfers()) {
    BOOST_TEST_CONTEXT(transfer.name) {
      if (both || from_outside.what == "save") {
        leave_states(transfer, directory);
      }
      if (both || from_outside.what == "load") {
        const unsigned taken = go_on_from_states(transfer, directory);
        BOOST_TEST_MESSAGE(transfer.name << ": gone on from " << taken << " states");
        BOOST_TEST((taken != 0 || !both));
      }
    }
  }
  if (both) {
    fs::remove_all(directory);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
