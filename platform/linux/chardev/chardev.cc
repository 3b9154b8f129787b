// SPDX-License-Identifier: MIT
#include "platform/linux/chardev/chardev.h"

#include "platform/linux/chardev/file_source.h"
#include "platform/linux/chardev/pty_chardev.h"
#include "platform/linux/chardev/socket_chardev.h"
#include "platform/linux/chardev/stream_chardev.h"
#include "platform/linux/chardev/tty_chardev.h"
#include "platform/linux/chardev/visited_chardev.h"
#include "platform/linux/error_text.h"
#include "platform/linux/loop/signals.h"
#include "platform/linux/tty_mode.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

namespace dm::host {

namespace {

class NullChardev final : public Chardev {
 public:
  explicit NullChardev(std::string_view name) : name_{name} {}

  void attach(CharClient*) noexcept override {}
  std::size_t write(std::span<const std::byte> bytes) noexcept override {
    counters_.dropped += bytes.size();
    return bytes.size();
  }
  std::size_t read(std::span<std::byte>) noexcept override { return 0; }
  void set_break(bool) noexcept override {}
  void set_line(std::uint32_t, std::uint8_t, std::uint8_t, char) noexcept override {}
  void set_outputs(bool, bool) noexcept override {}
  [[nodiscard]] std::string_view description() const noexcept override { return name_; }
  [[nodiscard]] CharCounters counters() const noexcept override { return counters_; }

 private:
  std::string name_;
  CharCounters counters_;
};

/// Output into a named pipe that is open for writing alone: `pipe:` with a pipe for each way,
/// `file:` where that is a pipe. Who reads it can be seen to come and to leave, as on a pty. Nobody
/// can be seen to leave PATH.in: it is open both ways, so that there is no end of file between two
/// who type.
class PipeChardev final : public VisitedChardev {
 public:
  PipeChardev(
      Loop& loop, std::string description, UniqueFd in, UniqueFd out, const std::string& out_path)
      : VisitedChardev{loop, std::move(description)} {
    set_streams(std::move(in), std::move(out));
    wait_for_visitors(out_path);
  }
};

/// `file:`. The other side is a medium, which never goes; a device may.
class FileChardev final : public StreamChardev {
 public:
  FileChardev(Loop& loop, UniqueFd file, std::uint64_t limit)
      : StreamChardev{loop, {.description = "file", .survives_errors = true}}, limit_{limit} {
    set_streams(UniqueFd{}, std::move(file));
    set_connected(true);
  }

  static Result<std::unique_ptr<Chardev>> open(Loop& loop,
                                               const std::string& path,
                                               std::uint64_t limit) {
    UniqueFd file{::open(path.c_str(),
                         O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0666)};
    if (!file) {
      return fail("serial \"file:", path, "\": cannot open it for writing: ", error_text(errno));
    }
    struct stat status {};
    const bool known = ::fstat(file.get(), &status) == 0;
    if (known && S_ISFIFO(status.st_mode)) {
      return std::unique_ptr<Chardev>{
          std::make_unique<PipeChardev>(loop, "file", UniqueFd{}, std::move(file), path)};
    }
    if (known && !S_ISREG(status.st_mode)) {
      limit = 0;  // what it takes fills no disk
    }
    auto made = std::make_unique<FileChardev>(loop, std::move(file), limit);
    made->path_ = path;
    return std::unique_ptr<Chardev>{std::move(made)};
  }

  std::size_t write(std::span<const std::byte> bytes) noexcept override {
    if (limit_ == 0) {
      return StreamChardev::write(bytes);
    }
    const auto fits =
        static_cast<std::size_t>(std::min<std::uint64_t>(limit_ - taken_, bytes.size()));
    taken_ += fits;
    if (fits != 0) {
      StreamChardev::write(bytes.first(fits));
    }
    if (fits < bytes.size()) {
      drop(bytes.size() - fits);
      fall_silent();
    }
    return bytes.size();
  }

 private:
  void fall_silent() noexcept {
    if (std::exchange(silent_, true)) {
      return;
    }
    static constexpr std::string_view kLastLine =
        "\r\n[this console has used its byte budget, XEN_QEMU_CONSOLE_LIMIT: nothing more is kept "
        "here]\r\n";
    StreamChardev::write(std::as_bytes(std::span{kLastLine}));
    log::warning("console \"file:", path_, "\": it has used its byte budget of ", limit_,
                 " (XEN_QEMU_CONSOLE_LIMIT): what else its guest prints is dropped");
  }

