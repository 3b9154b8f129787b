// SPDX-License-Identifier: MIT
// Keyboard and mouse by themselves: every command, every order of commands and parameters. What a
// person does to them is in ps2_input.cc.
#include "devices/chipset/ps2_keyboard.h"
#include "devices/chipset/ps2_mouse.h"

#include <boost/test/unit_test.hpp>

#include <initializer_list>
#include <vector>

namespace dm::test {
namespace {

using chipset::Ps2Keyboard;
using chipset::Ps2Mouse;
using chipset::Ps2Queue;

using Answer = std::vector<int>;

template <class Device>
Answer say(Device& device, std::initializer_list<int> bytes) {
  for (const int byte : bytes) {
    device.receive(static_cast<std::uint8_t>(byte));
  }
  Answer answer;
  while (device.has_byte() && answer.size() < 64) {
    answer.push_back(device.send());
  }
  return answer;
}

#define DM_ANSWERS(device, said, expected) \
  BOOST_TEST(say(device, said) == (expected), boost::test_tools::per_element())
#define DM_BYTES(...) (std::initializer_list<int>{__VA_ARGS__})
#define DM_ANSWER(...) (Answer{__VA_ARGS__})

struct KeyboardRig {
  Ps2Keyboard keyboard;
};
struct MouseRig {
  Ps2Mouse mouse;
};

BOOST_FIXTURE_TEST_SUITE(chipset_ps2_keyboard, KeyboardRig)

BOOST_AUTO_TEST_CASE(every_command_gets_its_answer) {
  DM_ANSWERS(keyboard, DM_BYTES(0xed, 0x07), DM_ANSWER(0xfa, 0xfa));
  DM_ANSWERS(keyboard, DM_BYTES(0xee), DM_ANSWER(0xee));
  DM_ANSWERS(keyboard, DM_BYTES(0xf0, 0x00), DM_ANSWER(0xfa, 0xfa, 0x02));
  DM_ANSWERS(keyboard, DM_BYTES(0xf0, 0x03), DM_ANSWER(0xfa, 0xfa));
  DM_ANSWERS(keyboard, DM_BYTES(0xf0, 0x00), DM_ANSWER(0xfa, 0xfa, 0x03));
  DM_ANSWERS(keyboard, DM_BYTES(0xf2), DM_ANSWER(0xfa, 0xab, 0x83));
  DM_ANSWERS(keyboard, DM_BYTES(0xf3, 0x00), DM_ANSWER(0xfa, 0xfa));
  DM_ANSWERS(keyboard, DM_BYTES(0xf4), DM_ANSWER(0xfa));
  DM_ANSWERS(keyboard, DM_BYTES(0xf5), DM_ANSWER(0xfa));
  DM_ANSWERS(keyboard, DM_BYTES(0xf6), DM_ANSWER(0xfa));
  DM_ANSWERS(keyboard, DM_BYTES(0xfa), DM_ANSWER(0xfa));
  DM_ANSWERS(keyboard, DM_BYTES(0xff), DM_ANSWER(0xfa, 0xaa));
}

BOOST_AUTO_TEST_CASE(what_it_does_not_know_it_wants_again) {
  for (const int byte : {0x00, 0x7f, 0xec, 0xef, 0xf1, 0xfb, 0xfd}) {
    DM_ANSWERS(keyboard, DM_BYTES(byte), DM_ANSWER(0xfe));
  }
  DM_ANSWERS(keyboard, DM_BYTES(0xf0, 0x04), DM_ANSWER(0xfa, 0xfe));
  DM_ANSWERS(keyboard, DM_BYTES(0xf0, 0x00), DM_ANSWER(0xfa, 0xfa, 0x02));
}

BOOST_AUTO_TEST_CASE(resend_gives_the_last_byte_again) {
  DM_ANSWERS(keyboard, DM_BYTES(0xf2), DM_ANSWER(0xfa, 0xab, 0x83));
  DM_ANSWERS(keyboard, DM_BYTES(0xfe), DM_ANSWER(0x83));
  DM_ANSWERS(keyboard, DM_BYTES(0xfe), DM_ANSWER(0x83));
}

BOOST_AUTO_TEST_CASE(a_command_in_the_place_of_a_parameter_is_a_command) {
  DM_ANSWERS(keyboard, DM_BYTES(0xed, 0xee), DM_ANSWER(0xfa, 0xee));
  DM_ANSWERS(keyboard, DM_BYTES(0xf3, 0xff), DM_ANSWER(0xfa, 0xaa));
}

BOOST_AUTO_TEST_CASE(reset_and_defaults_bring_scan_code_set_2_back) {
  for (const int command : {0xf5, 0xf6, 0xff}) {
    (void)say(keyboard, {0xf0, 0x01});
    (void)say(keyboard, {command});
    DM_ANSWERS(keyboard, DM_BYTES(0xf0, 0x00), DM_ANSWER(0xfa, 0xfa, 0x02));
  }
}

BOOST_AUTO_TEST_CASE(enable_throws_old_answers_away) {
  keyboard.receive(0xf2);
  DM_ANSWERS(keyboard, DM_BYTES(0xf4), DM_ANSWER(0xfa));
  BOOST_TEST(keyboard.state().scanning);
  (void)say(keyboard, {0xf5});
  BOOST_TEST(!keyboard.state().scanning);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(chipset_ps2_mouse, MouseRig)

BOOST_AUTO_TEST_CASE(every_command_gets_its_answer) {
  for (const int command : {0xe6, 0xe7, 0xea, 0xec, 0xf0, 0xf4, 0xf5, 0xf6}) {
    DM_ANSWERS(mouse, DM_BYTES(command), DM_ANSWER(0xfa));
  }
  DM_ANSWERS(mouse, DM_BYTES(0xe8, 0x03), DM_ANSWER(0xfa, 0xfa));
  DM_ANSWERS(mouse, DM_BYTES(0xf3, 0x28), DM_ANSWER(0xfa, 0xfa));
  DM_ANSWERS(mouse, DM_BYTES(0xe9), DM_ANSWER(0xfa, 0x00, 0x03, 0x28));
  DM_ANSWERS(mouse, DM_BYTES(0xeb), DM_ANSWER(0xfa, 0x08, 0x00, 0x00));
  DM_ANSWERS(mouse, DM_BYTES(0xf2), DM_ANSWER(0xfa, 0x00));
  DM_ANSWERS(mouse, DM_BYTES(0xff), DM_ANSWER(0xfa, 0xaa, 0x00));
  DM_ANSWERS(mouse, DM_BYTES(0xe9), DM_ANSWER(0xfa, 0x00, 0x02, 0x64));
}

BOOST_AUTO_TEST_CASE(status_shows_mode_reporting_and_scaling) {
  (void)say(mouse, {0xf4, 0xe7});
  DM_ANSWERS(mouse, DM_BYTES(0xe9), DM_ANSWER(0xfa, 0x30, 0x02, 0x64));
  (void)say(mouse, {0xf0, 0xf5, 0xe6});
  DM_ANSWERS(mouse, DM_BYTES(0xe9), DM_ANSWER(0xfa, 0x40, 0x02, 0x64));
  (void)say(mouse, {0xf6});
  DM_ANSWERS(mouse, DM_BYTES(0xe9), DM_ANSWER(0xfa, 0x00, 0x02, 0x64));
}

BOOST_AUTO_TEST_CASE(what_it_does_not_know_it_wants_again) {
  for (const int byte : {0x00, 0xe1, 0xe5, 0xed, 0xef, 0xf1, 0xf7, 0xfd}) {
    DM_ANSWERS(mouse, DM_BYTES(byte), DM_ANSWER(0xfe));
  }
  DM_ANSWERS(mouse, DM_BYTES(0xe8, 0x04), DM_ANSWER(0xfa, 0xfe));
}

BOOST_AUTO_TEST_CASE(wrap_mode_gives_everything_back_until_it_is_left) {
  DM_ANSWERS(mouse, DM_BYTES(0xee, 0xf4, 0xe9, 0x55), DM_ANSWER(0xfa, 0xf4, 0xe9, 0x55));
  DM_ANSWERS(mouse, DM_BYTES(0xec), DM_ANSWER(0xfa));
  DM_ANSWERS(mouse, DM_BYTES(0xe9), DM_ANSWER(0xfa, 0x00, 0x02, 0x64));
  DM_ANSWERS(mouse, DM_BYTES(0xee, 0xff), DM_ANSWER(0xfa, 0xaa, 0x00));  // nothing is kept
  DM_ANSWERS(mouse, DM_BYTES(0xe6), DM_ANSWER(0xfa));
}

BOOST_AUTO_TEST_CASE(the_knock_makes_it_an_intellimouse_with_four_bytes) {
  (void)say(mouse, {0xf3, 200, 0xf3, 100, 0xf3, 80});
  DM_ANSWERS(mouse, DM_BYTES(0xf2), DM_ANSWER(0xfa, 0x03));
  DM_ANSWERS(mouse, DM_BYTES(0xeb), DM_ANSWER(0xfa, 0x08, 0x00, 0x00, 0x00));
  (void)say(mouse, {0xf6});
  DM_ANSWERS(mouse, DM_BYTES(0xf2), DM_ANSWER(0xfa, 0x03));
  (void)say(mouse, {0xff});
  DM_ANSWERS(mouse, DM_BYTES(0xf2), DM_ANSWER(0xfa, 0x00));
}

BOOST_AUTO_TEST_CASE(no_other_sequence_of_rates_is_the_knock) {
  (void)say(mouse, {0xf3, 200, 0xf3, 80, 0xf3, 100});
  (void)say(mouse, {0xf3, 100, 0xf3, 80});
  DM_ANSWERS(mouse, DM_BYTES(0xf2), DM_ANSWER(0xfa, 0x00));
}

BOOST_AUTO_TEST_CASE(resend_gives_the_last_byte_again) {
  (void)say(mouse, {0xe9});
  DM_ANSWERS(mouse, DM_BYTES(0xfe), DM_ANSWER(0x64));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(chipset_ps2_queue)

BOOST_AUTO_TEST_CASE(keeps_the_oldest_sixteen_bytes_in_order) {
  Ps2Queue queue;
  for (int round = 0; round < 3; ++round) {
    for (unsigned i = 0; i < 20; ++i) {
      queue.put(static_cast<std::uint8_t>(i));
    }
    for (unsigned i = 0; i < 16; ++i) {
      BOOST_TEST(queue.take() == i);
    }
    BOOST_TEST(queue.empty());
    BOOST_TEST(queue.take() == 0);
    queue.put(1);
    BOOST_TEST(queue.take() == 1);  // so the next round starts elsewhere
  }
}

// SECURITY.md D12: CVE-2017-16845
BOOST_AUTO_TEST_CASE(hostile_indices_are_refused_and_would_be_harmless) {
  for (unsigned head = 0; head < 256; ++head) {
    for (const unsigned count : {0U, 1U, 16U, 17U, 255U}) {
      Ps2Queue queue;
      queue.head = static_cast<std::uint8_t>(head);
      queue.count = static_cast<std::uint8_t>(count);
      BOOST_TEST(validate(queue) == (head < 16 && count <= 16));
      // The sanitizers watch these.
      queue.put(1);
      for (unsigned i = 0; i < 300 && !queue.empty(); ++i) {
        (void)queue.take();
      }
      BOOST_TEST(queue.empty());
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
