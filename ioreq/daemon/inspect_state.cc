// SPDX-License-Identifier: MIT
#include "ioreq/daemon/inspect_state.h"

#include "ioreq/machine/machine_state.h"
#include "ioreq/machine/saved_state_view.h"
#include "platform/toolstack/saved_guest/saved_guest.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace dm {

namespace json = boost::json;

namespace {

using toolstack::DeviceModelPart;
using toolstack::SavedFile;

constexpr std::string_view kQemu = "QEVM";
/// More than a guest that is saved every minute for a day.
constexpr unsigned kMostStates = 4096;

/// The states that follow each other.
struct States {
  unsigned complete = 0;
  std::uint64_t last = 0;    ///< offset of the last complete one
  std::size_t length = 0;    ///< of that
  std::uint64_t behind = 0;  ///< bytes that follow it
};

/// Of a state whose header is at `offset`; 0: it cannot be read.
Result<std::size_t> length_at(const SavedFile& file, std::uint64_t offset, std::uint64_t left) {
  std::array<std::byte, kSavedHeader> header{};
  const std::size_t there = std::min<std::uint64_t>(left, header.size());
  if (!file.read(offset, std::span{header}.first(there))) {
    return Error{"it cannot be read"};
  }
  return saved_state_length(std::span{header}.first(there));
}

Result<States> count_states(const SavedFile& file, const DeviceModelPart& part) {
  States states;
  std::uint64_t at = part.offset;
  const std::uint64_t end = part.offset + part.length;
  while (at != end) {
    const auto length = length_at(file, at, end - at);
    if (!length && states.complete == 0) {
      return length.error();
    }
    if (!length || *length > end - at) {
      if (states.complete == 0) {
        return fail("the saved state has ", std::to_string(end - at), " of its ",
                    std::to_string(*length), " bytes");
      }
      break;
    }
    if (states.complete++ == kMostStates) {
      return Error{"it has more saved states in it than any guest would leave there"};
    }
    states.last = at;
    states.length = *length;
    at += *length;
  }
  states.behind = end - at;
  return states.complete != 0 ? Result<States>{states} : Error{"nothing is saved in it"};
}

Result<json::object> look_into(const SavedFile& file) {
  const auto part = toolstack::find_device_model(file);
  if (!part) {
    return part.error();
  }
  std::array<char, kQemu.size()> magic{};
  if (part->length >= magic.size() &&
      file.read(part->offset, std::as_writable_bytes(std::span{magic})) &&
      std::string_view{magic.data(), magic.size()} == kQemu) {
    return fail("its device model was QEMU, which has saved ", std::to_string(part->length),
                " bytes: stubdm shows only what stubdm has saved");
  }
  const auto states = count_states(file, *part);
  if (!states) {
    return states.error();
  }
  std::vector<std::byte> bytes(states->length);
  if (!file.read(states->last, bytes)) {
    return Error{"it cannot be read"};
  }
  auto shown = view_saved_state(bytes);
  if (!shown) {
    return shown.error();
  }
  json::object all{{"file", part->in_stream ? "a whole guest" : "the device model's own"},
                   {"states", states->complete},
                   {"shown", states->complete == 1 ? "the only one" : "the last complete one"},
                   {"bytes_behind", states->behind}};
  if (part->cut_behind) {
    all["cut"] = "the file ends too early: xl restore would not take it";
  }
  for (auto& member : *shown) {
    all[member.key()] = std::move(member.value());
  }
  return all;
}

}  // namespace

Result<json::object> inspect_state(const std::string& path) {
  if (path == "-") {
    return Error{"--state needs the name of a file: standard input cannot be searched"};
  }
  const auto file = SavedFile::open(path);
  if (!file) {
    return file.error();
  }
  auto shown = look_into(*file);
  return shown ? std::move(shown) : fail(path, ": ", shown.error().message);
}

}  // namespace dm
