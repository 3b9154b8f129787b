// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace dm {

/// One access inside a claimed region. The bus guarantees: `size` is 1, 2, 4 or 8 and offset+size
/// does not pass the end of the region.
struct IoAccess {
  std::uint64_t offset;  ///< bytes from the start of the region
  std::uint8_t size;     ///< bytes
};

/// All ones in the width of an access: what a bus returns when no device answers.
[[nodiscard]] constexpr std::uint64_t all_ones(std::uint8_t size) noexcept {
  return size >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (size * 8U)) - 1;
}

/// A device's functions for one region of ports or memory: a pointer to the device and to a
/// constant table of functions. Trivially copyable; owns nothing. bind() accepts only `noexcept`
/// functions, so no handler can throw into the loop.
///
/// A read returns the value in the low `size` bytes (the bus masks the rest). A run serves `rep
/// ins` or `rep outs`: every item of `size` bytes goes to the same offset, in the order of memory.
/// A run handler returns the number of bytes that it has moved: a multiple of `size`, possibly 0.
/// The bus does the rest item by item, so a handler takes only what it can take at once. Thread
/// rule: the loop's thread only.
class IoHandler {
 public:
  struct Ops {
    std::uint64_t (*read)(void*, IoAccess) noexcept;
    void (*write)(void*, IoAccess, std::uint64_t) noexcept;
    std::size_t (*read_run)(void*, IoAccess, std::span<std::byte>) noexcept;
    std::size_t (*write_run)(void*, IoAccess, std::span<const std::byte>) noexcept;
  };

  constexpr IoHandler() noexcept = default;

  /// `IoHandler::bind<&Uart::read, &Uart::write>(uart)`
  template <auto Read, auto Write, class D>
  [[nodiscard]] static constexpr IoHandler bind(D& device) noexcept {
    static_assert(std::is_nothrow_invocable_r_v<std::uint64_t, decltype(Read), D&, IoAccess>);
    static_assert(std::is_nothrow_invocable_v<decltype(Write), D&, IoAccess, std::uint64_t>);
    return IoHandler{&device, &kOps<Read, Write, D>};
  }

  /// The same, with functions that take a whole run at once.
  template <auto Read, auto Write, auto ReadRun, auto WriteRun, class D>
  [[nodiscard]] static constexpr IoHandler bind_with_runs(D& device) noexcept {
    static_assert(std::is_nothrow_invocable_r_v<std::uint64_t, decltype(Read), D&, IoAccess>);
    static_assert(std::is_nothrow_invocable_v<decltype(Write), D&, IoAccess, std::uint64_t>);
    static_assert(std::is_nothrow_invocable_r_v<std::size_t, decltype(ReadRun), D&, IoAccess,
                                                std::span<std::byte>>);
    static_assert(std::is_nothrow_invocable_r_v<std::size_t, decltype(WriteRun), D&, IoAccess,
                                                std::span<const std::byte>>);
    return IoHandler{&device, &kOpsWithRuns<Read, Write, ReadRun, WriteRun, D>};
  }

  [[nodiscard]] std::uint64_t read(IoAccess a) const noexcept { return ops_->read(device_, a); }
  void write(IoAccess a, std::uint64_t value) const noexcept { ops_->write(device_, a, value); }
  [[nodiscard]] std::size_t read_run(IoAccess a, std::span<std::byte> to) const noexcept {
    return ops_->read_run != nullptr ? ops_->read_run(device_, a, to) : 0;
  }
  [[nodiscard]] std::size_t write_run(IoAccess a, std::span<const std::byte> from) const noexcept {
    return ops_->write_run != nullptr ? ops_->write_run(device_, a, from) : 0;
  }
  [[nodiscard]] constexpr bool bound() const noexcept { return ops_ != nullptr; }

 private:
  constexpr IoHandler(void* device, const Ops* ops) noexcept : device_{device}, ops_{ops} {}

  template <auto Read, class D>
  static std::uint64_t call_read(void* device, IoAccess a) noexcept {
    return (static_cast<D*>(device)->*Read)(a);
  }
  template <auto Write, class D>
  static void call_write(void* device, IoAccess a, std::uint64_t value) noexcept {
    (static_cast<D*>(device)->*Write)(a, value);
  }
  template <auto ReadRun, class D>
  static std::size_t call_read_run(void* device, IoAccess a, std::span<std::byte> to) noexcept {
    return (static_cast<D*>(device)->*ReadRun)(a, to);
  }
  template <auto WriteRun, class D>
  static std::size_t call_write_run(void* device,
                                    IoAccess a,
                                    std::span<const std::byte> from) noexcept {
    return (static_cast<D*>(device)->*WriteRun)(a, from);
  }

  template <auto Read, auto Write, class D>
  static constexpr Ops kOps{&call_read<Read, D>, &call_write<Write, D>, nullptr, nullptr};
  template <auto Read, auto Write, auto ReadRun, auto WriteRun, class D>
  static constexpr Ops kOpsWithRuns{&call_read<Read, D>, &call_write<Write, D>,
                                    &call_read_run<ReadRun, D>, &call_write_run<WriteRun, D>};

  void* device_ = nullptr;
  const Ops* ops_ = nullptr;
};

}  // namespace dm
