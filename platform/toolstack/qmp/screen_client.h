// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/toolstack/qmp/inspect_client.h"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dm::toolstack {

/// A picture: three bytes a pixel, red first, one line behind the other.
struct RgbPicture {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::vector<std::uint8_t> pixels;
};

/// What the screen of a running guest shows, asked of its device model piece by piece
/// (x-stubdm-screen). The device model may have been taken over by its guest: what it says is
/// checked, and its sizes are bounded. Fails with one line: no such domain, no screen, a screen
/// that is off. Thread rule: any thread; blocks.
[[nodiscard]] Result<RgbPicture> ask_screen(std::uint32_t domid,
                                            std::string_view directory = "/var/run/xen",
                                            std::chrono::milliseconds patience = kInspectPatience);

/// Takes one answer. False: it is none that could follow what is there. The picture is whole when
/// it has all lines.
[[nodiscard]] bool add_lines(RgbPicture& picture, const boost::json::object& answer);
[[nodiscard]] bool is_whole(const RgbPicture& picture) noexcept;

/// Writes it as a PNG, without compression. Fails with the file's name.
[[nodiscard]] Result<> write_png(const RgbPicture& picture, const std::string& file);

}  // namespace dm::toolstack
