// SPDX-License-Identifier: MIT
#pragma once

#include <boost/asio/io_context.hpp>

namespace dm::host {

/// Two things about an io_context that Boost.Asio (1.81) knows and does not tell. Its public
/// interface can sleep only inside Asio, where every wait for the hot descriptor costs an epoll_ctl
/// and every look for more work an epoll_wait; both would be in the way of a guest's request. So
/// they are taken from inside, here and nowhere else. Checked at compile time: an Asio that keeps
/// them elsewhere does not build.

/// The epoll descriptor of its reactor: readable while a watched descriptor or an Asio timer has
/// something to tell. Makes the reactor if there is none yet.
[[nodiscard]] int reactor_descriptor(boost::asio::io_context& context);

/// Are there handlers that can run without asking the kernel? While poll() is the only way the
/// context is run, work posted from outside a handler does not make the reactor's descriptor
/// readable, so this is looked at before any sleep.
[[nodiscard]] bool has_queued_handlers(boost::asio::io_context& context) noexcept;

}  // namespace dm::host
