// SPDX-License-Identifier: MIT
#include "platform/toolstack/qmp/qmp_server.h"

#include "core/obs/log.h"
#include "platform/linux/error_text.h"
#include "platform/linux/listen_socket.h"
#include "platform/toolstack/qmp/qmp_client.h"
#include "platform/toolstack/qmp/qmp_listener.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <string>
#include <utility>

namespace dm::toolstack {

namespace {

/// After accept() has failed for want of descriptors or memory: the client stays in the backlog
/// meanwhile.
constexpr std::chrono::milliseconds kAcceptRetry{500};

}  // namespace

QmpServer::Listener::Listener(host::Loop& loop,
                              const QmpCommands& commands,
                              const QmpLimits& limits,
                              host::ListenSocket socket,
                              std::string name)
    : loop_{loop},
      commands_{commands},
      limits_{limits},
      file_{std::move(socket)},
      name_{std::move(name)},
      retry_{loop, host::Callback::bind<&Listener::wait_for_client>(*this)} {}

Result<> QmpServer::Listener::start() {
  socket_ = host::Watch{loop_, host::UniqueFd{file_.release()},
                        host::Callback::bind<&Listener::on_client>(*this)};
  // The timer is for the time when no descriptors are left.
  if (!socket_.ok() || !retry_.prepare()) {
    return fail("the loop cannot watch the QMP socket ", name_, ": ", host::error_text(errno));
  }
  wait_for_client();
  return {};
}

void QmpServer::Listener::close() noexcept {
  closed_ = true;
  socket_ = host::Watch{};
  file_.remove_file();
  retry_.cancel();
  for (const auto& client : clients_) {
    client->abandon();
  }
  clients_.clear();
}

void QmpServer::Listener::remove(const QmpClient& client) noexcept {
  const auto found = std::find_if(clients_.begin(), clients_.end(),
                                  [&](const auto& c) { return c.get() == &client; });
  if (found != clients_.end()) {
    clients_.erase(found);
  }
  wait_for_client();
}

void QmpServer::Listener::wait_for_client() noexcept {
  if (!closed_ && clients_.size() < limits_.max_clients) {
    socket_.await_readable();
  }
}

void QmpServer::Listener::on_client() noexcept {
  host::UniqueFd connection{
      ::accept4(socket_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  const int why = connection ? 0 : errno;
  try {
    if (connection) {
      auto client = std::make_shared<QmpClient>(loop_, *this, commands_, limits_);
      clients_.push_back(client);
      client->start(std::move(connection));
    } else if (why != EAGAIN && why != EINTR && why != ECONNABORTED) {
      static log::Limit limit;
      limit.warning("QMP: a client of ", std::string_view{name_},
                    " has to wait: ", host::error_text(why));
      wait_for_resources();
      return;
    }
  } catch (const std::exception& failure) {
    log::warning("QMP: a client of ", std::string_view{name_},
                 " could not be served: ", failure.what());
  }
  wait_for_client();
}

void QmpServer::Listener::wait_for_resources() noexcept {
  retry_.arm(kAcceptRetry);
}

QmpServer::QmpServer(host::Loop& loop, const QmpCommands& commands, const QmpLimits& limits)
    : loop_{loop}, commands_{commands}, limits_{limits} {}

QmpServer::~QmpServer() {
  for (const auto& listener : listeners_) {
    listener->close();
  }
}

Result<> QmpServer::listen(const QmpSocketConfig& config) {
  constexpr int kWaiting = 16;
  auto socket = config.fd >= 0
                    ? host::ListenSocket::adopt(config.fd)
                    : host::ListenSocket::make(config.path, kWaiting,
                                               {.advice = ": does this domain have a device "
                                                          "model already?"});
  if (!socket) {
    return fail("QMP socket ", config.id, ": ", socket.error().message);
  }
  auto listener =
      std::make_unique<Listener>(loop_, commands_, limits_, std::move(*socket), config.id);
  if (const auto started = listener->start(); !started) {
    return started.error();
  }
  listeners_.push_back(std::move(listener));
  return {};
}

std::size_t QmpServer::clients() const noexcept {
  std::size_t count = 0;
  for (const auto& listener : listeners_) {
    count += listener->clients();
  }
  return count;
}

}  // namespace dm::toolstack
