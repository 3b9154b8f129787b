// SPDX-License-Identifier: MIT
#pragma once

#include "core/state/zero_runs.h"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace dm::state {

/// A device's guest-visible state is a plain aggregate, and one function tells every visitor what
/// is in it:
///
///     template <class Visitor> void describe(Visitor& v, UartState& s) {
///       v.field(1, "ier", s.ier);          // numbers never change: never reuse one
///       v.field(2, "fifo", s.fifo);        // std::array of scalars, or an aggregate with its own
///     }                                    // describe()
///
/// The visitors are Saver and Loader (numbered fields: the loader skips unknown ones, and missing
/// ones keep their reset value), Hasher (for tests), and any other class that has `field`. Loaded
/// bytes are hostile: every device that can be loaded has a `validate(const State&)` that is called
/// before the state is used.

template <class T>
concept Scalar = std::is_arithmetic_v<T> || std::is_enum_v<T>;

template <class T>
inline constexpr bool is_scalar_array = false;
template <Scalar T, std::size_t N>
inline constexpr bool is_scalar_array<std::array<T, N>> = true;

/// This bit of a field's length says that the payload, an array, is packed: core/state/zero_runs.h.
inline constexpr std::uint32_t kPackedBit = 1U << 31U;

/// Bytes: field number u16, length u32, payload; all little endian (the only machine is x86).
/// core/state/README.md has the format, and the rules by which a state may change.
class Saver {
 public:
  template <class T>
  void field(std::uint16_t id, std::string_view /*name*/, const T& value) {
    if constexpr (is_scalar_array<T> && sizeof(T) >= kWorthPacking) {
      put_array(id, std::as_bytes(std::span{value}));
    } else if constexpr (Scalar<T> || is_scalar_array<T>) {
      put_header(id, sizeof(T));
      put(&value, sizeof(T));
    } else {
      put_header(id, 0);
      const std::size_t begin = bytes_.size();
      // One describe() serves readers and writers.
      describe(*this, const_cast<T&>(value));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
      const auto length = static_cast<std::uint32_t>(bytes_.size() - begin);
      std::memcpy(bytes_.data() + begin - sizeof length, &length, sizeof length);
    }
  }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  static constexpr std::size_t kWorthPacking = 32;  ///< bytes

  void put_array(std::uint16_t id, std::span<const std::byte> bytes) {
    const auto packed = pack_zeros(bytes);
    const bool shorter = packed.size() < bytes.size();
    const std::span<const std::byte> payload = shorter ? std::span{packed} : bytes;
    put_header(id, payload.size() | (shorter ? kPackedBit : 0));
    put(payload.data(), payload.size());
  }
  void put_header(std::uint16_t id, std::size_t size) {
    const auto length = static_cast<std::uint32_t>(size);
    put(&id, sizeof id);
    put(&length, sizeof length);
  }
  void put(const void* from, std::size_t size) {
    const auto* const first = static_cast<const std::byte*>(from);
    bytes_.insert(bytes_.end(), first, first + size);
  }

  std::vector<std::byte> bytes_;
};

/// One field of what Saver wrote.
struct RawField {
  std::uint16_t id = 0;
  bool packed = false;
  std::span<const std::byte> payload;
};

/// Takes one field off the front of what Saver wrote. False when the front is not a field.
[[nodiscard]] inline bool next_field(std::span<const std::byte>& rest, RawField& field) noexcept {
  std::uint32_t length = 0;
  if (rest.size() < sizeof field.id + sizeof length) {
    return false;
  }
  std::memcpy(&field.id, rest.data(), sizeof field.id);
  std::memcpy(&length, rest.data() + sizeof field.id, sizeof length);
  rest = rest.subspan(sizeof field.id + sizeof length);
  field.packed = (length & kPackedBit) != 0;
  length &= ~kPackedBit;
  if (length > rest.size()) {
    return false;
  }
  field.payload = rest.first(length);
  rest = rest.subspan(length);
  return true;
}

/// The value of a field that has no fields of its own. False, and nothing changed, when the field
/// cannot have such a value.
template <class T>
requires(Scalar<T> || is_scalar_array<T>)
    [[nodiscard]] bool read_value(const RawField& field, T& value) noexcept {
  if constexpr (is_scalar_array<T>) {
    if (field.packed) {
      return unpack_zeros(field.payload, std::as_writable_bytes(std::span{value}));
    }
  }
  if (field.packed || field.payload.size() != sizeof(T)) {
    return false;
  }
  if constexpr (std::same_as<T, bool>) {
    value = field.payload[0] != std::byte{0};
  } else {
    std::memcpy(&value, field.payload.data(), sizeof(T));
  }
  return true;
}

/// Reads what Saver wrote. It never fails half way: a field that is missing or has another size
/// keeps its value, and ok() says whether the bytes were well formed.
class Loader {
 public:
  explicit Loader(std::span<const std::byte> bytes) noexcept : bytes_{bytes} {
    std::span<const std::byte> rest = bytes;
    RawField field;
    while (ok_ && !rest.empty()) {
      ok_ = next_field(rest, field);
    }
  }
  template <class T>
  void field(std::uint16_t id, std::string_view /*name*/, T& value) noexcept {
    std::span<const std::byte> rest = bytes_;
    RawField found;
    while (ok_ && !rest.empty() && next_field(rest, found)) {
      if (found.id != id) {
        continue;
      }
      if constexpr (Scalar<T> || is_scalar_array<T>) {
        ok_ = read_value(found, value);
      } else {
        Loader nested{found.payload};
        describe(nested, value);
        ok_ = !found.packed && nested.ok_;
      }
      return;
    }
  }
  [[nodiscard]] bool ok() const noexcept { return ok_; }

 private:
  std::span<const std::byte> bytes_;
  bool ok_ = true;
};

/// FNV-1a over every field, for "nothing changed" checks.
class Hasher {
 public:
  template <class T>
  void field(std::uint16_t id, std::string_view /*name*/, const T& value) noexcept {
    mix(&id, sizeof id);
    if constexpr (Scalar<T> || is_scalar_array<T>) {
      mix(&value, sizeof(T));
    } else {
      describe(*this,
               const_cast<T&>(value));  // NOLINT(cppcoreguidelines-pro-type-const-cast): see Saver
    }
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return hash_; }

 private:
  void mix(const void* from, std::size_t size) noexcept {
    const auto* const bytes = static_cast<const unsigned char*>(from);
    for (std::size_t i = 0; i < size; ++i) {
      hash_ = (hash_ ^ bytes[i]) * 0x100000001b3U;
    }
  }

  std::uint64_t hash_ = 0xcbf29ce484222325U;
};

/// A field of every saved state of a device, beside the chip's own: which kind of device it is. The
/// states of two small chips may look alike. Format 1 had no such field.
inline constexpr std::uint16_t kKindField = 0xffff;

template <class State>
[[nodiscard]] std::vector<std::byte> save(State& state) {
  Saver saver;
  describe(saver, state);
  const auto bytes = saver.bytes();
  return {bytes.begin(), bytes.end()};
}

template <class State>
[[nodiscard]] std::uint64_t hash(State& state) noexcept {
  Hasher hasher;
  describe(hasher, state);
  return hasher.value();
}

/// Loads into a copy, validates it, and only then replaces `state`.
template <class State>
[[nodiscard]] bool load(std::span<const std::byte> bytes, State& state) noexcept {
  State copy = state;
  Loader loader{bytes};
  describe(loader, copy);
  if (!loader.ok() || !validate(copy)) {
    return false;
  }
  state = copy;
  return true;
}

}  // namespace dm::state
