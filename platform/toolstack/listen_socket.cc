// SPDX-License-Identifier: MIT
#include "platform/toolstack/listen_socket.h"

#include "platform/linux/error_text.h"
#include "platform/linux/unix_address.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>

namespace dm::toolstack {

namespace {

constexpr int kBacklog = 16;

UniqueFd new_socket() noexcept {
  return UniqueFd{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
}

/// Empty when the path is free now: what was there was a socket without a listener.
std::string remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    return errno == ENOENT ? "" : host::error_text(errno);
  }
  if (!S_ISSOCK(status.st_mode)) {
    return "there is something that is not a socket";
  }
  const UniqueFd probe = new_socket();
  if (!probe) {
    return host::error_text(errno);
  }
  if (::connect(probe.get(), host::generic(address), sizeof address) == 0 || errno == EAGAIN) {
    return "another process listens there: does this domain have a device model already?";
  }
  if (errno != ECONNREFUSED) {
    return host::error_text(errno);
  }
  return ::unlink(path.c_str()) == 0 || errno == ENOENT ? "" : host::error_text(errno);
}

}  // namespace

Result<ListenSocket> ListenSocket::make(const std::string& path) {
  const auto address = host::unix_address(path);
  if (!address) {
    return fail("cannot make the socket '", path, "': its path must have 1 to 107 bytes");
  }
  ListenSocket result;
  result.fd_ = new_socket();
  if (!result.fd_) {
    return fail("cannot make a socket: ", host::error_text(errno));
  }
  // Before bind(), so that the file never exists with wider permissions: Linux takes its mode from
  // the descriptor.
  (void)::fchmod(result.fd_.get(), S_IRUSR | S_IWUSR);
  int bound = ::bind(result.fd_.get(), host::generic(*address), sizeof *address);
  if (bound != 0 && errno == EADDRINUSE) {
    if (const std::string why = remove_stale(path, *address); !why.empty()) {
      return fail("cannot make the socket ", path, ": ", why);
    }
    bound = ::bind(result.fd_.get(), host::generic(*address), sizeof *address);
  }
  if (bound != 0) {
    return fail("cannot make the socket ", path, ": ", host::error_text(errno));
  }
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) {
    result.path_ = path;
    result.device_ = status.st_dev;
    result.inode_ = status.st_ino;
  }
  if (::listen(result.fd_.get(), kBacklog) != 0) {
    return fail("cannot listen on ", path, ": ", host::error_text(errno));
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
    return fail("descriptor ", number, " is not a socket: ", host::error_text(errno));
  }
  if (domain != AF_UNIX || type != SOCK_STREAM || listening == 0) {
    return fail("descriptor ", number, " is not a listening unix stream socket");
  }
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
    return fail("cannot set up descriptor ", number, ": ", host::error_text(errno));
  }
  ListenSocket result;
  result.fd_ = UniqueFd{fd};
  return result;
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

}  // namespace dm::toolstack
