// SPDX-License-Identifier: MIT
#include "platform/linux/net/net.h"

#include "platform/linux/net/packet_net.h"
#include "platform/linux/net/tap_net.h"

namespace dm::host {

namespace {

template <class Backend>
Result<std::unique_ptr<NetBackend>> any(Result<std::unique_ptr<Backend>> made) {
  if (!made) {
    return made.error();
  }
  return std::unique_ptr<NetBackend>{std::move(*made)};
}

}  // namespace

Result<std::unique_ptr<NetBackend>> open_net(Loop& loop, const NicConfig& config) {
  if (!config.interface.empty()) {
    return any(PacketNet::create(loop, config.interface, config.mac));
  }
  if (config.tap_fd >= 0) {
    return any(TapNet::adopt(loop, UniqueFd{config.tap_fd}));
  }
  return any(TapNet::create(loop, config.tap_name));
}

}  // namespace dm::host
