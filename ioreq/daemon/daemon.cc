// SPDX-License-Identifier: MIT
#include "ioreq/daemon/daemon.h"

#include "ioreq/daemon/session.h"

namespace dm {

Result<> Daemon::serve(const MachineConfig& config, Home home) {
  Session session{config, home};
  if (auto started = session.start(); !started) {
    return started;
  }
  return session.run();
}

}  // namespace dm
