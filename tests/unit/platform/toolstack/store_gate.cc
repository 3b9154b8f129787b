// SPDX-License-Identifier: MIT
// The gate between a worker and xenstored. The rules are written again here as a table of what may
// be said and what may not; the gate stands between two sockets of which the test plays both ends.
#include "platform/toolstack/store/store_gate.h"

#include "core/obs/log.h"
#include "platform/toolstack/store/store_rules.h"

#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dm::toolstack::test {
namespace {

using namespace std::string_view_literals;

// Xen public header io/xs_wire.h.
constexpr std::uint32_t kDirectory = 1;
constexpr std::uint32_t kRead = 2;
constexpr std::uint32_t kGetPerms = 3;
constexpr std::uint32_t kWatch = 4;
constexpr std::uint32_t kUnwatch = 5;
constexpr std::uint32_t kTransactionStart = 6;
constexpr std::uint32_t kIntroduce = 8;
constexpr std::uint32_t kRelease = 9;
constexpr std::uint32_t kWrite = 11;
constexpr std::uint32_t kMkdir = 12;
constexpr std::uint32_t kRm = 13;
constexpr std::uint32_t kSetPerms = 14;
constexpr std::uint32_t kIsIntroduced = 17;

bool may(std::uint32_t type, std::string_view payload, std::uint32_t transaction = 0) {
  return may_say(7,
                 {.type = type,
                  .request = 1,
                  .transaction = transaction,
                  .length = static_cast<std::uint32_t>(payload.size())},
                 payload);
}

BOOST_AUTO_TEST_SUITE(store_rules)

BOOST_AUTO_TEST_CASE(both_ends_of_its_own_guests_devices_may_be_looked_at) {
  for (const std::uint32_t type : {kRead, kDirectory, kGetPerms}) {
    for (const std::string_view path :
         {"domid\0"sv, "backend/qdisk/7\0"sv, "backend/qdisk/7/51712/params\0"sv,
          "backend/vkbd/7/0/state\0"sv, "backend/vfb/7\0"sv, "/local/domain/7/console/tty\0"sv,
          "/local/domain/7/device/vbd/51712/ring-ref\0"sv,
          "/local/domain/7/device/vkbd/0/state\0"sv}) {
      BOOST_TEST(may(type, path), path);
    }
  }
}

BOOST_AUTO_TEST_CASE(nothing_else_may_be_looked_at) {
  for (const std::string_view path :
       {"\0"sv, "/\0"sv, "backend\0"sv, "backend/qdisk\0"sv, "backend/qdisk/8\0"sv,
        "backend/qdisk/70\0"sv, "backend/qdisk/07\0"sv, "backend/qdisk/7x/0\0"sv,
        "backend/qdisk/\0"sv, "backend/vbd/7/51712/params\0"sv, "backend/vif/7\0"sv,
        "/local/domain/8/device/vbd/51712/state\0"sv, "/local/domain/7\0"sv,
        "/local/domain/7/vm\0"sv, "/local/domain/7/device\0"sv, "/local/domain/7/device/vif/0\0"sv,
        "/local/domain/0/backend/qdisk/7\0"sv, "/vm/1\0"sv, "/libxl/7\0"sv, "/tool\0"sv,
        "domid/x\0"sv, "device-model/7/state\0"sv,
        // no end, and something after it
        "backend/qdisk/7"sv, ""sv, "backend/qdisk/7\0x"sv, "backend/qdisk/7\0\0"sv}) {
    for (const std::uint32_t type : {kRead, kDirectory, kGetPerms}) {
      BOOST_TEST(!may(type, path), path);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_a_back_end_publishes_may_be_written) {
  for (const std::string_view key :
       {"state\0004"sv, "sectors\0000123"sv, "sector-size\000512"sv, "info\0005"sv,
        "feature-flush-cache\0001"sv, "max-ring-page-order\0004"sv, "state\0"sv,
        "physical-sector-size\0004096"sv, "discard-granularity\000512"sv,
        "discard-alignment\0000"sv}) {
    BOOST_TEST(may(kWrite, std::string{"backend/qdisk/7/51712/"}.append(key)), key);
    BOOST_TEST(!may(kWrite, std::string{"backend/qdisk/8/51712/"}.append(key)), key);
    BOOST_TEST(!may(kWrite, std::string{"/local/domain/7/device/vbd/51712/"}.append(key)), key);
  }
}

// What these say is believed by the supervisor, by libxl and by hotplug scripts.
BOOST_AUTO_TEST_CASE(what_the_toolstack_says_may_not) {
  for (const std::string_view key :
       {"params\0/etc/shadow"sv, "physical-device-path\0/dev/sda"sv, "physical-device\0008:0"sv,
        "mode\0w"sv, "device-type\0disk"sv, "type\0x"sv, "frontend\0/local/domain/8/device/vbd/0"sv,
        "frontend-id\0008"sv, "online\0000"sv, "script\0/bin/sh"sv, "hotplug-status\0x"sv, "\0x"sv,
        "state/x\0x"sv, "feature-x/y\0x"sv, "../params\0x"sv, "state"sv, ""sv}) {
    BOOST_TEST(!may(kWrite, std::string{"backend/qdisk/7/51712/"}.append(key)), key);
  }
  for (const std::string_view path :
       {"backend/qdisk/7/state\0004"sv, "backend/qdisk/7/x/state\0004"sv,
        "backend/qdisk/state\0004"sv, "/local/domain/0/backend/qdisk/7/0/state\0004"sv,
        "device-model/7/state\0running"sv, "/local/domain/7/control/shutdown\0poweroff"sv}) {
    BOOST_TEST(!may(kWrite, path), path);
  }
}

BOOST_AUTO_TEST_CASE(changes_may_be_waited_for_and_ends) {
  for (const std::uint32_t type : {kWatch, kUnwatch}) {
    BOOST_TEST(may(type, "@releaseDomain\0w1\0"sv));
    BOOST_TEST(may(type, "backend/qdisk/7\0w2\0"sv));
    BOOST_TEST(may(type, "/local/domain/7/device/vbd/0/state\0w3\0"sv));
    for (const std::string_view payload :
         {"@introduceDomain\0w1\0"sv, "/local/domain/8\0w1\0"sv, "backend\0w1\0"sv,
          "backend/qdisk/7\0w1"sv, "backend/qdisk/7\0w1\0x"sv, "backend/qdisk/7\0"sv}) {
      BOOST_TEST(!may(type, payload), payload);
    }
  }
  BOOST_TEST(may(kIsIntroduced, "7\0"sv));
  BOOST_TEST(!may(kIsIntroduced, "8\0"sv));
  BOOST_TEST(!may(kIsIntroduced, "7\0x"sv));
}

BOOST_AUTO_TEST_CASE(no_other_kind_of_message_and_no_transaction) {
  for (std::uint32_t type = 0; type < 64; ++type) {
    const bool known = type == kDirectory || type == kRead || type == kGetPerms;
    BOOST_TEST(may(type, "backend/qdisk/7/0/state\0"sv) == (known || type == kWrite), type);
  }
  for (const std::uint32_t type :
       {kTransactionStart, kIntroduce, kRelease, kMkdir, kRm, kSetPerms, ~0U}) {
    BOOST_TEST(!may(type, "backend/qdisk/7/0/state\0004\0"sv), type);
  }
  BOOST_TEST(!may(kRead, "backend/qdisk/7\0"sv, 1));
  BOOST_TEST(!may(kWrite, "backend/qdisk/7/0/state\0004"sv, 1));
}

BOOST_AUTO_TEST_SUITE_END()

struct Gate {
  Gate() {
    log::set_sink([](log::Level, std::string_view line) noexcept { said().append(line); });
    said().clear();
    const auto pair = [] {
      std::array<int, 2> ends{};
      BOOST_TEST_REQUIRE(
          ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
      return std::pair{host::UniqueFd{ends[0]}, host::UniqueFd{ends[1]}};
    };
    auto [worker_end, gates_worker] = pair();
    auto [store_end, gates_store] = pair();
    worker = std::move(worker_end);
    store = std::move(store_end);
    gate.emplace(7U, std::move(gates_worker), std::move(gates_store));
  }
  ~Gate() { log::set_sink(nullptr); }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  static std::string& said() {
    static std::string text;
    return text;
  }

  void settle() {
    for (;;) {
      StoreGate::Waits waits = gate->waits();
      if (::poll(waits.data(), waits.size(), 0) <= 0) {
        return;
      }
      gate->run(waits);
    }
  }
  static std::string message(std::uint32_t type, std::string_view payload) {
    const std::uint32_t header[4]{type, 9, 0, static_cast<std::uint32_t>(payload.size())};
    std::string bytes(reinterpret_cast<const char*>(header), sizeof header);
    return bytes.append(payload);
  }
  static void put(const host::UniqueFd& to, std::string_view bytes) {
    BOOST_TEST_REQUIRE(::send(to.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                       static_cast<ssize_t>(bytes.size()));
  }
  static std::string take(const host::UniqueFd& from) {
    std::string all;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = ::read(from.get(), buffer.data(), buffer.size())) > 0;) {
      all.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return all;
  }
  static bool ended(const host::UniqueFd& end) {
    char byte = 0;
    // A reset: what it has said last was not read.
    const ssize_t got = ::recv(end.get(), &byte, 1, MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno == ECONNRESET);
  }

  host::UniqueFd worker;
  host::UniqueFd store;
  std::optional<StoreGate> gate;
};

BOOST_FIXTURE_TEST_SUITE(store_gate, Gate)

BOOST_AUTO_TEST_CASE(good_questions_and_all_answers_pass_as_they_are) {
  const std::string asked = message(kRead, "backend/qdisk/7/51712/params\0"sv) +
                            message(kWrite, "backend/qdisk/7/51712/state\0004"sv);
  put(worker, asked);
  settle();
  BOOST_TEST(take(store) == asked);
  const std::string answers = message(kRead, "aio:/srv/x") + message(16, "ENOENT\0"sv) +
                              message(15, "backend/qdisk/7\0w1\0"sv);
  put(store, answers);
  settle();
  BOOST_TEST(take(worker) == answers);
  BOOST_TEST(gate->open());
  BOOST_TEST(said().empty());
}

BOOST_AUTO_TEST_CASE(a_question_that_comes_byte_by_byte_passes_when_it_is_whole) {
  const std::string asked = message(kRead, "domid\0"sv);
  for (const char c : asked) {
    BOOST_TEST(take(store).empty());
    put(worker, std::string_view{&c, 1});
    settle();
  }
  BOOST_TEST(take(store) == asked);
}

BOOST_AUTO_TEST_CASE(a_bad_question_reaches_nobody_and_is_the_last) {
  put(worker, message(kRead, "domid\0"sv) + message(kWrite, "backend/qdisk/7/0/params\0/x"sv) +
                  message(kRead, "domid\0"sv));
  settle();
  BOOST_TEST(take(store) == message(kRead, "domid\0"sv));
  BOOST_TEST(!gate->open());
  BOOST_TEST(ended(worker));
  BOOST_TEST((said().find("asks xenstore for what is not its own") != std::string::npos), said());
  BOOST_TEST((gate->waits()[0].fd == -1 && gate->waits()[1].fd == -1));
}

BOOST_AUTO_TEST_CASE(a_length_that_no_message_has_is_never_waited_for) {
  const std::uint32_t header[4]{kRead, 1, 0, 4097};
  put(worker, {reinterpret_cast<const char*>(header), sizeof header});
  settle();
  BOOST_TEST(!gate->open());
  BOOST_TEST(take(store).empty());
}

BOOST_AUTO_TEST_CASE(a_worker_that_does_not_read_stops_its_own_answers_only) {
  const std::string answer = message(kRead, std::string(4000, 'x'));
  std::string sent;
  for (int i = 0; i < 200; ++i) {
    if (::send(store.get(), answer.data(), answer.size(), MSG_NOSIGNAL) <
        static_cast<ssize_t>(answer.size())) {
      break;  // as much as the sockets hold
    }
    sent += answer;
    settle();
  }
  BOOST_TEST(gate->open());
  std::string got;
  for (int i = 0; i < 400 && got.size() < sent.size(); ++i) {
    got += take(worker);
    settle();
  }
  BOOST_TEST((got.substr(0, sent.size()) == sent));
}

BOOST_AUTO_TEST_CASE(either_end_may_go) {
  worker.reset();
  settle();
  BOOST_TEST(!gate->open());
  BOOST_TEST(ended(store));
  BOOST_TEST(said().empty());
}

BOOST_AUTO_TEST_CASE(xenstored_may_go) {
  store.reset();
  settle();
  BOOST_TEST(!gate->open());
  BOOST_TEST(ended(worker));
  BOOST_TEST((said().find("xenstored has closed") != std::string::npos), said());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
