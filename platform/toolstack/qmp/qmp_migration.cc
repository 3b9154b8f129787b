// SPDX-License-Identifier: MIT
// libxl 4.17 sends on its own connection xen-set-global-dirty-log before the first round, and on
// another, once the guest is suspended: stop, add-fd, xen-save-devices-state (libxl_dom_suspend.c,
// libxl_qmp.c). It waits for the answers for ever. When saving fails it sends cont, and the guest
// goes on.
#include "platform/toolstack/qmp/qmp_migration.h"

#include "core/obs/log.h"
#include "platform/linux/error_text.h"
#include "platform/linux/unique_fd.h"
#include "platform/linux/whole_io.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
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

/// QEMU opens any path. Here who asks has to have opened the file, as libxl has.
Result<host::UniqueFd> open_for_writing(const FdSets& sets, const std::string& name) {
  if (!FdSets::is_name(name)) {
    return Error{"only a descriptor that was passed by add-fd is written to: /dev/fdset/NUMBER"};
  }
  return sets.open(name, O_WRONLY);
}

/// From the descriptor's offset on. libxl opens the file of an earlier save again without emptying
/// it and sends all of it, so what is behind our state is cut off.
Result<> write_state(int fd, std::span<const std::byte> state) {
  const ::off_t begin = ::lseek(fd, 0, SEEK_CUR);
  if (auto written = host::write_whole(fd, state); !written) {
    if (begin >= 0) {
      static_cast<void>(!::ftruncate(fd, begin));
    }
    return written;
  }
  struct ::stat is {};
  if (::fstat(fd, &is) == 0 && S_ISREG(is.st_mode) &&
      ::ftruncate(fd, begin + static_cast<::off_t>(state.size())) != 0) {
    return Error{host::error_text(errno)};
  }
  return {};
}

/// A machine that runs is stopped for it, as QEMU does, and goes on afterwards. One that was
/// stopped before is perhaps to go on elsewhere, with `live` before this process has ended: then
/// its images are handed over. `live` is true if it is missing (QEMU: migration/savevm.c;
/// libxl 4.17 passes it).
QmpResult save(QmpCall& call, MachineControl& machine, const FdSets& sets) {
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
  auto file = open_for_writing(sets, name);
  if (!file) {
    return failed(file.error().message);
  }
  machine.stop();
  const bool durable = machine.durable();
  const std::vector<std::byte> state = machine.save();
  const auto written = durable ? write_state(file->get(), state) : Result<>{};
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

void add_migration_commands(QmpCommands& commands, MachineControl& machine, const FdSets& sets) {
  using Presence = QmpParameter::Presence;
  commands.add("xen-set-global-dirty-log",
               {{"enable", QmpParameter::Type::boolean, Presence::required}},
               [&machine](QmpCall& call) -> QmpResult {
                 machine.track_dirty(call.arguments.at("enable").as_bool());
                 return json::object{};
               });
  commands.add("xen-save-devices-state",
               {{"filename", QmpParameter::Type::string, Presence::required},
                {"live", QmpParameter::Type::boolean, Presence::optional}},
               [&machine, &sets](QmpCall& call) { return save(call, machine, sets); });
}

}  // namespace dm::toolstack
