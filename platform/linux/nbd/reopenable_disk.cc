// SPDX-License-Identifier: MIT
#include "platform/linux/nbd/reopenable_disk.h"

#include "core/obs/log.h"
#include "core/obs/probe.h"
#include "platform/linux/nap.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace dm::host {

namespace {

/// Between two attempts, doubled each time.
constexpr std::chrono::milliseconds kFirstPause{50};
constexpr std::chrono::milliseconds kLongestPause{1000};

void add(BlockStats& to, const BlockStats& more) noexcept {
  for (std::size_t op = 0; op < BlockStats::kOps; ++op) {
    to.operations[op] += more.operations[op];
    to.bytes[op] += more.bytes[op];
    to.failed[op] += more.failed[op];
  }
}

}  // namespace

ReopenableDisk::ReopenableDisk(std::unique_ptr<BlockBackend> disk,
                               Ways ways,
                               std::chrono::milliseconds patience)
    : disk_{std::move(disk)},
      ways_{std::move(ways)},
      patience_{patience},
      info_{disk_->info()},
      name_{disk_->name()},
      engine_{disk_->engine()} {}

void ReopenableDisk::submit(BlockRequest& request) noexcept {
  if (disk_ != nullptr) [[likely]] {
    disk_->submit(request);
    return;
  }
  DM_PROBE4(disk_submit, &request, static_cast<int>(request.op), request.offset, request.length);
  request.done_bytes = 0;
  request.status = BlockStatus::io_error;
  DM_PROBE3(disk_done, &request, static_cast<int>(request.status), request.done_bytes);
  count(request, request.status);
  request.done(request, request.status);
}

void ReopenableDisk::drain() noexcept {
  if (disk_ != nullptr) {
    disk_->drain();
  }
}

BlockStatus ReopenableDisk::flush_now() noexcept {
  if (disk_ != nullptr) {
    return disk_->flush_now();
  }
  return lost_ ? BlockStatus::io_error : BlockStatus::ok;
}

BlockStatus ReopenableDisk::hand_over() noexcept {
  if (const BlockStatus status = flush_now(); status != BlockStatus::ok || disk_ == nullptr) {
    return status;
  }
  try {
    if (const auto possible = ways_.check(); !possible) {
      log::warning("disk ", name_, " cannot be left to another device model, since it could not ",
                   "be had again if the guest went on here after all: ",
                   std::string_view{possible.error().message});
      return BlockStatus::io_error;
    }
  } catch (const std::exception& failure) {
    log::error("disk ", name_, ": ", failure.what());
    return BlockStatus::io_error;
  }
  add(before_, disk_->stats());
  disk_.reset();
  log::info("disk ", name_, ": closed, for another device model to open it");
  return BlockStatus::ok;
}

Result<> ReopenableDisk::open_again() {
  auto opened = ways_.open();
  if (!opened) {
    return opened.error();
  }
  if ((*opened)->info().size != info_.size) {
    return fail("disk ", name_, ": its size has changed from ", std::to_string(info_.size), " to ",
                std::to_string((*opened)->info().size), " bytes");
  }
  disk_ = std::move(*opened);
  return {};
}

bool ReopenableDisk::take_back() noexcept {
  if (disk_ != nullptr || lost_) {
    return !lost_;
  }
  const auto end = std::chrono::steady_clock::now() + patience_;
  try {
    for (auto pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
      const auto opened = open_again();
      if (opened) {
        return true;
      }
      if (std::chrono::steady_clock::now() + pause > end) {
        log::error("disk ", name_, " cannot be had again: every request fails from here on; what ",
                   "was written is safe: ", std::string_view{opened.error().message});
        break;
      }
      nap(pause);
    }
  } catch (const std::exception& failure) {
    log::error("disk ", name_,
               " cannot be had again: every request fails from here on: ", failure.what());
  }
  lost_ = true;
  return false;
}

std::uint64_t ReopenableDisk::in_flight() const noexcept {
  return disk_ != nullptr ? disk_->in_flight() : 0;
}

BlockStats ReopenableDisk::stats() const noexcept {
  BlockStats all = BlockBackend::stats();
  add(all, before_);
  if (disk_ != nullptr) {
    add(all, disk_->stats());
  }
  return all;
}

}  // namespace dm::host
