// SPDX-License-Identifier: MIT
// What a stub domain's first process does with its devices, on those of this host.
#include "core/obs/log.h"
#include "platform/linux/net/frontends.h"
#include "platform/linux/process/first_process.h"
#include "tests/unit/platform/linux/support.h"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace dm::test {
namespace {

using Mac = std::array<std::uint8_t, 6>;

BOOST_AUTO_TEST_SUITE(stub_domain_end)

const char* left_behind = nullptr;

BOOST_AUTO_TEST_CASE(what_the_last_process_tries_is_waited_for) {
  const std::string path = std::filesystem::temp_directory_path() / "dm-try-XXXXXX";
  std::string name = path;
  const host::UniqueFd file{::mkstemp(name.data())};
  left_behind = name.c_str();
  host::try_for(std::chrono::seconds{10}, [] {
    static_cast<void>(::poll(nullptr, 0, 50));
    ::unlink(left_behind);
  });
  BOOST_TEST(!std::filesystem::exists(name));
}

BOOST_AUTO_TEST_CASE(what_hangs_does_not_keep_the_last_process) {
  const auto start = std::chrono::steady_clock::now();
  host::try_for(std::chrono::milliseconds{100}, [] {
    for (;;) {
      ::pause();
    }
  });
  const auto took = std::chrono::steady_clock::now() - start;
  BOOST_TEST((took >= std::chrono::milliseconds{100}));
  BOOST_TEST((took < std::chrono::seconds{10}));
}

BOOST_AUTO_TEST_SUITE_END()

[[nodiscard]] host::Deadline in(int milliseconds) {
  return std::chrono::steady_clock::now() + std::chrono::milliseconds{milliseconds};
}

/// Consoles that are ptys, below a directory that plays /dev.
struct Consoles {
  Consoles() {
    std::string name = std::filesystem::temp_directory_path() / "dm-hvc-XXXXXX";
    BOOST_TEST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    directory = name;
  }
  Consoles(const Consoles&) = delete;
  Consoles& operator=(const Consoles&) = delete;
  ~Consoles() { std::filesystem::remove_all(directory); }

  /// The other end of a new console.
  host::UniqueFd add(unsigned number) {
    host::UniqueFd master{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
    BOOST_TEST_REQUIRE(::unlockpt(master.get()) == 0);
    std::filesystem::create_symlink(::ptsname(master.get()),
                                    directory / ("hvc" + std::to_string(number)));
    return master;
  }
  [[nodiscard]] termios mode_of(unsigned number) const {
    const host::UniqueFd tty{::open((directory / ("hvc" + std::to_string(number))).c_str(),
                                    O_RDWR | O_NOCTTY | O_CLOEXEC)};
    termios mode{};
    BOOST_TEST_REQUIRE(::tcgetattr(tty.get(), &mode) == 0);
    return mode;
  }

  std::filesystem::path directory;
};

/// A network name space of its own with taps in it.
struct Interfaces {
  Interfaces() {
    before_ = host::UniqueFd{::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)};
    there = before_ && ::unshare(CLONE_NEWNET) == 0;
    if (!there) {
      BOOST_TEST_MESSAGE("NOT RUN: no right to make a network name space");
    }
  }
  Interfaces(const Interfaces&) = delete;
  Interfaces& operator=(const Interfaces&) = delete;
  ~Interfaces() {
    if (there) {
      (void)::setns(before_.get(), CLONE_NEWNET);
    }
  }

  void add(const char* name, const Mac& mac) {
    host::UniqueFd tap{::open("/dev/net/tun", O_RDWR | O_CLOEXEC)};
    ifreq request = named(name);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (!tap || ::ioctl(tap.get(), TUNSETIFF, &request) != 0) {
      BOOST_TEST_MESSAGE("NOT RUN: taps cannot be made here");
      there_is_tun = false;
      return;
    }
    request.ifr_hwaddr.sa_family = 1;  // ARPHRD_ETHER
    std::copy(mac.begin(), mac.end(), std::begin(request.ifr_hwaddr.sa_data));
    BOOST_TEST_REQUIRE(::ioctl(tap.get(), SIOCSIFHWADDR, &request) == 0);
    taps_.push_back(std::move(tap));
  }
  [[nodiscard]] static int flags_of(const std::string& name) {
    const host::UniqueFd socket{::socket(AF_INET, SOCK_DGRAM, 0)};
    ifreq request = named(name.c_str());
    BOOST_TEST_REQUIRE(::ioctl(socket.get(), SIOCGIFFLAGS, &request) == 0);
    return request.ifr_flags;
  }

  bool there = false;
  bool there_is_tun = true;

 private:
  [[nodiscard]] static ifreq named(const char* name) {
    ifreq request{};
    std::string{name}.copy(std::begin(request.ifr_name), IFNAMSIZ - 1);
    return request;
  }

