// SPDX-License-Identifier: MIT
// Internal to the QMP server.
#pragma once

#include "platform/linux/unique_fd.h"
#include "platform/toolstack/qmp/qmp_server.h"
#include "platform/toolstack/qmp/qmp_session.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace dm::toolstack {

/// One connected QMP client. Kept alive by its listener and by the waits it has under way; after
/// close() those find `owner_` null and do nothing.
class QmpClient final : public std::enable_shared_from_this<QmpClient> {
 public:
  QmpClient(boost::asio::io_context& io,
            QmpServer::Listener& owner,
            const QmpCommands& commands,
            const QmpLimits& limits);

  /// Takes the connection and greets. Closes itself on any failure.
  void start(host::UniqueFd connection) noexcept;
  /// Ends the connection and leaves the listener's list. Idempotent.
  void close() noexcept;
  /// The listener goes: as close(), without telling it.
  void abandon() noexcept;

 private:
  template <class Step>
  void guarded(Step step) noexcept;
  void drop(std::string_view why) noexcept;

  void wait_readable();
  void on_readable();
  void receive();
  void take(QmpSession::Next next);
  void on_answer() noexcept;
  void flush();
  void wait_writable();
  void arm_write_timer();

  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer write_timer_;
  QmpServer::Listener* owner_;
  const QmpLimits& limits_;
  QmpSession session_;
  std::string out_;  ///< answers that the socket has not taken yet
  bool input_ended_ = false;
  bool waiting_writable_ = false;
};

}  // namespace dm::toolstack
