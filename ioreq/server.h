// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/black_box.h"
#include "core/obs/probe.h"
#include "core/ports/ioreq_port.h"
#include "ioreq/dispatcher.h"
#include "ioreq/slot.h"

#include <array>
#include <cstdint>

namespace dm::ioreq {

/// Serves the request slots that are ready: take, dispatch, answer, notify, on every path. Thread
/// rule: the loop's thread only.
class Server {
 public:
  /// If `black_box` is not null, it records each request before it is carried out.
  Server(IoreqPort& port, Dispatcher& dispatcher, BlackBox* black_box = nullptr) noexcept
      : port_{port},
        dispatcher_{dispatcher},
        black_box_{black_box},
        page_{port.slots()},
        vcpus_{port.vcpus()} {}

  /// Looks at every slot once. Returns the number of requests served.
  unsigned serve_ready() noexcept {
    unsigned served = 0;
    for (unsigned vcpu = 0; vcpu < vcpus_; ++vcpu) {
      Request request;
      if (page_.take(vcpu, request)) {
        record(vcpu, request);
        DM_PROBE4(request_begin, vcpu, request.type, request.addr, request.data);
        const std::uint64_t data = dispatcher_.dispatch(request);
        page_.answer(vcpu, data);
        DM_PROBE2(request_end, vcpu, data);
        port_.notify(vcpu);
        ++served;
      }
    }
    return served;
  }

  /// True if there is a request. For spinning: one load for each vCPU.
  [[nodiscard]] bool any_ready() const noexcept {
    for (unsigned vcpu = 0; vcpu < vcpus_; ++vcpu) {
      if (page_.ready(vcpu)) {
        return true;
      }
    }
    return false;
  }

 private:
  void record(unsigned vcpu, const Request& request) noexcept {
    if (black_box_ != nullptr) {
      black_box_->record({.addr = request.addr,
                          .data = request.data,
                          .count = request.count,
                          .type = request.type,
                          .size = static_cast<std::uint8_t>(request.size),
                          .vcpu = static_cast<std::uint8_t>(vcpu),
                          .is_read = std::uint8_t{request.is_read}});
    }
  }

  IoreqPort& port_;
  Dispatcher& dispatcher_;
  BlackBox* black_box_;
  SlotPage page_;
  unsigned vcpus_;
};

}  // namespace dm::ioreq
