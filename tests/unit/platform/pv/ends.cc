// SPDX-License-Identifier: MIT
// The other side of a console and of a keyboard goes, at every step of every exchange: everything
// is given back, what the guest had written last arrives, and a new frontend is served.
// Disks: qdisk_disc.cc.
#include "tests/drivers/console_driver.h"
#include "tests/unit/platform/pv/pv_rig.h"

#include <string>

namespace dm::pv::test {
namespace {

using dm::test::ConsoleDriver;

struct EndsRig : PvRig {
  static constexpr std::uint32_t kPage = 9;
  static constexpr std::uint32_t kGrant = 77;
  static constexpr std::uint32_t kPort = 12;

  void add(std::string_view kind) {
    kind_ = kind;
    if (kind == "console") {
      add_console(3, "pty");
      frontend.grant(kGrant, kPage);
      frontend.offer(kPort);
      store.set(front("console", 3) + "/ring-ref", std::to_string(kGrant), kDomid);
      store.set(front("console", 3) + "/port", std::to_string(kPort), kDomid);
    } else {
      store.set(front("vkbd", 3) + "/state", kInitialising, kDomid);
      add_pair("vkbd", "vkbd", 3);
    }
    backends = std::make_unique<Backends>(host(), std::vector{Kind::console, Kind::vkbd});
  }
  void guest(const char* value) { store.set(front(kind_, 3) + "/state", value, kDomid); }
  void closes() {
    store.set(back(kind_, 3) + "/online", "0");
    store.set(back(kind_, 3) + "/state", kClosing);
  }
  [[nodiscard]] std::string ours() const { return state(kind_, 3); }
  [[nodiscard]] const std::string& kind() const { return kind_; }
  void nothing_is_held() {
    BOOST_TEST(frontend.mapped_pages() == 0U);
    BOOST_TEST(frontend.bound() == 0U);
    BOOST_TEST(chardevs["pty"].client == nullptr);
  }

  ConsoleDriver ring{frontend.page(kPage)};

