// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"
#include "core/bounds.h"
#include "core/mem/guest_memory.h"
#include "core/time/work.h"
#include "devices/ata/drive.h"
#include "devices/ata/state.h"
#include "devices/ata/transfer_port.h"

#include <cstdint>
#include <memory>
#include <span>

namespace dm::ata {

/// A drive on an image, which it owns and closes when it goes: the one request that it may have in
/// flight, the units of deferred work that lead from one request to the next, and what must happen
/// to both when the guest resets, stops or loses the drive.
///
/// Each unit makes at most one submission. A request carries the generation in which it was made:
/// a reset starts a new one, so an old completion can only give its memory back (CVE-2023-5088).
/// Thread rule: the loop's thread only. No allocation after construction.
class ImageDrive : public Drive {
 public:
  /// Bytes of one submission of a DMA command.
  static constexpr std::uint64_t kMaxSubmission = bounds::kBytesPerUnit;

  struct Counters {
    std::uint64_t commands = 0;
    std::uint64_t refused = 0;      ///< commands and packets, by the guest's fault
    std::uint64_t submissions = 0;  ///< to the backend
    std::uint64_t io_errors = 0;    ///< of the backend
    std::uint64_t stale = 0;        ///< completions that came after a reset
    std::uint64_t too_short = 0;    ///< transfers for which the guest gave too little memory
    std::uint64_t dma_faults = 0;   ///< and those for which it gave what is not memory
  };

  void dma_started() noexcept final;
  void dma_stopped() noexcept final;
  void settle() noexcept final;
  void resume() noexcept final;
  [[nodiscard]] const BlockBackend* medium() const noexcept final { return image_.get(); }
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

 protected:
  /// `image` null: none yet.
  ImageDrive(std::unique_ptr<BlockBackend> image, WorkQueue& work) noexcept;
  /// After retire(), which only the whole drive can do.
  ~ImageDrive() override = default;

  // What a kind of drive adds.
  /// What the drive is doing: in its state, since it is saved.
  [[nodiscard]] virtual Phase& phase() noexcept = 0;
  /// Does the command under way use the transfer port?
  [[nodiscard]] virtual bool uses_dma() const noexcept = 0;
  /// The transfer port is armed for the command that waits for it: take_up() its first unit.
  virtual void dma_ready() noexcept = 0;
  /// One unit of work, begun with nothing in flight: one submission, or the end of the command.
  virtual void run_step() noexcept = 0;
  /// Its request has come back; take_up() or again() for the next unit, or the end of the command.
  virtual void step_done(BlockStatus status) noexcept = 0;
  /// Fails the command under way, whose request the backend does not give back.
  virtual void give_up() noexcept = 0;
  /// Is the next unit the decoding of the command, which asks nothing of the host?
  [[nodiscard]] virtual bool undecoded() const noexcept = 0;
  /// Fails the command under way, whose transfer the guest has stopped half-way.
  virtual void abort_dma() noexcept = 0;
  /// Fails the command under way, for which the guest gave what is not memory.
  virtual void dma_fault() noexcept = 0;
  /// Ends the command under way: DRDY and these bits. No interrupt.
  virtual void end(std::uint8_t status, std::uint8_t error) noexcept = 0;

  /// Null: none.
  [[nodiscard]] BlockBackend* image() noexcept { return image_.get(); }
  [[nodiscard]] const BlockBackend* image() const noexcept { return image_.get(); }
  /// Only where there is none.
  void open_image(std::unique_ptr<BlockBackend> image) noexcept;
  /// Waits for the request in flight and lets its command go on, then closes the image.
  void close_image() noexcept;

  /// A request is under way. When a command begins, it is one from before a reset that has not come
  /// back although it was drained: what it uses stays its own, and the command waits under BSY.
  [[nodiscard]] bool in_flight() const noexcept { return in_flight_; }
  /// BSY now, and one unit of work after the guest has its answer.
  void take_up() noexcept;
  /// The same, within the work of a command.
  void again() noexcept { work_.schedule(); }
  /// BSY until the transfer port is armed. Drive and port may be started in either order.
  void await_dma() noexcept;
  /// Begins a transfer of `bytes`: all the memory that the guest gave is judged before the image is
  /// touched. False: it is too little or is none, and the command has ended.
  [[nodiscard]] bool begin_dma(std::uint64_t bytes, Dma direction) noexcept {
    const TransferPort::Fit fit = transfer().begin(bytes, direction);
    if (fit == TransferPort::Fit::equal || fit == TransferPort::Fit::longer) {
      return true;
    }
    refuse_dma(fit);
    return false;
  }
  /// Hands one request to the image. `data` stays valid until it is back; `durable` as in
  /// BlockRequest.
  void submit(BlockOp op,
              std::uint64_t offset,
              std::uint64_t bytes,
              std::span<const std::span<std::byte>> data,
              bool durable = false) noexcept;
  /// The last one.
  [[nodiscard]] const BlockRequest& request() const noexcept { return request_; }
  /// The guest's pages for the next request. Given back when it is done, or by whoever asked.
  [[nodiscard]] DmaBuffer& pages() noexcept { return pages_; }
  [[nodiscard]] Counters& tally() noexcept { return counters_; }

  /// Ends the command under way without a word to the guest, and waits for its request.
  void cut_off() noexcept;
  /// Makes everything durable that was acknowledged. After settle(), where there is an image.
  [[nodiscard]] BlockStatus flush_image() noexcept;
  /// cut_off(), and closes the image: in the destructor.
  void retire() noexcept;
  /// Registers and INTRQ of a saved drive, after its phase.
  void restore_file(const DriveState& in) noexcept;

 private:
  struct Request : BlockRequest {
    std::uint32_t generation = 0;
  };

  bool run_unit() noexcept;
  void refuse_dma(TransferPort::Fit fit) noexcept;
  void give_back() noexcept;
  void done(BlockStatus status) noexcept;
  void drain() noexcept;

  std::unique_ptr<BlockBackend> image_;
  Work work_;
  Meter& meter_;
  Counters counters_;

  // Not touched by the guest, not saved.
  Request request_;
  DmaBuffer pages_;
  std::uint32_t generation_ = 0;
  bool in_flight_ = false;
};

}  // namespace dm::ata
