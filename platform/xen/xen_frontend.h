// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports/frontend_port.h"
#include "core/result.h"
#include "platform/xen/handles.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace dm::xen {

/// The domain that has the front ends of PV devices. Its grants are mapped by /dev/xen/gntdev, its
/// event channels share one descriptor. The caller waits for descriptor() and calls dispatch().
/// Thread rule: the loop's thread only. Source: xengnttab.h, xenforeignmemory.h, xenevtchn.h.
class XenFrontend final : public FrontendPort {
 public:
  /// The most event channels at a time: one for each device.
  static constexpr std::size_t kMostChannels = 256;

  [[nodiscard]] static Result<std::unique_ptr<XenFrontend>> open(domid_t domid);
  ~XenFrontend() override;

  /// Binds the handles of memory and event channels to the domain for good. That of grants cannot
  /// be bound.
  [[nodiscard]] Result<> restrict_to_guest() noexcept;

  /// Readable when an event is pending. Non-blocking.
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  /// Reads and unmasks the pending channels, and calls the client of each once. False when the
  /// descriptor is not usable any more.
  [[nodiscard]] bool dispatch() noexcept;

  [[nodiscard]] std::byte* map_grants(std::span<const std::uint32_t> grants,
                                      bool writable) noexcept override;
  void unmap_grants(std::byte* pages, std::size_t count) noexcept override;
  [[nodiscard]] std::byte* map_frame(std::uint64_t frame) noexcept override;
  void unmap_frame(std::byte* page) noexcept override;
  [[nodiscard]] std::optional<std::uint32_t> bind(std::uint32_t remote,
                                                  EventClient& client) noexcept override;
  void unbind(std::uint32_t local) noexcept override;
  void notify(std::uint32_t local) noexcept override;

 private:
  struct Channel {
    evtchn_port_t port = 0;
    EventClient* client = nullptr;
  };

  XenFrontend(domid_t domid,
              GrantTableHandle grants,
              ForeignMemoryHandle memory,
              EvtchnHandle evtchn) noexcept;
  /// The channel with this local port, or null.
  [[nodiscard]] Channel* channel(evtchn_port_t port) noexcept;

  domid_t domid_;
  GrantTableHandle grants_;
  ForeignMemoryHandle memory_;
  EvtchnHandle evtchn_;
  int descriptor_;
  std::array<Channel, kMostChannels> channels_{};
};

}  // namespace dm::xen
