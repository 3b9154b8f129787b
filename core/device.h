// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/inspector.h"
#include "core/obs/log.h"
#include "core/ports/unplug.h"
#include "core/result.h"
#include "core/state/describe.h"
#include "core/state/show.h"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace dm {

/// What a machine asks of each of its devices. A machine knows no more of a device than this. The
/// guest's requests come another way: a chip binds its handlers to the buses
/// (core/io/io_handler.h), so nothing here is on the way of a request.
///
/// A machine asks its devices in the order in which they were added.
/// tests/unit/ioreq/daemon/conformance.cc tests every device against what is said here. Thread
/// rule: the loop's thread only.
class Device {
 public:
  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  virtual ~Device() = default;

  /// The device's name, unique in the machine: 1 to kMaxName printable ASCII characters. It never
  /// changes, because saved states know a device by it.
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  static constexpr std::size_t kMaxName = 32;

  /// Stops the device until resume(): nothing of it is in flight, no work of it is queued, and
  /// nothing that comes from the host changes it or guest memory. The caller stops guest time too.
  /// Idempotent.
  virtual void pause() noexcept = 0;
  /// Ends pause(). Changes nothing in a device that is not paused.
  virtual void resume() noexcept = 0;
  /// Makes the device as after power-on, PCI configuration included. Two things stay: what the real
  /// part keeps without power, and the absence of what was unplugged.
  virtual void reset() noexcept = 0;
  /// The end of S3, before the vCPUs run again: as reset(), except for what only firmware sets up
  /// at boot, since under Xen no firmware does it again.
  virtual void wake() noexcept = 0;
  /// Makes everything durable that was acknowledged: on return it is on stable storage. False when
  /// that failed.
  [[nodiscard]] virtual bool flush() noexcept = 0;
  /// Removes for good what the guest's PV drivers ask to lose. On return its data is durable,
  /// nothing of it is in flight and its back ends are free: the PV drivers open them next. A device
  /// that the request does not name does nothing. Idempotent. False when some data could not be
  /// made durable; the device leaves all the same.
  [[nodiscard]] virtual bool unplug(UnplugRequest request) noexcept = 0;

  /// The end of a live save: another machine is about to open the device's images
  /// (BlockBackend::hand_over). Call it between pause() and resume(), after save(). False when an
  /// image stays here; take_back() follows then too.
  [[nodiscard]] virtual bool hand_over() noexcept = 0;
  /// The guest goes on here after all: before resume(). Changes nothing in a device that has handed
  /// nothing over. False when an image cannot be had again: its requests fail.
  [[nodiscard]] virtual bool take_back() noexcept = 0;

  /// All that the guest can see of the device, as bytes. Call it between pause() and resume().
  /// Allocates.
  [[nodiscard]] virtual std::vector<std::byte> save() const = 0;
  /// Says whether save() of a device like this one could have made these bytes, which are hostile.
  /// Changes nothing. The message says what differs, for the person who configures the guest: in
  /// the words of xl.cfg, or that the bytes are damaged. `gone`: what the saved guest had
  /// unplugged. The device that keeps this for the guest (the chipset) adds to it. A device that
  /// can be unplugged compares its bytes with it, and so comes later in the machine.
  [[nodiscard]] virtual Result<> check(std::span<const std::byte> bytes,
                                       UnplugRequest& gone) const = 0;
  /// Replaces the device's state by bytes that check() has accepted. Call it between pause() and
  /// resume(), before the guest runs. The hypervisor restores its own copy of the interrupt levels,
  /// and a load must not change them. So a device adopts its level (IrqLine::adopt: IDE, serial
  /// ports) or sends the same level again (chipset, cards), which Xen takes as no change.
  virtual void load(std::span<const std::byte> bytes) = 0;

  /// Tells the host's network that the device is here now, if it is a network card. For a guest
  /// that has come from elsewhere: bridges and switches learn its port. The guest goes on
  /// meanwhile.
  virtual void announce() noexcept = 0;

  /// Reports what there is to see. Changes nothing; the guest goes on meanwhile.
  virtual void inspect(Inspector& to) const = 0;
};

/// The FNV-1a hash of a device's name without its number.
[[nodiscard]] constexpr std::uint32_t device_kind(std::string_view name) noexcept {
  std::uint32_t hash = 0x811c9dc5U;
  for (const char c : name.substr(0, name.find_last_not_of("0123456789") + 1)) {
    hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x01000193U;
  }
  return hash;
}

/// What save() of a device of that name has written, from hostile bytes. Fields that are missing
/// keep the value of a new State. Null: this is no valid state.
template <class State>
[[nodiscard]] std::unique_ptr<State> read_device_state(std::string_view name,
                                                       std::span<const std::byte> bytes) {
  auto state = std::make_unique<State>();
  std::uint32_t kind = device_kind(name);
  state::Loader loader{bytes};
  describe(loader, *state);
  loader.field(state::kKindField, "kind", kind);
  if (!loader.ok() || kind != device_kind(name) || !validate(*state)) {
    return nullptr;
  }
  return state;
}

