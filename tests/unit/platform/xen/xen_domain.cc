// SPDX-License-Identifier: MIT
#include "platform/xen/xen_domain.h"

#include "platform/xen/dm_ops_library.h"
#include "tests/unit/platform/xen/fake_xen.h"

#include <boost/test/unit_test.hpp>

#include <cerrno>

using namespace dm;
using namespace dm::xen;
using dm::test::fake;

namespace {

struct Rig : dm::test::FreshFake {
  LibraryDmOps ops{DeviceModelHandle{xendevicemodel_open(nullptr, 0)}, 7};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(xen_domain, Rig)

BOOST_AUTO_TEST_CASE(a_guest_ends_once) {
  XenDomain domain{ops, 7, nullptr};
  BOOST_TEST(!domain.ended());
  domain.shutdown(ShutdownReason::reboot);
  domain.shutdown(ShutdownReason::poweroff);
  BOOST_TEST(fake().called("shutdown(7 1)"));
  BOOST_TEST(fake().count("shutdown") == 1U);
  BOOST_TEST(domain.ended());
}

BOOST_AUTO_TEST_CASE(the_rom_lock_changes_the_type_of_its_frames) {
  XenDomain domain{ops, 7, nullptr};
  domain.protect_rom(0xc0, 0x40, true);
  domain.protect_rom(0xc0, 0x40, false);
  BOOST_TEST(fake().called("set_mem_type(7 1 192 64)"));
  BOOST_TEST(fake().called("set_mem_type(7 0 192 64)"));
}

BOOST_AUTO_TEST_CASE(sleep_sets_the_acpi_state_to_3_and_waking_to_0) {
  auto sleep = SleepState::open(7);
  BOOST_REQUIRE(sleep.has_value());
  XenDomain domain{ops, 7, sleep->get()};
  BOOST_TEST(!domain.wake());
  domain.suspend_to_ram();
  BOOST_TEST(fake().called("xencall2(34 0)"));  // __HYPERVISOR_hvm_op, HVMOP_set_param
  BOOST_TEST((fake().hvm_param[0] & 0xffff) == 7U);
  BOOST_TEST(fake().hvm_param[0] >> 32 == 14U);  // HVM_PARAM_ACPI_S_STATE
  BOOST_TEST(fake().hvm_param[1] == 3U);
  BOOST_TEST(domain.wake());
  BOOST_TEST(fake().hvm_param[1] == 0U);
  BOOST_TEST(!domain.wake());
}

BOOST_AUTO_TEST_CASE(a_guest_that_cannot_be_put_to_sleep_runs_on) {
  XenDomain domain{ops, 7, nullptr};
  domain.suspend_to_ram();
  BOOST_TEST(fake().count("xencall2") == 0U);
  BOOST_TEST(!domain.wake());
}

BOOST_AUTO_TEST_SUITE_END()
