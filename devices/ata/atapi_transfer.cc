// SPDX-License-Identifier: MIT
// Data of packet commands: bursts by PIO (ATA/ATAPI-6 9.8), DMA, and reads of the disc.
#include "devices/ata/atapi_drive.h"
#include "devices/ata/atapi_sense.h"
#include "devices/ata/regs.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace dm::ata {

namespace {

using regs::kMask;
using regs::kReady;
using regs::STATUS;

constexpr std::uint8_t kReasonToHost = 0x02;  ///< I/O
constexpr std::uint8_t kReasonFromHost = 0x00;
constexpr std::uint32_t kSyncAndHeader = 16;  ///< bytes of a raw frame before the user data

constexpr std::uint32_t even(std::uint32_t bytes) noexcept {
  return bytes + bytes % 2;
}
constexpr std::uint8_t bcd(std::uint32_t value) noexcept {
  return static_cast<std::uint8_t>((value / 10 % 10) << 4U | value % 10);
}

}  // namespace

std::size_t AtapiDrive::data_left() const noexcept {
  return cd_.phase == Phase::data_in || cd_.phase == Phase::data_out ? cd_.end - cd_.pos : 0;
}

std::size_t AtapiDrive::read_data(std::span<std::byte> to) noexcept {
  if (cd_.phase != Phase::data_in) {
    return 0;
  }
  const std::size_t bytes = std::min(to.size(), data_left());
  std::memcpy(to.data(), cd_.buffer.data() + cd_.pos, bytes);
  cd_.pos += static_cast<std::uint32_t>(bytes);
  if (cd_.pos == cd_.end) {
    burst_taken();
  }
  return bytes;
}

std::size_t AtapiDrive::write_data(std::span<const std::byte> from) noexcept {
  if (cd_.phase != Phase::data_out) {
    return 0;
  }
  const std::size_t bytes = std::min(from.size(), data_left());
  std::memcpy(cd_.buffer.data() + cd_.pos, from.data(), bytes);
  cd_.pos += static_cast<std::uint32_t>(bytes);
  if (cd_.pos == cd_.end) {
    burst_filled();
  }
  return bytes;
}

void AtapiDrive::burst_taken() noexcept {
  if (cd_.command == kIdentifyPacketDevice) {
    end(0, 0);  // the last word ends it without another interrupt, as with a disk
  } else {
    next_burst_in();
  }
}

void AtapiDrive::burst_filled() noexcept {
  if (cd_.awaits_packet) {
    packet_taken();
  } else if (cd_.pos < cd_.filled) {
    next_burst_out();
  } else {
    mode_parameters_taken();
  }
}

/// The byte count limit, ATA/ATAPI-6 8.23.4: FFFFh means FFFEh, and an odd one is rounded down
/// unless everything fits into it. False: it allows nothing, and the command has been aborted.
bool AtapiDrive::take_byte_limit(std::uint64_t total) noexcept {
  unsigned limit = file().lba_mid[0] | unsigned{file().lba_high[0]} << 8U;
  if (limit == 0xffff) {
    limit = 0xfffe;
  }
  if (total > limit) {
    limit &= ~1U;
  }
  if (limit == 0) {
    abort();
    return false;
  }
  cd_.byte_limit = static_cast<std::uint16_t>(std::max(limit, 2U));
  return true;
}

/// `total` bytes: those in the buffer, and `remaining` blocks.
void AtapiDrive::begin_data_in(std::uint64_t total) noexcept {
  cd_.pos = cd_.end = 0;
  if (total == 0) {
    finish_packet();
  } else if (cd_.dma) {
    await_dma();
  } else if (take_byte_limit(total)) {
    next_burst_in();
  }
}

void AtapiDrive::begin_data_out(std::uint32_t total) noexcept {
  std::fill_n(cd_.buffer.begin(), even(total), std::uint8_t{0});
  cd_.pos = cd_.end = 0;
  cd_.filled = total;
  if (total == 0) {
    finish_packet();
  } else if (cd_.dma) {
    await_dma();
  } else if (take_byte_limit(total)) {
    next_burst_out();
  }
}

