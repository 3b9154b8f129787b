// SPDX-License-Identifier: MIT
#include "tests/qtest/client.h"

#include "tests/qtest/encoding.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bit>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace dm::qtest {

namespace {

constexpr int kPatience = 60'000;  // ms

[[noreturn]] void broken(const std::string& why) {
  throw std::runtime_error("qtest: " + why);
}

std::string hex(std::uint64_t value) {
  std::array<std::byte, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::byte>(value >> (56 - 8 * i) & 0xffU);
  }
  return "0x" + to_hex(bytes);
}

host::UniqueFd listen_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  host::UniqueFd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.get(), 1) != 0) {
    broken("cannot listen at " + path);
  }
  return socket;
}

void wait_readable(int fd) {
  pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
  if (::poll(&wanted, 1, kPatience) != 1) {
    broken("the server does not answer");
  }
}

host::UniqueFd accept_from(const host::UniqueFd& listener) {
  wait_readable(listener.get());
  return host::UniqueFd{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
}

}  // namespace

TempDirectory::TempDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "qtest-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    broken("no temporary directory");
  }
  at_ = name;
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(at_, ignored);
}

std::string TempDirectory::image(std::string_view name, std::uint64_t bytes) const {
  std::ofstream{path(name)}.close();
  std::filesystem::resize_file(path(name), bytes);
  return path(name);
}

Client::Client(const std::string& arguments) {
  const auto qtest = listen_at(directory_.path("qtest.sock"));
  const auto qmp = listen_at(directory_.path("qtest.qmp"));
  const std::string line =
      "exec " DM_QTEST_SERVER " -qtest unix:" + directory_.path("qtest.sock") +
      " -qtest-log /dev/null -chardev socket,path=" + directory_.path("qtest.qmp") +
      ",id=char0 -mon chardev=char0,mode=control -display none " + arguments + " -accel qtest";
  server_ = ::fork();
  if (server_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
    std::_Exit(127);
  }
  try {
    qtest_ = accept_from(qtest);
    qmp_ = accept_from(qmp);
    if (command("endianness") != "little") {
      broken("the guest is not little-endian");
    }
    if (!qmp_message().contains("QMP") ||
        !this->qmp(R"({"execute":"qmp_capabilities"})").contains("return")) {
      broken("QMP does not greet");
    }
  } catch (...) {
    ::kill(server_, SIGKILL);
    ::waitpid(server_, nullptr, 0);
    throw;
  }
}

Client::~Client() {
  if (server_ > 0) {
    ::kill(server_, SIGKILL);  // a test that ended well has called quit()
    ::waitpid(server_, nullptr, 0);
  }
}

int Client::quit() {
  ::kill(server_, SIGTERM);
  for (int i = 0; i < kPatience / 10; ++i) {
    int status = 0;
    if (::waitpid(server_, &status, WNOHANG) == server_) {
      server_ = -1;
      return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  broken("the server does not end");
}

std::string Client::read_line(int fd, std::string& buffer) {
  std::size_t end = 0;
  while ((end = buffer.find('\n')) == std::string::npos) {
    wait_readable(fd);
    std::array<char, 65536> bytes;
    const auto got = ::recv(fd, bytes.data(), bytes.size(), 0);
    if (got <= 0) {
      broken("the server has gone");
    }
    buffer.append(bytes.data(), static_cast<std::size_t>(got));
  }
  std::string line = buffer.substr(0, end);
  buffer.erase(0, end + 1);
  return line;
}

void Client::write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      broken("the server does not listen");
    }
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void Client::qmp_text(std::string_view text) {
  write_all(qmp_.get(), text);
}

bool Client::qmp_hangs_up() {
  std::array<char, 4096> ignored;
  for (;;) {
    pollfd wanted{.fd = qmp_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&wanted, 1, 5000) != 1) {
      return false;
    }
    if (::recv(qmp_.get(), ignored.data(), ignored.size(), 0) <= 0) {
      return true;
    }
  }
}

