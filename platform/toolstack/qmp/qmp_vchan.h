// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/toolstack/qmp/qmp_session.h"
#include "platform/toolstack/qmp/vchan_ring.h"

#include <cstddef>
#include <optional>
#include <string>

namespace dm::toolstack {

/// What a vchan server stands on: a page shared with the client's domain, and a bell.
class VchanLine {
 public:
  virtual ~VchanLine() = default;
  /// A page that no client has seen; the one before it is gone. In the start as well as later.
  [[nodiscard]] virtual Result<std::span<std::byte, VchanRing::kPage>> new_page() = 0;
  /// Tells clients of the new page, now that it is laid out.
  [[nodiscard]] virtual Result<> announce() = 0;
  /// Notifies whoever has the page.
  virtual void ring_bell() noexcept = 0;
};

/// QMP for a toolstack in another domain: the byte stream of the unix socket over a vchan, one
/// client after the other (vchan-socket-proxy in dom0, for libxl). No descriptors can come.
///
/// A ring is used again for the next client when nothing was left in it; otherwise there is a new
/// one, because what an old client has not read would be the first that the next one reads. A
/// client that breaks the rules, or asks without reading, gets a new ring as well, which closes its
/// socket in dom0. Nothing a client does ends the process, blocks the loop or grows memory without
/// bound. Thread rule: the loop's thread only.
class QmpVchan {
 public:
  /// Answers that a client has not read. Beyond it, it is dropped.
  static constexpr std::size_t kMaxOutput = 262'144;

  /// `commands` and `line` outlive it.
  QmpVchan(const QmpCommands& commands, VchanLine& line) noexcept
      : commands_{commands}, line_{line} {}
  QmpVchan(const QmpVchan&) = delete;
  QmpVchan& operator=(const QmpVchan&) = delete;
  ~QmpVchan();

  [[nodiscard]] Result<> start();
  /// To be called when the client has rung. Takes one ring's length of input at most; true when
  /// there is more, and it is to be called again after a look at the guest.
  [[nodiscard]] bool serve() noexcept;
  [[nodiscard]] bool has_client() const noexcept { return session_.has_value(); }
  /// Bytes of answers that the ring has no room for yet.
  [[nodiscard]] std::size_t unsent() const noexcept { return out_.size(); }

 private:
  [[nodiscard]] bool exchange();
  [[nodiscard]] bool flush();
  void begin();
  void end() noexcept;
  void replace(std::string_view why) noexcept;

  const QmpCommands& commands_;
  VchanLine& line_;
  std::optional<VchanRing> ring_;
  std::optional<QmpSession> session_;  ///< of the client that is there
  std::string out_;                    ///< answers that the ring has no room for yet
};

}  // namespace dm::toolstack
