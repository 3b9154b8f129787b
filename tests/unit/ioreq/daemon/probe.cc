// SPDX-License-Identifier: MIT
// -machine none as a process: started with a listening socket, as libxl 4.20 starts it before each
// guest. No Xen, no guest; it has to answer and to end.
#include "ioreq/daemon/probe_session.h"
#include "platform/linux/unique_fd.h"

#include <boost/test/unit_test.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <string>

using namespace dm;

namespace {

/// An abstract address, so that nothing is left behind.
struct Address {
  Address() {
    const std::string name = "stubdm-probe-test-" + std::to_string(::getpid());
    name.copy(std::begin(value.sun_path) + 1, name.size());
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  }
  [[nodiscard]] const sockaddr* generic() const {
    return reinterpret_cast<const sockaddr*>(&value);
  }
  sockaddr_un value{.sun_family = AF_UNIX, .sun_path = {}};
  socklen_t size = 0;
};

struct Probe {
  Probe() {
    host::UniqueFd listener{::socket(AF_UNIX, SOCK_STREAM, 0)};
    BOOST_TEST_REQUIRE(::bind(listener.get(), address.generic(), address.size) == 0);
    BOOST_TEST_REQUIRE(::listen(listener.get(), 1) == 0);
    pid = ::fork();
    BOOST_TEST_REQUIRE(pid >= 0);
    if (pid == 0) {
      MachineConfig config;
      config.qmp.push_back({"libxl-cmd", "", listener.release()});
      ::_exit(serve_probe(config) ? 0 : 1);
    }
  }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  ~Probe() {
    if (pid > 0) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
  }
  void connect() {
    client.reset(::socket(AF_UNIX, SOCK_STREAM, 0));
    BOOST_TEST_REQUIRE(::connect(client.get(), address.generic(), address.size) == 0);
    BOOST_TEST(line().starts_with("{\"QMP\":"));
    BOOST_TEST(ask(R"({"execute":"qmp_capabilities"})") == R"({"return":{}})");
  }
  std::string line() {
    std::string text;
    pollfd wait{.fd = client.get(), .events = POLLIN, .revents = 0};
    for (char c = 0;
         ::poll(&wait, 1, 5000) == 1 && ::read(client.get(), &c, 1) == 1 && c != '\n';) {
      text.push_back(c);
    }
    return text.substr(0, text.find('\r'));
  }
  std::string ask(const std::string& command) {
    BOOST_TEST_REQUIRE(::send(client.get(), command.data(), command.size(), MSG_NOSIGNAL) ==
                       static_cast<ssize_t>(command.size()));
    return line();
  }
  /// The exit status of the process, once it has ended; -1 when it does not.
  int status() {
    int result = 0;
    for (int i = 0; i < 5000; ++i) {
      if (::waitpid(pid, &result, WNOHANG) == pid) {
        pid = -1;
        return WIFEXITED(result) ? WEXITSTATUS(result) : 128 + WTERMSIG(result);
      }
      static_cast<void>(::poll(nullptr, 0, 1));
    }
    return -1;
  }

  Address address;
  pid_t pid = -1;
  host::UniqueFd client;
};

BOOST_FIXTURE_TEST_SUITE(probe, Probe)

BOOST_AUTO_TEST_CASE(it_answers_and_ends_when_it_is_told_to) {
  connect();
  BOOST_TEST(ask(R"({"execute":"query-command-line-options"})").find("\"run-with\"") !=
             std::string::npos);
  BOOST_TEST(ask(R"({"execute":"quit","id":1})") == R"({"return":{},"id":1})");
  BOOST_TEST(status() == 0);
}

BOOST_AUTO_TEST_CASE(a_client_that_leaves_does_not_end_it_and_the_next_one_does) {
  connect();
  connect();
  BOOST_TEST(::waitpid(pid, nullptr, WNOHANG) == 0);
  BOOST_TEST(ask(R"({"execute":"quit"})") == R"({"return":{}})");
  BOOST_TEST(status() == 0);
}

BOOST_AUTO_TEST_CASE(a_signal_ends_it) {
  connect();
  for (const int signal : {SIGHUP, SIGTERM}) {
    ::kill(pid, signal);
  }
  BOOST_TEST(status() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