std::string Client::raw(const std::string& line) {
  write_all(qtest_.get(), line + "\n");
  while (true) {
    std::string answer = read_line(qtest_.get(), qtest_in_);
    constexpr std::string_view kRaise = "IRQ raise ";
    constexpr std::string_view kLower = "IRQ lower ";
    if (!answer.starts_with("IRQ ")) {
      return answer;
    }
    const bool high = answer.starts_with(kRaise);
    if (!high && !answer.starts_with(kLower)) {
      broken(answer);
    }
    pins_.at(std::stoul(answer.substr(kRaise.size()))) = high;
  }
}

std::string Client::command(const std::string& line) {
  const std::string answer = raw(line);
  if (answer != "OK" && !answer.starts_with("OK ")) {
    broken(line.substr(0, 60) + ": " + answer);
  }
  return answer.size() > 3 ? answer.substr(3) : std::string{};
}

std::uint64_t Client::number(const char* name, std::uint64_t address) {
  const auto value = parse_number(command(name + std::string{" "} + hex(address)));
  if (!value) {
    broken("not a number");
  }
  return *value;
}

void Client::out(const char* name, std::uint64_t address, std::uint64_t value) {
  command(name + std::string{" "} + hex(address) + " " + hex(value));
}

std::uint32_t Client::readl(std::uint64_t address) {
  return static_cast<std::uint32_t>(number("readl", address));
}

void Client::writel(std::uint64_t address, std::uint32_t value) {
  out("writel", address, value);
}

std::vector<std::byte> Client::memory(std::uint64_t address, std::size_t size) {
  const auto text = command("read " + hex(address) + " " + hex(size));
  const auto bytes = from_hex(text, size);
  if (!bytes || text.size() != 2 + 2 * size) {
    broken("not so many bytes");
  }
  return *bytes;
}

void Client::memory(std::uint64_t address, std::span<const std::byte> bytes) {
  command("write " + hex(address) + " " + hex(bytes.size()) + " 0x" + to_hex(bytes));
}

std::uint64_t Client::clock_step(std::uint64_t ns) {
  return std::stoull(command("clock_step " + std::to_string(ns)));
}

bool Client::irq(unsigned pin) {
  (void)inb(0);
  return pins_.at(pin);
}

boost::json::object Client::qmp_message() {
  return boost::json::parse(read_line(qmp_.get(), qmp_in_)).as_object();
}

boost::json::object Client::qmp(const std::string& command) {
  write_all(qmp_.get(), command + "\n");
  while (true) {
    auto message = qmp_message();
    if (!message.contains("event")) {
      return message;
    }
    events_.push_back(std::move(message));
  }
}

std::string Client::hmp(const std::string& line) {
  const boost::json::object request{{"execute", "human-monitor-command"},
                                    {"arguments", {{"command-line", line}}}};
  return std::string{qmp(boost::json::serialize(request)).at("return").as_string()};
}

boost::json::object Client::event(std::string_view name) {
  while (true) {
    if (events_.empty()) {
      events_.push_back(qmp_message());
    }
    auto next = std::move(events_.front());
    events_.erase(events_.begin());
    if (next.contains("event") && next.at("event").as_string() == name) {
      return next;
    }
  }
}

std::uint32_t PciDevice::place(unsigned number, std::uint32_t where) {
  const auto reg = static_cast<std::uint8_t>(0x10 + 4 * number);
  dword(reg, 0xffffffff);
  const std::uint32_t mask = dword(reg);
  const bool io = (mask & 1U) != 0;
  const std::uint32_t bits = mask & (io ? ~3U : ~15U);
  if (bits == 0) {
    broken("no such BAR");
  }
  dword(reg, where | (io ? 1U : 0U));
  return 1U << static_cast<unsigned>(std::countr_zero(bits));
}

void PciDevice::enable() {
  word(0x04, static_cast<std::uint16_t>(word(0x04) | 7U));
  if ((word(0x04) & 7U) != 7U) {
    broken("the command register does not keep its bits");
  }
}

}  // namespace dm::qtest
