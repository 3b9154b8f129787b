// SPDX-License-Identifier: MIT
// Nodes that lead to something of the host are believed when domain 0 owns them, or the backend's
// own domain; not when a guest does, be it the frontend's or a third one that it lets write.
#include "tests/unit/platform/pv/pv_rig.h"

namespace dm::pv::test {
namespace {

constexpr std::uint32_t kThird = 9;
constexpr std::uint32_t kDriverDomain = 5;
constexpr std::uint32_t kDisk = 51712;

struct BelievedRig : PvRig {
  /// What the toolstack wrote, written again by somebody else.
  void owned_by(std::uint32_t owner, const std::string& path, std::string_view value) {
    store.remove(path);
    store.set(path, value, owner);
  }
  void connect_disk() {
    const std::string path = front("vbd", kDisk);
    frontend.offer(21);
    frontend.grant(500, 16);
    store.set(path + "/ring-ref", "500", kDomid);
    store.set(path + "/event-channel", "21", kDomid);
    guest_sets(path + "/state", kInitialised);
  }
};

BOOST_FIXTURE_TEST_SUITE(pv_believed, BelievedRig)

// "file:/etc/passwd" would be emptied.
BOOST_AUTO_TEST_CASE(a_consoles_output_is_opened_only_if_the_toolstack_wrote_it) {
  for (const std::uint32_t owner : {kDomid, kThird, kDriverDomain, 32752U}) {
    opened.clear();
    store.remove("/local/domain");
    add_console(3, "pty");
    owned_by(owner, front("console", 3) + "/output", "file:/etc/passwd");
    start();
    BOOST_TEST((opened == std::vector<std::string>{"null"}), owner);
    backends.reset();
    settle();
  }
}

BOOST_AUTO_TEST_CASE(a_consoles_type_is_the_toolstacks_word) {
  for (const std::uint32_t owner : {kDomid, kThird}) {
    store.remove("/local/domain");
    add_console(3, "pty", "xenconsoled");
    owned_by(owner, front("console", 3) + "/type", "ioemu");
    start();
    BOOST_TEST(opened.empty());
    BOOST_TEST(backends->settled());
    backends.reset();
    settle();
  }
}

BOOST_AUTO_TEST_CASE(a_device_leads_to_the_domain_that_the_toolstack_named) {
  for (const std::uint32_t owner : {kDomid, kThird}) {
    for (const char* const key : {"/frontend", "/frontend-id"}) {
      store.remove("/local/domain");
      add_disk(kDisk, "aio:/srv/image", true);
      const std::string path = back("qdisk", kDisk) + key;
      owned_by(owner, path, store.get(path).value());
      start({Kind::qdisk});
      BOOST_TEST(state("qdisk", kDisk) == kInitialising);
      BOOST_TEST(backends->devices() == 0U);
      backends.reset();
      settle();
    }
  }
}

BOOST_AUTO_TEST_CASE(an_image_is_the_one_that_the_toolstack_named) {
  for (const std::uint32_t owner : {kDomid, kThird}) {
    store.remove("/local/domain");
    add_disk(kDisk, "aio:/srv/image", true);
    owned_by(owner, back("qdisk", kDisk) + "/params", "aio:/etc/shadow");
    start({Kind::qdisk});
    BOOST_TEST_REQUIRE(backends->failure().has_value());
    connect_disk();
    BOOST_TEST(disks_opened.empty());
    backends.reset();
    settle();

    store.remove("/local/domain");
    add_disk(kDisk, "aio:/srv/image", false);
    owned_by(owner, back("qdisk", kDisk) + "/physical-device-path", "/dev/sda");
    owned_by(owner, back("qdisk", kDisk) + "/mode", "w");
    start({Kind::qdisk});
    connect_disk();
    BOOST_TEST_REQUIRE(disks_opened.size() == 1U);
    BOOST_TEST(disks_opened[0].path == "/srv/image");
    BOOST_TEST(disks_opened[0].read_only);
    backends.reset();
    settle();
    disks_opened.clear();
  }
}

BOOST_AUTO_TEST_CASE(a_disc_that_somebody_else_put_in_is_none) {
  add_disk(kDisk, "aio:/srv/one.iso", false, true);
  start({Kind::qdisk});
  connect_disk();
  BOOST_TEST_REQUIRE(disks_opened.size() == 1U);
  owned_by(kThird, back("qdisk", kDisk) + "/params", "aio:/etc/shadow");
  settle();
  BOOST_TEST(disks_opened.size() == 1U);
  BOOST_TEST(!disk.is_open());
  BOOST_TEST(store.get(back("qdisk", kDisk) + "/sectors").value() == "0");
}

BOOST_AUTO_TEST_CASE(in_a_driver_domain_its_own_word_counts_too) {
  store.set("/local/domain/0/domid", "5");
  add_console(3, "pty");
  owned_by(kDriverDomain, front("console", 3) + "/output", "file:/var/log/xen/guest.log");
  owned_by(kDriverDomain, front("console", 3) + "/type", "ioemu");
  add_disk(kDisk, "aio:/srv/image", true);
  owned_by(kDriverDomain, back("qdisk", kDisk) + "/params", "aio:/srv/other");
  start({Kind::console, Kind::qdisk});
  connect_disk();
  BOOST_TEST((opened == std::vector<std::string>{"file:/var/log/xen/guest.log"}));
  BOOST_TEST_REQUIRE(disks_opened.size() == 1U);
  BOOST_TEST(disks_opened[0].path == "/srv/other");
}

// What frontends write is the guest's own, whoever owns it: it leads to its own memory only.
BOOST_AUTO_TEST_CASE(what_belongs_to_the_frontend_may_be_anybodys) {
  add_disk(kDisk, "aio:/srv/image", true);
  start({Kind::qdisk});
  frontend.offer(21);
  frontend.grant(500, 16);
  store.set(front("vbd", kDisk) + "/ring-ref", "500", kThird);
  store.set(front("vbd", kDisk) + "/event-channel", "21", kThird);
  guest_sets(front("vbd", kDisk) + "/state", kInitialised);
  BOOST_TEST(state("qdisk", kDisk) == kConnected);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::pv::test
