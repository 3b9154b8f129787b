// SPDX-License-Identifier: MIT
// A QMP server on a real loop with a machine that only remembers what it was told, and clients on
// real sockets.
#pragma once

#include "core/obs/log.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/unique_fd.h"
#include "platform/toolstack/qmp/fd_sets.h"
#include "platform/toolstack/qmp/new_discs.h"
#include "platform/toolstack/qmp/qmp_commands.h"
#include "platform/toolstack/qmp/qmp_migration.h"
#include "platform/toolstack/qmp/qmp_server.h"
#include "platform/toolstack/qmp/qmp_session.h"
#include "tests/rig/fake_machine.h"
#include "tests/rig/open_descriptors.h"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dm::toolstack::test {

using rig::FakeMachine;
using rig::open_descriptors;

/// A directory of its own under the system's temporary one.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = std::filesystem::temp_directory_path() / "dm-qmp-XXXXXX";
    BOOST_TEST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string file(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), std::begin(address.sun_path));
  return address;
}

/// The loop, run by the test itself: everything happens in one thread, as in the product.
class Loop {
 public:
  host::Loop& io() noexcept { return loop_; }

  /// Runs handlers until `done`. Gives up after twenty seconds: others may use the machine too.
  bool run_until(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) {
        return false;
      }
      loop_.wait(std::chrono::milliseconds{1});
    }
    return true;
  }
  /// Runs what is ready.
  void settle() {
    for (int quiet = 0; quiet < 3; ++quiet) {
      const auto before = loop_.counters().handlers;
      loop_.wait(std::chrono::nanoseconds{0});
      if (loop_.counters().handlers != before || !loop_.turn_queue().empty()) {
        quiet = -1;
      }
    }
  }

 private:
  host::Loop loop_;
};

/// The other end of a connection. Never blocks: reading runs the loop.
class Peer {
 public:
  Peer(Loop& loop, const std::string& path)
      : loop_{&loop}, fd_{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)} {
    const sockaddr_un address = address_of(path);
    BOOST_TEST_REQUIRE(
        ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }

  /// The next message: up to \r\n, as libxl cuts the stream. Nothing after the server has closed.
  std::optional<std::string> line() {
    std::size_t end = std::string::npos;
    loop_->run_until([&] {
      pull();
      end = input_.find("\r\n");
      return end != std::string::npos || closed_;
    });
    if (end == std::string::npos) {
      return std::nullopt;
    }
    std::string result = input_.substr(0, end);
    input_.erase(0, end + 2);
    return result;
  }
  boost::json::object message() {
    const auto text = line();
    BOOST_TEST_REQUIRE(text.has_value());
    return boost::json::parse(*text).as_object();
  }
  /// False when the socket takes no more.
  bool send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (sent < 0) {
        return false;
      }
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// As libxl does: the first byte travels with the descriptor.
  void send_with_fds(std::string_view text, const std::vector<int>& fds) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): sendmsg only reads
    iovec data{const_cast<char*>(text.data()), 1};
    std::vector<char> control(CMSG_SPACE(sizeof(int) * fds.size()));
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
    std::memcpy(CMSG_DATA(part), fds.data(), sizeof(int) * fds.size());
    BOOST_TEST_REQUIRE(::sendmsg(fd_.get(), &message, MSG_NOSIGNAL) == 1);
    BOOST_TEST_REQUIRE(send(text.substr(1)));
  }
  /// Reads the greeting and negotiates.
  void enter() {
    BOOST_TEST_REQUIRE(message().contains("QMP"));
    const auto reply = command(R"({"execute":"qmp_capabilities","id":1})");
    BOOST_TEST_REQUIRE(reply.contains("return"));
  }
  boost::json::object command(std::string_view text) {
    BOOST_TEST_REQUIRE(send(text));
    BOOST_TEST_REQUIRE(send("\r\n"));
    return message();
  }
  /// True when the server has ended the connection.
  bool ended() {
    return loop_->run_until([&] {
      pull();
      return closed_;
    });
  }
  void half_close() { ::shutdown(fd_.get(), SHUT_WR); }
  void hang_up() { fd_.reset(); }
  [[nodiscard]] const std::string& unread() {
    pull();
    return input_;
  }

 private:
  void pull() {
    char buffer[4096];
    for (;;) {
      const ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
      if (got > 0) {
        input_.append(buffer, static_cast<std::size_t>(got));
        continue;
      }
      closed_ = closed_ || got == 0 || (errno != EAGAIN && errno != EINTR);
      return;
    }
  }

  Loop* loop_;
  host::UniqueFd fd_;
  std::string input_;
  bool closed_ = false;
};

/// Keeps the warnings about bad clients out of the test's output.
struct QuietLog {
  QuietLog() {
    log::set_sink([](log::Level, std::string_view) noexcept {});
  }
  QuietLog(const QuietLog&) = delete;
  QuietLog& operator=(const QuietLog&) = delete;
  ~QuietLog() { log::set_sink(nullptr); }
};

struct QmpRig {
  explicit QmpRig(const QmpLimits& limits = {}) {
    add_machine_commands(commands, machine, "guest");
    add_fd_set_commands(commands, fd_sets, [this] {
      if (fetch_disc) {
        list_new_discs(machine, fd_sets, fetch_disc);
      }
    });
    add_migration_commands(commands, machine, passed_descriptors(fd_sets));
    server = std::make_unique<QmpServer>(loop.io(), commands, limits);
    BOOST_TEST_REQUIRE(server->listen({"libxl-cmd", path, -1}).has_value());
  }
  QmpRig(const QmpRig&) = delete;
  QmpRig& operator=(const QmpRig&) = delete;

  Peer connect() { return Peer{loop, path}; }

  QuietLog quiet;
  TemporaryDirectory directory;
  std::string path = directory.file("qmp-libxl-7");
  Loop loop;
  FakeMachine machine;
  FdSets fd_sets;
  FetchDisc fetch_disc;  ///< none: not in a stub domain
  QmpCommands commands;
  std::unique_ptr<QmpServer> server;
};

}  // namespace dm::toolstack::test
