// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/xen/c_api.h"

#include <memory>

namespace dm::xen {

/// Calls one of the libraries' close functions. A handle must not be used on the other side of a
/// fork.
template <auto Close>
struct Closer {
  template <class T>
  void operator()(T* handle) const noexcept {
    static_cast<void>(Close(handle));
  }
};

using DeviceModelHandle = std::unique_ptr<xendevicemodel_handle, Closer<&xendevicemodel_close>>;
using ForeignMemoryHandle =
    std::unique_ptr<xenforeignmemory_handle, Closer<&xenforeignmemory_close>>;
using GrantTableHandle = std::unique_ptr<xengnttab_handle, Closer<&xengnttab_close>>;
using EvtchnHandle = std::unique_ptr<xenevtchn_handle, Closer<&xenevtchn_close>>;

/// What the libraries have to say beyond failures that we explain ourselves goes to our log. Lives
/// for ever.
[[nodiscard]] xentoollog_logger* library_logger() noexcept;

[[nodiscard]] Result<ForeignMemoryHandle> open_foreign_memory();
[[nodiscard]] Result<GrantTableHandle> open_grant_table();
/// The descriptor is made non-blocking: events are read by one read() of many ports.
[[nodiscard]] Result<EvtchnHandle> open_evtchn();

/// Confines every library handle of this process to one guest: the step before privileges are given
/// up. Xenstore and hypercall handles are dead afterwards.
[[nodiscard]] Result<> restrict_all(domid_t domid);

}  // namespace dm::xen
