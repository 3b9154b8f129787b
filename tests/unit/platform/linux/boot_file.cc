// SPDX-License-Identifier: MIT
// Files that a guest is started from, on a real file system.
#include "platform/linux/image/boot_file.h"

#include "core/obs/log.h"
#include "tests/rig/open_descriptors.h"

#include <boost/test/unit_test.hpp>

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace dm::host::test {
namespace {

int told = 0;

struct Files {
  Files() {
    BOOST_TEST_REQUIRE(::mkdtemp(directory.data()) != nullptr);
    path = directory + "/vmlinuz";
    std::ofstream{path} << std::string(10'000, 'k');
    told = 0;
    log::set_sink([](log::Level, std::string_view) noexcept { ++told; });
  }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;
  ~Files() {
    log::set_sink(nullptr);
    std::filesystem::remove_all(directory);
  }
  std::string directory = "/tmp/stubdm-boot-XXXXXX";
  std::string path;
};

bool refused(const std::string& path, std::string_view word) {
  const auto opened = HostBootFile::open("kernel", path);
  return !opened && opened.error().message.find(word) != std::string::npos &&
         opened.error().message.find(path) != std::string::npos;
}

BOOST_AUTO_TEST_SUITE(boot_file)

BOOST_FIXTURE_TEST_CASE(a_file_is_read_at_any_place, Files) {
  auto file = HostBootFile::open("kernel", path);
  BOOST_TEST_REQUIRE(file.has_value());
  BOOST_TEST((*file)->size() == 10'000U);
  std::vector<std::byte> bytes(700);
  BOOST_TEST((*file)->read(9300, bytes));
  BOOST_TEST((bytes == std::vector<std::byte>(700, std::byte{'k'})));
  BOOST_TEST(!(*file)->read(9301, bytes));
}

BOOST_AUTO_TEST_CASE(what_is_no_regular_file_is_no_kernel) {
  const std::size_t before = rig::open_descriptors();
  std::string directory = "/tmp/stubdm-boot-XXXXXX";
  BOOST_TEST_REQUIRE(::mkdtemp(directory.data()) != nullptr);
  const std::string pipe = directory + "/pipe";
  BOOST_TEST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  BOOST_TEST(refused(directory, "no regular file"));
  BOOST_TEST(refused(pipe, "no regular file"));  // and nobody waits for its writer
  BOOST_TEST(refused("/dev/zero", "no regular file"));
  BOOST_TEST(refused(directory + "/absent", "cannot open"));
  const std::string huge = directory + "/huge";
  { const std::ofstream make{huge}; }
  std::filesystem::resize_file(huge, std::uintmax_t{1} << 32U);
  BOOST_TEST(refused(huge, "4 GiB"));
  std::filesystem::remove_all(directory);
  BOOST_TEST(rig::open_descriptors() == before);
}

BOOST_FIXTURE_TEST_CASE(a_file_that_has_become_shorter_is_told_once, Files) {
  auto file = HostBootFile::open("kernel", path);
  BOOST_TEST_REQUIRE(file.has_value());
  std::filesystem::resize_file(path, 5000);
  std::vector<std::byte> bytes(4096);
  BOOST_TEST((*file)->read(0, bytes));
  BOOST_TEST(told == 0);
  BOOST_TEST(!(*file)->read(4096, bytes));
  BOOST_TEST(!(*file)->read(8192, std::span{bytes}.first(100)));
  BOOST_TEST(told == 1);
  BOOST_TEST((*file)->size() == 10'000U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::host::test
