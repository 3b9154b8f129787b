// SPDX-License-Identifier: MIT
#include "platform/toolstack/command_line/start_log.h"

#include "platform/toolstack/version.h"

#include <algorithm>
#include <string>
#include <utility>

namespace dm::toolstack {

namespace {

/// So that an odd name leaves room for the rest of the line.
constexpr std::size_t kMaxNameBytes = 128;

/// Where the character begins whose bytes are around `at`.
std::size_t character_start(std::string_view text, std::size_t at) noexcept {
  constexpr std::size_t kLongest = 4;
  std::size_t start = at;
  while (start != 0 && at - start < kLongest &&
         (static_cast<unsigned char>(text[start]) & 0xc0U) == 0x80U) {
    --start;
  }
  return at - start < kLongest && start != 0 ? start : at;
}

void emit_wrapped(log::Level level, std::string_view line) noexcept {
  do {
    // Wraps at a space where there is one.
    std::size_t end = std::min(line.size(), log::Line::kCapacity);
    if (end < line.size()) {
      const std::size_t space = line.rfind(' ', end);
      end = space == std::string_view::npos || space == 0 ? end : space;
      end = character_start(line, end);
    }
    log::Line part;
    part.add(line.substr(0, end));
    log::emit(level, part);
    line.remove_prefix(end);
  } while (!line.empty());
}

}  // namespace

void log_lines(log::Level level, std::string_view message) noexcept {
  while (!message.empty()) {
    const std::size_t end = std::min(message.find('\n'), message.size());
    emit_wrapped(level, message.substr(0, end));
    message.remove_prefix(std::min(end + 1, message.size()));
  }
}

std::string spin_text(const SpinConfig& spin) {
  switch (spin.mode) {
    case SpinConfig::Mode::automatic:
      return "auto";
    case SpinConfig::Mode::off:
      return "off";
    case SpinConfig::Mode::always:
      break;
  }
  return std::string{"at most "}.append(std::to_string(spin.microseconds)).append(" us");
}

void log_start(const MachineConfig& config) {
  const auto serial_ports = std::count_if(config.serial.begin(), config.serial.end(),
                                          [](const auto& port) { return port.has_value(); });
  log::info("version ", version(), ", domain ", config.domid, " '",
            std::string_view{config.name}.substr(0, kMaxNameBytes), "': ", config.vcpus_online,
            " of ", config.vcpus_max, " vCPUs online, ", config.memory_mib, " MiB, ",
            config.disks.size(), " disks, ", config.nics.size(), " network cards, ", serial_ports,
            " serial ports, ", config.vga ? "a screen" : "no screen", ", boot order ",
            config.boot_order, ", spin ", std::string_view{spin_text(config.spin)},
            config.start_paused ? ", waiting for cont" : "");
  if (config.notes.empty()) {
    return;
  }
  std::string noted = "accepted, with what comes of it: ";
  const char* separator = "";
  for (const std::string& note : config.notes) {
    noted.append(std::exchange(separator, "; ")).append(note);
  }
  log_lines(log::Level::info, noted);
}

}  // namespace dm::toolstack
