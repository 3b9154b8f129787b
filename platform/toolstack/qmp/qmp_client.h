// SPDX-License-Identifier: MIT
// Internal to the QMP server.
#pragma once

#include "core/time/work.h"
#include "platform/linux/loop/alarm.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/watch.h"
#include "platform/linux/unique_fd.h"
#include "platform/toolstack/qmp/qmp_server.h"
#include "platform/toolstack/qmp/qmp_session.h"

#include <memory>
#include <string>
#include <string_view>

namespace dm::toolstack {

/// One connected QMP client. Its listener keeps it alive; so does the client itself during a call
/// from the loop. Thread rule: the loop's thread only.
class QmpClient final : public std::enable_shared_from_this<QmpClient> {
 public:
  QmpClient(host::Loop& loop,
            QmpServer::Listener& owner,
            const QmpCommands& commands,
            const QmpLimits& limits);

  /// Takes the connection and sends the greeting. Closes itself on any failure.
  void start(host::UniqueFd connection) noexcept;
  /// Ends the connection and leaves the listener's list. Idempotent.
  void close() noexcept;
  /// The listener calls this when it goes: as close(), without telling the listener.
  void abandon() noexcept;

 private:
  template <class Step>
  void guarded(Step step) noexcept;
  void drop(std::string_view why) noexcept;

  void wait_readable() noexcept;
  void on_readable() noexcept;
  void on_writable() noexcept;
  void receive();
  void take(QmpSession::Next next);
  [[nodiscard]] bool go_on() noexcept;
  void flush();
  void on_write_timeout() noexcept;

  host::Loop& loop_;
  host::Watch socket_;
  host::Alarm write_timer_;
  /// Runs when the answer of a deferred command is there. It is deferred work, because the one that
  /// brings the answer may be in the middle of something.
  Work answered_;
  QmpServer::Listener* owner_;
  const QmpLimits& limits_;
  QmpSession session_;
  std::string out_;  ///< answers that the socket has not taken yet
  bool input_ended_ = false;
};

}  // namespace dm::toolstack
