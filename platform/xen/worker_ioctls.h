// SPDX-License-Identifier: MIT
#pragma once

// The requests' headers use the integer types and Xen's without including them.
// clang-format off
#include <stdint.h>
#include <xen/xen.h>
#include <sys/ioctl.h>
// clang-format on
#include <xen/sys/evtchn.h>
#include <xen/sys/gntalloc.h>
#include <xen/sys/gntdev.h>
#include <xen/sys/privcmd.h>

#include <array>
#include <cstdint>

namespace dm::xen {

/// What the process that serves a guest still asks of Xen's devices once it runs; its filter of
/// system calls allows no other request (platform/linux/process/syscall_filter.h). The handles of
/// privcmd and evtchn are bound to the guest. Not here, and so refused: plain hypercalls
/// (IOCTL_PRIVCMD_HYPERCALL), mappings of another domain's grants (IOCTL_GNTDEV_MAP_GRANT_REF,
/// which names the domain in memory where no filter can look), and everything that copies to or
/// from grants. Source: Linux include/uapi/xen/{privcmd,evtchn,gntdev,gntalloc}.h.
inline constexpr std::array<std::uint32_t, 11> kWorkerIoctls{
    IOCTL_EVTCHN_NOTIFY,            // a request is answered
    IOCTL_PRIVCMD_DM_OP,            // interrupts, ranges, dirty pages, the guest's end
    IOCTL_PRIVCMD_MMAPBATCH_V2,     // a window on the guest's memory
    IOCTL_EVTCHN_BIND_INTERDOMAIN,  // a vCPU's channel, a PV front end's
    IOCTL_EVTCHN_UNBIND,
    IOCTL_EVTCHN_RESET,                 // events came faster than they were taken
    IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR,  // the supervisor's grants are given back
    IOCTL_GNTDEV_UNMAP_GRANT_REF,
    IOCTL_GNTALLOC_ALLOC_GREF,  // a stub domain's own page, for QMP
    IOCTL_GNTALLOC_DEALLOC_GREF,
    IOCTL_GNTALLOC_SET_UNMAP_NOTIFY,
};

}  // namespace dm::xen
