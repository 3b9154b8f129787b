// SPDX-License-Identifier: MIT
// `stubdm inspect DOMID`, the asking side: a QMP client of a running device model.
#include "platform/toolstack/qmp/inspect_client.h"

#include <boost/json/array.hpp>

#include <atomic>
#include <thread>

#include "qmp_rig.h"

namespace {

using namespace dm::toolstack;
using namespace dm::toolstack::test;
namespace json = boost::json;

/// A device model in another thread, since the client blocks.
class Served {
 public:
  explicit Served(const QmpCommands& commands, const std::string& path)
      : server_{loop_.io(), commands} {
    BOOST_TEST_REQUIRE(server_.listen({.id = "libxenstat-cmd", .path = path}).has_value());
    thread_ = std::thread{[this] {
      while (!stop_) {
        loop_.io().wait(std::chrono::milliseconds{1});
      }
    }};
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;
  ~Served() {
    stop_ = true;
    thread_.join();
  }

 private:
  Loop loop_;
  QmpServer server_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

BOOST_AUTO_TEST_SUITE(inspect)

BOOST_AUTO_TEST_CASE(what_the_device_model_answers_is_what_the_caller_gets) {
  const TemporaryDirectory directory;
  QmpCommands commands;
  commands.add("x-stubdm-inspect", [](QmpCall&) -> QmpResult {
    return json::object{{"domid", 7}, {"requests", {{"total", 12}}}};
  });
  const Served served{commands, directory.file("qmp-libxenstat-7")};
  const auto answer = ask_inspection(7, directory.file(""));
  BOOST_TEST_REQUIRE(answer.has_value());
  BOOST_TEST(answer->at("requests").at("total").as_int64() == 12);
}

BOOST_AUTO_TEST_CASE(without_xentops_socket_libxls_is_asked) {
  const TemporaryDirectory directory;
  QmpCommands commands;
  commands.add("x-stubdm-inspect", [](QmpCall&) -> QmpResult { return json::object{}; });
  const Served served{commands, directory.file("qmp-libxl-7")};
  BOOST_TEST(ask_inspection(7, directory.file("")).has_value());
}

BOOST_AUTO_TEST_CASE(a_device_model_without_the_command_is_not_stubdm) {
  const TemporaryDirectory directory;
  const QmpCommands commands;
  const Served served{commands, directory.file("qmp-libxenstat-7")};
  const auto answer = ask_inspection(7, directory.file(""));
  BOOST_TEST_REQUIRE(answer.has_error());
  BOOST_TEST(answer.error().message == "the device model of domain 7 is not stubdm");
}

BOOST_AUTO_TEST_CASE(a_domain_without_a_device_model_is_said_so) {
  const TemporaryDirectory directory;
  const auto answer = ask_inspection(7, directory.file(""));
  BOOST_TEST_REQUIRE(answer.has_error());
  BOOST_TEST(answer.error().message.find("domain 7 has no device model here") == 0U);
}

BOOST_AUTO_TEST_CASE(the_text_has_a_line_for_each_value_and_a_table_for_each_list) {
  const json::object all{
      {"domid", 7},
      {"requests", {{"total", 12}, {"unclaimed_ports", 3}}},
      {"ports", json::array{{{"first", "0x60"}, {"name", "8042"}, {"reads", 100}},
                            {{"first", "0x3f8"}, {"name", "com1"}, {"reads", 5}}}}};
  BOOST_TEST(inspection_text(all) ==
             "domid     7\n"
             "requests\n"
             "  total            12\n"
             "  unclaimed ports  3\n"
             "ports\n"
             "  first  name  reads\n"
             "  0x60   8042  100\n"
             "  0x3f8  com1  5\n");
}

BOOST_AUTO_TEST_CASE(registers_stand_below_the_row_of_their_device) {
  const json::object all{
      {"serial", json::array{{{"name", "serial0"}, {"registers", {{"ier", 5}, {"scr", 0}}}}}}};
  BOOST_TEST(inspection_text(all) ==
             "serial\n"
             "  name\n"
             "  serial0\n"
             "    ier  5\n"
             "    scr  0\n");
}

BOOST_AUTO_TEST_CASE(control_characters_of_a_name_do_not_reach_the_terminal) {
  BOOST_TEST(inspection_text({{"name", "a\x1b[2Jb\n"}}) == "name  a?[2Jb?\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
