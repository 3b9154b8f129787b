// SPDX-License-Identifier: MIT
#pragma once

#include "platform/toolstack/qmp_commands.h"
#include "platform/toolstack/qmp_framing.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace dm::toolstack {

/// One client's conversation, without its transport: bytes in, bytes out. Every message out is one
/// JSON object on one line that ends in \r\n, which is what libxl cuts the stream by (libxl_qmp.c).
/// Thread rule: the loop's thread only.
class QmpSession {
 public:
  /// Bytes of one command. libxl's longest has some 200.
  static constexpr std::size_t kMaxCommand = 65'536;

  enum class Next : std::uint8_t {
    go_on,
    drop,  ///< the client broke the rules: send what there is to send and close
  };

  /// `commands` outlives the session.
  explicit QmpSession(const QmpCommands& commands) noexcept : commands_{commands} {}

  /// The first message on a new connection.
  [[nodiscard]] static std::string greeting();
  /// Takes what has come, in pieces of any size, and appends the answers to `out`. Stops early when
  /// `out` has grown beyond `max_out`: that client sends without reading.
  [[nodiscard]] Next feed(std::string_view bytes, std::string& out, std::size_t max_out);
  [[nodiscard]] QmpDescriptors& descriptors() noexcept { return descriptors_; }

 private:
  void answer(std::string& out);
  [[nodiscard]] QmpResult execute(const boost::json::object& request);

  const QmpCommands& commands_;
  ObjectScanner scanner_;
  std::string command_;
  QmpDescriptors descriptors_;
  bool negotiated_ = false;
};

}  // namespace dm::toolstack
