// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/linux/watch.h"
#include "platform/toolstack/unique_fd.h"

#include <boost/asio/io_context.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dm::toolstack {

/// Notices that a guest has vanished, although nobody told us (libxl sends SIGHUP; a domain
/// destroyed by other means, or by a toolstack that died, leaves a device model behind, whose
/// mappings keep the dead domain's memory).
///
/// Speaks xenstore's wire protocol on a connection of its own, since libxenstore starts a thread
/// for the first watch: it watches @releaseDomain, which fires when any domain shuts down or dies,
/// and asks then whether this one is still known. One that is not known at first is not missed. In
/// a soft reset libxl makes the domain unknown after it has saved our state and before it ends us
/// (libxl_create.c, soft_reset_dm_suspended), so ending then is right, too.
/// No timer; an idle host costs nothing. When xenstored goes away or does not let us watch (a stub
/// domain may not), that is told in the log, and a vanished guest is noticed at the next hypercall.
///
/// The connection has all rights of its opener and is not confined by xentoolcore_restrict_all():
/// not to be made in a process that gives its privileges up. Thread rule: the loop's thread only.
/// Source: Xen public header io/xs_wire.h; docs/misc/xenstore.txt.
class DomainWatch {
 public:
  /// To xenstored: its socket in dom0, else the kernel's device. Non-blocking, close-on-exec.
  [[nodiscard]] static Result<UniqueFd> connect();

  /// `gone` is called at most once, from the loop, and must not destroy this object. Start-up does
  /// not depend on any of this, so there is no error: active() tells.
  DomainWatch(boost::asio::io_context& context,
              UniqueFd connection,
              std::uint32_t domid,
              host::Callback gone) noexcept;
  DomainWatch(const DomainWatch&) = delete;
  DomainWatch& operator=(const DomainWatch&) = delete;
  ~DomainWatch() = default;

  [[nodiscard]] bool active() const noexcept { return active_; }

 private:
  static constexpr std::size_t kHeader = 16;
  static constexpr std::size_t kMaxPayload = 4096;  ///< XENSTORE_PAYLOAD_MAX

  void on_readable() noexcept;
  /// False when the stream makes no sense.
  [[nodiscard]] bool take_messages() noexcept;
  void handle(std::uint32_t type, std::uint32_t request, std::string_view payload) noexcept;
  void ask() noexcept;
  void answered(std::string_view payload) noexcept;
  [[nodiscard]] bool send(std::uint32_t type,
                          std::uint32_t request,
                          std::string_view payload) noexcept;
  void give_up(std::string_view why) noexcept;

  std::uint32_t domid_;
  host::Callback gone_;
  host::Watch connection_;
  bool active_ = false;
  bool known_ = false;      ///< xenstored has said once that the domain is there
  bool asking_ = false;     ///< a question is open
  bool ask_again_ = false;  ///< an event came meanwhile
  std::size_t size_ = 0;    ///< bytes in buffer_
  std::array<char, kHeader + kMaxPayload> buffer_{};
};

}  // namespace dm::toolstack
