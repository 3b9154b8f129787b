// SPDX-License-Identifier: MIT
// Damaged command lines: whatever comes, the answer is a machine or a message, soon and of bounded
// size. Run under the sanitizers.
#include "tests/unit/platform/toolstack/golden.h"

#include <random>
#include <set>

namespace dm::toolstack::test {
namespace {

const Golden kLarge = {
    .vnc = {"-vnc", "127.0.0.1:0,to=99"},
    .serial = {"-serial", "pty", "-serial", "file:/tmp/x"},
    .usb_sound_acpi = {"-no-acpi"},
    .smp = {"-smp", "2,maxcpus=4"},
    .nics = {"-device", "e1000,id=nic0,netdev=net0,mac=00:16:3e:11:22:33", "-netdev",
             "type=tap,id=net0,ifname=vif7.0-emu,br=xenbr0,script=no,downscript=no"},
    .restrict = {"-xen-domid-restrict", "-chroot", "/var/run/xen/qemu-root-7"},
    .incoming = {"-incoming", "fd:23"},
    .disks = {"-drive", "file=/dev/vg/guest,if=ide,index=0,media=disk,format=raw,cache=writeback",
              "-drive", "if=none,readonly=on,id=ide-5632,file=/a.iso,format=raw", "-device",
              "ide-cd,id=ide-5632,drive=ide-5632,bus=ide.1,unit=0"},
    .last = {"-runas", "qemu"}};

class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_{seed} {}

  std::vector<std::string> mutate(const Arguments& from) {
    std::vector<std::string> to{from.begin(), from.end()};
    for (std::size_t rounds = 1 + below(4); rounds != 0; --rounds) {
      change(to);
    }
    return to;
  }

 private:
  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>{0, n - 1}(random_);
  }

  void change(std::vector<std::string>& args) {
    if (args.empty()) {
      return;
    }
    std::string& one = args[below(args.size())];
    const std::size_t at = below(one.size() + 1);
    switch (below(9)) {
      case 0:
        args.erase(args.begin() + static_cast<std::ptrdiff_t>(below(args.size())));
        break;
      case 1:
        args.push_back(one);
        break;
      case 2:
        std::swap(one, args[below(args.size())]);
        break;
      case 3:
        one.resize(at);
        break;
      case 4:
        one.insert(at, 1, static_cast<char>(below(256)));
        break;
      case 5:
        one.insert(at, std::string(1 + below(3), ",=:-/"[below(5)]));
        break;
      case 6:
        one += one;
        break;
      case 7:
        one.insert(at, "99999999999999999999999");
        break;
      default:
        if (at < one.size()) {
          one[at] = static_cast<char>(one[at] ^ (1 << below(8)));
        }
        break;
    }
  }

  std::mt19937 random_;
};

BOOST_AUTO_TEST_SUITE(command_line_mutations)

BOOST_AUTO_TEST_CASE(any_damage_ends_in_a_machine_or_in_a_message) {
  BOOST_TEST_REQUIRE(parse(kLarge).has_value());
  unsigned machines = 0;
  unsigned messages = 0;
  for (unsigned seed = 0; seed < 20'000; ++seed) {
    const auto owned =
        Mutator{seed}.mutate(seed % 2 == 0 ? kLarge.arguments() : Golden{}.arguments());
    const Arguments args{owned.begin(), owned.end()};
    const auto result = parse(args);
    if (!result) {
      ++messages;
      BOOST_TEST_REQUIRE(!result.error().message.empty());
      BOOST_TEST_REQUIRE(result.error().message.size() < 16'384U);
      continue;
    }
    ++machines;
    const MachineConfig& machine = result->config;
    BOOST_TEST_REQUIRE((machine.domid >= 1 && machine.domid < 0x7ff0));
    BOOST_TEST_REQUIRE((machine.vcpus_online >= 1 && machine.vcpus_online <= machine.vcpus_max));
    BOOST_TEST_REQUIRE(machine.vcpus_max <= 128U);
    BOOST_TEST_REQUIRE((!machine.boot_order.empty() && machine.boot_order.size() <= 3));
    std::set<unsigned> places;
    for (const DiskConfig& disk : machine.disks) {
      BOOST_TEST_REQUIRE(disk.index < 4U);
      BOOST_TEST_REQUIRE(places.insert(disk.index).second);
      BOOST_TEST_REQUIRE((disk.cdrom || !disk.path.empty()));
    }
    for (const NicConfig& nic : machine.nics) {
      BOOST_TEST_REQUIRE((nic.tap_fd >= 0 || !nic.tap_name.empty()));
      BOOST_TEST_REQUIRE(nic.tap_name.size() <= 15U);
    }
    for (const QmpSocketConfig& qmp : machine.qmp) {
      BOOST_TEST_REQUIRE((qmp.fd >= 0) != (!qmp.path.empty()));
    }
  }
  // The damage must reach both ends, or this test tests nothing.
  BOOST_TEST(machines > 500U);
  BOOST_TEST(messages > 5000U);
}

BOOST_AUTO_TEST_CASE(every_beginning_of_a_command_line_is_answered) {
  const Arguments whole = kLarge.arguments();
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    const auto result =
        parse(Arguments{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
    BOOST_TEST((result.has_value() || !result.error().message.empty()));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
