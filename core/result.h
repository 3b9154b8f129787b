// SPDX-License-Identifier: MIT
#pragma once

#include <boost/system/result.hpp>

#include <string>
#include <utility>

namespace dm {

/// Why start-up (or a management command) cannot go on, in words for the person who reads the log:
/// what is wrong and what to change. Never made on a path that the guest can reach: the text is
/// allocated.
struct Error {
  std::string message;
};

[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location& where) {
  boost::throw_exception(std::runtime_error(error.message), where);
}

template <class T = void>
using Result = boost::system::result<T, Error>;

/// `return fail("cannot open ", path);`
template <class... Parts>
[[nodiscard]] Error fail(Parts&&... parts) {
  std::string text;
  (text.append(std::forward<Parts>(parts)), ...);
  return Error{std::move(text)};
}

}  // namespace dm
