// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/ports/disc_image.h"
#include "core/ports/machine_control.h"
#include "platform/linux/unique_fd.h"
#include "platform/toolstack/qmp/fd_sets.h"
#include "platform/toolstack/qmp/qmp_commands.h"

#include <functional>
#include <memory>
#include <string>

namespace dm::toolstack {

/// Makes an image for a drive from what a client has named. If `name` is the name of a set of
/// descriptors, `file` is the image; else `file` is empty, and `name` is to be opened.
using NameDisc = std::function<std::unique_ptr<DiscImage>(
    const std::string& name, host::UniqueFd file, ImageFormat format)>;

/// Adds eject, blockdev-change-medium and change, for the discs of CD-ROM drives. `machine` and
/// `sets` outlive `commands`.
void add_medium_commands(QmpCommands& commands,
                         MachineControl& machine,
                         const FdSets& sets,
                         NameDisc name_disc);

}  // namespace dm::toolstack
