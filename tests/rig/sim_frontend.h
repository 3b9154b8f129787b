// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports/frontend_port.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>

namespace dm::rig {

/// A domain with front ends, made of plain memory: pages that it has granted are mapped a second
/// time where the backend asks, side by side and with the rights that it asks for, so that a write
/// through a read-only mapping, or after unmapping, ends the test as it would end the program.
class SimFrontend final : public FrontendPort {
 public:
  static constexpr std::size_t kPages = 2048;

  SimFrontend();
  ~SimFrontend() override;

  // The guest's side
  /// Page `index` of the guest's memory.
  [[nodiscard]] std::byte* page(std::size_t index) noexcept { return memory_ + index * kPage; }
  /// Grants a page; the reference is the caller's choice.
  void grant(std::uint32_t reference, std::size_t page, bool read_only = false) {
    grants_[reference] = {page, read_only};
  }
  void revoke(std::uint32_t reference) { grants_.erase(reference); }
  /// Offers an event channel; `port` is the caller's choice.
  void offer(std::uint32_t port) { offered_[port] = 0; }
  /// Notifies the backend. False when it has not bound the channel.
  bool kick(std::uint32_t port);
  /// Notifications that came from the backend on a channel since the last call.
  std::uint64_t kicks(std::uint32_t port) { return std::exchange(offered_[port], 0); }

  [[nodiscard]] std::size_t mapped_pages() const noexcept { return mapped_; }
  [[nodiscard]] std::size_t bound() const noexcept { return bound_.size(); }
  std::size_t most_mapped = 0;
  std::uint64_t maps = 0;  ///< calls

  // The backend's side
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
  struct Grant {
    std::size_t page;
    bool read_only;
  };
  struct Binding {
    std::uint32_t remote;
    EventClient* client;
  };

  [[nodiscard]] bool map_page(std::byte* at, std::size_t page, bool writable) noexcept;

  int fd_ = -1;
  std::byte* memory_ = nullptr;
  std::map<std::uint32_t, Grant> grants_;
  std::map<std::uint32_t, std::uint64_t> offered_;
  std::map<std::uint32_t, Binding> bound_;
  std::uint32_t next_port_ = 1000;
  std::size_t mapped_ = 0;
};

}  // namespace dm::rig
