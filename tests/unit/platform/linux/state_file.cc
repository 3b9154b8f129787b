// SPDX-License-Identifier: MIT
// Console 1 of a stub domain: libxl sends the file that it fills as the state of the devices.
#include "platform/linux/chardev/state_file.h"

#include "tests/unit/platform/linux/char_fixture.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <random>

namespace dm::test {
namespace {

using host::StateFile;

struct StateFileRig {
  StateFileRig() { open(); }
  void open(std::uint64_t budget = 0) {
    auto opened = StateFile::open("file:" + path, {.file_bytes = budget});
    BOOST_TEST_REQUIRE(opened.has_value());
    file = std::move(*opened);
  }
  /// A state as ioreq/machine writes it, as far as a reader of headers can tell.
  static std::string state(char content, std::size_t size = 5000) {
    std::string text(size, content);
    const std::uint32_t words[]{3, static_cast<std::uint32_t>(size), 0, 1};
    std::memcpy(text.data(), "stubdm-s", 8);
    std::memcpy(text.data() + 8, words, sizeof words);
    return text;
  }
  void print(const std::string& text) { BOOST_TEST(file->write(bytes(text)) == text.size()); }
  [[nodiscard]] bool is_there() const { return std::filesystem::exists(path); }

  TempDir dir;
  std::string path = dir.file("qemu-save.7");
  std::unique_ptr<Chardev> file;
};

BOOST_FIXTURE_TEST_SUITE(state_file, StateFileRig)

BOOST_AUTO_TEST_CASE(libxls_name_for_it_is_known) {
  BOOST_TEST(StateFile::is_one("file:/var/lib/xen/qemu-save.12"));
  BOOST_TEST(!StateFile::is_one("file:/var/log/xen/qemu-dm-guest.log"));
  BOOST_TEST(!StateFile::is_one("pipe:/var/lib/xen/qemu-save.12"));
  BOOST_TEST(!StateFile::is_one("file:qemu-save.12"));
  BOOST_TEST(!StateFile::is_one("pty"));
}

BOOST_AUTO_TEST_CASE(it_is_empty_at_the_start_and_for_root_alone) {
  print(state('a'));
  open();
  BOOST_TEST(contents(path).empty());
  struct stat is {};
  BOOST_TEST_REQUIRE(::stat(path.c_str(), &is) == 0);
  BOOST_TEST((is.st_mode & 0777U) == 0600U);
}

BOOST_AUTO_TEST_CASE(each_state_begins_the_file_anew_however_it_is_cut) {
  std::mt19937 random{7};
  for (unsigned round = 0; round < 50; ++round) {
    const std::string last = state('b', 4000 + random() % 100);
    std::string all = state('a') + last;
    while (!all.empty()) {
      const std::size_t piece = std::min<std::size_t>(all.size(), 1 + random() % 600);
      print(all.substr(0, piece));
      all.erase(0, piece);
    }
    BOOST_TEST((contents(path) == last));
  }
}

BOOST_AUTO_TEST_CASE(the_file_has_it_all_when_write_returns) {
  const std::string one = state('a');
  print(one.substr(0, 3000));
  BOOST_TEST(contents(path).size() == 3000U);
  print(one.substr(3000));
  BOOST_TEST((contents(path) == one));
}

/// libxl removes it when a save has failed.
BOOST_AUTO_TEST_CASE(a_file_that_was_removed_is_made_again_for_the_next_state) {
  print(state('a'));
  std::filesystem::remove(path);
  const std::string next = state('b');
  print(next);
  BOOST_TEST((contents(path) == next));
}

BOOST_AUTO_TEST_CASE(a_link_in_its_place_is_not_followed) {
  print(state('a'));
  std::filesystem::remove(path);
  const std::string other = dir.image("other", 100);
  std::filesystem::create_symlink(other, path);
  const std::string before = contents(other);
  print(state('b'));
  BOOST_TEST(contents(other) == before);
  BOOST_TEST(!is_there());  // xl save fails, and the guest goes on
}

BOOST_AUTO_TEST_CASE(a_full_disk_leaves_no_part_of_a_state_and_the_next_one_is_whole) {
  ::rlimit before{};
  BOOST_TEST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const ::rlimit small{.rlim_cur = 1000, .rlim_max = before.rlim_max};
  const auto ignored = ::signal(SIGXFSZ, SIG_IGN);
  BOOST_TEST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  print(state('a'));
  BOOST_TEST(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  ::signal(SIGXFSZ, ignored);
  BOOST_TEST(!is_there());
  BOOST_TEST(file->counters().dropped != 0U);
  const std::string next = state('b');
  print(next);
  BOOST_TEST((contents(path) == next));
}

/// A stub domain with QEMU, whose states begin with "QEVM".
BOOST_AUTO_TEST_CASE(what_is_no_state_of_ours_is_added_up_to_the_budget) {
  open(10'000);
  const std::string foreign = "QEVM" + std::string(5996, 'q');
  print(foreign);
  print(foreign);
  BOOST_TEST((contents(path) == (foreign + foreign).substr(0, 10'000)));
  BOOST_TEST(file->counters().dropped == 2000U);
}

BOOST_AUTO_TEST_CASE(a_hostile_stub_domain_cannot_make_it_open_files_without_end) {
  const std::string tiny = state('x', 24);
  print(tiny + tiny + tiny);  // none is a state: what is through a console has padding
  BOOST_TEST((contents(path) == tiny + tiny + tiny));
}

BOOST_AUTO_TEST_CASE(a_directory_that_is_missing_is_an_error_that_says_what_is_lost) {
  const auto opened = StateFile::open("file:" + dir.file("none/qemu-save.7"), {});
  BOOST_TEST_REQUIRE(opened.has_error());
  BOOST_TEST(opened.error().message.find("could not be saved") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
