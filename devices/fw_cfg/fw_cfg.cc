// SPDX-License-Identifier: MIT
#include "devices/fw_cfg/fw_cfg.h"

#include "core/net/big_endian.h"
#include "core/state/show.h"
#include "devices/fw_cfg/regs.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace dm::fw_cfg {

namespace {

namespace control = regs::control;

/// An operation as the guest has written it.
struct Operation {
  std::uint32_t control = 0;
  std::uint32_t length = 0;
  std::uint64_t address = 0;
};

/// The guest writes these registers most significant byte first.
[[nodiscard]] std::uint32_t from_port(std::uint64_t value) noexcept {
  return inet::swapped(static_cast<std::uint32_t>(value));
}

}  // namespace

FwCfg::FwCfg(std::vector<Item> items, const DevicePorts& ports) noexcept
    : items_{std::move(items)},
      memory_{ports.memory},
      work_{Work::bind<&FwCfg::run_unit>(ports.work, *this)},
      port_claim_{ports.pio.claim({regs::kSelector, regs::kData},
                                  IoHandler::bind_with_runs<&FwCfg::read_port,
                                                            &FwCfg::write_port,
                                                            &FwCfg::read_run,
                                                            &FwCfg::write_run>(*this),
                                  "fw_cfg")},
      dma_claim_{ports.pio.claim({regs::kDmaHigh, regs::kDmaLow + 3},
                                 IoHandler::bind<&FwCfg::read_dma, &FwCfg::write_dma>(*this),
                                 "fw_cfg dma")} {}

Result<std::unique_ptr<FwCfg>> FwCfg::create(std::vector<Item> items, const DevicePorts& ports) {
  std::unique_ptr<FwCfg> device{new FwCfg{std::move(items), ports}};
  for (const PioClaim* claim : {&device->port_claim_, &device->dma_claim_}) {
    if (!claim->ok()) {
      return fail("fw_cfg: its ports are held by ", claim->holder());
    }
  }
  return device;
}

void FwCfg::resume() noexcept {
  if (state_.running) {
    work_.schedule();
  }
}

void FwCfg::reset() noexcept {
  work_.cancel();
  state_ = {};
  ahead_bytes_ = 0;
}

bool FwCfg::restore(const State& saved) noexcept {
  if (!validate(saved)) {
    return false;
  }
  reset();
  state_ = saved;
  return true;
}

void FwCfg::inspect(Inspector& to, std::string_view name) const {
  const Inspector::Part part{to, name};
  {
    const Inspector::Part counters{to, "counters"};
    to.number("operations", counters_.operations);
    to.number("errors", counters_.errors);
    to.number("ignored", counters_.ignored);
    to.number("moved", counters_.moved);
  }
  State shown = state_;
  state::show(shown, to);
}

// Items

void FwCfg::select(std::uint16_t key) noexcept {
  state_.key = key;
  state_.offset = 0;
  ahead_bytes_ = 0;
}

/// Null behind the item's end, too.
const Item* FwCfg::selected() const noexcept {
  const auto found = std::ranges::find(items_, state_.key, &Item::key);
  return found != items_.end() && state_.offset < found->size ? &*found : nullptr;
}

bool FwCfg::take(std::span<std::byte> to) noexcept {
  const Item* const item = selected();
  const std::size_t there =
      item == nullptr ? 0 : std::min<std::size_t>(to.size(), item->size - state_.offset);
  const auto found = to.first(there);
  std::ranges::fill(to.subspan(there), std::byte{0});
  bool good = true;
  if (there != 0 && item->file == nullptr) {
    std::memcpy(found.data(), &item->bytes[state_.offset], there);
  } else if (there != 0) {
    good = item->file->read(item->offset + state_.offset, found);
    if (!good) {
      std::ranges::fill(found, std::byte{0});
    }
  }
  state_.offset += static_cast<std::uint32_t>(there);
  return good;
}

// The ports: 16 bits at the first select, bytes at the second are read.

std::uint64_t FwCfg::read_port(IoAccess a) noexcept {
  if (a.offset != regs::kData - regs::kSelector) {
    return all_ones(a.size);
  }
  const Item* const item = selected();
  if (item == nullptr || item->file == nullptr) {
    std::byte one{};
    static_cast<void>(take({&one, 1}));
    return std::to_integer<std::uint64_t>(one);
  }
  if (state_.offset - ahead_at_ >= ahead_bytes_) {
    const std::uint32_t from = state_.offset;
    ahead_at_ = from;
    ahead_bytes_ = std::min<std::size_t>(ahead_.size(), item->size - from);
    static_cast<void>(take(std::span{ahead_}.first(ahead_bytes_)));
    state_.offset = from;
  }
  return std::to_integer<std::uint64_t>(ahead_.at(state_.offset++ - ahead_at_));
}

