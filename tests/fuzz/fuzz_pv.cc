// SPDX-License-Identifier: MIT
// A program of toolstack, guest and host around two consoles and one PV disk, or a PV CD-ROM that
// changes its disc.
#include "core/obs/log.h"
#include "platform/pv/backends.h"
#include "platform/pv/qdisk.h"
#include "tests/drivers/blkfront_driver.h"
#include "tests/fuzz/input.h"
#include "tests/rig/scripted_block.h"
#include "tests/rig/scripted_chardev.h"
#include "tests/rig/sim_frontend.h"
#include "tests/rig/sim_store.h"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace dm::fuzz {

namespace {

using dm::test::BlkfrontDriver;
using dm::test::BorrowedChardev;
using dm::test::ScriptedChardev;

constexpr std::uint32_t kDomid = 7;
constexpr std::uint64_t kDiskBytes = 1U << 20U;
/// How often an image is tried that cannot be opened (platform/pv/README.md).
constexpr unsigned kMostOpenings = 8;
constexpr std::size_t kRing = 4;  ///< page of the guest; four of them
constexpr std::size_t kConsole0 = 1;
constexpr std::size_t kConsole1 = 2;
constexpr std::size_t kData = 16;
constexpr std::uint32_t kRingGrant = 500;
constexpr std::uint32_t kDataGrant = 1000;
constexpr const char* kFront = "/local/domain/7/device/vbd/768";
constexpr const char* kBack = "/local/domain/0/backend/qdisk/7/768";

class World {
 public:
  explicit World(bool cdrom) : cdrom_{cdrom} {
    for (std::uint32_t i = 0; i < 4; ++i) {
      frontend_.grant(kRingGrant + i, kRing + i);
    }
    for (std::uint32_t i = 0; i < 32; ++i) {
      frontend_.grant(kDataGrant + i, kData + i, i % 8 == 7);
    }
    frontend_.grant(600, kConsole1);
    for (const std::uint32_t port : {2U, 3U, 4U}) {
      frontend_.offer(port);
    }
    lay_out();
    backends_.emplace(
        pv::Host{
            .domid = kDomid,
            .store = store_,
            .frontend = frontend_,
            .work = work_,
            .open_chardev = [this](const std::string&) -> Result<std::unique_ptr<CharBackend>> {
              return std::unique_ptr<CharBackend>{std::make_unique<BorrowedChardev>(
                  lines_[opened_++ % lines_.size()], "pty:/dev/pts/1")};
            },
            .open_disk = [this](const DiskConfig& disk) -> Result<std::unique_ptr<BlockBackend>> {
              require(!disk_.is_open(), "an image is open once");
              if (disk.path == "/missing" || openings_fail_) {
                ++failed_openings_;
                return Error{"it cannot be opened"};
              }
              disk_.info.read_only = disk.read_only;
              return disk_.open();
            }},
        std::vector{pv::Backends::Kind::console, pv::Backends::Kind::qdisk});
    settle();
  }

