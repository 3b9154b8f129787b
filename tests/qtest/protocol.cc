// SPDX-License-Identifier: MIT
#include "tests/qtest/protocol.h"

#include "tests/qtest/encoding.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

namespace dm::qtest {

namespace {

/// The one device whose inputs can be listened to, by the names that tests call it.
constexpr std::string_view kInterruptController = "ioapic";

constexpr std::size_t kMostWords = 8;

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> words;
  while (words.size() < kMostWords) {
    const auto begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) {
      break;
    }
    const auto end = std::min(line.find_first_of(" \t\r", begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    line.remove_prefix(end);
  }
  return words;
}

/// The letter that ends "inb", "writeq": how many bytes.
std::uint8_t width(std::string_view command) {
  switch (command.back()) {
    case 'b':
      return 1;
    case 'w':
      return 2;
    case 'l':
      return 4;
    default:
      return 8;
  }
}

std::string hex(std::uint64_t value, int digits) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "0x%0*llx", digits,
                static_cast<unsigned long long>(value));
  return text.data();
}

}  // namespace

const Protocol::Command Protocol::kCommands[] = {
    {"inb", 1, true, &Protocol::port_in, "ADDR"},
    {"inw", 1, true, &Protocol::port_in, "ADDR"},
    {"inl", 1, true, &Protocol::port_in, "ADDR"},
    {"outb", 2, true, &Protocol::port_out, "ADDR VALUE"},
    {"outw", 2, true, &Protocol::port_out, "ADDR VALUE"},
    {"outl", 2, true, &Protocol::port_out, "ADDR VALUE"},
    {"readb", 1, true, &Protocol::read_value, "ADDR"},
    {"readw", 1, true, &Protocol::read_value, "ADDR"},
    {"readl", 1, true, &Protocol::read_value, "ADDR"},
    {"readq", 1, true, &Protocol::read_value, "ADDR"},
    {"writeb", 2, true, &Protocol::write_value, "ADDR VALUE"},
    {"writew", 2, true, &Protocol::write_value, "ADDR VALUE"},
    {"writel", 2, true, &Protocol::write_value, "ADDR VALUE"},
    {"writeq", 2, true, &Protocol::write_value, "ADDR VALUE"},
    {"read", 2, true, &Protocol::read_bytes, "ADDR SIZE"},
    {"write", 3, true, &Protocol::write_bytes, "ADDR SIZE 0xDATA"},
    {"memset", 3, true, &Protocol::fill_bytes, "ADDR SIZE VALUE"},
    {"b64read", 2, true, &Protocol::read_base64, "ADDR SIZE"},
    {"b64write", 3, true, &Protocol::write_base64, "ADDR SIZE DATA"},
    {"irq_intercept_in", 1, false, &Protocol::intercept_in, "PATH"},
    {"irq_intercept_out", 1, false, &Protocol::intercept_out, "PATH"},
    {"set_irq_in", 4, false, &Protocol::no_such_pin, "PATH NAME NUMBER LEVEL"},
    {"clock_step", 0, true, &Protocol::clock_step, "[NS]"},
    {"clock_set", 1, true, &Protocol::clock_set, "NS"},
    {"endianness", 0, false, &Protocol::endianness, ""},
    {"module_load", 2, false, &Protocol::no_modules, "PREFIX NAME"},
};

Protocol::Protocol(Board& board) : board_{board} {
  board_.pins().changed = [this](std::size_t pin, bool level) { pin_changed(pin, level); };
}

Protocol::~Protocol() {
  board_.pins().changed = [](std::size_t, bool) {};
}

std::string Protocol::take_output() {
  return std::exchange(output_, {});
}

void Protocol::answer(std::string_view text) {
  output_.append(text) += '\n';
}

void Protocol::ok(std::string_view value) {
  output_ += "OK";
  if (!value.empty()) {
    output_ += ' ';
  }
  answer(value);
}

void Protocol::fail(std::string_view why) {
  output_ += "FAIL ";
  answer(why);
}

void Protocol::execute(std::string_view line) {
  const auto words = split(line);
  const std::string_view name = words.empty() ? std::string_view{} : words.front();
  const auto* const command = std::find_if(std::begin(kCommands), std::end(kCommands),
                                           [&](const Command& c) { return c.name == name; });
  if (command == std::end(kCommands)) {
    fail("Unknown command '" + std::string{name.substr(0, 40)} + "'");
  } else if (words.size() - 1 < command->arguments) {
    fail("usage: " + std::string{command->name} + " " + std::string{command->usage});
  } else if (command->needs_guest && running && !running()) {
    fail("the guest is stopped: QMP's cont lets it go on");
  } else {
    (this->*command->run)(words);
  }
}

void Protocol::port_in(Words words) {
  const auto port = parse_number(words[1]);
  if (!port || *port > 0xffff) {
    fail("ADDR is not a port");
    return;
  }
  ok(hex(board_.in(static_cast<std::uint16_t>(*port), width(words[0])), 4));
}

void Protocol::port_out(Words words) {
  const auto port = parse_number(words[1]);
  const auto value = parse_number(words[2]);
  if (!port || *port > 0xffff || !value) {
    fail("ADDR is not a port, or VALUE not a number");
    return;
  }
  board_.out(static_cast<std::uint16_t>(*port), width(words[0]),
             static_cast<std::uint32_t>(*value));
  ok();
}

