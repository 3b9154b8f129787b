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
/// JSON object on one line that ends in \r\n; libxl splits the stream by these (libxl_qmp.c).
/// Errors are answered as QEMU answers them (QEMU qobject/json-*.c, qapi/qmp-dispatch.c), but a
/// text that cannot become a command is answered at its first wrong byte. Thread rule: the loop's
/// thread only.
class QmpSession {
 public:
  /// Most bytes of one command. libxl's longest has some 200.
  static constexpr std::size_t kMaxCommand = 65'536;

  enum class Next : std::uint8_t {
    go_on,
    wait,  ///< a command has deferred its answer: feed no more until `resumed` is called
    drop,  ///< the client broke the rules: send the output, then close
  };

  /// `commands` outlives the session. `resumed` is called from the loop when a deferred answer is
  /// there; the next call must then be resume(). Without `resumed`, a command that defers its
  /// answer fails.
  explicit QmpSession(const QmpCommands& commands, std::function<void()> resumed = {})
      : commands_{commands}, resumed_{std::move(resumed)} {}
  QmpSession(const QmpSession&) = delete;
  QmpSession& operator=(const QmpSession&) = delete;
  ~QmpSession();

  /// The first message on a new connection.
  [[nodiscard]] static std::string greeting();
  /// Takes the next bytes, in pieces of any size, and appends the answers to `out`. Stops early
  /// when `out` has grown beyond `max_out` bytes: that client sends without reading.
  [[nodiscard]] Next feed(std::string_view bytes, std::string& out, std::size_t max_out);
  /// Appends the deferred answer, and goes on with what came after that command.
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
  std::shared_ptr<QmpDeferral> deferral_;  ///< of the command that has deferred its answer
  std::optional<boost::json::value> deferred_id_;
  std::string answer_;  ///< its answer
  std::string held_;    ///< what came after it: less than one feed()
  bool negotiated_ = false;
};

}  // namespace dm::toolstack
