// SPDX-License-Identifier: MIT
#include "platform/linux/loop/turn_queue.h"

#include <boost/asio/execution_context.hpp>

namespace dm::host {

namespace {

class TurnQueue final : public boost::asio::execution_context::service {
 public:
  using key_type = TurnQueue;
  static boost::asio::execution_context::id id;

  explicit TurnQueue(boost::asio::execution_context& context) : service{context} {}
  [[nodiscard]] WorkQueue& queue() noexcept { return queue_; }

 private:
  void shutdown() noexcept override {}

  WorkQueue queue_;
};
boost::asio::execution_context::id TurnQueue::id;

}  // namespace

WorkQueue& turn_queue(boost::asio::io_context& context) {
  return boost::asio::use_service<TurnQueue>(context).queue();
}

}  // namespace dm::host
