// SPDX-License-Identifier: MIT
// The one place that compiles Boost.JSON.
#include <boost/json/src.hpp>
