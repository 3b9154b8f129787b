// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/result.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace dm::toolstack {

/// What libxl sets as environment variables.
struct Environment {
  std::string_view console_limit;  ///< XEN_QEMU_CONSOLE_LIMIT; empty when not set
};

class RefusalList;

struct Invocation {
  enum class Action : std::uint8_t {
    serve,
    show_help,
    show_version,
    check,
    probe,  ///< -machine none: QMP alone, without Xen and without a guest
  };

  Action action = Action::serve;
  MachineConfig config;          ///< for serve; for probe only its `qmp`
  std::string file;              ///< for check: the xl.cfg file
  std::uint64_t log_budget = 0;  ///< bytes for log::set_budget(), 0 = no limit
  /// Most bytes that the console of a PV domain may write to a file, 0 = no limit. The same number
  /// as log_budget when libxl sets one. When it sets none, a console still has a limit.
  std::uint64_t console_limit = 0;
};

/// Reads the command line that libxl 4.17 gives a device model (without argv[0]), and our own
/// --help, --version, --check and -spin. It first collects everything that cannot be served and
/// every argument that makes no sense. The error's message then names all of it, one line each.
/// Nothing is opened or changed. `refusals` gets the pieces of that message, and what is announced
/// of a guest that is served, for a caller that knows where the arguments came from (--check).
/// Thread rule: any thread. Source: Xen 4.17 tools/libs/light/libxl_dm.c.
[[nodiscard]] Result<Invocation> parse_command_line(std::span<const std::string_view> args,
                                                    const Environment& environment = {},
                                                    RefusalList* refusals = nullptr);

/// The options that the parser knows, in libxl's order. Tests compare the manual page and --help
/// with it.
struct OptionName {
  std::string_view name;
  bool has_value;
};
[[nodiscard]] std::span<const OptionName> known_options() noexcept;
/// The keys in an option's value for which a toolstack asks before it uses them.
[[nodiscard]] std::span<const std::string_view> option_parameters(std::string_view option) noexcept;

}  // namespace dm::toolstack
