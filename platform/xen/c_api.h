// SPDX-License-Identifier: MIT
#pragma once

// Xen's library headers do not say extern "C" themselves. Every include of one of them goes through
// here.

#include <xen/event_channel.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>
#include <xen/xen.h>

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>

#include <cstddef>
#include <cstdint>

extern "C" {
#include <xencall.h>
#include <xendevicemodel.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xengnttab.h>
#include <xentoolcore.h>
#include <xentoollog.h>
}
