// SPDX-License-Identifier: MIT
#include "platform/supervisor/last_requests.h"

#include "core/obs/log.h"

#include <xen/hvm/ioreq.h>

#include <algorithm>
#include <cstdint>

namespace dm::supervisor {

namespace {

constexpr std::uint32_t kRequestsShown = 8;

[[nodiscard]] const char* type_name(std::uint8_t type) noexcept {
  switch (type) {
    case IOREQ_TYPE_PIO:
      return "port";
    case IOREQ_TYPE_COPY:
      return "memory";
    case IOREQ_TYPE_PCI_CONFIG:
      return "PCI configuration";
    case IOREQ_TYPE_INVALIDATE:
      return "invalidate";
    default:
      return "unknown type";
  }
}

}  // namespace

void show_last_requests(const BlackBox& box) noexcept {
  const std::uint32_t shown = std::min(box.recorded(), kRequestsShown);
  if (shown == 0) {
    log::error("it had served no request yet");
  }
  for (std::uint32_t back = 0; back < shown; ++back) {
    const BlackBox::Entry entry = box.last(back);
    log::error(back == 0 ? "last request: " : "before it:    ", type_name(entry.type), " ",
               log::hex(entry.addr), entry.is_read != 0 ? " read" : " write", ", size ", entry.size,
               ", count ", entry.count, ", data ", log::hex(entry.data), ", vCPU ", entry.vcpu);
  }
}

}  // namespace dm::supervisor
