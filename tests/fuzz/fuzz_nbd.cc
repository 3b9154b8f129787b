// SPDX-License-Identifier: MIT
// What an NBD server does: the bytes of its handshake and of its answers, hang-ups and silence, in
// the middle of what the guest asks for and of what the host waits for. The real disk over the real
// libnbd and a socket pair; the server is in this thread, and time passes only when it is silent.
#include "core/obs/log.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/nbd/nbd_disk.h"
#include "platform/linux/nbd/nbd_open.h"
#include "tests/fuzz/input.h"
#include "tests/rig/nbd_script.h"

#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <tuple>
#include <utility>

namespace dm::fuzz {

namespace {

using dm::test::NbdScript;
using namespace std::chrono_literals;

constexpr std::uint64_t kSize = 65536;
constexpr std::size_t kBuffer = 4096;
constexpr std::size_t kRequests = 12;
constexpr std::size_t kSpans = 160;  ///< more than two commands' worth of a disk's 64

/// A request, its memory, and what was in it when it ended.
struct Slot {
  BlockRequest request;
  std::array<std::byte, kBuffer> memory{};
  std::array<std::byte, kBuffer> at_end{};
  std::array<std::span<std::byte>, kSpans> spans;
  unsigned completions = 0;
  bool busy = false;

  static void on_done(BlockRequest& request, BlockStatus) noexcept {
    Slot& self = *static_cast<Slot*>(request.owner);
    require(self.busy, "a request ends once");
    require(request.done_bytes <= request.length, "no more is done than was asked for");
    self.busy = false;
    ++self.completions;
    self.at_end = self.memory;
  }
  /// Spans from the front of the memory, or from its back: then none adjoins the next.
  void cut(std::size_t count, std::size_t size, bool backwards) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t place = backwards ? count - 1 - i : i;
      spans.at(i) = std::span{memory}.subspan(place * size, size);
    }
    request.length = count * size;
    request.data = std::span{spans}.first(count);
  }
};

