// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/unique_fd.h"

#include <memory>
#include <type_traits>

namespace dm::host {

class Loop;

/// A member function bound to its object. The loop calls it.
struct Callback {
  void* object = nullptr;
  void (*call)(void*) noexcept = nullptr;

  /// `Callback::bind<&Pty::on_open>(*this)`
  template <auto Function, class T>
  [[nodiscard]] static Callback bind(T& object) noexcept {
    static_assert(std::is_nothrow_invocable_v<decltype(Function), T&>);
    return {&object, [](void* o) noexcept { (static_cast<T*>(o)->*Function)(); }};
  }
  void operator()() const noexcept {
    if (call != nullptr) {
      call(object);
    }
  }
};

/// Readiness of one descriptor through Asio. Each request for a notice gives one notice. Nothing is
/// allocated: the handlers' memory is in this object. It owns the descriptor. It may be destroyed
/// at any time, also from its own callbacks; nothing is called after that. Thread rule: the loop's
/// thread only; callbacks come from the loop.
class Watch {
 public:
  Watch() noexcept;
  /// If epoll refuses the descriptor (its table is full), ok() is false. A regular file is ok() and
  /// never ready.
  Watch(Loop& loop, UniqueFd fd, Callback readable, Callback writable = {});
  Watch(Watch&& other) noexcept;
  Watch& operator=(Watch&& other) noexcept;
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();

  [[nodiscard]] bool ok() const noexcept { return state_ != nullptr; }
  [[nodiscard]] int fd() const noexcept;  ///< -1 unless ok()

  /// Asks for one call of `readable`: data, end of file or an error is there. Asking twice is the
  /// same as asking once.
  void await_readable() noexcept;
  void await_writable() noexcept;
  /// Cancels both requests for a notice.
  void cancel() noexcept;
  /// Takes the question for input back, and the descriptor leaves the epoll set: what arrives from
  /// now on wakes nobody. (After cancel() each arrival still ends the loop's sleep.) Costs a system
  /// call, and the next question another. Does nothing while room for output is waited for.
  void rest() noexcept;
  /// Removes the descriptor from the epoll set and gives it to the caller; ok() is false then.
  [[nodiscard]] UniqueFd release() noexcept;

 private:
  struct State;
  struct Handler;
  enum Direction : unsigned { kReadable, kWritable };

  void await(Direction direction) noexcept;

  std::shared_ptr<State> state_;  ///< shared with Asio while a question is open
};

}  // namespace dm::host
