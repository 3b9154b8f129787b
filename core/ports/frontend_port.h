// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dm {

/// Is told of events on the channel of one PV device.
class EventClient {
 public:
  EventClient() = default;
  EventClient(const EventClient&) = delete;
  EventClient& operator=(const EventClient&) = delete;
  virtual ~EventClient() = default;

  /// Called from the loop. The channel is already unmasked, so an event that comes during the call
  /// is told again.
  virtual void on_event() noexcept = 0;
};

/// Port to the domain at the other end of PV devices: the pages that it shares and the event
/// channels that it offers. All numbers come from the guest. Whatever they are, the result is a
/// mapping of the guest's own memory or a refusal. Thread rule: the loop's thread only; any thread
/// may touch mapped pages. Source: Xen public headers grant_table.h, event_channel.h.
class FrontendPort {
 public:
  static constexpr std::size_t kPage = 4096;
  /// Most pages of one mapping. A page has kPage bytes.
  static constexpr std::size_t kMostGrants = 256;

  FrontendPort() = default;
  FrontendPort(const FrontendPort&) = delete;
  FrontendPort& operator=(const FrontendPort&) = delete;
  virtual ~FrontendPort() = default;

  /// Maps 1 to kMostGrants pages by their grant references, one after the other. Null when any of
  /// them cannot be mapped.
  [[nodiscard]] virtual std::byte* map_grants(std::span<const std::uint32_t> grants,
                                              bool writable) noexcept = 0;
  virtual void unmap_grants(std::byte* pages, std::size_t count) noexcept = 0;
  /// Maps a page by its frame number (a machine frame for a PV domain). For console 0 only: the
  /// toolstack, not the guest, names that frame. Null when it cannot be mapped.
  [[nodiscard]] virtual std::byte* map_frame(std::uint64_t frame) noexcept = 0;
  virtual void unmap_frame(std::byte* page) noexcept = 0;

  /// Binds a channel that the domain offers, and returns our local port, or nothing. `client` is
  /// told of its events until unbind().
  [[nodiscard]] virtual std::optional<std::uint32_t> bind(std::uint32_t remote,
                                                          EventClient& client) noexcept = 0;
  virtual void unbind(std::uint32_t local) noexcept = 0;
  virtual void notify(std::uint32_t local) noexcept = 0;
};

}  // namespace dm
