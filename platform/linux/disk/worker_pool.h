// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/disk/block_engine.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/watch.h"

#include <pthread.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace dm::host {

/// Up to four threads that wait for disks, so that the loop does not have to. All disks of a
/// machine share one pool. The threads start when they are first needed, with small stacks and
/// every signal blocked, and end after ten idle seconds, unless keep() was called.
///
/// Requests come and go in lists inside the requests themselves, so nothing is allocated. An
/// eventfd announces finished requests: the threads never touch the loop.
class WorkerPool final : public Loop::Part {
 public:
  static constexpr std::size_t kThreads = 4;
  static constexpr std::chrono::seconds kIdle{10};

  /// One disk's side of the pool.
  class Client {
   public:
    Client() = default;
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    virtual ~Client() = default;

    virtual void carry_out(BlockRequest& request) noexcept = 0;  ///< on a worker
    virtual void finished(BlockRequest& request) noexcept = 0;   ///< on the loop's thread

   private:
    friend class WorkerPool;
    RequestList waiting_;
    RequestList done_;
    Client* next_waiting_ = nullptr;  ///< links of the pool's two lists of clients
    Client* next_done_ = nullptr;
    bool is_waiting_ = false;
    bool is_done_ = false;
  };

  explicit WorkerPool(Loop& loop);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool() override;

  /// False when the host had no descriptor for the eventfd: then nothing may be started.
  [[nodiscard]] bool ok() const noexcept { return finished_.ok(); }

  /// Thread rule for these: the loop's thread only. finished() must not destroy its client.
  void start(Client& client, BlockRequest& request) noexcept;
  /// Blocks until a request of `client` is finished, then reports all that are.
  void wait(Client& client) noexcept;
  [[nodiscard]] std::size_t threads() noexcept;
  /// Starts `count` threads now, which stay to the end, and none later. For a process that is about
  /// to lose the right to start any. If there are none, the loop does their work.
  void keep(std::size_t count) noexcept;
  /// Replaces kIdle, for threads that start or become idle after this call.
  void set_idle_time(std::chrono::milliseconds time) noexcept;

 private:
  template <Client* Client::*Next, bool Client::*Listed>
  struct ClientList {
    Client* first = nullptr;
    Client* last = nullptr;

    void push(Client& client) noexcept;
    void remove(Client& client) noexcept;
  };
  struct Thread {
    pthread_t id{};
    enum class State : std::uint8_t { none, running, ended } state = State::none;
    WorkerPool* pool = nullptr;
  };

  void announce() noexcept;
  [[nodiscard]] bool start_thread() noexcept;
  static void* thread_main(void* thread) noexcept;
  void work(Thread& self) noexcept;
  void finish(Client& client, BlockRequest& request) noexcept;
  void on_finished() noexcept;
  [[nodiscard]] BlockRequest* take_done(Client& client) noexcept;

  std::mutex mutex_;
  std::condition_variable work_there_;
  std::condition_variable work_done_;
  ClientList<&Client::next_waiting_, &Client::is_waiting_> waiting_;
  ClientList<&Client::next_done_, &Client::is_done_> done_;
  std::array<Thread, kThreads> threads_;
  std::size_t running_ = 0;
  std::size_t idle_ = 0;
  std::size_t queued_ = 0;  ///< requests that no thread has taken yet
  std::chrono::milliseconds idle_time_ = kIdle;
  bool stop_ = false;
  bool kept_ = false;  ///< its threads are those that it has
  bool announced_ = false;
  Watch finished_;  ///< an eventfd
};

}  // namespace dm::host
