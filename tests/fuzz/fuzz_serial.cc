// SPDX-License-Identifier: MIT
// Who uses a serial line comes and goes: a real chip in each of its modes, on a real backend of
// this host, a guest at its registers, and clients that connect, type, read, stop reading, say that
// no more comes, and leave, all between two turns of the loop or after many.
#include "core/irq/irq_line.h"
#include "core/obs/log.h"
#include "core/time/timer.h"
#include "devices/uart16550/uart.h"
#include "platform/linux/chardev/chardev.h"
#include "platform/linux/loop/loop.h"
#include "platform/sim/sim_platform.h"
#include "tests/fuzz/input.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dm::fuzz {

namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): 1ms reads better

// PC16550D, "Summary of Registers".
constexpr unsigned kData = 0;
constexpr unsigned kFcr = 2;
constexpr unsigned kLcr = 3;
constexpr unsigned kMcr = 4;
constexpr unsigned kLsr = 5;
constexpr unsigned kMsr = 6;
constexpr std::uint8_t kDataReady = 0x01;
constexpr std::uint8_t kThre = 0x20;
constexpr std::uint8_t kCtsDsrDcd = 0xb0;
constexpr std::size_t kMostWaiting = 16384;
constexpr std::size_t kClients = 4;

std::uint64_t epoll_changes = 0;
bool no_timers = false;  ///< a reader that does not read is given up at once, not after a second

std::size_t open_descriptors() {
  std::size_t count = 0;
  if (DIR* const all = ::opendir("/proc/self/fd"); all != nullptr) {
    while (::readdir(all) != nullptr) {
      ++count;
    }
    ::closedir(all);
  }
  return count;
}

/// Names for sockets and pipes; gone with the process.
class Place {
 public:
  Place() {
    require(::mkdtemp(directory_.data()) != nullptr, "a directory can be made");
    require(::mkfifo((pipe() + ".in").c_str(), 0600) == 0, "a pipe can be made");
    require(::mkfifo((pipe() + ".out").c_str(), 0600) == 0, "a pipe can be made");
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    ::unlink((pipe() + ".in").c_str());
    ::unlink((pipe() + ".out").c_str());
    ::unlink(socket().c_str());
    ::rmdir(directory_.c_str());
  }
  [[nodiscard]] std::string socket() const { return directory_ + "/s"; }
  [[nodiscard]] std::string pipe() const { return directory_ + "/p"; }

 private:
  std::string directory_ = "/tmp/stubdm-fuzz-XXXXXX";
};

enum class Kind { socket, pipe, pty };

class World {
 public:
  World(const Place& place, Kind kind) : place_{place}, kind_{kind} {
    auto opened = host::open_chardev(loop_, kind == Kind::socket
                                                ? "unix:" + place.socket() + ",server=on,wait=off"
                                            : kind == Kind::pipe ? "pipe:" + place.pipe()
                                                                 : "pty");
    require(opened.has_value(), "a backend can be opened");
    line_ = std::move(*opened);
    chip_.emplace(*line_, timers_, irq_);
  }

