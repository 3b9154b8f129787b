// SPDX-License-Identifier: MIT
#pragma once

#include "tests/unit/platform/linux/char_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace dm::test {

/// Who opens a serial line from outside: reads what the guest prints, types what it is to read.
struct CharPeer {
  UniqueFd fd;
  void type(std::string_view text) const { say(fd.get(), text); }
  void leave() { fd.reset(); }
  /// TCP: as a program that is killed with unread data, or a router that has had enough.
  void reset_connection() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    fd.reset();
  }
  void half_close() const { ::shutdown(fd.get(), SHUT_WR); }
};

/// One kind of backend, and how its other side comes.
struct CharKind {
  std::string name;
  bool carrier = false;     ///< who is there shows in DCD, DSR and CTS
  bool keeps = false;       ///< with nobody there the newest output is kept for who comes
  bool comes_back = false;  ///< somebody else may come after the one who left
  bool types = true;        ///< its other side can type
};

/// A backend of a kind, and the place where its other side comes to.
class CharLine {
 public:
  CharLine(CharFixture& fixture, const CharKind& kind) : kind_{kind} {
    if (kind.name == "pty") {
      device = fixture.open("pty");
    } else if (kind.name == "unix server") {
      path_ = dir_.file("server.sock");
      device = fixture.open("unix:" + path_ + ",server=on,wait=off");
    } else if (kind.name == "tcp server") {
      port_ = free_port();
      device = fixture.open("tcp:127.0.0.1:" + std::to_string(port_) + ",server=on,wait=off");
    } else if (kind.name == "unix client") {
      path_ = dir_.file("client.sock");
      listener_ = listen_unix(path_);
      device = fixture.open("unix:" + path_);
    } else if (kind.name == "tcp client") {
      listener_ = listen_tcp(port_);
      device = fixture.open("tcp:127.0.0.1:" + std::to_string(port_));
    } else if (kind.name == "pipe") {
      path_ = dir_.file("fifo");
      BOOST_REQUIRE_EQUAL(::mkfifo((path_ + ".in").c_str(), 0600), 0);
      BOOST_REQUIRE_EQUAL(::mkfifo((path_ + ".out").c_str(), 0600), 0);
      device = fixture.open("pipe:" + path_);
    } else if (kind.name == "tty") {
      master_ = UniqueFd{::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)};
      BOOST_REQUIRE_EQUAL(::unlockpt(master_.get()), 0);
      device = fixture.open(::ptsname(master_.get()));
    } else {
      BOOST_FAIL("no such kind: " << kind.name);
    }
  }

  /// Somebody comes. Nothing has been told to the backend yet.
  CharPeer come() {
    if (kind_.name == "pty") {
      return {UniqueFd{::open(std::string{device->description().substr(4)}.c_str(),
                              O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)}};
    }
    if (kind_.name == "pipe") {
      return {UniqueFd{::open((path_ + ".out").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)}};
    }
    if (kind_.name == "tty") {
      return {std::move(master_)};
    }
    if (listener_) {
      return {UniqueFd{::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)}};
    }
    CharPeer peer{
        UniqueFd{::socket(path_.empty() ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)}};
    if (path_.empty()) {
      const sockaddr_in address = loopback(port_);
      BOOST_REQUIRE_EQUAL(::connect(peer.fd.get(), generic(address), sizeof address), 0);
    } else {
      const sockaddr_un address = at_path(path_);
      BOOST_REQUIRE_EQUAL(::connect(peer.fd.get(), generic(address), sizeof address), 0);
    }
    ::fcntl(peer.fd.get(), F_SETFL, O_NONBLOCK);
    return peer;
  }

  std::unique_ptr<Chardev> device;

 private:
  template <class Address>
  static const sockaddr* generic(const Address& address) {
    return static_cast<const sockaddr*>(static_cast<const void*>(&address));
  }
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  static sockaddr_un at_path(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
  }
  static UniqueFd listen_unix(const std::string& path) {
    UniqueFd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const sockaddr_un address = at_path(path);
    BOOST_REQUIRE_EQUAL(::bind(fd.get(), generic(address), sizeof address), 0);
    BOOST_REQUIRE_EQUAL(::listen(fd.get(), 1), 0);
    return fd;
  }
  static UniqueFd listen_tcp(std::uint16_t& port) {
    UniqueFd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const sockaddr_in any = loopback(0);
    BOOST_REQUIRE_EQUAL(::bind(fd.get(), generic(any), sizeof any), 0);
    BOOST_REQUIRE_EQUAL(::listen(fd.get(), 1), 0);
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    ::getsockname(fd.get(), static_cast<sockaddr*>(static_cast<void*>(&bound)), &size);
    port = ntohs(bound.sin_port);
    return fd;
  }
  static std::uint16_t free_port() {
    std::uint16_t port = 0;
    static_cast<void>(listen_tcp(port));
    return port;
  }

  const CharKind& kind_;
  TempDir dir_;
  std::string path_;
  std::uint16_t port_ = 0;
  UniqueFd listener_;
  UniqueFd master_;
};

inline const std::vector<CharKind>& char_kinds() {
  static const std::vector<CharKind> kinds{
      {.name = "pty", .keeps = true, .comes_back = true},
      {.name = "unix server", .carrier = true, .comes_back = true},
      {.name = "tcp server", .carrier = true, .comes_back = true},
      {.name = "unix client", .carrier = true},
      {.name = "tcp client", .carrier = true},
      {.name = "tty"},
      {.name = "pipe", .keeps = true, .comes_back = true, .types = false}};
  return kinds;
}

}  // namespace dm::test
