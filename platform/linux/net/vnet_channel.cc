// SPDX-License-Identifier: MIT
#include "platform/linux/net/vnet_channel.h"

#include "core/obs/probe.h"
#include "platform/linux/error_text.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/net/software_offload.h"

#include <cerrno>
#include <utility>

namespace dm::host {

namespace {

/// A tap whose device was removed says EBADFD, a packet socket ENXIO or ENODEV.
[[nodiscard]] constexpr bool is_without_device(int error) noexcept {
  return error == EBADFD || error == EBADF || error == ENXIO || error == ENODEV;
}

}  // namespace

VnetChannel::VnetChannel(Loop& loop, Setup setup)
    : name_{std::move(setup.name)},
      has_header_{setup.has_header},
      watch_{loop, std::move(setup.fd), Callback::bind<&VnetChannel::on_readable>(*this),
             Callback::bind<&VnetChannel::on_writable>(*this)},
      link_{loop, setup.interface, Callback::bind<&VnetChannel::on_link>(*this), setup.successor},
      news_{Work::bind<&VnetChannel::tell_link>(loop.turn_queue(), *this)} {
  index_ = link_.index();
  if (has_header_ && watch_.ok()) {
    ring_ = FrameRing::make(fd());
  }
  watch_.rest();
}

void VnetChannel::attach(NetClient* client) noexcept {
  client_ = client;
  told_link_ = link_up();  // who attaches asks
  if (client_ == nullptr) {
    wanted_ = false;
    watch_.cancel();  // room too: else it could not rest
    watch_.rest();
  }
}

SendStatus VnetChannel::send(const NetOffload& offload,
                             std::span<const std::span<std::byte>> frame) noexcept {
  if (gone_ || frame.size() > kMostPieces) {
    ++counters_.send_failed;
    return SendStatus::failed;
  }
  if (!has_header_ && (offload.needs_checksum || offload.gso != Gso::none)) {
    return write_without_header(offload, frame);
  }
  return write_frame(to_header(offload), frame);
}

SendStatus VnetChannel::write_frame(const NetHeader& header,
                                    std::span<const std::span<std::byte>> frame) noexcept {
  std::size_t count = 0;
  if (has_header_) {
    // writev() reads only.
    parts_[count++] = {const_cast<NetHeader*>(&header), sizeof header};  // NOLINT
  }
  for (const std::span<std::byte> piece : frame) {
    parts_[count++] = {piece.data(), piece.size()};
  }
  ssize_t written = 0;
  do {
    written = ::writev(fd(), parts_.data(), static_cast<int>(count));
  } while (written < 0 && errno == EINTR);
  DM_PROBE2(net_out, frame.size(), written);
  if (written < 0) {
    return refused(errno);
  }
  ++counters_.sent;
  counters_.sent_bytes += static_cast<std::size_t>(written) - (has_header_ ? sizeof header : 0);
  return SendStatus::sent;
}

/// Header and pieces of each frame, one after the other. False: they are more than there is room
/// for.
bool VnetChannel::gather(std::span<const Outgoing> frames) noexcept {
  if (frames.size() > FrameRing::kFrames) {
    return false;
  }
  rows_.clear();
  std::size_t used = 0;
  for (const Outgoing& frame : frames) {
    const std::size_t first = used;
    if (frame.pieces.size() >= parts_.size() - used) {
      return false;
    }
    NetHeader& header = headers_[rows_.size()];
    header = to_header(frame.offload);
    parts_[used++] = {&header, sizeof header};
    for (const std::span<std::byte> piece : frame.pieces) {
      parts_[used++] = {piece.data(), piece.size()};
    }
    rows_.push_back(std::span{parts_}.subspan(first, used - first));
  }
  return true;
}

SentMany VnetChannel::send_many(std::span<const Outgoing> frames) noexcept {
  if (!ring_ || gone_ || frames.size() < 2 || !gather(frames)) {
    return NetBackend::send_many(frames);
  }
  const FrameRing::Written done = ring_->write(rows_);
  DM_PROBE2(net_out, done.frames, done.bytes);
  counters_.sent += done.frames;
  counters_.sent_bytes += done.bytes - done.frames * sizeof(NetHeader);
  if (done.error == EOPNOTSUPP && done.frames == 0) {
    ring_.reset();
    return NetBackend::send_many(frames);
  }
  return {.sent = done.frames, .status = done.error == 0 ? SendStatus::sent : refused(done.error)};
}

/// Frame by frame. When the kernel takes no more after the first, the rest is lost as on a wire:
/// offering all of it again would send the first ones twice.
SendStatus VnetChannel::write_without_header(const NetOffload& offload,
                                             std::span<const std::span<std::byte>> frame) noexcept {
  SoftwareOffload frames{offload, frame};
  if (!frames.ok()) {
    ++counters_.send_failed;
    return SendStatus::failed;
  }
  bool first = true;
  while (!frames.done()) {
    const auto parts = frames.next();
    const ssize_t written = ::writev(fd(), parts.data(), static_cast<int>(parts.size()));
    if (written < 0) {
      const SendStatus status = refused(errno);
      if (first || status == SendStatus::failed) {
        return status;
      }
      ++counters_.send_failed;
      return SendStatus::failed;
    }
    first = false;
    ++counters_.sent;
    counters_.sent_bytes += static_cast<std::size_t>(written);
  }
  return SendStatus::sent;
}

SendStatus VnetChannel::refused(int error) noexcept {
  if (error == EAGAIN) {
    ++counters_.full;
    watch_.await_writable();
    return SendStatus::full;
  }
  ++counters_.send_failed;
  // A full queue and an interface that is down are the network's daily life.
  if (is_without_device(error)) {
    lose(error);
  } else if (error != ENOBUFS && error != EIO && error != ENETDOWN) {
    log_.warning("network card ", std::string_view{name_},
                 ": the host refuses a frame: ", error_text(error));
  }
  return SendStatus::failed;
}

/// After a read that has failed: is there a point in another? A packet socket tells once that its
/// interface went down (ENETDOWN), and a frame that could not be copied is lost (EFAULT).
bool VnetChannel::try_again(int error) noexcept {
  switch (error) {
    case EINTR:
    case ENETDOWN:
    case ENOBUFS:
    case ENOMEM:
      return true;
    case EFAULT:
      ++counters_.receive_failed;
      return true;
    case EAGAIN:
      return false;
    default:
      lose(error);  // whatever it is, it would be there at the next look
      return false;
  }
}

/// The descriptor has lost its device. Nothing waits for it any more: it would be ready for ever.
void VnetChannel::lose(int error) noexcept {
  if (std::exchange(gone_, true)) {
    return;
  }
  log_.warning("network card ", std::string_view{name_},
               ": its interface has gone, the link is down: ", error_text(error));
  news_.schedule();
}

Received VnetChannel::receive(NetOffload& offload,
                              std::span<const std::span<std::byte>> pieces) noexcept {
  if (gone_ || pieces.size() > kMostPieces) {
    return {};
  }
  NetHeader header{};
  std::size_t count = 0;
  const std::size_t extra = has_header_ ? sizeof header : 0;
  if (has_header_) {
    parts_[count++] = {&header, sizeof header};
  }
  for (const std::span<std::byte> piece : pieces) {
    parts_[count++] = {piece.data(), piece.size()};
  }
  // A frame that makes no sense is passed over, but not for ever: the loop has others to serve.
  constexpr int kAttempts = 8;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const Arrived arrived = read_frame(std::span{parts_}.first(count));
    if (arrived.bytes < 0 && try_again(errno)) {
      continue;
    }
    if (arrived.bytes <= static_cast<ssize_t>(extra)) {
      break;
    }
    Received frame{.size = static_cast<std::size_t>(arrived.bytes) - extra,
                   .truncated = arrived.truncated};
    const auto read = from_header(header, pieces, frame.size);
    if (!read) {
      ++counters_.receive_failed;
      continue;
    }
    offload = *read;
    restore_frame(pieces, frame, offload);
    ++counters_.received;
    counters_.received_bytes += frame.size;
    DM_PROBE2(net_in, pieces.size(), frame.size);
    return frame;
  }
  if (wanted_ && !gone_) {
    watch_.await_readable();
  }
  return {};
}

