// SPDX-License-Identifier: MIT
// The other side of a vchan's page: what QMP's clients, and whoever else has the page, write into
// it, when they ring, and when they come and go. A client that comes afterwards and behaves must
// get a greeting first and be served.
#include "core/obs/log.h"
#include "platform/toolstack/qmp/qmp_commands.h"
#include "platform/toolstack/qmp/qmp_vchan.h"
#include "tests/fuzz/input.h"
#include "tests/rig/fake_machine.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dm::fuzz {

namespace {

using toolstack::QmpVchan;
using toolstack::VchanRing;

// struct vchan_interface of Xen's public header io/libxenvchan.h, and where its rings begin.
constexpr std::size_t kLeftProd = 4;
constexpr std::size_t kRightCons = 8;
constexpr std::size_t kRightProd = 12;
constexpr std::size_t kCliLive = 20;
constexpr std::size_t kSrvLive = 21;
constexpr std::size_t kSrvNotify = 23;
constexpr std::size_t kLeft = 1024;
constexpr std::size_t kRight = 2048;
constexpr std::uint32_t kLeftSize = 1024;
constexpr std::uint32_t kRightSize = 2048;

struct alignas(4096) Page {
  std::array<std::byte, VchanRing::kPage> bytes{};

  [[nodiscard]] std::uint32_t word(std::size_t at) const {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
  }
  void set(std::size_t at, std::uint32_t value) {
    std::memcpy(bytes.data() + at, &value, sizeof value);
  }
};

/// Two pages by turns, as a server has one and its last client the one before.
class Line final : public toolstack::VchanLine {
 public:
  Result<std::span<std::byte, VchanRing::kPage>> new_page() override {
    require(pages == 0 || now().bytes[kSrvLive] == std::byte{0},
            "the clients of a page are told before it is given back");
    if (fails) {
      dead = true;
      return Error{"no page"};
    }
    ++pages;
    now().bytes.fill(std::byte{0xa5});
    return std::span<std::byte, VchanRing::kPage>{now().bytes};
  }
  Result<> announce() override { return {}; }
  void ring_bell() noexcept override { ++bells; }

  [[nodiscard]] Page& now() { return store_[pages % 2]; }
  [[nodiscard]] Page& before() { return store_[(pages + 1) % 2]; }
  std::size_t pages = 0;
  std::size_t bells = 0;
  bool fails = false;
  bool dead = false;

 private:
  std::array<Page, 2> store_;
};

class World {
 public:
  explicit World(const toolstack::QmpCommands& commands) : server_{commands, line_} {
    require(server_.start().has_value(), "a server starts");
    mine_ = &line_.now();
  }

