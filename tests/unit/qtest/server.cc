// SPDX-License-Identifier: MIT
// The process: what libqtest expects of it apart from devices.
#include "tests/qtest/client.h"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace dm::qtest {
namespace {

struct Ended {
  int status;
  std::string output;
};
/// Runs the server from a shell with its standard error in its output.
Ended run(const std::string& arguments) {
  const std::string line = DM_QTEST_SERVER " " + arguments + " 2>&1";
  std::FILE* const pipe = ::popen(line.c_str(), "re");
  std::string output;
  std::array<char, 4096> bytes{};
  while (const std::size_t got = std::fread(bytes.data(), 1, bytes.size(), pipe)) {
    output.append(bytes.data(), got);
  }
  const int status = ::pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

BOOST_AUTO_TEST_SUITE(server)

BOOST_AUTO_TEST_CASE(it_ends_well_by_sigterm_and_by_qmp) {
  Client term{"-machine pc -nodefaults"};
  BOOST_TEST(term.quit() == 0);
  Client quit{"-machine pc"};
  BOOST_TEST(quit.qmp(R"({"execute":"quit"})").contains("return"));
  BOOST_TEST(!quit.event("SHUTDOWN").at("data").at("guest").as_bool());
  BOOST_TEST(quit.quit() == 0);
}

BOOST_AUTO_TEST_CASE(qmp_is_the_products_and_tells_of_stop_and_cont) {
  Client client{"-machine pc -drive driver=null-co,if=ide"};
  BOOST_TEST(client.qmp(R"({"execute":"query-status"})").at("return").at("running").as_bool());
  BOOST_TEST(client.qmp(R"({"execute":"stop"})").contains("return"));
  (void)client.event("STOP");
  BOOST_TEST(client.raw("inb 0x1f7").starts_with("FAIL "));
  BOOST_TEST(client.qmp(R"({"execute":"cont"})").contains("return"));
  (void)client.event("RESUME");
  BOOST_TEST(client.inb(0x1f7) == 0x50);
  BOOST_TEST(client.hmp("info block").find("null-co") != std::string::npos);
  BOOST_TEST(client.qmp(R"({"execute":"nonsense"})").contains("error"));
  BOOST_TEST(client.quit() == 0);
}

BOOST_AUTO_TEST_CASE(nonsense_from_a_qmp_client_is_an_error_and_the_next_command_is_served) {
  for (const std::string_view nonsense : {"]", "\"text\"", "{\"execute\":\"cont\"}}", "17 "}) {
    Client client{"-machine pc"};
    client.qmp_text(nonsense);
    if (nonsense.find("cont") != std::string_view::npos) {
      BOOST_TEST(client.qmp("").contains("return"));
    }
    BOOST_TEST(client.qmp("").contains("error"));
    BOOST_TEST(client.qmp(R"({"execute":"query-status"})").at("return").at("running").as_bool());
    BOOST_TEST(client.raw("inb 0x1f7").starts_with("OK"));
    BOOST_TEST(client.quit() == 0);
  }
}

BOOST_AUTO_TEST_CASE(a_qmp_client_that_goes_beyond_all_bounds_is_hung_up_on) {
  Client client{"-machine pc"};
  client.qmp_text(R"({"execute":")" + std::string(70'000, 'a'));
  BOOST_TEST(client.qmp_hangs_up());
  BOOST_TEST(client.quit() == 0);
}

BOOST_AUTO_TEST_CASE(a_machine_that_starts_paused_can_be_looked_at) {
  Client client{"-S -machine pc"};
  BOOST_TEST(client.qmp(R"({"execute":"query-status"})").at("return").at("status").as_string() ==
             "prelaunch");
  BOOST_TEST(client.inb(0) == 0);
  BOOST_TEST(client.quit() == 0);
}

BOOST_AUTO_TEST_CASE(a_script_is_replayed_from_standard_input_and_logged) {
  const TempDirectory directory;
  std::ofstream{directory.path("script")} << "outl 0xcf8 0x80000000\ninl 0xcfc\nbad\n";
  const auto ended = run("-machine pc -nodefaults -qtest stdio -qtest-log " +
                         directory.path("log") + " < " + directory.path("script"));
  BOOST_TEST(ended.status == 0);
  BOOST_TEST(ended.output == "OK\nOK 0x12378086\nFAIL Unknown command 'bad'\n");
  std::ostringstream log;
  log << std::ifstream{directory.path("log")}.rdbuf();
  BOOST_TEST(log.str().find("] inl 0xcfc\n") != std::string::npos);
  BOOST_TEST(log.str().find("] OK 0x12378086\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_done_ends_the_start_with_one_line) {
  for (const char* const arguments :
       {"-qtest unix:/nonexistent/socket", "-qtest stdio -device rtl8139", "-machine pc",
        "-qtest stdio -drive file=/nonexistent,if=ide", "-qtest stdio -qmp unix:/nonexistent/q"}) {
    const auto ended = run(arguments);
    BOOST_TEST_CONTEXT(arguments << ": " << ended.output) {
      BOOST_TEST(ended.status == 1);
      BOOST_TEST(ended.output.starts_with("stubdm-qtest: "));
      BOOST_TEST(ended.output.find('\n') == ended.output.size() - 1);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::qtest
