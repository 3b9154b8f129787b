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

namespace asio = boost::asio;

namespace {

/// After accept() has failed for want of descriptors or memory: the client stays in the backlog
/// meanwhile.
constexpr std::chrono::milliseconds kAcceptRetry{500};

}  // namespace

QmpServer::Listener::Listener(asio::io_context& io,
                              const QmpCommands& commands,
                              const QmpLimits& limits,
                              host::ListenSocket socket,
                              std::string name)
    : io_{io},
      commands_{commands},
      limits_{limits},
      file_{std::move(socket)},
      name_{std::move(name)},
      socket_{io},
      retry_{io} {}

Result<> QmpServer::Listener::start() {
  boost::system::error_code error;
  socket_.assign(file_.get(), error);
  if (error) {
    return fail("the loop cannot watch the QMP socket ", name_, ": ", error.message());
  }
  (void)file_.release();
  wait_for_client();
  return {};
}

void QmpServer::Listener::close() noexcept {
  closed_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
  file_.remove_file();  // now: a wait under way keeps this object until the loop runs once more
  try {
    retry_.cancel();
  } catch (const std::exception&) {
    // It fires once more and finds closed_.
  }
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
  if (closed_ || waiting_ || clients_.size() >= limits_.max_clients) {
    return;
  }
  try {
    socket_.async_wait(asio::posix::descriptor_base::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& error) {
                         self->waiting_ = false;
                         if (!error && !self->closed_) {
                           self->on_client();
                         }
                       });
    waiting_ = true;
  } catch (const std::exception& failure) {
    log::error("QMP: nobody can connect to ", std::string_view{name_},
               " any more: ", failure.what());
  }
}

void QmpServer::Listener::on_client() noexcept {
  host::UniqueFd connection{
      ::accept4(socket_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  const int why = connection ? 0 : errno;
  try {
    if (connection) {
      auto client = std::make_shared<QmpClient>(io_, *this, commands_, limits_);
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

void QmpServer::Listener::wait_for_resources() {
  retry_.expires_after(kAcceptRetry);
  retry_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) {
      self->wait_for_client();
    }
  });
}

QmpServer::QmpServer(asio::io_context& io, const QmpCommands& commands, const QmpLimits& limits)
    : io_{io}, commands_{commands}, limits_{limits} {}

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
      std::make_shared<Listener>(io_, commands_, limits_, std::move(*socket), config.id);
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
