// SPDX-License-Identifier: MIT
// A screen between its programs: a worker that was taken over and says any picture of any video
// memory to a display, and any messages between the two. An input is a program of pictures, pages
// and messages.
#include "platform/display/protocol.h"
#include "platform/display/server/canvas.h"
#include "tests/fuzz/input.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

namespace dm::fuzz {

namespace {

using display::Area;
using display::Canvas;

/// Sizes at the edges of what is checked.
constexpr std::uint32_t kSides[] = {0,    1,    2,    63,   64,    65,    640,
                                    1023, 1024, 1025, 4096, 16000, 16001, 0xffffffff};

class Program {
 public:
  explicit Program(Input in) : in_{in}, video_(std::size_t{256} << 10), canvas_{*area_, video_} {}

  void run() {
    constexpr unsigned kMostSteps = 24;
    for (unsigned i = 0; i < kMostSteps && !in_.empty(); ++i) {
      switch (in_.byte() % 4) {
        case 0:
          say_picture();
          break;
        case 1:
          write_memory();
          break;
        case 2:
          change_byte();
          break;
        default:
          take_message();
          break;
      }
      look();
    }
  }

 private:
  [[nodiscard]] std::uint32_t side() {
    const std::uint8_t choice = in_.byte();
    return choice < 128 ? kSides[choice % std::size(kSides)] : in_.take<std::uint16_t>() % 2048;
  }

  void say_picture() {
    display::Picture& picture = area_->picture;
    picture.source = static_cast<std::uint8_t>(in_.byte() % 4);
    picture.format = static_cast<std::uint8_t>(in_.byte() % 6);
    picture.high_byte_first = static_cast<std::uint8_t>(in_.byte() % 2);
    picture.all = static_cast<std::uint8_t>(in_.byte() % 2);
    picture.half = in_.byte() % 3;
    picture.width = in_.byte() == 0 ? side() : std::min(side(), 1100U);
    picture.height = in_.byte() == 0 ? side() : side() % 200;
    picture.stride = in_.byte() % 2 == 0 ? picture.width * 4 : side() * (in_.byte() % 8U);
    picture.offset = in_.byte() % 4 == 0 ? in_.take<std::uint64_t>() : in_.take<std::uint16_t>();
    picture.palette.at(in_.byte()) = in_.take<std::uint32_t>();
  }

  void write_memory() {
    const std::size_t at = in_.take<std::uint32_t>() % video_.size();
    video_[at] = std::byte{in_.byte()};
    area_->drawn.at(at % 2).at(at) = in_.byte();
    area_->dirty.at(at / 4096 / 64) |= std::uint64_t{1} << (at / 4096 % 64);
  }

  /// Anything in what the worker says.
  void change_byte() {
    auto* const bytes = static_cast<std::byte*>(static_cast<void*>(&area_->picture));
    bytes[in_.take<std::uint16_t>() % sizeof area_->picture] = std::byte{in_.byte()};
  }

  void take_message() {
    std::array<std::byte, 10> bytes{};
    const std::size_t size = in_.byte() % (bytes.size() + 1);
    for (std::size_t i = 0; i < size; ++i) {
      bytes.at(i) = std::byte{in_.byte()};
    }
    if (size > 0 && in_.byte() % 2 == 0) {
      bytes[0] = std::byte{display::kVersion};
    }
    const auto message = display::parse(std::span{bytes}.first(size));
    require(!message || size == display::kMessageBytes, "a message has one length");
    require(!message || std::ranges::equal(display::encode(*message), std::span{bytes}.first(size)),
            "a message is its own bytes");
  }

  void look() {
    const std::uint32_t width = canvas_.width();
    const bool resized = canvas_.update();
    require(resized || width == canvas_.width(), "a new size is told");
    require(std::uint64_t{canvas_.width()} * canvas_.height() <= display::kMostShownPixels,
            "the picture has a bound");
    require(canvas_.pixels().size() == std::size_t{canvas_.width()} * canvas_.height(),
            "all pixels are there");
    for (const display::Rectangle& strip : canvas_.changed()) {
      require(strip.left < strip.right && strip.right <= canvas_.width(),
              "a strip lies in the picture");
      require(strip.top < strip.bottom && strip.bottom <= canvas_.height(),
              "a strip lies in the picture, from top to bottom");
    }
    const display::Picture before = area_->picture;
    area_->picture.all = 1;
    static_cast<void>(canvas_.update());
    static_cast<void>(canvas_.update());
    require(canvas_.changed().empty(), "what is said twice changes nothing");
    area_->picture = before;
  }

  Input in_;
  std::unique_ptr<Area> area_ = std::make_unique<Area>();
  std::vector<std::byte> video_;
  Canvas canvas_;
};

}  // namespace

}  // namespace dm::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dm::fuzz::Program{dm::fuzz::Input{data, size}}.run();
  return 0;
}
