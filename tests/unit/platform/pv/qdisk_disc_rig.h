// SPDX-License-Identifier: MIT
// A PV disk whose guest has requests open, and what can come then.
#pragma once

#include "tests/unit/platform/pv/qdisk_rig.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string_view>

namespace dm::pv::test {

struct Named {
  const char* name;
  void (*run)(struct DiscRig&);
};

struct DiscRig : QdiskRig {
  void boot_and_connect(bool cdrom, unsigned order = 0) {
    if (cdrom) {
      boot("aio:/srv/one.iso", false, true);
    } else {
      boot();
    }
    connect(Abi::x86_64, order);
    BOOST_TEST_REQUIRE(state("qdisk", kId) == kConnected);
  }
  void params(std::string_view value) { store.set(back("qdisk", kId) + "/params", value); }
  void guest_state(const char* value) { store.set(front("vbd", kId) + "/state", value, kDomid); }

  // What a guest asks; each with an id of its own.
  void read(std::size_t page = 0) {
    ++last_id;
    ring->transfer(BlkfrontDriver::kRead, last_id, 8 * (last_id % 16), pages(1, page));
  }
  void indirect_read() {
    lay_out(300, pages(20));
    ring->indirect(BlkfrontDriver::kRead, ++last_id, 0, 20, {grant(300)});
  }
  void ordered(std::uint8_t op, std::size_t data) {
    ring->transfer(op, ++last_id, 0, pages(data));
    if (op != BlkfrontDriver::kWrite) {
      flushing.insert(last_id);
    }
  }
  void collect() {
    for (const Response& one : ring->responses()) {
      ++answers[one.id];
      status[one.id] = one.status;
    }
  }
  [[nodiscard]] bool is_cdrom() const { return ours("device-type") == "cdrom"; }
  [[nodiscard]] bool is_connected() const { return ours("state") == kConnected; }

  /// Whatever has happened: the host finishes, the guest's processors run again, there is a disc.
  void finish(bool same_ring) {
    disk.hold(false);
    disk.complete_all();
    if (backends) {
      backends->resume();
    }
    settle();
    collect();
    for (const auto& [id, count] : answers) {
      BOOST_TEST(count == 1U, "request " << id << " was answered " << count << " times");
    }
    BOOST_TEST(disk.pending() == 0U);
    if (same_ring && is_connected()) {
      BOOST_TEST(answers.size() == last_id, answers.size() << " answers of " << last_id);
      BOOST_TEST(frontend.mapped_pages() == 1U);
      if (!image_fails) {
        // What failed was never started: not on the disc that went, nor on the one that came.
        const auto flushed = std::ranges::count_if(
            disk.log, [](const auto& entry) { return entry.op == BlockOp::flush; });
        const auto told = std::ranges::count_if(
            flushing, [this](std::uint64_t id) { return status.at(id) == 0; });
        BOOST_TEST(flushed == told);
      }
    } else if (!is_connected()) {
      BOOST_TEST(frontend.mapped_pages() == 0U);
      BOOST_TEST(frontend.bound() == 0U);
    }
  }
  /// A disc is put in and the guest reads from it, by the ring that it has or a new one.
  void reads_again(bool same_ring) {
    disk.info.size = kDiskBytes;
    params("aio:/srv/last.iso");
    settle();
    if (!same_ring || !is_connected()) {
      guest_sets(front("vbd", kId) + "/state", kClosed);
      guest_sets(front("vbd", kId) + "/state", kInitialising);
      connect();
    } else {
      static_cast<void>(ring->responses());
    }
    BOOST_TEST_REQUIRE(is_connected());
    ring->transfer(BlkfrontDriver::kRead, 7777, 8, pages(1));
    go();
    const Response last = answer();
    BOOST_TEST(last.id == 7777U);
    BOOST_TEST(last.status == 0);
  }

