// SPDX-License-Identifier: MIT
// A PV console on a terminal of this host, whose reader leaves while both rings are full.
#include "platform/linux/chardev/chardev.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/unique_fd.h"
#include "platform/pv/console.h"
#include "tests/drivers/console_driver.h"
#include "tests/rig/sim_frontend.h"
#include "tests/rig/sim_store.h"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <string>

namespace dm::pv::test {
namespace {

using namespace std::chrono_literals;

struct TerminalRig {
  static constexpr std::uint32_t kPort = 2;
  static constexpr std::size_t kFrame = 5;

  TerminalRig() {
    frontend.offer(kPort);
    auto nodes = console.prepare({"ioemu", "pty"});
    BOOST_REQUIRE(nodes.has_value() && nodes->has_value() && (*nodes)->size() == 1U);
    slave = (*nodes)->front().value;
    BOOST_REQUIRE(console.connect({std::to_string(kFrame), std::to_string(kPort)}).has_value());
    turn();
  }
  [[nodiscard]] host::UniqueFd come() const {
    return host::UniqueFd{::open(slave.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)};
  }
  void turn() {
    for (int i = 0; i < 5; ++i) {
      loop.wait(1ms);
    }
  }
  /// The guest writes what its ring holds, and says so.
  std::size_t print(std::string_view text) {
    const std::size_t taken = guest.print(text);
    static_cast<void>(frontend.kick(kPort));
    turn();
    return taken;
  }

  host::Loop loop;
  rig::SimStore store;
  rig::SimFrontend frontend;
  Host services{
      .domid = 7,
      .store = store,
      .frontend = frontend,
      .work = loop.turn_queue(),
      .open_chardev = [this](const std::string& spec) -> Result<std::unique_ptr<CharBackend>> {
        auto opened = host::open_chardev(loop, spec);
        BOOST_REQUIRE(opened.has_value());
        return std::unique_ptr<CharBackend>{std::move(*opened)};
      },
      .open_disk = {}};
  Console console{services, 0};
  dm::test::ConsoleDriver guest{frontend.page(kFrame)};
  std::string slave;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(pv_console_departure, TerminalRig)

BOOST_AUTO_TEST_CASE(a_reader_that_leaves_while_both_rings_are_full_lets_the_guest_go_on) {
  host::UniqueFd reader = come();
  turn();
  const std::string typed(2000, 'k');
  BOOST_TEST(::write(reader.get(), typed.data(), typed.size()) == 2000);
  turn();
  const std::string text(2048, '.');
  for (int i = 0; i < 200 && guest.unsent() < 2048; ++i) {
    print(text);
  }
  BOOST_TEST(guest.unsent() == 2048U);
  reader.reset();
  turn();
  BOOST_TEST(guest.unsent() == 0U);
  for (int i = 0; i < 50; ++i) {
    BOOST_TEST(print(text) == text.size());
    BOOST_TEST(guest.unsent() == 0U);
  }
  const auto before = loop.counters();
  loop.wait(100ms);
  BOOST_TEST(loop.counters().wakeups == before.wakeups);
  // What was typed is the guest's.
  std::string got;
  for (int i = 0; i < 10; ++i) {
    got += guest.read();
    static_cast<void>(frontend.kick(kPort));
    turn();
  }
  BOOST_TEST((got == typed));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::pv::test
