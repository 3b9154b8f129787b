// SPDX-License-Identifier: MIT
#include "devices/ata/image_drive.h"

#include "devices/ata/regs.h"

#include <utility>

namespace dm::ata {

using regs::STATUS;

ImageDrive::ImageDrive(std::unique_ptr<BlockBackend> image, WorkQueue& work) noexcept
    : image_{std::move(image)},
      work_{Work::bind<&ImageDrive::run_unit>(work, *this)},
      meter_{work.meter()} {
  request_.owner = this;
  request_.done = [](BlockRequest& r, BlockStatus status) noexcept {
    static_cast<ImageDrive*>(r.owner)->done(status);
  };
}

void ImageDrive::take_up() noexcept {
  phase() = Phase::work;
  file().status = regs::kMask<STATUS::BSY> | regs::kReady;
  work_.schedule();
}

/// Returns false always: the completion of one unit schedules the next.
bool ImageDrive::run_unit() noexcept {
  if (!in_flight_ && phase() == Phase::work) {
    run_step();
  }
  return false;
}

void ImageDrive::submit(BlockOp op,
                        std::uint64_t offset,
                        std::uint64_t bytes,
                        std::span<const std::span<std::byte>> data,
                        bool durable) noexcept {
  request_.op = op;
  request_.offset = offset;
  request_.length = bytes;
  request_.data = data;
  request_.durable = durable;
  request_.done_bytes = 0;
  request_.generation = generation_;
  in_flight_ = true;
  ++counters_.submissions;
  meter_.image_request(op == BlockOp::read || op == BlockOp::write ? bytes : 0);
  image_->submit(request_);
}

void ImageDrive::done(BlockStatus status) noexcept {
  in_flight_ = false;
  pages_.release();  // guest memory is whole and reported before any interrupt says so
  if (request_.generation == generation_) {
    step_done(status);
    return;
  }
  ++counters_.stale;
  if (phase() == Phase::work) {
    work_.schedule();  // a command that waited for it
  }
}

void ImageDrive::drain() noexcept {
  if (in_flight_) {
    image_->drain();
  }
}

/// Waits for the request in flight. Should a drained backend still hold it, it broke its word: the
/// guest gets an error, the request keeps its memory.
void ImageDrive::give_back() noexcept {
  drain();
  if (in_flight_ && phase() == Phase::work) {
    ++generation_;
    give_up();
  }
}

/// Never more than the request in flight: a command may need thousands.
void ImageDrive::settle() noexcept {
  give_back();
  if (phase() == Phase::work && undecoded()) {
    run_step();
  }
  work_.cancel();
}

void ImageDrive::resume() noexcept {
  if (phase() == Phase::work && !in_flight_) {
    work_.schedule();
  }
}

bool ImageDrive::hand_over() noexcept {
  settle();
  return image_ == nullptr || image_->hand_over() == BlockStatus::ok;
}

bool ImageDrive::take_back() noexcept {
  return image_ == nullptr || image_->take_back();
}

BlockStatus ImageDrive::flush_image() noexcept {
  meter_.image_request(0);
  return image_->flush_now();
}

void ImageDrive::cut_off() noexcept {
  // The new generation first: draining must not finish the command, whose interrupt nobody expects
  // any more.
  ++generation_;
  phase() = Phase::idle;
  work_.cancel();
  drain();
}

void ImageDrive::retire() noexcept {
  cut_off();
  close_image();
}

void ImageDrive::open_image(std::unique_ptr<BlockBackend> image) noexcept {
  image_ = std::move(image);
}

void ImageDrive::close_image() noexcept {
  drain();
  if (in_flight_) {
    // It broke its word; closing the image is the end of the request whatever it does.
    ++generation_;
  }
  image_.reset();
  if (std::exchange(in_flight_, false)) {
    pages_.release();
    if (phase() == Phase::work) {
      work_.schedule();
    }
  }
}

void ImageDrive::await_dma() noexcept {
  phase() = Phase::wait_dma;
  file().status = regs::kMask<STATUS::BSY> | regs::kReady;
  dma_started();
}

void ImageDrive::dma_started() noexcept {
  if (phase() == Phase::wait_dma && transfer().armed()) {
    dma_ready();
  }
}

void ImageDrive::refuse_dma(TransferPort::Fit fit) noexcept {
  if (fit == TransferPort::Fit::fault) {
    dma_fault();
    return;
  }
  // The port stops and the drive would wait for ever (Bus Master IDE 1.0, 3.1). No interrupt: the
  // guest's time-out and reset follow.
  ++counters_.too_short;
  transfer().finish(TransferPort::End::shorter);
  end(0, 0);
}

/// A stop while the drive has not finished aborts the command, and the data on their way may be
/// lost (290562, 5.2.1). Nothing may move afterwards, so the request in flight is waited for.
/// Guests stop a short transfer that they have just started, and find it done: where no request is
/// in flight, one is made. Any further one would be work that one OUT makes us do.
void ImageDrive::dma_stopped() noexcept {
  const auto stops = [this] { return phase() == Phase::work && uses_dma(); };
  if (!stops()) {
    return;
  }
  const bool was_in_flight = in_flight_;
  const std::uint64_t made = counters_.submissions;
  transfer().stopping(true);
  give_back();
  for (unsigned unit = 0;
       unit < bounds::kUnitsOfStop && stops() && !was_in_flight && counters_.submissions == made;
       ++unit) {
    run_step();
    give_back();
  }
  transfer().stopping(false);
  if (stops()) {
    abort_dma();
  }
  if (phase() != Phase::work) {
    work_.cancel();
  }
}

void ImageDrive::restore_file(const DriveState& in) noexcept {
  file() = in.file;
  restore_interrupt(in.intrq);
  // BSY and DRQ are what the phase says, or the drive could never be spoken to again.
  const Phase now = phase();
  const bool bsy = now == Phase::wait_dma || now == Phase::work || now == Phase::reset;
  const bool drq = now == Phase::data_in || now == Phase::data_out;
  file().status = STATUS::BSY::with(STATUS::DRQ::with(file().status, drq ? 1 : 0), bsy ? 1 : 0);
}

}  // namespace dm::ata
