// SPDX-License-Identifier: MIT
#include "platform/toolstack/qmp/screen_client.h"

#include "platform/linux/error_text.h"
#include "platform/toolstack/qmp/inspect_dialogue.h"

#include <boost/crc.hpp>
#include <boost/endian/conversion.hpp>
#include <boost/json/string.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <span>

namespace dm::toolstack {

namespace json = boost::json;

namespace {

constexpr std::uint32_t kMostSide = 16000;  // Bochs VBE
constexpr std::uint64_t kMostPixels = std::uint64_t{1} << 26;
constexpr std::size_t kBytesPerPixel = 3;

[[nodiscard]] std::optional<std::uint32_t> number(const json::object& from, std::string_view name) {
  const json::value* const value = from.if_contains(name);
  boost::system::error_code error;
  if (value == nullptr || !value->is_number()) {
    return std::nullopt;
  }
  const auto result = value->to_number<std::uint32_t>(error);
  return error ? std::nullopt : std::optional{result};
}

[[nodiscard]] int digit(char c) noexcept {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

[[nodiscard]] bool append_bytes(std::vector<std::uint8_t>& to, std::string_view hex) {
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    const int high = digit(hex[i]);
    const int low = digit(hex[i + 1]);
    if (high < 0 || low < 0) {
      return false;
    }
    to.push_back(static_cast<std::uint8_t>(high * 16 + low));
  }
  return true;
}

// ---- PNG (ISO/IEC 15948), with zlib's stored blocks (RFC 1950, RFC 1951)

using Bytes = std::vector<std::uint8_t>;

void append_big(Bytes& to, std::uint32_t value) {
  const std::uint32_t big = boost::endian::native_to_big(value);
  std::array<std::uint8_t, sizeof big> bytes{};
  std::memcpy(bytes.data(), &big, sizeof big);
  to.insert(to.end(), bytes.begin(), bytes.end());
}

void append_little(Bytes& to, std::size_t value) {
  to.push_back(static_cast<std::uint8_t>(value & 0xff));
  to.push_back(static_cast<std::uint8_t>(value >> 8 & 0xff));
}

void append_chunk(Bytes& to, std::string_view type, std::span<const std::uint8_t> data) {
  append_big(to, static_cast<std::uint32_t>(data.size()));
  const std::size_t begin = to.size();
  to.insert(to.end(), type.begin(), type.end());
  to.insert(to.end(), data.begin(), data.end());
  boost::crc_32_type crc;
  crc.process_bytes(to.data() + begin, to.size() - begin);
  append_big(to, crc.checksum());
}

[[nodiscard]] std::uint32_t adler32(std::span<const std::uint8_t> data) noexcept {
  constexpr std::uint32_t kPrime = 65521;
  std::uint32_t a = 1;
  std::uint32_t b = 0;
  for (const std::uint8_t byte : data) {
    a = (a + byte) % kPrime;
    b = (b + a) % kPrime;
  }
  return b << 16 | a;
}

[[nodiscard]] Bytes stored(std::span<const std::uint8_t> data) {
  constexpr std::size_t kMostInBlock = 65535;
  Bytes out{0x78, 0x01};
  for (std::size_t at = 0; at < data.size(); at += kMostInBlock) {
    const auto block = data.subspan(at, std::min(kMostInBlock, data.size() - at));
    out.push_back(at + block.size() == data.size() ? 1 : 0);
    append_little(out, block.size());
    append_little(out, ~block.size());
    out.insert(out.end(), block.begin(), block.end());
  }
  append_big(out, adler32(data));
  return out;
}

}  // namespace

bool is_whole(const RgbPicture& picture) noexcept {
  return picture.width != 0 &&
         picture.pixels.size() == std::size_t{picture.width} * picture.height * kBytesPerPixel;
}

bool add_lines(RgbPicture& picture, const json::object& answer) {
  const auto width = number(answer, "width");
  const auto height = number(answer, "height");
  const auto first = number(answer, "first");
  const auto lines = number(answer, "lines");
  const json::value* const rgb = answer.if_contains("rgb");
  if (!width || !height || !first || !lines || rgb == nullptr || !rgb->is_string() ||
      *width > kMostSide || *height > kMostSide || std::uint64_t{*width} * *height > kMostPixels) {
    return false;
  }
  const std::string_view digits = rgb->get_string();
  const std::size_t line = std::size_t{*width} * kBytesPerPixel;
  if (*first > *height || *lines > *height - *first || digits.size() != *lines * line * 2 ||
      (*lines == 0 && *width != 0)) {
    return false;
  }
  if (*width != picture.width || *height != picture.height) {
    // The first answer, or the guest has set another mode meanwhile.
    picture = {.width = *width, .height = *height, .pixels = {}};
  }
  return *first * line == picture.pixels.size() && append_bytes(picture.pixels, digits);
}

Result<RgbPicture> ask_screen(std::uint32_t domid,
                              std::string_view directory,
                              std::chrono::milliseconds patience) {
  const std::string guest = "domain " + std::to_string(domid);
  RgbPicture picture;
  // A guest that changes its mode without end gets no picture.
  constexpr unsigned kMostAnswers = 4096;
  for (unsigned i = 0; i < kMostAnswers; ++i) {
    const std::size_t line = std::size_t{picture.width} * kBytesPerPixel;
    const std::size_t first = line != 0 ? picture.pixels.size() / line : 0;
    const auto answer =
        ask_device_model(domid, "x-stubdm-screen", {{"first", first}}, directory, patience);
    if (!answer) {
      return answer.error();
    }
    if (answer->empty()) {
      return Error{guest + " has no screen: vga=\"none\""};
    }
    if (!add_lines(picture, *answer)) {
      picture = {};  // once more from the beginning
      continue;
    }
    if (picture.width == 0) {
      return Error{"the screen of " + guest + " is off"};
    }
    if (is_whole(picture)) {
      return picture;
    }
  }
  return Error{"the screen of " + guest + " does not stand still"};
}

Result<> write_png(const RgbPicture& picture, const std::string& file) {
  Bytes lines;
  const std::size_t line = std::size_t{picture.width} * kBytesPerPixel;
  lines.reserve((line + 1) * picture.height);
  for (std::size_t y = 0; y < picture.height; ++y) {
    lines.push_back(0);  // no filter
    const auto from = picture.pixels.begin() + static_cast<std::ptrdiff_t>(y * line);
    lines.insert(lines.end(), from, from + static_cast<std::ptrdiff_t>(line));
  }
  Bytes header;
  append_big(header, picture.width);
  append_big(header, picture.height);
  header.insert(header.end(), {8, 2, 0, 0, 0});  // eight bits, RGB
  Bytes png{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  append_chunk(png, "IHDR", header);
  append_chunk(png, "IDAT", stored(lines));
  append_chunk(png, "IEND", {});
  std::ofstream out{file, std::ios::binary | std::ios::trunc};
  out.write(static_cast<const char*>(static_cast<const void*>(png.data())),
            static_cast<std::streamsize>(png.size()));
  out.close();
  if (!out) {
    return fail("cannot write ", file, ": ", host::error_text(errno));
  }
  return {};
}

}  // namespace dm::toolstack