  void step(Input& in) {
    switch (in.below(12)) {
      case 0:
        chip_->write(in.below(8), in.byte());
        break;
      case 1:
        static_cast<void>(chip_->read(in.below(8)));
        break;
      case 2:
        print(std::string(1 + in.below(64), 'x'));
        break;
      case 3:  // rep outsb, until the line takes no more
        print(std::string(std::size_t{1} + in.byte() * 256U, 'y'));
        break;
      case 4:
        read(1 + in.below(64));
        break;
      case 5:
        come(in.below(kClients));
        break;
      case 6:
        type(in.below(kClients), 1 + in.byte());
        break;
      case 7:
        listen(in.below(kClients), std::size_t{1} + in.byte() * 256U);
        break;
      case 8:
        if (int& fd = clients_.at(in.below(kClients)); fd >= 0 && kind_ == Kind::socket) {
          ::shutdown(fd, in.flag() ? SHUT_WR : SHUT_RDWR);
        }
        break;
      case 9:
        leave(in.below(kClients));
        break;
      case 10:
        loop_.wait(0ns);
        break;
      default:
        switch (in.below(4)) {
          case 0:
            chip_->pause();
            break;
          case 1:
            chip_->resume();
            break;
          case 2:
            no_timers = in.flag();
            break;
          default:
            clock_.advance(std::chrono::microseconds{100});
            timers_.run_due();
        }
    }
  }
  void check() const {
    require(validate(chip_->state()), "the chip's state is valid");
    require(line_->output().waiting <= kMostWaiting, "waiting output is bounded");
  }
  /// Everybody leaves. Whatever has happened, the line is then one on which nobody has ever been,
  /// and the next one who comes gets what is printed from then on.
  void finish() {
    chip_->resume();
    for (std::size_t i = 0; i < kClients; ++i) {
      leave(i);
    }
    settle();
    chip_->write(kMcr, 0x03);
    chip_->write(kLcr, 0x03);
    chip_->write(kFcr, 0x01);
    clock_.advance(1s);
    timers_.run_due();
    check_nobody_there();
    read_all_typed();
    no_timers = false;
    check_next();
  }
  ~World() {
    for (const int fd : clients_) {
      if (fd >= 0) {
        ::close(fd);
      }
    }
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

 private:
  // The guest
  void print(const std::string& text) {
    if (chip_->data_selected()) {
      chip_->write_data(std::as_bytes(std::span{text}));
    }
  }
  void read(std::size_t count) {
    while (count-- != 0 && chip_->data_selected() && (chip_->read_lsr() & kDataReady) != 0) {
      static_cast<void>(chip_->read(kData));
    }
  }
  // The clients
  void come(std::size_t i) {
    int& fd = clients_.at(i);
    if (fd >= 0) {
      return;
    }
    constexpr int kFlags = O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
    if (kind_ == Kind::pty) {
      fd = ::open(std::string{line_->description().substr(4)}.c_str(), O_RDWR | kFlags);
    } else if (kind_ == Kind::pipe) {
      fd = ::open((place_.pipe() + ".out").c_str(), O_RDONLY | kFlags);
    } else {
      fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      place_.socket().copy(address.sun_path, sizeof address.sun_path - 1);
      if (::connect(fd, static_cast<const sockaddr*>(static_cast<const void*>(&address)),
                    sizeof address) != 0) {
        ::close(std::exchange(fd, -1));  // as many wait as may
      }
    }
  }
  void type(std::size_t i, std::size_t count) {
    if (const int fd = clients_.at(i); fd >= 0 && kind_ != Kind::pipe) {
      const std::string keys(count, 'k');
      const ssize_t typed = ::write(fd, keys.data(), keys.size());
      typed_ += typed > 0 ? static_cast<std::size_t>(typed) : 0;
    }
  }
  std::string listen(std::size_t i, std::size_t count) {
    std::string seen(count, '\0');
    const int fd = clients_.at(i);
    const ssize_t got = fd >= 0 ? ::read(fd, seen.data(), seen.size()) : 0;
    seen.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return seen;
  }
  void leave(std::size_t i) {
    if (int& fd = clients_.at(i); fd >= 0) {
      ::close(std::exchange(fd, -1));
    }
  }

  void settle() {
    unsigned turns = 0;
    for (unsigned quiet = 0; quiet < 3;) {
      const std::uint64_t before = loop_.counters().handlers;
      loop_.wait(0ns);
      quiet = loop_.counters().handlers == before ? quiet + 1 : 0;
      require(++turns < 1000, "the loop comes to rest");
    }
  }
  void check_nobody_there() {
    settle();
    require((chip_->read(kLsr) & kThre) != 0, "THRE comes back when the reader has gone");
    if (kind_ == Kind::socket) {
      require((chip_->read(kMsr) & kCtsDsrDcd) == 0, "DCD, DSR and CTS fall");
    }
    const host::Loop::Counters before = loop_.counters();
    const host::CharCounters line = line_->counters();
    const std::uint64_t changes = epoll_changes;
    for (unsigned i = 0; i < 17; ++i) {
      print(std::string(1024, 'z'));
      require((chip_->read(kLsr) & kThre) != 0, "nobody holds the guest back");
      loop_.wait(0ns);
    }
    require(line_->counters().writes == line.writes, "nothing is written to nobody");
    require(epoll_changes == changes, "nothing is asked of nobody");
    // A thread of the kernel carries a terminal's bytes, in pieces, and on a busy machine after
    // their writer has gone. Each piece may wake the process, and so may the end, and its sequel.
    const std::uint64_t late = kind_ == Kind::pty ? 2 + (line_->counters().input - line.input) : 0;
    require(loop_.counters().wakeups <= before.wakeups + late, "nobody wakes the process");
    require(line_->output().waiting == (kind_ == Kind::socket ? 0 : kMostWaiting),
            "what is kept is the newest output");
  }
  /// What those who have left had typed is the guest's, and has an end.
  void read_all_typed() {
    for (std::size_t i = 0; i <= typed_ / 16 + 16; ++i) {
      read(64);
      loop_.wait(0ns);
    }
    require(line_->counters().input <= typed_, "nothing is read that nobody typed");
    require(chip_->state().rx.empty(), "what was typed has an end");
  }
  void check_next() {
    come(0);
    require(clients_[0] >= 0, "the next one can come");
    settle();
    if (kind_ == Kind::socket) {
      require((chip_->read(kMsr) & kCtsDsrDcd) == kCtsDsrDcd, "DCD, DSR and CTS rise");
    }
    std::string seen;
    const auto end = std::chrono::steady_clock::now() + 5s;
    const auto hear_until = [&](char last) {
      while (!seen.ends_with(last) && std::chrono::steady_clock::now() < end) {
        loop_.wait(kind_ == Kind::pty ? 1ms : 0ns);
        seen += listen(0, kMostWaiting);
      }
    };
    print("A");  // behind what was kept
    hear_until('A');
    require(kind_ != Kind::socket || seen == "A", "nothing stale comes first");
    seen.clear();
    for (const char c : std::string_view{"HELLO"}) {
      print({&c, 1});
      loop_.wait(0ns);
    }
    hear_until('O');
    require(seen == "HELLO", "the next one gets the first line whole");
    leave(0);
    check_nobody_there();
  }

  const Place& place_;
  const Kind kind_;
  sim::SimClock clock_;
  sim::SimIrqs sim_irqs_;
  TimerQueue timers_{clock_};
  IrqRouter irqs_{sim_irqs_};
  IrqLine irq_{irqs_.isa(4)};
  host::Loop loop_;
  std::unique_ptr<host::Chardev> line_;
  std::optional<uart16550::Uart16550> chip_;
  std::array<int, kClients> clients_{-1, -1, -1, -1};
  std::size_t typed_ = 0;
};

void run(Input in) {
  static const Place place;
  log::set_sink([](log::Level, std::string_view) noexcept {});
  no_timers = false;
  const std::size_t before = open_descriptors();
  constexpr std::array kKinds{Kind::socket, Kind::socket, Kind::socket, Kind::socket,
                              Kind::socket, Kind::socket, Kind::pipe,   Kind::pty};
  {
    World world{place, kKinds.at(in.below(kKinds.size()))};
    while (!in.empty()) {
      world.step(in);
      world.check();
    }
    world.finish();
  }
  require(open_descriptors() == before, "nothing stays open");
}

}  // namespace

}  // namespace dm::fuzz

// Before libc's, for the whole program: what is asked of the kernel is counted, and refused.
extern "C" int epoll_ctl(int set, int what, int fd, epoll_event* event) noexcept {
  ++dm::fuzz::epoll_changes;
  return static_cast<int>(::syscall(SYS_epoll_ctl, set, what, fd, event));
}
extern "C" int timerfd_create(int clock, int flags) noexcept {
  if (dm::fuzz::no_timers) {
    errno = EMFILE;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_timerfd_create, clock, flags));
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dm::fuzz::run(dm::fuzz::Input{data, size});
  return 0;
}
