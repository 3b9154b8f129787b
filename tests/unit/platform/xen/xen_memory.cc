// SPDX-License-Identifier: MIT
#include "platform/xen/xen_memory.h"

#include "core/mem/guest_memory.h"
#include "platform/xen/dm_ops_library.h"
#include "tests/unit/platform/xen/fake_xen.h"

#include <boost/test/unit_test.hpp>

#include <cerrno>

using namespace dm;
using namespace dm::xen;
using dm::test::fake;

namespace {

struct Rig : dm::test::FreshFake {
  LibraryDmOps ops{DeviceModelHandle{xendevicemodel_open(nullptr, 0)}, 7};
  ForeignMemoryHandle handle{xenforeignmemory_open(nullptr, 0)};
  XenMemory memory{*handle, ops, 7};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(xen_memory, Rig)

BOOST_AUTO_TEST_CASE(a_window_is_512_frames_mapped_writable) {
  WindowPages present;
  std::byte* const window = memory.map(3, present);
  BOOST_REQUIRE(window != nullptr);
  BOOST_TEST(fake().called("foreignmemory_map(7 3 512 1536 2047)"));
  BOOST_TEST(present.all());
  memory.unmap(window);
  BOOST_TEST(fake().called("foreignmemory_unmap(512)"));
  BOOST_TEST(fake().mapped.empty());
}

BOOST_AUTO_TEST_CASE(a_frame_with_any_error_is_absent_whatever_its_sign) {
  fake().absent[5] = -EINVAL;
  fake().absent[6] = EINVAL;
  WindowPages present;
  std::byte* const window = memory.map(0, present);
  BOOST_REQUIRE(window != nullptr);
  BOOST_TEST(!present[5]);
  BOOST_TEST(!present[6]);
  BOOST_TEST(present.count() == 510U);
  memory.unmap(window);
}

BOOST_AUTO_TEST_CASE(a_window_that_is_all_hole_is_given_back_at_once) {
  for (std::uint64_t gfn = 512; gfn < 1024; ++gfn) {
    fake().absent[gfn] = -EINVAL;
  }
  WindowPages present;
  BOOST_TEST(memory.map(1, present) == nullptr);
  BOOST_TEST(fake().count("foreignmemory_unmap") == 1U);
  BOOST_TEST(fake().mapped.empty());
}

BOOST_AUTO_TEST_CASE(a_refused_mapping_is_null) {
  fake().errors["foreignmemory_map"] = ENOMEM;
  WindowPages present;
  BOOST_TEST(memory.map(1, present) == nullptr);
}

BOOST_AUTO_TEST_CASE(guest_memory_reads_around_holes) {
  fake().absent[1] = -EINVAL;
  GuestMemory guest{memory};
  std::uint32_t value = 0;
  BOOST_TEST(guest.write(Gpa{0xff0}, std::uint32_t{0x12345678}));
  BOOST_TEST(guest.read(Gpa{0xff0}, value));
  BOOST_TEST(value == 0x12345678U);
  BOOST_TEST(!guest.read(Gpa{0xffe}, value));  // its second half is in the hole
  BOOST_TEST(!guest.read(Gpa{0x1000}, value));
}

BOOST_AUTO_TEST_CASE(dirty_pages_are_collected_and_told_by_one_call) {
  memory.written(10, 1);
  memory.written(11, 2);  // continues
  memory.written(12, 1);  // told already
  memory.written(50, 1);
  BOOST_TEST(fake().count("modified_memory_bulk") == 0U);
  memory.flush();
  BOOST_TEST(fake().called("modified_memory_bulk(7 2)"));
  BOOST_REQUIRE(fake().extents.size() == 2U);
  BOOST_TEST(fake().extents[0].first_pfn == 10U);
  BOOST_TEST(fake().extents[0].nr == 3U);
  BOOST_TEST(fake().extents[1].first_pfn == 50U);
  memory.flush();
  BOOST_TEST(fake().count("modified_memory_bulk") == 1U);
}

BOOST_AUTO_TEST_CASE(the_257th_extent_tells_the_256_before_it) {
  for (std::uint64_t i = 0; i < 257; ++i) {
    memory.written(i * 2, 1);
  }
  BOOST_TEST(fake().called("modified_memory_bulk(7 256)"));
  memory.flush();
  BOOST_TEST(fake().called("modified_memory_bulk(7 1)"));
  BOOST_TEST(fake().extents[0].first_pfn == 512U);
}

BOOST_AUTO_TEST_CASE(after_a_refused_batch_every_extent_is_told_by_itself) {
  fake().errors["modified_memory_bulk"] = EINVAL;
  memory.written(10, 1);
  memory.written(20, 4);
  memory.flush();
  BOOST_TEST(fake().called("modified_memory(7 10 1)"));
  BOOST_TEST(fake().called("modified_memory(7 20 4)"));
  BOOST_TEST(fake().count("modified_memory") == 2U);
}

BOOST_AUTO_TEST_CASE(an_extent_with_the_guests_very_last_frame_is_told_without_it) {
  fake().errors["modified_memory_bulk"] = EINVAL;
  fake().errors["modified_memory"] = EINVAL;
  memory.written(20, 4);
  memory.flush();
  BOOST_TEST(fake().called("modified_memory(7 20 3)"));
}

BOOST_AUTO_TEST_CASE(a_count_beyond_32_bits_is_told_in_pieces) {
  memory.written(0, std::uint64_t{1} << 33);
  memory.flush();
  std::uint64_t pages = 0;
  for (const auto& extent : fake().extents) {
    pages += extent.nr;
  }
  BOOST_TEST(pages == std::uint64_t{1} << 33);
}

BOOST_AUTO_TEST_SUITE_END()
