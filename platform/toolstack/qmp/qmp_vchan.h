// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/toolstack/qmp/qmp_session.h"
#include "platform/toolstack/qmp/vchan_ring.h"

#include <cstddef>
#include <optional>
#include <string>

namespace dm::toolstack {

/// What a vchan server needs: a page that it shares with the client's domain, and an event channel
/// to notify the client.
class VchanLine {
 public:
  virtual ~VchanLine() = default;
  /// Makes a page that no client has seen, at the start and later. The page before it is gone.
  [[nodiscard]] virtual Result<std::span<std::byte, VchanRing::kPage>> new_page() = 0;
  /// Tells clients of the new page. Call it when the page has its layout.
  [[nodiscard]] virtual Result<> announce() = 0;
  /// Notifies the client that has mapped the page.
  virtual void ring_bell() noexcept = 0;
};

/// QMP for a toolstack in another domain: the byte stream of the unix socket, over a vchan, for one
/// client after the other (vchan-socket-proxy in dom0, for libxl). Descriptors cannot be passed.
///
/// A ring is used again for the next client if nothing was left in it. Otherwise there is a new
/// one, because the next client would first read what the old one left. A client that breaks the
/// rules, or asks without reading, gets a new ring as well, which closes its socket in dom0. No
/// client can end the process, block the loop or grow memory without limit. Thread rule: the loop's
/// thread only. Source: Xen tools/vchan/vchan-socket-proxy.c.
class QmpVchan {
 public:
  /// Bytes of answers that a client has not read. A client that leaves more unread is dropped.
  static constexpr std::size_t kMaxOutput = 262'144;

  /// `commands` and `line` outlive this object.
  QmpVchan(const QmpCommands& commands, VchanLine& line) noexcept
      : commands_{commands}, line_{line} {}
  QmpVchan(const QmpVchan&) = delete;
  QmpVchan& operator=(const QmpVchan&) = delete;
  ~QmpVchan();

  [[nodiscard]] Result<> start();
  /// Call it when the client has notified us. Takes at most one ring of input. True when there is
  /// more: call it again after a look at the guest's requests.
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
  std::optional<QmpSession> session_;  ///< with the present client
  std::string out_;                    ///< answers that the ring has no room for yet
};

}  // namespace dm::toolstack
