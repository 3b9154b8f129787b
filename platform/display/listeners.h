// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/result.h"
#include "platform/linux/unique_fd.h"

#include <string>

namespace dm::display {

/// Where viewers connect. All sockets listen, do not wait, and are closed by exec.
struct Listeners {
  host::UniqueFd viewers;  ///< RFB
  host::UniqueFd
      browsers;         ///< the same inside a WebSocket, which the display tells by itself; or none
  std::string host;     ///< as query-vnc says it: numbers; empty for a unix socket
  std::string service;  ///< the port, or the path
  std::string path;     ///< of a unix socket: the file to remove at the end
};

/// Makes them. With `last` the displays from `display` to `last` are tried, and the first that is
/// free is taken. Fails with words about vnclisten and vncdisplay. Thread rule: start-up.
[[nodiscard]] Result<Listeners> listen_for_viewers(const VncConfig& vnc);

}  // namespace dm::display
