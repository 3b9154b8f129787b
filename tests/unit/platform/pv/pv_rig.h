// SPDX-License-Identifier: MIT
// The toolstack and a guest with PV drivers, on a xenstore in memory and pages of plain memory.
#pragma once

#include "core/obs/log.h"
#include "platform/pv/backends.h"
#include "tests/rig/scripted_block.h"
#include "tests/rig/scripted_chardev.h"
#include "tests/rig/sim_frontend.h"
#include "tests/rig/sim_store.h"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dm::pv::test {

using Kind = Backends::Kind;
using dm::test::BorrowedChardev;
using dm::test::ScriptedChardev;

/// States by the numbers of Xen's public header io/xenbus.h, typed anew.
inline constexpr const char* kInitialising = "1";
inline constexpr const char* kInitWait = "2";
inline constexpr const char* kInitialised = "3";
inline constexpr const char* kConnected = "4";
inline constexpr const char* kClosing = "5";
inline constexpr const char* kClosed = "6";

struct PvRig {
  static constexpr std::uint32_t kDomid = 7;
  static constexpr std::uint64_t kDiskBytes = std::uint64_t{64} << 20;

  PvRig() {
    log::set_sink([](log::Level, std::string_view) noexcept {});
  }
  PvRig(const PvRig&) = delete;
  PvRig& operator=(const PvRig&) = delete;
  ~PvRig() {
    backends.reset();
    BOOST_TEST(frontend.mapped_pages() == 0U);
    BOOST_TEST(frontend.bound() == 0U);
    BOOST_TEST(store.watches() == 0U);
    BOOST_TEST(work.empty());
    BOOST_TEST(!disk.is_open());
    BOOST_TEST(disk.abandoned == 0U);
  }

  void start(std::vector<Kind> kinds = {Kind::console, Kind::qdisk, Kind::vkbd, Kind::vfb}) {
    backends = std::make_unique<Backends>(host(), std::move(kinds));
    settle();
  }
  [[nodiscard]] Host host() {
    return {.domid = kDomid,
            .store = store,
            .frontend = frontend,
            .work = work,
            .open_chardev = [this](const std::string& spec) { return open_chardev(spec); },
            .open_disk = [this](const DiskConfig& which) { return open_disk(which); }};
  }
  /// Until nothing is left to do; bounded, since neither side may keep the other busy for ever.
  void settle() {
    for (unsigned turn = 0; turn < 100'000; ++turn) {
      const bool told = store.step();
      const bool worked = work.run_one();
      if (!told && !worked) {
        return;
      }
    }
    BOOST_TEST_REQUIRE(false, "there is no end of work");
  }

  // As libxl writes them.
  [[nodiscard]] static std::string back(std::string_view kind, std::uint32_t id) {
    return "/local/domain/0/backend/" + std::string{kind} + "/7/" + std::to_string(id);
  }
  [[nodiscard]] static std::string front(std::string_view kind, std::uint32_t id) {
    return kind == "console" && id == 0
               ? std::string{"/local/domain/7/console"}
               : "/local/domain/7/device/" + std::string{kind} + "/" + std::to_string(id);
  }
  void add_pair(std::string_view kind, std::string_view front_kind, std::uint32_t id) {
    const std::string backend = back(kind, id);
    store.set(backend + "/frontend", front(front_kind, id));
    store.set(backend + "/frontend-id", "7");
    store.set(backend + "/online", "1");
    store.set(backend + "/state", kInitialising);
  }
  void add_console(std::uint32_t id, std::string_view output, std::string_view type = "ioemu") {
    const std::string path = front("console", id);
    store.set(path + "/type", type);
    store.set(path + "/output", output);
    store.set(path + "/tty", "");
    if (id != 0) {
      store.set(path + "/state", kInitialising, kDomid);
    }
    add_pair("console", "console", id);
  }
  void add_disk(std::uint32_t id, std::string_view params, bool writable, bool cdrom = false) {
    const std::string backend = back("qdisk", id);
    store.set(front("vbd", id) + "/state", kInitialising, kDomid);
    store.set(backend + "/params", params);
    store.set(backend + "/mode", writable ? "w" : "r");
    store.set(backend + "/device-type", cdrom ? "cdrom" : "disk");
    store.set(backend + "/dev", "xvda");
    add_pair("qdisk", "vbd", id);
  }

  [[nodiscard]] std::string state(std::string_view kind, std::uint32_t id) const {
    return store.get(back(kind, id) + "/state").value_or("none");
  }
  /// As the guest writes its own nodes.
  void guest_sets(const std::string& path, std::string_view value) {
    store.set(path, value, kDomid);
    settle();
  }

  Result<std::unique_ptr<CharBackend>> open_chardev(const std::string& spec) {
    if (spec == "file:/missing/log") {
      return Error{"serial \"file:/missing/log\": cannot open it for writing"};
    }
    opened.push_back(spec);
    return std::unique_ptr<CharBackend>{std::make_unique<BorrowedChardev>(
        chardevs[spec], spec == "pty" ? std::string{"pty:/dev/pts/9"} : spec)};
  }
  Result<std::unique_ptr<BlockBackend>> open_disk(const DiskConfig& which) {
    disks_opened.push_back(which);
    if (which.path == "/missing" || disk.is_open()) {
      return Error{"disk " + which.path + ": cannot find it"};
    }
    disk.info.read_only = which.read_only;
    return disk.open();
  }

  WorkQueue work;
  rig::SimStore store;
  rig::SimFrontend frontend;
  std::map<std::string, ScriptedChardev> chardevs;
  std::vector<std::string> opened;
  rig::ScriptedBlock disk{kDiskBytes};
  std::vector<DiskConfig> disks_opened;
  std::unique_ptr<Backends> backends;
};

}  // namespace dm::pv::test
