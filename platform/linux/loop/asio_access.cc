// SPDX-License-Identifier: MIT
#include "platform/linux/loop/asio_access.h"

#include <boost/asio/detail/epoll_reactor.hpp>
#include <boost/asio/detail/op_queue.hpp>
#include <boost/asio/detail/scheduler.hpp>

#if !defined(BOOST_ASIO_HAS_EPOLL) || defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT)
#error "the loop needs Asio's epoll reactor"
#endif

// "The usual access checking rules do not apply to names in a declaration of an explicit
// instantiation" (C++20, [temp.spec.general]/6): naming a private member as a template argument
// there is well-formed, and the friend function that the instantiation defines carries the member
// out. No layout is guessed and nothing is cast; when a later Asio renames or retypes one of the
// three members, this file stops compiling.

namespace dm::host {

namespace {

namespace asio_detail = boost::asio::detail;
using Reactor = asio_detail::epoll_reactor;
using Scheduler = asio_detail::scheduler;

using Operation = Scheduler::operation;

int descriptor_of(const Reactor& reactor) noexcept;
asio_detail::op_queue<Operation>& queue_of(Scheduler& scheduler) noexcept;
Operation* reactor_marker_of(Scheduler& scheduler) noexcept;

template <auto Member>
struct OpenDescriptor {
  friend int descriptor_of(const Reactor& reactor) noexcept { return reactor.*Member; }
};
template struct OpenDescriptor<&Reactor::epoll_fd_>;

template <auto Member>
struct OpenQueue {
  friend asio_detail::op_queue<Operation>& queue_of(Scheduler& scheduler) noexcept {
    return scheduler.*Member;
  }
};
template struct OpenQueue<&Scheduler::op_queue_>;

template <auto Member>
struct OpenMarker {
  friend Operation* reactor_marker_of(Scheduler& scheduler) noexcept {
    return &(scheduler.*Member);
  }
};
template struct OpenMarker<&Scheduler::task_operation_>;

}  // namespace

int reactor_descriptor(boost::asio::io_context& context) {
  // Normally the first I/O object does this.
  boost::asio::use_service<Scheduler>(context).init_task();
  return descriptor_of(boost::asio::use_service<Reactor>(context));
}

bool has_queued_handlers(boost::asio::io_context& context) noexcept {
  // At rest Asio's queue holds one element, the marker that stands for "run the reactor here".
  // Anything before or behind it is a handler that is ready.
  auto& scheduler = boost::asio::use_service<Scheduler>(context);
  auto& queue = queue_of(scheduler);
  const Operation* const marker = reactor_marker_of(scheduler);
  return queue.front() != marker || asio_detail::op_queue_access::back(queue) != marker;
}

}  // namespace dm::host
