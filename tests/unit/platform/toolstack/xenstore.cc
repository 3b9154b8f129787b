// SPDX-License-Identifier: MIT
// The real libxenstore against a xenstored of a few lines on a unix socket.
#include "platform/toolstack/store/xenstore.h"

#include <boost/test/unit_test.hpp>

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <iostream>
#include <map>
#include <thread>

namespace dm::toolstack::test {
namespace {

/// Xen public header io/xs_wire.h.
struct Header {
  std::uint32_t type;
  std::uint32_t request;
  std::uint32_t transaction;
  std::uint32_t length;
};
constexpr std::uint32_t kDirectory = 1;
constexpr std::uint32_t kRead = 2;
constexpr std::uint32_t kGetPerms = 3;
constexpr std::uint32_t kSetPerms = 14;
constexpr std::uint32_t kWrite = 11;
constexpr std::uint32_t kError = 16;

/// Serves one connection: reads and writes of nodes.
class FakeXenstored {
 public:
  FakeXenstored() {
    std::string name = std::filesystem::temp_directory_path() / "dm-xs-XXXXXX";
    BOOST_TEST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    directory_ = name;
    const std::string path = directory_ / "socket";
    listener_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(path.begin(), path.end(), std::begin(address.sun_path));
    BOOST_TEST_REQUIRE(
        ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    BOOST_TEST_REQUIRE(::listen(listener_, 1) == 0);
    ::setenv("XENSTORED_PATH", path.c_str(), 1);
    thread_ = std::thread{[this] { serve(); }};
  }
  FakeXenstored(const FakeXenstored&) = delete;
  FakeXenstored& operator=(const FakeXenstored&) = delete;
  ~FakeXenstored() {
    finish();
    ::close(listener_);
    std::filesystem::remove_all(directory_);
  }
  /// Waits for the client's end; then the nodes may be looked at.
  void finish() {
    if (thread_.joinable()) {
      ::shutdown(listener_, SHUT_RDWR);
      thread_.join();
    }
  }

  std::map<std::string, std::string> nodes;
  std::map<std::string, std::string> permissions;

 private:
  static bool get(int fd, void* to, std::size_t size) {
    return size == 0 || ::recv(fd, to, size, MSG_WAITALL) == static_cast<ssize_t>(size);
  }

  void serve() {
    const int fd = ::accept(listener_, nullptr, nullptr);
    Header header{};
    while (fd >= 0 && get(fd, &header, sizeof header)) {
      std::string body(header.length, '\0');
      if (!get(fd, body.data(), body.size())) {
        break;
      }
      const std::string path = body.c_str();
      std::string answer;
      if (header.type == kWrite && path != "forbidden") {
        nodes[path] = body.substr(path.size() + 1);
        answer.assign("OK", 3);
      } else if (header.type == kDirectory && path == "directory") {
        answer = std::string("001\0two\0", 8);
      } else if (header.type == kGetPerms && nodes.count(path) != 0) {
        answer = std::string("n5", 3);
      } else if (header.type == kSetPerms && nodes.count(path) != 0) {
        permissions[path] = body.substr(path.size() + 1);
        answer.assign("OK", 3);
      } else if (header.type == kRead && nodes.count(path) != 0) {
        answer = nodes[path];
      } else {
        answer = header.type == kWrite ? std::string("EACCES", 7) : std::string("ENOENT", 7);
        header.type = kError;
      }
      header.length = static_cast<std::uint32_t>(answer.size());
      ::send(fd, &header, sizeof header, MSG_NOSIGNAL);
      ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
    ::close(fd);
  }

  std::filesystem::path directory_;
  int listener_ = -1;
  std::thread thread_;
};

BOOST_AUTO_TEST_SUITE(xenstore)

BOOST_AUTO_TEST_CASE(running_is_written_to_a_path_relative_to_our_own_domain) {
  FakeXenstored daemon;
  {
    auto store = Xenstore::open();
    BOOST_REQUIRE_MESSAGE(store.has_value(), store.error().message);
    BOOST_TEST(store->report_running(7).has_value());
  }
  daemon.finish();
  BOOST_TEST_REQUIRE(daemon.nodes.size() == 1U);
  BOOST_TEST(daemon.nodes.begin()->first == "device-model/7/state");
  BOOST_TEST(daemon.nodes.begin()->second == "running");  // without a final zero
}

BOOST_AUTO_TEST_CASE(a_stub_domain_says_why_it_ends_in_bounded_printable_text) {
  FakeXenstored daemon;
  daemon.nodes["target"] = "7";
  {
    auto store = Xenstore::open();
    BOOST_TEST_REQUIRE(store.has_value());
    const std::string reason = "disk /dev/xvda:\n\x1b[2J\xff " + std::string(2000, 'x');
    BOOST_TEST(store->report_failure(reason).has_value());
    BOOST_TEST(store->report_failure("it died").has_value());
  }
  daemon.finish();
  const std::string node = daemon.nodes["device-model/7/error"];
  BOOST_TEST(node.substr(0, 24) == "disk /dev/xvda:  [2J  xx");
  BOOST_TEST(node.size() == 1000U);
}

BOOST_AUTO_TEST_CASE(what_is_no_stub_domain_reports_no_failure) {
  for (const char* const target : {"", "0", "7x", "32752"}) {
    FakeXenstored daemon;
    daemon.nodes["target"] = target;
    {
      auto store = Xenstore::open();
      BOOST_TEST_REQUIRE(store.has_value());
      BOOST_TEST(!store->report_failure("it died").has_value());
    }
    daemon.finish();
    BOOST_TEST(daemon.nodes.size() == 1U);
  }
}

BOOST_AUTO_TEST_CASE(nodes_are_read_and_written) {
  FakeXenstored daemon;
  {
    auto store = Xenstore::open();
    BOOST_TEST_REQUIRE(store.has_value());
    BOOST_TEST(store->write("a/b", std::string_view{"x\0y", 3}).has_value());
    BOOST_TEST(store->read("a/b").value() == (std::string{"x\0y", 3}));
    BOOST_TEST(store->write("empty", "").has_value());
    BOOST_TEST(store->read("empty").value().empty());
    BOOST_TEST(!store->read("nothing").has_value());
  }
  daemon.finish();
}

BOOST_AUTO_TEST_CASE(children_are_listed) {
  FakeXenstored daemon;
  {
    auto store = Xenstore::open();
    BOOST_TEST_REQUIRE(store.has_value());
    const auto names = store->list("directory");
    BOOST_TEST_REQUIRE(names.has_value());
    BOOST_TEST((*names == std::vector<std::string>{"001", "two"}));
    BOOST_TEST(!store->list("nothing").has_value());
  }
  daemon.finish();
}

BOOST_AUTO_TEST_CASE(a_node_for_one_domain_is_read_by_nobody_else) {
  FakeXenstored daemon;
  {
    auto store = Xenstore::open();
    BOOST_TEST_REQUIRE(store.has_value());
    BOOST_TEST(store->write_for(0, "qmp-vchan/ring-ref", "8").has_value());
  }
  daemon.finish();
  BOOST_TEST(daemon.nodes["qmp-vchan/ring-ref"] == "8");
  // xenstore.txt: the owner first, with what everybody else may do
  BOOST_TEST((daemon.permissions["qmp-vchan/ring-ref"] == std::string{"n5\0r0\0", 6}));
}

BOOST_AUTO_TEST_CASE(a_refused_write_says_which_node_and_why) {
  FakeXenstored daemon;
  {
    auto store = Xenstore::open();
    BOOST_TEST_REQUIRE(store.has_value());
    const auto result = store->write("forbidden", "x");
    BOOST_TEST_REQUIRE(!result.has_value());
    BOOST_TEST(result.error().message.find("forbidden") != std::string::npos);
    BOOST_TEST(result.error().message.find("Permission denied") != std::string::npos);
  }
  daemon.finish();
}

BOOST_AUTO_TEST_CASE(no_thread_is_started) {
  FakeXenstored daemon;
  {
    const auto threads = [] {
      const std::filesystem::directory_iterator list{"/proc/self/task"};
      return std::distance(begin(list), end(list));
    };
    const auto before = threads();
    auto store = Xenstore::open();
    BOOST_TEST_REQUIRE(store.has_value());
    BOOST_TEST(store->report_running(7).has_value());
    BOOST_TEST(!store->read("x").has_value());
    BOOST_TEST(threads() == before);
  }
  daemon.finish();
}

BOOST_AUTO_TEST_CASE(without_xenstore_it_is_told_what_to_look_at) {
  ::setenv("XENSTORED_PATH", "/nowhere/socket", 1);
  if (std::filesystem::exists("/dev/xen/xenbus") || std::filesystem::exists("/proc/xen/xenbus")) {
    std::cout << "NOT RUN: this is a Xen domain, there is always a xenstore\n";
    return;
  }
  const auto store = Xenstore::open();
  BOOST_TEST_REQUIRE(!store.has_value());
  BOOST_TEST(store.error().message.find("is xenstored running") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
