// SPDX-License-Identifier: MIT
#include "platform/toolstack/qmp/vchan_ring.h"

#include <algorithm>
#include <cstring>

namespace dm::toolstack {

namespace {

constexpr std::uint16_t kLeftOrderValue = 10;   // 1 KiB at offset 1024
constexpr std::uint16_t kRightOrderValue = 11;  // 2 KiB at offset 2048
constexpr std::uint8_t kGone = 0;
constexpr std::uint8_t kLive = 1;
constexpr std::uint8_t kNotYet = 2;

static_assert(std::atomic_ref<std::uint32_t>::is_always_lock_free);
static_assert(std::atomic_ref<std::uint8_t>::is_always_lock_free);

}  // namespace

VchanRing::VchanRing(std::span<std::byte, kPage> page) noexcept : page_{page.data()} {
  std::memset(page_, 0, kPage);
  std::memcpy(page_ + kLeftOrder, &kLeftOrderValue, sizeof kLeftOrderValue);
  std::memcpy(page_ + kRightOrder, &kRightOrderValue, sizeof kRightOrderValue);
  byte(kClientNotify).store(kWritten, std::memory_order_relaxed);
  byte(kServerLive).store(kLive, std::memory_order_relaxed);
  byte(kClientLive).store(kNotYet, std::memory_order_release);
}

std::atomic_ref<std::uint32_t> VchanRing::index(Offset at) const noexcept {
  return std::atomic_ref{*static_cast<std::uint32_t*>(static_cast<void*>(page_ + at))};
}

std::atomic_ref<std::uint8_t> VchanRing::byte(Offset at) const noexcept {
  return std::atomic_ref{*static_cast<std::uint8_t*>(static_cast<void*>(page_ + at))};
}

/// The page does not say that a client has gone and another has come before we looked. But a new
/// client *sets* srv_notify, to 1, after it has said that it is there, and later only adds bits to
/// it: a bit of our own in it is gone then.
VchanRing::Client VchanRing::client() noexcept {
  if (byte(kClientLive).load(std::memory_order_acquire) != kLive) {
    return Client::away;
  }
  const std::uint8_t wants = byte(kServerNotify).load(std::memory_order_acquire);
  if ((wants & kGreeted) != 0) {
    return Client::known;
  }
  // Until it has set srv_notify it is not there yet; it notifies us after that.
  return (wants & kWritten) != 0 ? Client::fresh : Client::away;
}

void VchanRing::greet() noexcept {
  byte(kServerNotify).fetch_or(kGreeted, std::memory_order_acq_rel);
  taken_ = index(kLeftProd).load(std::memory_order_acquire);
  index(kLeftCons).store(taken_, std::memory_order_release);
  done_ = 0;
  ask(kWritten);
}

void VchanRing::part() noexcept {
  // Only while it is the old client's: the next one may have set it meanwhile.
  const auto wants = byte(kServerNotify);
  std::uint8_t now = wants.load(std::memory_order_acquire);
  while ((now & kGreeted) != 0 && !wants.compare_exchange_weak(now, 0, std::memory_order_acq_rel)) {
  }
}

bool VchanRing::reusable() const noexcept {
  std::uint16_t left = 0;
  std::uint16_t right = 0;
  std::memcpy(&left, page_ + kLeftOrder, sizeof left);
  std::memcpy(&right, page_ + kRightOrder, sizeof right);
  return index(kRightCons).load(std::memory_order_acquire) == put_ &&
         index(kRightProd).load(std::memory_order_relaxed) == put_ && left == kLeftOrderValue &&
         right == kRightOrderValue && byte(kServerLive).load(std::memory_order_relaxed) == kLive;
}

void VchanRing::hang_up() noexcept {
  byte(kServerLive).store(kGone, std::memory_order_release);
}

std::optional<std::uint32_t> VchanRing::bytes_ready() const noexcept {
  const std::uint32_t ready = index(kLeftProd).load(std::memory_order_acquire) - taken_;
  return ready <= kFromClient ? std::optional{ready} : std::nullopt;
}

std::optional<std::uint32_t> VchanRing::room() const noexcept {
  const std::uint32_t unread = put_ - index(kRightCons).load(std::memory_order_acquire);
  return unread <= kToClient ? std::optional{kToClient - unread} : std::nullopt;
}

bool VchanRing::has_bytes() const noexcept {
  return bytes_ready().value_or(1) != 0;  // nonsense is for read() to find
}

bool VchanRing::has_room() const noexcept {
  return room().value_or(1) != 0;
}

std::optional<std::size_t> VchanRing::read(std::span<char> to) noexcept {
  const auto ready = bytes_ready();
  if (!ready) {
    return std::nullopt;
  }
  const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(*ready, to.size()));
  const std::uint32_t from = taken_ % kFromClient;
  const std::uint32_t first = std::min(count, kFromClient - from);
  std::memcpy(to.data(), page_ + kLeft + from, first);
  std::memcpy(to.data() + first, page_ + kLeft, count - first);
  taken_ += count;
  index(kLeftCons).store(taken_, std::memory_order_seq_cst);
  done_ |= count != 0 ? kConsumed : 0;
  return count;
}

std::optional<std::size_t> VchanRing::write(std::string_view bytes) noexcept {
  const auto free = room();
  if (!free) {
    return std::nullopt;
  }
  const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(*free, bytes.size()));
  const std::uint32_t at = put_ % kToClient;
  const std::uint32_t first = std::min(count, kToClient - at);
  std::memcpy(page_ + kRight + at, bytes.data(), first);
  std::memcpy(page_ + kRight, bytes.data() + first, count - first);
  put_ += count;
  index(kRightProd).store(put_, std::memory_order_seq_cst);
  done_ |= count != 0 ? kWritten : 0;
  return count;
}

void VchanRing::ask(Notify what) noexcept {
  // Before the index is looked at again, or the client's write between the two would go unnoticed.
  byte(kClientNotify).fetch_or(what, std::memory_order_seq_cst);
}

bool VchanRing::take_notice() noexcept {
  const std::uint8_t done = done_;
  done_ = 0;
  if (done == 0) {
    return false;
  }
  const auto before =
      byte(kServerNotify).fetch_and(static_cast<std::uint8_t>(~done), std::memory_order_seq_cst);
  return (before & done) != 0;
}

}  // namespace dm::toolstack