 private:
  std::string kind_;
};

struct End {
  const char* name;
  void (*run)(EndsRig&);
  bool comes_again;  ///< a new frontend is to be served afterwards
};

constexpr End kEnds[] = {
    {"the frontend closes", [](EndsRig& rig) { rig.guest(kClosing); }, true},
    {"the frontend is closed", [](EndsRig& rig) { rig.guest(kClosed); }, true},
    {"a new kernel starts", [](EndsRig& rig) { rig.guest(kInitialising); }, true},
    {"its directory vanishes",
     [](EndsRig& rig) { rig.store.remove(PvRig::front(rig.kind(), 3) + "/state"); }, true},
    {"its channel and its grant are taken back",
     [](EndsRig& rig) {
       rig.frontend.revoke(EndsRig::kGrant);
       rig.guest(kClosed);
     },
     true},
    {"the toolstack takes it away, the guest agrees",
     [](EndsRig& rig) {
       rig.closes();
       rig.settle();
       rig.guest(kClosed);
     },
     false},
    {"the toolstack removes it", [](EndsRig& rig) { rig.store.remove(PvRig::back(rig.kind(), 3)); },
     false},
    {"the domain is destroyed",
     [](EndsRig& rig) {
       rig.store.remove("/local/domain/7");
       rig.store.remove("/local/domain/0/backend");
     },
     false},
    {"the device model ends", [](EndsRig& rig) { rig.backends.reset(); }, false},
};

BOOST_AUTO_TEST_SUITE(pv_ends)

BOOST_AUTO_TEST_CASE(the_other_side_may_go_at_every_step_on_the_way_to_connected) {
  for (const char* const kind : {"console", "vkbd"}) {
    for (const End& end : kEnds) {
      for (unsigned steps = 0; steps < 40; ++steps) {
        BOOST_TEST_CONTEXT(kind << ": " << end.name << " after " << steps) {
          EndsRig rig;
          rig.add(kind);
          rig.guest(kInitialised);
          for (unsigned step = 0; step < steps; ++step) {
            rig.store.step();
            rig.work.run_one();
          }
          end.run(rig);
          rig.settle();
          rig.nothing_is_held();
          if (!end.comes_again) {
            BOOST_TEST((!rig.backends || rig.backends->devices() == 0 || rig.ours() == kClosed));
            continue;
          }
          rig.frontend.grant(EndsRig::kGrant, EndsRig::kPage);
          rig.guest(kClosed);
          rig.settle();
          rig.guest(kInitialising);
          rig.settle();
          BOOST_TEST(rig.ours() == kInitWait);
          rig.guest(kInitialised);
          rig.settle();
          BOOST_TEST(rig.ours() == kConnected);
        }
      }
    }
  }
}

struct Moment {
  const char* name;
  void (*run)(EndsRig&);
  std::string_view arrives;  ///< on the terminal, in the end
};

constexpr Moment kMoments[] = {
    {"nothing under way", [](EndsRig&) {}, ""},
    {"words that nobody was told of",
     [](EndsRig& rig) { static_cast<void>(rig.ring.print("last words")); }, "last words"},
    {"words, told",
     [](EndsRig& rig) {
       static_cast<void>(rig.ring.print("last words"));
       rig.frontend.kick(EndsRig::kPort);
     },
     "last words"},
    {"words that nobody takes",
     [](EndsRig& rig) {
       rig.chardevs["pty"].set_room(4);
       static_cast<void>(rig.ring.print("last words"));
       rig.frontend.kick(EndsRig::kPort);
       rig.settle();
     },
     "last"},
    {"words typed that the guest has no room for",
     [](EndsRig& rig) {
       rig.chardevs["pty"].type(std::string(3000, 'x'));
       rig.settle();
     },
     ""},
    {"indices that make no sense",
     [](EndsRig& rig) {
       rig.ring.set(0xc0c, rig.ring.word(0xc08) + 0x80000000U);
       rig.ring.set(0xc00, rig.ring.word(0xc04) + 1);
       rig.frontend.kick(EndsRig::kPort);
     },
     ""},
};

BOOST_AUTO_TEST_CASE(the_other_side_of_a_console_may_go_whatever_is_under_way) {
  for (const Moment& moment : kMoments) {
    for (const End& end : kEnds) {
      for (unsigned turns = 0; turns < 4; ++turns) {
        BOOST_TEST_CONTEXT(moment.name << "; " << end.name << " after " << turns) {
          EndsRig rig;
          rig.add("console");
          rig.guest(kInitialised);
          rig.settle();
          BOOST_TEST_REQUIRE(rig.ours() == kConnected);
          moment.run(rig);
          for (unsigned turn = 0; turn < turns; ++turn) {
            rig.store.step();
            rig.work.run_one();
          }
          end.run(rig);
          rig.settle();
          rig.nothing_is_held();
          BOOST_TEST(rig.chardevs["pty"].sent == moment.arrives);
          // Nobody is there any more to be told of room or of bytes.
          rig.chardevs["pty"].room = 100'000;
          BOOST_TEST(!rig.frontend.kick(EndsRig::kPort));
          if (end.comes_again) {
            rig.frontend.grant(EndsRig::kGrant, EndsRig::kPage);
            rig.guest(kClosed);
            rig.settle();
            rig.ring = ConsoleDriver{rig.frontend.page(EndsRig::kPage)};
            for (const std::size_t index : {0xc00U, 0xc04U, 0xc08U, 0xc0cU}) {
              rig.ring.set(index, 0);
            }
            rig.chardevs["pty"].sent.clear();
            rig.guest(kInitialising);
            rig.settle();
            rig.guest(kInitialised);
            rig.settle();
            static_cast<void>(rig.ring.print("again"));
            BOOST_TEST(rig.frontend.kick(EndsRig::kPort));
            rig.settle();
            BOOST_TEST(rig.chardevs["pty"].sent == "again");
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::pv::test
