// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/listen_socket.h"

namespace dm::toolstack {

using host::ListenSocket;

}  // namespace dm::toolstack
