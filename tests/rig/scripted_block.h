// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"
#include "core/range.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace dm::rig {

/// A disk in memory whose every completion a test controls. Requests complete inline until hold()
/// says otherwise; then they wait for complete(), in whatever order. Sectors can be made to fail.
/// There are two images, what reads see and what a power cut would leave; a flush or a durable
/// write moves data from the first to the second.
///
/// The test owns this object; the device gets open(). Sparse: a disk of terabytes costs what is
/// written.
class ScriptedBlock {
 public:
  static constexpr std::uint64_t kSector = 512;
  struct Entry {
    BlockOp op;
    std::uint64_t offset;
    std::uint64_t length;
    bool durable;
  };

  explicit ScriptedBlock(std::uint64_t bytes) { info.size = bytes; }
  ScriptedBlock(const ScriptedBlock&) = delete;
  ScriptedBlock& operator=(const ScriptedBlock&) = delete;

  /// For the device; closed when that is destroyed.
  [[nodiscard]] std::unique_ptr<BlockBackend> open() {
    open_ = true;
    return std::make_unique<Handle>(*this);
  }
  [[nodiscard]] bool is_open() const noexcept { return open_; }

  BlockInfo info{.size = 0, .can_discard = true};
  std::vector<Entry> log;  ///< in order of submission
  unsigned drains = 0;
  unsigned flushes_now = 0;
  unsigned hand_overs = 0;
  unsigned take_backs = 0;
  std::size_t abandoned = 0;  ///< requests under way when the device closed the image

  // The image as readers see it, bytes.
  void read(std::uint64_t offset, std::span<std::byte> to) const { now_.read(offset, to); }
  void write(std::uint64_t offset, std::span<const std::byte> from) {
    now_.write(offset, from);
    stable_.write(offset, from);
  }
  /// Sector `lba` filled with a pattern that tells it from every other.
  void stamp(std::uint64_t lba) { write(lba * kSector, pattern(lba)); }
  [[nodiscard]] std::array<std::byte, kSector> sector(std::uint64_t lba) const {
    std::array<std::byte, kSector> out;
    now_.read(lba * kSector, out);
    return out;
  }
  [[nodiscard]] static std::array<std::byte, kSector> pattern(std::uint64_t lba,
                                                              std::uint64_t salt = 0) {
    std::array<std::byte, kSector> out;
    std::uint64_t x = (lba + 1) * 0x9e3779b97f4a7c15U ^ (salt * 0xbf58476d1ce4e5b9U);
    for (std::byte& b : out) {
      x ^= x << 13U;
      x ^= x >> 7U;
      x ^= x << 17U;
      b = static_cast<std::byte>(x >> 24U & 0xffU);
    }
    return out;
  }
  /// What a sudden loss of power leaves.
  void power_cut() { now_ = stable_; }

