// SPDX-License-Identifier: MIT
// A QMP client that sends anything, in pieces of any size. An input is: how the pieces are cut, how
// many descriptors come with them, and then the text.
#include "core/text/printable.h"
#include "platform/toolstack/qmp/fd_sets.h"
#include "platform/toolstack/qmp/qmp_medium.h"
#include "platform/toolstack/qmp/qmp_migration.h"
#include "platform/toolstack/qmp/qmp_session.h"
#include "tests/fuzz/input.h"
#include "tests/rig/fake_machine.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <fcntl.h>

#include <stdexcept>
#include <string>

namespace dm::fuzz {

namespace {

namespace json = boost::json;
using toolstack::QmpCall;
using toolstack::QmpCommands;
using toolstack::QmpParameters;
using toolstack::QmpResult;
using toolstack::QmpSession;

struct Commands {
  Commands() {
    machine.list.push_back({.label = "serial1", .filename = ""});
    machine.drive_list.push_back({.name = "ide0-hd0", .image = "/dev/vg/guest", .stats = {}});
    machine.pci_list.push_back({.name = "ide", .device = 1, .function = 1, .windows = {}});
    add_machine_commands(commands, machine, "guest");
    machine.drive_list.push_back(
        {.name = "ide-5632", .image = "/srv/a.iso", .removable = true, .stats = {}});
    add_fd_set_commands(commands, sets);
    add_migration_commands(commands, machine, passed_descriptors(sets));
    add_medium_commands(commands, machine, sets, machine.discs());
    commands.add("echo", QmpParameters::any(),
                 [](QmpCall& call) -> QmpResult { return json::value{call.arguments}; });
    commands.add("take-fd", QmpParameters::any(), [](QmpCall& call) -> QmpResult {
      const auto fd = call.descriptors.take();
      return json::value(fd.get() >= 0);
    });
    commands.add("throw", QmpParameters::any(), [](QmpCall& call) -> QmpResult {
      return call.arguments.at("missing");  // throws unless it is there
    });
  }
  rig::FakeMachine machine;
  toolstack::FdSets sets;
  QmpCommands commands;
};

/// Every message is one JSON object on one line.
void check_lines(std::string_view out) {
  while (!out.empty()) {
    const auto end = out.find("\r\n");
    require(end != std::string_view::npos, "every message ends its line");
    const auto line = out.substr(0, end);
    out.remove_prefix(end + 2);
    require(line == printable(line), "a message is one line, and printable");
    boost::system::error_code bad;
    json::parse_options options;
    options.max_depth = 40;
    const json::value message = json::parse(line, bad, {}, options);
    require(!bad && message.is_object(), "every message is a JSON object");
    const json::object& object = message.get_object();
    require(object.contains("return") != object.contains("error"),
            "every answer is a result or an error");
    if (const auto* const error = object.if_contains("error")) {
      require(!error->at("class").as_string().empty() && error->at("desc").is_string(),
              "an error has a class and words");
    }
  }
}

void run(Input in) {
  static Commands commands;
  commands.machine.tracking.clear();
  commands.machine.plugged = {};
  constexpr std::size_t kMostOut = 4096;
  // A command's answer may repeat the command, with numbers and escapes printed longer.
  constexpr std::size_t kMostMessage = 4 * QmpSession::kMaxCommand + 4096;
  QmpSession session{commands.commands};
  std::string out;
  const auto pieces = in.byte();
  for (std::size_t i = in.below(10); i > 0; --i) {
    session.descriptors().put(host::UniqueFd{::fcntl(0, F_DUPFD_CLOEXEC, 3)});
  }
  require(session.descriptors().size() <= toolstack::QmpDescriptors::kCapacity,
          "waiting descriptors stay few");
  if ((pieces & 1U) != 0) {
    require(
        session.feed(R"({"execute":"qmp_capabilities"})", out, kMostOut) == QmpSession::Next::go_on,
        "negotiation goes on");
  }
  while (!in.empty()) {
    const auto piece = in.bytes(1U + (pieces >> 1U));
    const std::string_view text{reinterpret_cast<const char*>(piece.data()), piece.size()};
    const auto next = session.feed(text, out, kMostOut);
    require(out.size() <= kMostOut + kMostMessage, "output is bounded");
    check_lines(out);
    if (next == QmpSession::Next::drop) {
      return;
    }
    if (out.size() > kMostOut / 2) {
      out.clear();  // the client has read
    }
  }
  // Whatever came: FFh leads back, and then a command has its answer.
  out.clear();
  const auto next = session.feed("\xff{\"execute\":\"query-name\",\"id\":\"back\"}", out, kMostOut);
  check_lines(out);
  require(next == QmpSession::Next::go_on && out.find("\"id\":\"back\"}\r\n") != std::string::npos,
          "nobody stays deaf");
}

}  // namespace

}  // namespace dm::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dm::fuzz::run(dm::fuzz::Input{data, size});
  return 0;
}
