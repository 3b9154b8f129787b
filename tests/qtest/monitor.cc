// SPDX-License-Identifier: MIT
#include "tests/qtest/monitor.h"

#include "platform/linux/image/disk.h"
#include "platform/toolstack/qmp/qmp_medium.h"

#include <boost/json/string.hpp>

#include <chrono>
#include <utility>

namespace dm::qtest {

namespace json = boost::json;
using toolstack::QmpCall;
using toolstack::QmpCommands;
using toolstack::QmpParameter;
using toolstack::QmpResult;
using toolstack::QmpSession;

namespace {

constexpr std::size_t kMostOut = std::size_t{1} << 20;

/// DRIVE of `qemu-io DRIVE "COMMAND"`, and the first word of COMMAND.
struct QemuIo {
  std::string_view drive;
  std::string_view verb;
};
std::optional<QemuIo> parse_qemu_io(std::string_view line) {
  constexpr std::string_view kName = "qemu-io ";
  if (!line.starts_with(kName)) {
    return std::nullopt;
  }
  line.remove_prefix(kName.size());
  const auto space = line.find(' ');
  if (space == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view command = line.substr(space + 1);
  if (command.starts_with('"')) {
    command.remove_prefix(1);
  }
  return QemuIo{.drive = line.substr(0, space), .verb = command.substr(0, command.find(' '))};
}

/// Opened at once, whatever its format.
class Image final : public DiscImage {
 public:
  Image(host::Loop& loop, std::string name, host::UniqueFd file, ImageFormat format) noexcept
      : loop_{loop}, name_{std::move(name)}, file_{std::move(file)}, format_{format} {}
  void open(Opened opened) override {
    opened(host::open_disc(loop_, name_, std::move(file_), format_));
  }

 private:
  host::Loop& loop_;
  std::string name_;
  host::UniqueFd file_;
  ImageFormat format_;
};

}  // namespace

Monitor::Monitor(Parts parts)
    : parts_{std::move(parts)},
      control_{parts_.board.config(), parts_.board.machine(), unread_clock_, dirty_, *this} {
  for (QmpCommands* const commands : {&product_, &commands_}) {
    add_machine_commands(*commands, control_, parts_.board.config().name);
    add_fd_set_commands(*commands, fd_sets_);
    add_medium_commands(*commands, control_, fd_sets_,
                        [this](const std::string& name, host::UniqueFd file, ImageFormat format) {
                          return std::unique_ptr<DiscImage>{
                              std::make_unique<Image>(parts_.loop, name, std::move(file), format)};
                        });
  }
  commands_.add("human-monitor-command",
                {{"command-line", QmpParameter::Type::string, QmpParameter::Presence::required},
                 {"cpu-index", QmpParameter::Type::integer}},
                [this](QmpCall& call) { return human_command(call); });
}

void Monitor::quit() noexcept {
  send_event("SHUTDOWN", R"({"guest":false,"reason":"host-qmp-quit"})");
  parts_.quit();
}

Result<> Monitor::connect(const std::string& path) {
  auto peer = Peer::connect(parts_.loop, path);
  if (!peer) {
    return peer.error();
  }
  // Not make_unique: a session cannot be moved.
  clients_.push_back(std::unique_ptr<Client>{new Client{std::move(*peer), QmpSession{commands_}}});
  Client& client = *clients_.back();
  client.peer->received = [this, &client](std::string_view bytes) { received(client, bytes); };
  client.peer->send(QmpSession::greeting());
  return {};
}

void Monitor::received(Client& client, std::string_view bytes) {
  const bool ran = control_.running();
  std::string out;
  const auto next = client.session.feed(bytes, out, kMostOut);
  if (ran != control_.running()) {
    send_event(ran ? "STOP" : "RESUME");
  }
  client.peer->send(out);
  if (next == QmpSession::Next::drop) {
    client.peer->close();  // the product does, too
  }
}

void Monitor::send_event(std::string_view name, std::string_view data) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  std::string text = R"({"timestamp":{"seconds":)" + std::to_string(us / 1'000'000) +
                     R"(,"microseconds":)" + std::to_string(us % 1'000'000) + R"(},"event":")";
  text.append(name).append(R"(","data":)").append(data).append("}\r\n");
  for (const auto& client : clients_) {
    client->peer->send(text);
  }
}

HeldFlushes* Monitor::find_held(std::string_view drive) const {
  for (std::size_t i = 0; i < parts_.held.size(); ++i) {
    const std::string name = "ide" + std::to_string(i / 2) + "-hd" + std::to_string(i % 2);
    if (drive == name) {
      return parts_.held[i];
    }
  }
  return nullptr;
}

QmpResult Monitor::human_command(QmpCall& call) {
  const json::value* const argument = call.arguments.if_contains("command-line");
  const json::string* const line = argument != nullptr ? argument->if_string() : nullptr;
  const auto command = line != nullptr ? parse_qemu_io(*line) : std::nullopt;
  if (!command) {
    return product_.call("human-monitor-command", call);
  }
  HeldFlushes* const image = find_held(command->drive);
  if (image == nullptr) {
    return json::value("there is no such drive with an image of blkdebug::FILE\r\n");
  }
  if (command->verb == "break") {
    image->hold();
  } else if (command->verb == "resume") {
    image->resume();
  } else {
    return json::value("of qemu-io there are break and resume, which are for flushes\r\n");
  }
  return json::value("");
}

}  // namespace dm::qtest
