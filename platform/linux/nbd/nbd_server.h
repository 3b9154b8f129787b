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

/// A qemu-nbd of our own that serves one image in a format which is told to it, never guessed
/// (CVE-2008-2004). It gets a listening socket that has no name any more when it starts (systemd's
/// socket activation, sd_listen_fds(3)), serves the one connection that is waiting there, and ends
/// with it; when this process dies first, the kernel ends it (PR_SET_PDEATHSIG), which makes it
/// flush. What it prints goes to the log, a few lines of it.
///
/// It keeps the privileges that this process has at that moment, and is not held to the limit of
/// file sizes that dm_restrict=1 sets. Thread rule: the loop's thread only.
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
  NbdServer(const NbdServer&) = delete;
  NbdServer& operator=(const NbdServer&) = delete;
  /// Waits until it has ended, five seconds before it is told to and five more before it is made
  /// to; of a read-only image, where nothing can be lost, a tenth of a second before it is made to.
  /// Its connection is closed by then.
  ~NbdServer();

  /// Our end of the connection, for libnbd. Once.
  [[nodiscard]] UniqueFd take_connection() noexcept { return std::move(connection_); }
  /// Why it is no good, once the connection has failed: what it printed last, or how it ended.
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
