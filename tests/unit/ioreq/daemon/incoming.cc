// SPDX-License-Identifier: MIT
// A guest that was saved goes on in another process: what libxl passes as -incoming fd:F.
#include "ioreq/daemon/incoming.h"

#include "ioreq/machine/machine_state.h"
#include "platform/linux/unique_fd.h"
#include "platform/linux/whole_io.h"
#include "tests/rig/saved_guest_file.h"
#include "tests/unit/ioreq/daemon/saved_machines.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace dm::test {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::chrono::seconds kPatience{10};  // of the test itself

/// A file at its beginning, as libxl opens it.
host::UniqueFd file_of(std::span<const std::byte> bytes) {
  host::UniqueFd file = rig::memory_file(bytes);
  BOOST_REQUIRE(::lseek(file.get(), 0, SEEK_SET) == 0);
  return file;
}

/// As the daemon does it.
Result<> load_from(int fd, Machine& machine) {
  const auto saved = read_incoming(fd);
  return saved ? load_incoming(*saved, machine) : Result<>{saved.error()};
}

Bytes saved(SavedPc& pc) {
  pc.live();
  pc.control->stop();
  return pc.control->save(0);
}

void pass(SavedPc& pc, GuestClock::duration by) {
  pc.clock.advance(by);
  pc.settle();
}

MachineConfig incoming() {
  MachineConfig config = everything();
  config.incoming_fd = 3;
  return config;
}

BOOST_AUTO_TEST_SUITE(incoming_state)

BOOST_AUTO_TEST_CASE(a_guest_goes_on_from_a_file_with_all_its_devices) {
  SavedPc from;
  const Bytes state = saved(from);
  SavedPc to{incoming()};
  BOOST_REQUIRE(load_from(file_of(state).get(), *to.machine).has_value());
  BOOST_TEST((to.control->save(0) == state));
  to.control->cont();
  BOOST_TEST(to.control->running());
  BOOST_TEST(to.inb(0x71) == 0x12);  // the CMOS byte that it was at
}

/// RFC 903, and QEMU's rounds: at once, and 50, 150, 250 and 350 ms apart. Not before cont: the
/// guest may still run where it comes from.
BOOST_AUTO_TEST_CASE(cards_are_announced_from_cont_on_five_times_with_their_address) {
  SavedPc from;
  const Bytes state = saved(from);
  SavedPc to{incoming()};
  BOOST_REQUIRE(load_from(file_of(state).get(), *to.machine).has_value());
  BOOST_TEST(to.cables[0]->sent.empty());
  to.control->cont();
  std::size_t sent = 1;
  for (const int pause : {50, 150, 250, 350}) {
    BOOST_TEST(to.cables[0]->sent.size() == sent);
    pass(to, std::chrono::milliseconds{pause - 1});
    BOOST_TEST(to.cables[0]->sent.size() == sent);
    pass(to, std::chrono::milliseconds{1});
    ++sent;
  }
  pass(to, std::chrono::seconds{10});
  BOOST_TEST(to.cables[0]->sent.size() == 5U);
  for (const auto& frame : to.cables[0]->sent) {
    const Bytes& b = frame.bytes;
    BOOST_REQUIRE(b.size() == 60U);
    const Bytes all(6, std::byte{0xff});
    BOOST_TEST(std::equal(all.begin(), all.end(), b.begin()));
    const Bytes mac{b.begin() + 6, b.begin() + 12};
    BOOST_TEST(
        (mac[0] == std::byte{0x00} && mac[1] == std::byte{0x16} && mac[2] == std::byte{0x3e}));
    const Bytes rest{std::byte{0x80}, std::byte{0x35}, std::byte{0}, std::byte{1}, std::byte{8},
                     std::byte{0},    std::byte{6},    std::byte{4}, std::byte{0}, std::byte{3}};
    BOOST_TEST(std::equal(rest.begin(), rest.end(), b.begin() + 12));
    BOOST_TEST(std::equal(mac.begin(), mac.end(), b.begin() + 22));
    BOOST_TEST(std::equal(mac.begin(), mac.end(), b.begin() + 32));
  }
}

BOOST_AUTO_TEST_CASE(a_guest_that_starts_here_is_not_announced) {
  SavedPc pc;
  pc.live();
  const std::size_t sent = pc.cables[0]->sent.size();
  pc.control->stop();
  pc.control->cont();
  pass(pc, std::chrono::seconds{2});
  BOOST_TEST(pc.cables[0]->sent.size() == sent);
}

BOOST_AUTO_TEST_CASE(what_is_behind_the_state_stays_unread) {
  SavedPc from;
  Bytes state = saved(from);
  const std::size_t length = state.size();
  state.resize(length + 5000, std::byte{0xee});
  const host::UniqueFd file = file_of(state);
  SavedPc to{incoming()};
  BOOST_REQUIRE(load_from(file.get(), *to.machine).has_value());
  BOOST_TEST(::lseek(file.get(), 0, SEEK_CUR) == static_cast<::off_t>(length));
}