  std::uint64_t last_id = 0;
  std::map<std::uint64_t, unsigned> answers;
  std::map<std::uint64_t, int> status;
  std::set<std::uint64_t> flushing;  ///< requests that make a flush
  bool image_fails = false;
};

/// The states. The disc may be a writable disk: then there are writes, too.
inline constexpr Named kHeld[] = {
    {"nothing", [](DiscRig&) {}},
    {"a read that nobody has looked at",
     [](DiscRig& rig) {
       rig.read();
       static_cast<void>(rig.ring->push());
     }},
    {"a read under way",
     [](DiscRig& rig) {
       rig.disk.hold();
       rig.read();
       rig.go();
     }},
    {"a flush under way",
     [](DiscRig& rig) {
       rig.disk.hold();
       rig.ordered(BlkfrontDriver::kFlush, 0);
       rig.go();
     }},
    {"an indirect read under way, with a read and a barrier behind it",
     [](DiscRig& rig) {
       rig.disk.hold();
       rig.indirect_read();
       rig.read();
       rig.ordered(BlkfrontDriver::kBarrier, 0);
       rig.go();
     }},
    {"a barrier that waits for a read, and reads behind it in the ring",
     [](DiscRig& rig) {
       rig.disk.hold();
       rig.read();
       rig.ordered(BlkfrontDriver::kBarrier, 0);
       rig.read(1);
       rig.read(2);
       rig.go();
     }},
    {"a barrier that is being flushed, and one behind it",
     [](DiscRig& rig) {
       rig.disk.hold();
       rig.ordered(BlkfrontDriver::kBarrier, 0);
       rig.ordered(BlkfrontDriver::kBarrier, 0);
       rig.go();
     }},
    {"a barrier with data that waits for a write",
     [](DiscRig& rig) {
       rig.disk.hold();
       rig.ordered(BlkfrontDriver::kWrite, 2);
       rig.ordered(BlkfrontDriver::kBarrier, 3);
       rig.ordered(BlkfrontDriver::kFlush, 1);
       rig.go();
     }},
    {"a barrier with data that has been flushed and is written",
     [](DiscRig& rig) {
       rig.disk.hold();
       rig.ordered(BlkfrontDriver::kBarrier, 3);
       rig.go();
       if (rig.disk.pending() != 0) {
         rig.disk.complete();
       }
       rig.settle();
     }},
    {"as many as are served at a time, and more",
     [](DiscRig& rig) {
       rig.disk.hold();
       while (rig.last_id < 32) {
         rig.read();
       }
       rig.go();
     }},
    {"a pause, with requests in the ring",
     [](DiscRig& rig) {
       rig.backends->pause();
       rig.read();
       rig.ordered(BlkfrontDriver::kBarrier, 0);
       rig.go();
     }},
    {"a pause, with a barrier that was taken",
     [](DiscRig& rig) {
       rig.disk.hold();
       rig.read();
       rig.ordered(BlkfrontDriver::kBarrier, 0);
       rig.read();
       rig.go();
       rig.backends->pause();
     }},
};

/// What can come, in any of them, and after any other. Nothing is waited for between two of them
/// but where it says so.
inline constexpr Named kEvents[] = {
    {"nothing", [](DiscRig&) {}},
    {"time", [](DiscRig& rig) { rig.settle(); }},
    {"xl cd-eject", [](DiscRig& rig) { rig.params(""); }},
    {"xl cd-eject, waited for",
     [](DiscRig& rig) {
       rig.params("");
       rig.settle();
     }},
    {"xl cd-insert",
     [](DiscRig& rig) {
       rig.params("");
       rig.params("aio:/srv/two.iso");
     }},
    {"xl cd-insert of what cannot be opened",
     [](DiscRig& rig) {
       rig.params("aio:/missing");
       rig.settle();
     }},
    {"xl cd-insert of a format that is not served",
     [](DiscRig& rig) {
       rig.params("parallels:/srv/two.iso");
       rig.settle();
     }},
    {"a smaller disc",
     [](DiscRig& rig) {
       rig.image_fails = rig.image_fails || !rig.is_cdrom();  // a disk's own image has shrunk
       rig.disk.info.size = 4096;
       rig.params("aio:/srv/small.iso");
       rig.settle();
     }},
    {"an image that fails",
     [](DiscRig& rig) {
       rig.image_fails = true;
       rig.disk.fail_at(0);
       rig.disk.fail_flushes();
       rig.disk.complete_all();
     }},
    {"one completion",
     [](DiscRig& rig) {
       if (rig.disk.pending() != 0) {
         rig.disk.complete(rig.disk.pending() - 1);
       }
     }},
    {"stop", [](DiscRig& rig) { rig.backends->pause(); }},
    {"cont", [](DiscRig& rig) { rig.backends->resume(); }},
    {"stop and cont",
     [](DiscRig& rig) {
       rig.backends->pause();
       rig.backends->resume();
     }},
    {"grants revoked",
     [](DiscRig& rig) {
       for (std::size_t page = 0; page < 320; ++page) {
         rig.frontend.revoke(QdiskRig::grant(page));
       }
     }},
};

/// What ends the frontend's connection.
inline constexpr Named kEnds[] = {
    {"the frontend closes",
     [](DiscRig& rig) {
       rig.guest_state(kClosing);
       rig.settle();
       rig.guest_state(kClosed);
     }},
    {"the frontend closes at once", [](DiscRig& rig) { rig.guest_state(kClosed); }},
    {"a new kernel starts", [](DiscRig& rig) { rig.guest_state(kInitialising); }},
    {"the frontend's directory vanishes",
     [](DiscRig& rig) { rig.store.remove(PvRig::front("vbd", QdiskRig::kId)); }},
    {"the ring breaks",
     [](DiscRig& rig) {
       rig.ring->claim(100);
       rig.backends->resume();  // in a pause nobody looks, nor while a barrier waits
       rig.disk.hold(false);
       rig.disk.complete_all();
       rig.frontend.kick(QdiskRig::kPort);
     }},
    {"the toolstack closes, the guest agrees",
     [](DiscRig& rig) {
       rig.store.set(PvRig::back("qdisk", QdiskRig::kId) + "/online", "0");
       rig.store.set(PvRig::back("qdisk", QdiskRig::kId) + "/state", kClosing);
       rig.settle();
       rig.guest_state(kClosed);
     }},
    {"the toolstack removes the device",
     [](DiscRig& rig) { rig.store.remove(PvRig::back("qdisk", QdiskRig::kId)); }},
    {"the domain is destroyed",
     [](DiscRig& rig) {
       rig.store.remove("/local/domain/7");
       rig.store.remove(PvRig::back("qdisk", QdiskRig::kId));
     }},
    {"the device model ends", [](DiscRig& rig) { rig.backends.reset(); }},
};

}  // namespace dm::pv::test
