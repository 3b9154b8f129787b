// SPDX-License-Identifier: MIT
#pragma once

#include <boost/asio/io_context.hpp>

namespace dm::host {

/// Two facts about an io_context that Boost.Asio (1.81) knows and does not tell. Asio's public
/// interface can sleep only inside Asio. There each wait for the hot descriptor costs an epoll_ctl,
/// and each look for more work an epoll_wait; both would delay a guest's request. So the facts are
/// taken from Asio's private members, here and nowhere else. The compiler checks this: an Asio that
/// keeps them elsewhere does not build.

/// The epoll descriptor of its reactor: readable while a watched descriptor or an Asio timer has
/// something to tell. Makes the reactor if there is none yet.
[[nodiscard]] int reactor_descriptor(boost::asio::io_context& context);

/// True if there are handlers that can run without asking the kernel. As long as only poll() runs
/// the context, work that is posted from outside a handler does not make the reactor's descriptor
/// readable. So the loop looks at this before any sleep.
[[nodiscard]] bool has_queued_handlers(boost::asio::io_context& context) noexcept;

}  // namespace dm::host
