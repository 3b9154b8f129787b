// SPDX-License-Identifier: MIT
#include "platform/linux/loop/watch.h"

#include "platform/linux/loop/loop.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <array>
#include <cstddef>
#include <new>
#include <utility>

namespace dm::host {

namespace {

/// Room for one of Asio's operations. Should a later Asio need more, it falls back to the heap (a
/// test would notice).
struct Slot {
  alignas(std::max_align_t) std::array<std::byte, 192> memory;
  bool taken = false;
};

template <class T>
class SlotAllocator {
 public:
  using value_type = T;

  explicit SlotAllocator(Slot& slot) noexcept : slot_{&slot} {}
  template <class U>
  SlotAllocator(const SlotAllocator<U>& other) noexcept  // NOLINT(google-explicit-constructor)
      : slot_{other.slot_} {}

  [[nodiscard]] T* allocate(std::size_t count) {
    if (!slot_->taken && count * sizeof(T) <= slot_->memory.size()) {
      slot_->taken = true;
      return static_cast<T*>(static_cast<void*>(slot_->memory.data()));
    }
    return static_cast<T*>(::operator new(count * sizeof(T)));
  }
  void deallocate(T* memory, std::size_t) noexcept {
    if (static_cast<void*>(memory) == slot_->memory.data()) {
      slot_->taken = false;
    } else {
      ::operator delete(memory);
    }
  }
  template <class U>
  friend bool operator==(const SlotAllocator& a, const SlotAllocator<U>& b) noexcept {
    return a.slot_ == b.slot_;
  }

 private:
  template <class U>
  friend class SlotAllocator;
  Slot* slot_;
};

/// Bound to the loop's own executor: Asio's type-erased one would make each operation larger.
using Descriptor =
    boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

}  // namespace

struct Watch::State {
  explicit State(Loop& loop) : descriptor{loop.context()} {}

  std::array<Slot, 2> slots;  ///< before the descriptor, whose end may still use them
  Descriptor descriptor;
  std::array<Callback, 2> callbacks;
  std::array<bool, 2> asked{};
  std::array<bool, 2> waiting{};  ///< Asio has a handler for it
  UniqueFd resting;               ///< the descriptor, while the epoll set does not have it
};

struct Watch::Handler {
  using allocator_type = SlotAllocator<void>;
  [[nodiscard]] allocator_type get_allocator() const noexcept {
    return allocator_type{state->slots[direction]};
  }
  void operator()(const boost::system::error_code& error) const noexcept {
    state->waiting[direction] = false;
    if (error && state->asked[direction] && state->descriptor.is_open()) {
      wait(state, direction);  // asked again after a rest, before the rest's own answer came
      return;
    }
    if (std::exchange(state->asked[direction], false) && !error) {
      const Callback callback = state->callbacks[direction];
      callback();
    }
  }

  static void wait(const std::shared_ptr<State>& state, Direction direction) {
    state->waiting[direction] = true;
    state->descriptor.async_wait(
        direction == kReadable ? Descriptor::wait_read : Descriptor::wait_write,
        Handler{state, direction});
  }

  std::shared_ptr<State> state;
  Direction direction;
};

Watch::Watch() noexcept = default;

Watch::Watch(Loop& loop, UniqueFd fd, Callback readable, Callback writable)
    : state_{std::make_shared<State>(loop)} {
  boost::system::error_code error;
  state_->descriptor.assign(fd.get(), error);
  if (error) {
    state_.reset();
    return;
  }
  static_cast<void>(fd.release());
  state_->callbacks = {readable, writable};
}

Watch::Watch(Watch&& other) noexcept = default;

Watch& Watch::operator=(Watch&& other) noexcept {
  Watch taken{std::move(other)};
  state_.swap(taken.state_);
  return *this;
}

Watch::~Watch() {
  if (state_) {
    state_->callbacks = {};
    boost::system::error_code ignored;
    state_->descriptor.close(ignored);
    state_->resting.reset();
  }
}

int Watch::fd() const noexcept {
  if (!state_) {
    return -1;
  }
  return state_->resting ? state_->resting.get() : state_->descriptor.native_handle();
}

UniqueFd Watch::release() noexcept {
  if (!state_) {
    return {};
  }
  state_->callbacks = {};
  UniqueFd fd =
      state_->resting ? std::move(state_->resting) : UniqueFd{state_->descriptor.release()};
  state_.reset();
  return fd;
}

void Watch::await_readable() noexcept {
  await(kReadable);
}
void Watch::await_writable() noexcept {
  await(kWritable);
}

void Watch::await(Direction direction) noexcept {
  if (!state_) {
    return;
  }
  state_->asked[direction] = true;
  if (state_->resting) {
    boost::system::error_code error;
    state_->descriptor.assign(state_->resting.get(), error);
    if (error) {
      return;  // the kernel has no memory for it; the next question is another chance
    }
    static_cast<void>(state_->resting.release());
  }
  if (!state_->waiting[direction]) {
    Handler::wait(state_, direction);
  }
}

void Watch::rest() noexcept {
  if (state_ && !state_->resting && !state_->asked[kWritable]) {
    state_->asked = {};
    state_->resting.reset(state_->descriptor.release());
  }
}

void Watch::cancel() noexcept {
  if (state_) {
    // Asio's own cancelling would cost a handler's run each time; an answer nobody waits for costs
    // nothing more.
    state_->asked = {};
  }
}

}  // namespace dm::host
