// SPDX-License-Identifier: MIT
#include "platform/toolstack/qmp/inspect_client.h"

#include "platform/linux/error_text.h"
#include "platform/linux/unique_fd.h"
#include "platform/linux/unix_address.h"
#include "platform/toolstack/qmp/inspect_dialogue.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace dm::toolstack {

namespace json = boost::json;

namespace {

using Clock = std::chrono::steady_clock;

/// False: time is over.
bool wait_for(int socket, short events, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) {
      return false;
    }
    pollfd wait{.fd = socket, .events = events, .revents = 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(left.count()));
    if (ready > 0) {
      return true;
    }
    if (ready == 0 || errno != EINTR) {
      return false;
    }
  }
}

bool send_all(int socket, std::string_view text, Clock::time_point deadline) {
  while (!text.empty()) {
    const ssize_t sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      text.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN ? !wait_for(socket, POLLOUT, deadline) : errno != EINTR) {
      return false;
    }
  }
  return true;
}

/// Until there is an answer, or none can come. Time is looked at before each piece: one that comes
/// byte by byte ends as well.
void talk(int socket, InspectDialogue& dialogue, Clock::time_point deadline) {
  std::array<char, 4096> buffer{};
  while (dialogue.state() == InspectDialogue::State::talking) {
    if (!wait_for(socket, POLLIN, deadline)) {
      break;
    }
    const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      continue;
    }
    if (got <= 0) {
      break;
    }
    dialogue.feed({buffer.data(), static_cast<std::size_t>(got)});
    if (!send_all(socket, dialogue.take_command(), deadline)) {
      break;
    }
  }
  dialogue.give_up();
}

/// 0 and a connected socket, or errno.
int connect_to(const std::string& path, Clock::time_point deadline, host::UniqueFd& socket) {
  const auto address = host::unix_address(path);
  if (!address) {
    return ENAMETOOLONG;
  }
  socket = host::UniqueFd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  // A backlog that nobody empties holds up connect() for so long; 0 would be for ever.
  const auto left = std::max(std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()),
                             std::chrono::milliseconds{1});
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  const timeval limit{.tv_sec = seconds.count(),
                      .tv_usec = std::chrono::microseconds{left - seconds}.count()};
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  return ::connect(socket.get(), host::generic(*address), sizeof *address) == 0 ? 0 : errno;
}

/// xentop's socket first, which nobody waits for: libxl has the other one for itself while it
/// works.
constexpr std::array<std::string_view, 2> kSockets{"/qmp-libxenstat-", "/qmp-libxl-"};

}  // namespace

Result<json::object> ask_inspection(std::uint32_t domid,
                                    std::string_view directory,
                                    std::chrono::milliseconds patience) {
  return ask_device_model(domid, "x-stubdm-inspect", {}, directory, patience);
}

Result<json::object> ask_device_model(std::uint32_t domid,
                                      std::string_view command,
                                      const json::object& arguments,
                                      std::string_view directory,
                                      std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  const std::string number = std::to_string(domid);
  int error = 0;
  for (const std::string_view name : kSockets) {
    host::UniqueFd socket;
    error = connect_to(std::string{directory}.append(name).append(number), deadline, socket);
    if (error == 0) {
      InspectDialogue dialogue{domid, command, arguments};
      talk(socket.get(), dialogue, deadline);
      return dialogue.result();
    }
  }
  if (error == EACCES) {
    return Error{"no permission to ask the device model of domain " + number + ": run it as root"};
  }
  return Error{"domain " + number + " has no device model here (see xl list); " +
               std::string{directory} + std::string{kSockets[0]} + number + ": " +
               host::error_text(error)};
}

}  // namespace dm::toolstack
