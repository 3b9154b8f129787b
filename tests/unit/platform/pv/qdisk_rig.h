// SPDX-License-Identifier: MIT
#pragma once

#include "tests/drivers/blkfront_driver.h"
#include "tests/unit/platform/pv/pv_rig.h"

#include <array>
#include <cstring>
#include <vector>

namespace dm::pv::test {

using dm::test::BlkfrontDriver;
using Response = BlkfrontDriver::Response;
using Segment = BlkfrontDriver::Segment;
using Abi = BlkfrontDriver::Abi;

/// A guest with one PV disk. Its pages: the ring from 16 on, data from 100 on, granted under
/// reference 1000 + page.
struct QdiskRig : PvRig {
  static constexpr std::uint32_t kId = 51712;
  static constexpr std::uint32_t kPort = 21;
  static constexpr std::size_t kRingPage = 16;
  static constexpr std::size_t kData = 100;
  static constexpr std::size_t kDataPages = 600;

  QdiskRig() {
    frontend.offer(kPort);
    for (std::size_t page = 0; page < kDataPages; ++page) {
      frontend.grant(grant(page), kData + page);
    }
  }
  [[nodiscard]] static std::uint32_t grant(std::size_t page) {
    return static_cast<std::uint32_t>(1000 + kData + page);
  }
  [[nodiscard]] std::byte* data(std::size_t page) { return frontend.page(kData + page); }

  void boot(std::string_view params = "aio:/srv/image", bool writable = true, bool cdrom = false) {
    add_disk(kId, params, writable, cdrom);
    start({Kind::qdisk});
  }
  /// As blkfront does: the ring, then its keys, then Initialised.
  void connect(Abi abi = Abi::x86_64, unsigned order = 0, bool protocol = true) {
    const std::size_t pages = std::size_t{1} << order;
    ring.emplace(frontend.page(kRingPage), pages, abi);
    const std::string path = front("vbd", kId);
    for (std::size_t i = 0; i < pages; ++i) {
      frontend.grant(static_cast<std::uint32_t>(500 + i), kRingPage + i);
      store.set(path + "/ring-ref" + (order == 0 ? std::string{} : std::to_string(i)),
                std::to_string(500 + i), kDomid);
    }
    if (order != 0) {
      store.set(path + "/ring-page-order", std::to_string(order), kDomid);
    }
    if (protocol) {
      store.set(path + "/protocol", abi == Abi::x86_64 ? "x86_64-abi" : "x86_32-abi", kDomid);
    }
    store.set(path + "/event-channel", std::to_string(kPort), kDomid);
    guest_sets(path + "/state", kInitialised);
  }
  void connected(Abi abi = Abi::x86_64, unsigned order = 0) {
    boot();
    connect(abi, order);
    BOOST_TEST_REQUIRE(state("qdisk", kId) == kConnected);
  }
  [[nodiscard]] std::string ours(const std::string& key) const {
    return store.get(back("qdisk", kId) + "/" + key).value_or("none");
  }

  /// Pushes, notifies if the backend wants it, lets it work.
  void go() {
    if (ring->push()) {
      frontend.kick(kPort);
    }
    settle();
  }
  /// The one answer there must be.
  Response answer() {
    const auto all = ring->responses();
    BOOST_TEST_REQUIRE(all.size() == 1U);
    return all[0];
  }
  /// Whole pages of data, from page `first` on.
  [[nodiscard]] static std::vector<Segment> pages(std::size_t count, std::size_t first = 0) {
    std::vector<Segment> all;
    for (std::size_t i = 0; i < count; ++i) {
      all.push_back({grant(first + i), 0, 7});
    }
    return all;
  }
  void fill(std::size_t page, std::uint64_t salt) {
    for (std::size_t sector = 0; sector < 8; ++sector) {
      const auto bytes = rig::ScriptedBlock::pattern(page * 8 + sector, salt);
      std::memcpy(data(page) + sector * 512, bytes.data(), 512);
    }
  }
  [[nodiscard]] bool on_disk(std::uint64_t sector,
                             std::size_t page,
                             std::size_t first,
                             std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto bytes = disk.sector(sector + i);
      if (std::memcmp(bytes.data(), data(page) + (first + i) * 512, 512) != 0) {
        return false;
      }
    }
    return true;
  }
  /// Lays indirect segments out in data page `table`.
  void lay_out(std::size_t table, const std::vector<Segment>& segments) {
    for (std::size_t i = 0; i < segments.size(); ++i) {
      BlkfrontDriver::put_segment(data(table) + i * 8, segments[i]);
    }
  }

  std::optional<BlkfrontDriver> ring;
};

}  // namespace dm::pv::test
