// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/log.h"
#include "core/ports/domain_control.h"
#include "core/result.h"
#include "platform/xen/c_api.h"
#include "platform/xen/dm_ops.h"
#include "platform/xen/handles.h"

#include <memory>

namespace dm::xen {

/// Who puts a guest to sleep and wakes it.
class SleepSwitch {
 public:
  SleepSwitch() = default;
  SleepSwitch(const SleepSwitch&) = delete;
  SleepSwitch& operator=(const SleepSwitch&) = delete;
  virtual ~SleepSwitch() = default;

  /// Sets HVM_PARAM_ACPI_S_STATE: 3 puts the guest to sleep, 0 wakes it. Returns 0 or a positive
  /// errno value.
  [[nodiscard]] virtual int set(std::uint64_t state) noexcept = 0;
};

/// HVM_PARAM_ACPI_S_STATE of one guest: writing 3 puts the guest to sleep, 0 wakes it. No stable
/// library has this, so we make the hypercall (HVMOP_set_param) ourselves. Its buffer is allocated
/// at start-up. It does not work in a process that was restricted, nor where the kernel binds
/// privcmd to a target (XSA-482). Thread rule: the loop's thread only. Source: Xen public headers
/// hvm/hvm_op.h and hvm/params.h.
class SleepState final : public SleepSwitch {
 public:
  [[nodiscard]] static Result<std::unique_ptr<SleepState>> open(DomId domid);

  [[nodiscard]] int set(std::uint64_t state) noexcept override;

 private:
  struct FreeBuffer {
    xencall_handle* handle;
    void operator()(void* buffer) const noexcept { xencall_free_buffer(handle, buffer); }
  };
  using CallHandle = std::unique_ptr<xencall_handle, Closer<&xencall_close>>;
  using Buffer = std::unique_ptr<void, FreeBuffer>;

  SleepState(CallHandle handle, Buffer buffer, DomId domid) noexcept
      : handle_{std::move(handle)}, buffer_{std::move(buffer)}, domid_{domid} {}

  CallHandle handle_;
  Buffer buffer_;  ///< memory that the hypervisor can reach
  DomId domid_;
};

/// What devices may ask of the whole guest. It does not make data durable first: `Machine`
/// (ioreq/machine) does that and then calls this. Thread rule: the loop's thread only.
class XenDomain final : public DomainControl {
 public:
  /// `ops` and `sleep` outlive this object. `sleep` may be null: the guest then cannot be put to
  /// sleep.
  XenDomain(DmOps& ops, DomId domid, SleepSwitch* sleep) noexcept
      : ops_{ops}, domid_{domid}, sleep_{sleep} {}

  void shutdown(ShutdownReason reason) noexcept override;
  void suspend_to_ram() noexcept override;
  void protect_rom(std::uint64_t first_gfn, std::uint32_t count, bool read_only) noexcept override;
  /// Wakes the guest (`xl trigger N s3resume`), after the devices were reset. False when the guest
  /// does not sleep or cannot be woken.
  [[nodiscard]] bool wake() noexcept;
  [[nodiscard]] bool asleep() const noexcept { return asleep_; }
  [[nodiscard]] bool ended() const noexcept { return ended_; }

 private:
  DmOps& ops_;
  DomId domid_;
  SleepSwitch* sleep_;
  bool ended_ = false;
  bool asleep_ = false;
  log::Limit complaints_;
};

}  // namespace dm::xen
