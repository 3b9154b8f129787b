// SPDX-License-Identifier: MIT
#include "platform/toolstack/qmp/qmp_vnc.h"

#include <boost/json/array.hpp>
#include <boost/json/string.hpp>

#include <memory>
#include <utility>

namespace dm::toolstack {

namespace json = boost::json;

namespace {

constexpr auto kRequired = QmpParameter::Presence::required;
constexpr auto kText = QmpParameter::Type::string;

/// What both commands do with the word, in QEMU's words where it has some.
[[nodiscard]] QmpResult take_password(const VncPlace& place,
                                      std::string_view password,
                                      const std::function<void(std::string_view)>& set) {
  if (!place.password) {
    return QmpError{kGenericError,
                    "Could not set password: the screen was started without one (vncpasswd)"};
  }
  if (password.empty() || password.find('\0') != std::string_view::npos) {
    return QmpError{kGenericError, "Could not set password: it has no characters, or a zero"};
  }
  set(password);
  return json::object{};
}

[[nodiscard]] std::string_view family_of(const VncPlace& place) noexcept {
  return place.host.empty() ? "unix" : place.host.find(':') != std::string::npos ? "ipv6" : "ipv4";
}

}  // namespace

void add_needless_vnc_password(QmpCommands& commands) {
  commands.add("change-vnc-password", {{"password", kText, kRequired}},
               [](QmpCall&) -> QmpResult { return json::object{}; });
}

void add_vnc_commands(QmpCommands& commands,
                      VncPlace place,
                      std::function<void(std::string_view)> set_password) {
  struct Kept {
    VncPlace place;
    std::function<void(std::string_view)> set;
  };
  const auto kept = std::make_shared<const Kept>(Kept{std::move(place), std::move(set_password)});
  commands.add("query-vnc", [kept](QmpCall&) -> QmpResult {
    const VncPlace& at = kept->place;
    return json::object{{"enabled", true},
                        {"host", at.host},
                        {"service", at.service},
                        {"family", family_of(at)},
                        {"auth", at.password ? "vnc" : "none"},
                        {"clients", json::array{}}};
  });
  commands.add(
      "change-vnc-password", {{"password", kText, kRequired}}, [kept](QmpCall& call) -> QmpResult {
        return take_password(kept->place, call.arguments.at("password").as_string(), kept->set);
      });
  commands.add("set_password",
               {{"protocol", kText, kRequired}, {"password", kText, kRequired}, {"connected"}},
               [kept](QmpCall& call) -> QmpResult {
                 if (call.arguments.at("protocol").as_string() != "vnc") {
                   return QmpError{kGenericError, "Could not set password: protocol is \"vnc\""};
                 }
                 return take_password(kept->place, call.arguments.at("password").as_string(),
                                      kept->set);
               });
}

}  // namespace dm::toolstack
