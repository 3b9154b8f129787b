// SPDX-License-Identifier: MIT
#include "ioreq/daemon/probe_session.h"

#include "core/obs/log.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/signals.h"
#include "platform/toolstack/qmp/qmp_commands.h"
#include "platform/toolstack/qmp/qmp_probe.h"
#include "platform/toolstack/qmp/qmp_server.h"

#include <chrono>
#include <csignal>

namespace dm {

namespace {

/// libxl gives up after 60 s. Whoever has started us may have died.
constexpr std::chrono::seconds kPatience{120};

class ProbeSession {
 public:
  [[nodiscard]] Result<> run(const MachineConfig& config);

 private:
  void on_signal() noexcept { ending_ = true; }

  host::Loop loop_;
  host::SignalWatch signals_{
      loop_, {SIGTERM, SIGINT, SIGHUP}, host::Callback::bind<&ProbeSession::on_signal>(*this)};
  toolstack::QmpCommands commands_;
  toolstack::QmpServer qmp_{loop_, commands_};
  bool ending_ = false;
};

Result<> ProbeSession::run(const MachineConfig& config) {
  toolstack::add_probe_commands(commands_, [this] { ending_ = true; });
  for (const QmpSocketConfig& socket : config.qmp) {
    if (auto listening = qmp_.listen(socket); !listening) {
      return listening;
    }
  }
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!ending_) {
    const auto left = end - std::chrono::steady_clock::now();
    if (left <= left.zero()) {
      return Error{"-machine none: nobody has sent quit"};
    }
    loop_.wait(left);
  }
  loop_.end_turn();  // the answer to quit goes out
  return {};
}

}  // namespace

Result<> serve_probe(const MachineConfig& config) {
  return ProbeSession{}.run(config);
}

}  // namespace dm
