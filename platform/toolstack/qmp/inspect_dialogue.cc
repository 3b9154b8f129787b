// SPDX-License-Identifier: MIT
#include "platform/toolstack/qmp/inspect_dialogue.h"

#include "platform/toolstack/qmp/json_values.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace dm::toolstack {

namespace json = boost::json;

namespace {

std::string command_text(std::string_view name) {
  return std::string{R"({"execute":")"}.append(name).append("\"}\r\n");
}

}  // namespace

InspectDialogue::InspectDialogue(std::uint32_t domid,
                                 std::string_view command,
                                 const json::object& arguments)
    : domain_{"the device model of domain " + std::to_string(domid)},
      question_{command_text(command)} {
  if (!arguments.empty()) {
    question_ =
        json::serialize(json::object{{"execute", command}, {"arguments", arguments}}) + "\r\n";
  }
}

void InspectDialogue::fail_because(std::string_view why) {
  state_ = State::failed;
  why_ = domain_ + " " + std::string{why};
}

void InspectDialogue::give_up() noexcept {
  if (state_ == State::talking) {
    state_ = State::failed;
  }
}

InspectDialogue::State InspectDialogue::feed(std::string_view bytes) {
  for (const char c : bytes) {
    if (state_ != State::talking) {
      break;
    }
    if (++bytes_ > kMostBytes) {
      fail_because("says more than stubdm would");
      break;
    }
    switch (scanner_.step(c)) {
      case ObjectScanner::Step::between:
        break;
      case ObjectScanner::Step::inside:
        message_.push_back(c);
        break;
      case ObjectScanner::Step::complete:
        message_.push_back(c);
        take_message();
        message_.clear();
        break;
      case ObjectScanner::Step::broken:
      case ObjectScanner::Step::not_object:
      case ObjectScanner::Step::too_deep:
        fail_because("says what is not QMP");
        break;
    }
  }
  return state_;
}

void InspectDialogue::take_message() {
  if (++messages_ > kMostMessages) {
    fail_because("talks without answering");
    return;
  }
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = ObjectScanner::kMaxDepth;
  json::value value = json::parse(message_, error, {}, options);
  json::object* const message = value.if_object();
  if (error || message == nullptr || !is_finite(value)) {
    fail_because("says what is not QMP");
    return;
  }
  if (awaited_ == Awaited::greeting) {
    if (!message->contains("QMP")) {
      fail_because("says what is not QMP");
      return;
    }
    awaited_ = Awaited::capabilities;
    command_ = command_text("qmp_capabilities");
    return;
  }
  const json::value* const error_member = message->if_contains("error");
  json::value* const found = message->if_contains("return");
  if (error_member == nullptr && found == nullptr) {
    return;  // one of QEMU's events
  }
  if (awaited_ == Awaited::capabilities) {
    awaited_ = Awaited::inspection;
    command_ = question_;
  } else if (found == nullptr || error_member != nullptr || !found->is_object()) {
    fail_because("is not stubdm");
  } else {
    answer_ = std::move(found->as_object());
    state_ = State::answered;
  }
}

std::string InspectDialogue::take_command() {
  return std::exchange(command_, {});
}

Result<json::object> InspectDialogue::result() {
  if (state_ == State::answered) {
    return std::move(answer_);
  }
  return Error{why_.empty() ? domain_ + " does not answer" : why_};
}

}  // namespace dm::toolstack
