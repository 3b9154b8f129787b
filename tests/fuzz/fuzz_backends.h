// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"
#include "core/backend/chardev.h"
#include "core/range.h"
#include "tests/fuzz/host_calls.h"
#include "tests/fuzz/input.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace dm::fuzz {

/// A disk without contents: reads give a pattern at both ends of each span, writes look at both
/// ends. Completions wait, fail, come short and in any order, as an input says. Requests that no
/// device may make are aborts. Outlives the device's handle.
class FuzzDisk {
 public:
  explicit FuzzDisk(std::uint64_t bytes) {
    info.size = bytes;
    pending_.reserve(8);
  }
  FuzzDisk(const FuzzDisk&) = delete;
  FuzzDisk& operator=(const FuzzDisk&) = delete;
  ~FuzzDisk() { require(!open_, "a disk's image is closed with the machine"); }

  [[nodiscard]] std::unique_ptr<BlockBackend> open() {
    open_ = true;
    return std::make_unique<Handle>(*this);
  }
  [[nodiscard]] bool is_open() const noexcept { return open_; }
  [[nodiscard]] std::size_t pending() const noexcept { return pending_.size(); }

  BlockInfo info{.size = 0, .can_discard = true};
  bool hold = false;
  bool flushes_fail = false;
  unsigned fail_next = 0;  ///< so many requests fail
  BlockStatus failure = BlockStatus::io_error;
  std::uint32_t progress = 0;  ///< of a failed request, bytes

  void complete(std::size_t index) noexcept {
    if (pending_.empty()) {
      return;
    }
    const auto at = pending_.begin() + static_cast<std::ptrdiff_t>(index % pending_.size());
    BlockRequest* const request = *at;
    pending_.erase(at);
    finish(*request);
  }
  void complete_all() noexcept {
    while (!pending_.empty()) {
      complete(0);
    }
  }

 private:
  class Handle final : public BlockBackend {
   public:
    explicit Handle(FuzzDisk& disk) noexcept : disk_{disk} {}
    ~Handle() override {
      require(disk_.pending_.empty(), "nothing is under way when an image is closed");
      disk_.open_ = false;
    }
    [[nodiscard]] BlockInfo info() const noexcept override { return disk_.info; }
    void submit(BlockRequest& request) noexcept override { disk_.submit(request); }
    void drain() noexcept override { disk_.complete_all(); }
    [[nodiscard]] BlockStatus flush_now() noexcept override {
      host_calls.image(0);
      disk_.complete_all();
      return disk_.flushes_fail ? BlockStatus::io_error : BlockStatus::ok;
    }
    [[nodiscard]] std::string_view name() const noexcept override { return "fuzz"; }
    [[nodiscard]] std::string_view engine() const noexcept override { return "fuzz"; }
    [[nodiscard]] std::uint64_t in_flight() const noexcept override { return disk_.pending(); }

   private:
    FuzzDisk& disk_;
  };

  void submit(BlockRequest& request) noexcept {
    const bool moves = request.op == BlockOp::read || request.op == BlockOp::write;
    host_calls.image(moves ? request.length : 0);
    require(within(0, info.size, request.offset, request.length), "requests are inside the disk");
    require(request.offset % 512 == 0 && request.length % 512 == 0, "requests are whole sectors");
    require(std::ranges::find(pending_, &request) == pending_.end(), "a request is given once");
    require(!info.read_only || request.op == BlockOp::read || request.op == BlockOp::flush,
            "a read-only disk is not written");
    std::uint64_t sum = 0;
    for (const auto span : request.data) {
      sum += span.size();
    }
    require(sum == (moves ? request.length : 0), "a request's length is that of its data");
    pending_.push_back(&request);
    if (!hold) {
      complete(pending_.size() - 1);
    }
  }
  void finish(BlockRequest& request) noexcept {
    BlockStatus status = BlockStatus::ok;
    request.done_bytes = request.length;
    if (request.op == BlockOp::flush && flushes_fail) {
      status = BlockStatus::io_error;
    } else if (fail_next != 0) {
      --fail_next;
      status = failure;
      request.done_bytes = std::min<std::uint64_t>(progress, request.length);
    }
    for (const auto span : request.data) {
      if (span.empty()) {
        continue;
      }
      if (request.op == BlockOp::read) {
        span.front() = static_cast<std::byte>(request.offset >> 9U & 0xffU);
        span.back() = std::byte{0x55};
      } else {
        sink_ = std::to_integer<unsigned>(span.front() ^ span.back());
      }
    }
    request.done(request, status);
  }

