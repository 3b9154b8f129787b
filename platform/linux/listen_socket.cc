// SPDX-License-Identifier: MIT
#include "platform/linux/listen_socket.h"

#include "platform/linux/error_text.h"
#include "platform/linux/nap.h"
#include "platform/linux/unix_address.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace dm::host {

namespace {

UniqueFd new_socket() noexcept {
  return UniqueFd{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
}

struct Found {
  bool listener = false;
  std::string problem;  ///< with neither, the path is free now: it was a socket without a listener
};

Found remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    return {.problem = errno == ENOENT ? "" : error_text(errno)};
  }
  if (!S_ISSOCK(status.st_mode)) {
    return {.problem = "there is something that is not a socket"};
  }
  const UniqueFd probe = new_socket();
  if (!probe) {
    return {.problem = error_text(errno)};
  }
  if (::connect(probe.get(), generic(address), sizeof address) == 0 || errno == EAGAIN) {
    return {.listener = true, .problem = ""};
  }
  if (errno != ECONNREFUSED) {
    return {.problem = error_text(errno)};
  }
  return {.problem = ::unlink(path.c_str()) == 0 || errno == ENOENT ? "" : error_text(errno)};
}

/// Every look is a client that comes and goes there, so there are few of them.
Found await_stale(const std::string& path,
                  const sockaddr_un& address,
                  std::chrono::milliseconds patience) {
  std::chrono::milliseconds pause{100};
  Found found = remove_stale(path, address);
  while (found.listener && patience.count() > 0) {
    pause = std::min(pause, patience);
    nap(pause);
    patience -= pause;
    pause *= 2;
    found = remove_stale(path, address);
  }
  return found;
}

}  // namespace

Result<ListenSocket> ListenSocket::make(const std::string& path, int backlog, const Rival& rival) {
  const auto address = unix_address(path);
  if (!address) {
    return fail("cannot make the socket '", path, "': its path must have 1 to 107 bytes");
  }
  ListenSocket result;
  result.fd_ = new_socket();
  if (!result.fd_) {
    return fail("cannot make a socket: ", error_text(errno));
  }
  // Before bind(), so that the file never exists with wider permissions: Linux takes its mode from
  // the descriptor.
  (void)::fchmod(result.fd_.get(), S_IRUSR | S_IWUSR);
  int bound = ::bind(result.fd_.get(), generic(*address), sizeof *address);
  if (bound != 0 && errno == EADDRINUSE) {
    const Found found = await_stale(path, *address, rival.patience);
    if (found.listener) {
      return fail("cannot make the socket ", path, ": another process listens there", rival.advice);
    }
    if (!found.problem.empty()) {
      return fail("cannot make the socket ", path, ": ", found.problem);
    }
    bound = ::bind(result.fd_.get(), generic(*address), sizeof *address);
  }
  if (bound != 0) {
    return fail("cannot make the socket ", path, ": ", error_text(errno));
  }
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) {
    result.path_ = path;
    result.device_ = status.st_dev;
    result.inode_ = status.st_ino;
  }
  if (::listen(result.fd_.get(), backlog) != 0) {
    return fail("cannot listen on ", path, ": ", error_text(errno));
  }
  return result;
}

Result<ListenSocket> ListenSocket::adopt(int fd) {
  int domain = 0;
  int listening = 0;
  int type = 0;
  socklen_t size = sizeof(int);
  const std::string number = std::to_string(fd);
  const bool is_socket = ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
                         ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
                         ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0;
  if (!is_socket) {
    return fail("descriptor ", number, " is not a socket: ", error_text(errno));
  }
  if (domain != AF_UNIX || type != SOCK_STREAM || listening == 0) {
    return fail("descriptor ", number, " is not a listening unix stream socket");
  }
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
    return fail("cannot set up descriptor ", number, ": ", error_text(errno));
  }
  ListenSocket result;
  result.fd_ = UniqueFd{fd};
  return result;
}

void ListenSocket::remove_abandoned(const std::string& path) {
  if (const auto address = unix_address(path)) {
    static_cast<void>(remove_stale(path, *address));
  }
}

void ListenSocket::remove_file() noexcept {
  if (path_.empty()) {
    return;
  }
  // libxl removes the file too, and a successor may have made its own in the same place.
  struct stat status {};
  if (::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
  path_.clear();
}

}  // namespace dm::host
