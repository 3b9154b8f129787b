// SPDX-License-Identifier: MIT
#include "ioreq/daemon/hvm_broker.h"

#include "core/obs/log.h"
#include "platform/linux/listen_socket.h"
#include "platform/toolstack/store/store_client.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <string_view>
#include <utility>

namespace dm {

namespace {

/// "unix:PATH,server=on,wait=off" names a file that the worker makes.
[[nodiscard]] std::string socket_of(const SerialConfig& serial) {
  constexpr std::string_view kUnix = "unix:";
  if (!serial.backend.starts_with(kUnix) || serial.backend.find(",server") == std::string::npos) {
    return {};
  }
  return serial.backend.substr(kUnix.size(), serial.backend.find(',') - kUnix.size());
}

}  // namespace

HvmBroker::HvmBroker(const MachineConfig& config, Parts parts)
    : domid_{config.domid},
      sockets_{std::move(parts.socket)},
      store_line_{std::move(parts.store_line)} {
  if (parts.screen) {
    screen_.emplace(std::move(*parts.screen));
  }
  for (const QmpSocketConfig& qmp : config.qmp) {
    sockets_.push_back(qmp.path);
  }
  for (const auto& serial : config.serial) {
    sockets_.push_back(serial ? socket_of(*serial) : std::string{});
  }
  std::erase_if(sockets_, [](const std::string& path) { return path.empty(); });
}

std::vector<int> HvmBroker::inherited() const {
  std::vector<int> kept{store_line_.get()};
  if (screen_) {
    const std::vector<int> its = screen_->inherited();
    kept.insert(kept.end(), its.begin(), its.end());
  }
  return kept;
}

void HvmBroker::open() {
  if (auto opened = xen::SleepState::open(static_cast<xen::DomId>(domid_)); opened) {
    sleep_ = std::move(*opened);
  } else {
    log::info("no S3 for this guest: ", std::string_view{opened.error().message});
  }
  if (!store_line_) {
    return;
  }
  if (auto store = toolstack::StoreClient::connect(); store) {
    gate_.emplace(domid_, std::move(store_line_), std::move(*store));
  } else {
    log::info("xenstore does not tell when the domain vanishes: ",
              std::string_view{store.error().message});
    store_line_.reset();  // the worker hears of it
  }
}

int HvmBroker::sleep(std::uint32_t state) noexcept {
  return sleep_ != nullptr ? sleep_->set(state) : EOPNOTSUPP;
}

// The gate's are the first, the screen's come behind them.

void HvmBroker::fill(std::span<pollfd, kMostWaits> waits) const noexcept {
  static_assert(toolstack::StoreGate::kWaits + display::Launcher::kWaits <= kMostWaits);
  Broker::fill(waits);
  if (gate_) {
    std::ranges::copy(gate_->waits(), waits.begin());
  }
  if (screen_) {
    std::ranges::copy(screen_->waits(), waits.begin() + toolstack::StoreGate::kWaits);
  }
}

void HvmBroker::run(std::span<const pollfd, kMostWaits> ready) noexcept {
  if (gate_) {
    gate_->run(ready.first<toolstack::StoreGate::kWaits>());
  }
  if (screen_) {
    screen_->run(ready.subspan<toolstack::StoreGate::kWaits, display::Launcher::kWaits>());
  }
}

void HvmBroker::child_ended(pid_t child) noexcept {
  if (screen_) {
    screen_->child_ended(child);
  }
}

/// The worker cannot: its root directory is empty.
void HvmBroker::worker_ended() noexcept {
  if (screen_) {
    screen_->stop();
  }
  try {
    for (const std::string& path : sockets_) {
      host::ListenSocket::remove_abandoned(path);
    }
  } catch (const std::exception& failure) {
    log::warning("a socket's file may be left: ", failure.what());
  }
}

}  // namespace dm
