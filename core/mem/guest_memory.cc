// SPDX-License-Identifier: MIT
#include "core/mem/guest_memory.h"

#include "core/range.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace dm {

namespace {
constexpr std::uint64_t kWindowSize = std::uint64_t{1} << kWindowShift;
constexpr std::uint64_t kOffsetMask = kWindowSize - 1;
}  // namespace

void GuestMemory::Free::operator()(std::uint16_t* index) const noexcept {
  std::free(index);
}

GuestMemory::GuestMemory(MemoryMapper& mapper, Limits limits, Pace pace)
    : mapper_{mapper},
      pace_{pace},
      size_{limits.size},
      // calloc, not a vector: large zeroed blocks come as untouched pages.
      index_{static_cast<std::uint16_t*>(
          std::calloc((limits.size >> kWindowShift) + 1, sizeof(std::uint16_t)))},
      windows_(std::clamp<std::size_t>(limits.windows, 2, 65534)) {
  if (index_ == nullptr) {
    throw std::bad_alloc{};
  }
}

GuestMemory::~GuestMemory() {
  for (Window& window : windows_) {
    if (window.base != nullptr) {
      mapper_.unmap(window.base);
    }
  }
}

void GuestMemory::drop(Window& window) noexcept {
  if (!window.hidden) {
    index_[window.number] = 0;
  }
  mapper_.unmap(window.base);
  window = Window{};
  --mapped_;
}

void GuestMemory::hide(Window& window) noexcept {
  if (window.hidden) {
    return;
  }
  index_[window.number] = 0;
  window.hidden = true;
}

/// An empty slot, or one freed by second chance: the hand passes used windows once before it takes
/// them. At most two rounds, so the work is bounded; null when transfers hold every window.
GuestMemory::Window* GuestMemory::free_slot() noexcept {
  for (std::size_t step = 0; step < windows_.size() * 2; ++step) {
    Window& window = windows_[hand_];
    hand_ = (hand_ + 1) % windows_.size();
    if (window.base == nullptr) {
      return &window;
    }
    if (window.holds != 0) {
      continue;
    }
    if (window.referenced) {
      window.referenced = false;
      continue;
    }
    ++counters_.evictions;
    drop(window);
    return &window;
  }
  return nullptr;
}

GuestMemory::Window* GuestMemory::map_window(std::uint64_t number) noexcept {
  Window* const slot = free_slot();
  if (slot == nullptr) {
    return nullptr;
  }
  WindowPages present;
  if (pace_.meter != nullptr) {
    pace_.meter->mapped();
  }
  std::byte* const base = mapper_.map(number, present);
  if (base == nullptr) {
    holes_[number % kHoles] = {.number = number, .absence = absent_now()};
    return nullptr;
  }
  ++counters_.maps;
  ++mapped_;
  slot->base = base;
  slot->number = number;
  slot->present = present;
  index_[number] = static_cast<std::uint16_t>(slot - windows_.data() + 1);
  return slot;
}

/// Measured from the end of the mapping that found it, so that a slow one does not outlive its own
/// result.
GuestMemory::Absence GuestMemory::absent_now() const noexcept {
  if (pace_.clock == nullptr) {
    return {};
  }
  return {.until = pace_.clock->now() + bounds::kAbsence,
          .serial = pace_.meter != nullptr ? pace_.meter->serial() : 1};
}

bool GuestMemory::remembered(const Absence& absence) noexcept {
  if (pace_.clock == nullptr || absence.serial == 0) {
    return false;
  }
  const bool same_request =
      pace_.meter != nullptr && absence.serial == pace_.meter->serial();  // spares the clock
  const bool known = same_request || pace_.clock->now() < absence.until;
  counters_.remembered += known ? 1U : 0U;
  return known;
}

GuestMemory::Window* GuestMemory::window_at(std::uint64_t gpa) noexcept {
  if (gpa >= size_) {
    return nullptr;
  }
  const std::uint64_t number = gpa >> kWindowShift;
  const std::size_t page = (gpa & kOffsetMask) >> kPageShift;
  if (const std::uint16_t entry = index_[number]; entry != 0) {
    Window& window = in_slot(entry - 1U);
    if (window.present[page]) [[likely]] {
      window.referenced = true;
      return &window;
    }
    if (remembered(window.absence)) {
      return nullptr;
    }
    // The page was not there when the window was mapped; the guest may have got it since (balloon
    // up). Map anew.
    if (window.holds != 0) {
      hide(window);
    } else {
      drop(window);
    }
  } else if (const Hole& hole = holes_[number % kHoles];
             hole.number == number && remembered(hole.absence)) {
    return nullptr;
  }
  Window* const window = map_window(number);
  if (window == nullptr) {
    return nullptr;
  }
  if (!window->present[page]) {
    window->absence = absent_now();
    return nullptr;
  }
  window->referenced = true;
  return window;
}

std::span<std::byte> GuestMemory::piece(Gpa at, std::size_t length) noexcept {
  Window* window = nullptr;
  return piece(at, length, window);
}

