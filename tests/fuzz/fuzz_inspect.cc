// SPDX-License-Identifier: MIT
// A captured device model that is inspected by root in dom0. An input is what it says: bytes as
// they are, in pieces of any size; right messages in the wrong place; floods of events or of
// anything else; an answer of any content; and when it hangs up.
#include "platform/toolstack/qmp/inspect_dialogue.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/inspection.h"

#include <string>
#include <string_view>

namespace dm::fuzz {

namespace {

using toolstack::InspectDialogue;
using State = InspectDialogue::State;

constexpr std::string_view kGreeting = "{\"QMP\":{\"version\":{},\"capabilities\":[]}}\r\n";
constexpr std::string_view kYes = "{\"return\":{}}\r\n";
constexpr std::string_view kNo =
    "{\"error\":{\"class\":\"GenericError\",\"desc\":\"\\u009b31m\"}}\r\n";
constexpr std::string_view kEvent = "{\"event\":\"STOP\",\"data\":{}}\r\n";

std::string_view text_of(std::span<const std::uint8_t> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The dialogue, and what it may never do.
class Talk {
 public:
  [[nodiscard]] bool over() const noexcept { return dialogue_.state() != State::talking; }

  void say(std::string_view bytes) {
    const bool was_over = over();
    const State before = dialogue_.state();
    said_ += bytes.size();
    const State now = dialogue_.feed(bytes);
    require(!was_over || now == before, "what is over stays so");
    require(now != State::talking || said_ <= InspectDialogue::kMostBytes,
            "nobody is listened to for ever");
    const std::string command = dialogue_.take_command();
    require(
        command.empty() || command == (commands_ == 0 ? "{\"execute\":\"qmp_capabilities\"}\r\n"
                                                      : "{\"execute\":\"x-stubdm-inspect\"}\r\n"),
        "two commands, one after the other");
    commands_ += command.empty() ? 0U : 1U;
    require(commands_ <= 2, "and no third one");
  }
  void end() {
    dialogue_.give_up();
    require(over(), "who hangs up ends it");
    const State state = dialogue_.state();
    const auto answer = dialogue_.result();
    require(answer.has_value() == (state == State::answered), "an answer or an error");
    check_inspection(answer, {.error = 200, .json = 8 * InspectDialogue::kMostBytes, .depth = 40});
  }

 private:
  InspectDialogue dialogue_{7};
  std::size_t said_ = 0;
  unsigned commands_ = 0;
};

void run(Input in) {
  Talk talk;
  while (!in.empty() && !talk.over()) {
    switch (in.below(8)) {
      case 0:
        talk.say(kGreeting);
        break;
      case 1:
        talk.say(kYes);
        break;
      case 2:
        talk.say(kNo);
        break;
      case 3:
        for (std::size_t i = in.below(100); i != 0; --i) {
          talk.say(kEvent);
        }
        break;
      case 4: {
        const std::size_t times = in.below(64);
        const std::string piece{text_of(in.bytes(1U + in.below(32)))};
        for (std::size_t i = 0; i <= times; ++i) {
          talk.say(piece);
        }
        break;
      }
      case 5:  // an answer in its right place, of any content
        talk.say(kGreeting);
        talk.say(kYes);
        talk.say("{\"return\":");
        break;
      case 6: {  // the rest, cut
        const std::size_t size = 1U + in.byte();
        while (!in.empty()) {
          talk.say(text_of(in.bytes(size)));
        }
        break;
      }
      default:
        talk.say(text_of(in.bytes(1U + in.below(64))));
        break;
    }
  }
  talk.end();
}

}  // namespace

}  // namespace dm::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dm::fuzz::run(dm::fuzz::Input{data, size});
  return 0;
}
