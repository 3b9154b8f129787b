// SPDX-License-Identifier: MIT
#include "platform/toolstack/inspect_client.h"

#include "platform/linux/error_text.h"
#include "platform/linux/unix_address.h"
#include "platform/toolstack/qmp_framing.h"
#include "platform/toolstack/unique_fd.h"

#include <boost/json/parse.hpp>

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <utility>

namespace dm::toolstack {

namespace json = boost::json;

namespace {

/// For each message. A device model whose guest is paused answers at once too.
constexpr timeval kPatience{.tv_sec = 5, .tv_usec = 0};
constexpr std::size_t kMaxAnswer = std::size_t{4} << 20;

/// One connection as a QMP client, blocking.
class Connection {
 public:
  explicit Connection(UniqueFd socket) noexcept : socket_{std::move(socket)} {}

  [[nodiscard]] std::optional<json::object> next() {
    ObjectScanner scanner;
    std::string text;
    for (char c = 0; take(c) && text.size() < kMaxAnswer;) {
      const auto step = scanner.step(c);
      if (step == ObjectScanner::Step::broken) {
        break;
      }
      if (step != ObjectScanner::Step::between) {
        text.push_back(c);
      }
      if (step == ObjectScanner::Step::complete) {
        boost::system::error_code error;
        json::value value = json::parse(text, error);
        return error || !value.is_object() ? std::nullopt
                                           : std::optional{std::move(value.as_object())};
      }
    }
    return std::nullopt;
  }
  /// The answer to a command: its "return" or "error" object and all.
  [[nodiscard]] std::optional<json::object> execute(std::string_view command) {
    const std::string text = std::string{R"({"execute":")"}.append(command).append("\"}\r\n");
    if (::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(text.size())) {
      return std::nullopt;
    }
    for (auto answer = next(); answer; answer = next()) {
      if (answer->contains("return") || answer->contains("error")) {
        return answer;  // and not one of QEMU's events
      }
    }
    return std::nullopt;
  }

 private:
  bool take(char& c) {
    if (at_ == filled_) {
      const ssize_t got = ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0);
      if (got <= 0) {
        return false;
      }
      at_ = 0;
      filled_ = static_cast<std::size_t>(got);
    }
    c = buffer_[at_++];
    return true;
  }

  UniqueFd socket_;
  std::array<char, 4096> buffer_{};
  std::size_t at_ = 0;
  std::size_t filled_ = 0;
};

/// 0 and a connected socket, or errno.
int connect_to(const std::string& path, UniqueFd& socket) {
  const auto address = host::unix_address(path);
  if (!address) {
    return ENAMETOOLONG;
  }
  socket = UniqueFd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  return ::connect(socket.get(), host::generic(*address), sizeof *address) == 0 ? 0 : errno;
}

/// xentop's socket first, which nobody waits for: libxl has the other one for itself while it
/// works.
constexpr std::array<std::string_view, 2> kSockets{"/qmp-libxenstat-", "/qmp-libxl-"};

}  // namespace

Result<json::object> ask_inspection(std::uint32_t domid, std::string_view directory) {
  const std::string number = std::to_string(domid);
  int error = 0;
  for (const std::string_view name : kSockets) {
    UniqueFd socket;
    error = connect_to(std::string{directory}.append(name).append(number), socket);
    if (error != 0) {
      continue;
    }
    Connection connection{std::move(socket)};
    const auto greeting = connection.next();
    if (!greeting || !connection.execute("qmp_capabilities")) {
      return Error{"the device model of domain " + number + " does not answer"};
    }
    auto answer = connection.execute("x-stubdm-inspect");
    if (!answer) {
      return Error{"the device model of domain " + number + " does not answer"};
    }
    json::value* const found = answer->if_contains("return");
    if (found == nullptr || !found->is_object()) {
      return Error{"the device model of domain " + number + " is not stubdm"};
    }
    return std::move(found->as_object());
  }
  if (error == EACCES) {
    return Error{"no permission to ask the device model of domain " + number + ": run it as root"};
  }
  return Error{"domain " + number + " has no device model here (see xl list); " +
               std::string{directory} + std::string{kSockets[0]} + number + ": " +
               host::error_text(error)};
}

}  // namespace dm::toolstack