std::span<std::byte> GuestMemory::piece(Gpa at, std::size_t length, Window*& window) noexcept {
  window = window_at(at.value);
  if (window == nullptr) {
    ++counters_.failures;
    return {};
  }
  const std::uint64_t offset = at.value & kOffsetMask;
  const std::size_t limit = std::min<std::uint64_t>(length, kWindowSize - offset);
  // The first page is there; go on while the next ones are.
  std::size_t end = kPageSize - (offset & (kPageSize - 1));
  while (end < limit && window->present[(offset + end) >> kPageShift]) {
    end += kPageSize;
  }
  return {window->base + offset, std::min(end, limit)};
}

bool GuestMemory::present(Gpa at, std::size_t length) noexcept {
  while (length != 0) {
    const auto part = piece(at, length);
    if (part.empty()) {
      return false;
    }
    length -= part.size();
    at = at + part.size();
  }
  return true;
}

bool GuestMemory::read_bytes(Gpa at, std::span<std::byte> to) noexcept {
  if (!within(0, size_, at.value, to.size())) {
    ++counters_.failures;
    return false;
  }
  while (!to.empty()) {
    const auto part = piece(at, to.size());
    if (part.empty()) {
      return false;
    }
    std::memcpy(to.data(), part.data(), part.size());
    to = to.subspan(part.size());
    at = at + part.size();
  }
  return true;
}

bool GuestMemory::write_bytes(Gpa at, std::span<const std::byte> from) noexcept {
  if (!within(0, size_, at.value, from.size())) {
    ++counters_.failures;
    return false;
  }
  const auto first = piece(at, from.size());
  if (first.size() < from.size() && !present(at, from.size())) {
    return false;
  }
  const Gpa start = at;
  const std::size_t length = from.size();
  while (!from.empty()) {
    const auto part = piece(at, from.size());
    if (part.empty()) {
      return false;
    }
    std::memcpy(part.data(), from.data(), part.size());
    from = from.subspan(part.size());
    at = at + part.size();
  }
  mark_dirty(start, length);
  return true;
}

bool GuestMemory::append(DmaBuffer& buffer, Gpa at, std::size_t length, Dma direction) noexcept {
  if (!within(0, size_, at.value, length)) {
    ++counters_.failures;
    return false;
  }
  const std::size_t spans_before = buffer.spans_.size();
  const std::size_t size_before = buffer.size_;
  const auto last_span_before = spans_before == 0 ? std::span<std::byte>{} : buffer.spans_.back();
  const std::size_t holds_before = buffer.holds_.size();
  buffer.memory_ = this;
  while (length != 0) {
    Window* window = nullptr;
    const auto part = piece(at, length, window);
    const bool touches = !part.empty() && buffer.spans_.size() > buffer.part_ &&
                         buffer.spans_.back().data() + buffer.spans_.back().size() == part.data();
    const bool room = touches || buffer.spans_.size() < DmaBuffer::kMaxSpans;
    if (part.empty() || !room || buffer.holds_.size() == DmaBuffer::kMaxSpans) {
      while (buffer.holds_.size() > holds_before) {
        release_hold(buffer.holds_.back().window);
        buffer.holds_.pop_back();
      }
      buffer.spans_.resize(spans_before);
      if (spans_before != 0) {
        buffer.spans_.back() = last_span_before;
      }
      buffer.size_ = size_before;
      return false;
    }
    if (touches) {
      auto& back = buffer.spans_.back();
      back = {back.data(), back.size() + part.size()};
    } else {
      buffer.spans_.push_back(part);
    }
    ++window->holds;
    buffer.holds_.push_back({.gpa = at.value,
                             .length = static_cast<std::uint32_t>(part.size()),
                             .window = static_cast<std::uint16_t>(window - windows_.data()),
                             .dirty = direction == Dma::to_guest});
    buffer.size_ += part.size();
    length -= part.size();
    at = at + part.size();
  }
  return true;
}

void GuestMemory::release_hold(std::uint16_t index) noexcept {
  Window& window = in_slot(index);
  if (--window.holds == 0 && window.hidden) {
    drop(window);
  }
}

void DmaBuffer::release() noexcept {
  for (const Hold& hold : holds_) {
    if (hold.dirty) {
      memory_->mark_dirty(Gpa{hold.gpa}, hold.length);
    }
    memory_->release_hold(hold.window);
  }
  holds_.clear();
  spans_.clear();
  size_ = 0;
  part_ = 0;
}

void GuestMemory::invalidate() noexcept {
  ++counters_.invalidations;
  holes_ = {};
  for (Window& window : windows_) {
    if (window.base == nullptr) {
      continue;
    }
    if (window.holds == 0) {
      drop(window);
    } else {
      hide(window);
    }
  }
}

void GuestMemory::report_dirty(Gpa at, std::uint64_t length) noexcept {
  const std::uint64_t first = at.gfn();
  dirty_->written(first, (at + (length - 1)).gfn() - first + 1);
}

}  // namespace dm
