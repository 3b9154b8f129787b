// SPDX-License-Identifier: MIT
// What it takes to save the state of the devices, as libxl asks for it by QMP while it saves or
// migrates a guest (libxl_dom_save.c), and how large that state is. The file stays for a session
// that begins with it.
#include "bench/peer/guest/rows.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>

namespace peer {
namespace {

/// A client of the device model's QMP socket.
class Qmp {
 public:
  explicit Qmp(const std::string& path) : fd_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    good_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
            !line().empty() && ask(R"({"execute": "qmp_capabilities"})");
  }
  Qmp(const Qmp&) = delete;
  Qmp& operator=(const Qmp&) = delete;
  ~Qmp() { ::close(fd_); }

  [[nodiscard]] bool good() const noexcept { return good_; }
  /// Sends a command, with a descriptor or without, and waits for its answer; events are passed
  /// over. False: an error.
  [[nodiscard]] bool ask(std::string command, int passed = -1) {
    command += '\n';
    iovec text{.iov_base = command.data(), .iov_len = command.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof passed)> control{};
    msghdr message{};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    if (passed >= 0) {
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      cmsghdr* const header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof passed);
      std::memcpy(CMSG_DATA(header), &passed, sizeof passed);
    }
    if (::sendmsg(fd_, &message, MSG_NOSIGNAL) != static_cast<ssize_t>(text.iov_len)) {
      return false;
    }
    for (;;) {
      const std::string answer = line();
      if (answer.empty() || answer.find("\"error\"") != std::string::npos) {
        return false;
      }
      if (answer.find("\"return\"") != std::string::npos) {
        return true;
      }
    }
  }

 private:
  /// The next line, or nothing after two seconds of silence.
  std::string line() {
    for (;;) {
      if (const auto end = buffer_.find('\n'); end != std::string::npos) {
        std::string text = buffer_.substr(0, end + 1);
        buffer_.erase(0, end + 1);
        return text;
      }
      pollfd wait{.fd = fd_, .events = POLLIN, .revents = 0};
      char more[4096];
      const ssize_t got = ::poll(&wait, 1, 2000) == 1 ? ::read(fd_, more, sizeof more) : 0;
      if (got <= 0) {
        return {};
      }
      buffer_.append(more, static_cast<std::size_t>(got));
    }
  }

  int fd_;
  std::string buffer_;
  bool good_ = false;
};

/// As libxl does it (libxl_qmp.c, libxl__qmp_save): a new file, passed as a descriptor.
bool save_to(Qmp& qmp, const std::string& file) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool saved = fd >= 0 &&
                     qmp.ask(R"({"execute": "add-fd", "arguments": {"fdset-id": 1}})", fd) &&
                     qmp.ask(R"({"execute": "xen-save-devices-state", )"
                             R"("arguments": {"filename": "/dev/fdset/1", "live": false}})") &&
                     qmp.ask(R"({"execute": "remove-fd", "arguments": {"fdset-id": 1}})");
  ::close(fd);
  return saved;
}

}  // namespace

void run_moving_rows(Session& s) {
  if (!s.wants("save")) {
    return;
  }
  const std::string file = s.options.folder + "/state";
  Qmp qmp{s.options.folder + "/qmp"};
  if (!qmp.good() || !qmp.ask(R"({"execute": "stop"})")) {
    s.wrong("save", "the device model does not answer by QMP");
    return;
  }
  s.repeat("save", s.times(200), [&](std::size_t) { return save_to(qmp, file); });
  struct stat info {};
  if (::stat(file.c_str(), &info) == 0) {
    s.report("state", "\"bytes\": " + std::to_string(info.st_size));
  }
  if (!qmp.ask(R"({"execute": "cont"})")) {
    s.wrong("save", "the device model does not go on");
  }
}

}  // namespace peer
