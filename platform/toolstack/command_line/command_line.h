// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/result.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace dm::toolstack {

/// What this build can serve beyond the machine itself. Filled by the composition root: what is
/// false here ends start-up with the setting to change.
struct Capabilities {
  bool restore = false;  ///< -incoming
};

/// What libxl says by environment variables.
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
  MachineConfig config;          ///< meaningful for serve; of probe `qmp` alone
  std::string file;              ///< for check: the xl.cfg file
  std::uint64_t log_budget = 0;  ///< bytes for log::set_budget(), 0 = no limit
  /// Bytes that a PV domain's console gets in a file, 0 = no limit. The same number where libxl
  /// names one; but a console has a limit when nobody has thought of it, too.
  std::uint64_t console_limit = 0;
};

/// Reads the command line that libxl 4.17 gives a device model (without argv[0]) and our own
/// --help, --version, --check and -spin. Everything that cannot be served and every argument that
/// makes no sense is collected first; the error's message names all of it, one line each. Nothing
/// is opened or changed. `refusals` gets the pieces of that message, for those who know where the
/// arguments came from.
[[nodiscard]] Result<Invocation> parse_command_line(std::span<const std::string_view> args,
                                                    const Capabilities& can,
                                                    const Environment& environment = {},
                                                    RefusalList* refusals = nullptr);

/// What the parser knows, in libxl's order: the manual page and --help are held against it.
struct OptionName {
  std::string_view name;
  bool has_value;
};
[[nodiscard]] std::span<const OptionName> known_options() noexcept;
/// Keys of an option's value that a toolstack asks for before it writes them.
[[nodiscard]] std::span<const std::string_view> option_parameters(std::string_view option) noexcept;

}  // namespace dm::toolstack