/// Makes a Device of a chip. A chip is a plain class with
///
///     State state() const;          // an aggregate with describe() and validate()
///     bool restore(const State&);   // false, and nothing changed, unless validate() agrees
///     void reset();
///
/// A chip may have other members of the contract too. If it lacks one, there is nothing to do; but
/// a missing wake() means reset(). Two members are for chips alone:
///
///     // Does a valid state fit this very chip? If not: what differs, in the words of xl.cfg. See
///     // Device::check().
///     Result<> fits(const State&, UnplugRequest& gone) const;
///     // Shows this instead of the state under the device's name.
///     void inspect(Inspector& to, std::string_view name) const;
template <class Chip>
class DeviceOf final : public Device {
 public:
  using State = std::remove_cvref_t<decltype(std::declval<const Chip&>().state())>;

  // A member with other arguments would be ignored silently.
  static_assert(
      !requires { &Chip::pause; } || requires(Chip & c) { c.pause(); });
  static_assert(
      !requires { &Chip::resume; } || requires(Chip & c) { c.resume(); });
  static_assert(
      !requires { &Chip::wake; } || requires(Chip & c) { c.wake(); });
  static_assert(
      !requires { &Chip::announce; } || requires(Chip & c) { c.announce(); });
  static_assert(
      !requires { &Chip::flush; } || requires(Chip & c) { c.flush(); });
  static_assert(
      !requires { &Chip::hand_over; } || requires(Chip & c) { c.hand_over(); });
  static_assert(
      !requires { &Chip::take_back; } || requires(Chip & c) { c.take_back(); });
  static_assert(
      !requires { &Chip::fits; } ||
      requires(const Chip& c, const State& s, UnplugRequest& gone) { c.fits(s, gone); });
  static_assert(
      !requires { &Chip::inspect; } ||
      requires(const Chip& c, Inspector& to) { c.inspect(to, std::string_view{}); });

  DeviceOf(std::string name, std::unique_ptr<Chip> chip) noexcept
      : name_{std::move(name)}, chip_{std::move(chip)} {}

  [[nodiscard]] Chip& chip() noexcept { return *chip_; }

  [[nodiscard]] std::string_view name() const noexcept override { return name_; }
  void pause() noexcept override {
    if constexpr (requires(Chip & c) { c.pause(); }) {
      chip_->pause();
    }
  }
  void resume() noexcept override {
    if constexpr (requires(Chip & c) { c.resume(); }) {
      chip_->resume();
    }
  }
  void reset() noexcept override { chip_->reset(); }
  void announce() noexcept override {
    if constexpr (requires(Chip & c) { c.announce(); }) {
      chip_->announce();
    }
  }
  void wake() noexcept override {
    if constexpr (requires(Chip & c) { c.wake(); }) {
      chip_->wake();
    } else {
      chip_->reset();
    }
  }
  [[nodiscard]] bool flush() noexcept override {
    if constexpr (requires(Chip & c) { c.flush(); }) {
      return chip_->flush();
    }
    return true;
  }
  [[nodiscard]] bool unplug(UnplugRequest request) noexcept override {
    if constexpr (requires(Chip & c) { c.unplug(request); }) {
      return chip_->unplug(request);
    }
    return true;
  }

  [[nodiscard]] bool hand_over() noexcept override {
    if constexpr (requires(Chip & c) { c.hand_over(); }) {
      return chip_->hand_over();
    }
    return true;
  }
  [[nodiscard]] bool take_back() noexcept override {
    if constexpr (requires(Chip & c) { c.take_back(); }) {
      return chip_->take_back();
    }
    return true;
  }

  [[nodiscard]] std::vector<std::byte> save() const override {
    const auto state = std::make_unique<State>(chip_->state());  // too large for the stack, some
    state::Saver saver;
    describe(saver, *state);
    saver.field(state::kKindField, "kind", device_kind(name_));
    return {saver.bytes().begin(), saver.bytes().end()};
  }
  [[nodiscard]] Result<> check(std::span<const std::byte> bytes,
                               UnplugRequest& gone) const override {
    const auto state = read(bytes);
    if (state == nullptr) {
      return fail("the saved state of ", name_, " is damaged: no such device could have it");
    }
    if constexpr (requires(const Chip& c) { c.fits(*state, gone); }) {
      return chip_->fits(*state, gone);
    }
    return {};
  }
  void load(std::span<const std::byte> bytes) override {
    const auto state = read(bytes);
    if (state == nullptr || !chip_->restore(*state)) {
      log::error(name_, " did not take a saved state that had been checked");
    }
  }
  void inspect(Inspector& to) const override {
    if constexpr (requires(const Chip& c) { c.inspect(to, name()); }) {
      chip_->inspect(to, name());
    } else {
      const Inspector::Part part{to, name_};
      state::show(chip_->state(), to);
    }
  }

 private:
  [[nodiscard]] std::unique_ptr<State> read(std::span<const std::byte> bytes) const {
    return read_device_state<State>(name_, bytes);
  }

  std::string name_;
  std::unique_ptr<Chip> chip_;
};

/// Makes a Device of a chip that exists: `device_of("serial0", std::move(port))`.
template <class Chip>
[[nodiscard]] std::unique_ptr<DeviceOf<Chip>> device_of(std::string name,
                                                        std::unique_ptr<Chip> chip) {
  return std::make_unique<DeviceOf<Chip>>(std::move(name), std::move(chip));
}

}  // namespace dm
