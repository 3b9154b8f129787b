// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/signals.h"
#include "tests/qtest/board.h"
#include "tests/qtest/monitor.h"
#include "tests/qtest/options.h"
#include "tests/qtest/protocol.h"
#include "tests/qtest/test_line.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace dm::qtest {

/// The process: a board, the test program's two sockets, and a loop.
class Server {
 public:
  explicit Server(const Options& options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] Result<> start();
  /// Until SIGTERM, QMP's quit, or the end of the conversation. False: the test program broke the
  /// protocol.
  [[nodiscard]] bool run();

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };

  [[nodiscard]] Result<Backends> open_backends();
  [[nodiscard]] Result<> open_disk(Backends& backends, const DiskConfig& disk);
  [[nodiscard]] Result<> open_log();
  void run_stdio();
  void serve_lines();
  void execute(std::string_view line);
  void send(std::string_view text);
  void log(char direction, std::string_view text);
  void on_guest_end(ShutdownReason reason);
  void on_signal() noexcept { stopping_ = true; }

  const Options& options_;
  host::Loop loop_;
  host::SignalWatch signals_{
      loop_, {SIGTERM, SIGINT, SIGHUP}, host::Callback::bind<&Server::on_signal>(*this)};
  std::unique_ptr<std::FILE, CloseFile> log_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::array<HeldFlushes*, 4> held_{};
  std::unique_ptr<Board> board_;
  std::optional<Monitor> monitor_;
  std::optional<Protocol> protocol_;
  std::unique_ptr<TestLine> test_;
  std::string input_;
  std::size_t searched_ = 0;  ///< of input_: there is no end of a line before
  bool stopping_ = false;
  bool broken_ = false;
};

}  // namespace dm::qtest