void Protocol::read_value(Words words) {
  const auto address = parse_number(words[1]);
  std::array<std::byte, 8> bytes{};
  if (!address || !board_.read(*address, std::span{bytes}.first(width(words[0])))) {
    fail("ADDR is not an address");
    return;
  }
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  ok(hex(value, 16));
}

void Protocol::write_value(Words words) {
  const auto address = parse_number(words[1]);
  const auto value = parse_number(words[2]);
  if (!address || !value) {
    fail("ADDR or VALUE is not a number");
    return;
  }
  std::array<std::byte, 8> bytes{};
  std::memcpy(bytes.data(), &*value, sizeof *value);
  store(*address, std::span{bytes}.first(width(words[0])));
}

std::optional<Protocol::Range> Protocol::range(Words words) {
  const auto first = parse_number(words[1]);
  const auto bytes = parse_number(words[2]);
  if (!first || !bytes || *bytes > kMostBytes) {
    fail("ADDR or SIZE is not a number, or SIZE above 64 MiB");
    return std::nullopt;
  }
  return Range{.address = *first, .size = static_cast<std::size_t>(*bytes)};
}

void Protocol::store(std::uint64_t address, std::span<const std::byte> bytes) {
  if (board_.write(address, bytes)) {
    ok();
  } else {
    fail("the range wraps, or more than 64 KiB of it is not RAM");
  }
}

std::optional<std::vector<std::byte>> Protocol::load(Words words) {
  const auto from = range(words);
  if (!from) {
    return std::nullopt;
  }
  std::vector<std::byte> bytes(from->size);
  if (bytes.empty() || !board_.read(from->address, bytes)) {
    fail("SIZE is 0, the range wraps, or more than 64 KiB of it is not RAM");
    return std::nullopt;
  }
  return bytes;
}

void Protocol::read_bytes(Words words) {
  if (const auto bytes = load(words); bytes) {
    ok("0x" + to_hex(*bytes));
  }
}

void Protocol::write_bytes(Words words) {
  const auto to = range(words);
  if (!to) {
    return;
  }
  const auto bytes = from_hex(words[3], to->size);
  if (!bytes) {
    fail("DATA is not 0x and hexadecimal digits");
    return;
  }
  store(to->address, *bytes);
}

void Protocol::fill_bytes(Words words) {
  const auto to = range(words);
  if (!to) {
    return;
  }
  const auto value = parse_number(words[3]);
  if (!value) {
    fail("VALUE is not a number");
    return;
  }
  store(to->address, std::vector<std::byte>(to->size, static_cast<std::byte>(*value & 0xffU)));
}

void Protocol::read_base64(Words words) {
  if (const auto bytes = load(words); bytes) {
    ok(to_base64(*bytes));
  }
}

void Protocol::write_base64(Words words) {
  const auto to = range(words);
  if (!to) {
    return;
  }
  const auto bytes = from_base64(words[3]);
  if (!bytes || bytes->size() != to->size) {
    fail("DATA is not base64 of SIZE bytes");
    return;
  }
  store(to->address, *bytes);
}

/// From here on changes are told, beginning with what is high already.
void Protocol::intercept_in(Words words) {
  const auto slash = words[1].rfind('/');
  const auto name = slash == std::string_view::npos ? words[1] : words[1].substr(slash + 1);
  if (name != kInterruptController) {
    fail("Unknown device: only the inputs of 'ioapic' can be intercepted");
    return;
  }
  if (!std::exchange(intercepts_, true)) {
    for (std::size_t pin = 0; pin < Pins::kPins; ++pin) {
      if (board_.pins().level(pin)) {
        tell_pin(pin, true);
      }
    }
  }
  ok();
}

void Protocol::intercept_out(Words /*words*/) {
  fail("Unknown device: outputs cannot be intercepted, the inputs of 'ioapic' can");
}

void Protocol::no_such_pin(Words /*words*/) {
  fail("Unknown device: interrupt controllers are the hypervisor's, nothing here has inputs");
}

void Protocol::no_modules(Words /*words*/) {
  fail("there are no modules");
}

void Protocol::pin_changed(std::size_t pin, bool level) {
  if (intercepts_) {
    tell_pin(pin, level);
  }
}

void Protocol::tell_pin(std::size_t pin, bool level) {
  answer((level ? "IRQ raise " : "IRQ lower ") + std::to_string(pin));
}

void Protocol::clock_step(Words words) {
  const auto now = static_cast<std::uint64_t>(board_.now().count());
  std::uint64_t step = 0;
  if (words.size() > 1) {
    const auto given = parse_number(words[1]);
    if (!given) {
      fail("NS is not a number");
      return;
    }
    step = *given;
  } else if (const auto next = board_.next_timer(); next) {
    step = static_cast<std::uint64_t>(next->count());
  }
  const std::uint64_t to = now + step;
  move_clock(to < now ? std::numeric_limits<std::uint64_t>::max() : to);
}

void Protocol::clock_set(Words words) {
  const auto to = parse_number(words[1]);
  if (!to) {
    fail("NS is not a number");
    return;
  }
  move_clock(*to);
}

void Protocol::move_clock(std::uint64_t to) {
  if (to > static_cast<std::uint64_t>(std::chrono::nanoseconds::max().count())) {
    fail("the clock does not go that far");
    return;
  }
  board_.advance_to(std::chrono::nanoseconds{static_cast<std::int64_t>(to)});
  ok(std::to_string(board_.now().count()));
}

void Protocol::endianness(Words /*words*/) {
  ok("little");
}

}  // namespace dm::qtest
