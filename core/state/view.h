// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/inspector.h"
#include "core/state/describe.h"
#include "core/state/show.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dm::state {

/// A visitor of describe(): tells an Inspector what is in the saved bytes of a device, which are
/// hostile. Fields that describe() knows have a name and a value. The others, from another release
/// or damaged, are shown by rest(): their number and their bytes. Nothing is said of fields that
/// are missing. Allocates; for people who look into a file.
class Viewer {
 public:
  /// Most fields without a name that are shown of one aggregate.
  static constexpr std::size_t kMostUnknown = 256;

  Viewer(std::span<const std::byte> bytes, Inspector& to) : to_{to} {
    RawField field;
    while (well_formed_ && !bytes.empty()) {
      well_formed_ = next_field(bytes, field);
      if (well_formed_) {
        fields_.push_back({field});
      }
    }
  }

  template <class T>
  void field(std::uint16_t id, std::string_view name, T& value) {
    const auto found =
        std::ranges::find_if(fields_, [id](const Seen& one) { return one.field.id == id; });
    if (found == fields_.end() || found->shown) {
      return;
    }
    if constexpr (Scalar<T> || is_scalar_array<T>) {
      found->shown = read_value(found->field, value);
      if (found->shown) {
        Shower{to_}.field(id, name, value);
      }
    } else if (!found->field.packed) {
      found->shown = true;
      const Inspector::Part part{to_, name};
      Viewer nested{found->field.payload, to_};
      describe(nested, value);
      nested.rest();
    }
  }

  /// Shows what has no name. Call it at the end.
  void rest() {
    std::size_t left = kMostUnknown;
    for (const Seen& one : fields_) {
      if (one.shown) {
        continue;
      }
      if (left-- == 0) {
        to_.flag("more_fields_without_a_name", true);
        break;
      }
      show_unknown(one.field);
    }
    if (!well_formed_) {
      to_.flag("ends_inside_a_field", true);
    }
  }

 private:
  struct Seen {
    RawField field;
    bool shown = false;
  };

  /// As it was saved: ten packed bytes can stand for 64 KiB, and there can be any number of them.
  void show_unknown(const RawField& field) {
    to_.bytes("field_" + std::to_string(field.id) + (field.packed ? "_packed" : ""),
              {reinterpret_cast<const std::uint8_t*>(field.payload.data()), field.payload.size()});
  }

  Inspector& to_;
  std::vector<Seen> fields_;
  bool well_formed_ = true;
};

}  // namespace dm::state
