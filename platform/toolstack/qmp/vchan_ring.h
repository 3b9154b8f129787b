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
/// ring of bytes in each direction. It has no event channel and no xenstore, only what lies in the
/// page.
///
/// The client may write anything to the page at any time. So what we own (our two indices) is kept
/// outside the page and only copied into it. What the client owns is read once, checked, and used
/// from the copy. Source: struct vchan_interface of Xen's public header io/libxenvchan.h;
/// tools/libs/vchan/{init,io}.c says who writes what when, and which notices are asked for. Thread
/// rule: the loop's thread only.
class VchanRing {
 public:
  static constexpr std::size_t kPage = 4096;
  /// Offset of the byte that says that we serve the page: 0 when we are gone.
  static constexpr std::uint32_t kAliveAt = 21;
  static constexpr std::uint32_t kFromClient = 1024;  ///< bytes of the client's ring ("left")
  static constexpr std::uint32_t kToClient = 2048;    ///< bytes of ours ("right")

  enum class Client : std::uint8_t {
    away,   ///< not yet there, or gone
    fresh,  ///< has just come; greet() it
    known,
  };

  /// Writes the layout into the page, which nobody else may have mapped yet. `page` is aligned to a
  /// page and outlives this object.
  explicit VchanRing(std::span<std::byte, kPage> page) noexcept;

  [[nodiscard]] Client client() noexcept;
  /// Makes the fresh client known, and drops what the client before it sent.
  void greet() noexcept;
  /// Marks the client as gone: the next one is fresh.
  void part() noexcept;
  /// True if another client may use the page. Everything that we wrote must have been read; else
  /// the next client would take it for its own. And what only we write must be unchanged; else the
  /// next client would take the ring for another's, or for dead.
  [[nodiscard]] bool reusable() const noexcept;
  /// Tells the client that nobody serves this page any more.
  void hang_up() noexcept;

  /// Reads bytes and returns their number, 0 when there are none; nothing when the client's index
  /// makes no sense.
  [[nodiscard]] std::optional<std::size_t> read(std::span<char> to) noexcept;
  /// Writes bytes and returns their number, 0 when there is no room; nothing when the client's
  /// index makes no sense.
  [[nodiscard]] std::optional<std::size_t> write(std::string_view bytes) noexcept;

  /// Asks the client to notify us when it has written, or read. Look once more after asking.
  void ask_for_bytes() noexcept { ask(kWritten); }
  void ask_for_room() noexcept { ask(kConsumed); }
  [[nodiscard]] bool has_bytes() const noexcept;
  [[nodiscard]] bool has_room() const noexcept;

  /// True if the client wants a notice of something that was done since the last call.
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
    kClientNotify = 22,  ///< the notices that we want
    kServerNotify = 23,  ///< the notices that the client wants
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
