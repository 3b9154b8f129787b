// SPDX-License-Identifier: MIT
#pragma once

#include "platform/xen/dm_ops.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace dm::test {

/// What stands in for the hypervisor: every call of a Xen library function ends up here as a line
/// of text, and answers success unless told otherwise.
struct FakeXen {
  std::vector<std::string> calls;
  std::map<std::string, int> errors;  ///< function without its library's prefix -> errno
  ioservid_t server_id = 3;
  unsigned nr_vcpus = 2;
  alignas(4096) std::array<std::byte, 4096> slots{};
  /// Fills vp_eport of that many slots with 100 + vCPU when a server is enabled.
  unsigned ports_given = 2;
  int evtchn_fd = -1;
  std::map<std::uint64_t, int> absent;  ///< gfn -> error for foreign mappings
  std::vector<std::byte*> mapped;
  std::set<std::uint64_t> written;          ///< gfn: what track_dirty_vram finds
  std::vector<xen::DmOps::Extent> extents;  ///< of the last modified_memory_bulk
  std::array<std::uint64_t, 2> hvm_param{};
  std::uint32_t next_grant = 1000;
  /// Extents that XENMEM_populate_physmap gives, by order; of others all that were asked for.
  std::map<unsigned, int> populated;

  [[nodiscard]] int result(const std::string& function, const std::string& arguments = "");
  [[nodiscard]] bool called(const std::string& line) const;
  [[nodiscard]] std::size_t count(const std::string& function) const;
};

FakeXen& fake();
/// A new fake for each test.
struct FreshFake {
  FreshFake();
};

}  // namespace dm::test
