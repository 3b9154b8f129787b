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
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dm::toolstack {

namespace json = boost::json;

namespace {

/// QEMU opens any path. Here who asks has to have opened the file, as libxl has.
Result<host::UniqueFd> open_for_writing(const FdSets& sets, const std::string& name) {
  if (!FdSets::is_name(name)) {
    return Error{"only a descriptor that was passed by add-fd is written to: /dev/fdset/NUMBER"};
  }
  return sets.open(name, O_WRONLY);
}

/// For the reader of a pipe, in all: the loop serves nobody meanwhile. libxl passes a file.
constexpr std::chrono::milliseconds kPatience{2000};

/// From the descriptor's offset on. libxl opens the file of an earlier save again without emptying
/// it and sends all of it, so what is behind that place is cut off. This comes first: a file that
/// was opened with O_APPEND takes our state behind what it has, wherever the offset is.
Result<> write_state(int fd, std::span<const std::byte> state) {
  const ::off_t begin = ::lseek(fd, 0, SEEK_CUR);
  struct ::stat is {};
  const bool is_file = ::fstat(fd, &is) == 0 && S_ISREG(is.st_mode);
  if (is_file && ::ftruncate(fd, begin) != 0) {
    return Error{host::error_text(errno)};
  }
  auto written = host::write_whole(fd, state, kPatience);
  if (!written && is_file) {
    static_cast<void>(!::ftruncate(fd, begin));
  }
  return written;
}

/// A machine that runs is stopped for it, as QEMU does, and goes on afterwards.
QmpResult save(QmpCall& call, MachineControl& machine, const FdSets& sets) {
  const std::string name = call.arguments.at("filename").as_string().c_str();
  const auto failed = [&name](std::string_view why) {
    std::string desc = "the state cannot be saved to " + name.substr(0, 64) + ": ";
    desc.append(why);
    log::warning("xl save: ", std::string_view{desc});
    return QmpError{kGenericError, std::move(desc)};
  };
  const bool was_running = machine.running();
  auto file = open_for_writing(sets, name);
  if (!file) {
    return failed(file.error().message);
  }
  machine.stop();
  const std::vector<std::byte> state = machine.save();
  const Result<> written =
      machine.durable()
          ? write_state(file->get(), state)
          : Error{
                "a disk could not be flushed, and who goes on with the state may miss what the "
                "guest wrote last. Mend the disk, or shut the guest down"};
  if (was_running) {
    machine.cont();
  }
  if (!written) {
    return failed(written.error().message);
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
