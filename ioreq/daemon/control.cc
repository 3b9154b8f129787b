// SPDX-License-Identifier: MIT
#include "ioreq/daemon/control.h"

#include <string>
#include <utility>

namespace dm {

Control::Control(const MachineConfig& config,
                 Machine& machine,
                 host::HostClock& clock,
                 Actions actions)
    : config_{config},
      machine_{machine},
      clock_{clock},
      actions_{std::move(actions)},
      prelaunch_{config.start_paused},
      running_{!config.start_paused} {
  if (prelaunch_) {
    clock_.pause();
  }
}

std::vector<ChardevInfo> Control::chardevs() const {
  std::vector<ChardevInfo> all;
  for (std::size_t i = 0; i < machine_.serial().size(); ++i) {
    if (const auto& port = machine_.serial()[i]; port != nullptr) {
      all.push_back({.label = "serial" + std::to_string(i),
                     .filename = std::string{port->backend().description()}});
    }
  }
  return all;
}

void Control::cont() noexcept {
  if (running_) {
    return;
  }
  if (prelaunch_) {
    prelaunch_ = false;
    if (!actions_.launch()) {
      actions_.quit();
      return;
    }
  }
  running_ = true;
  clock_.resume();
  machine_.resume();
}

void Control::stop() noexcept {
  if (running_) {
    machine_.pause();
    clock_.pause();
    running_ = false;
  }
}

}  // namespace dm
