// SPDX-License-Identifier: MIT
#include "ioreq/daemon/pv_session.h"

#include "core/obs/log.h"
#include "ioreq/daemon/pv_control.h"
#include "ioreq/daemon/pv_host.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/signals.h"
#include "platform/linux/process/privileges.h"
#include "platform/toolstack/qmp/qmp_commands.h"
#include "platform/toolstack/qmp/qmp_server.h"
#include "platform/toolstack/qmp/qmp_vnc.h"
#include "platform/toolstack/store/domain_watch.h"
#include "platform/toolstack/store/store_client.h"
#include "platform/toolstack/store/xenstore.h"

#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <utility>

namespace dm {

namespace {

/// xenstored answers in milliseconds; libxl gives the whole start 60 s.
constexpr std::chrono::seconds kPatience{30};

/// The process's parts, in the order of their making. What is below may use what is above.
class PvSession {
 public:
  PvSession(const MachineConfig& config, std::uint64_t console_limit)
      : config_{config}, console_limit_{console_limit} {}
  [[nodiscard]] Result<> start();
  void run() noexcept;

 private:
  [[nodiscard]] Result<> settle();
  [[nodiscard]] Result<> listen();
  void on_domain_gone() noexcept;
  void on_signal() noexcept;

  const MachineConfig& config_;
  const std::uint64_t console_limit_;
  host::Loop loop_;
  host::SignalWatch signals_{
      loop_, {SIGTERM, SIGINT, SIGHUP}, host::Callback::bind<&PvSession::on_signal>(*this)};
  std::optional<toolstack::StoreClient> store_;
  std::unique_ptr<PvHost> pv_;
  std::optional<PvControl> control_;
  toolstack::QmpCommands commands_;
  toolstack::QmpServer qmp_{loop_, commands_};
  std::optional<toolstack::DomainWatch> domain_watch_;
  bool ending_ = false;
};

Result<> PvSession::start() {
  auto connection = toolstack::StoreClient::connect();
  if (!connection) {
    return fail("cannot reach xenstore: ", connection.error().message);
  }
  store_.emplace(loop_, std::move(*connection));
  using Kind = pv::Backends::Kind;
  auto pv = PvHost::open(loop_, *store_, config_.domid,
                         {Kind::console, Kind::qdisk, Kind::vkbd, Kind::vfb},
                         {.file_bytes = console_limit_});
  if (!pv) {
    return pv.error();
  }
  pv_ = std::move(*pv);
  if (auto settled = settle(); !settled) {
    return settled;
  }
  if (auto listening = listen(); !listening) {
    return listening;
  }
  auto xenstore = toolstack::Xenstore::open();
  if (!xenstore) {
    return xenstore.error();
  }
  if (auto reported = xenstore->report_running(config_.domid); !reported) {
    return reported;
  }
  domain_watch_.emplace(*store_, config_.domid,
                        host::Callback::bind<&PvSession::on_domain_gone>(*this));
  if (auto restricted = pv_->restrict_to_guest(); !restricted) {
    return restricted;
  }
  if (auto confined = host::confine({.chroot = config_.chroot, .run_as = config_.run_as});
      !confined) {
    return confined;
  }
  if (auto kept = host::keep_file_rights(); !kept) {
    return kept;
  }
  return {};
}

/// libxl starts the domain when it sees "running": consoles must have their files and terminals by
/// then.
Result<> PvSession::settle() {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!pv_->backends().settled() && store_->active() && !ending_) {
    const auto left = end - std::chrono::steady_clock::now();
    if (left <= left.zero()) {
      return Error{"xenstored does not answer"};
    }
    loop_.wait(left);
  }
  if (!store_->active()) {
    return Error{"the connection to xenstore was lost"};
  }
  if (auto failure = pv_->backends().failure()) {
    return *failure;
  }
  log::info("domain ", config_.domid, ": ", pv_->backends().devices(), " PV devices");
  return {};
}

Result<> PvSession::listen() {
  control_.emplace(pv_->backends(), [this] { ending_ = true; });
  toolstack::add_machine_commands(commands_, *control_, config_.name);
  if (config_.vnc && config_.vnc->password) {
    toolstack::add_needless_vnc_password(commands_);
  }
  for (const QmpSocketConfig& socket : config_.qmp) {
    if (auto listening = qmp_.listen(socket); !listening) {
      return listening.error();
    }
  }
  return {};
}

void PvSession::on_domain_gone() noexcept {
  log::info("domain ", config_.domid, " has vanished: ending");
  ending_ = true;
}

void PvSession::on_signal() noexcept {
  log::info("signal ", signals_.last(), ": ending");
  ending_ = true;
}

void PvSession::run() noexcept {
  while (!ending_) {
    loop_.wait(std::nullopt);
  }
  pv_->backends().disconnect();
  loop_.end_turn();  // what was for the other ends of consoles goes there
  pv_.reset();
}

}  // namespace

Result<> serve_pv_domain(const MachineConfig& config, std::uint64_t console_limit) {
  PvSession session{config, console_limit};
  if (auto started = session.start(); !started) {
    return started;
  }
  session.run();
  return {};
}

}  // namespace dm
