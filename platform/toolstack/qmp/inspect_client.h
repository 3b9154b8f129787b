// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace dm::toolstack {

/// Time limit of the whole conversation. A device model whose guest is paused answers at once, too.
inline constexpr std::chrono::milliseconds kInspectPatience{10'000};

/// Asks the running device model of a domain for what `stubdm inspect` prints, by QMP. It uses one
/// of the sockets, below `directory`, that the device model opened for libxl. Fails with one line
/// that says what is wrong: no such domain, not a stubdm, no permission. Returns within `patience`,
/// whatever the other side does. Thread rule: any thread; blocks.
[[nodiscard]] Result<boost::json::object> ask_inspection(
    std::uint32_t domid,
    std::string_view directory = "/var/run/xen",
    std::chrono::milliseconds patience = kInspectPatience);

/// The same with any command of ours whose answer is an object.
[[nodiscard]] Result<boost::json::object> ask_device_model(std::uint32_t domid,
                                                           std::string_view command,
                                                           const boost::json::object& arguments,
                                                           std::string_view directory,
                                                           std::chrono::milliseconds patience);

/// An inspection is what a device model says of itself, and it goes to root's terminal. A device
/// model that its guest has taken over may say anything. So both functions below return printable
/// characters only (core/text/printable.h), and a bounded number of them.

/// Most bytes of inspection_text(). If something was left out, the last line, which is counted,
/// says so.
inline constexpr std::size_t kMostInspectionText = std::size_t{256} << 10;

/// For people: sections, `name value` lines, and a table for each list.
[[nodiscard]] std::string inspection_text(const boost::json::object& all);
/// For programs: one line of JSON, with a line end.
[[nodiscard]] std::string inspection_json(const boost::json::object& all);

}  // namespace dm::toolstack
