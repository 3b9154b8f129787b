// SPDX-License-Identifier: MIT
#include "platform/linux/nbd/nbd_server.h"

#include "platform/linux/error_text.h"
#include "platform/linux/nap.h"
#include "platform/linux/unix_address.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <span>
#include <utility>
#include <vector>

extern "C" char** environ;  // NOLINT(readability-redundant-declaration): POSIX has it in no header

namespace dm::host {

namespace {

constexpr std::string_view kProgram = "qemu-nbd";
constexpr std::chrono::milliseconds kPatience{5000};
constexpr std::chrono::milliseconds kReadOnlyPatience{100};
constexpr std::chrono::milliseconds kDeathTime{1000};  ///< of a process that was killed
constexpr int kListenFd = 3;                           ///< SD_LISTEN_FDS_START
constexpr int kImageFd = 4;
constexpr std::string_view kPidVariable = "LISTEN_PID=";

/// Where the shell would find it; empty if nowhere.
[[nodiscard]] std::string find_program(std::string_view name) {
  const char* const set = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  std::string_view path = set != nullptr ? set : "/usr/local/bin:/usr/bin:/bin";
  while (!path.empty()) {
    const std::size_t end = std::min(path.find(':'), path.size());
    std::string candidate{path.substr(0, end)};
    candidate.append("/").append(name);
    if (end != 0 && ::access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return {};
}

struct SocketPair {
  UniqueFd listener;
  UniqueFd client;
};

/// Nobody else can get in between: the directory is ours alone, and the name is gone before the
/// server starts.
[[nodiscard]] Result<SocketPair> connected_listener() {
  std::error_code ignored;
  std::string directory = std::filesystem::temp_directory_path(ignored) / "stubdm-nbd-XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) {
    return fail("cannot make ", directory, ": ", error_text(errno));
  }
  const std::string path = directory + "/s";
  const auto address = unix_address(path);
  SocketPair pair{UniqueFd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)},
                  UniqueFd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)}};
  const bool connected = address && pair.listener && pair.client &&
                         ::bind(pair.listener.get(), generic(*address), sizeof *address) == 0 &&
                         ::listen(pair.listener.get(), 1) == 0 &&
                         ::connect(pair.client.get(), generic(*address), sizeof *address) == 0;
  const int error = address ? errno : ENAMETOOLONG;
  ::unlink(path.c_str());
  ::rmdir(directory.c_str());
  if (!connected) {
    return fail("cannot make a socket for qemu-nbd in ", directory, ": ", error_text(error));
  }
  return pair;
}

/// Everything that the child needs, made before the fork: afterwards it may not allocate.
struct Launch {
  std::string program;
  std::vector<std::string> arguments;
  std::vector<char*> argv;
  std::vector<std::string> variables;
  std::vector<char*> envp;
  std::size_t pid_variable = 0;
  int listener = -1;
  int output = -1;
  int image = -1;
  pid_t parent = -1;
};

[[nodiscard]] Launch prepare(const NbdServer::Image& image, std::string program) {
  Launch launch;
  launch.program = std::move(program);
  // A name with a colon before its first slash would be a protocol to QEMU.
  const bool absolute = !image.path.empty() && image.path.front() == '/';
  launch.arguments = {launch.program,
                      "--format=" + std::string{name_of(image.format)},
                      image.direct ? "--cache=none" : "--cache=writeback",
                      image.read_only ? "--read-only" : "--discard=unmap",
                      "--shared=1",
                      "--",
                      image.fd ? "/proc/self/fd/" + std::to_string(kImageFd)
                               : (absolute ? image.path : "./" + image.path)};
  for (std::string& argument : launch.arguments) {
    launch.argv.push_back(argument.data());
  }
  launch.argv.push_back(nullptr);
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text{*variable};
    if (text.substr(0, 7) != "LISTEN_") {
      launch.variables.emplace_back(text);
    }
  }
  launch.variables.emplace_back("LISTEN_FDS=1");
  launch.pid_variable = launch.variables.size();
  launch.variables.emplace_back(std::string{kPidVariable} + std::string(12, '\0'));
  for (std::string& variable : launch.variables) {
    launch.envp.push_back(variable.data());
  }
  launch.envp.push_back(nullptr);
  launch.image = image.fd.get();
  launch.parent = ::getpid();
  return launch;
}

/// Puts `fd` where the other program looks for it. The descriptors are above `kImageFd`.
void place(int fd, int at) noexcept {
  if (fd >= 0) {
    ::dup2(fd, at);
  }
}

/// In the child: system calls only, since other threads' locks may be held.
[[noreturn]] void become(Launch& launch) noexcept {
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  static_cast<void>(::signal(SIGPIPE, SIG_DFL));
  static_cast<void>(::signal(SIGXFSZ, SIG_DFL));
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != launch.parent) {
    ::_exit(1);
  }
  const rlimit unlimited{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
  static_cast<void>(::setrlimit(RLIMIT_FSIZE, &unlimited));
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int first_free = kImageFd + 1;
  const int listener = ::fcntl(launch.listener, F_DUPFD_CLOEXEC, first_free);
  const int output = ::fcntl(launch.output, F_DUPFD_CLOEXEC, first_free);
  const int image = launch.image < 0 ? -1 : ::fcntl(launch.image, F_DUPFD_CLOEXEC, first_free);
  place(null, STDIN_FILENO);
  place(output, STDOUT_FILENO);
  place(output, STDERR_FILENO);
  place(listener, kListenFd);
  place(image, kImageFd);
  static_cast<void>(::close_range(static_cast<unsigned>(image < 0 ? kImageFd : first_free), ~0U,
                                  CLOSE_RANGE_CLOEXEC));
  char* const digits = launch.envp[launch.pid_variable] + kPidVariable.size();
  std::to_chars(digits, digits + 12, ::getpid());
  ::execve(launch.program.c_str(), launch.argv.data(), launch.envp.data());
  ::_exit(127);
}

}  // namespace