  void step(Input& in) {
    switch (in.below(14)) {
      case 0:
        return set_key(in);
      case 1:
        return guest_state(in.below(10));
      case 2:
        return toolstack(in);
      case 3:  // anywhere in the shared pages
        frontend_.page(1 + in.below(7))[in.take<std::uint16_t>() % 4096] = std::byte{in.byte()};
        return;
      case 4: {  // an index
        constexpr std::array<std::size_t, 4> kBases{0, 0, kConsole0, kConsole1};
        const std::size_t which = in.below(4);
        const std::size_t at = (which < 2 ? 0 : 0xc00) + in.below(4) * 4;
        std::byte* const page = frontend_.page(which < 2 ? kRing : kBases[which]);
        std::uint32_t value = in.byte();
        if (in.flag()) {
          value = in.take<std::uint32_t>();
        }
        std::memcpy(page + at, &value, sizeof value);
        return;
      }
      case 5:
        return request(in);
      case 6:
        frontend_.kick(2 + static_cast<std::uint32_t>(in.below(3)));
        return;
      case 7:
        for (std::size_t n = in.below(8); n != 0; --n) {
          store_.step();
        }
        return;
      case 8:
        for (std::size_t n = in.below(8); n != 0; --n) {
          work_.run_one();
        }
        return;
      case 9:
        disk_.hold(in.flag());
        if (disk_.pending() != 0) {
          disk_.complete(in.below(disk_.pending()));
        }
        return;
      case 10: {
        ScriptedChardev& line = lines_[in.below(lines_.size())];
        if (line.client != nullptr && in.flag()) {
          line.type("typed");
        } else if (line.client != nullptr) {
          line.set_room(in.byte());
        }
        line.sent.clear();
        return;
      }
      case 11:
        return pause(in.flag());
      case 12:
        return image(in);
      default:
        if (in.flag()) {
          frontend_.revoke(kDataGrant + static_cast<std::uint32_t>(in.below(32)));
        } else {
          frontend_.grant(kDataGrant + static_cast<std::uint32_t>(in.below(32)),
                          kData + in.below(32), in.flag());
        }
    }
  }
  void check() const {
    require(frontend_.mapped_pages() <= 2 + 16 + 32 * 256 + 1, "mapped pages are bounded");
    require(frontend_.bound() <= 3, "one channel for each device");
    require(disk_.pending() <= pv::Qdisk::kInFlight, "requests under way are bounded");
    require(disk_.abandoned == 0, "an image is closed when nothing is under way in it");
    require(disk_.is_open() || disk_.pending() == 0, "what is not there has no requests");
    if (paused_) {
      require(disk_.pending() == 0 && disk_.log.size() == asked_, "nothing is asked in a pause");
    }
  }
  /// Whatever has happened, a guest that starts properly gets a disk, if the toolstack lets it.
  void finish() {
    disk_.hold(false);
    disk_.complete_all();
    openings_fail_ = false;
    if (paused_) {
      pause(false);
    }
    settle();
    // A disk that could not be opened eight times is tried no more: nobody names another one.
    if (!closing_ && !(failed_openings_ >= kMostOpenings && !cdrom_)) {
      if (cdrom_) {
        store_.set(std::string{kBack} + "/params", "aio:/last");
      }
      lay_out();
      store_.set(std::string{kFront} + "/state", "6", kDomid);
      settle();
      store_.set(std::string{kFront} + "/state", "1", kDomid);
      settle();
      std::memset(frontend_.page(kRing), 0, 4096);
      store_.set(std::string{kFront} + "/state", "3", kDomid);
      settle();
      require(store_.get(std::string{kBack} + "/state") == "4", "a proper frontend connects");
      go_on();
    }
    backends_.reset();
    require(disk_.abandoned == 0, "an image is closed when nothing is under way in it");
    require(frontend_.mapped_pages() == 0 && frontend_.bound() == 0, "nothing stays mapped");
    require(!disk_.is_open() && store_.watches() == 0 && work_.empty(), "nothing stays open");
  }

