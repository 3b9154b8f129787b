// SPDX-License-Identifier: MIT
#include "platform/xen/xen_domain.h"

#include "platform/xen/errors.h"

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

#include <cerrno>
#include <cstring>

namespace dm::xen {

Result<std::unique_ptr<SleepState>> SleepState::open(DomId domid) {
  CallHandle handle{xencall_open(library_logger(), 0)};
  if (!handle) {
    return explain_open("/dev/xen/privcmd", errno);
  }
  Buffer buffer{xencall_alloc_buffer(handle.get(), sizeof(xen_hvm_param)),
                FreeBuffer{handle.get()}};
  if (!buffer) {
    return fail("no memory for a hypercall buffer: ", error_text(errno));
  }
  return std::unique_ptr<SleepState>{new SleepState{std::move(handle), std::move(buffer), domid}};
}

int SleepState::set(std::uint64_t state) noexcept {
  const xen_hvm_param param{
      .domid = domid_, .pad = 0, .index = HVM_PARAM_ACPI_S_STATE, .value = state};
  std::memcpy(buffer_.get(), &param, sizeof param);
  const int result = xencall2(handle_.get(), __HYPERVISOR_hvm_op, HVMOP_set_param,
                              reinterpret_cast<std::uint64_t>(buffer_.get()));
  return result == 0 ? 0 : errno;
}

void XenDomain::shutdown(ShutdownReason reason) noexcept {
  if (ended_) {
    return;
  }
  ended_ = true;
  static constexpr const char* kNames[] = {"power-off", "reset", "suspend", "crash"};
  const auto number = static_cast<unsigned>(reason);
  const int error = ops_.shutdown(number);
  if (error == 0) {
    log::info("domain ", domid_, " ends: ", kNames[number & 3U]);
  } else {
    log::error("domain ", domid_, " asked for ", kNames[number & 3U], ", but Xen refuses: errno ",
               error);
  }
}

void XenDomain::suspend_to_ram() noexcept {
  const int error = sleep_ != nullptr ? sleep_->set(3) : EOPNOTSUPP;
  if (error == 0) {
    asleep_ = true;
    return;
  }
  complaints_.warning("domain ", domid_, " asked for S3 sleep, which is not possible here (errno ",
                      error, "): acpi_s3=0 in its configuration hides it");
}

bool XenDomain::wake() noexcept {
  if (!asleep_ || sleep_ == nullptr || sleep_->set(0) != 0) {
    return false;
  }
  asleep_ = false;
  return true;
}

void XenDomain::protect_rom(std::uint64_t first_gfn, std::uint32_t count, bool read_only) noexcept {
  const int error = ops_.set_mem_type(read_only ? HVMMEM_ram_ro : HVMMEM_ram_rw, first_gfn, count);
  if (error != 0) {
    complaints_.warning("cannot change the ROM lock of domain ", domid_, ": errno ", error);
  }
}

}  // namespace dm::xen
