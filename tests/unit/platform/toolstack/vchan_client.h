// SPDX-License-Identifier: MIT
// The other end of a vchan as libxenvchan's client plays it, over plain memory. Offsets and bits
// are typed anew from Xen's public header io/libxenvchan.h; the order of what is written is that of
// tools/libs/vchan/{init,io}.c.
#pragma once

#include "platform/toolstack/qmp/qmp_vchan.h"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dm::toolstack::test {

struct alignas(4096) SharedPage {
  std::array<std::byte, 4096> bytes{};
};

/// Pages as a grant would share them: old ones stay with whoever has mapped them.
class FakeLine final : public VchanLine {
 public:
  Result<std::span<std::byte, VchanRing::kPage>> new_page() override {
    if (fails) {
      return Error{"no page"};
    }
    pages.push_back(std::make_shared<SharedPage>());
    pages.back()->bytes.fill(std::byte{0xa5});
    announced.reset();
    return std::span<std::byte, VchanRing::kPage>{pages.back()->bytes};
  }
  Result<> announce() override {
    announced = pages.back();
    return {};
  }
  void ring_bell() noexcept override { ++bells; }

  std::vector<std::shared_ptr<SharedPage>> pages;
  std::shared_ptr<SharedPage> announced;  ///< what a new client finds in xenstore
  unsigned bells = 0;
  bool fails = false;
};

/// libxenvchan's client: left is its to write, right its to read.
class VchanClient {
 public:
  static constexpr std::size_t kLeftCons = 0;
  static constexpr std::size_t kLeftProd = 4;
  static constexpr std::size_t kRightCons = 8;
  static constexpr std::size_t kRightProd = 12;
  static constexpr std::size_t kCliLive = 20;
  static constexpr std::size_t kSrvLive = 21;
  static constexpr std::size_t kCliNotify = 22;
  static constexpr std::size_t kSrvNotify = 23;

  explicit VchanClient(std::shared_ptr<SharedPage> page) : page_{std::move(page)} {}

  /// libxenvchan_client_init(), without its notification.
  void come() {
    BOOST_TEST_REQUIRE(u16(16) == 10);
    BOOST_TEST_REQUIRE(u16(18) == 11);
    byte(kCliLive) = 1;
    byte(kSrvNotify) = 1;
  }
  void go() { byte(kCliLive) = 0; }
  [[nodiscard]] bool server_lives() { return byte(kSrvLive) == 1; }

  /// What fits; returns how much that is.
  std::size_t write(std::string_view text) {
    std::size_t done = 0;
    while (done < text.size() && u32(kLeftProd) - u32(kLeftCons) < 1024) {
      at(1024 + u32(kLeftProd) % 1024) = static_cast<std::byte>(text[done++]);
      set32(kLeftProd, u32(kLeftProd) + 1);
    }
    return done;
  }
  std::string read(std::size_t limit = 1'000'000) {
    std::string text;
    while (text.size() < limit && u32(kRightCons) != u32(kRightProd)) {
      text.push_back(static_cast<char>(at(2048 + u32(kRightCons) % 2048)));
      set32(kRightCons, u32(kRightCons) + 1);
    }
    return text;
  }

  [[nodiscard]] std::uint8_t& byte(std::size_t offset) {
    return reinterpret_cast<std::uint8_t&>(page_->bytes[offset]);
  }
  [[nodiscard]] std::uint32_t u32(std::size_t offset) const {
    std::uint32_t value = 0;
    std::memcpy(&value, page_->bytes.data() + offset, sizeof value);
    return value;
  }
  void set32(std::size_t offset, std::uint32_t value) {
    std::memcpy(page_->bytes.data() + offset, &value, sizeof value);
  }

 private:
  [[nodiscard]] std::uint16_t u16(std::size_t offset) const {
    std::uint16_t value = 0;
    std::memcpy(&value, page_->bytes.data() + offset, sizeof value);
    return value;
  }
  [[nodiscard]] std::byte& at(std::size_t offset) { return page_->bytes[offset]; }

  std::shared_ptr<SharedPage> page_;
};

}  // namespace dm::toolstack::test
