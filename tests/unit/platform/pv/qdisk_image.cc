// SPDX-License-Identifier: MIT
// The image under a PV disk: when it is opened, closed, changed, and as what.
#include "tests/unit/platform/pv/qdisk_rig.h"

namespace dm::pv::test {
namespace {

BOOST_FIXTURE_TEST_SUITE(pv_qdisk_image, QdiskRig)

// The guest has the same image under its emulated disk until it unplugs that.
BOOST_AUTO_TEST_CASE(the_image_is_opened_when_the_first_frontend_connects_and_then_kept) {
  boot();
  BOOST_TEST(disks_opened.empty());
  connect();
  BOOST_TEST_REQUIRE(disks_opened.size() == 1U);
  BOOST_TEST(disks_opened[0].path == "/srv/image");
  BOOST_TEST(!disks_opened[0].read_only);
  guest_sets(front("vbd", kId) + "/state", kClosing);
  BOOST_TEST(disk.is_open());
  guest_sets(front("vbd", kId) + "/state", kClosed);
  guest_sets(front("vbd", kId) + "/state", kInitialising);
  connect();
  BOOST_TEST(ours("state") == kConnected);
  BOOST_TEST(ours("sectors") == "131072");
  ring->transfer(BlkfrontDriver::kRead, 1, 0, pages(1));
  go();
  BOOST_TEST(answer().status == 0);
  BOOST_TEST(disks_opened.size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_was_written_is_durable_when_a_frontend_has_gone) {
  connected();
  fill(0, 9);
  ring->transfer(BlkfrontDriver::kWrite, 1, 8, pages(1));
  go();
  BOOST_TEST(answer().status == 0);
  guest_sets(front("vbd", kId) + "/state", kClosing);
  BOOST_TEST(disk.flushes_now == 1U);
  disk.power_cut();
  BOOST_TEST(on_disk(8, 0, 0, 8));
  // Nothing written, nothing to wait for.
  guest_sets(front("vbd", kId) + "/state", kInitialising);
  connect();
  ring->transfer(BlkfrontDriver::kRead, 2, 8, pages(1));
  go();
  guest_sets(front("vbd", kId) + "/state", kClosed);
  BOOST_TEST(disk.flushes_now == 1U);
  // A new kernel that did not close the old one's device.
  guest_sets(front("vbd", kId) + "/state", kInitialising);
  connect();
  ring->discard(3, 100, 4);
  go();
  guest_sets(front("vbd", kId) + "/state", kInitialising);
  BOOST_TEST(disk.flushes_now == 2U);
  BOOST_TEST(frontend.mapped_pages() == 0U);
}

// It may hand the image to somebody else when it sees Closed.
BOOST_AUTO_TEST_CASE(the_image_is_closed_before_the_toolstack_hears_that_the_device_is) {
  connected();
  store.set(back("qdisk", kId) + "/online", "0");
  store.set(back("qdisk", kId) + "/state", kClosing);
  settle();
  BOOST_TEST(ours("state") == kClosing);
  BOOST_TEST(disk.is_open());
  guest_sets(front("vbd", kId) + "/state", kClosed);
  BOOST_TEST(ours("state") == kClosed);
  BOOST_TEST(!disk.is_open());
}

BOOST_AUTO_TEST_CASE(the_image_is_closed_when_the_device_vanishes) {
  connected();
  store.remove(back("qdisk", kId));
  settle();
  BOOST_TEST(!disk.is_open());
}

BOOST_AUTO_TEST_CASE(a_read_only_disk_is_opened_read_only_and_never_written) {
  boot("aio:/srv/image", false);
  connect();
  BOOST_TEST(disks_opened.at(0).read_only);
  BOOST_TEST(ours("info") == "4");
  BOOST_TEST(ours("feature-discard") == "0");
  ring->transfer(BlkfrontDriver::kWrite, 1, 0, pages(1));
  ring->transfer(BlkfrontDriver::kBarrier, 2, 0, pages(1));
  ring->transfer(BlkfrontDriver::kRead, 3, 0, pages(1));
  go();
  const auto all = ring->responses();
  BOOST_TEST_REQUIRE(all.size() == 3U);
  BOOST_TEST(all[0].status == -1);
  BOOST_TEST(all[1].status == -1);
  BOOST_TEST(all[2].status == 0);
  BOOST_TEST(disk.log.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_cdrom_without_a_disc_connects_with_no_sectors) {
  boot("aio:", false, true);
  connect();
  BOOST_TEST(ours("state") == kConnected);
  BOOST_TEST(ours("sectors") == "0");
  BOOST_TEST(ours("info") == "5");
  ring->transfer(BlkfrontDriver::kRead, 1, 0, pages(1));
  go();
  BOOST_TEST(answer().status == -1);
}

// libxl's cd-insert: params to nothing, then to the new image.
BOOST_AUTO_TEST_CASE(another_disc_is_put_in_while_the_guest_runs) {
  boot("aio:/srv/one.iso", false, true);
  connect();
  BOOST_TEST(ours("sectors") == "131072");
  store.set(back("qdisk", kId) + "/params", "");
  settle();
  BOOST_TEST(ours("sectors") == "0");
  BOOST_TEST(!disk.is_open());
  disk.info.size = 1 << 20;
  store.set(back("qdisk", kId) + "/params", "aio:/srv/two.iso");
  settle();
  BOOST_TEST(disks_opened.back().path == "/srv/two.iso");
  BOOST_TEST(ours("sectors") == "2048");
  ring->transfer(BlkfrontDriver::kRead, 1, 2040, pages(1));
  go();
  BOOST_TEST(answer().status == 0);
}

BOOST_AUTO_TEST_CASE(an_image_that_cannot_be_opened_closes_the_device) {
  boot("aio:/missing");
  connect();
  BOOST_TEST(ours("state") == kClosing);
  BOOST_TEST(frontend.mapped_pages() == 0U);
}

// The emulated disk may have had it still.
BOOST_AUTO_TEST_CASE(a_frontend_that_starts_again_gets_an_image_that_can_be_opened_now) {
  boot();
  auto other_user = disk.open();
  connect();
  BOOST_TEST(ours("state") == kClosing);
  other_user.reset();
  guest_sets(front("vbd", kId) + "/state", kInitialising);
  connect();
  BOOST_TEST(ours("state") == kConnected);
}

BOOST_AUTO_TEST_CASE(a_disc_is_changed_while_no_frontend_is_there) {
  boot("aio:/srv/one.iso", false, true);
  connect();
  guest_sets(front("vbd", kId) + "/state", kClosed);
  BOOST_TEST(disk.is_open());
  store.set(back("qdisk", kId) + "/params", "");
  settle();
  BOOST_TEST(!disk.is_open());
  disk.info.size = 1 << 20;
  store.set(back("qdisk", kId) + "/params", "aio:/srv/two.iso");
  settle();
  BOOST_TEST(disks_opened.size() == 1U);
  guest_sets(front("vbd", kId) + "/state", kInitialising);
  connect();
  BOOST_TEST(disks_opened.back().path == "/srv/two.iso");
  BOOST_TEST(ours("sectors") == "2048");
}

// libxl_device.c, libxl__device_disk_string_of_format.
BOOST_AUTO_TEST_CASE(the_format_is_what_the_toolstack_says) {
  struct Row {
    const char* params;
    ImageFormat format;
    const char* path;
  };
  for (const Row row : {Row{"aio:/srv/a:b", ImageFormat::raw, "/srv/a:b"},
                        Row{"qcow2:/srv/a", ImageFormat::qcow2, "/srv/a"},
                        Row{"vhd:/srv/a", ImageFormat::vpc, "/srv/a"},
                        Row{"qcow:/srv/a", ImageFormat::qcow, "/srv/a"},
                        Row{"qed:/srv/a", ImageFormat::qed, "/srv/a"},
                        Row{"aio:nbd:unix:/s", ImageFormat::raw, "nbd:unix:/s"},
                        Row{"/srv/a", ImageFormat::raw, "/srv/a"}}) {
    backends.reset();
    store.remove("/local/domain");
    boot(row.params);
    connect();
    BOOST_TEST(ours("state") == kConnected, row.params);
    BOOST_TEST((disks_opened.back().format == row.format), row.params);
    BOOST_TEST(disks_opened.back().path == row.path);
  }
}

BOOST_AUTO_TEST_CASE(a_format_that_is_not_served_is_told_at_the_start) {
  boot("tapdisk:/srv/image");
  BOOST_TEST_REQUIRE(backends->failure().has_value());
  BOOST_TEST(backends->failure()->message.find("tapdisk") != std::string::npos);
  BOOST_TEST(ours("state") == kClosed);
}

BOOST_AUTO_TEST_CASE(what_management_sees_of_a_disk) {
  connected();
  ring->transfer(BlkfrontDriver::kRead, 1, 0, pages(2));
  go();
  const auto drives = backends->drives();
  BOOST_TEST_REQUIRE(drives.size() == 1U);
  BOOST_TEST(drives[0].name == "xvda");
  BOOST_TEST(drives[0].image == "/srv/image");
  BOOST_TEST(drives[0].stats.bytes[0] == 8192U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::pv::test
