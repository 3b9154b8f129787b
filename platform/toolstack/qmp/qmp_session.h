// SPDX-License-Identifier: MIT
#pragma once

#include "platform/toolstack/qmp/qmp_commands.h"
#include "platform/toolstack/qmp/qmp_framing.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace dm::toolstack {

/// One client's conversation, without its transport: bytes in, bytes out. Every message out is one
/// JSON object on one line that ends in \r\n, which is what libxl cuts the stream by (libxl_qmp.c).
/// What is wrong is answered as QEMU answers it (QEMU qobject/json-*.c, qapi/qmp-dispatch.c), a
/// text that cannot become a command with its first wrong byte. Thread rule: the loop's thread
/// only.
class QmpSession {
 public:
  /// Bytes of one command. libxl's longest has some 200.
  static constexpr std::size_t kMaxCommand = 65'536;

  enum class Next : std::uint8_t {
    go_on,
    wait,  ///< a command takes its time: feed no more until `resumed` has been called
    drop,  ///< the client broke the rules: send what there is to send and close
  };

  /// `commands` outlives the session. `resumed` is called from the loop when an answer that was
  /// waited for is there, and resume() is the next call then. Without it no command may take its
  /// time here: such a one fails.
  explicit QmpSession(const QmpCommands& commands, std::function<void()> resumed = {})
      : commands_{commands}, resumed_{std::move(resumed)} {}
  QmpSession(const QmpSession&) = delete;
  QmpSession& operator=(const QmpSession&) = delete;
  ~QmpSession();

  /// The first message on a new connection.
  [[nodiscard]] static std::string greeting();
  /// Takes what has come, in pieces of any size, and appends the answers to `out`. Stops early when
  /// `out` has grown beyond `max_out`: that client sends without reading.
  [[nodiscard]] Next feed(std::string_view bytes, std::string& out, std::size_t max_out);
  /// Appends the answer that was waited for, and goes on with what had come after that command.
  [[nodiscard]] Next resume(std::string& out, std::size_t max_out);
  [[nodiscard]] bool waiting() const noexcept { return deferral_ != nullptr; }
  [[nodiscard]] QmpDescriptors& descriptors() noexcept { return descriptors_; }

 private:
  void answer(std::string& out);
  [[nodiscard]] QmpResult execute(const boost::json::object& request,
                                  std::shared_ptr<QmpDeferral>& deferral);
  void await(std::shared_ptr<QmpDeferral> deferral);

  const QmpCommands& commands_;
  ObjectScanner scanner_;
  std::string command_;
  QmpDescriptors descriptors_;
  std::function<void()> resumed_;
  std::shared_ptr<QmpDeferral> deferral_;  ///< of the command that takes its time
  std::optional<boost::json::value> deferred_id_;
  std::string answer_;  ///< its answer
  std::string held_;    ///< what came after it: less than one feed()
  bool negotiated_ = false;
};

}  // namespace dm::toolstack
