// SPDX-License-Identifier: MIT
#pragma once

#include "platform/toolstack/qmp/qmp_commands.h"

#include <functional>
#include <string>
#include <string_view>

namespace dm::toolstack {

/// Of the sockets on which viewers of the screen are awaited.
struct VncPlace {
  std::string host;     ///< in numbers; empty for a unix socket
  std::string service;  ///< the port, or the path
  bool password = false;
};

/// query-vnc, change-vnc-password and set_password of a screen that is shown. libxl writes what
/// query-vnc says into xenstore, where `xl vncviewer` finds it. `set_password` gets one of 1 to any
/// number of characters without a zero; it is not called when there is no password.
void add_vnc_commands(QmpCommands& commands,
                      VncPlace place,
                      std::function<void(std::string_view)> set_password);

/// For a guest without a screen whose configuration has a password all the same: libxl sets it, and
/// ends the guest when it cannot.
void add_needless_vnc_password(QmpCommands& commands);

}  // namespace dm::toolstack
