// SPDX-License-Identifier: MIT
// The life of a guest's video memory, as Xen sees it.
#include "platform/xen/xen_video.h"

#include "platform/xen/dm_ops_library.h"
#include "platform/xen/handles.h"
#include "tests/unit/platform/xen/fake_xen.h"

#include <boost/test/unit_test.hpp>

#include <cerrno>

using namespace dm;
using namespace dm::xen;
using dm::test::fake;

namespace {

constexpr std::size_t kBytes = std::size_t{16} << 20;
constexpr std::uint64_t kPages = kBytes / 4096;
constexpr Gpa kHome{0xf1000000};
constexpr Gpa kElsewhere{0xe0000000};

struct Rig : dm::test::FreshFake {
  Rig() {
    for (std::uint64_t i = 0; i < kPages; ++i) {
      fake().absent[kElsewhere.gfn() + i] = -EINVAL;
    }
  }
  [[nodiscard]] std::unique_ptr<XenVideoMemory> open() {
    return std::move(XenVideoMemory::open({*handle, ops, 7}, kHome, kBytes)).value();
  }
  LibraryDmOps ops{DeviceModelHandle{xendevicemodel_open(nullptr, 0)}, 7};
  ForeignMemoryHandle handle{xenforeignmemory_open(nullptr, 0)};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(xen_video, Rig)

BOOST_AUTO_TEST_CASE(it_is_populated_where_hvmloader_will_put_the_bar) {
  BOOST_TEST(video_memory_place(kBytes, true).value == 0xf1000000U);
  BOOST_TEST(video_memory_place(kBytes / 2, true).value == 0xf1000000U);
  BOOST_TEST(video_memory_place(2 * kBytes, true).value == 0xf0000000U);
  BOOST_TEST(video_memory_place(kBytes, false).value == 0xf0000000U);
}

BOOST_AUTO_TEST_CASE(superpages_are_asked_for_first) {
  BOOST_TEST(populate_video_memory(7, kHome, kBytes).has_value());
  BOOST_TEST(fake().called("memory_op(6 7 9 8 987136)"));
  BOOST_TEST(fake().count("memory_op") == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_not_to_be_had_in_superpages_comes_in_pages) {
  fake().populated[9] = 3;
  BOOST_TEST(populate_video_memory(7, kHome, kBytes).has_value());
  BOOST_TEST(fake().called("memory_op(6 7 0 2560 988672)"));
}

BOOST_AUTO_TEST_CASE(too_little_memory_is_told_with_what_to_look_at) {
  fake().populated = {{9, 0}, {0, 100}};
  const auto none = populate_video_memory(7, kHome, kBytes);
  BOOST_TEST_REQUIRE(none.has_error());
  BOOST_TEST(none.error().message.find("16 MiB") != std::string::npos);
  BOOST_TEST(none.error().message.find("100 of 4096 pages") != std::string::npos);
  BOOST_TEST(none.error().message.find("videoram") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_process_that_may_not_says_what_to_write_instead) {
  fake().errors["memory_op"] = EPERM;
  const auto none = populate_video_memory(7, kHome, kBytes);
  BOOST_TEST_REQUIRE(none.has_error());
  BOOST_TEST(none.error().message.find("vga=\"none\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(it_is_mapped_once_and_cached_as_write_back) {
  {
    const auto video = open();
    BOOST_TEST(video->bytes().size() == kBytes);
    video->bytes().back() = std::byte{1};
    BOOST_TEST(fake().called("foreignmemory_map(7 3 4096 987136 991231)"));
    BOOST_TEST(fake().called("pin_memory_cacheattr(7 987136 991231 6)"));
  }
  BOOST_TEST(fake().mapped.empty());
}

BOOST_AUTO_TEST_CASE(a_saved_guest_whose_video_memory_is_gone_does_not_go_on) {
  fake().absent[kHome.gfn() + 5] = -EINVAL;
  const auto video = XenVideoMemory::open({*handle, ops, 7}, kHome, kBytes);
  BOOST_TEST_REQUIRE(video.has_error());
  BOOST_TEST(video.error().message.find("1 of 4096 pages") != std::string::npos);
  BOOST_TEST(fake().mapped.empty());
}

BOOST_AUTO_TEST_CASE(a_move_looks_first_and_keeps_the_mapping) {
  const auto video = open();
  std::byte* const mapped = video->bytes().data();
  BOOST_TEST(video->move(kElsewhere));
  BOOST_TEST(video->at().value == kElsewhere.value);
  BOOST_TEST(video->home().value == kHome.value);
  BOOST_TEST((video->bytes().data() == mapped));
  BOOST_TEST(fake().called("foreignmemory_map(7 1 4096 917504 921599)"));
  BOOST_TEST(fake().called("relocate_memory(7 4096 987136 917504)"));
  BOOST_TEST(fake().called("pin_memory_cacheattr(7 987136 991231 4294967295)"));
  BOOST_TEST(fake().called("pin_memory_cacheattr(7 917504 921599 6)"));
  BOOST_TEST(fake().mapped.size() == 1U);
  BOOST_TEST(video->move(kHome));
}

BOOST_AUTO_TEST_CASE(what_the_guest_has_written_is_asked_of_xen_where_the_memory_is_now) {
  const auto video = open();
  std::array<std::uint64_t, 64> bitmap{};
  BOOST_TEST(video->move(kElsewhere));
  fake().written = {kElsewhere.gfn() + 5, kElsewhere.gfn() + 70, kHome.gfn() + 3};
  BOOST_TEST(video->take_dirty(4, 100, bitmap));
  BOOST_TEST(fake().called("track_dirty_vram(7 917508 100)"));
  BOOST_TEST(bitmap[0] == 2U);
  BOOST_TEST(bitmap[1] == 4U);
  fake().errors["track_dirty_vram"] = EBUSY;
  BOOST_TEST(!video->take_dirty(4, 100, bitmap));
}

BOOST_AUTO_TEST_CASE(more_than_there_is_or_than_an_operation_can_say_is_not_asked) {
  const auto video = open();
  std::array<std::uint64_t, 64> bitmap{};
  BOOST_TEST(!video->take_dirty(0, 0, bitmap));
  BOOST_TEST(!video->take_dirty(1, kPages, bitmap));
  BOOST_TEST(!video->take_dirty(kPages + 1, 1, bitmap));
  BOOST_TEST(!video->take_dirty(0, kPages, std::span{bitmap}.first(63)));
  BOOST_TEST(fake().count("track_dirty_vram") == 0U);
}

BOOST_AUTO_TEST_CASE(tracking_ends_once_and_only_if_it_has_begun) {
  const auto video = open();
  video->stop_tracking();
  BOOST_TEST(fake().count("track_dirty_vram") == 0U);
  std::array<std::uint64_t, 64> bitmap{};
  BOOST_TEST(video->take_dirty(0, 10, bitmap));
  video->stop_tracking();
  video->stop_tracking();
  BOOST_TEST(fake().called("track_dirty_vram(7 0 0)"));
  BOOST_TEST(fake().count("track_dirty_vram") == 2U);
}

BOOST_AUTO_TEST_CASE(nothing_is_moved_over_a_page_of_the_guest) {
  const auto video = open();
  fake().absent.erase(kElsewhere.gfn() + 77);
  BOOST_TEST(!video->move(kElsewhere));
  BOOST_TEST(video->at().value == kHome.value);
  BOOST_TEST(fake().count("relocate_memory") == 0U);
  fake().errors["foreignmemory_map"] = ENOMEM;  // nobody knows what is there
  BOOST_TEST(!video->move(kElsewhere));
  BOOST_TEST(fake().count("relocate_memory") == 0U);
}

BOOST_AUTO_TEST_CASE(pages_that_the_guest_has_given_away_are_skipped_a_few_times) {
  const auto video = open();
  fake().absent[kHome.gfn() + 10] = -EINVAL;
  fake().absent[kHome.gfn() + 11] = -EINVAL;
  BOOST_TEST(video->move(kElsewhere));
  BOOST_TEST(!fake().absent.contains(kElsewhere.gfn() + 9));
  BOOST_TEST(!fake().absent.contains(kElsewhere.gfn() + kPages - 1));
  BOOST_TEST(fake().count("relocate_memory") == 3U);
  for (std::uint64_t i = 100; i < kPages; i += 2) {
    fake().absent[kElsewhere.gfn() + i] = -EINVAL;
  }
  const std::size_t before = fake().calls.size();
  BOOST_TEST(video->move(kHome));
  BOOST_TEST(fake().calls.size() - before < 24U);
  video->bytes()[500 * 4096] = std::byte{7};  // it can be touched all the same
}

BOOST_AUTO_TEST_SUITE_END()