  // The script.
  void hold(bool on = true) noexcept { held_ = on; }
  [[nodiscard]] std::size_t pending() const noexcept { return pending_.size(); }
  /// Completes the `index`-th of the waiting requests.
  void complete(std::size_t index = 0) {
    if (index >= pending_.size()) {
      throw std::logic_error("no such request is waiting");
    }
    BlockRequest* const request = pending_[index];
    pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(index));
    finish(*request);
  }
  void complete_all() {
    while (!pending_.empty()) {
      complete();
    }
  }
  /// drain() returns with requests still waiting, which no backend may do.
  void break_drain(bool on = true) noexcept { drain_broken_ = on; }
  void fail_at(std::uint64_t lba, BlockStatus status = BlockStatus::io_error) {
    bad_[lba] = status;
  }
  /// On an error nothing is said about what was transferred before it.
  void hide_progress(bool on = true) noexcept { hide_progress_ = on; }
  void heal() { bad_.clear(); }
  /// True after hand_over(), until take_back(): requests fail, and no flush happens.
  [[nodiscard]] bool is_away() const noexcept { return away_; }
  /// hand_over() refuses; take_back() fails, for good.
  void cannot_go(bool on = true) noexcept { cannot_go_ = on; }
  void cannot_come_back(bool on = true) noexcept { cannot_come_back_ = on; }
  /// From now on flushes fail, for ever, as the interface demands.
  void fail_flushes(BlockStatus status = BlockStatus::io_error) noexcept { flush_status_ = status; }

 private:
  class Image {
   public:
    void read(std::uint64_t offset, std::span<std::byte> to) const {
      for (; !to.empty();) {
        const std::size_t at = offset % kPage;
        const std::size_t n = std::min<std::size_t>(to.size(), kPage - at);
        if (const auto page = pages_.find(offset / kPage); page != pages_.end()) {
          std::memcpy(to.data(), page->second.data() + at, n);
        } else {
          std::memset(to.data(), 0, n);
        }
        to = to.subspan(n);
        offset += n;
      }
    }
    void write(std::uint64_t offset, std::span<const std::byte> from) {
      for (; !from.empty();) {
        const std::size_t at = offset % kPage;
        const std::size_t n = std::min<std::size_t>(from.size(), kPage - at);
        std::memcpy(pages_[offset / kPage].data() + at, from.data(), n);
        from = from.subspan(n);
        offset += n;
      }
    }

   private:
    static constexpr std::size_t kPage = 4096;
    std::map<std::uint64_t, std::array<std::byte, kPage>> pages_;
  };

  class Handle final : public BlockBackend {
   public:
    explicit Handle(ScriptedBlock& disk) noexcept : disk_{disk} { disk_.handle_ = this; }
    ~Handle() override {
      disk_.open_ = false;
      disk_.handle_ = nullptr;
      disk_.abandoned += disk_.pending_.size();
      disk_.pending_.clear();
    }
    [[nodiscard]] BlockInfo info() const noexcept override { return disk_.info; }
    void submit(BlockRequest& request) noexcept override { disk_.submit(request); }
    void drain() noexcept override { disk_.drain(); }
    [[nodiscard]] BlockStatus flush_now() noexcept override {
      disk_.drain();
      ++disk_.flushes_now;
      return disk_.flush();
    }
    [[nodiscard]] BlockStatus hand_over() noexcept override { return disk_.hand_over(); }
    [[nodiscard]] bool take_back() noexcept override { return disk_.take_back(); }
    [[nodiscard]] std::string_view name() const noexcept override { return "scripted"; }
    [[nodiscard]] std::string_view engine() const noexcept override { return "memory"; }
    [[nodiscard]] std::uint64_t in_flight() const noexcept override {
      return disk_.pending_.size();
    }

   private:
    friend class ScriptedBlock;
    ScriptedBlock& disk_;
  };

  void submit(BlockRequest& request) noexcept {
    log.push_back({request.op, request.offset, request.length, request.durable});
    if (held_) {
      pending_.push_back(&request);
    } else {
      finish(request);
    }
  }
  void drain() noexcept {
    ++drains;
    while (!drain_broken_ && !pending_.empty()) {
      complete();
    }
  }
  BlockStatus hand_over() {
    ++hand_overs;
    drain();
    if (flush_status_ != BlockStatus::ok || cannot_go_) {
      return BlockStatus::io_error;
    }
    stable_ = now_;
    away_ = true;
    return BlockStatus::ok;
  }
  bool take_back() noexcept {
    ++take_backs;
    away_ = away_ && cannot_come_back_;
    return !away_;
  }
  BlockStatus flush() {
    if (flush_status_ == BlockStatus::ok) {
      stable_ = now_;
    }
    return flush_status_;
  }
  void finish(BlockRequest& request) {
    BlockStatus status = BlockStatus::ok;
    request.done_bytes = 0;
    if (away_) {
      status = BlockStatus::io_error;
    } else if (!within(0, info.size, request.offset, request.length)) {
      status = BlockStatus::out_of_range;
    } else if (request.op == BlockOp::flush) {
      status = flush();
    } else if (info.read_only && request.op != BlockOp::read) {
      status = BlockStatus::read_only;
    } else if (request.op == BlockOp::discard) {
      const std::vector<std::byte> zeros(request.length);
      now_.write(request.offset, zeros);
    } else {
      status = transfer(request);
    }
    if (handle_ != nullptr) {
      handle_->count(request, status);
    }
    request.done(request, status);
  }
  BlockStatus transfer(BlockRequest& request) {
    std::uint64_t good = request.length;
    BlockStatus status = BlockStatus::ok;
    const auto bad = bad_.lower_bound(request.offset / kSector);
    if (bad != bad_.end() && bad->first * kSector < request.offset + request.length) {
      good = bad->first * kSector - request.offset;
      status = bad->second;
    }
    std::uint64_t done = 0;
    std::uint64_t sum = 0;
    for (const auto span : request.data) {
      sum += span.size();
      const auto part = span.first(std::min<std::uint64_t>(span.size(), good - done));
      if (request.op == BlockOp::read) {
        now_.read(request.offset + done, part);
      } else {
        now_.write(request.offset + done, part);
        if (request.durable) {
          stable_.write(request.offset + done, part);
        }
      }
      done += part.size();
    }
    if (sum != request.length) {
      throw std::logic_error("a request's length is not the sum of its data");
    }
    request.done_bytes = status != BlockStatus::ok && hide_progress_ ? 0 : done;
    return status;
  }

  Image now_;
  Image stable_;
  std::map<std::uint64_t, BlockStatus> bad_;
  std::vector<BlockRequest*> pending_;
  BlockStatus flush_status_ = BlockStatus::ok;
  Handle* handle_ = nullptr;
  bool held_ = false;
  bool drain_broken_ = false;
  bool hide_progress_ = false;
  bool open_ = false;
  bool away_ = false;
  bool cannot_go_ = false;
  bool cannot_come_back_ = false;
};

}  // namespace dm::rig
