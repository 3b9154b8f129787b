// SPDX-License-Identifier: MIT
// The life of a PV device, told by a keyboard, the kind that has nothing else.
#include "tests/unit/platform/pv/pv_rig.h"

#include <random>

namespace dm::pv::test {
namespace {

struct KeyboardRig : PvRig {
  void add_keyboard(std::uint32_t id = 0) {
    store.set(front("vkbd", id) + "/state", kInitialising, kDomid);
    add_pair("vkbd", "vkbd", id);
  }
  void guest(const char* state, std::uint32_t id = 0) {
    guest_sets(front("vkbd", id) + "/state", state);
  }
  [[nodiscard]] std::string ours(std::uint32_t id = 0) const { return state("vkbd", id); }
  void toolstack_closes(std::uint32_t id = 0) {
    store.set(back("vkbd", id) + "/online", "0");
    store.set(back("vkbd", id) + "/state", kClosing);
    settle();
  }
};

BOOST_FIXTURE_TEST_SUITE(pv_xenbus, KeyboardRig)

// L: drivers/input/misc/xen-kbdfront.c: Initialised, then Connected once the backend is.
BOOST_AUTO_TEST_CASE(a_keyboard_connects_so_that_linux_does_not_wait_for_it) {
  add_keyboard();
  start();
  BOOST_TEST(ours() == kInitWait);
  BOOST_TEST(!store.get(back("vkbd", 0) + "/feature-disable-keyboard").has_value());
  BOOST_TEST(store.get(back("vkbd", 0) + "/feature-disable-pointer").value() == "1");
  guest(kInitialised);
  BOOST_TEST(ours() == kConnected);
  guest(kConnected);
  BOOST_TEST(ours() == kConnected);
}

BOOST_AUTO_TEST_CASE(a_frontend_that_is_ready_before_us_is_connected_at_once) {
  add_keyboard();
  store.set(front("vkbd", 0) + "/state", kInitialised, kDomid);
  start();
  BOOST_TEST(ours() == kConnected);
}

BOOST_AUTO_TEST_CASE(a_driver_that_is_unloaded_and_loaded_again_connects_again) {
  add_keyboard();
  start();
  for (int round = 0; round < 3; ++round) {
    guest(kInitialised);
    BOOST_TEST(ours() == kConnected);
    guest(kClosing);
    BOOST_TEST(ours() == kClosing);
    guest(kClosed);
    BOOST_TEST(ours() == kClosed);
    guest(kInitialising);
    BOOST_TEST(ours() == kInitWait);
  }
}

// A kernel that crashed into another one by kexec.
BOOST_AUTO_TEST_CASE(a_new_driver_that_did_not_close_the_old_ones_device_gets_one) {
  add_keyboard();
  start();
  guest(kInitialised);
  guest(kInitialising);
  BOOST_TEST(ours() == kInitWait);
  guest(kInitialised);
  BOOST_TEST(ours() == kConnected);
}

BOOST_AUTO_TEST_CASE(the_toolstack_takes_a_connected_device_away_when_its_frontend_has_closed) {
  add_keyboard();
  start();
  guest(kInitialised);
  toolstack_closes();
  BOOST_TEST(ours() == kClosing);
  guest(kClosing);
  BOOST_TEST(ours() == kClosing);
  guest(kClosed);
  BOOST_TEST(ours() == kClosed);
  guest(kInitialising);  // too late
  BOOST_TEST(ours() == kClosed);
  store.remove(back("vkbd", 0));
  settle();
  BOOST_TEST(backends->devices() == 0U);
}

BOOST_AUTO_TEST_CASE(the_toolstack_need_not_wait_for_a_frontend_that_never_came) {
  add_keyboard();
  start();
  toolstack_closes();
  BOOST_TEST(ours() == kClosed);
}

BOOST_AUTO_TEST_CASE(a_frontend_whose_nodes_vanish_is_let_go) {
  add_keyboard();
  start();
  guest(kInitialised);
  store.remove(front("vkbd", 0));
  settle();
  BOOST_TEST(ours() == kClosed);
  guest(kInitialising);
  BOOST_TEST(ours() == kInitWait);
}

BOOST_AUTO_TEST_CASE(devices_may_come_and_go_while_the_guest_runs) {
  start();
  BOOST_TEST(backends->settled());
  BOOST_TEST(backends->devices() == 0U);
  add_keyboard(0);
  add_keyboard(3);
  settle();
  BOOST_TEST(backends->devices() == 2U);
  guest(kInitialised, 3);
  BOOST_TEST(ours(3) == kConnected);
  store.remove(back("vkbd", 3));
  settle();
  BOOST_TEST(backends->devices() == 1U);
  add_keyboard(3);
  settle();
  BOOST_TEST(ours(3) == kInitWait);
}

BOOST_AUTO_TEST_CASE(a_directory_for_another_domain_is_not_served) {
  add_keyboard();
  store.set(back("vkbd", 0) + "/frontend-id", "8");
  start();
  BOOST_TEST(ours() == kInitialising);
  BOOST_TEST(backends->devices() == 0U);
  BOOST_TEST(backends->settled());
  store.set(back("vkbd", 0) + "/frontend-id", "7");
  store.set(back("vkbd", 0) + "/frontend", "/local/domain/8/device/vkbd/0");
  settle();
  BOOST_TEST(ours() == kInitialising);
  store.set(back("vkbd", 0) + "/frontend", "/local/domain/7/device/vkbd/0");
  settle();
  BOOST_TEST(ours() == kInitWait);
}

BOOST_AUTO_TEST_CASE(a_framebuffer_is_closed_so_that_nobody_waits_for_it) {
  store.set(front("vfb", 0) + "/state", kInitialising, kDomid);
  add_pair("vfb", "vfb", 0);
  start();
  BOOST_TEST(state("vfb", 0) == kClosed);
  guest_sets(front("vfb", 0) + "/state", kInitialised);
  BOOST_TEST(state("vfb", 0) == kClosed);
  BOOST_TEST(!backends->failure().has_value());
}

BOOST_AUTO_TEST_CASE(names_that_are_no_devices_are_passed_over) {
  for (const char* const name : {"x", "-1", "1x", "99999999999999999999", "4294967296"}) {
    store.set("/local/domain/0/backend/vkbd/7/" + std::string{name} + "/state", kInitialising);
  }
  start();
  BOOST_TEST(backends->devices() == 0U);
}

BOOST_AUTO_TEST_CASE(there_is_a_bound_on_devices) {
  for (std::uint32_t id = 0; id < 100; ++id) {
    add_keyboard(id);
  }
  start({Kind::vkbd});
  BOOST_TEST(backends->devices() == 64U);
}

// However often it writes, one question is open and one more is remembered.
BOOST_AUTO_TEST_CASE(a_guest_that_writes_its_state_without_end_costs_a_few_questions) {
  add_keyboard();
  start();
  guest(kInitialised);
  // Events pile up in xenstored and on the way; each is only looked at when it comes.
  store.reads = 0;
  for (int i = 0; i < 1000; ++i) {
    store.set(front("vkbd", 0) + "/state", kConnected, kDomid);
  }
  const std::size_t piled = store.waiting();
  settle();
  BOOST_TEST(piled <= 1001U);
  BOOST_TEST(store.reads <= 4U * 2U);
  BOOST_TEST(ours() == kConnected);
}

BOOST_AUTO_TEST_CASE(states_that_do_not_exist_count_as_none) {
  add_keyboard();
  start();
  guest(kInitialised);
  const std::string long_text(4000, '4');
  for (const char* const text : {"", "9", "-1", "four", " 4", "4 ", long_text.c_str()}) {
    guest(text);
    BOOST_TEST(ours() == kClosed, text);
    guest(kInitialising);
    guest(kInitialised);
    BOOST_TEST(ours() == kConnected);
  }
}

BOOST_AUTO_TEST_CASE(after_any_walk_through_the_states_a_driver_that_starts_properly_connects) {
  add_keyboard();
  start();
  std::mt19937 random{11};
  for (int round = 0; round < 500; ++round) {
    for (int step = 0; step < 8; ++step) {
      const std::string path = front("vkbd", 0) + "/state";
      if (random() % 6 == 0) {
        store.remove(path);
      } else {
        store.set(path, std::to_string(random() % 10), kDomid);
      }
      for (unsigned n = random() % 4; n != 0; --n) {
        store.step();
      }
    }
    settle();
    guest(kClosed);
    guest(kInitialising);
    guest(kInitialised);
    BOOST_TEST_REQUIRE(ours() == kConnected);
  }
}

// Wherever they were: their devices' frontends find everything given back, nothing is told to
// whoever has gone, and those who come after them serve the same devices.
BOOST_AUTO_TEST_CASE(backends_may_go_at_any_moment) {
  std::size_t moments = 0;
  for (bool connected = false; !connected; ++moments) {
    BOOST_TEST_REQUIRE(moments < 100U);
    BOOST_TEST_CONTEXT(moments) {
      store.remove("/local/domain");
      add_keyboard();
      add_console(0, "pty");
      store.set("/local/domain/7/console/ring-ref", "5");
      store.set("/local/domain/7/console/port", "2");
      store.set(front("vkbd", 0) + "/state", kInitialised, kDomid);
      frontend.offer(2);
      backends = std::make_unique<Backends>(host(), std::vector{Kind::console, Kind::vkbd});
      for (std::size_t step = 0; step < moments; ++step) {
        store.step();
      }
      connected = ours() == kConnected && state("console", 0) == kConnected;
      backends.reset();
      BOOST_TEST(frontend.mapped_pages() == 0U);
      BOOST_TEST(frontend.bound() == 0U);
      BOOST_TEST(store.watches() == 0U);
      store.reads = 0;
      settle();
      BOOST_TEST(store.reads == 0U);
      BOOST_TEST(chardevs["pty"].client == nullptr);
      start({Kind::console, Kind::vkbd});
      BOOST_TEST(state("console", 0) == kConnected);
      BOOST_TEST(backends->settled());
      backends.reset();
      settle();
    }
  }
  BOOST_TEST(moments > 10U);
}

// It waits for Closed, ten seconds long (libxl_device.c, LIBXL_DESTROY_TIMEOUT).
BOOST_AUTO_TEST_CASE(the_toolstack_hears_closed_of_a_device_whose_frontend_had_closed_before) {
  add_keyboard();
  start();
  guest(kInitialised);
  guest(kClosing);
  guest(kClosed);
  BOOST_TEST(ours() == kClosed);
  toolstack_closes();
  BOOST_TEST(ours() == kClosed);
}

BOOST_AUTO_TEST_CASE(the_toolstack_hears_closed_of_a_device_that_could_not_be_served) {
  add_console(3, "file:/missing/log");
  start({Kind::console});
  BOOST_TEST_REQUIRE(backends->failure().has_value());
  store.set(back("console", 3) + "/online", "0");
  store.set(back("console", 3) + "/state", kClosing);
  settle();
  BOOST_TEST(state("console", 3) == kClosed);
  store.remove(back("console", 3));
  settle();
  BOOST_TEST(backends->devices() == 0U);
}

BOOST_AUTO_TEST_CASE(a_device_that_vanishes_while_it_is_being_found_is_gone) {
  for (unsigned steps = 0; steps < 20; ++steps) {
    BOOST_TEST_CONTEXT(steps) {
      store.remove("/local/domain");
      add_console(3, "file:/missing/log");
      add_console(4, "pty", "xenconsoled");
      add_keyboard();
      backends = std::make_unique<Backends>(host(), std::vector{Kind::console, Kind::vkbd});
      for (unsigned step = 0; step < steps; ++step) {
        store.step();
      }
      store.remove("/local/domain/0/backend");
      settle();
      BOOST_TEST(backends->devices() == 0U);
      BOOST_TEST(backends->settled());
      backends.reset();
      settle();
    }
  }
}

// The guest writes its state and the toolstack removes the directory at once: our answer makes a
// part of it again. That is no device.
BOOST_AUTO_TEST_CASE(a_directory_that_our_own_answer_has_made_again_is_no_device) {
  for (const char* const state_of_guest : {kClosing, kClosed, kInitialising}) {
    for (unsigned steps = 0; steps < 8; ++steps) {
      store.remove("/local/domain");
      add_keyboard();
      start({Kind::vkbd});
      guest(kInitialised);
      store.set(front("vkbd", 0) + "/state", state_of_guest, kDomid);
      for (unsigned step = 0; step < steps; ++step) {
        store.step();
      }
      store.remove(back("vkbd", 0));
      settle();
      BOOST_TEST(backends->devices() == 0U);
      backends.reset();
      settle();
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::pv::test
