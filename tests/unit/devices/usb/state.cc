// SPDX-License-Identifier: MIT
// A controller that is saved and loaded is the same one; what no controller could be is refused.
#include "devices/usb/state.h"

#include "tests/unit/devices/usb/usb_rig.h"

#include <functional>

namespace dm::test {

using usb::UhciState;

BOOST_AUTO_TEST_SUITE(usb_state)

BOOST_FIXTURE_TEST_CASE(a_loaded_controller_goes_on_where_the_saved_one_was, OneTablet) {
  driver.enumerate();
  driver.ask();
  guest.advance(1700us);
  device().pointer(3, 4, 1);
  device().pointer(3, 4, 0);
  const std::uint32_t frame = driver.get(D::USBFRNUM);
  uhci->pause();
  UhciState saved = uhci->state();
  UhciState loaded;
  BOOST_TEST(state::load(state::save(saved), loaded));
  BOOST_TEST((state::save(loaded) == state::save(saved)));
  uhci->resume();
  uhci->reset();
  BOOST_TEST(guest.config_read(D::kBdf, 0x20, 4) == 1U);
  uhci->pause();
  guest.advance(5s);
  BOOST_TEST(uhci->restore(loaded));
  UhciState again = uhci->state();
  BOOST_TEST((state::save(again) == state::save(saved)));
  uhci->resume();
  BOOST_TEST(driver.get(D::USBFRNUM) == frame);
  guest.advance(9ms);
  BOOST_TEST(!driver.asked());
}

BOOST_FIXTURE_TEST_CASE(a_control_transfer_goes_on_in_a_loaded_machine, OneTablet) {
  driver.enumerate();
  guest.poke(D::kSetup, UhciDriver::Setup{0x80, 6, 0, 1, 0, 0, 18, 0});
  driver.put_td(0x30000, D::TERM, D::ACTIVE, D::token(D::SETUP, D::kAddress, 0, 8, false),
                D::kSetup);
  driver.put_queue(D::kControlQh, D::TERM, 0x30000);
  guest.advance(2ms);
  uhci->pause();
  const UhciState saved = uhci->state();
  BOOST_TEST((saved.device0.stage == usb::ControlStage::data_in));
  uhci->reset();
  BOOST_TEST(uhci->restore(saved));
  uhci->resume();
  driver.put_td(0x30000, D::TERM, D::ACTIVE, D::token(D::IN, D::kAddress, 0, 8, true), D::kData);
  driver.put_queue(D::kControlQh, D::TERM, 0x30000);
  guest.advance(2ms);
  BOOST_TEST(guest.peek<std::uint8_t>(D::kData) == 18U);
}

BOOST_FIXTURE_TEST_CASE(what_a_person_does_meanwhile_comes_when_the_machine_goes_on, OneTablet) {
  driver.enumerate();
  uhci->pause();
  UhciState before = uhci->state();
  device().pointer(11, 12, 1);
  UhciState after = uhci->state();
  BOOST_TEST(state::hash(before) == state::hash(after));
  uhci->resume();
  BOOST_TEST((*driver.report() == Bytes{1, 11, 0, 12, 0, 0}));
}

BOOST_FIXTURE_TEST_CASE(what_no_controller_could_be_is_refused, OneTablet) {
  driver.enumerate();
  uhci->pause();
  const UhciState good = uhci->state();
  BOOST_TEST(usb::validate(good));
  const std::vector<std::function<void(UhciState&)>> wrong{
      [](UhciState& s) { s.command = 2; },
      [](UhciState& s) { s.status = 0x20; },  // halted, and runs
      [](UhciState& s) { s.interrupt_enable = 0x10; },
      [](UhciState& s) { s.causes = 4; },
      [](UhciState& s) { s.sof_modify = 0x80; },
      [](UhciState& s) { s.frame = 0x800; },
      [](UhciState& s) { s.frame_part = 1'000'000; },
      [](UhciState& s) { s.frame_list = 1; },
      [](UhciState& s) { s.port0 = 0x80; },
      [](UhciState& s) { s.port1 = 0x81; },
      [](UhciState& s) { s.port1 = 0x84; },
      [](UhciState& s) { s.device0.address = 128; },
      [](UhciState& s) { s.device0.stage = static_cast<usb::ControlStage>(5); },
      [](UhciState& s) { s.device0.kind = static_cast<usb::HidKind>(4); },
      [](UhciState& s) {
        s.device0.stage = usb::ControlStage::data_in;
        s.device0.setup = {0x80, 6, 0, 1, 0, 0, 0xff, 0xff};
        s.device0.moved = 19;
      },
      [](UhciState& s) {
        s.device0.stage = usb::ControlStage::data_out;
        s.device0.setup = {0x21, 9, 0, 2, 0, 0, 1, 0};  // a tablet has no lamps
      },
      [](UhciState& s) { s.device0.input.queue.first = 16; },
      [](UhciState& s) { s.device0.input.queue.count = 17; },
      [](UhciState& s) { s.device0.input.downs = 17; },
      [](UhciState& s) { s.device0.input.x = 0x8000; },
      [](UhciState& s) { s.device0.input.queue.x[3] = 0x8000; },
  };
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    UhciState bad = good;
    wrong[i](bad);
    BOOST_TEST(!usb::validate(bad), i);
    BOOST_TEST(!uhci->restore(bad), i);
  }
  // Another machine's: what differs is said in the words of xl.cfg.
  UhciState mouse = good;
  mouse.device0.kind = usb::HidKind::mouse;
  BOOST_TEST(usb::validate(mouse));
  UnplugRequest gone;
  BOOST_TEST(uhci->fits(mouse, gone).error().message.find("usbdevice: there were mouse") == 0U);
  BOOST_TEST(!uhci->restore(mouse));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
