// SPDX-License-Identifier: MIT
// The one place that compiles Boost.Test's runner; every test program links it.
#define BOOST_TEST_MODULE stubdm
#include <boost/test/included/unit_test.hpp>
