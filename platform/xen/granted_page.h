// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/xen/dm_ops.h"
#include "platform/xen/handles.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace dm::xen {

/// One page of this domain that one other domain may map, and an event channel that both ends may
/// signal. A vchan server uses it. The channel stays the same when the page is replaced. Thread
/// rule: the loop's thread only. Source: xengnttab.h (gntshr), Linux drivers/xen/gntalloc.c,
/// Documentation/ABI of /dev/xen/gntalloc.
class GrantedPage {
 public:
  static constexpr std::size_t kSize = 4096;

  /// Opens /dev/xen/gntalloc and /dev/xen/evtchn and offers `peer` a channel. There is no page yet.
  [[nodiscard]] static Result<std::unique_ptr<GrantedPage>> open(DomId peer);
  GrantedPage(const GrantedPage&) = delete;
  GrantedPage& operator=(const GrantedPage&) = delete;
  ~GrantedPage();

  /// Gives the page back and makes a new one. If the peer still maps the old page, it keeps it, but
  /// shares it with nobody. When this process ends, in any way, the kernel sets byte `alive_at` of
  /// the page to 0 and signals the channel.
  [[nodiscard]] Result<std::span<std::byte, kSize>> replace(std::uint32_t alive_at);

  [[nodiscard]] std::uint32_t reference() const noexcept { return reference_; }
  [[nodiscard]] evtchn_port_t port() const noexcept { return port_; }
  void notify() noexcept;

  /// Readable when the other end has signalled; non-blocking.
  [[nodiscard]] int descriptor() const noexcept { return xenevtchn_fd(channel_.get()); }
  /// Call it when the descriptor is readable. False when the kernel has taken the channel away.
  [[nodiscard]] bool acknowledge() noexcept;

 private:
  using ShareHandle = std::unique_ptr<xengntdev_handle, Closer<&xengntshr_close>>;

  GrantedPage(ShareHandle share, EvtchnHandle channel, evtchn_port_t port, DomId peer) noexcept
      : share_{std::move(share)}, channel_{std::move(channel)}, port_{port}, peer_{peer} {}
  void give_back() noexcept;

  ShareHandle share_;
  EvtchnHandle channel_;
  evtchn_port_t port_;
  DomId peer_;
  std::uint32_t reference_ = 0;
  void* page_ = nullptr;
};

}  // namespace dm::xen
