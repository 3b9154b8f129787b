// SPDX-License-Identifier: MIT
#include "platform/toolstack/qmp_session.h"

#include "core/text/utf8.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

namespace dm::toolstack {

namespace json = boost::json;

namespace {

/// What a command's buffer may keep between commands.
constexpr std::size_t kKeptCapacity = 4096;

/// JSON is UTF-8 (RFC 8259, 8.1), which the name of a file need not be, nor the beginning of a word
/// that a message quotes.
void append_message(std::string& out, const json::object& message) {
  append_utf8(out, json::serialize(message));
  out.append("\r\n");
}

json::object error_message(const QmpError& error) {
  return json::object{{"error", {{"class", error.error_class}, {"desc", error.desc}}}};
}

/// libxl takes an answer without its own id for a protocol error.
void append_answer(std::string& out, QmpResult result, const json::value* id) {
  json::object message = result.has_value() ? json::object{{"return", std::move(*result)}}
                                            : error_message(result.error());
  if (id != nullptr) {
    message.emplace("id", *id);
  }
  append_message(out, message);
}

/// JSON has no infinity, which is what a number like 1e999 is read as: an answer with such an id
/// would be none. `value` is at most ObjectScanner::kMaxDepth deep.
bool is_finite(const json::value& value) {
  if (const double* const number = value.if_double()) {
    return std::isfinite(*number);
  }
  if (const json::array* const array = value.if_array()) {
    return std::ranges::all_of(*array, is_finite);
  }
  if (const json::object* const object = value.if_object()) {
    return std::ranges::all_of(*object,
                               [](const auto& member) { return is_finite(member.value()); });
  }
  return true;
}

}  // namespace

std::string QmpSession::greeting() {
  std::string text;
  append_message(text, {{"QMP", {{"version", qmp_version()}, {"capabilities", json::array{}}}}});
  return text;
}

QmpSession::~QmpSession() {
  if (deferral_) {
    deferral_->deliver = nullptr;
  }
}

QmpSession::Next QmpSession::feed(std::string_view bytes, std::string& out, std::size_t max_out) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
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
      if (waiting()) {
        held_ = bytes.substr(i + 1);
        return Next::wait;
      }
    }
  }
  return Next::go_on;
}

QmpSession::Next QmpSession::resume(std::string& out, std::size_t max_out) {
  out.append(std::exchange(answer_, {}));
  const std::string bytes = std::exchange(held_, {});
  return feed(bytes, out, max_out);
}

void QmpSession::await(std::shared_ptr<QmpDeferral> deferral) {
  deferral_ = std::move(deferral);
  deferral_->deliver = [this](QmpResult result) {
    append_answer(answer_, std::move(result), deferred_id_ ? &*deferred_id_ : nullptr);
    deferral_.reset();
    resumed_();
  };
}

void QmpSession::answer(std::string& out) {
  boost::system::error_code parse_error;
  json::parse_options options;
  options.max_depth = ObjectScanner::kMaxDepth;
  const json::value request = json::parse(command_, parse_error, {}, options);
  const json::object* const object = request.if_object();
  if (parse_error || object == nullptr || !is_finite(request)) {
    append_message(out, error_message({kGenericError, "Invalid JSON syntax"}));
    return;
  }
  std::shared_ptr<QmpDeferral> deferral;
  QmpResult result = [&]() -> QmpResult {
    try {
      return execute(*object, deferral);
    } catch (const std::exception& failure) {
      return QmpError{kGenericError, failure.what()};
    }
  }();
  const json::value* const id = object->if_contains("id");
  if (deferral && deferral->result) {
    result = std::move(*deferral->result);
  } else if (deferral && resumed_) {
    deferred_id_ = id != nullptr ? std::optional{*id} : std::nullopt;
    await(std::move(deferral));
    return;
  } else if (deferral) {
    result = QmpError{kGenericError, "this takes time, and this connection cannot wait"};
  }
  append_answer(out, std::move(result), id);
}

QmpResult QmpSession::execute(const json::object& request, std::shared_ptr<QmpDeferral>& deferral) {
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
  QmpResult result = commands_.call(*name, call);
  deferral = std::move(call.deferral);
  return result;
}

}  // namespace dm::toolstack
