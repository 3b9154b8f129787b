// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/unique_fd.h"

#include <boost/json/object.hpp>

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dm::qtest {

/// A directory that goes with its owner.
class TempDirectory {
 public:
  TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  ~TempDirectory();

  [[nodiscard]] std::string path(std::string_view name) const { return (at_ / name).string(); }
  /// A sparse file of that size; what it is called.
  [[nodiscard]] std::string image(std::string_view name, std::uint64_t bytes) const;

 private:
  std::filesystem::path at_;
};

/// What QEMU's libqtest is to a test: starts the server by a shell with two sockets to connect to,
/// shakes hands, speaks both protocols, and at the end sends SIGTERM and wants exit status 0. Every
/// answer has to come within a minute. Throws std::runtime_error on whatever libqtest would abort
/// for.
class Client {
 public:
  /// `arguments` as a shell cuts them.
  explicit Client(const std::string& arguments);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();
  /// The end as a test wants it: SIGTERM; the exit status.
  int quit();

  /// One line there, one answer back without its "OK "; interrupt lines before it are noted.
  std::string command(const std::string& line);
  /// The same, FAIL and all.
  std::string raw(const std::string& line);
  /// Bytes for QMP as they are, and whether the server ends that connection, within five seconds.
  void qmp_text(std::string_view text);
  [[nodiscard]] bool qmp_hangs_up();

  [[nodiscard]] std::uint8_t inb(std::uint16_t port) { return in<std::uint8_t>("inb", port); }
  [[nodiscard]] std::uint16_t inw(std::uint16_t port) { return in<std::uint16_t>("inw", port); }
  [[nodiscard]] std::uint32_t inl(std::uint16_t port) { return in<std::uint32_t>("inl", port); }
  void outb(std::uint16_t port, std::uint8_t value) { out("outb", port, value); }
  void outw(std::uint16_t port, std::uint16_t value) { out("outw", port, value); }
  void outl(std::uint16_t port, std::uint32_t value) { out("outl", port, value); }
  [[nodiscard]] std::uint32_t readl(std::uint64_t address);
  void writel(std::uint64_t address, std::uint32_t value);
  [[nodiscard]] std::vector<std::byte> memory(std::uint64_t address, std::size_t size);
  void memory(std::uint64_t address, std::span<const std::byte> bytes);
  std::uint64_t clock_step(std::uint64_t ns);
  /// Moves the clock in steps until something holds, as a driver that waits; false: not within half
  /// a minute of real time, which is what the server's disks and sockets take.
  template <class Holds>
  [[nodiscard]] bool eventually(std::uint64_t step_ns, Holds holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end) {
        return false;
      }
      clock_step(step_ns);
    }
    return true;
  }
  void intercept() { command("irq_intercept_in ioapic"); }
  /// The last level told, after a port access that brings it up to date.
  [[nodiscard]] bool irq(unsigned pin);

  /// One QMP command; its answer. Events that come before it are kept.
  boost::json::object qmp(const std::string& command);
  std::string hmp(const std::string& line);
  /// Waits for one.
  boost::json::object event(std::string_view name);

 private:
  template <class T>
  T in(const char* name, std::uint16_t port) {
    return static_cast<T>(number(name, port));
  }
  [[nodiscard]] std::uint64_t number(const char* name, std::uint64_t address);
  void out(const char* name, std::uint64_t address, std::uint64_t value);
  static std::string read_line(int fd, std::string& buffer);
  static void write_all(int fd, std::string_view text);
  boost::json::object qmp_message();

  TempDirectory directory_;
  pid_t server_ = -1;
  host::UniqueFd qtest_;
  host::UniqueFd qmp_;
  std::string qtest_in_;
  std::string qmp_in_;
  std::array<bool, 256> pins_{};
  std::vector<boost::json::object> events_;
};

/// A PCI function as libqos sees one: mechanism 1, register numbers whole in the address port, BARs
/// placed from C000h and E0000000h on.
class PciDevice {
 public:
  PciDevice(Client& client, unsigned device, unsigned function)
      : client_{client}, address_{0x80000000U | device << 11U | function << 8U} {}

  [[nodiscard]] std::uint8_t byte(std::uint8_t reg) { return at(reg).inb(0xcfc); }
  [[nodiscard]] std::uint16_t word(std::uint8_t reg) { return at(reg).inw(0xcfc); }
  [[nodiscard]] std::uint32_t dword(std::uint8_t reg) { return at(reg).inl(0xcfc); }
  void byte(std::uint8_t reg, std::uint8_t value) { at(reg).outb(0xcfc, value); }
  void word(std::uint8_t reg, std::uint16_t value) { at(reg).outw(0xcfc, value); }
  void dword(std::uint8_t reg, std::uint32_t value) { at(reg).outl(0xcfc, value); }

  /// Sizes BAR `number` and places it at `where`; its size in bytes.
  std::uint32_t place(unsigned number, std::uint32_t where);
  /// I/O, memory, bus master: they have to stay.
  void enable();

 private:
  Client& at(std::uint8_t reg) {
    client_.outl(0xcf8, address_ | reg);
    return client_;
  }
  Client& client_;
  std::uint32_t address_;
};

}  // namespace dm::qtest
