// SPDX-License-Identifier: MIT
#include "core/irq/irq_line.h"

#include "platform/sim/sim_platform.h"

#include <boost/test/unit_test.hpp>

#include <utility>

namespace {

struct Lines {
  dm::sim::SimIrqs sink;
  dm::IrqRouter router{sink};
};

BOOST_FIXTURE_TEST_SUITE(irq_lines, Lines)

BOOST_AUTO_TEST_CASE(only_changes_reach_the_hypervisor) {
  auto line = router.isa(4);
  line.set(true);
  line.set(true);
  line.set(false);
  line.set(false);
  BOOST_TEST(sink.isa_edges(4) == 1U);
  BOOST_TEST(!sink.isa(4));
  BOOST_TEST(sink.redundant() == 0U);
}

BOOST_AUTO_TEST_CASE(a_shared_input_is_high_while_any_line_is) {
  auto com1 = router.isa(4);
  auto com3 = router.isa(4);
  com1.set(true);
  com3.set(true);
  com1.set(false);
  BOOST_TEST(sink.isa(4));
  com3.set(false);
  BOOST_TEST(!sink.isa(4));
  BOOST_TEST(sink.isa_edges(4) == 1U);
  BOOST_TEST(sink.redundant() == 0U);
}

BOOST_AUTO_TEST_CASE(a_line_goes_low_with_its_owner_and_moves_with_its_level) {
  {
    auto line = router.intx(3, 0);
    line.set(true);
    dm::IrqLine moved{std::move(line)};
    BOOST_TEST(sink.intx(3, 0));
    BOOST_TEST(moved.level());
  }
  BOOST_TEST(!sink.intx(3, 0));
}

BOOST_AUTO_TEST_CASE(an_adopted_level_sends_nothing_and_can_be_lowered) {
  auto line = router.isa(14);
  line.adopt(true);
  BOOST_TEST(!sink.isa(14));  // the hypervisor has restored it by itself
  sink.set_isa_level(14, true);
  line.set(false);
  BOOST_TEST(!sink.isa(14));
  BOOST_TEST(sink.redundant() == 0U);
}

BOOST_AUTO_TEST_CASE(a_masked_line_keeps_its_level_and_holds_its_input_low) {
  auto line = router.intx(3, 0);
  line.set(true);
  line.mask(true);
  line.mask(true);
  BOOST_TEST(line.level());
  BOOST_TEST(!sink.intx(3, 0));
  line.mask(false);
  BOOST_TEST(sink.intx(3, 0));
  line.mask(true);
  line.set(false);
  line.mask(false);
  BOOST_TEST(!sink.intx(3, 0));
  line.mask(true);
  line.set(true);
  BOOST_TEST(!sink.intx(3, 0));
  { dm::IrqLine moved{std::move(line)}; }  // it ends masked and asserted
  auto other = router.intx(3, 0);
  other.set(true);
  BOOST_TEST(sink.intx(3, 0));
  BOOST_TEST(sink.redundant() == 0U);
}

BOOST_AUTO_TEST_CASE(a_masked_line_adopts_a_level_that_was_not_sent) {
  auto line = router.intx(3, 0);
  line.mask(true);
  line.adopt(true);
  BOOST_TEST(!sink.intx(3, 0));
  line.mask(false);
  BOOST_TEST(sink.intx(3, 0));
  BOOST_TEST(sink.redundant() == 0U);
}

BOOST_AUTO_TEST_CASE(a_line_connected_to_nothing_keeps_its_level) {
  dm::IrqLine line;
  line.set(true);
  BOOST_TEST(line.level());
}

BOOST_AUTO_TEST_CASE(links_are_routed_with_their_numbers_masked) {
  router.route_link(2, 11);
  BOOST_TEST(sink.link_route(2) == 11U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
