// SPDX-License-Identifier: MIT
// The protocol without sockets: every command, every refusal.
#include "tests/qtest/protocol.h"

#include "tests/qtest/encoding.h"
#include "tests/qtest/null_disk.h"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace dm::qtest {
namespace {

Backends null_disk() {
  Backends backends;
  backends.disks[0] = std::make_unique<NullDisk>();
  return backends;
}

struct Talk {
  std::unique_ptr<Board> board =
      Board::create({.config = {}, .ram = std::size_t{4} << 20}, null_disk()).value();
  Protocol protocol{*board};

  std::string say(const std::string& line) {
    protocol.execute(line);
    return protocol.take_output();
  }
  bool fails(const std::string& line) {
    const std::string answer = say(line);
    return answer.starts_with("FAIL ") && answer.size() > 6 && answer.ends_with('\n') &&
           answer.find('\n') == answer.size() - 1;
  }
};

BOOST_FIXTURE_TEST_SUITE(protocol, Talk)

BOOST_AUTO_TEST_CASE(the_guest_is_little_endian) {
  BOOST_TEST(say("endianness") == "OK little\n");
}

BOOST_AUTO_TEST_CASE(ports_have_three_widths_and_answer_in_four_digits_at_least) {
  BOOST_TEST(say("outb 0x1f2 0x5a") == "OK\n");
  BOOST_TEST(say("inb 0x1f2") == "OK 0x005a\n");
  BOOST_TEST(say("inb 498") == "OK 0x005a\n");   // decimal
  BOOST_TEST(say("inb 0762") == "OK 0x005a\n");  // octal
  BOOST_TEST(say("outl 0xcf8 0x80000000") == "OK\n");
  BOOST_TEST(say("inl 0xcf8") == "OK 0x80000000\n");
  BOOST_TEST(say("inl 0xcfc") == "OK 0x12378086\n");
  BOOST_TEST(say("inw 0xcfe") == "OK 0x1237\n");
  BOOST_TEST(say("outl 0xcf8 0x80000002") == "OK\n");  // libqos: the register whole
  BOOST_TEST(say("inw 0xcfc") == "OK 0x1237\n");
  BOOST_TEST(say("inb 0") == "OK 0x0000\n");  // what flushes interrupts
}

BOOST_AUTO_TEST_CASE(memory_is_read_and_written_in_all_forms) {
  BOOST_TEST(say("writeq 0x1000 0x1122334455667788") == "OK\n");
  BOOST_TEST(say("readb 0x1000") == "OK 0x0000000000000088\n");
  BOOST_TEST(say("readw 0x1001") == "OK 0x0000000000006677\n");
  BOOST_TEST(say("readl 0x1004") == "OK 0x0000000011223344\n");
  BOOST_TEST(say("readq 0x1000") == "OK 0x1122334455667788\n");
  BOOST_TEST(say("read 0x1000 0x3") == "OK 0x887766\n");
  BOOST_TEST(say("write 0x1000 4 0xAbcd") == "OK\n");  // what is missing is zero
  BOOST_TEST(say("readl 0x1000") == "OK 0x000000000000cdab\n");
  BOOST_TEST(say("memset 0x1002 0x2 0xee") == "OK\n");
  BOOST_TEST(say("read 0x1000 5") == "OK 0xabcdeeee44\n");
  BOOST_TEST(say("memset 0x1000 0 1") == "OK\n");
  BOOST_TEST(say("b64read 0x1000 4") == "OK q83u7g==\n");
  BOOST_TEST(say("b64write 0x2000 4 q83u7g==") == "OK\n");
  BOOST_TEST(say("readl 0x2000") == "OK 0x00000000eeeecdab\n");
}

BOOST_AUTO_TEST_CASE(what_is_not_memory_reads_all_ones) {
  BOOST_TEST(say("readl 0xe0000000") == "OK 0x00000000ffffffff\n");
  BOOST_TEST(say("writel 0xe0000000 1") == "OK\n");
  BOOST_TEST(say("read 0x3ffffe 4") == "OK 0x0000ffff\n");  // RAM ends at 4 MiB
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_fails_and_says_why) {
  for (const char* const line : {"",
                                 " ",
                                 "nonsense",
                                 "INB 1",
                                 "inb",
                                 "inb x",
                                 "inb 0x10000",
                                 "inb -1",
                                 "outb 1",
                                 "outb 1 y",
                                 "readl 18446744073709551616",
                                 "read 0 0",
                                 "read 0 0x4000001",
                                 "read 0xffffffffffffffff 2",
                                 "read 0x400000 0x10001",
                                 "write 0 4",
                                 "write 0 4 12",
                                 "write 0 4 0xzz",
                                 "write 0 4 0x",
                                 "memset 0 1",
                                 "b64read 0 0",
                                 "b64write 0 4 ???",
                                 "b64write 0 4 AA==",
                                 "irq_intercept_in",
                                 "irq_intercept_in /machine/unattached/device[0]",
                                 "irq_intercept_out ioapic",
                                 "set_irq_in ioapic x 1 1",
                                 "clock_step x",
                                 "clock_set",
                                 "clock_set 0xffffffffffffffff",
                                 "module_load a b",
                                 "rtas x 0 0 0 0"}) {
    BOOST_TEST_CONTEXT("'" << line << "'") {
      BOOST_TEST(fails(line));
    }
  }
  BOOST_TEST(say("endianness") == "OK little\n");
}

BOOST_AUTO_TEST_CASE(interrupts_are_told_before_the_answer_to_what_raised_them) {
  BOOST_TEST(say("outb 0x1f7 0xe7") == "OK\n");  // nobody listens yet
  BOOST_TEST(say("irq_intercept_in /machine/ioapic") == "IRQ raise 14\nOK\n");
  BOOST_TEST(say("inb 0x1f7") == "IRQ lower 14\nOK 0x0050\n");
  BOOST_TEST(say("outb 0x1f7 0xe7") == "IRQ raise 14\nOK\n");
  BOOST_TEST(say("irq_intercept_in ioapic") == "OK\n");
}

BOOST_AUTO_TEST_CASE(the_clock_moves_when_told_to_and_never_back) {
  BOOST_TEST(say("clock_step 400") == "OK 400\n");
  BOOST_TEST(say("clock_set 1000") == "OK 1000\n");
  BOOST_TEST(say("clock_set 400") == "OK 1000\n");
  BOOST_TEST(say("clock_step") == "OK 1000\n");  // no timer is armed
  BOOST_TEST(say("clock_step 1") == "OK 1001\n");
}

BOOST_AUTO_TEST_CASE(a_stopped_guest_is_not_touched) {
  protocol.running = [] { return false; };
  BOOST_TEST(fails("inb 0x1f7"));
  BOOST_TEST(fails("readb 0"));
  BOOST_TEST(fails("clock_step 1"));
  BOOST_TEST(say("endianness") == "OK little\n");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(encoding)

BOOST_AUTO_TEST_CASE(base64_is_that_of_rfc_4648) {
  const std::pair<std::string, std::string> pairs[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : pairs) {
    const auto bytes = std::as_bytes(std::span{plain});
    BOOST_TEST(to_base64(bytes) == coded);
    const auto back = from_base64(coded);
    BOOST_TEST_REQUIRE(back.has_value());
    BOOST_TEST(std::equal(back->begin(), back->end(), bytes.begin(), bytes.end()));
  }
  BOOST_TEST(!from_base64("Zg=!"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::qtest
