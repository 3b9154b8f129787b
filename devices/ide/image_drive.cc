// SPDX-License-Identifier: MIT
#include "devices/ide/image_drive.h"

#include "devices/ide/regs.h"

#include <utility>

namespace dm::ide {

using regs::STATUS;

ImageDrive::ImageDrive(std::unique_ptr<BlockBackend> image, WorkQueue& work) noexcept
    : image_{std::move(image)}, work_{Work::bind<&ImageDrive::run_unit>(work, *this)} {
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

void ImageDrive::settle() noexcept {
  drain();
  while (phase() == Phase::work) {
    if (!in_flight_) {
      work_.cancel();
      (void)run_unit();
      continue;
    }
    drain();
    if (in_flight_) {
      // A drained backend still holds the request: it broke its word. The guest gets an error; the
      // request keeps its memory.
      ++generation_;
      work_.cancel();
      give_up();
    }
  }
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
  if (phase() == Phase::wait_dma && bus_master().armed()) {
    dma_ready();
  }
}

void ImageDrive::dma_stopped() noexcept {
  if (phase() == Phase::work && uses_dma()) {
    settle();
  }
}

void ImageDrive::restore_file(const DriveState& in) noexcept {
  file() = in.file;
  restore_interrupt(in.intrq);
  // BSY and DRQ are what the phase says, or the drive could never be spoken to again.
  const Phase now = phase();
  const bool bsy = now == Phase::wait_dma || now == Phase::reset;
  const bool drq = now == Phase::data_in || now == Phase::data_out;
  file().status = STATUS::BSY::with(STATUS::DRQ::with(file().status, drq ? 1 : 0), bsy ? 1 : 0);
}

}  // namespace dm::ide
