// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/screen.h"
#include "core/backend/surface.h"
#include "core/result.h"
#include "platform/linux/unique_fd.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

/// The memory that the worker writes and the display reads. It has no names and no pointers, and is
/// a file in memory of a fixed size. The display's descriptor is open for reading only.
namespace dm::display {

inline constexpr std::uint64_t kMostVideoBytes = std::uint64_t{256} << 20;
inline constexpr std::size_t kMostVideoPages = kMostVideoBytes / 4096;
/// More is not shown: 4096 by 4096 pixels.
inline constexpr std::uint64_t kMostShownPixels = std::uint64_t{1} << 24;
inline constexpr std::size_t kPasswordBytes = 8;  ///< all that VNC's authentication looks at

/// What is said of the picture, in one copy. Written before `picture` is sent, and not again until
/// `want` has come.
struct Picture {
  std::uint8_t source;  ///< Surface::Source
  std::uint8_t format;  ///< PixelFormat
  std::uint8_t high_byte_first;
  std::uint8_t all;    ///< 1: all of it may have changed; what `dirty` says means nothing
  std::uint32_t half;  ///< which of the drawn pictures
  std::uint32_t width;
  std::uint32_t height;
  std::uint32_t stride;  ///< bytes
  std::uint32_t zero;
  std::uint64_t offset;  ///< bytes
  std::array<std::uint32_t, 256> palette;
};
static_assert(std::is_trivially_copyable_v<Picture> &&
              std::has_unique_object_representations_v<Picture>);

struct Area {
  std::uint64_t video_at;     ///< guest-physical address; valid after `here`
  std::uint64_t video_bytes;  ///< 0: there is none
  std::uint32_t password_set;
  std::uint32_t zero;
  std::array<char, kPasswordBytes> password;  ///< filled up with zeros
  Picture picture;
  /// Bit i of them all: page i of video memory. Only those of the picture count.
  std::array<std::uint64_t, kMostVideoPages / 64> dirty;
  /// Two pictures that are drawn: while one is shown the other is drawn, and they are compared.
  alignas(4096) std::array<std::array<std::uint8_t, Screen::kMostDrawnPixels>, 2> drawn;
};
static_assert(std::is_trivially_copyable_v<Area>);

/// The area's two descriptors, for the worker and for displays. Fails without memory.
struct AreaFiles {
  host::UniqueFd writable;
  host::UniqueFd readable;
};
[[nodiscard]] Result<AreaFiles> make_area();

/// The area in this process, as long as the object lives. Costs the pages that are touched.
class MappedArea {
 public:
  [[nodiscard]] static Result<MappedArea> map(int file, bool writable);
  MappedArea(MappedArea&& other) noexcept;
  MappedArea& operator=(MappedArea&&) = delete;
  MappedArea(const MappedArea&) = delete;
  MappedArea& operator=(const MappedArea&) = delete;
  ~MappedArea();

  /// Writing to one that was mapped for reading ends the process.
  [[nodiscard]] Area& get() const noexcept { return *area_; }
  /// Gives the memory of the drawn pictures back. They read as zeros then.
  void forget_drawn() noexcept;

 private:
  explicit MappedArea(Area* area) noexcept : area_{area} {}
  Area* area_;
};

}  // namespace dm::display
