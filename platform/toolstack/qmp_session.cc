// SPDX-License-Identifier: MIT
#include "platform/toolstack/qmp_session.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <exception>
#include <utility>

namespace dm::toolstack {

namespace json = boost::json;

namespace {

/// What a command's buffer may keep between commands.
constexpr std::size_t kKeptCapacity = 4096;

void append_message(std::string& out, const json::object& message) {
  out.append(json::serialize(message)).append("\r\n");
}

json::object error_message(const QmpError& error) {
  return json::object{{"error", {{"class", error.error_class}, {"desc", error.desc}}}};
}

}  // namespace

std::string QmpSession::greeting() {
  std::string text;
  append_message(text, {{"QMP", {{"version", qmp_version()}, {"capabilities", json::array{}}}}});
  return text;
}

QmpSession::Next QmpSession::feed(std::string_view bytes, std::string& out, std::size_t max_out) {
  for (const char c : bytes) {
    const auto step = scanner_.step(c);
    if (step == ObjectScanner::Step::between) {
      continue;
    }
    if (step == ObjectScanner::Step::broken) {
      append_message(out,
                     error_message({kGenericError, "not a JSON object, or nested too deeply"}));
      return Next::drop;
    }
    if (command_.size() == kMaxCommand) {
      append_message(out, error_message({kGenericError, "a command of more than 64 KiB"}));
      return Next::drop;
    }
    command_.push_back(c);
    if (step == ObjectScanner::Step::complete) {
      answer(out);
      command_.clear();
      if (command_.capacity() > kKeptCapacity) {
        command_.shrink_to_fit();
      }
      if (out.size() > max_out) {
        return Next::drop;
      }
    }
  }
  return Next::go_on;
}

void QmpSession::answer(std::string& out) {
  boost::system::error_code parse_error;
  json::parse_options options;
  options.max_depth = ObjectScanner::kMaxDepth;
  const json::value request = json::parse(command_, parse_error, {}, options);
  const json::object* const object = request.if_object();
  if (parse_error || object == nullptr) {
    append_message(out, error_message({kGenericError, "Invalid JSON syntax"}));
    return;
  }
  QmpResult result = [&]() -> QmpResult {
    try {
      return execute(*object);
    } catch (const std::exception& failure) {
      return QmpError{kGenericError, failure.what()};
    }
  }();
  json::object message = result.has_value() ? json::object{{"return", std::move(*result)}}
                                            : error_message(result.error());
  if (const json::value* const id = object->if_contains("id")) {
    message.emplace("id", *id);  // libxl takes an answer without its own id for a protocol error
  }
  append_message(out, message);
}

QmpResult QmpSession::execute(const json::object& request) {
  static const json::object kNoArguments;
  const json::object* arguments = &kNoArguments;
  const json::string* name = nullptr;
  for (const auto& member : request) {
    if (member.key() == "execute") {
      name = member.value().if_string();
    } else if (member.key() == "arguments") {
      arguments = member.value().if_object();
    } else if (member.key() != "id") {
      return QmpError{kGenericError, "a member other than execute, arguments and id"};
    }
  }
  if (name == nullptr || arguments == nullptr) {
    return QmpError{kGenericError, "execute has to be a string and arguments an object"};
  }
  if (*name == "qmp_capabilities") {
    negotiated_ = true;
    return json::object{};
  }
  if (!negotiated_) {
    return QmpError{kCommandNotFound, "Expecting capabilities negotiation with 'qmp_capabilities'"};
  }
  QmpCall call{*arguments, descriptors_};
  return commands_.call(*name, call);
}

}  // namespace dm::toolstack
