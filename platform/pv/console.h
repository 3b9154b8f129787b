// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/log.h"
#include "platform/pv/driver.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace dm::pv {

/// The backend of one PV console: it moves bytes between the guest's two rings and a character
/// device of the host (pty, file, pipe...), which the `output` node names.
///
/// The guest may write to the page at any moment. So each index is read once, and the distance
/// between the two indices of a ring is checked against its size. If it is too large, the bytes are
/// dropped: the guest has then lost its own bytes. One unit of work moves at most what the two
/// rings hold. If the host's side takes no more, bytes stay in the ring and the guest waits, which
/// is the flow control; the character device's own patience ends it. Thread rule: the loop's thread
/// only. Source: Xen public header io/console.h.
class Console final : public Driver, private EventClient, private CharClient {
 public:
  struct Counters {
    std::uint64_t out = 0;          ///< bytes from the guest
    std::uint64_t in = 0;           ///< bytes to the guest
    std::uint64_t bad_indices = 0;  ///< times that a ring claimed more than it holds
  };

  /// `host` outlives it. `id` 0 is the console that the domain was made with.
  Console(const Host& host, std::uint32_t id);
  ~Console() override;

  [[nodiscard]] Keys toolstack_keys() const override { return {"type", "output"}; }
  [[nodiscard]] Keys frontend_keys() const override { return {"ring-ref", "port"}; }
  [[nodiscard]] bool always_ready() const noexcept override { return id_ == 0; }
  [[nodiscard]] Result<std::optional<Nodes>> prepare(const Values& values) override;
  [[nodiscard]] Result<Nodes> connect(const Values& values) override;
  void disconnect() noexcept override;
  [[nodiscard]] std::optional<ChardevInfo> chardev_info() const override;
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

 private:
  void on_event() noexcept override { work_.schedule(); }
  void on_readable() noexcept override { work_.schedule(); }
  void on_writable() noexcept override { work_.schedule(); }
  void on_lines(ModemLines) noexcept override {}

  bool serve() noexcept;
  [[nodiscard]] bool move_output() noexcept;
  [[nodiscard]] bool move_input() noexcept;

  const Host& host_;
  const std::uint32_t id_;
  std::unique_ptr<CharBackend> target_;
  Work work_;
  std::byte* page_ = nullptr;
  std::uint32_t port_ = 0;
  Counters counters_;
  log::Limit complaints_{1};
};

}  // namespace dm::pv
