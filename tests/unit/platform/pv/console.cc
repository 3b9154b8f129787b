// SPDX-License-Identifier: MIT
#include "tests/drivers/console_driver.h"
#include "tests/unit/platform/pv/pv_rig.h"

#include <random>

namespace dm::pv::test {
namespace {

using dm::test::ConsoleDriver;

/// Console 0 is a frame that the toolstack names, consoles 1 and up are granted by the guest.
struct ConsoleRig : PvRig {
  static constexpr std::uint32_t kFrame = 5;
  static constexpr std::uint32_t kPort0 = 2;
  static constexpr std::uint32_t kPage3 = 9;
  static constexpr std::uint32_t kGrant3 = 77;
  static constexpr std::uint32_t kPort3 = 12;

  void add_console_0(std::string_view output = "file:/var/log/xen/guest.log") {
    store.set("/local/domain/7/console/ring-ref", std::to_string(kFrame));
    store.set("/local/domain/7/console/port", std::to_string(kPort0));
    frontend.offer(kPort0);
    add_console(0, output);
  }
  /// What hvc_xen does when it finds a console on xenbus.
  void connect_3() {
    frontend.grant(kGrant3, kPage3);
    frontend.offer(kPort3);
    const std::string path = front("console", 3);
    store.set(path + "/ring-ref", std::to_string(kGrant3), kDomid);
    store.set(path + "/port", std::to_string(kPort3), kDomid);
    guest_sets(path + "/state", kInitialised);
    guest_sets(path + "/state", kConnected);
  }

