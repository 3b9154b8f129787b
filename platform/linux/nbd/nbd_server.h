// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/obs/log.h"
#include "core/result.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/watch.h"
#include "platform/linux/unique_fd.h"

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace dm::host {

/// A qemu-nbd of our own. It serves one image in a format that it is told; it never guesses
/// (CVE-2008-2004). When it starts, it gets a listening socket whose name is already removed
/// (systemd's socket activation, sd_listen_fds(3)). It serves the one connection that is waiting
/// there, and ends with it. If this process dies first, the kernel ends it (PR_SET_PDEATHSIG),
/// which makes it flush. The log gets a few lines of what it prints.
///
/// It keeps the privileges that this process has at that moment, and is not held to the limit of
/// file sizes that dm_restrict=1 sets. Thread rule: the loop's thread only. Source: qemu-nbd(8)
/// 7.2.
class NbdServer {
 public:
  struct Image {
    std::string path;
    UniqueFd fd{};  ///< opened already, and served instead of what `path` names
    ImageFormat format = ImageFormat::qcow2;
    bool read_only = false;
    bool direct = false;  ///< O_DIRECT
  };
  /// The error names the package when there is no such program.
  [[nodiscard]] static Result<std::unique_ptr<NbdServer>> start(Loop& loop, const Image& image);
  /// Could start() work for an image that is named by its path, with the rights that this process
  /// has now?
  [[nodiscard]] static Result<> check(const Image& image);
  NbdServer(const NbdServer&) = delete;
  NbdServer& operator=(const NbdServer&) = delete;
  /// Waits until it has ended. It has five seconds to end by itself, five more after SIGTERM, then
  /// it gets SIGKILL. With a read-only image nothing can be lost, so it gets SIGKILL after a tenth
  /// of a second. Close its connection before.
  ~NbdServer();

  /// Gives our end of the connection to libnbd. Call it once.
  [[nodiscard]] UniqueFd take_connection() noexcept { return std::move(connection_); }
  /// Once the connection has failed: the reason, which is what the server printed last, or how it
  /// ended.
  [[nodiscard]] std::string last_words();

 private:
  NbdServer(Loop& loop, const Image& image);
  [[nodiscard]] bool ended_within(std::chrono::milliseconds time) noexcept;
  void on_output() noexcept;
  void take_line() noexcept;

  Loop& loop_;
  std::string name_;
  bool read_only_;
  UniqueFd connection_;
  pid_t pid_ = -1;
  int status_ = 0;  ///< as waitpid's, once pid_ is -1 again
  Watch output_;
  std::array<char, 400> line_{};
  std::size_t line_size_ = 0;
  std::array<char, 400> last_line_{};
  log::Limit log_{10};
};

}  // namespace dm::host