void FwCfg::write_port(IoAccess a, std::uint64_t value) noexcept {
  if (a.offset == 0 && a.size == 2 && !state_.running) {
    select(static_cast<std::uint16_t>(value));
  }
}

std::size_t FwCfg::read_run(IoAccess a, std::span<std::byte> to) noexcept {
  if (a.size != 1 || a.offset != regs::kData - regs::kSelector) {
    return 0;
  }
  static_cast<void>(take(to));
  return to.size();
}

std::size_t FwCfg::write_run(IoAccess /*a*/, std::span<const std::byte> /*from*/) noexcept {
  return 0;
}

// Operations

std::uint64_t FwCfg::read_dma(IoAccess a) noexcept {
  std::array<std::byte, 8> bytes{};
  inet::put32(bytes, 0, static_cast<std::uint32_t>(regs::kDmaSignature >> 32U));
  inet::put32(bytes, 4, static_cast<std::uint32_t>(regs::kDmaSignature & 0xffffffffU));
  std::uint64_t value = 0;
  std::memcpy(&value, &bytes.at(a.offset), std::min<std::size_t>(a.size, bytes.size() - a.offset));
  return value;
}

void FwCfg::write_dma(IoAccess a, std::uint64_t value) noexcept {
  constexpr std::uint64_t kLow = regs::kDmaLow - regs::kDmaHigh;
  if (a.size != 4) {
    return;
  }
  if (a.offset == 0) {
    state_.dma_high = from_port(value);
  } else if (a.offset == kLow) {
    const std::uint64_t high = std::exchange(state_.dma_high, 0);
    begin(high << 32U | from_port(value));
  }
}

void FwCfg::begin(std::uint64_t operation) noexcept {
  if (state_.running) {
    ++counters_.ignored;
    return;
  }
  ++counters_.operations;
  std::array<std::byte, regs::kOperationBytes> bytes{};
  state_.operation = operation;
  if (!memory_.read(Gpa{operation}, bytes)) {
    end(false);
    return;
  }
  const Operation asked{
      .control = inet::get32(bytes, 0),
      .length = inet::get32(bytes, 4),
      .address = std::uint64_t{inet::get32(bytes, 8)} << 32U | inet::get32(bytes, 12)};
  if ((asked.control & control::kSelect) != 0) {
    select(static_cast<std::uint16_t>(asked.control >> 16U));
  }
  if ((asked.control & control::kRead) != 0 && asked.length != 0) {
    state_.running = true;
    state_.target = asked.address;
    state_.rest = asked.length;
    work_.schedule();
    return;
  }
  if ((asked.control & (control::kRead | control::kWrite)) == control::kWrite) {
    end(false);
    return;
  }
  if ((asked.control & control::kSkip) != 0) {
    if (const Item* const item = selected()) {
      state_.offset += std::min(asked.length, item->size - state_.offset);
    }
  }
  end(true);
}

/// `bytes` of the item, or zeros where there is none, to where the operation has come.
bool FwCfg::move(const Item* item, std::uint32_t bytes) noexcept {
  if (state_.target > std::numeric_limits<std::uint64_t>::max() - bytes) {
    return false;
  }
  std::uint64_t at = state_.target;
  for (std::uint32_t left = bytes; left != 0;) {
    const auto piece = memory_.piece(Gpa{at}, left);
    if (piece.empty()) {
      return false;
    }
    const std::uint32_t offset = state_.offset + (bytes - left);
    bool good = true;
    if (item == nullptr) {
      std::ranges::fill(piece, std::byte{0});
    } else if (item->file == nullptr) {
      std::memcpy(piece.data(), &item->bytes[offset], piece.size());
    } else {
      good = item->file->read(item->offset + offset, piece);
    }
    memory_.mark_dirty(Gpa{at}, piece.size());
    if (!good) {
      return false;
    }
    at += piece.size();
    left -= static_cast<std::uint32_t>(piece.size());
  }
  return true;
}

bool FwCfg::run_unit() noexcept {
  const Item* const item = selected();
  std::uint32_t bytes = std::min(state_.rest, kUnitBytes);
  if (item != nullptr) {
    bytes = std::min(bytes, item->size - state_.offset);
  }
  if (!move(item, bytes)) {
    end(false);
    return false;
  }
  counters_.moved += bytes;
  state_.target += bytes;
  state_.rest -= bytes;
  state_.offset += item != nullptr ? bytes : 0;
  if (state_.rest == 0) {
    end(true);
  }
  return state_.running;
}

/// The guest waits for the first word to say so, and the data is in memory before.
void FwCfg::end(bool good) noexcept {
  counters_.errors += good ? 0 : 1;
  std::array<std::byte, 4> word{};
  inet::put32(word, 0, good ? 0 : control::kError);
  static_cast<void>(memory_.write(Gpa{state_.operation}, word));
  state_.running = false;
  state_.operation = state_.target = 0;
  state_.rest = 0;
}

}  // namespace dm::fw_cfg
