// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace dm::toolstack {

/// Asks the running device model of a domain what `stubdm inspect` prints, by QMP on one of the
/// sockets that libxl had it open, below `directory`. Fails with one line that says what is wrong:
/// no such domain, not a stubdm, no permission. Waits for answers a few seconds at most.
[[nodiscard]] Result<boost::json::object> ask_inspection(
    std::uint32_t domid, std::string_view directory = "/var/run/xen");

/// For people: sections, `name value` lines, and a table for each list.
[[nodiscard]] std::string inspection_text(const boost::json::object& all);

}  // namespace dm::toolstack
