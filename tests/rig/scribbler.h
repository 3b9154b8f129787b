// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <thread>
#include <utility>

namespace dm::rig {

/// The guest's other processor: rewrites control structures in guest memory, dword by dword, while
/// a device works on them. From construction to destruction.
class Scribbler {
 public:
  /// `next` makes the value of the dword with the given index; called on the other thread only.
  Scribbler(std::span<std::byte> bytes,
            std::function<std::uint32_t(std::size_t, std::minstd_rand&)> next)
      : bytes_{bytes}, next_{std::move(next)}, thread_{[this] { run(); }} {}
  Scribbler(const Scribbler&) = delete;
  Scribbler& operator=(const Scribbler&) = delete;
  ~Scribbler() {
    stop_ = true;
    thread_.join();
  }

  [[nodiscard]] std::uint64_t written() const noexcept { return written_; }
  /// Waits until the other thread has run again, however busy this machine is.
  void let_run() const noexcept {
    for (const std::uint64_t before = written_; written_ < before + 100;) {
      std::this_thread::yield();
    }
  }

 private:
  void run() {
    std::minstd_rand random{1};
    const std::size_t dwords = bytes_.size() / sizeof(std::uint32_t);
    while (!stop_) {
      const std::size_t at = random() % dwords;
      void* const word = bytes_.data() + at * sizeof(std::uint32_t);
      std::atomic_ref{*static_cast<std::uint32_t*>(word)}.store(next_(at, random),
                                                                std::memory_order_relaxed);
      ++written_;
    }
  }

  std::span<std::byte> bytes_;
  std::function<std::uint32_t(std::size_t, std::minstd_rand&)> next_;
  std::atomic<bool> stop_ = false;
  std::atomic<std::uint64_t> written_ = 0;
  std::thread thread_;  ///< last: it uses all the others
};

}  // namespace dm::rig
