// SPDX-License-Identifier: MIT
// Of QEMU's i440fx-test, hd-geo-test and fw_cfg-test what the server itself has a part in, and a
// serial port; over the same protocol.
#include "tests/qtest/client.h"

#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstring>
#include <optional>

namespace dm::qtest {
namespace {

BOOST_AUTO_TEST_SUITE(machine)

BOOST_AUTO_TEST_CASE(functions_that_are_not_there_read_all_ones) {
  Client client{"-machine pc"};
  for (const unsigned device : {2U, 3U, 4U, 31U}) {
    BOOST_TEST(PciDevice(client, device, 0).word(0x00) == 0xffff);
  }
  client.outl(0xcf8, 0x80010000);  // bus 1
  BOOST_TEST(client.inl(0xcfc) == 0xffffffffU);
  client.outl(0xcf8, 0x00000000);  // not enabled: not a configuration cycle
  BOOST_TEST(client.inl(0xcfc) == 0xffffffffU);
  BOOST_TEST(client.quit() == 0);
  Client xen{"-machine xenfv"};
  BOOST_TEST(PciDevice(xen, 2, 0).dword(0x00) == 0x00015853U);
  BOOST_TEST(xen.quit() == 0);
}

struct Geometry {
  unsigned cylinders;
  unsigned heads;
  unsigned sectors;
};

std::uint8_t cmos(Client& client, std::uint8_t at) {
  client.outb(0x70, at);
  return client.inb(0x71);
}

void check_cmos_disks(Client& client,
                      const std::optional<Geometry>& first,
                      const std::optional<Geometry>& second) {
  BOOST_TEST(cmos(client, 0x12) == ((first ? 0xf0 : 0) | (second ? 0x0f : 0)));
  BOOST_TEST(cmos(client, 0x19) == (first ? 47 : 0));
  BOOST_TEST(cmos(client, 0x1a) == (second ? 47 : 0));
  std::uint8_t at = 0x1b;
  for (const auto& disk : {first, second}) {
    const Geometry g = disk.value_or(Geometry{0, 0, 0});
    const unsigned ones = disk ? 0xff : 0;
    const unsigned control = disk ? 0xc0U | (g.heads > 8 ? 8U : 0U) : 0U;
    for (const unsigned wanted : {g.cylinders & 0xffU, g.cylinders >> 8U, g.heads, ones, ones,
                                  control, g.cylinders & 0xffU, g.cylinders >> 8U, g.sectors}) {
      BOOST_TEST(cmos(client, at) == wanted);
      ++at;
    }
  }
}

BOOST_AUTO_TEST_CASE(cmos_knows_the_geometry_of_both_disks_and_no_cd_roms) {
  const TempDirectory directory;
  const std::string small = directory.image("small", std::uint64_t{61440} * 512);
  const std::string large = directory.image("large", std::uint64_t{8388608} * 512);
  const Geometry of_small{60, 16, 63};
  const Geometry of_large{8322, 16, 63};
  // Translation, two bits for each disk: none, and LBA where there are more than 1024 cylinders.
  Client drives{"-nodefaults -machine pc -drive id=drive0,if=ide,index=0,format=raw,file=" + small +
                " -drive id=drive1,if=ide,index=1,format=raw,file=" + large +
                " -drive id=drive2,if=ide,index=2,media=cdrom"};
  check_cmos_disks(drives, of_small, of_large);
  BOOST_TEST(cmos(drives, 0x39) == 0x04);
  BOOST_TEST(drives.quit() == 0);
  Client devices{"-nodefaults -machine pc -drive id=drive0,if=none,format=raw,file=" + small +
                 " -device ide-hd,drive=drive0,bus=ide.0,unit=0"
                 " -drive id=drive1,if=none,format=raw,file=" +
                 large +
                 " -device ide-hd,drive=drive1,bus=ide.0,unit=1"
                 " -drive id=drive2,if=none,media=cdrom"
                 " -device ide-cd,drive=drive2,bus=ide.1,unit=0"};
  check_cmos_disks(devices, of_small, of_large);
  BOOST_TEST(cmos(devices, 0x39) == 0x04);
  BOOST_TEST(devices.quit() == 0);
  Client cd_first{"-nodefaults -machine pc -drive id=drive2,if=ide,index=2,format=raw,file=" +
                  small + " -drive id=drive1,if=ide,index=1,format=raw,file=" + large +
                  " -drive id=drive0,if=ide,index=0,media=cdrom"};
  check_cmos_disks(cd_first, {}, of_large);
  BOOST_TEST(cmos(cd_first, 0x39) == 0x04);
  BOOST_TEST(cd_first.quit() == 0);
}

BOOST_AUTO_TEST_CASE(fw_cfg_tells_memory_and_processors) {
  Client client{"-m 256 -smp 2"};
  const auto item = [&](std::uint16_t key, std::size_t bytes) {
    client.outw(0x510, key);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      value |= std::uint64_t{client.inb(0x511)} << (8 * i);
    }
    return value;
  };
  BOOST_TEST(item(0x00, 4) == 0x554d4551U);  // "QEMU"
  BOOST_TEST(item(0x01, 4) == 1U);
  BOOST_TEST(item(0x03, 8) == std::uint64_t{256} << 20);
  BOOST_TEST(item(0x05, 2) == 2U);
  BOOST_TEST(item(0x0f, 2) == 2U);
  BOOST_TEST(item(0x19, 4) == 0U);  // no files
  BOOST_TEST(client.quit() == 0);
}

BOOST_AUTO_TEST_CASE(a_serial_port_talks_to_the_tests_socket_both_ways) {
  const TempDirectory directory;
  const std::string path = directory.path("serial");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const host::UniqueFd listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  BOOST_TEST_REQUIRE(
      ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  BOOST_TEST_REQUIRE(::listen(listener.get(), 1) == 0);
  Client client{"-chardev socket,id=s0,path=" + path + " -serial chardev:s0"};
  const host::UniqueFd line{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  client.intercept();
  client.outb(0x3f9, 0x01);  // IER: received data
  client.outb(0x3fc, 0x08);  // MCR: OUT2 lets the interrupt out
  for (const char c : std::string_view{"hello"}) {
    BOOST_TEST((client.inb(0x3fd) & 0x20) == 0x20);  // LSR: THRE
    client.outb(0x3f8, static_cast<std::uint8_t>(c));
    client.clock_step(1'000'000);
  }
  std::array<char, 5> got{};
  BOOST_TEST(::recv(line.get(), got.data(), got.size(), MSG_WAITALL) == 5);
  BOOST_TEST(std::string(got.data(), got.size()) == "hello");
  BOOST_TEST(!client.irq(4));
  BOOST_TEST(::send(line.get(), "!", 1, MSG_NOSIGNAL) == 1);
  BOOST_TEST(client.eventually(1'000'000, [&] { return client.irq(4); }));
  BOOST_TEST(client.inb(0x3f8) == '!');
  BOOST_TEST(!client.irq(4));
  BOOST_TEST(client.quit() == 0);
}

BOOST_AUTO_TEST_CASE(power_off_and_reset_are_told_by_event) {
  Client off{"-machine pc"};
  PciDevice pm{off, 1, 3};
  pm.dword(0x40, 0xb001);
  pm.byte(0x80, 1);
  off.outw(0xb004, 0x2000);  // PM1a_CNT: SLP_EN, S5
  const auto data = off.event("SHUTDOWN").at("data").as_object();
  BOOST_TEST(data.at("guest").as_bool());
  BOOST_TEST(off.quit() == 0);
  Client reset{"-machine pc"};
  reset.outb(0xcf9, 0x06);
  BOOST_TEST(reset.event("SHUTDOWN").at("data").at("reason").as_string() == "guest-reset");
  BOOST_TEST(reset.quit() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::qtest
