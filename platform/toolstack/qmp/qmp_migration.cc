// SPDX-License-Identifier: MIT
// libxl 4.17 sends on its own connection xen-set-global-dirty-log before the first round, and on
// another, once the guest is suspended: stop, add-fd, xen-save-devices-state (libxl_dom_suspend.c,
// libxl_qmp.c). It waits for the answers for ever. When saving fails it sends cont, and the guest
// goes on.
#include "platform/toolstack/qmp/qmp_migration.h"

#include "core/obs/log.h"
#include "platform/linux/error_text.h"
#include "platform/linux/whole_io.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dm::toolstack {

namespace json = boost::json;

namespace {

constexpr std::string_view kNotDurable =
    "a disk could not be flushed, and a saved guest would not learn that its writes may be lost; "
    "the device model's log says which disk; repair that, or shut the guest down instead";
constexpr std::string_view kNotHandedOver =
    "a disk image cannot be left to another device model; the device model's log says which, and "
    "why; the guest can go on here, or be saved without live";

/// From the descriptor's offset on. libxl opens the file of an earlier save again without emptying
/// it and sends all of it, so what is behind that place is cut off. This comes first: a file that
/// was opened with O_APPEND takes our state behind what it has, wherever the offset is.
Result<> write_state(const StateTarget& target, std::span<const std::byte> state) {
  const int fd = target.fd.get();
  const ::off_t begin = target.file ? ::lseek(fd, 0, SEEK_CUR) : -1;
  struct ::stat is {};
  const bool is_file = begin >= 0 && ::fstat(fd, &is) == 0 && S_ISREG(is.st_mode);
  if (is_file && ::ftruncate(fd, begin) != 0) {
    return Error{host::error_text(errno)};
  }
  auto written = host::write_whole(fd, state, target.patience);
  if (!written && is_file) {
    static_cast<void>(!::ftruncate(fd, begin));
  }
  return written;
}

/// A machine that runs is stopped for it, as QEMU does, and goes on afterwards. One that was
/// stopped before is perhaps to go on elsewhere, with `live` before this process has ended: then
/// its images are handed over. `live` is true if it is missing (QEMU: migration/savevm.c;
/// libxl 4.17 passes it).
QmpResult save(QmpCall& call, MachineControl& machine, const OpenStateTarget& open) {
  const std::string name = call.arguments.at("filename").as_string().c_str();
  const auto failed = [&name](std::string_view why) {
    std::string desc = "the state cannot be saved to " + name.substr(0, 64) + ": ";
    desc.append(why);
    log::warning("xl save: ", std::string_view{desc});
    return QmpError{kGenericError, std::move(desc)};
  };
  const auto* const given = call.arguments.if_contains("live");
  const bool live = given == nullptr || given->as_bool();
  const bool was_running = machine.running();
  const auto target = open(name);
  if (!target) {
    return failed(target.error().message);
  }
  machine.stop();
  const bool durable = machine.durable();
  const std::vector<std::byte> state = machine.save(target->padding);
  const auto written = durable ? write_state(*target, state) : Result<>{};
  const bool elsewhere = durable && written.has_value() && live && !was_running;
  const bool handed_over = !elsewhere || machine.hand_over();
  if (was_running) {
    machine.cont();
  }
  if (!durable) {
    return failed(kNotDurable);
  }
  if (!written) {
    return failed(written.error().message);
  }
  if (!handed_over) {
    return failed(kNotHandedOver);
  }
  log::info("the state of the devices is saved: ", state.size(), " bytes");
  return json::object{};
}

}  // namespace

OpenStateTarget passed_descriptors(const FdSets& sets) {
  return [&sets](const std::string& name) -> Result<StateTarget> {
    if (!FdSets::is_name(name)) {
      return Error{"only a descriptor that was passed by add-fd is written to: /dev/fdset/NUMBER"};
    }
    auto fd = sets.open(name, O_WRONLY);
    if (!fd) {
      return fd.error();
    }
    return StateTarget{.fd = std::move(*fd)};
  };
}

void add_migration_commands(QmpCommands& commands, MachineControl& machine, OpenStateTarget open) {
  using Presence = QmpParameter::Presence;
  commands.add("xen-set-global-dirty-log",
               {{"enable", QmpParameter::Type::boolean, Presence::required}},
               [&machine](QmpCall& call) -> QmpResult {
                 machine.track_dirty(call.arguments.at("enable").as_bool());
                 return json::object{};
               });
  commands.add(
      "xen-save-devices-state",
      {{"filename", QmpParameter::Type::string, Presence::required},
       {"live", QmpParameter::Type::boolean, Presence::optional}},
      [&machine, open = std::move(open)](QmpCall& call) { return save(call, machine, open); });
}

}  // namespace dm::toolstack
