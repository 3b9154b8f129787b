// SPDX-License-Identifier: MIT
#pragma once

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <span>

namespace dm::rig {

/// For BOOST_TEST: byte by byte; says where the first difference is.
[[nodiscard]] inline boost::test_tools::assertion_result same(std::span<const std::byte> a,
                                                              std::span<const std::byte> b) {
  boost::test_tools::assertion_result result{true};
  if (a.size() != b.size()) {
    result = false;
    result.message() << "sizes " << a.size() << " and " << b.size();
    return result;
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) {
      result = false;
      result.message() << "byte " << i << " is " << std::to_integer<int>(a[i]) << ", not "
                       << std::to_integer<int>(b[i]);
      break;
    }
  }
  return result;
}

}  // namespace dm::rig
