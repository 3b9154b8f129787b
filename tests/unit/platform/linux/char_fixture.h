// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/chardev/chardev.h"
#include "tests/unit/platform/linux/support.h"

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <memory>
#include <string>

namespace dm::test {

using host::Chardev;
using host::UniqueFd;

struct CharFixture {
  host::Loop loop;
  TempDir dir;

  std::unique_ptr<Chardev> open(std::string_view spec) {
    auto opened = host::open_chardev(loop, spec);
    BOOST_REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
    return std::move(*opened);
  }
  std::string error_of(std::string_view spec) {
    auto opened = host::open_chardev(loop, spec);
    BOOST_REQUIRE_MESSAGE(!opened.has_value(), spec << " was accepted");
    return opened.error().message;
  }
  /// Reads from a peer until `size` bytes have come or time is over.
  std::string receive(int fd, std::size_t size) {
    std::string got;
    run_until(loop, [&] {
      got += read_all(fd);
      return got.size() >= size;
    });
    return got;
  }
};

inline std::string every_byte() {
  std::string all(256, '\0');
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = static_cast<char>(i);
  }
  return all;
}

inline std::string numbered(std::size_t size) {
  std::string text;
  for (unsigned i = 0; text.size() < size; ++i) {
    text += std::to_string(i) + "\n";
  }
  text.resize(size);
  return text;
}

inline void say(int fd, std::string_view text) {
  BOOST_REQUIRE_EQUAL(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

}  // namespace dm::test