/// As QEMU leaves it in dom0 after xl save -c of a stub domain's guest, and then xl save.
BOOST_AUTO_TEST_CASE(the_last_of_several_states_in_a_file_counts) {
  SavedPc from;
  Bytes file = saved(from);
  from.control->cont();
  from.outb(0x70, 0x11);  // another CMOS byte is chosen
  from.control->stop();
  const Bytes last = from.control->save(2048);
  file.insert(file.end(), last.begin(), last.end());
  SavedPc to{incoming()};
  BOOST_REQUIRE(load_from(file_of(file).get(), *to.machine).has_value());
  BOOST_TEST((to.machine->save() == from.machine->save()));
  for (const std::size_t missing : {std::size_t{1}, last.size() - 10}) {
    SavedPc other{incoming()};
    const auto cut = std::span{file}.first(file.size() - missing);
    BOOST_TEST(!load_from(file_of(cut).get(), *other.machine).has_value());
  }
}

BOOST_AUTO_TEST_CASE(padding_belongs_to_a_state_and_means_nothing) {
  SavedPc from;
  saved(from);
  const Bytes padded = from.control->save(2048);
  BOOST_TEST(padded.size() == from.machine->save().size() + 2048);
  BOOST_TEST(saved_state_length(padded).value() == padded.size());
  SavedPc to{incoming()};
  BOOST_REQUIRE(load_from(file_of(padded).get(), *to.machine).has_value());
  BOOST_TEST((to.machine->save() == from.machine->save()));
}

BOOST_AUTO_TEST_CASE(saves_are_numbered) {
  SavedPc pc;
  for (std::uint32_t number = 1; number < 4; ++number) {
    const Bytes state = saved(pc);
    BOOST_TEST(state::read_saved_header(state).value().number == number);
    pc.control->cont();
  }
}

BOOST_AUTO_TEST_CASE(a_state_through_a_console_comes_in_pieces_and_has_no_end) {
  SavedPc from;
  const Bytes state = saved(from);
  std::array<int, 2> ends{};
  BOOST_REQUIRE(::pipe(ends.data()) == 0);
  const host::UniqueFd out{ends[0]};
  const host::UniqueFd in{ends[1]};
  std::thread console{[&] {
    for (auto rest = std::span{state}; !rest.empty();) {
      const auto piece = rest.first(std::min<std::size_t>(256, rest.size()));
      static_cast<void>(host::write_whole(in.get(), piece, kPatience).has_value());
      rest = rest.subspan(piece.size());
    }
  }};
  SavedPc to{incoming()};
  const bool loaded = load_from(out.get(), *to.machine).has_value();
  console.join();
  BOOST_REQUIRE(loaded);
  BOOST_TEST((to.control->save(0) == state));
}

BOOST_AUTO_TEST_CASE(a_state_that_ends_early_or_is_none_is_one_line_that_says_what_is_lost) {
  SavedPc from;
  const Bytes state = saved(from);
  const Bytes qemu{std::byte{'Q'}, std::byte{'E'}, std::byte{'V'}, std::byte{'M'}};
  std::vector<Bytes> bad{
      {}, qemu, {state.begin(), state.begin() + 23}, {state.begin(), state.end() - 1}};
  bad.push_back(state);
  bad.back().back() ^= std::byte{1};
  for (const Bytes& bytes : bad) {
    SavedPc to{incoming()};
    const auto loaded = load_from(file_of(bytes).get(), *to.machine);
    BOOST_REQUIRE(!loaded.has_value());
    const std::string& text = loaded.error().message;
    BOOST_TEST(text.find("cannot go on here") != std::string::npos);
    BOOST_TEST(text.find('\n') == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(who_never_sends_a_state_or_its_rest_is_not_waited_for_for_ever) {
  SavedPc from;
  const Bytes state = saved(from);
  for (const std::size_t sent : {std::size_t{0}, std::size_t{10}, state.size() / 2}) {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    const host::UniqueFd out{ends[0]};
    const host::UniqueFd in{ends[1]};
    const auto piece = std::span{state}.first(sent);
    BOOST_REQUIRE(host::write_whole(in.get(), piece, kPatience).has_value());
    const auto read = read_incoming(out.get(), std::chrono::milliseconds{20});
    BOOST_REQUIRE(!read.has_value());
    BOOST_TEST(read.error().message.find("waiting") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(a_number_that_nobody_has_passed_is_said_at_once) {
  std::array<int, 2> ends{};
  BOOST_REQUIRE(::pipe(ends.data()) == 0);
  BOOST_TEST(::close(ends[1]) == 0);
  const auto closed = adopt_incoming(ends[1]);
  BOOST_REQUIRE(!closed.has_value());
  BOOST_TEST(closed.error().message.find("-incoming fd:" + std::to_string(ends[1])) !=
             std::string::npos);
  const auto open = adopt_incoming(ends[0]);
  BOOST_REQUIRE(open.has_value());
  BOOST_TEST(open->get() == ends[0]);
  BOOST_TEST(::fcntl(ends[0], F_GETFD) == FD_CLOEXEC);
}

BOOST_AUTO_TEST_CASE(a_machine_with_other_devices_refuses_and_says_so) {
  SavedPc from;
  const Bytes state = saved(from);
  MachineConfig other = incoming();
  other.nics.pop_back();
  SavedPc to{other};
  const auto loaded = load_from(file_of(state).get(), *to.machine);
  BOOST_REQUIRE(!loaded.has_value());
  BOOST_TEST(loaded.error().message.find("vif: emulated network cards") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