  host::UniqueFd before_;
  std::vector<host::UniqueFd> taps_;
};

/// A directory that plays /modules, and a kernel that answers as the test wants.
struct Modules {
  Modules() {
    std::string name = std::filesystem::temp_directory_path() / "dm-modules-XXXXXX";
    BOOST_TEST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    directory = name;
    inserted.clear();
    answer = 0;
  }
  Modules(const Modules&) = delete;
  Modules& operator=(const Modules&) = delete;
  ~Modules() { std::filesystem::remove_all(directory); }

  void write(const char* file, const std::string& contents) const {
    std::ofstream{directory / file, std::ios::binary} << contents;
  }
  [[nodiscard]] Result<std::size_t> load() const { return host::load_modules(directory, insert); }

  std::filesystem::path directory;
  static inline std::vector<std::string> inserted;  ///< "contents|parameters"
  static inline int answer = 0;                     ///< errno

 private:
  static int insert(int file, const char* parameters) {
    std::array<char, 64> contents{};
    BOOST_TEST_REQUIRE(::read(file, contents.data(), contents.size() - 1) >= 0);
    inserted.push_back(std::string{contents.data()} + "|" + parameters);
    errno = answer;
    return answer == 0 ? 0 : -1;
  }
};

constexpr Mac kFirst{0x00, 0x16, 0x3e, 0x00, 0x00, 0x0a};
constexpr Mac kOther{0x00, 0x16, 0x3e, 0xff, 0x80, 0x0b};

BOOST_AUTO_TEST_SUITE(stub_domain)

BOOST_FIXTURE_TEST_CASE(consoles_beside_the_first_are_raw_as_long_as_they_are_held, Consoles) {
  const auto zero = add(0);
  const auto one = add(1);
  const auto three = add(3);
  {
    const auto held = host::RawConsoles::open(directory);
    BOOST_TEST(held.size() == 2U);
    for (const unsigned number : {1U, 3U}) {
      const termios mode = mode_of(number);
      BOOST_TEST((mode.c_lflag & (ECHO | ICANON | ISIG)) == 0U);
      BOOST_TEST((mode.c_oflag & OPOST) == 0U);
      BOOST_TEST((mode.c_iflag & (ICRNL | IXON)) == 0U);
    }
    BOOST_TEST((mode_of(0).c_lflag & ICANON) != 0U);  // the log's own stays as it is
  }
}

BOOST_FIXTURE_TEST_CASE(every_byte_passes_a_raw_console_unchanged, Consoles) {
  const auto three = add(3);
  const auto held = host::RawConsoles::open(directory);
  std::string bytes;
  for (int c = 0; c < 256; ++c) {
    bytes.push_back(static_cast<char>(c));
  }
  BOOST_TEST_REQUIRE(::write(three.get(), bytes.data(), bytes.size()) == 256);
  const host::UniqueFd tty{::open((directory / "hvc3").c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC)};
  std::array<char, 300> got{};
  const ssize_t size = ::read(tty.get(), got.data(), got.size());
  BOOST_TEST_REQUIRE(size == 256);
  BOOST_TEST((std::string{got.data(), 256} == bytes));
}

BOOST_AUTO_TEST_CASE(a_missing_disk_is_told_when_the_time_is_over) {
  const auto began = std::chrono::steady_clock::now();
  const auto result = host::await_disk("/dev/there-is-no-xvda", in(50));
  BOOST_TEST((std::chrono::steady_clock::now() - began >= std::chrono::milliseconds{45}));
  BOOST_TEST_REQUIRE(!result.has_value());
  BOOST_TEST(result.error().message.find("/dev/there-is-no-xvda") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_no_disk_is_not_taken_for_one) {
  BOOST_TEST(!host::await_disk("/dev/null", in(0)).has_value());
}

BOOST_FIXTURE_TEST_CASE(a_card_is_found_by_its_address, Interfaces) {
  if (!there) {
    return;
  }
  add("eth1", kFirst);
  add("eth0", kOther);
  if (!there_is_tun) {
    return;
  }
  const auto found = host::await_interface(kFirst, 0, in(0));
  BOOST_TEST_REQUIRE(found.has_value());
  BOOST_TEST(*found == "eth1");
  BOOST_TEST(host::await_interface(kOther, 0, in(0)).value() == "eth0");
}

BOOST_FIXTURE_TEST_CASE(two_cards_with_one_address_are_told_apart_by_their_order, Interfaces) {
  if (!there) {
    return;
  }
  add("zz0", kFirst);
  add("aa1", kFirst);
  if (!there_is_tun) {
    return;
  }
  BOOST_TEST(host::await_interface(kFirst, 0, in(0)).value() == "zz0");
  BOOST_TEST(host::await_interface(kFirst, 1, in(0)).value() == "aa1");
  BOOST_TEST(!host::await_interface(kFirst, 2, in(0)).has_value());
}

BOOST_FIXTURE_TEST_CASE(a_card_that_does_not_come_is_named, Interfaces) {
  if (!there) {
    return;
  }
  const auto result = host::await_interface(kOther, 0, in(20));
  BOOST_TEST_REQUIRE(!result.has_value());
  BOOST_TEST(result.error().message.find("00:16:3e:ff:80:0b") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(an_interface_comes_up_without_arp, Interfaces) {
  if (!there) {
    return;
  }
  add("eth0", kFirst);
  if (!there_is_tun) {
    return;
  }
  BOOST_TEST(host::bring_up("eth0").has_value());
  BOOST_TEST((Interfaces::flags_of("eth0") & IFF_UP) != 0);
  BOOST_TEST((Interfaces::flags_of("eth0") & IFF_NOARP) != 0);
  BOOST_TEST(!host::bring_up("eth7").has_value());
}

BOOST_FIXTURE_TEST_CASE(modules_are_loaded_in_the_order_of_the_list_with_their_parameters,
                        Modules) {
  write("b.ko", "second");
  write("a.ko", "first");
  write("list", "a.ko feature_persistent=0 max_queues=1\nb.ko\n");
  BOOST_TEST(load().value() == 2U);
  const std::vector<std::string> wanted{"first|feature_persistent=0 max_queues=1", "second|"};
  BOOST_TEST(inserted == wanted, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(without_a_list_nothing_is_loaded, Modules) {
  write("a.ko", "first");
  BOOST_TEST(load().value() == 0U);
  BOOST_TEST(host::load_modules(directory / "not-there").value() == 0U);
  BOOST_TEST(inserted.empty());
}

BOOST_FIXTURE_TEST_CASE(empty_lines_comments_and_a_missing_last_newline_are_no_modules, Modules) {
  write("a.ko", "first");
  write("list", "\n\n# a.ko\n#\na.ko  x=1\n\n\na.ko");
  BOOST_TEST(load().value() == 2U);
  const std::vector<std::string> wanted{"first|x=1", "first|"};
  BOOST_TEST(inserted == wanted, boost::test_tools::per_element());
  write("list", "#\n\nx/y\n");
  BOOST_TEST(load().error().message.find("line 3 ") != std::string::npos);
  write("list", "");
  BOOST_TEST(load().value() == 0U);
  write("list", "\n");
  BOOST_TEST(load().value() == 0U);
}

BOOST_FIXTURE_TEST_CASE(a_module_that_the_kernel_has_already_is_fine, Modules) {
  write("a.ko", "first");
  write("list", "a.ko\na.ko\n");
  answer = EEXIST;
  BOOST_TEST(load().value() == 2U);
}

BOOST_FIXTURE_TEST_CASE(a_module_that_is_not_taken_or_not_there_is_named_in_one_line, Modules) {
  write("a.ko", "first");
  write("list", "a.ko\nmissing.ko\n");
  for (const bool taken : {true, false}) {
    answer = taken ? 0 : ENOEXEC;
    const auto loaded = load();
    BOOST_TEST_REQUIRE(!loaded.has_value());
    const std::string& message = loaded.error().message;
    BOOST_TEST(message.find(taken ? "missing.ko" : "a.ko") != std::string::npos);
    BOOST_TEST(message.find(taken ? "No such file" : "Exec format error") != std::string::npos);
    BOOST_TEST(message.find("stubdom-debian") != std::string::npos);
    BOOST_TEST(message.find('\n') == std::string::npos);
  }
}

BOOST_FIXTURE_TEST_CASE(what_is_no_module_is_refused_by_this_host_s_kernel, Modules) {
  write("a.ko", "no module at all");
  write("list", "a.ko\n");
  const auto loaded = host::load_modules(directory);
  BOOST_TEST_REQUIRE(!loaded.has_value());
  BOOST_TEST(loaded.error().message.find("a.ko") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_list_with_anything_but_names_beside_it_loads_nothing, Modules) {
  write("a.ko", "first");
  using namespace std::string_literals;
  for (const std::string& line :
       {"../a.ko"s, "/a.ko"s, "x/a.ko"s, "."s, ".."s, " a.ko"s, " "s, "\0"s, "a.ko\0b"s, "a.ko\r"s,
        "a.ko x=\t"s, "\x7f"s, "\xff\xfe"s, std::string(300, '/')}) {
    write("list", "a.ko\n" + line + "\na.ko\n");
    const auto loaded = load();
    BOOST_TEST_CONTEXT(line) {
      BOOST_TEST_REQUIRE(!loaded.has_value());
      BOOST_TEST(loaded.error().message.find("list of kernel modules") != std::string::npos);
    }
  }
  BOOST_TEST(inserted.empty());
}

BOOST_FIXTURE_TEST_CASE(a_list_that_is_too_long_or_no_file_is_refused, Modules) {
  write("list", std::string(16384, '\n'));
  BOOST_TEST(load().value() == 0U);
  write("list", std::string(16385, '\n'));
  BOOST_TEST(!load().has_value());
  std::filesystem::remove(directory / "list");
  std::filesystem::create_directory(directory / "list");
  BOOST_TEST(!load().has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
