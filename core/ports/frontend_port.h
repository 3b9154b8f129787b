// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dm {

/// Hears the event channel of one PV device.
class EventClient {
 public:
  EventClient() = default;
  EventClient(const EventClient&) = delete;
  EventClient& operator=(const EventClient&) = delete;
  virtual ~EventClient() = default;

  /// From the loop. The channel is unmasked already: what comes meanwhile is told again.
  virtual void on_event() noexcept = 0;
};

/// Port to the domain at the other end of PV devices: the pages that it shares, the event channels
/// that it offers. All numbers come from the guest; whatever they are, the answer is a mapping of
/// its own memory or a refusal. Thread rule: the loop's thread only; mapped pages may be touched by
/// any.
/// Source: Xen public headers grant_table.h, event_channel.h.
class FrontendPort {
 public:
  static constexpr std::size_t kPage = 4096;
  /// Most pages of one mapping.
  static constexpr std::size_t kMostGrants = 256;

  FrontendPort() = default;
  FrontendPort(const FrontendPort&) = delete;
  FrontendPort& operator=(const FrontendPort&) = delete;
  virtual ~FrontendPort() = default;

  /// Pages by grant references, one after the other; 1 to kMostGrants. Null when any of them cannot
  /// be had.
  [[nodiscard]] virtual std::byte* map_grants(std::span<const std::uint32_t> grants,
                                              bool writable) noexcept = 0;
  virtual void unmap_grants(std::byte* pages, std::size_t count) noexcept = 0;
  /// A page by its frame number (of the machine for a PV domain): console 0 only, for which the
  /// toolstack, not the guest, names the frame.
  [[nodiscard]] virtual std::byte* map_frame(std::uint64_t frame) noexcept = 0;
  virtual void unmap_frame(std::byte* page) noexcept = 0;

  /// Our end of a channel that the domain offers, or nothing. `client` hears of it until unbind().
  [[nodiscard]] virtual std::optional<std::uint32_t> bind(std::uint32_t remote,
                                                          EventClient& client) noexcept = 0;
  virtual void unbind(std::uint32_t local) noexcept = 0;
  virtual void notify(std::uint32_t local) noexcept = 0;
};

}  // namespace dm