  ConsoleDriver guest0{frontend.page(kFrame)};
  ConsoleDriver guest3{frontend.page(kPage3)};
};

BOOST_FIXTURE_TEST_SUITE(pv_console, ConsoleRig)

BOOST_AUTO_TEST_CASE(console_0_works_without_any_state_of_its_frontend) {
  add_console_0();
  guest0.print("early words\n");
  start();
  BOOST_TEST(state("console", 0) == kConnected);
  auto& log = chardevs["file:/var/log/xen/guest.log"];
  BOOST_TEST(log.sent == "early words\n");
  BOOST_TEST(frontend.kicks(kPort0) == 1U);
  guest0.print("more\n");
  BOOST_TEST(frontend.kick(kPort0));
  settle();
  BOOST_TEST(log.sent == "early words\nmore\n");
  BOOST_TEST(guest0.unsent() == 0U);
}

BOOST_AUTO_TEST_CASE(a_terminals_name_is_written_for_xl_console) {
  add_console(3, "pty");
  start();
  BOOST_TEST(store.get("/local/domain/7/device/console/3/tty").value() == "/dev/pts/9");
  BOOST_TEST(state("console", 3) == kInitWait);
  BOOST_TEST_REQUIRE(backends->chardevs().size() == 1U);
  BOOST_TEST(backends->chardevs()[0].label == "xencons3");
  BOOST_TEST(backends->chardevs()[0].filename == "pty:/dev/pts/9");
}

/// So that stubdm in the stub domain knows that it may save its guest more than once.
BOOST_AUTO_TEST_CASE(a_file_that_begins_anew_with_each_state_is_told_of) {
  const std::string states = "file:/var/lib/xen/qemu-save.7";
  chardevs[states].each_state_anew = true;
  add_console(1, states);
  add_console(2, "file:/var/log/xen/guest.log");
  start();
  BOOST_TEST(store.get(back("console", 1) + "/stubdm-begins-anew").value() == "1");
  BOOST_TEST(!store.get(back("console", 2) + "/stubdm-begins-anew").has_value());
}

BOOST_AUTO_TEST_CASE(a_console_on_xenbus_carries_bytes_both_ways) {
  add_console(3, "pty");
  start();
  connect_3();
  BOOST_TEST(state("console", 3) == kConnected);
  guest3.print("login: ");
  frontend.kick(kPort3);
  settle();
  auto& tty = chardevs["pty"];
  BOOST_TEST(tty.sent == "login: ");
  frontend.kicks(kPort3);
  tty.type("root\r");
  settle();
  BOOST_TEST(guest3.read() == "root\r");
  BOOST_TEST(frontend.kicks(kPort3) == 1U);
}

BOOST_AUTO_TEST_CASE(a_console_of_xenconsoled_is_left_alone) {
  add_console(0, "pty", "xenconsoled");
  start();
  BOOST_TEST(state("console", 0) == kInitialising);
  BOOST_TEST(opened.empty());
  BOOST_TEST(backends->settled());
  BOOST_TEST(!backends->failure().has_value());
}

BOOST_AUTO_TEST_CASE(a_reader_that_does_not_read_holds_the_guest_back) {
  add_console_0();
  start();
  auto& log = chardevs["file:/var/log/xen/guest.log"];
  log.set_room(10);
  BOOST_TEST(guest0.print(std::string(3000, 'x')) == 2048U);
  frontend.kick(kPort0);
  settle();
  BOOST_TEST(log.sent.size() == 10U);
  BOOST_TEST(guest0.unsent() == 2038U);
  frontend.kick(kPort0);  // and asking does not help
  settle();
  BOOST_TEST(guest0.unsent() == 2038U);
  log.set_room(100'000);
  settle();
  BOOST_TEST(guest0.unsent() == 0U);
  BOOST_TEST(log.sent.size() == 2048U);
}

BOOST_AUTO_TEST_CASE(input_waits_outside_until_the_guest_has_room) {
  add_console(3, "pty");
  start();
  connect_3();
  auto& tty = chardevs["pty"];
  std::string typed;
  for (int i = 0; i < 3000; ++i) {
    typed.push_back(static_cast<char>('a' + i % 26));
  }
  tty.type(typed);
  settle();
  BOOST_TEST(tty.unread().size() == 3000U - 1024U);
  std::string got;
  for (int turn = 0; turn < 4; ++turn) {
    got += guest3.read();
    frontend.kick(kPort3);
    settle();
  }
  BOOST_TEST(got == typed);
}

BOOST_AUTO_TEST_CASE(indices_wrap_at_32_bits) {
  add_console_0();
  for (const std::size_t index : {0xc00U, 0xc04U, 0xc08U, 0xc0cU}) {
    guest0.set(index, 0xfffffff0);
  }
  start();
  const std::string text(100, 'w');
  guest0.print(text);
  frontend.kick(kPort0);
  settle();
  auto& log = chardevs["file:/var/log/xen/guest.log"];
  BOOST_TEST(log.sent == text);
  log.type(text);
  settle();
  BOOST_TEST(guest0.read() == text);
}

BOOST_AUTO_TEST_CASE(a_ring_that_claims_more_than_it_holds_loses_its_bytes_and_nothing_else) {
  add_console_0();
  start();
  auto& log = chardevs["file:/var/log/xen/guest.log"];
  for (const std::uint32_t far : {2049U, 0x80000000U, 0xffffffffU}) {
    guest0.set(0xc0c, guest0.word(0xc08) + far);
    frontend.kick(kPort0);
    settle();
    BOOST_TEST(guest0.unsent() == 0U);
  }
  BOOST_TEST(log.sent.empty());
  guest0.print("sane again");
  frontend.kick(kPort0);
  settle();
  BOOST_TEST(log.sent == "sane again");
}

BOOST_AUTO_TEST_CASE(an_input_ring_with_impossible_indices_counts_as_full) {
  add_console_0();
  start();
  auto& log = chardevs["file:/var/log/xen/guest.log"];
  guest0.set(0xc00, guest0.word(0xc04) + 1);  // read more than was ever written
  log.type("nobody gets this yet");
  settle();
  BOOST_TEST(log.unread() == "nobody gets this yet");
  guest0.set(0xc00, guest0.word(0xc04));
  frontend.kick(kPort0);
  settle();
  BOOST_TEST(guest0.read() == "nobody gets this yet");
}

BOOST_AUTO_TEST_CASE(transport_that_cannot_be_had_closes_the_console_until_the_driver_starts_anew) {
  add_console(3, "pty");
  start();
  const std::string path = front("console", 3);
  frontend.offer(kPort3);
  struct Row {
    const char* ring;
    const char* port;
  };
  for (const Row row : {Row{"77", "12"},  // not granted
                        Row{"", ""}, Row{"-1", "12"}, Row{"4294967296", "12"}, Row{"0x4d", "12"},
                        Row{"77 ", "12"}}) {
    store.set(path + "/ring-ref", row.ring, kDomid);
    store.set(path + "/port", row.port, kDomid);
    guest_sets(path + "/state", kInitialised);
    BOOST_TEST(state("console", 3) == kClosing, row.ring);
    guest_sets(path + "/state", kClosed);
    BOOST_TEST(state("console", 3) == kClosed);
    guest_sets(path + "/state", kInitialising);
    BOOST_TEST(state("console", 3) == kInitWait);
  }
  frontend.grant(kGrant3, kPage3);
  store.set(path + "/ring-ref", "77", kDomid);
  store.set(path + "/port", "99", kDomid);  // not offered
  guest_sets(path + "/state", kInitialised);
  BOOST_TEST(state("console", 3) == kClosing);
  BOOST_TEST(frontend.mapped_pages() == 0U);
  guest_sets(path + "/state", kClosed);
  guest_sets(path + "/state", kInitialising);
  connect_3();
  BOOST_TEST(state("console", 3) == kConnected);
}

// A guest may remove what the toolstack wrote into its directory and put its own in its place:
// "file:/etc/passwd" would be emptied.
BOOST_AUTO_TEST_CASE(an_output_that_the_guest_wrote_is_not_opened) {
  add_console(3, "pty");
  store.set(front("console", 3) + "/output", "file:/etc/passwd", kDomid);
  start();
  BOOST_TEST((opened == std::vector<std::string>{"null"}));
}

// A stub domain's console 2, when nothing is restored.
BOOST_AUTO_TEST_CASE(a_console_without_output_leads_nowhere_and_holds_nobody_up) {
  add_console(2, "");
  start();
  BOOST_TEST((opened == std::vector<std::string>{"null"}));
  BOOST_TEST(!backends->failure().has_value());
  BOOST_TEST(backends->settled());
}

BOOST_AUTO_TEST_CASE(an_output_that_cannot_be_opened_is_an_error_of_the_start) {
  add_console(3, "file:/missing/log");
  start();
  BOOST_TEST_REQUIRE(backends->settled());
  BOOST_TEST_REQUIRE(backends->failure().has_value());
  BOOST_TEST(backends->failure()->message ==
             "backend/console/7/3: serial \"file:/missing/log\": cannot open it for writing");
}

BOOST_AUTO_TEST_CASE(the_last_words_before_the_end_are_kept) {
  add_console_0();
  start();
  guest0.print("panic");  // and no event
  backends->disconnect();
  BOOST_TEST(chardevs["file:/var/log/xen/guest.log"].sent == "panic");
}

BOOST_AUTO_TEST_CASE(whatever_a_guest_does_with_its_page_all_bytes_between_sane_moments_arrive) {
  add_console_0();
  start();
  auto& log = chardevs["file:/var/log/xen/guest.log"];
  std::mt19937 random{7};
  for (int round = 0; round < 2000; ++round) {
    for (int i = 0; i < 4; ++i) {
      guest0.set(0xc00 + 4 * (random() % 4), static_cast<std::uint32_t>(random()));
    }
    frontend.kick(kPort0);
    settle();
    guest0.set(0xc0c, guest0.word(0xc08));
    log.sent.clear();
    const std::string text(random() % 2048, 'k');
    BOOST_TEST_REQUIRE(guest0.print(text) == text.size());
    frontend.kick(kPort0);
    settle();
    BOOST_TEST_REQUIRE(log.sent == text);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::pv::test
