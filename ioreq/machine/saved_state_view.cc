// SPDX-License-Identifier: MIT
#include "ioreq/machine/saved_state_view.h"

#include "core/state/saved_header.h"
#include "core/state/view.h"
#include "devices/chipset/chipset.h"
#include "devices/e1000/state.h"
#include "devices/fw_cfg/state.h"
#include "devices/ide/state.h"
#include "devices/rtl8139/state.h"
#include "devices/uart16550/state.h"
#include "devices/usb/state.h"
#include "devices/vga/state.h"
#include "ioreq/machine/json_inspector.h"
#include "ioreq/machine/machine_state.h"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace dm {

namespace json = boost::json;

namespace {

using Bytes = std::span<const std::byte>;

/// True when a device could have this state, which is then in `state`.
template <class State>
bool view_into(State& state, Bytes bytes, json::object& fields) {
  JsonInspector to{fields, JsonInspector::kAllBytes};
  state::Viewer viewer{bytes, to};
  describe(viewer, state);
  std::uint32_t kind = 0;
  viewer.field(state::kKindField, "kind", kind);
  viewer.rest();
  return state::load(bytes, state);
}

template <class State>
bool view_as(Bytes bytes, json::object& fields) {
  return view_into(*std::make_unique<State>(), bytes, fields);  // some are too large for the stack
}

/// A network card: its registers by name besides.
template <class State>
bool view_card(Bytes bytes, json::object& fields) {
  const auto card = std::make_unique<State>();
  const bool valid = view_into(*card, bytes, fields);
  if (fields.contains("registers")) {
    JsonInspector by_name{fields};
    show_registers(card->file, by_name);
  }
  return valid;
}

struct Kind {
  std::string_view name;  ///< of the device, without its number
  bool (*view)(Bytes, json::object& fields);
};

/// The devices that make_devices.cc names.
constexpr std::array kKinds{
    Kind{"chipset", view_as<chipset::ChipsetState>}, Kind{"ide", view_as<ide::ControllerState>},
    Kind{"serial", view_as<uart16550::UartState>},   Kind{"vga", view_as<vga::State>},
    Kind{"fw_cfg", view_as<fw_cfg::State>},          Kind{"nic", view_card<e1000::CardState>},
    Kind{"rtl8139-", view_card<rtl8139::CardState>}, Kind{"uhci", view_as<usb::UhciState>},
};

json::object view_device(const SavedDevice& device) {
  const std::string_view name = device.name;
  const auto kind = std::ranges::find(
      kKinds, name.substr(0, name.find_last_not_of("0123456789") + 1), &Kind::name);
  json::object all{{"device", device.name}, {"bytes", device.bytes.size()}};
  json::object fields;
  if (kind != kKinds.end()) {
    all["valid"] = kind->view(device.bytes, fields);
  } else {
    JsonInspector to{fields, JsonInspector::kAllBytes};
    state::Viewer{device.bytes, to}.rest();
  }
  all["fields"] = std::move(fields);
  return all;
}

}  // namespace

Result<json::object> view_saved_state(Bytes bytes) {
  const auto header = state::read_saved_header(bytes);
  if (!header) {
    return header.error();
  }
  const auto devices = read_saved_state(bytes);
  if (!devices) {
    return devices.error();
  }
  json::array shown;
  for (const SavedDevice& device : *devices) {
    shown.push_back(view_device(device));
  }
  return json::object{
      {"format", header->version}, {"length", header->length}, {"devices", std::move(shown)}};
}

}  // namespace dm
