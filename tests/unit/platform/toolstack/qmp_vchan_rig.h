// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/log.h"
#include "platform/toolstack/qmp/qmp_vchan.h"
#include "tests/rig/fake_machine.h"
#include "tests/unit/platform/toolstack/vchan_client.h"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>

namespace dm::toolstack::test {

/// A server of QMP on a page that a test may write to.
struct QmpVchanRig {
  QmpVchanRig() {
    log::set_sink([](log::Level, std::string_view) noexcept {});
    add_machine_commands(commands, machine, "guest");
    BOOST_TEST_REQUIRE(qmp.start().has_value());
  }
  ~QmpVchanRig() { log::set_sink(nullptr); }
  QmpVchanRig(const QmpVchanRig&) = delete;
  QmpVchanRig& operator=(const QmpVchanRig&) = delete;

  /// The server is told, and goes on as long as it says that there is more.
  void event() {
    unsigned turns = 0;
    while (qmp.serve()) {
      BOOST_TEST_REQUIRE(++turns < 1000U);
    }
  }
  [[nodiscard]] VchanClient client() const { return VchanClient{line.announced}; }
  [[nodiscard]] static bool is_greeting(const std::string& text) {
    return text.starts_with(R"({"QMP":)") && text.ends_with("\r\n") &&
           text.find("\r\n") == text.size() - 2;
  }
  /// A client that is there and has negotiated.
  [[nodiscard]] VchanClient negotiated() {
    VchanClient one = client();
    one.come();
    event();
    BOOST_TEST_REQUIRE(is_greeting(one.read()));
    BOOST_TEST_REQUIRE(one.write("{\"execute\":\"qmp_capabilities\",\"id\":1}\r\n") != 0U);
    event();
    BOOST_TEST_REQUIRE(one.read() == "{\"return\":{},\"id\":1}\r\n");
    return one;
  }

  rig::FakeMachine machine;
  QmpCommands commands;
  FakeLine line;
  QmpVchan qmp{commands, line};
};

}  // namespace dm::toolstack::test
