// SPDX-License-Identifier: MIT
// The device model's part of a file that `xl save` wrote.
#include "platform/toolstack/saved_guest/saved_guest.h"

#include "tests/rig/saved_guest_file.h"

#include <boost/test/unit_test.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace {

using dm::rig::SavedGuestFile;
using dm::toolstack::DeviceModelPart;
using dm::toolstack::find_device_model;
using dm::toolstack::SavedFile;
using Bytes = std::vector<std::byte>;

SavedFile file_of(const Bytes& bytes) {
  return {dm::rig::memory_file(bytes), bytes.size()};
}

Bytes blob(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::byte>(i * 7 + 1);
  }
  return bytes;
}

/// What was found; nothing where it was refused.
Bytes found_in(const Bytes& bytes) {
  const SavedFile file = file_of(bytes);
  const auto part = find_device_model(file);
  if (!part) {
    return {};
  }
  Bytes found(part->length);
  BOOST_TEST(file.read(part->offset, found));
  return found;
}

std::string refusal(const Bytes& bytes) {
  const auto part = find_device_model(file_of(bytes));
  return part ? "" : part.error().message;
}

BOOST_AUTO_TEST_SUITE(saved_guest)

BOOST_AUTO_TEST_CASE(the_device_models_bytes_are_found_behind_the_guests_memory) {
  for (const std::size_t size : {0U, 1U, 7U, 8U, 4096U, 28224U}) {
    for (const char* const config : {"", "{}", "{\"name\":\"guest\"}"}) {
      BOOST_TEST((found_in(SavedGuestFile::of(blob(size), config)) == blob(size)));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_stream_without_xls_header_is_understood) {
  SavedGuestFile file;
  file.libxl_header().libxc().emulator(3, blob(50)).record(0);
  BOOST_TEST((found_in(file.bytes) == blob(50)));
}

BOOST_AUTO_TEST_CASE(a_stream_of_xen_4_6_is_understood) {
  SavedGuestFile file;
  file.xl_header("", 2).libxl_header().libxc(1, 2).emulator(3, blob(50)).record(0);
  BOOST_TEST((found_in(file.bytes) == blob(50)));
}

BOOST_AUTO_TEST_CASE(any_other_file_is_the_device_models_own) {
  for (const Bytes& bytes : {Bytes{}, blob(3), blob(500)}) {
    const auto part = find_device_model(file_of(bytes));
    BOOST_TEST_REQUIRE(part.has_value());
    BOOST_TEST(!part->in_stream);
    BOOST_TEST((found_in(bytes) == bytes));
  }
}

BOOST_AUTO_TEST_CASE(a_file_that_is_cut_is_refused_unless_the_device_models_part_is_whole) {
  const Bytes whole = SavedGuestFile::of(blob(100));
  const std::size_t part_end = whole.size() - 8 - 4;  // END, and padding
  for (std::size_t size = 32; size < whole.size(); ++size) {
    const Bytes cut{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)};
    const auto part = find_device_model(file_of(cut));
    BOOST_TEST_REQUIRE(part.has_value() == (size >= part_end), "cut to " << size);
    BOOST_TEST((part ? part->cut_behind : !part.error().message.empty()));
  }
  BOOST_TEST(!find_device_model(file_of(whole)).value().cut_behind);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_searched_is_refused_in_words) {
  const auto says = [](std::string_view words, const std::function<void(SavedGuestFile&)>& make) {
    SavedGuestFile file;
    make(file);
    BOOST_TEST(refusal(file.bytes).find(words) != std::string::npos,
               refusal(file.bytes) << " instead of " << words);
  };
  says("older than Xen 4.6", [](auto& f) { f.xl_header("", 1).libxl_header(); });
  says("no stream of libxl", [](auto& f) { f.xl_header().text("something else, long enough"); });
  says("version 3 and options 0", [](auto& f) { f.xl_header().libxl_header(3); });
  says("version 2 and options 1", [](auto& f) { f.xl_header().libxl_header(2, 1); });
  says("version 4", [](auto& f) { f.xl_header().libxl_header().libxc(1, 4); });
  says("libxc does not begin", [](auto& f) { f.xl_header().libxl_header().record(1).record(0); });
  says("no state of a device model",
       [](auto& f) { f.xl_header().libxl_header().libxc().record(0); });
  says("END record is missing", [](auto& f) { f.xl_header().libxl_header().libxc(); });
  says("record has 8 of its 4 bytes",
       [](auto& f) { f.xl_header().libxl_header().libxc().record(3, blob(4)); });
  says("checkpoints", [](auto& f) {
    f.xl_header().libxl_header().libxc();
    f.bytes.resize(f.bytes.size() - 8);
    f.record(14).record(0);
  });
}

BOOST_AUTO_TEST_CASE(lengths_beyond_the_end_are_refused) {
  SavedGuestFile file;
  file.xl_header().libxl_header().libxc();
  for (const std::uint32_t type : {2U, 3U, 0x80000001U}) {
    SavedGuestFile with = file;
    with.u32(type).u32(0xffffffff).u32(2).u32(0);
    BOOST_TEST(!refusal(with.bytes).empty());
  }
  SavedGuestFile header;
  header.xl_header();
  const std::uint32_t long_config = 0xffffffff;
  std::memcpy(header.bytes.data() + 44, &long_config, sizeof long_config);
  BOOST_TEST(!refusal(header.bytes).empty());
}

BOOST_AUTO_TEST_CASE(a_file_of_many_gigabytes_is_searched_without_reading_them) {
  SavedGuestFile head;
  head.xl_header().libxl_header().libxc(0);
  head.bytes.resize(head.bytes.size() - 8);  // without libxc's END
  SavedGuestFile tail;
  tail.record(0).emulator(3, blob(60)).record(0);
  const dm::host::UniqueFd file = dm::rig::memory_file(head.bytes);
  std::uint64_t at = head.bytes.size();
  for (unsigned i = 0; i < 16; ++i) {  // a hole of 64 GiB
    const std::uint32_t page_data[2]{1, 0xfffffff8};
    BOOST_TEST_REQUIRE(::pwrite(file.get(), page_data, sizeof page_data, static_cast<off_t>(at)) ==
                       ssize_t{sizeof page_data});
    at += 8 + std::uint64_t{0xfffffff8};
  }
  BOOST_TEST_REQUIRE(
      ::pwrite(file.get(), tail.bytes.data(), tail.bytes.size(), static_cast<off_t>(at)) > 0);
  const SavedFile saved{dm::host::duplicate(file.get()), at + tail.bytes.size()};
  const auto part = find_device_model(saved);
  BOOST_TEST_REQUIRE(part.has_value());
  Bytes found(part->length);
  BOOST_TEST(saved.read(part->offset, found));
  BOOST_TEST((found == blob(60)));
}

BOOST_AUTO_TEST_CASE(a_pipe_a_directory_and_what_is_not_there_are_refused_by_name) {
  const auto directory =
      std::filesystem::temp_directory_path() / ("saved-guest-" + std::to_string(::getpid()));
  std::filesystem::create_directory(directory);
  const std::string pipe = directory / "pipe";
  BOOST_TEST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  for (const std::string& path : {pipe, directory.string(), std::string{"/dev/null"}}) {
    const auto file = SavedFile::open(path);
    BOOST_TEST_REQUIRE(file.has_error());
    BOOST_TEST(file.error().message.starts_with(path + " is no regular file"));
  }
  const auto missing = SavedFile::open(directory / "missing");
  BOOST_TEST_REQUIRE(missing.has_error());
  BOOST_TEST(missing.error().message.ends_with("missing: No such file or directory"));
  std::filesystem::remove_all(directory);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
