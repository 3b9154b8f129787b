// SPDX-License-Identifier: MIT
// What a process keeps of root, seen from a process that has given the rest up.
#include "platform/linux/process/privileges.h"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/resource.h>
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

BOOST_AUTO_TEST_CASE(with_its_user_a_process_gives_up_every_capability_for_good) {
  if (not_root()) {
    return;
  }
  BOOST_TEST(in_child([] {
               if (!host::confine({.chroot = "", .run_as = host::user_of_guest(7)})) {
                 return 1;
               }
               for (const char* const set : {"CapPrm", "CapEff", "CapInh", "CapAmb", "CapBnd"}) {
                 if (hexadecimal(line_of_status(set)) != 0) {
                   return 2;
                 }
               }
               if (line_of_status("NoNewPrivs") != "1") {
                 return 3;
               }
               return ::getuid() == 0x70000007 && ::getegid() == 0x70000007 ? 0 : 4;
             }) == 0);
  BOOST_TEST(host::user_of_guest(7) != host::user_of_guest(8));
}

BOOST_AUTO_TEST_CASE(an_empty_root_has_nothing_in_it_and_takes_nothing) {
  if (not_root()) {
    return;
  }
  BOOST_TEST(in_child([] {
               if (!host::enter_empty_root()) {
                 return 1;
               }
               if (::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) < 0) {
                 return 2;
               }
               if (::access("/etc", F_OK) == 0 || ::access("/proc", F_OK) == 0 ||
                   ::access("..//etc", F_OK) == 0) {
                 return 3;
               }
               // Not even root makes anything in a directory that is nowhere.
               return ::mkdir("/x", 0700) != 0 &&
                              ::open("/x", O_CREAT | O_RDWR | O_CLOEXEC, 0600) < 0 &&
                              errno == ENOENT
                          ? 0
                          : 4;
             }) == 0);
}

BOOST_AUTO_TEST_CASE(no_directory_is_left_behind) {
  if (not_root()) {
    return;
  }
  const auto left = [] {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator{"/run"}) {
      count += entry.path().filename().string().starts_with("stubdm-") ? 1 : 0;
    }
    return count;
  };
  const int before = left();
  BOOST_TEST(in_child([] { return host::enter_empty_root() ? 0 : 1; }) == 0);
  BOOST_TEST(left() == before);
}

BOOST_AUTO_TEST_CASE(a_network_of_its_own_has_no_interface_that_is_up) {
  if (not_root()) {
    return;
  }
  const int status = in_child([] {
    if (!host::leave_networks()) {
      return 77;
    }
    std::ifstream routes{"/proc/self/net/route"};
    std::string heading;
    std::string row;
    std::getline(routes, heading);
    return std::getline(routes, row) ? 1 : 0;
  });
  BOOST_TEST((status == 0 || status == 77), status);
}

BOOST_AUTO_TEST_CASE(what_it_may_take_is_limited_for_good) {
  BOOST_TEST(in_child([] {
               if (!host::limit_resources()) {
                 return 1;
               }
               rlimit is{};
               for (const auto resource : {RLIMIT_CORE, RLIMIT_MSGQUEUE}) {
                 if (::getrlimit(resource, &is) != 0 || is.rlim_max != 0) {
                   return 2;
                 }
               }
               return ::getrlimit(RLIMIT_DATA, &is) == 0 && is.rlim_max == (rlim_t{256} << 20) &&
                              ::getrlimit(RLIMIT_NOFILE, &is) == 0 && is.rlim_max == is.rlim_cur
                          ? 0
                          : 3;
             }) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