  std::string path_;
  const std::uint64_t limit_;  ///< bytes; 0: none
  std::uint64_t taken_ = 0;
  bool silent_ = false;
};

constexpr int kNamedPipe = O_NONBLOCK | O_CLOEXEC | O_NOCTTY;

/// `pipe:` with one pipe for both ways: we are its reader ourselves, so it has no end.
class OnePipeChardev final : public StreamChardev {
 public:
  OnePipeChardev(Loop& loop, UniqueFd in, UniqueFd out)
      : StreamChardev{loop, {.description = "pipe"}} {
    set_streams(std::move(in), std::move(out));
    set_connected(true);
  }
};

[[nodiscard]] Result<std::unique_ptr<Chardev>> open_pipe(Loop& loop, const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
    UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)};
    if (!file) {
      return fail("serial \"pipe:", path, "\": cannot open it: ", error_text(errno));
    }
    return std::unique_ptr<Chardev>{std::make_unique<FileSource>(loop, std::move(file))};
  }
  // Both ways each, so that no open() waits for the other end.
  const std::string out_path = path + ".out";
  UniqueFd in{::open((path + ".in").c_str(), O_RDWR | kNamedPipe)};
  UniqueFd out{::open(out_path.c_str(), O_RDWR | kNamedPipe)};
  const bool two = in && out;
  if (!two) {
    in = UniqueFd{::open(path.c_str(), O_RDWR | kNamedPipe)};
    out = duplicate(in.get());
  }
  if (!in || !out) {
    return fail("serial \"pipe:", path, "\": cannot open ", path, ".in and ", path, ".out, nor ",
                path, ": ", error_text(errno), "; make them with mkfifo");
  }
  if (::fstat(out.get(), &status) != 0 || !S_ISFIFO(status.st_mode)) {
    return fail("serial \"pipe:", path, "\": not a pipe; write \"file:", path, "\"");
  }
  if (!two) {
    return std::unique_ptr<Chardev>{
        std::make_unique<OnePipeChardev>(loop, std::move(in), std::move(out))};
  }
  // Now that it has a reader, ourselves, it can be opened for writing alone; then we leave.
  UniqueFd writing{::open(out_path.c_str(), O_WRONLY | kNamedPipe)};
  if (!writing) {
    return fail("serial \"pipe:", path, "\": cannot open ", out_path, ": ", error_text(errno));
  }
  out.reset();
  return std::unique_ptr<Chardev>{
      std::make_unique<PipeChardev>(loop, "pipe", std::move(in), std::move(writing), out_path)};
}

/// A descriptor of our own for one that others share: making theirs non-blocking would be felt by a
/// shell or by whoever writes the same log.
[[nodiscard]] UniqueFd reopen(int fd, int mode) noexcept {
  const int appending = ::fcntl(fd, F_GETFL) & O_APPEND;
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  UniqueFd own{::open(path.c_str(), mode | appending | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)};
  if (!own) {  // a socket, or no /proc
    own = duplicate(fd);
    if (own) {
      ::fcntl(own.get(), F_SETFL, ::fcntl(own.get(), F_GETFL) | O_NONBLOCK);
    }
  }
  return own;
}

class StdioChardev final : public StreamChardev {
 public:
  explicit StdioChardev(Loop& loop, UniqueFd in, UniqueFd out)
      : StreamChardev{loop, {.description = "stdio"}} {
    terminal_.make_raw(STDIN_FILENO, TtyMode::Keys::signals);
    set_streams(std::move(in), std::move(out));
    set_connected(true);
  }

  static Result<std::unique_ptr<Chardev>> open(Loop& loop) {
    UniqueFd in = reopen(STDIN_FILENO, O_RDONLY);
    UniqueFd out = reopen(STDOUT_FILENO, O_WRONLY);
    if (!in || !out) {
      return fail("serial \"stdio\": standard input or output is closed");
    }
    return std::unique_ptr<Chardev>{
        std::make_unique<StdioChardev>(loop, std::move(in), std::move(out))};
  }

 private:
  TtyMode terminal_;
};

[[nodiscard]] Error unsupported(std::string_view spec) {
  if (spec.starts_with("mon:")) {
    // XSA-19: what a guest or its console's user types must never reach the control channel.
    return fail("serial \"", spec, "\": there is no monitor behind a guest's serial port; write \"",
                spec.substr(4), "\" in xl.cfg, or serial = \"pty\"");
  }
  return fail(
      "serial \"", spec,
      "\" is not supported; write serial = \"pty\" in xl.cfg, or one of null, none, stdio, "
      "file:PATH, "
      "pipe:PATH, unix:PATH,server=on,wait=off, tcp:HOST:PORT,server=on,wait=off, /dev/ttyS0");
}

}  // namespace

Result<std::unique_ptr<Chardev>> open_chardev(Loop& loop,
                                              std::string_view spec,
                                              const CharLimits& limits) {
  ignore_write_signals();
  const auto rest_of = [spec](std::string_view prefix) {
    return std::string{spec.substr(prefix.size())};
  };
  if (spec == "pty") {
    return PtyChardev::open(loop);
  }
  if (spec == "null" || spec == "none") {
    return std::unique_ptr<Chardev>{std::make_unique<NullChardev>(spec)};
  }
  if (spec == "stdio") {
    return StdioChardev::open(loop);
  }
  if (spec.starts_with("file:")) {
    return FileChardev::open(loop, rest_of("file:"), limits.file_bytes);
  }
  if (spec.starts_with("pipe:")) {
    return open_pipe(loop, rest_of("pipe:"));
  }
  if (spec.starts_with("unix:") || spec.starts_with("tcp:")) {
    return SocketChardev::open(loop, spec);
  }
  if (spec.starts_with("/dev/")) {
    return TtyChardev::open(loop, std::string{spec});
  }
  return unsupported(spec);
}

}  // namespace dm::host
