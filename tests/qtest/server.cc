// SPDX-License-Identifier: MIT
#include "tests/qtest/server.h"

#include "platform/linux/chardev/chardev.h"
#include "platform/linux/error_text.h"
#include "platform/linux/image/disk.h"
#include "tests/qtest/no_net.h"
#include "tests/qtest/null_disk.h"
#include "tests/qtest/power_on.h"
#include "tests/qtest/socket_net.h"

#include <cerrno>
#include <csignal>
#include <iostream>
#include <utility>

namespace dm::qtest {

Server::Server(const Options& options) : options_{options} {}
Server::~Server() = default;

Result<> Server::start() {
  if (auto opened = open_log(); !opened) {
    return opened;
  }
  if (!options_.qtest.empty()) {  // libqtest waits for this one first, and then for QMP
    auto line = TestLine::connect(loop_, options_.qtest);
    if (!line) {
      return line.error();
    }
    test_ = std::move(*line);
  }
  auto backends = open_backends();
  if (!backends) {
    return backends.error();
  }
  auto board = Board::create(
      {.config = options_.machine, .ram = options_.ram, .poll = [this] { (void)loop_.poll(); }},
      std::move(*backends));
  if (!board) {
    return board.error();
  }
  board_ = std::move(*board);
  board_->ended = [this](ShutdownReason reason) { on_guest_end(reason); };
  take_power_on_attention(*board_);
  monitor_.emplace(Monitor::Parts{
      .loop = loop_, .board = *board_, .held = held_, .quit = [this] { stopping_ = true; }});
  for (const std::string& path : options_.monitors) {
    if (auto connected = monitor_->connect(path); !connected) {
      return connected;
    }
  }
  protocol_.emplace(*board_);
  protocol_->running = [this] { return monitor_->guest_runs(); };
  return {};
}

Result<> Server::open_log() {
  if (options_.log.empty()) {
    return {};
  }
  log_.reset(std::fopen(options_.log.c_str(), "we"));
  if (log_ == nullptr) {
    return fail("-qtest-log ", options_.log, ": ", host::error_text(errno));
  }
  return {};
}

Result<Backends> Server::open_backends() {
  Backends backends;
  for (const DiskConfig& disk : options_.machine.disks) {
    if (auto opened = open_disk(backends, disk); !opened) {
      return opened.error();
    }
  }
  for (std::size_t i = 0; i < backends.serial.size(); ++i) {
    const auto& serial = options_.machine.serial.at(i);
    if (!serial) {
      continue;
    }
    auto opened = host::open_chardev(loop_, serial->backend);
    if (!opened) {
      return opened.error();
    }
    backends.serial.at(i) = std::move(*opened);
  }
  for (const Cable& cable : options_.cables) {
    std::unique_ptr<NetBackend> end = std::make_unique<NoNet>();
    if (cable.fd >= 0) {
      end = std::make_unique<SocketNet>(loop_, host::UniqueFd{cable.fd});
    }
    backends.nics.push_back({.cable = std::move(end), .rom = {}});
  }
  return backends;
}

Result<> Server::open_disk(Backends& backends, const DiskConfig& disk) {
  backends.cdroms.at(disk.index) = disk.cdrom;
  if (disk.path.empty()) {
    return {};  // a CD-ROM drive without a disc
  }
  std::unique_ptr<BlockBackend> image;
  if (disk.path == kNullDisk) {
    image = std::make_unique<NullDisk>();
  } else {
    auto opened = host::open_disk(loop_, disk);
    if (!opened) {
      return opened.error();
    }
    image = std::move(*opened);
  }
  if (options_.holdable.at(disk.index)) {
    auto held = std::make_unique<HeldFlushes>(std::move(image));
    held_.at(disk.index) = held.get();
    image = std::move(held);
  }
  backends.disks.at(disk.index) = std::move(image);
  return {};
}

bool Server::run() {
  if (test_ == nullptr) {
    run_stdio();
    return true;
  }
  while (!stopping_) {
    const std::uint64_t before = loop_.counters().handlers;
    const bool asked = loop_.wait(std::nullopt);
    if (!asked || loop_.counters().handlers != before) {
      board_->settle();  // a disk or a line had something
    }
    if (asked && !test_->receive(input_)) {
      stopping_ = true;
    }
    serve_lines();
  }
  return !broken_;
}

/// A script that is replayed: what disks and lines have comes between two of its commands.
void Server::run_stdio() {
  for (std::string line; !stopping_ && std::getline(std::cin, line);) {
    execute(line);
    std::cout.flush();
  }
}

void Server::serve_lines() {
  std::size_t begin = 0;
  for (std::size_t end = 0; !stopping_ && (end = input_.find('\n', searched_)) != std::string::npos;
       begin = searched_ = end + 1) {
    execute(std::string_view{input_}.substr(begin, end - begin));
  }
  input_.erase(0, begin);
  searched_ = input_.size();
  if (input_.size() > Protocol::kMostLine) {
    std::cerr << "qtest: a line of more than " << Protocol::kMostLine << " bytes\n";
    stopping_ = broken_ = true;
  }
  if (const std::string text = protocol_->take_output(); !text.empty()) {
    send(text);  // interrupts that no command caused
  }
}

void Server::execute(std::string_view line) {
  log('R', line);
  protocol_->execute(line);
  send(protocol_->take_output());
}

void Server::send(std::string_view text) {
  log('S', text.substr(0, text.find_last_not_of('\n') + 1));
  if (test_ != nullptr) {
    test_->send(text);
  } else {
    std::cout << text;
  }
}

void Server::log(char direction, std::string_view text) {
  if (log_ != nullptr) {
    const std::chrono::duration<double> since = std::chrono::steady_clock::now() - begin_;
    std::fprintf(log_.get(), "[%c +%.6f] %.*s\n", direction, since.count(),
                 static_cast<int>(std::min<std::size_t>(text.size(), 4096)), text.data());
    std::fflush(log_.get());
  }
}

/// No toolstack is there to build the guest anew: a reset ends it too.
void Server::on_guest_end(ShutdownReason reason) {
  monitor_->send_event("SHUTDOWN", reason == ShutdownReason::poweroff
                                       ? R"({"guest":true,"reason":"guest-shutdown"})"
                                       : R"({"guest":true,"reason":"guest-reset"})");
}

}  // namespace dm::qtest
