// SPDX-License-Identifier: MIT
// What becomes of the guest when its device model ends.
#include "ioreq/daemon/ending.h"

#include <boost/test/unit_test.hpp>

using namespace dm;

namespace {

using Cause = Ending::Cause;

Ending ending(std::initializer_list<Cause> causes) {
  Ending result;
  for (const Cause cause : causes) {
    result.note(cause);
  }
  return result;
}

BOOST_AUTO_TEST_SUITE(ending_of_a_device_model)

BOOST_AUTO_TEST_CASE(a_living_guest_is_crashed_whatever_ends_its_device_model) {
  for (const Cause cause :
       {Cause::signal, Cause::quit, Cause::supervisor_died, Cause::start_failed}) {
    BOOST_TEST(ending({cause}).crashes_guest());
  }
  BOOST_TEST(Ending{}.crashes_guest());  // a cause that nobody has thought of
}

BOOST_AUTO_TEST_CASE(a_domain_that_is_gone_or_being_destroyed_is_not_disturbed) {
  BOOST_TEST(!ending({Cause::domain_gone}).crashes_guest());
  BOOST_TEST(!ending({Cause::hang_up}).crashes_guest());
}

BOOST_AUTO_TEST_CASE(the_first_cause_counts_but_for_the_end_of_the_domain) {
  BOOST_TEST(!ending({Cause::hang_up, Cause::signal}).crashes_guest());
  BOOST_TEST(ending({Cause::signal, Cause::hang_up}).crashes_guest());
  BOOST_TEST(!ending({Cause::signal, Cause::domain_gone}).crashes_guest());
  BOOST_TEST((ending({Cause::start_failed, Cause::quit}).cause() == Cause::start_failed));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
