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

/// A drive on an image. The drive owns the image and closes it at the end. This class handles the
/// one request that may be in flight and the units of deferred work that lead from one request to
/// the next. It also does what must happen to both when the guest resets, stops or loses the drive.
///
/// Each unit makes at most one submission. A request carries the generation in which it was made. A
/// reset starts a new generation, so the completion of an old request only gives its memory back
/// (CVE-2023-5088). Thread rule: the loop's thread only. No allocation after construction.
class ImageDrive : public Drive {
 public:
  /// Most bytes of one submission of a DMA command.
  static constexpr std::uint64_t kMaxSubmission = bounds::kBytesPerUnit;

  struct Counters {
    std::uint64_t commands = 0;
    std::uint64_t refused = 0;      ///< commands and packets, by the guest's fault
    std::uint64_t submissions = 0;  ///< to the backend
    std::uint64_t io_errors = 0;    ///< of the backend
    std::uint64_t stale = 0;        ///< completions that came after a reset
    std::uint64_t too_short = 0;    ///< transfers for which the guest gave too little memory
    std::uint64_t dma_faults =
        0;  ///< transfers for which the guest named something that is not memory
  };

  void dma_started() noexcept final;
  void dma_stopped() noexcept final;
  void settle() noexcept final;
  void resume() noexcept final;
  [[nodiscard]] bool hand_over() noexcept final;
  [[nodiscard]] bool take_back() noexcept final;
  [[nodiscard]] const BlockBackend* medium() const noexcept final { return image_.get(); }
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

 protected:
  /// `image` may be null: the drive has no image yet.
  ImageDrive(std::unique_ptr<BlockBackend> image, WorkQueue& work) noexcept;
  /// The derived class calls retire() in its destructor first: only the whole drive can do that.
  ~ImageDrive() override = default;

  // What a kind of drive adds.
  /// What the drive is doing. It is part of the drive's state, because it is saved.
  [[nodiscard]] virtual Phase& phase() noexcept = 0;
  /// True if the command under way uses the transfer port.
  [[nodiscard]] virtual bool uses_dma() const noexcept = 0;
  /// The transfer port is armed for the command that waits for it. Calls take_up() for its first
  /// unit.
  virtual void dma_ready() noexcept = 0;
  /// Runs one unit of work: one submission, or the end of the command. Nothing is in flight when it
  /// is called.
  virtual void run_step() noexcept = 0;
  /// The unit's request has completed. Calls take_up() or again() for the next unit, or ends the
  /// command.
  virtual void step_done(BlockStatus status) noexcept = 0;
  /// Fails the command under way, because the back end does not give its request back.
  virtual void give_up() noexcept = 0;
  /// True if the next unit decodes the command, which asks nothing of the host.
  [[nodiscard]] virtual bool undecoded() const noexcept = 0;
  /// Fails the command under way, because the guest has stopped its transfer half-way.
  virtual void abort_dma() noexcept = 0;
  /// Fails the command under way, for which the guest gave what is not memory.
  virtual void dma_fault() noexcept = 0;
  /// Ends the command under way: DRDY and these bits. No interrupt.
  virtual void end(std::uint8_t status, std::uint8_t error) noexcept = 0;

  /// Null when there is no image.
  [[nodiscard]] BlockBackend* image() noexcept { return image_.get(); }
  [[nodiscard]] const BlockBackend* image() const noexcept { return image_.get(); }
  /// Opens an image. Call it only when there is none.
  void open_image(std::unique_ptr<BlockBackend> image) noexcept;
  /// Waits for the request in flight, lets its command go on, then closes the image.
  void close_image() noexcept;

  /// True while a request is in flight. If it is true when a command begins, the request is from
  /// before a reset and has not come back although it was drained. It then keeps what it uses, and
  /// the command waits under BSY.
  [[nodiscard]] bool in_flight() const noexcept { return in_flight_; }
  /// Sets BSY, and schedules one unit of work for after the guest's answer.
  void take_up() noexcept;
  /// Schedules another unit, from within the work of a command.
  void again() noexcept { work_.schedule(); }
  /// Sets BSY until the transfer port is armed. The guest may start drive and port in either order.
  void await_dma() noexcept;
  /// Begins a transfer of `bytes`: all the memory that the guest gave is judged before the image is
  /// touched. False when it is too little, or is no memory; the command has ended then.
  [[nodiscard]] bool begin_dma(std::uint64_t bytes, Dma direction) noexcept {
    const TransferPort::Fit fit = transfer().begin(bytes, direction);
    if (fit == TransferPort::Fit::equal || fit == TransferPort::Fit::longer) {
      return true;
    }
    refuse_dma(fit);
    return false;
  }
  /// Gives one request to the image. `data` must stay valid until it completes; `durable` as in
  /// BlockRequest.
  void submit(BlockOp op,
              std::uint64_t offset,
              std::uint64_t bytes,
              std::span<const std::span<std::byte>> data,
              bool durable = false) noexcept;
  /// The last request.
  [[nodiscard]] const BlockRequest& request() const noexcept { return request_; }
  /// The guest's pages for the next request. They are given back when the request is done, or by
  /// the code that asked for them.
  [[nodiscard]] DmaBuffer& pages() noexcept { return pages_; }
  [[nodiscard]] Counters& tally() noexcept { return counters_; }

  /// Ends the command under way without telling the guest, and waits for its request.
  void cut_off() noexcept;
  /// Makes everything durable that was acknowledged. Call it after settle(), if there is an image.
  [[nodiscard]] BlockStatus flush_image() noexcept;
  /// Calls cut_off() and closes the image: for the destructor.
  void retire() noexcept;
  /// Restores the registers and INTRQ of a saved drive. Call it after the phase is restored.
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
