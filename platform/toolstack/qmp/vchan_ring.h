// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace dm::toolstack {

/// The server's end of a libxenvchan connection: one page of memory that two domains share, with a
/// ring of bytes each way. No event channel, no xenstore: only what lies in the page.
///
/// The client may write anything to the page at any time. What we own (our two indices) is kept
/// here and only shown in the page; what the client owns is read once, checked, and used from the
/// copy. The layout is struct vchan_interface of Xen's public header io/libxenvchan.h; who writes
/// what when, and which notices are asked for, is tools/libs/vchan/{init,io}.c.
/// Thread rule: the loop's thread only.
class VchanRing {
 public:
  static constexpr std::size_t kPage = 4096;
  /// Where in the page is said that we serve it: 0 when we are gone.
  static constexpr std::uint32_t kAliveAt = 21;
  static constexpr std::uint32_t kFromClient = 1024;  ///< bytes of the client's ring ("left")
  static constexpr std::uint32_t kToClient = 2048;    ///< bytes of ours ("right")

  enum class Client : std::uint8_t {
    away,   ///< not yet there, or gone
    fresh,  ///< has just come; greet() it
    known,
  };

  /// Lays out the page, which nobody else may see yet. `page` is aligned as one and outlives this.
  explicit VchanRing(std::span<std::byte, kPage> page) noexcept;

  [[nodiscard]] Client client() noexcept;
  /// The fresh client is known from now on; what the one before it has sent is forgotten.
  void greet() noexcept;
  /// The client is gone: whoever comes next is fresh.
  void part() noexcept;
  /// Good for another client: everything written has been read, or the next one would take it for
  /// its own; and what only we write is as we wrote it, or it would take the ring for another's or
  /// for dead.
  [[nodiscard]] bool reusable() const noexcept;
  /// Tells the client that this page is served no more.
  void hang_up() noexcept;

  /// Bytes taken, 0 when there are none; nothing when the client's index makes no sense.
  [[nodiscard]] std::optional<std::size_t> read(std::span<char> to) noexcept;
  /// Bytes put, 0 when there is no room; nothing as for read().
  [[nodiscard]] std::optional<std::size_t> write(std::string_view bytes) noexcept;

  /// The client is to tell when it has written, or read; look once more after asking.
  void ask_for_bytes() noexcept { ask(kWritten); }
  void ask_for_room() noexcept { ask(kConsumed); }
  [[nodiscard]] bool has_bytes() const noexcept;
  [[nodiscard]] bool has_room() const noexcept;

  /// The client wants to be told of what was done since the last call.
  [[nodiscard]] bool take_notice() noexcept;

 private:
  // Offsets of struct vchan_interface.
  enum Offset : std::size_t {
    kLeftCons = 0,
    kLeftProd = 4,
    kRightCons = 8,
    kRightProd = 12,
    kLeftOrder = 16,
    kRightOrder = 18,
    kClientLive = 20,
    kServerLive = kAliveAt,
    kClientNotify = 22,  ///< what we want to be told
    kServerNotify = 23,  ///< what the client wants to be told
    kLeft = 1024,
    kRight = 2048,
  };
  enum Notify : std::uint8_t { kWritten = 1, kConsumed = 2, kGreeted = 0x80 };

  [[nodiscard]] std::atomic_ref<std::uint32_t> index(Offset at) const noexcept;
  [[nodiscard]] std::atomic_ref<std::uint8_t> byte(Offset at) const noexcept;
  void ask(Notify what) noexcept;
  /// Nothing when the index makes no sense.
  [[nodiscard]] std::optional<std::uint32_t> bytes_ready() const noexcept;
  [[nodiscard]] std::optional<std::uint32_t> room() const noexcept;

  std::byte* page_;
  std::uint32_t taken_ = 0;  ///< left.cons
  std::uint32_t put_ = 0;    ///< right.prod
  std::uint8_t done_ = 0;    ///< Notify bits of what was done since take_notice()
};

}  // namespace dm::toolstack
