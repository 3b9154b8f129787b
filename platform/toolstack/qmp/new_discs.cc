// SPDX-License-Identifier: MIT
#include "platform/toolstack/qmp/new_discs.h"

#include "core/obs/log.h"

#include <string>
#include <utility>

namespace dm::toolstack {

void list_new_discs(const MachineControl& machine, FdSets& sets, const FetchDisc& fetch) {
  constexpr std::string_view kNamed = "ide-";
  constexpr std::uint64_t kNobody = 0;  // no connection's end takes it away
  for (const DriveInfo& drive : machine.drives()) {
    if (!drive.removable || !drive.image.empty() || !drive.name.starts_with(kNamed)) {
      continue;
    }
    const std::string opaque = "stub-devid:" + drive.name.substr(kNamed.size());
    if (sets.holds(opaque)) {
      continue;
    }
    host::UniqueFd disc = fetch(drive.name);
    if (!disc) {
      continue;
    }
    if (auto added = sets.add(std::move(disc), std::nullopt, opaque, kNobody); !added) {
      log::warning("CD-ROM drive ", std::string_view{drive.name},
                   ": a new disc cannot be listed: ", std::string_view{added.error().message});
    }
  }
}

}  // namespace dm::toolstack
