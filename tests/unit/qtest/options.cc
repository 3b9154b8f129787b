// SPDX-License-Identifier: MIT
// QEMU's command line: what is taken, and what is refused.
#include "tests/qtest/options.h"

#include <boost/test/unit_test.hpp>

#include <array>
#include <string>
#include <vector>

namespace dm::qtest {
namespace {

BOOST_AUTO_TEST_SUITE(options)

std::string why(std::vector<std::string_view> arguments) {
  arguments.insert(arguments.begin(), {"-qtest", "stdio"});
  const auto parsed = parse_options(arguments);
  return parsed ? std::string{} : parsed.error().message;
}

BOOST_AUTO_TEST_CASE(what_the_machine_does_not_have_is_refused_by_name) {
  for (const char* const line : {"-device virtio-blk-pci",
                                 "-device ide-hd,drive=x,cyls=10",
                                 "-device ide-hd",
                                 "-device e1000,addr=07.0",
                                 "-device e1000,netdev=none",
                                 "-machine q35",
                                 "-machine pc,smm=on",
                                 "-accel kvm",
                                 "-drive file=x,if=virtio",
                                 "-drive file=x,format=qcow2",
                                 "-drive file=blkdebug:conf:x",
                                 "-drive file=x,werror=stop",
                                 "-drive file=x,cache=none",
                                 "-drive if=ide",
                                 "-global isa-fdc.fallback=x",
                                 "-blockdev driver=qcow2,node-name=x,file=y",
                                 "-serial chardev:x",
                                 "-mon chardev=x,mode=control",
                                 "-smp 0",
                                 "-m 4096",
                                 "-uuid x",
                                 "-display sdl",
                                 "-nic tap",
                                 "-netdev tap,id=x",
                                 "-qtest-log",
                                 "-qtest tcp:1"}) {
    std::vector<std::string_view> words;
    const std::string_view text{line};
    const auto space = text.find(' ');
    words.push_back(text.substr(0, space));
    if (space != std::string_view::npos) {
      words.push_back(text.substr(space + 1));
    }
    BOOST_TEST_CONTEXT(line) {
      const std::string message = why(words);
      BOOST_TEST(!message.empty());
      BOOST_TEST(message.find('\n') == std::string::npos);
    }
  }
  BOOST_TEST(parse_options({}).has_error());
}

BOOST_AUTO_TEST_CASE(drives_take_the_places_that_qemu_gives_them) {
  const std::vector<std::string_view> arguments{
      "-qtest",  "unix:/q",
      "-drive",  "file=/a,if=ide",
      "-drive",  "file=/b",
      "-drive",  "file=/c,if=none,id=c",
      "-device", "ide-hd,drive=c,bus=ide.1,unit=1,serial=s",
      "-device", "ide-cd,bus=ide.1",
      "-global", "ide-hd.serial=g"};
  const auto parsed = parse_options(arguments);
  BOOST_TEST_REQUIRE(parsed.has_value());
  BOOST_TEST(parsed->qtest == "/q");
  std::array<DiskConfig, 4> disks;
  for (const DiskConfig& disk : parsed->machine.disks) {
    disks.at(disk.index) = disk;
  }
  BOOST_TEST(disks[0].path == "/a");
  BOOST_TEST(disks[0].serial == "g");
  BOOST_TEST(disks[1].path == "/b");
  BOOST_TEST(disks[2].cdrom);
  BOOST_TEST(disks[3].path == "/c");
  BOOST_TEST(disks[3].serial == "s");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::qtest
