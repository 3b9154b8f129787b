// SPDX-License-Identifier: MIT
// The floor of memory: the smallest program of stubdm's kind, an event loop of Boost.Asio that
// waits for a signal.
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

int main() {
  boost::asio::io_context loop{1};
  boost::asio::signal_set signals{loop, SIGTERM};
  signals.async_wait([&](const boost::system::error_code&, int) { loop.stop(); });
  loop.run();
}
