// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/xen/c_api.h"

#include <memory>

namespace dm::xen {

/// Closes a handle by one of the libraries' close functions. After a fork, only the process that
/// opened a handle may use it.
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

/// Writes the libraries' messages to our log. (We explain failures of the libraries ourselves.) The
/// object lives for ever.
[[nodiscard]] xentoollog_logger* library_logger() noexcept;

[[nodiscard]] Result<ForeignMemoryHandle> open_foreign_memory();
[[nodiscard]] Result<GrantTableHandle> open_grant_table();
/// Makes the descriptor non-blocking: one read() returns the events of many ports.
[[nodiscard]] Result<EvtchnHandle> open_evtchn();

/// Confines every library handle of this process to one guest, the step before the process gives up
/// its privileges. Xenstore and hypercall handles do not work afterwards.
[[nodiscard]] Result<> restrict_all(domid_t domid);

}  // namespace dm::xen