void AtapiDrive::next_burst_in() noexcept {
  if (cd_.pos >= cd_.filled) {
    if (cd_.remaining != 0) {
      go(Step::fetch);
    } else {
      finish_packet();
    }
    return;
  }
  const std::uint32_t here = cd_.filled - cd_.pos;
  const bool last = cd_.remaining == 0 && here <= cd_.byte_limit;
  const std::uint32_t limit = last ? cd_.byte_limit : cd_.byte_limit & ~1U;
  const std::uint32_t bytes = std::min(here, limit);
  if (bytes % 2 != 0) {
    cd_.buffer[cd_.pos + bytes] = 0;  // the other half of the last word
  }
  cd_.phase = Phase::data_in;
  show_burst(kReasonToHost, bytes);
}

void AtapiDrive::next_burst_out() noexcept {
  const std::uint32_t here = cd_.filled - cd_.pos;
  const std::uint32_t limit = here <= cd_.byte_limit ? cd_.byte_limit : cd_.byte_limit & ~1U;
  cd_.phase = Phase::data_out;
  show_burst(kReasonFromHost, std::min(here, limit));
}

/// DRQ, its reason, how many bytes, and an interrupt.
void AtapiDrive::show_burst(std::uint8_t reason, std::uint32_t bytes) noexcept {
  cd_.end = cd_.pos + even(bytes);
  file().count[0] = reason;
  file().lba_mid[0] = static_cast<std::uint8_t>(bytes & 0xffU);
  file().lba_high[0] = static_cast<std::uint8_t>(bytes >> 8U);
  file().status = kReady | kMask<STATUS::DRQ>;
  set_interrupt(true);
}

/// As many blocks as the buffer holds. Raw frames leave room around the user data.
void AtapiDrive::fetch() noexcept {
  if (!disc_is_still_there() || !go_on_by_dma(std::uint64_t{cd_.remaining} * cd_.frame)) {
    return;
  }
  const bool raw = cd_.frame == kRawFrame;
  fetching_ = std::min<std::uint32_t>(cd_.remaining,
                                      static_cast<std::uint32_t>(CdState::kBuffer / cd_.frame));
  const auto buffer = std::as_writable_bytes(std::span{cd_.buffer});
  std::size_t spans = 1;
  if (raw) {
    spans = fetching_;
    for (std::size_t i = 0; i < spans; ++i) {
      spans_[i] = buffer.subspan(i * kRawFrame + kSyncAndHeader, kBlock);
    }
  } else {
    spans_[0] = buffer.first(std::size_t{fetching_} * kBlock);
  }
  submit(BlockOp::read, std::uint64_t{cd_.lba} * kBlock, std::uint64_t{fetching_} * kBlock,
         std::span{spans_}.first(spans));
}

/// Mode 1 frames around `count` blocks in the buffer (ECMA-130 clause 14). EDC and ECC are zero:
/// nobody has a use for them.
void AtapiDrive::frame_blocks(std::uint32_t lba, std::uint32_t count) noexcept {
  constexpr std::uint32_t kLeadIn = 150;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto frame = std::span{cd_.buffer}.subspan(std::size_t{i} * kRawFrame, kRawFrame);
    const std::uint64_t at = std::uint64_t{lba} + i + kLeadIn;
    std::fill_n(frame.begin() + 1, 10, std::uint8_t{0xff});
    frame[0] = frame[11] = 0;
    frame[12] = bcd(static_cast<std::uint32_t>(at / 75 / 60 % 100));
    frame[13] = bcd(static_cast<std::uint32_t>(at / 75 % 60));
    frame[14] = bcd(static_cast<std::uint32_t>(at % 75));
    frame[15] = 1;  // mode
    std::fill(frame.begin() + kSyncAndHeader + kBlock, frame.end(), std::uint8_t{0});
  }
}

/// What was read before an error is given to the guest first.
void AtapiDrive::fetched(BlockStatus status) noexcept {
  const std::uint64_t good = status == BlockStatus::ok ? fetching_ : request().done_bytes / kBlock;
  const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(good, fetching_));
  if (count == 0) {
    read_failed();
    return;
  }
  if (cd_.frame == kRawFrame) {
    frame_blocks(cd_.lba, count);
  }
  cd_.lba += count;
  cd_.remaining -= count;
  cd_.pos = 0;
  cd_.filled = count * cd_.frame;
  next_burst_in();
}

void AtapiDrive::read_failed() noexcept {
  ++tally().io_errors;
  limit_.warning("ata: cannot read block ", cd_.lba + (moved_ + request().done_bytes) / kBlock,
                 " of the disc");
  end_dma();
  refuse(sense::kUnrecoveredRead);
}

