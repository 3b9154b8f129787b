// SPDX-License-Identifier: MIT
#include "ioreq/machine/saved_state_1.h"

#include "core/state/describe.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace dm {

namespace {

using Fields = std::span<const std::byte>;

// The fields of the file.
constexpr std::uint16_t kShape = 1;
constexpr std::uint16_t kChipset = 2;
constexpr std::uint16_t kIde = 3;
constexpr std::uint16_t kSerial = 4;  ///< to 7, there or not
constexpr std::uint16_t kCards = 16;
constexpr std::size_t kMostCards = 8;

// What the chipset says now of which functions it has.
constexpr std::uint16_t kHasPm = 10;
constexpr std::uint16_t kHasPlatform = 11;

/// Which devices the machine was made with. Disks and CD-ROM drives, 3-6 and 12-15, are not looked
/// at: the controller's own state has them.
struct Shape {
  bool acpi = false;
  bool xen_platform = false;
  std::array<bool, 4> serial{};
  std::uint8_t cards = 0;
};

template <class Visitor>
void describe(Visitor& v, Shape& s) {
  v.field(1, "acpi", s.acpi);
  v.field(2, "xen_platform", s.xen_platform);
  v.field(7, "com1", s.serial[0]);
  v.field(8, "com2", s.serial[1]);
  v.field(9, "com3", s.serial[2]);
  v.field(10, "com4", s.serial[3]);
  v.field(11, "cards", s.cards);
}

/// The first of its number; empty where there is none. Nothing where the fields are not
/// well-formed.
std::optional<Fields> find(Fields rest, std::uint16_t wanted) noexcept {
  std::optional<Fields> found;
  while (!rest.empty()) {
    state::RawField field;
    if (!state::next_field(rest, field) || field.packed) {
      return std::nullopt;
    }
    if (field.id == wanted && !found) {
      found = field.payload;
    }
  }
  return found ? found : Fields{};
}

SavedDevice device(std::string name, Fields bytes) {
  return {.name = std::move(name), .bytes = {bytes.begin(), bytes.end()}};
}

SavedDevice chipset(Fields bytes, const Shape& shape) {
  state::Saver added;
  added.field(kHasPm, "has_pm", shape.acpi);
  added.field(kHasPlatform, "has_platform", shape.xen_platform);
  SavedDevice made = device("chipset", added.bytes());  // first: they count, whatever comes behind
  made.bytes.insert(made.bytes.end(), bytes.begin(), bytes.end());
  return made;
}

}  // namespace

Result<std::vector<SavedDevice>> read_format_1(Fields fields) {
  const auto of_shape = find(fields, kShape);
  Shape shape;
  state::Loader loader{of_shape.value_or(Fields{})};
  describe(loader, shape);
  if (!of_shape || !loader.ok() || shape.cards > kMostCards) {
    return Error{"the saved state is damaged: it says what no machine of ours could have"};
  }
  const auto field = [fields](std::size_t id) {
    return find(fields, static_cast<std::uint16_t>(id)).value_or(Fields{});
  };
  std::vector<SavedDevice> devices;
  devices.push_back(chipset(field(kChipset), shape));
  devices.push_back(device("ide", field(kIde)));
  for (std::size_t i = 0; i < shape.serial.size(); ++i) {
    if (shape.serial[i]) {
      devices.push_back(device("serial" + std::to_string(i), field(kSerial + i)));
    }
  }
  for (std::size_t i = 0; i < shape.cards; ++i) {
    devices.push_back(device("nic" + std::to_string(i), field(kCards + i)));
  }
  return devices;
}

}  // namespace dm
