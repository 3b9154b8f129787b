// SPDX-License-Identifier: MIT
#include "platform/linux/disk/worker_pool.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace dm::host {

namespace {

/// One vector of 256 iovecs and a system call; the pages that are not touched are not there.
constexpr std::size_t kStack = std::size_t{128} * 1024;

}  // namespace

template <WorkerPool::Client* WorkerPool::Client::*Next, bool WorkerPool::Client::*Listed>
void WorkerPool::ClientList<Next, Listed>::push(Client& client) noexcept {
  if (client.*Listed) {
    return;
  }
  client.*Listed = true;
  client.*Next = nullptr;
  (first == nullptr ? first : last->*Next) = &client;
  last = &client;
}

template <WorkerPool::Client* WorkerPool::Client::*Next, bool WorkerPool::Client::*Listed>
void WorkerPool::ClientList<Next, Listed>::remove(Client& client) noexcept {
  if (!(client.*Listed)) {
    return;
  }
  Client* before = nullptr;
  Client** link = &first;
  while (*link != &client) {
    before = *link;
    link = &((*link)->*Next);
  }
  *link = client.*Next;
  if (last == &client) {
    last = before;
  }
  client.*Listed = false;
}

WorkerPool::WorkerPool(Loop& loop) {
  UniqueFd event{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  if (event) {
    finished_ = Watch{loop, std::move(event), Callback::bind<&WorkerPool::on_finished>(*this)};
    finished_.await_readable();
  }
}

WorkerPool::~WorkerPool() {
  std::array<bool, kThreads> made{};
  {
    const std::lock_guard lock{mutex_};
    stop_ = true;
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      made[i] = threads_[i].state != Thread::State::none;
    }
  }
  work_there_.notify_all();
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    if (made[i]) {
      ::pthread_join(threads_[i].id, nullptr);
    }
  }
}

void WorkerPool::set_idle_time(std::chrono::milliseconds time) noexcept {
  const std::lock_guard lock{mutex_};
  idle_time_ = time;
}

std::size_t WorkerPool::threads() noexcept {
  const std::lock_guard lock{mutex_};
  return running_;
}

void WorkerPool::start(Client& client, BlockRequest& request) noexcept {
  bool wake = false;
  {
    const std::lock_guard lock{mutex_};
    client.waiting_.push(request);
    waiting_.push(client);
    ++queued_;
    // A thread that has been woken but does not run yet still counts as idle: one for each request,
    // or a flush that takes seconds would hold up a read.
    if (idle_ >= queued_) {
      wake = true;
    } else if (const bool more = !kept_ && running_ < kThreads && start_thread();
               !more && running_ == 0) {
      // The host gives no thread (a limit, no memory, no right). Slow is better than never.
      static_cast<void>(client.waiting_.pop());
      waiting_.remove(client);
      --queued_;
      client.carry_out(request);
      finish(client, request);
    }
  }
  if (wake) {
    work_there_.notify_one();
  }
}

void WorkerPool::keep(std::size_t count) noexcept {
  std::unique_lock lock{mutex_};
  while (running_ < std::min(count, kThreads) && start_thread()) {
  }
  kept_ = true;
  work_there_.notify_all();  // those that wait for their time
  // Until each has made the system calls of its own start.
  while (idle_ < running_) {
    work_done_.wait(lock);
  }
}

bool WorkerPool::start_thread() noexcept {
  Thread* free = nullptr;
  for (Thread& thread : threads_) {
    if (thread.state == Thread::State::ended) {
      ::pthread_join(thread.id, nullptr);  // it has nothing left to do but return
      thread.state = Thread::State::none;
    }
    if (thread.state == Thread::State::none) {
      free = &thread;
    }
  }
  if (free == nullptr) {
    return false;
  }
  free->pool = this;
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, kStack);
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const bool started =
      ::pthread_create(&free->id, &attributes, &WorkerPool::thread_main, free) == 0;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_attr_destroy(&attributes);
  if (started) {
    free->state = Thread::State::running;
    ++running_;
  }
  return started;
}

void* WorkerPool::thread_main(void* thread) noexcept {
  Thread& self = *static_cast<Thread*>(thread);
  ::pthread_setname_np(::pthread_self(), "stubdm-disk");
  self.pool->work(self);
  return nullptr;
}

void WorkerPool::work(Thread& self) noexcept {
  std::unique_lock lock{mutex_};
  for (;;) {
    if (Client* const client = waiting_.first; client != nullptr) {
      BlockRequest& request = *client->waiting_.pop();
      waiting_.remove(*client);
      --queued_;
      if (!client->waiting_.empty()) {
        waiting_.push(*client);  // to the back: disks take turns
      }
      lock.unlock();
      client->carry_out(request);
      lock.lock();
      finish(*client, request);
      continue;
    }
    if (stop_) {
      break;
    }
    ++idle_;
    work_done_.notify_one();
    bool timed_out = false;
    if (kept_) {
      work_there_.wait(lock);
    } else {
      timed_out = work_there_.wait_for(lock, idle_time_) == std::cv_status::timeout;
    }
    --idle_;
    if (timed_out && !kept_ && waiting_.first == nullptr) {
      break;
    }
  }
  --running_;
  self.state = Thread::State::ended;
}

void WorkerPool::finish(Client& client, BlockRequest& request) noexcept {
  client.done_.push(request);
  done_.push(client);
  announce();
  work_done_.notify_one();
}

void WorkerPool::announce() noexcept {
  if (!std::exchange(announced_, true)) {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(finished_.fd(), &one, sizeof one));
  }
}

BlockRequest* WorkerPool::take_done(Client& client) noexcept {
  BlockRequest* const request = client.done_.pop();
  if (client.done_.empty()) {
    done_.remove(client);
  }
  return request;
}

void WorkerPool::on_finished() noexcept {
  std::uint64_t count = 0;
  static_cast<void>(!::read(finished_.fd(), &count, sizeof count));
  finished_.await_readable();
  std::unique_lock lock{mutex_};
  announced_ = false;
  // What finishes from here on is announced again, so taking it now too is only a shortcut, and
  // bounded.
  for (unsigned budget = 16; budget != 0 && done_.first != nullptr; --budget) {
    Client& client = *done_.first;
    BlockRequest& request = *take_done(client);
    lock.unlock();
    client.finished(request);
    lock.lock();
  }
  if (done_.first != nullptr) {
    announce();
  }
}

void WorkerPool::wait(Client& client) noexcept {
  std::unique_lock lock{mutex_};
  while (client.done_.empty()) {
    work_done_.wait(lock);
  }
  while (!client.done_.empty()) {
    BlockRequest& request = *take_done(client);
    lock.unlock();
    client.finished(request);
    lock.lock();
  }
}

}  // namespace dm::host