NbdServer::NbdServer(Loop& loop, const Image& image)
    : loop_{loop}, name_{image.path}, read_only_{image.read_only} {}

Result<> NbdServer::check(const Image& image) {
  const char* const lost = " (dm_restrict=1 takes such rights away once the guest has started)";
  if (find_program(kProgram).empty()) {
    return fail(kProgram, " is not to be found", lost);
  }
  std::error_code ignored;
  for (const std::string& path :
       {image.path, std::filesystem::temp_directory_path(ignored).string()}) {
    if (::access(path.c_str(), image.read_only ? R_OK : R_OK | W_OK) != 0) {
      return fail(path, ": ", error_text(errno), lost);
    }
  }
  return {};
}

Result<std::unique_ptr<NbdServer>> NbdServer::start(Loop& loop, const Image& image) {
  const std::string program = find_program(kProgram);
  if (program.empty()) {
    return fail(
        "disk ", image.path, ": an image of format ", name_of(image.format),
        " is served by qemu-nbd, which is not there: install the package qemu-utils (a disc "
        "that is inserted with dm_restrict=1 has to be raw)");
  }
  auto sockets = connected_listener();
  if (!sockets) {
    return fail("disk ", image.path, ": ", sockets.error().message);
  }
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    return fail("disk ", image.path, ": cannot make a pipe for qemu-nbd: ", error_text(errno));
  }
  UniqueFd read_end{pipe[0]};
  const UniqueFd write_end{pipe[1]};
  Launch launch = prepare(image, program);
  launch.listener = sockets->listener.get();
  launch.output = write_end.get();
  std::unique_ptr<NbdServer> server{new NbdServer{loop, image}};
  server->pid_ = ::fork();
  if (server->pid_ == 0) {
    become(launch);
  }
  if (server->pid_ < 0) {
    return fail("disk ", image.path, ": cannot start ", program, ": ", error_text(errno));
  }
  server->connection_ = std::move(sockets->client);
  server->output_ =
      Watch{loop, std::move(read_end), Callback::bind<&NbdServer::on_output>(*server)};
  server->output_.await_readable();
  return server;
}

NbdServer::~NbdServer() {
  connection_.reset();
  const auto patience = read_only_ ? kReadOnlyPatience : kPatience;
  if (ended_within(patience)) {
    return;
  }
  log_.warning("qemu-nbd of ", name_, " does not end by itself");
  if (!read_only_) {
    ::kill(pid_, SIGTERM);
    if (ended_within(patience)) {
      return;
    }
  }
  ::kill(pid_, SIGKILL);
  static_cast<void>(ended_within(kDeathTime));
}

/// Polls: there is nothing else to do at that moment, and a pidfd is not to be had from every
/// kernel.
bool NbdServer::ended_within(std::chrono::milliseconds time) noexcept {
  const auto end = std::chrono::steady_clock::now() + time;
  while (pid_ > 0) {
    const pid_t waited = ::waitpid(pid_, &status_, WNOHANG);
    if (waited == pid_ || (waited < 0 && errno == ECHILD)) {
      pid_ = -1;
      break;
    }
    if (std::chrono::steady_clock::now() >= end) {
      return false;
    }
    nap(std::chrono::milliseconds{2});
  }
  return true;
}

std::string NbdServer::last_words() {
  static_cast<void>(ended_within(std::chrono::milliseconds{500}));
  if (output_.ok()) {
    on_output();
  }
  if (last_line_[0] != '\0') {
    return last_line_.data();
  }
  if (pid_ > 0) {
    return "it is still running";
  }
  return WIFSIGNALED(status_) ? "ended by signal " + std::to_string(WTERMSIG(status_))
                              : "ended with status " + std::to_string(WEXITSTATUS(status_));
}

void NbdServer::on_output() noexcept {
  std::array<char, 512> bytes;
  const ssize_t count = ::read(output_.fd(), bytes.data(), bytes.size());
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
    output_.await_readable();
    return;
  }
  if (count <= 0) {
    take_line();
    output_ = Watch{};
    return;
  }
  output_.await_readable();
  for (const char c : std::span{bytes.data(), static_cast<std::size_t>(count)}) {
    if (c == '\n') {
      take_line();
    } else if (line_size_ + 1 < line_.size()) {
      line_.at(line_size_++) = c;
    }
  }
}

void NbdServer::take_line() noexcept {
  if (line_size_ != 0) {
    line_.at(line_size_) = '\0';
    last_line_ = line_;
    log_.warning("disk ", name_, ": ", std::string_view{line_.data(), line_size_});
    line_size_ = 0;
  }
}

}  // namespace dm::host