void VnetChannel::want_receive(bool on) noexcept {
  wanted_ = on;
  if (!on) {
    watch_.rest();  // else each frame for a guest without buffers would wake the process
  } else if (!gone_) {
    watch_.await_readable();
  }
}

void VnetChannel::on_readable() noexcept {
  if (wanted_ && client_ != nullptr) {
    client_->on_receivable();
  }
}

void VnetChannel::on_writable() noexcept {
  if (client_ != nullptr) {
    client_->on_sendable();
  }
  if (!wanted_) {
    watch_.rest();  // it could not as long as it waited for room
  }
}

void VnetChannel::on_link() noexcept {
  // A successor needs the descriptor put on it, as does one that was said to have gone.
  if (link_.up() && (gone_ || link_.index() != index_)) {
    gone_ = !reattach(link_.index());
    if (!gone_) {
      index_ = link_.index();
      log_.info("network card ", std::string_view{name_}, ": its interface is back");
      if (wanted_) {
        watch_.await_readable();
      }
    }
  }
  (void)tell_link();
}

bool VnetChannel::tell_link() noexcept {
  if (const bool up = link_up(); client_ != nullptr && up != told_link_) {
    told_link_ = up;
    client_->on_link(up);
  }
  return false;
}

}  // namespace dm::host
