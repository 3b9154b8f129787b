// SPDX-License-Identifier: MIT
#include "platform/linux/chardev/socket_chardev.h"

#include "platform/linux/error_text.h"
#include "platform/linux/inet_address.h"
#include "platform/linux/nap.h"
#include "platform/linux/unix_address.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace dm::host {

namespace {

struct Endpoint {
  std::string where;  ///< "unix:/path", "tcp:host:port"
  std::string path;   ///< of a unix socket
  SocketAddress address;
  bool server = false;
};

/// "on", "yes", "true" or nothing: true.
[[nodiscard]] Result<bool> parse_switch(std::string_view option, std::string_view value) {
  if (value.empty() || value == "on" || value == "yes" || value == "true") {
    return true;
  }
  if (value == "off" || value == "no" || value == "false") {
    return false;
  }
  return fail("serial: ", option, "=", value, ": write on or off");
}

[[nodiscard]] Result<void> parse_options(std::string_view options, Endpoint& endpoint) {
  bool wait = true;
  while (!options.empty()) {
    const std::string_view item = options.substr(0, options.find(','));
    options.remove_prefix(std::min(options.size(), item.size() + 1));
    const std::size_t equals = std::min(item.find('='), item.size());
    const std::string_view name = item.substr(0, equals);
    const std::string_view value = item.substr(std::min(item.size(), equals + 1));
    const Result<bool> on = parse_switch(name, value);
    if (name == "server" || name == "wait") {
      if (!on) {
        return on.error();
      }
      (name == "server" ? endpoint.server : wait) = *on;
    } else if (name == "nowait") {
      wait = false;
    } else if (name != "nodelay" && name != "delay") {  // single characters are never delayed
      return fail("serial \"", endpoint.where, "\": the option \"", item,
                  "\" is not supported; write \"", endpoint.where, ",server=on,wait=off\" or \"",
                  endpoint.where, "\"");
    }
  }
  if (endpoint.server && wait) {
    log::info("serial ", endpoint.where,
              ": the guest starts without waiting for a client (wait=off)");
  }
  return {};
}

[[nodiscard]] Result<Endpoint> parse_unix(std::string_view rest) {
  Endpoint endpoint;
  endpoint.path = rest.substr(0, rest.find(','));
  endpoint.where = "unix:" + endpoint.path;
  const auto name = unix_address(endpoint.path);
  if (!name) {
    return fail("serial \"", endpoint.where, "\": a socket's path has 1 to 107 bytes");
  }
  std::memcpy(&endpoint.address.storage, &*name, sizeof *name);
  endpoint.address.size = sizeof *name;
  if (const auto ok =
          parse_options(rest.substr(std::min(rest.size(), endpoint.path.size() + 1)), endpoint);
      !ok) {
    return ok.error();
  }
  return endpoint;
}

[[nodiscard]] Result<Endpoint> parse_tcp(std::string_view rest) {
  Endpoint endpoint;
  const std::string_view place = rest.substr(0, rest.find(','));
  endpoint.where = "tcp:" + std::string{place};
  const std::size_t colon = place.rfind(':');
  std::uint16_t port = 0;
  const char* const end = place.data() + place.size();
  if (colon == std::string_view::npos ||
      std::from_chars(place.data() + colon + 1, end, port).ptr != end || port == 0) {
    return fail("serial \"", endpoint.where,
                "\": write tcp:HOST:PORT, as in \"tcp:127.0.0.1:4555,server=on,wait=off\"");
  }
  std::string_view host = place.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  const auto address = inet_address(std::string{host}, port);
  if (!address) {
    return fail(
        "serial \"tcp:", host,
        "\": names are not looked up; write the address in numbers, as in \"tcp:192.0.2.1:4555\"");
  }
  endpoint.address = *address;
  if (const auto ok = parse_options(rest.substr(std::min(rest.size(), place.size() + 1)), endpoint);
      !ok) {
    return ok.error();
  }
  if (!endpoint.server && host.empty()) {
    return fail("serial \"", endpoint.where, "\": a client needs an address to connect to");
  }
  return endpoint;
}

void set_no_delay(int fd) noexcept {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // fails on unix sockets, harmlessly
}

[[nodiscard]] Error socket_error(const Endpoint& endpoint, std::string_view what) {
  return fail("serial \"", endpoint.where, "\": cannot ", what, ": ", error_text(errno));
}

/// One client is served, one waits.
constexpr int kWaiting = 1;
/// A guest that reboots gets a new device model while the one before may be about to end.
constexpr std::chrono::milliseconds kPredecessor{1500};

[[nodiscard]] Result<ListenSocket> listen_unix(const Endpoint& endpoint) {
  auto socket = ListenSocket::make(
      endpoint.path, kWaiting,
      {.advice = "; end it, or write another path in xl.cfg", .patience = kPredecessor});
  if (!socket) {
    return fail("serial \"", endpoint.where, "\": ", socket.error().message);
  }
  return socket;
}

[[nodiscard]] Result<UniqueFd> listen_tcp(const Endpoint& endpoint) {
  UniqueFd fd{
      ::socket(endpoint.address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  const int on = 1;
  if (!fd) {
    return socket_error(endpoint, "make a socket");
  }
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  constexpr std::chrono::milliseconds kPause{100};
  for (auto waited = kPause; ::bind(fd.get(), endpoint.address.get(), endpoint.address.size) != 0 ||
                             ::listen(fd.get(), kWaiting) != 0;
       waited += kPause) {
    if (errno == EADDRINUSE && waited > kPredecessor) {
      return fail("serial \"", endpoint.where,
                  "\": another process listens there; end it, or write another port in xl.cfg");
    }
    if (errno != EADDRINUSE) {
      return socket_error(endpoint, "listen");
    }
    nap(kPause);
  }
  return fd;
}

[[nodiscard]] Result<UniqueFd> connect_to(const Endpoint& endpoint) {
  static constexpr int kLimitMs = 5000;  // libxl gives the whole start 60 s
  UniqueFd fd{
      ::socket(endpoint.address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd) {
    return socket_error(endpoint, "make a socket");
  }
  if (::connect(fd.get(), endpoint.address.get(), endpoint.address.size) != 0) {
    if (errno != EINPROGRESS) {
      return socket_error(endpoint, "connect");
    }
    pollfd state{.fd = fd.get(), .events = POLLOUT, .revents = 0};
    socklen_t size = sizeof errno;
    if (::poll(&state, 1, kLimitMs) == 0) {
      errno = ETIMEDOUT;
    } else {
      ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &errno, &size);
    }
    if (errno != 0) {
      return socket_error(endpoint, "connect");
    }
  }
  set_no_delay(fd.get());
  return fd;
}

}  // namespace

Result<std::unique_ptr<Chardev>> SocketChardev::open(Loop& loop, std::string_view spec) {
  const bool is_unix = spec.starts_with("unix:");
  const std::string_view rest = spec.substr(spec.find(':') + 1);
  const Result<Endpoint> endpoint = is_unix ? parse_unix(rest) : parse_tcp(rest);
  if (!endpoint) {
    return endpoint.error();
  }
  const std::string name = endpoint->where + (endpoint->server ? ",server=on" : "");
  const Style style{.description = name, .presence_is_carrier = true, .asks_first = !is_unix};
  if (!endpoint->server) {
    auto connection = connect_to(*endpoint);
    if (!connection) {
      return connection.error();
    }
    return std::unique_ptr<Chardev>{
        std::make_unique<SocketChardev>(loop, style, std::move(*connection))};
  }
  if (!is_unix) {
    auto listener = listen_tcp(*endpoint);
    if (!listener) {
      return listener.error();
    }
    return std::unique_ptr<Chardev>{std::make_unique<SocketChardev>(
        loop, style, Listening{std::move(*listener), std::nullopt})};
  }
  auto socket = listen_unix(*endpoint);
  if (!socket) {
    return socket.error();
  }
  UniqueFd listener{socket->release()};
  return std::unique_ptr<Chardev>{std::make_unique<SocketChardev>(
      loop, style, Listening{std::move(listener), std::move(*socket)})};
}

SocketChardev::SocketChardev(Loop& loop, Style style, Listening at)
    : StreamChardev{loop, std::move(style)},
      file_{std::move(at.file)},
      listener_{loop, std::move(at.fd), Callback::bind<&SocketChardev::on_incoming>(*this)},
      retry_{loop, Callback::bind<&SocketChardev::on_incoming>(*this)} {
  listener_.await_readable();
}

SocketChardev::SocketChardev(Loop& loop, Style style, UniqueFd connection)
    : StreamChardev{loop, std::move(style)}, retry_{loop, {}} {
  set_streams(std::move(connection));
  set_connected(true);
}

/// False when nobody waits, or nobody can be taken yet. Asks to be told of the next one then.
bool SocketChardev::accept_next() noexcept {
  if (!listener_.ok()) {
    return false;  // a client's socket connects once
  }
  UniqueFd client{::accept4(listener_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  if (client) {
    set_no_delay(client.get());
    change_peer(std::move(client));
    return true;
  }
  if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
    // The client stays in the queue, so the listener stays readable: do not spin on it.
    retry_.arm(std::chrono::seconds{1});
  } else {
    listener_.await_readable();
  }
  return false;
}

void SocketChardev::stop_listening() noexcept {
  retry_.cancel();
  listener_ = Watch{};
  file_.reset();
}

void SocketChardev::on_incoming() noexcept {
  static_cast<void>(accept_next());
}

void SocketChardev::on_lost() noexcept {
  leave_connection();
  if (!accept_next()) {
    set_connected(false);
  }
}

}  // namespace dm::host
