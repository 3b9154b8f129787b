// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <boost/json/object.hpp>

#include <cstddef>
#include <span>

namespace dm {

/// What is in a saved state, for people: the format, and each device in the order of the file with
/// its fields by name and value. A field that no device of today has is shown as `field_NUMBER`
/// with its bytes, and so is every field of a device that this program does not know. The bytes are
/// hostile; the strings in the answer are not made printable,
/// platform/toolstack/qmp/inspect_client.h does that. Fails with one line when the bytes are no
/// saved state. Needs no machine. Allocates.
[[nodiscard]] Result<boost::json::object> view_saved_state(std::span<const std::byte> bytes);

}  // namespace dm
