// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports/machine_control.h"
#include "platform/linux/unique_fd.h"
#include "platform/toolstack/qmp/fd_sets.h"

#include <functional>
#include <string_view>

namespace dm::toolstack {

/// Opens what the host has put into a drive, which libxl calls "ide-5632". No descriptor: it is not
/// there yet, or not to be had.
using FetchDisc = std::function<host::UniqueFd(std::string_view drive)>;

/// How a disc is changed in a stub domain. libxl since 4.20 ejects it, takes this domain's disk
/// away, gives it another, which may be an empty one, and asks every 200 ms (query-fdsets) until a
/// set says "stub-devid:5632" of itself. Then it inserts what that set holds. This makes such a set
/// for each CD-ROM drive that is empty and has none, as soon as there is something to put into it.
/// libxl removes the set before it takes the disk away again. Does nothing about drives that libxl
/// has not named. Thread rule: the loop's thread only. Source: Xen 4.20,
/// tools/libs/light/libxl_disk.c.
void list_new_discs(const MachineControl& machine, FdSets& sets, const FetchDisc& fetch);

}  // namespace dm::toolstack
