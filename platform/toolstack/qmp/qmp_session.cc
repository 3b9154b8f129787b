// SPDX-License-Identifier: MIT
#include "platform/toolstack/qmp/qmp_session.h"

#include "core/text/printable.h"
#include "platform/toolstack/qmp/json_values.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <exception>
#include <utility>

namespace dm::toolstack {

namespace json = boost::json;

namespace {

/// What a command's buffer may keep between commands.
constexpr std::size_t kKeptCapacity = 4096;

/// JSON is UTF-8 (RFC 8259, 8.1), which the name of a file need not be, nor the beginning of a word
/// that a message quotes. What is not for a terminal is escaped, as QEMU escapes all that is not
/// ASCII: people see answers in logs of toolstacks.
void append_message(std::string& out, const json::object& message) {
  append_printable_json(out, json::serialize(message));
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

QmpError input_error(std::string_view member, std::string_view why) {
  constexpr std::size_t kMostQuoted = 64;
  std::string text = "QMP input member '";
  text.append(member.substr(0, kMostQuoted)).append("' ").append(why);
  return {kGenericError, std::move(text)};
}

/// We offer no capability that could be enabled.
std::optional<QmpError> refuse_capabilities(const json::object& arguments) {
  static const QmpParameters kParameters{{"enable", QmpParameter::Type::array}};
  if (auto refused = kParameters.refuse(arguments)) {
    return refused;
  }
  const json::value* const wanted = arguments.if_contains("enable");
  if (wanted != nullptr && !wanted->get_array().empty()) {
    return QmpError{kGenericError, "Parameter 'enable' asks for a capability that is not offered"};
  }
  return std::nullopt;
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
    if (step == ObjectScanner::Step::broken || step == ObjectScanner::Step::not_object) {
      command_.clear();
      append_message(out, error_message({kGenericError, step == ObjectScanner::Step::broken
                                                            ? "JSON parse error, stray input"
                                                            : "QMP input must be a JSON object"}));
      if (out.size() > max_out) {
        return Next::drop;
      }
      continue;
    }
    if (step == ObjectScanner::Step::too_deep) {
      append_message(out, error_message({kGenericError, "JSON nesting depth limit exceeded"}));
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
    append_message(out, error_message({kGenericError, "JSON parse error, invalid value"}));
    return;
  }
  if (members_of(request) != scanner_.members()) {
    // Which of the two was meant, nobody knows.
    append_message(out, error_message({kGenericError, "JSON parse error, duplicate key"}));
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
      if (name == nullptr) {
        return input_error("execute", "must be a string");
      }
    } else if (member.key() == "arguments") {
      arguments = member.value().if_object();
      if (arguments == nullptr) {
        return input_error("arguments", "must be an object");
      }
    } else if (member.key() != "id") {
      return input_error(member.key(), "is unexpected");
    }
  }
  if (name == nullptr) {
    return QmpError{kGenericError, "QMP input lacks member 'execute'"};
  }
  const bool negotiates = *name == "qmp_capabilities";
  if (negotiates == negotiated_) {
    return QmpError{kCommandNotFound,
                    negotiates ? "Capabilities negotiation is already complete, command ignored"
                               : "Expecting capabilities negotiation with 'qmp_capabilities'"};
  }
  if (negotiates) {
    if (auto refused = refuse_capabilities(*arguments)) {
      return std::move(*refused);
    }
    negotiated_ = true;
    return json::object{};
  }
  QmpCall call{*arguments, descriptors_};
  QmpResult result = commands_.call(*name, call);
  deferral = std::move(call.deferral);
  return result;
}

}  // namespace dm::toolstack
