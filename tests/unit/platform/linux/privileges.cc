// SPDX-License-Identifier: MIT
// What a process keeps of root, seen from a process that has given the rest up.
#include "platform/linux/process/privileges.h"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace dm::test {
namespace {

/// In a process of its own; its exit status.
template <class Work>
int in_child(Work work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(work());
  }
  int status = 0;
  BOOST_TEST_REQUIRE(::waitpid(child, &status, 0) == child);
  BOOST_TEST_REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

bool not_root() {
  if (::geteuid() != 0) {
    std::fputs("NOT RUN: these tests give up what only root has\n", stderr);
    return true;
  }
  return false;
}

std::string line_of_status(const std::string& name) {
  std::ifstream file{"/proc/self/status"};
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(name, 0) == 0) {
      return line.substr(line.find_last_of("\t ") + 1);
    }
  }
  return {};
}

// The numbers of linux/capability.h: DAC_OVERRIDE 1, DAC_READ_SEARCH 2, FOWNER 3, IPC_LOCK 14,
// SYS_RESOURCE 24.
constexpr unsigned long kKept = 0x0100400e;

unsigned long hexadecimal(const std::string& text) {
  return std::strtoul(text.c_str(), nullptr, 16);
}

BOOST_AUTO_TEST_SUITE(privileges)

BOOST_AUTO_TEST_CASE(of_root_only_the_rights_over_files_memory_and_limits_stay) {
  if (not_root()) {
    return;
  }
  const unsigned long before = hexadecimal(line_of_status("CapPrm"));
  BOOST_TEST(in_child([before] {
               if (!host::keep_file_rights()) {
                 return 1;
               }
               for (const char* const set : {"CapPrm", "CapEff"}) {
                 if (hexadecimal(line_of_status(set)) != (before & kKept)) {
                   return 2;
                 }
               }
               if ((hexadecimal(line_of_status("CapBnd")) & ~kKept) != 0 ||
                   line_of_status("NoNewPrivs") != "1") {
                 return 3;
               }
               return ::chroot("/") != 0 && errno == EPERM ? 0 : 4;
             }) == 0);
}

BOOST_AUTO_TEST_CASE(what_is_started_later_has_no_more) {
  if (not_root()) {
    return;
  }
  BOOST_TEST(in_child([] {
               if (!host::keep_file_rights()) {
                 return 1;
               }
               return std::system(
                   "test $((0x$(sed -n 's/^CapEff:.//p' /proc/self/status) & ~0x0100400e)) = 0");
             }) == 0);
}

BOOST_AUTO_TEST_CASE(images_of_other_users_can_still_be_opened) {
  if (not_root()) {
    return;
  }
  std::string name = std::filesystem::temp_directory_path() / "dm-rights-XXXXXX";
  const int fd = ::mkstemp(name.data());
  BOOST_TEST_REQUIRE(fd >= 0);
  BOOST_TEST_REQUIRE(::fchown(fd, 12345, 12345) == 0);
  BOOST_TEST_REQUIRE(::fchmod(fd, 0600) == 0);
  ::close(fd);
  BOOST_TEST(in_child([&name] {
               return host::keep_file_rights() && ::open(name.c_str(), O_RDWR | O_CLOEXEC) >= 0 ? 0
                                                                                                : 1;
             }) == 0);
  ::unlink(name.c_str());
}

BOOST_AUTO_TEST_CASE(who_has_nothing_to_give_up_is_not_refused) {
  if (not_root()) {
    return;
  }
  BOOST_TEST(in_child([] {
               return host::confine({.chroot = "", .run_as = "65534:65534"}) &&
                              host::keep_file_rights() && hexadecimal(line_of_status("CapPrm")) == 0
                          ? 0
                          : 1;
             }) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