/// First unit.
void AtapiDrive::start_dma() noexcept {
  const bool reads = cd_.remaining != 0;
  if (reads && !disc_is_still_there()) {
    return;
  }
  const bool out = !reads && cd_.packet[0] == kModeSelect10;
  const std::uint64_t total =
      reads ? std::uint64_t{cd_.remaining} * cd_.frame : std::uint64_t{even(cd_.filled)};
  moved_ = 0;
  if (!begin_dma(total, out ? Dma::from_guest : Dma::to_guest)) {
    return;
  }
  dma_running_ = true;
  if (reads) {
    cd_.step = cd_.frame == kRawFrame ? Step::dma_raw : Step::dma;
    again();
  } else if (copy_by_dma()) {
    dma_running_ = false;
    transfer().finish(TransferPort::End::complete);
    if (out) {
      mode_parameters_taken();
    } else {
      finish_packet();
    }
  }
}

/// `left` bytes of a transfer are still to come, which may have been saved half done. False: the
/// command has failed.
bool AtapiDrive::go_on_by_dma(std::uint64_t left) noexcept {
  if (!dma_running_ || !transfer().interrupted()) {
    return true;
  }
  moved_ = cd_.frame == kBlock ? transfer().moved() : 0;
  if (moved_ < left && moved_ % kSectorSize == 0 &&
      transfer().go_on(left - moved_, Dma::to_guest)) {
    return true;
  }
  dma_fault();
  return false;
}

/// The buffer to guest memory or back. False: the command has failed, as it does when its regions
/// are so small that one DmaBuffer does not hold them.
bool AtapiDrive::copy_by_dma() noexcept {
  const bool out = cd_.remaining == 0 && cd_.packet[0] == kModeSelect10;
  const std::size_t bytes = even(cd_.filled);
  const auto part = transfer().gather(pages(), bytes);
  if (part.piece == TransferPort::Piece::fault || part.bytes != bytes) {
    pages().release();
    dma_fault();
    return false;
  }
  std::size_t place = 0;
  for (const auto piece : pages().spans()) {
    if (out) {
      std::memcpy(cd_.buffer.data() + place, piece.data(), piece.size());
    } else {
      std::memcpy(piece.data(), cd_.buffer.data() + place, piece.size());
    }
    place += piece.size();
  }
  pages().release();
  return true;
}

/// From the disc straight into the guest's pages, in whole 512-byte pieces.
void AtapiDrive::dma_next() noexcept {
  if (!disc_is_still_there() || !go_on_by_dma(std::uint64_t{cd_.remaining} * kBlock)) {
    return;
  }
  const std::uint64_t left = std::uint64_t{cd_.remaining} * kBlock - moved_;
  const auto part = transfer().gather(pages(), std::min(left, kMaxSubmission));
  switch (part.piece) {
    case TransferPort::Piece::fault:
      dma_fault();
      break;
    case TransferPort::Piece::dropped:
      dma_advance(part.bytes);
      break;
    case TransferPort::Piece::memory:
      submit(BlockOp::read, std::uint64_t{cd_.lba} * kBlock + moved_, part.bytes, pages().spans());
      break;
  }
}

void AtapiDrive::dma_done(BlockStatus status) noexcept {
  if (status != BlockStatus::ok) {
    read_failed();
    return;
  }
  dma_advance(request().length);
}

void AtapiDrive::dma_advance(std::uint64_t bytes) noexcept {
  moved_ += bytes;
  if (moved_ != std::uint64_t{cd_.remaining} * kBlock) {
    again();
    return;
  }
  dma_running_ = false;
  transfer().finish(TransferPort::End::complete);
  finish_packet();
}

void AtapiDrive::dma_raw_done(BlockStatus status) noexcept {
  if (status != BlockStatus::ok) {
    read_failed();
    return;
  }
  frame_blocks(cd_.lba, fetching_);
  cd_.filled = fetching_ * kRawFrame;
  if (!copy_by_dma()) {
    return;
  }
  cd_.lba += fetching_;
  cd_.remaining -= fetching_;
  if (cd_.remaining != 0) {
    again();
    return;
  }
  dma_running_ = false;
  transfer().finish(TransferPort::End::complete);
  finish_packet();
}

void AtapiDrive::end_dma() noexcept {
  if (std::exchange(dma_running_, false)) {
    transfer().finish(TransferPort::End::error);
  }
}

void AtapiDrive::dma_fault() noexcept {
  ++tally().dma_faults;
  dma_running_ = false;
  transfer().finish(TransferPort::End::fault);
  refuse(sense::kDataPhaseError);
}

}  // namespace dm::ata
