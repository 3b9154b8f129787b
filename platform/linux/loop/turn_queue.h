// SPDX-License-Identifier: MIT
#pragma once

#include "core/time/work.h"

#include <boost/asio/io_context.hpp>

namespace dm::host {

/// What is put off to the end of the loop's turn: buffered output becomes one system call, ten
/// changes of a line's speed become one, and clients hear of things outside their own calls. Loop
/// runs it before it sleeps and whenever it looks at Asio.
///
/// Why not boost::asio::post: a post from a request handler allocates, and only a poll() runs it,
/// which is an epoll_wait more in each turn. This queue costs no system call; the figures are in
/// README.md.
///
/// Found through the context, so that backends need nothing but their io_context&. Work in it must
/// be gone before the context is. Thread rule: the loop's thread only.
[[nodiscard]] WorkQueue& turn_queue(boost::asio::io_context& context);

}  // namespace dm::host