  void step(Input& in) {
    switch (in.below(12)) {
      case 0:
        mine_->bytes[kCliLive] = std::byte{1};
        mine_->bytes[kSrvNotify] = std::byte{1};
        return;
      case 1:
        mine_->bytes[kCliLive] = std::byte{0};
        return;
      case 2: {
        const auto text = in.bytes(1 + in.below(64));
        return write({reinterpret_cast<const char*>(text.data()), text.size()});
      }
      case 3: {
        constexpr std::array<std::string_view, 6> kCommands{R"({"execute":"qmp_capabilities"})",
                                                            R"({"execute":"query-commands"})",
                                                            R"({"execute":"stop","id":1})",
                                                            R"({"execute":"query-pci"})",
                                                            R"({"execute":"cont"})",
                                                            R"(]})"};
        const std::string_view one = kCommands[in.below(kCommands.size())];
        for (std::size_t n = 1 + in.below(40); n != 0; --n) {
          write(one);
        }
        return;
      }
      case 4:
        static_cast<void>(read(in.take<std::uint16_t>()));
        return;
      case 5: {
        std::uint32_t value = in.byte();
        if (in.flag()) {
          value = in.take<std::uint32_t>();
        } else if (in.flag()) {
          value = mine_->word(in.below(4) * 4) + value - 128;
        }
        return mine_->set(in.below(4) * 4, value);
      }
      case 6:
        mine_->bytes[16 + in.below(8)] = std::byte{in.byte()};
        return;
      case 7:
        mine_->bytes[in.take<std::uint16_t>() % VchanRing::kPage] = std::byte{in.byte()};
        return;
      case 8:
        mine_ = in.byte() % 4 == 0 ? &line_.before() : &line_.now();
        return;
      case 9:
        line_.fails = in.byte() % 32 == 0;
        return;
      default:
        static_cast<void>(serve());
        return;
    }
  }
  void finish() {
    if (line_.dead) {
      require(!server_.has_client() && !serve(), "without a page there is nobody to serve");
      return;
    }
    line_.fails = false;
    mine_ = &line_.now();
    mine_->bytes[kCliLive] = std::byte{0};
    settle();
    require(!server_.has_client() && server_.unsent() == 0, "who has gone leaves nothing");
    for (int attempt = 0;; ++attempt) {
      require(attempt < 2, "the next client is served");
      mine_ = &line_.now();
      mine_->bytes[kCliLive] = std::byte{1};
      mine_->bytes[kSrvNotify] = std::byte{1};
      settle();
      if (mine_->bytes[kSrvLive] == std::byte{1}) {
        break;
      }
    }
    const std::string greeting = read(kRightSize);
    require(greeting.starts_with(R"({"QMP":)") && greeting.find("\r\n") == greeting.size() - 2,
            "the first that the next client reads is a greeting, whole and alone");
    write(R"({"execute":"qmp_capabilities","id":7})");
    settle();
    require(read(kRightSize) == "{\"return\":{},\"id\":7}\r\n", "and then its answer");
  }

 private:
  /// As libxenvchan does: what there is room for.
  void write(std::string_view text) {
    std::uint32_t prod = mine_->word(kLeftProd);
    for (const char c : text) {
      if (prod - mine_->word(0) >= kLeftSize) {
        break;
      }
      mine_->bytes[kLeft + prod++ % kLeftSize] = static_cast<std::byte>(c);
    }
    mine_->set(kLeftProd, prod);
  }
  std::string read(std::size_t most) {
    std::string text;
    std::uint32_t cons = mine_->word(kRightCons);
    for (; text.size() < most && cons != mine_->word(kRightProd); ++cons) {
      text.push_back(static_cast<char>(mine_->bytes[kRight + cons % kRightSize]));
    }
    mine_->set(kRightCons, cons);
    return text;
  }
  /// What only the client may write stays as it was; the rest is bounded.
  bool serve() {
    const Page before = line_.now();
    const std::size_t pages = line_.pages;
    const std::size_t bells = line_.bells;
    const bool more = server_.serve();
    Page& after = pages == line_.pages ? line_.now() : line_.before();
    const auto same = [&before, &after](std::size_t from, std::size_t size) {
      return same_bytes(std::span{before.bytes}.subspan(from, size),
                        std::span{after.bytes}.subspan(from, size));
    };
    require(same(kLeftProd, 8) && same(16, 5) && same(24, kRight - 24),
            "the server writes what is its own");
    require(line_.pages - pages <= 1 && line_.bells - bells <= 2, "a turn costs a bounded sum");
    require(server_.unsent() <= QmpVchan::kMaxOutput + kMostAnswer, "memory is bounded");
    require(server_.has_client() || server_.unsent() == 0, "answers are somebody's");
    return more;
  }
  void settle() {
    for (int turn = 0; serve(); ++turn) {
      require(turn < 4, "a ring that nobody fills is soon empty");
    }
  }

  static constexpr std::size_t kMostAnswer = 4 * toolstack::QmpSession::kMaxCommand + 4096;
  Line line_;
  QmpVchan server_;
  Page* mine_ = nullptr;
};

void run(Input in) {
  struct Commands {
    Commands() {
      log::set_sink([](log::Level, std::string_view) noexcept {});
      machine.pci_list.push_back({.name = "ide", .device = 1, .function = 1, .windows = {}});
      add_machine_commands(commands, machine, "guest");
    }
    rig::FakeMachine machine;
    toolstack::QmpCommands commands;
  };
  static Commands commands;
  World world{commands.commands};
  while (!in.empty()) {
    world.step(in);
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
