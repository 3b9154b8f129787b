// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace dm::toolstack {

/// For the whole conversation. A device model whose guest is paused answers at once too.
inline constexpr std::chrono::milliseconds kInspectPatience{10'000};

/// Asks the running device model of a domain what `stubdm inspect` prints, by QMP on one of the
/// sockets that libxl had it open, below `directory`. Fails with one line that says what is wrong:
/// no such domain, not a stubdm, no permission. Ends within `patience`, whatever the other side
/// does.
[[nodiscard]] Result<boost::json::object> ask_inspection(
    std::uint32_t domid,
    std::string_view directory = "/var/run/xen",
    std::chrono::milliseconds patience = kInspectPatience);

/// An inspection is what a device model says of itself, and goes to the terminal of root. A device
/// model that its guest has taken over says what it likes. So both forms below hold printable
/// characters alone (core/text/printable.h), and are bounded.

/// Of inspection_text(), the last line included that says that something was left out.
inline constexpr std::size_t kMostInspectionText = std::size_t{256} << 10;

/// For people: sections, `name value` lines, and a table for each list.
[[nodiscard]] std::string inspection_text(const boost::json::object& all);
/// For programs: one line of JSON, with a line end.
[[nodiscard]] std::string inspection_json(const boost::json::object& all);

}  // namespace dm::toolstack
