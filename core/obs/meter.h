// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

namespace dm {

/// What the host has been asked to do.
struct Cost {
  std::uint64_t maps = 0;            ///< calls of MemoryMapper::map
  std::uint64_t image_requests = 0;  ///< BlockBackend: submit() and flush_now()
  std::uint64_t sends = 0;           ///< NetBackend: frames handed over, accepted or not
  std::uint64_t bytes = 0;           ///< of the requests and frames

  void raise_to(const Cost& other) noexcept {
    maps = std::max(maps, other.maps);
    image_requests = std::max(image_requests, other.image_requests);
    sends = std::max(sends, other.sends);
    bytes = std::max(bytes, other.bytes);
  }
};

/// The worst that one request, and one unit of deferred work, has asked of the host: whoever calls
/// the host says so, and the loop says where a request or a unit ends. core/bounds.h has the
/// limits.
///
/// Costs: who calls the host adds to one cache line beside a system call. The end of a request that
/// asked for nothing, as nearly all do, is one load of that line and a branch. Thread rule: the
/// loop's thread only.
class Meter {
 public:
  Meter() = default;
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  void mapped() noexcept {
    ++now_.maps;
    asked_ = true;
  }
  void image_request(std::uint64_t bytes) noexcept {
    ++now_.image_requests;
    now_.bytes += bytes;
    asked_ = true;
  }
  void sent(std::uint64_t bytes) noexcept {
    ++now_.sends;
    now_.bytes += bytes;
    asked_ = true;
  }

  void end_request() noexcept { end(worst_request_); }
  void end_unit() noexcept { end(worst_unit_); }
  /// Forgets what was counted since the last end: management asked for it.
  void end_other() noexcept {
    Cost other;
    end(other);
  }

  /// Another number in each request and unit that asked for something: what is remembered under a
  /// number holds to the end of the request or unit at least, however long that takes.
  [[nodiscard]] std::uint64_t serial() const noexcept { return serial_; }
  [[nodiscard]] const Cost& worst_request() const noexcept { return worst_request_; }
  [[nodiscard]] const Cost& worst_unit() const noexcept { return worst_unit_; }

 private:
  void end(Cost& worst) noexcept {
    if (asked_) [[unlikely]] {
      worst.raise_to(now_);
      now_ = {};
      asked_ = false;
      ++serial_;
    }
  }

  bool asked_ = false;  ///< anything, since the last end
  Cost now_;
  std::uint64_t serial_ = 1;
  Cost worst_request_;
  Cost worst_unit_;
};

}  // namespace dm