 private:
  void lay_out() {
    const std::string front = kFront;
    store_.set(front + "/ring-ref", std::to_string(kRingGrant), kDomid);
    store_.set(front + "/event-channel", "2", kDomid);
    for (const char* const key : {"/ring-page-order", "/protocol", "/num-ring-pages"}) {
      store_.remove(front + key);
    }
    if (backends_) {
      return;
    }
    const std::string back = kBack;
    store_.set(front + "/state", "1", kDomid);
    store_.set(back + "/params", "aio:/image");
    store_.set(back + "/mode", "w");
    store_.set(back + "/device-type", cdrom_ ? "cdrom" : "disk");
    pair(back, front);
    console("/local/domain/7/console", "0", "1", "3", 0);
    console("/local/domain/7/device/console/1", "1", "600", "4", kDomid);
  }
  void pair(const std::string& back, const std::string& front) {
    store_.set(back + "/frontend", front);
    store_.set(back + "/frontend-id", "7");
    store_.set(back + "/online", "1");
    store_.set(back + "/state", "1");
  }
  void console(const std::string& front,
               const std::string& id,
               const char* ring,
               const char* port,
               std::uint32_t owner) {
    store_.set(front + "/type", "ioemu");
    store_.set(front + "/output", "pty");
    store_.set(front + "/ring-ref", ring, owner);
    store_.set(front + "/port", port, owner);
    store_.set(front + "/state", "3", kDomid);
    pair("/local/domain/0/backend/console/7/" + id, front);
  }
  void settle() {
    for (int turn = 0; store_.step() || work_.run_one(); ++turn) {
      require(turn < 100'000, "work ends");
    }
  }
  void set_key(Input& in) {
    constexpr std::array kKeys{"ring-ref",       "ring-ref0",     "ring-ref1", "ring-page-order",
                               "num-ring-pages", "event-channel", "protocol",  "state"};
    constexpr std::array kValues{"500",        "501", "2",          "1",  "0",       "x86_32-abi",
                                 "x86_64-abi", "",    "4294967296", "-1", "arm-abi", "16"};
    const std::string path = std::string{kFront} + "/" + kKeys[in.below(kKeys.size())];
    const std::size_t value = in.below(kValues.size() + 1);
    if (value == kValues.size()) {
      store_.remove(path);
    } else {
      store_.set(path, kValues[value], kDomid);
    }
  }
  void guest_state(std::size_t state) {
    store_.set(std::string{kFront} + "/state", std::to_string(state), kDomid);
  }
  void toolstack(Input& in) {
    constexpr std::array kParams{"aio:/other", "", "aio:/missing", "parallels:/no", "aio:/third"};
    const std::string back = kBack;
    switch (in.below(16)) {
      case 0:
        closing_ = true;
        store_.set(back + "/online", "0");
        store_.set(back + "/state", "5");
        break;
      case 1:
        closing_ = true;
        store_.remove(back);
        break;
      case 2:  // one that the guest, or a third domain, would put in
        store_.set(back + "/params", "aio:/etc/shadow",
                   7 + static_cast<std::uint32_t>(in.below(2)));
        break;
      default:
        store_.set(back + "/params", kParams[in.below(kParams.size())]);
        break;
    }
  }
  void pause(bool on) {
    if (on) {
      backends_->pause();
      asked_ = disk_.log.size();
    } else {
      backends_->resume();
    }
    paused_ = on;
  }
  void image(Input& in) {
    switch (in.below(4)) {
      case 0:
        openings_fail_ = in.flag();
        break;
      case 1:
        disk_.fail_at(in.byte());
        break;
      case 2:
        disk_.heal();
        break;
      default:
        if (!disk_.is_open()) {
          disk_.info.size = std::uint64_t{in.byte()} * 4096;
        }
        break;
    }
  }
  /// A guest that does all as it should: a read and a barrier are answered, once, although the disc
  /// goes meanwhile, and another one is read from.
  void go_on() {
    disk_.heal();
    BlkfrontDriver ring{frontend_.page(kRing), 1, BlkfrontDriver::Abi::x86_64};
    frontend_.grant(kDataGrant, kData);
    if (cdrom_) {
      disk_.hold();
      ring.transfer(BlkfrontDriver::kRead, 1, 0, {{kDataGrant, 0, 7}});
      ring.transfer(BlkfrontDriver::kBarrier, 2, 0, {});
      push(ring);
      store_.set(std::string{kBack} + "/params", "");
      settle();
      require(ring.responses().size() == 2, "what a disc leaves open is answered");
      disk_.hold(false);
      disk_.info.size = kDiskBytes;
      store_.set(std::string{kBack} + "/params", "aio:/next");
      settle();
      require(disk_.is_open(), "the next disc is in");
    }
    disk_.info.size = kDiskBytes;
    ring.transfer(BlkfrontDriver::kRead, 3, 0, {{kDataGrant, 0, 7}});
    push(ring);
    const auto last = ring.responses();
    require(last.size() == 1 && last[0].id == 3 && last[0].status == 0, "the ring goes on");
  }
  void push(BlkfrontDriver& ring) {
    if (ring.push()) {
      frontend_.kick(2);
    }
    settle();
  }
  void request(Input& in) {
    if (!ring_ || in.byte() % 16 == 0) {
      ring_.emplace(frontend_.page(kRing), 1,
                    in.flag() ? BlkfrontDriver::Abi::x86_64 : BlkfrontDriver::Abi::x86_32);
    }
    const std::uint64_t sector = in.take<std::uint16_t>();
    const auto grant = [&in] { return kDataGrant + static_cast<std::uint32_t>(in.below(34)); };
    switch (in.below(4)) {
      case 0:
        ring_->discard(1, sector, in.byte(), in.flag());
        break;
      case 1: {
        std::byte* const table = frontend_.page(kData);
        const std::size_t count = in.below(6);
        for (std::size_t i = 0; i < count; ++i) {
          BlkfrontDriver::put_segment(table + i * 8, {grant(), in.byte(), in.byte()});
        }
        ring_->indirect(static_cast<std::uint8_t>(in.below(8)), 2, sector,
                        static_cast<std::uint16_t>(count), {kDataGrant});
        break;
      }
      default: {
        std::vector<BlkfrontDriver::Segment> segments(in.below(12));
        for (auto& segment : segments) {
          segment = {grant(), static_cast<std::uint8_t>(in.below(9)),
                     static_cast<std::uint8_t>(in.below(9))};
        }
        ring_->transfer(static_cast<std::uint8_t>(in.below(8)), 3, sector, segments);
        break;
      }
    }
    if (ring_->push()) {
      frontend_.kick(2);
    }
    static_cast<void>(ring_->responses());
  }

  WorkQueue work_;
  rig::SimStore store_;
  rig::SimFrontend frontend_;
  rig::ScriptedBlock disk_{kDiskBytes};
  std::array<ScriptedChardev, 2> lines_;
  std::size_t opened_ = 0;
  std::optional<BlkfrontDriver> ring_;
  std::optional<pv::Backends> backends_;
  const bool cdrom_;
  bool closing_ = false;
  bool paused_ = false;
  bool openings_fail_ = false;
  unsigned failed_openings_ = 0;
  std::size_t asked_ = 0;  ///< requests that the image had had when the pause began
};

void run(Input in) {
  log::set_sink([](log::Level, std::string_view) noexcept {});
  World world{in.flag()};
  while (!in.empty()) {
    world.step(in);
    world.check();
  }
  world.finish();
}

}  // namespace

}  // namespace dm::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dm::fuzz::run(dm::fuzz::Input{data, size});
  return 0;
}