class World {
 public:
  explicit World(Input& in) : in_{in}, server_{manner(in)} {
    handshake_by_input_ = in.flag();
    server_.while_waiting = [this] { while_waiting(); };
    DiskConfig config;
    config.path = "nbd:unix:/x";
    config.read_only = in.below(8) == 0;
    config.cdrom = config.read_only && in.flag();
    auto opened = host::open_nbd_connection(loop_, config, server_.take_client(), 10s, server_);
    require(server_.passed <= 10s, "opening has one deadline");
    if (opened) {
      disk_ = std::move(*opened);
    }
    handshake_by_input_ = true;
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World() {
    close();
    for (const Slot& slot : slots_) {
      require(!slot.busy, "every request has ended when its disk has");
    }
    turn(4);
    check();
  }

  [[nodiscard]] bool open() const noexcept { return disk_ != nullptr; }
  void step() {
    switch (in_.below(8)) {
      case 0:
      case 1:
        ask();
        break;
      case 2:
        waited([this] { disk_->drain(); });
        require(disk_->in_flight() == 0, "nothing is under way after a drain");
        break;
      case 3:
        waited([this] { static_cast<void>(disk_->flush_now()); });
        require(disk_->in_flight() == 0, "nothing is under way after a flush");
        break;
      case 4:
        turn(1 + in_.below(4));
        break;
      default:
        serve();
    }
    check();
  }

 private:
  static NbdScript::Manner manner(Input& in) {
    constexpr std::array<std::uint64_t, 8> kSizes{kSize,
                                                  kSize,
                                                  kSize + 100,
                                                  kSize - 1,
                                                  0,
                                                  1,
                                                  (std::uint64_t{1} << 63U) - 1,
                                                  ~std::uint64_t{0}};
    return {
        .size = kSizes.at(in.below(kSizes.size())), .flags = in.byte(), .structured = in.flag()};
  }
  /// One thing that a server does.
  void serve() {
    switch (in_.below(10)) {
      case 0:
        server_.forbid();
        return;
      case 1:
        server_.allow(in_.byte());
        break;
      case 2:
        server_.allow(NbdScript::kAll);
        break;
      case 3:
        server_.say(in_.bytes(1 + in_.below(40)));
        break;
      case 4: {
        const std::size_t at = in_.byte();
        server_.spoil(at, in_.byte());
        break;
      }
      case 5:
        server_.set_error(in_.flag() ? in_.byte() : 0);
        return;
      case 6:
        server_.hang_up();
        return;
      case 7:
        server_.half_close();
        return;
      case 8:
        server_.set_dribbling(in_.flag());
        return;
      default:
        break;
    }
    server_.act();
  }
  void while_waiting() {
    if (!handshake_by_input_ || in_.empty()) {
      return;
    }
    // What a disk does between two waits is bounded by what it was told and what has passed.
    const auto now = std::tuple{server_.sent, server_.received, server_.passed, in_.size()};
    idle_waits_ = now == last_ ? idle_waits_ + 1 : 0;
    last_ = now;
    require(idle_waits_ < 64, "nobody waits without something to wait for");
    if (in_.flag()) {
      serve();
    }
  }
  template <class Work>
  void waited(Work work) {
    const auto before = server_.passed;
    const auto waits = server_.waits;
    const auto moved = server_.sent + server_.received;
    work();
    require(server_.passed - before <= host::NbdDisk::kPatience, "waiting has one deadline");
    require(server_.waits - waits <= 300 + 2 * (server_.sent + server_.received - moved),
            "waiting is no busy loop");
  }
  void ask() {
    Slot& slot = slots_.at(in_.below(slots_.size()));
    if (slot.busy || disk_ == nullptr) {
      return;
    }
    const std::uint8_t what = in_.byte();
    slot.request = BlockRequest{};
    slot.request.owner = &slot;
    slot.request.done = &Slot::on_done;
    slot.request.op = static_cast<BlockOp>(what & 3U);
    slot.request.durable = (what & 4U) != 0;
    slot.request.offset = std::uint64_t{in_.byte()} * 512;
    const std::size_t spans = (what & 8U) != 0 ? kSpans : 1 + in_.below(4);
    if (slot.request.op == BlockOp::discard) {
      slot.request.length = std::uint64_t{in_.byte()} * 512;
    } else if (slot.request.op != BlockOp::flush) {
      slot.cut(spans, (what & 8U) != 0 ? 16 : 512, (what & 16U) != 0);
    }
    slot.busy = true;
    disk_->submit(slot.request);
  }
  /// Where nothing comes and nothing is asked for, the loop gets quiet.
  void turn(std::size_t count) {
    const auto before = loop_.counters().handlers;
    const auto moved = server_.sent + server_.received;
    for (std::size_t i = 0; i < count; ++i) {
      server_.act();
      loop_.poll();
    }
    require(loop_.counters().handlers - before <=
                32 * count + 2 * (server_.sent + server_.received - moved),
            "turns of the loop are bounded");
  }
  void close() {
    waited_for_close_ = server_.passed;
    disk_.reset();
    require(server_.passed - waited_for_close_ <= host::NbdDisk::kPatience + 1s,
            "closing has one deadline");
    const auto before = loop_.counters().handlers;
    for (unsigned i = 0; i < 4; ++i) {
      loop_.poll();
    }
    const auto quiet = loop_.counters().handlers;
    loop_.poll();
    require(loop_.counters().handlers == quiet && quiet - before <= 8, "it is quiet at the end");
  }
  void check() const {
    for (const Slot& slot : slots_) {
      require(slot.busy || slot.completions == 0 ||
                  std::memcmp(slot.memory.data(), slot.at_end.data(), kBuffer) == 0,
              "nothing lands in the guest's memory after the end");
    }
  }

  Input& in_;
  host::Loop loop_;
  NbdScript server_;
  std::array<Slot, kRequests> slots_;
  std::unique_ptr<BlockBackend> disk_;
  bool handshake_by_input_ = false;
  unsigned idle_waits_ = 0;
  std::tuple<std::size_t, std::size_t, std::chrono::milliseconds, std::size_t> last_{};
  std::chrono::milliseconds waited_for_close_{0};
};

}  // namespace

}  // namespace dm::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dm::fuzz;
  static const bool quiet = [] {
    dm::log::set_sink([](dm::log::Level, std::string_view) noexcept {});
    return true;
  }();
  static_cast<void>(quiet);
  Input in{data, size};
  World world{in};
  while (world.open() && !in.empty()) {
    world.step();
  }
  return 0;
}
