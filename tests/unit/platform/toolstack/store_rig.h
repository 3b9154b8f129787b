// SPDX-License-Identifier: MIT
// A xenstored of a few lines on the other end of a socket pair: the bytes are those of Xen's public
// header io/xs_wire.h, typed anew.
#pragma once

#include "platform/toolstack/store/store_client.h"
#include "tests/unit/platform/toolstack/qmp_rig.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace dm::toolstack::test {

struct Message {
  std::uint32_t type;
  std::uint32_t request;
  std::string payload;
};

struct StoreRig {
  StoreRig() {
    int ends[2];
    BOOST_TEST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) ==
                       0);
    store = host::UniqueFd{ends[0]};
    client_ = std::make_unique<StoreClient>(loop.io(), host::UniqueFd{ends[1]});
  }
  StoreRig(const StoreRig&) = delete;
  StoreRig& operator=(const StoreRig&) = delete;

  [[nodiscard]] StoreClient& client() { return *client_; }
  /// The next thing that was asked; nothing when nothing was.
  std::optional<Message> received() {
    loop.settle();
    std::uint32_t header[4];
    if (::recv(store.get(), header, sizeof header, 0) != sizeof header) {
      return std::nullopt;
    }
    BOOST_TEST(header[2] == 0U);  // no transaction
    std::string payload(header[3], '\0');
    BOOST_TEST_REQUIRE(::recv(store.get(), payload.data(), payload.size(), 0) ==
                       static_cast<ssize_t>(payload.size()));
    return Message{header[0], header[1], payload};
  }
  static std::string message(std::uint32_t type, std::uint32_t request, std::string_view payload) {
    const std::uint32_t header[4]{type, request, 0, static_cast<std::uint32_t>(payload.size())};
    std::string bytes(reinterpret_cast<const char*>(header), sizeof header);
    return bytes.append(payload);
  }
  static std::string pair(std::string_view first, std::string_view second) {
    return std::string{first}.append(1, '\0').append(second).append(1, '\0');
  }
  void send(std::string_view bytes) {
    BOOST_TEST_REQUIRE(::send(store.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                       static_cast<ssize_t>(bytes.size()));
    loop.settle();
  }

  QuietLog quiet;
  Loop loop;
  host::UniqueFd store;
  std::unique_ptr<StoreClient> client_;
};

}  // namespace dm::toolstack::test
