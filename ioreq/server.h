// SPDX-License-Identifier: MIT
#pragma once

#include "core/host/ioreq_port.h"
#include "ioreq/dispatcher.h"
#include "ioreq/slot.h"

#include <array>
#include <cstdint>

namespace dm::ioreq {

/// Serves whatever request slots are ready: take, dispatch, answer, notify, on every path.
/// Thread rule: the loop's thread only.
class Server {
 public:
  Server(IoreqPort& port, Dispatcher& dispatcher) noexcept
      : port_{port}, dispatcher_{dispatcher}, page_{port.slots()}, vcpus_{port.vcpus()} {}

  /// Looks at every slot once; the number served.
  unsigned serve_ready() noexcept {
    unsigned served = 0;
    for (unsigned vcpu = 0; vcpu < vcpus_; ++vcpu) {
      Request request;
      if (page_.take(vcpu, request)) {
        page_.answer(vcpu, dispatcher_.dispatch(request));
        port_.notify(vcpu);
        ++served;
      }
    }
    return served;
  }

  /// Is there a request? For spinning: one load for each vCPU.
  [[nodiscard]] bool any_ready() const noexcept {
    for (unsigned vcpu = 0; vcpu < vcpus_; ++vcpu) {
      if (page_.ready(vcpu)) {
        return true;
      }
    }
    return false;
  }

 private:
  IoreqPort& port_;
  Dispatcher& dispatcher_;
  SlotPage page_;
  unsigned vcpus_;
};

}  // namespace dm::ioreq