  std::vector<BlockRequest*> pending_;
  volatile unsigned sink_ = 0;
  bool open_ = false;
};

/// The other end of a serial line: what comes in and how much goes out is the input's choice.
class FuzzLine {
 public:
  static constexpr std::size_t kCapacity = 64;

  [[nodiscard]] std::unique_ptr<CharBackend> open() { return std::make_unique<Handle>(*this); }

  std::size_t room = kCapacity;  ///< bytes taken before write() comes short

  void send(std::span<const std::uint8_t> bytes) noexcept {
    for (const std::uint8_t b : bytes.first(std::min(bytes.size(), kCapacity - waiting_))) {
      in_[waiting_++] = std::byte{b};
    }
    if (client_ != nullptr && waiting_ != 0) {
      client_->on_readable();
    }
  }
  void make_room(std::size_t bytes) noexcept {
    room = bytes;
    if (client_ != nullptr && room != 0) {
      client_->on_writable();
    }
  }
  void send_break() noexcept {
    if (client_ != nullptr && waiting_ == 0) {  // in its place among the bytes
      client_->on_break();
    }
  }
  void set_lines(ModemLines lines) noexcept {
    if (client_ != nullptr) {
      client_->on_lines(lines);
    }
  }

 private:
  class Handle final : public CharBackend {
   public:
    explicit Handle(FuzzLine& line) noexcept : line_{line} {}
    void attach(CharClient* client) noexcept override { line_.client_ = client; }
    std::size_t write(std::span<const std::byte> bytes) noexcept override {
      ++host_calls.system;
      const std::size_t taken = std::min(bytes.size(), line_.room);
      line_.room -= taken;
      return taken;
    }
    std::size_t read(std::span<std::byte> to) noexcept override {
      ++host_calls.system;
      const std::size_t n = std::min(to.size(), line_.waiting_);
      std::copy_n(line_.in_.begin(), n, to.begin());
      std::copy(line_.in_.begin() + static_cast<std::ptrdiff_t>(n),
                line_.in_.begin() + static_cast<std::ptrdiff_t>(line_.waiting_), line_.in_.begin());
      line_.waiting_ -= n;
      return n;
    }
    void set_break(bool /*on*/) noexcept override { ++host_calls.system; }
    void set_line(std::uint32_t baud,
                  std::uint8_t data_bits,
                  std::uint8_t stop_bits,
                  char parity) noexcept override {
      ++host_calls.system;
      require(baud >= 1 && baud <= 115200, "a serial line's speed is possible");
      require(data_bits >= 5 && data_bits <= 8 && stop_bits >= 1 && stop_bits <= 2 &&
                  (parity == 'n' || parity == 'e' || parity == 'o'),
              "a serial line's frame is possible");
    }
    void set_outputs(bool /*dtr*/, bool /*rts*/) noexcept override { ++host_calls.system; }
    [[nodiscard]] Output output() const noexcept override { return {}; }
    [[nodiscard]] std::string_view description() const noexcept override { return "fuzz"; }

   private:
    FuzzLine& line_;
  };

  CharClient* client_ = nullptr;
  std::array<std::byte, kCapacity> in_{};
  std::size_t waiting_ = 0;
};

}  // namespace dm::fuzz
