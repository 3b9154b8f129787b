// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"
#include "core/obs/log.h"
#include "core/time/work.h"
#include "platform/linux/disk/block_engine.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/watch.h"
#include "platform/linux/nbd/nbd_library.h"
#include "platform/linux/nbd/nbd_server.h"
#include "platform/linux/nbd/nbd_wait.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace dm::host {

/// An NBD export over one connection (libnbd(3)), asynchronous on the loop. libnbd reads and writes
/// the guest's pages in place, so payload moves between them and the socket. Each span of a request
/// is one command. Up to 64 commands are in flight; others wait here.
///
/// The disk ends when its connection breaks, or when the server has not given all its answers 20 s
/// after a caller began to wait for them (drain). Then requests in flight and all later ones fail
/// with io_error, the log says so once, and no byte arrives any more. There is no reconnecting,
/// because the server may have lost data that it was told to keep.
///
/// While a caller waits, the loop stands still. So all waiting until the loop goes on has one
/// deadline. Neither a server that answers a little now and then nor a caller that waits several
/// times moves it.
///
/// This is no hot path: libnbd allocates for each command. done() must not destroy the disk. Thread
/// rule: the loop's thread only. Source: libnbd(3) 1.14.
class NbdDisk final : public BlockBackend {
 public:
  static constexpr std::size_t kCommands = 64;
  static constexpr std::size_t kTasks = 16;  ///< requests that are being cut into commands
  static constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;
  static constexpr std::uint64_t kDiscardPiece = std::uint64_t{1} << 30;
  static constexpr std::chrono::seconds kPatience{20};

  struct Export {
    BlockInfo info;
    bool can_flush = false;
    bool can_fua = false;
  };
  /// `server` is null for a server that is not ours.
  NbdDisk(Loop& loop,
          const NbdLibrary& library,
          NbdHandle handle,
          std::unique_ptr<NbdServer> server,
          const Export& what,
          std::string name);
  ~NbdDisk() override;

  [[nodiscard]] BlockInfo info() const noexcept override { return export_.info; }
  void submit(BlockRequest& request) noexcept override;
  void drain() noexcept override;
  [[nodiscard]] BlockStatus flush_now() noexcept override;
  [[nodiscard]] std::string_view name() const noexcept override { return name_; }
  [[nodiscard]] std::string_view engine() const noexcept override { return "NBD"; }
  [[nodiscard]] std::uint64_t in_flight() const noexcept override { return under_way_; }

  [[nodiscard]] bool ok() const noexcept { return socket_.ok(); }
  /// Replaces kPatience, for tests.
  void set_patience(std::chrono::milliseconds time) noexcept { patience_ = time; }
  /// Replaces the host's clock and poll(2), for tests. It outlives the disk.
  void set_wait(ServerWait& wait) noexcept { wait_ = &wait; }

 private:
  /// A request on its way through.
  struct Task {
    BlockRequest* request = nullptr;
    std::uint64_t next = 0;  ///< bytes that are asked for
    std::size_t span = 0;    ///< the same place in the request's data
    std::size_t in_span = 0;
    unsigned under_way = 0;  ///< commands
    bool asked = false;      ///< nothing is left to ask for
    bool flushing = false;   ///< a durable write without FUA ends with a flush
    int error = 0;
    std::uint64_t good = 0;    ///< bytes before the first failed command
    std::uint64_t covers = 0;  ///< flush: the writes it covers
  };
  struct Command {
    NbdDisk* disk = nullptr;
    Task* task = nullptr;  ///< nullptr: free
    std::uint64_t at = 0;
    int error = 0;
    Command* next = nullptr;
  };

  void complete(BlockRequest& request, BlockStatus status) noexcept;
  void pump() noexcept;
  // nbd_commands.cc
  void start(Task& task, BlockRequest& request) noexcept;
  void ask(Task& task) noexcept;
  [[nodiscard]] std::int64_t send(Task& task, Command& command) noexcept;
  [[nodiscard]] std::span<std::byte> next_piece(Task& task) const noexcept;
  static int on_answer(void* command, int* error) noexcept;
  void report() noexcept;
  void answered(Command& command) noexcept;
  void end(Task& task) noexcept;
  void fail_task(Task& task, std::uint64_t at, int error) noexcept;
  // nbd_disk.cc
  void lose(const char* why) noexcept;
  void refuse_rest() noexcept;
  [[nodiscard]] std::chrono::steady_clock::time_point deadline() noexcept;
  void check_connection() noexcept;
  void watch() noexcept;
  void on_readable() noexcept;
  void on_writable() noexcept;
  bool run_later() noexcept;
  void part() noexcept;

  const NbdLibrary& library_;
  NbdHandle handle_;
  std::unique_ptr<NbdServer> server_;
  Export export_;
  std::string name_;
  Watch socket_;  ///< a duplicate: libnbd owns its own
  Work later_;    ///< what must not be reported from inside submit()
  std::array<Task, kTasks> tasks_;
  std::array<Command, kCommands> commands_;
  Command* answers_ = nullptr;  ///< given by the server, not looked at yet
  RequestList waiting_;
  RequestList refused_;          ///< status is final
  std::size_t turn_ = 0;         ///< whose turn it is to ask
  std::uint64_t under_way_ = 0;  ///< requests
  std::chrono::milliseconds patience_ = kPatience;
  ServerWait* wait_ = &ServerWait::real();
  /// The deadline of all waiting until the loop goes on.
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  bool lost_ = false;
  bool sync_failed_ = false;
  /// Writes finished, and how many of them the last good flush covered. Unequal at first: an
  /// earlier process may have left something.
  std::uint64_t writes_ = 1;
  std::uint64_t writes_flushed_ = 0;
  log::Limit log_{3};
};

}  // namespace dm::host
