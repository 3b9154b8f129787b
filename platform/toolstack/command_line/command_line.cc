// SPDX-License-Identifier: MIT
#include "platform/toolstack/command_line/command_line.h"

#include "platform/toolstack/command_line/parse.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <string>
#include <utility>

namespace dm::toolstack {

namespace {

/// libxl gives some 60 arguments, device_model_args a few more. The bound keeps the joins below,
/// which compare everything with everything, short.
constexpr std::size_t kMaxArguments = 1024;
constexpr std::size_t kMaxNotes = 32;
constexpr std::size_t kMaxQuotedBytes = 200;
/// What libxl proposes. Used when what it says cannot be read: a log without a limit would be
/// worse.
constexpr std::uint64_t kDefaultLogBudget = 1'048'576;

std::string_view quoted(std::string_view text) noexcept {
  return text.substr(0, kMaxQuotedBytes);
}

/// What libxl always says and what stubdm does anyway.
void expected(Parse&, std::string_view, std::string_view) {}

void take_paused(Parse& parse, std::string_view, std::string_view) {
  parse.config.start_paused = true;
}
void take_no_acpi(Parse& parse, std::string_view, std::string_view) {
  parse.config.acpi = false;
}
void take_restrict(Parse& parse, std::string_view, std::string_view) {
  parse.config.restrict_domid = true;
}

void take_chroot(Parse& parse, std::string_view name, std::string_view value) {
  if (value.empty() || value.front() != '/') {
    parse.broken(name, value, "not an absolute path");
    return;
  }
  parse.config.chroot = value;
}

void take_run_as(Parse& parse, std::string_view name, std::string_view value) {
  if (value.empty()) {
    parse.broken(name, value, "no user");
    return;
  }
  parse.config.run_as = value;
}

constexpr std::string_view kRunWithKeys[] = {"chroot", "user"};

/// QEMU's new words for -chroot and -runas.
void take_run_with(Parse& parse, std::string_view name, std::string_view value) {
  const auto keys = parse.split(name, value, {.known = kRunWithKeys, .open_ended = "chroot"});
  if (!keys) {
    return;
  }
  if (const auto directory = keys->find("chroot")) {
    take_chroot(parse, name, *directory);
  }
  if (const auto user = keys->find("user")) {
    take_run_as(parse, name, *user);
  }
}

void take_nographic(Parse& parse, std::string_view name, std::string_view value) {
  parse.note(name, value, "never any graphics");
}

template <Unserved What>
void refuse(Parse& parse, std::string_view name, std::string_view value) {
  parse.refusals.add(What, written_option(name, value));
}
template <Unserved What>
void leave_out(Parse& parse, std::string_view name, std::string_view value) {
  parse.refusals.leave_out(What, written_option(name, value));
}

void take_help(Parse& parse, std::string_view, std::string_view) {
  parse.action = Invocation::Action::show_help;
}
void take_check(Parse& parse, std::string_view, std::string_view value) {
  parse.action = Invocation::Action::check;
  parse.file = value;
}
void take_version(Parse& parse, std::string_view, std::string_view) {
  parse.action = Invocation::Action::show_version;
}

// The order of libxl 4.17's own emission (libxl_dm.c, libxl__build_device_model_args_new).
// clang-format off
constexpr Option kOptions[] = {
    // name                 value  once   taken by
    {"xen-domid",           true,  true,  take_domid},
    {"no-shutdown",         false, false, expected},  // we always stay until we are killed
    {"chardev",             true,  false, take_chardev},
    {"S",                   false, false, take_paused},
    {"mon",                 true,  false, take_monitor},
    {"nodefaults",          false, false, expected},
    {"no-user-config",      false, false, expected},
    {"xen-attach",          false, false, expected},  // -machine xenpv: the domain is there
    {"name",                true,  true,  take_name},
    {"vnc",                 true,  false, take_vnc},
    {"display",             true,  false, take_display},
    {"sdl",                 false, false, take_sdl},
    {"k",                   true,  false, take_keymap},
    {"kernel",              true,  true,  take_kernel},
    {"initrd",              true,  true,  take_initrd},
    {"append",              true,  true,  take_append},
    {"device",              true,  false, take_device},
    {"serial",              true,  false, take_serial},
    {"nographic",           false, false, take_nographic},
    {"spice",               true,  false, take_spice},
    {"soundhw",             true,  false, leave_out<Unserved::sound>},  // 4.13 and older
    {"boot",                true,  false, take_boot},  // a later one, by hand, counts
    {"usb",                 false, false, take_usb},
    {"usbdevice",           true,  false, take_usb_device},
    {"no-acpi",             false, false, take_no_acpi},
    {"smp",                 true,  true,  take_smp},
    {"netdev",              true,  false, take_netdev},
    {"object",              true,  false, refuse<Unserved::colo>},
    {"net",                 true,  false, take_net},
    {"xen-domid-restrict",  false, false, take_restrict},
    {"chroot",              true,  true,  take_chroot},
    {"run-with",            true,  false, take_run_with},  // 4.20: in place of chroot, runas
    {"incoming",            true,  true,  take_incoming},
    {"machine",             true,  true,  take_machine},
    {"m",                   true,  true,  take_memory},
    {"drive",               true,  false, take_drive},
    {"runas",               true,  true,  take_run_as},
    // by hand, in device_model_args
    {"vga",                 true,  false, take_vga_option},
    {"monitor",             true,  false, take_human_monitor},
    {"parallel",            true,  false, take_parallel},
    {"global",              true,  false, take_global},
    {"debugcon",            true,  false, take_without_effect},
    {"audiodev",            true,  false, take_without_effect},
    {"audio",               true,  false, take_without_effect},
    {"disable-audio-rec",   false, false, take_without_effect},
    {"rtc",                 true,  false, take_without_effect},
    {"no-hpet",             false, false, take_without_effect},
    {"cpu",                 true,  false, take_without_effect},
    {"uuid",                true,  false, take_without_effect},
    {"smbios",              true,  false, take_without_effect},
    {"acpitable",           true,  false, take_without_effect},
    {"bios",                true,  false, take_without_effect},
    {"no-fd-bootchk",       false, false, take_without_effect},
    {"msg",                 true,  false, take_without_effect},
    // our own
    {"spin",                true,  true,  take_spin},
    {"check",               true,  true,  take_check},
    {"help",                false, false, take_help},
    {"h",                   false, false, take_help},
    {"version",             false, false, take_version},
};
// clang-format on

const Option* find_option(std::string_view name) noexcept {
  const auto* const found =
      std::find_if(std::begin(kOptions), std::end(kOptions),
                   [name](const Option& option) { return option.name == name; });
  return found == std::end(kOptions) ? nullptr : found;
}

/// True for what starts with a dash; `name` is the rest. QEMU takes one dash or two.
bool is_option(std::string_view argument, std::string_view& name) noexcept {
  if (argument.size() < 2 || argument.front() != '-') {
    return false;
  }
  name = argument.substr(argument[1] == '-' ? 2 : 1);
  return true;
}

/// What libxl never writes: named together, so that device_model_args can be mended at once.
void refuse_unknown(Parse& parse, std::string_view argument) {
  parse.refusals.add(Unserved::unknown_option, argument.empty() ? "(an empty argument)" : argument);
}

void take_option(Parse& parse, const Option& option, std::string_view value) {
  auto& seen = parse.singles;
  if (option.once && std::find(seen.begin(), seen.end(), option.name) != seen.end()) {
    parse.broken(option.name, value,
                 "given twice: xl writes it too, so take it out of device_model_args");
    return;
  }
  if (option.once) {
    seen.push_back(option.name);
  }
  option.take(parse, option.name, value);
}

bool begins(std::string_view whole, std::string_view part) noexcept {
  return whole.substr(0, part.size()) == part;
}

/// How many arguments of libxl's own begin here that it writes after the devices and before
/// device_model_args; 0 for anything else.
std::size_t own_arguments(std::string_view option, std::string_view value) noexcept {
  const bool own_netdev = option == "-netdev" && begins(value, "type=tap,") &&
                          value.find(",script=") != std::string_view::npos;
  const bool own_object =
      option == "-object" && (begins(value, "filter-") || begins(value, "iothread,id=colo") ||
                              begins(value, "colo-compare,"));
  const bool own_pair = own_netdev || own_object || (option == "-net" && value == "none") ||
                        option == "-chroot" || option == "-incoming";
  return own_pair ? 2 : option == "-xen-domid-restrict" ? 1 : 0;
}

/// libxl puts device_model_args before -machine and device_model_args_hvm between that and -m. So
/// a start knows as well as --check which setting asks for something.
void find_by_hand(Parse& parse, std::span<const std::string_view> args) {
  const auto place_of = [args](std::string_view name, std::size_t from) {
    const auto start = args.begin() + static_cast<std::ptrdiff_t>(from);
    return static_cast<std::size_t>(std::find(start, args.end(), name) - args.begin());
  };
  const std::size_t machine = place_of("-machine", 0);
  if (machine + 1 >= args.size()) {
    return;
  }
  std::size_t first = machine;
  for (std::size_t i = 0; i + 1 < machine; ++i) {
    const std::size_t own = own_arguments(args[i], args[i + 1]);
    first = own != 0 ? i + own : first;
  }
  parse.refusals.set_by_hand(std::min(first, machine), machine);
  parse.refusals.set_by_hand(machine + 2, place_of("-m", machine + 2));
}

void walk(Parse& parse, std::span<const std::string_view> args) {
  for (std::size_t i = 0; i < args.size() && !parse.action; ++i) {
    parse.refusals.set_argument(i);
    std::string_view name;
    const Option* const option = is_option(args[i], name) ? find_option(name) : nullptr;
    if (option == nullptr) {
      refuse_unknown(parse, args[i]);
      std::string_view next;
      if (!name.empty() && i + 1 < args.size() && !is_option(args[i + 1], next)) {
        ++i;  // most likely its value: not worth a message of its own
      }
    } else if (!option->has_value) {
      take_option(parse, *option, {});
    } else if (i + 1 < args.size()) {
      take_option(parse, *option, args[++i]);
    } else {
      parse.broken(name, {}, "its value is missing");
    }
  }
}

constexpr auto kOptionNames = [] {
  std::array<OptionName, std::size(kOptions)> names{};
  for (std::size_t i = 0; i < names.size(); ++i) {
    names[i] = {kOptions[i].name, kOptions[i].has_value};
  }
  return names;
}();

}  // namespace

std::span<const OptionName> known_options() noexcept {
  return kOptionNames;
}

std::span<const std::string_view> option_parameters(std::string_view option) noexcept {
  return option == "run-with" ? std::span<const std::string_view>{kRunWithKeys}
                              : std::span<const std::string_view>{};
}

void Parse::broken(std::string_view option, std::string_view value, std::string_view why) {
  std::string text = written_option(option, quoted(value));
  refusals.add_broken(text.append(": ").append(why));
}

void Parse::note(std::string_view option, std::string_view value, std::string_view why) {
  if (config.notes.size() == kMaxNotes) {
    return;
  }
  std::string text = written_option(option, quoted(value));
  config.notes.push_back(text.append(" (").append(why).append(")"));
}

std::optional<KeyValues> Parse::split(std::string_view option,
                                      std::string_view value,
                                      const KeyRules& rules) {
  auto result = KeyValues::split(value, rules);
  if (!result) {
    broken(option, value, result.error().message);
    return std::nullopt;
  }
  return std::move(*result);
}

Result<Invocation> parse_command_line(std::span<const std::string_view> args,
                                      const Environment& environment,
                                      RefusalList* refusals) {
  if (args.size() > kMaxArguments) {
    return fail("more than ", std::to_string(kMaxArguments), " arguments");
  }
  Parse parse;
  find_by_hand(parse, args);
  walk(parse, args);

  Invocation invocation;
  if (parse.action) {
    invocation.action = *parse.action;
    invocation.file = parse.file;
    return invocation;
  }
  std::string_view last;
  if (!args.empty() && is_option(args.back(), last) && last == "check") {
    return fail("--check needs the name of a guest's xl.cfg file: stubdm --check GUEST.cfg");
  }
  const bool has_domid =
      std::find(parse.singles.begin(), parse.singles.end(), "xen-domid") != parse.singles.end();
  if (!has_domid && !parse.no_machine) {
    return fail(
        "no -xen-domid: this program is not started by hand. xl starts it for a guest whose xl.cfg "
        "says\n"
        "  device_model_override=\"PATH OF THIS PROGRAM\"\n"
        "'stubdm --help' tells more.");
  }
  join_usb(parse);
  join_monitors(parse);
  join_cards(parse);
  join_disks(parse);
  join_kernel(parse);
  join_screen(parse);
  join_machine(parse);
  for (const RefusalList::Line& line : parse.refusals.announced()) {
    parse.config.notes.push_back(line.text);
  }
  if (!parse.refusals.empty()) {
    Error error{parse.refusals.message()};
    if (refusals != nullptr) {
      *refusals = std::move(parse.refusals);
    }
    return error;
  }
  invocation.console_limit = kDefaultLogBudget;
  if (!environment.console_limit.empty()) {
    const auto limit = parse_number<std::uint64_t>(environment.console_limit, 0,
                                                   std::numeric_limits<std::uint64_t>::max());
    if (!limit) {
      parse.config.notes.emplace_back("XEN_QEMU_CONSOLE_LIMIT (not a number: 1 MiB is used)");
    }
    invocation.log_budget = limit.value_or(kDefaultLogBudget);
    invocation.console_limit = invocation.log_budget;
  }
  invocation.config = std::move(parse.config);
  if (refusals != nullptr) {
    *refusals = std::move(parse.refusals);
  }
  if (parse.no_machine) {
    invocation.action = Invocation::Action::probe;
  }
  return invocation;
}

}  // namespace dm::toolstack
