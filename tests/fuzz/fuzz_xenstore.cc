// SPDX-License-Identifier: MIT
// Xenstored's side of the stream. An input is a program for it: answers to what was asked, cut
// anywhere, with other ids, types and lengths than they should have; errors; events of watches; raw
// bytes; the end. The client has what a device model has open: questions of every kind, some asked
// from inside of an answer, and the watch for the domain's end.
#include "core/obs/log.h"
#include "platform/linux/loop/loop.h"
#include "platform/toolstack/store/domain_watch.h"
#include "platform/toolstack/store/store_client.h"
#include "tests/fuzz/input.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dm::fuzz {

namespace {

using host::UniqueFd;
using toolstack::StoreClient;

// Xen public header io/xs_wire.h.
constexpr std::uint32_t kDirectory = 1;
constexpr std::uint32_t kRead = 2;
constexpr std::uint32_t kGetPerms = 3;
constexpr std::uint32_t kWatch = 4;
constexpr std::uint32_t kEvent = 15;
constexpr std::uint32_t kError = 16;
constexpr std::uint32_t kIntroduced = 17;
constexpr std::size_t kMostAsked = 8;

struct Question {
  std::uint32_t type;
  std::uint32_t id;
  std::string payload;
};

std::string message(std::uint32_t type, std::uint32_t id, std::string_view payload) {
  const std::array<std::uint32_t, 4> header{type, id, 0,
                                            static_cast<std::uint32_t>(payload.size())};
  std::string bytes(sizeof header, '\0');
  std::memcpy(bytes.data(), header.data(), sizeof header);
  return bytes.append(payload);
}
std::string terminated(std::string_view text) {
  return std::string{text}.append(1, '\0');
}

unsigned lost = 0;  ///< lines that say so

class World {
 public:
  World() {
    lost = 0;
    int ends[2];
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0,
            "there are sockets");
    store_ = UniqueFd{ends[0]};
    client_.emplace(loop_, UniqueFd{ends[1]});
    watch_.emplace(*client_, 7, host::Callback::bind<&World::on_gone>(*this));
    settle();
  }

  void step(Input& in) {
    switch (in.below(10)) {
      case 0:
        ask(in.below(8), in.below(kOwners), 1 + in.below(3), in.flag());
        return settle();
      case 1:  // as it should be
      case 2:
      case 3:
        if (!open_.empty()) {
          const Question one = std::move(open_.front());
          open_.pop_front();
          send(answer(one, in), in);
        }
        return;
      case 4: {  // to a question that is not the first, or of another type
        if (open_.empty()) {
          return;
        }
        Question one = open_[in.below(open_.size())];
        one.type = in.flag() ? one.type : in.byte() % 20U;
        return nonsense(answer(one, in), in);
      }
      case 5: {
        const bool end = in.flag();
        const std::string token = end ? "w1" : "w" + std::to_string(in.below(12));
        const char* const path = end ? "@releaseDomain" : "backend/qdisk/7/1/state";
        return send(message(kEvent, 0, terminated(path) + terminated(token)), in);
      }
      case 6: {
        const auto raw = in.bytes(1 + in.below(40));
        return nonsense({reinterpret_cast<const char*>(raw.data()), raw.size()}, in);
      }
      case 7: {
        std::string bytes = message(in.byte() % 20U, in.byte(), std::string(in.byte(), 'x'));
        const std::uint32_t length = in.flag() ? in.take<std::uint32_t>() : in.byte();
        std::memcpy(bytes.data() + 12, &length, sizeof length);
        return nonsense(bytes, in);
      }
      case 8:
        return forget(in.below(kOwners));
      default:
        if (in.byte() % 8 == 0) {
          store_ = UniqueFd{};
          settle();
        }
        return;
    }
  }
  void check() const {
    require(!sane_ || open_.size() <= kMostAsked, "few questions are under way");
    require(lost == (client_->active() ? 0U : 1U), "the end is told once");
    require(client_->active() || client_->idle(), "after the end nothing is open");
    require(gone_ <= 1, "the domain ends once");
    require(gone_ == 0 || said_unknown_, "the domain has gone only if that was said");
  }
  /// If the stream still makes sense, everything that is open is answered in the end; and nothing
  /// is after the end.
  void finish() {
    const std::uint8_t nothing = 0;
    Input none{&nothing, 0};
    for (int turn = 0; sane_ && client_->active() && !open_.empty(); ++turn) {
      require(turn < 100'000, "questions end");
      const Question one = std::move(open_.front());
      open_.pop_front();
      send(answer(one, none), none);
    }
    if (sane_ && client_->active()) {
      require(client_->idle() && waiting_ == 0, "what was asked is answered");
    }
    store_ = UniqueFd{};
    settle();
    require(!client_->active() && client_->idle(), "a hang-up ends it");
    ended_ = true;
    ask(6, 0, 1, true);
    settle();
    check();
    watch_.reset();
    client_.reset();
    settle();
  }

 private:
  static constexpr std::size_t kOwners = 3;
  static constexpr std::size_t kMostChained = 4;

  void on_gone() noexcept { ++gone_; }
  void settle() {
    std::uint64_t before = 0;
    int turn = 0;
    do {
      before = loop_.counters().handlers;
      loop_.wait(std::chrono::nanoseconds{0});
      require(++turn < 1000, "work ends");
    } while (loop_.counters().handlers != before || !loop_.turn_queue().empty());
    take();
  }
  /// What the client has sent.
  void take() {
    std::array<char, 8192> buffer;
    while (store_) {
      const ssize_t got = ::recv(store_.get(), buffer.data(), buffer.size(), 0);
      if (got <= 0) {
        break;
      }
      in_.append(buffer.data(), static_cast<std::size_t>(got));
    }
    std::size_t at = 0;
    while (in_.size() - at >= kHeader) {
      std::array<std::uint32_t, 4> header;
      std::memcpy(header.data(), in_.data() + at, sizeof header);
      require(header[2] == 0 && header[3] <= 4096, "questions have the protocol's form");
      if (in_.size() - at < kHeader + header[3]) {
        break;
      }
      open_.push_back({header[0], header[1], in_.substr(at + kHeader, header[3])});
      at += kHeader + header[3];
    }
    in_.erase(0, at);
  }
  void nonsense(std::string_view bytes, Input& in) {
    sane_ = false;
    said_unknown_ = true;  // for all that is known
    send(bytes, in);
  }
  void send(std::string_view bytes, Input& in) {
    while (store_ && !bytes.empty()) {
      const std::size_t piece = in.flag() ? 1 + in.byte() % bytes.size() : bytes.size();
      if (::send(store_.get(), bytes.data(), piece, MSG_NOSIGNAL) < 0) {
        return;
      }
      bytes.remove_prefix(piece);
      settle();
      check();
    }
  }
  std::string answer(const Question& to, Input& in) {
    constexpr std::array<std::string_view, 4> kErrors{"ENOENT", "EACCES", "", "E"};
    constexpr std::array<std::string_view, 6> kOwnersOf{"n0", "n7", "r", "", "n99999999999", "nx"};
    constexpr std::array<std::string_view, 4> kKnown{"T", "F", "X", ""};
    if (in.byte() % 4 == 1) {
      return message(kError, to.id, terminated(kErrors[in.below(kErrors.size())]));
    }
    switch (to.type) {
      case kRead:
        return message(kRead, to.id, std::string(in.below(40), '1'));
      case kDirectory: {
        std::string names;
        for (std::size_t n = in.below(5); n != 0; --n) {
          names += in.flag() ? terminated(std::to_string(n)) : std::string(1, '\0');
        }
        return message(kDirectory, to.id, names);
      }
      case kGetPerms:
        return message(kGetPerms, to.id, terminated(kOwnersOf[in.below(kOwnersOf.size())]));
      case kIntroduced: {
        const std::size_t word = in.below(kKnown.size());
        said_unknown_ = said_unknown_ || kKnown[word] == "F";
        return message(kIntroduced, to.id, terminated(kKnown[word]));
      }
      default:
        return message(to.type, to.id, terminated("OK"));
    }
  }

  /// Each question by its number: heard once, in order, and by nobody who has gone.
  struct Asked {
    std::size_t owner;
    bool done = false;
  };
  void heard(std::size_t number, bool chain) {
    require(!ended_, "nobody hears anything after the end");
    require(!all_[number].done, "a question is answered once, and not to whoever has gone");
    require(number >= heard_to_, "answers come in the order of the questions");
    all_[number].done = true;
    heard_to_ = number;
    --waiting_;
    if (chain && chained_ < kMostChained) {
      ++chained_;
      ask(chained_ % 6, all_[number].owner, 2, true);
    }
  }
  void ask(std::size_t kind, std::size_t owner, std::size_t count, bool chain) {
    const void* const who = &owners_[owner];
    if (kind == 7) {  // more than are under way at a time
      for (int i = 0; i < 20; ++i) {
        ask(0, owner, count, false);
      }
      return;
    }
    if (kind == 4) {
      return client_->write("device-model/7/state", std::string(count * 1000, 'v'));
    }
    if (kind == 5) {
      if (watches_ < 8) {
        ++watches_;
        client_->watch(who, "backend/qdisk/7", [this, owner, life = lives_[owner]](auto) {
          require(life == lives_[owner], "whoever has gone hears of no event");
        });
      }
      return;
    }
    const std::size_t number = all_.size();
    all_.push_back({.owner = owner, .done = !client_->active()});
    waiting_ += client_->active() ? 1U : 0U;
    const auto done = [this, number, chain](const auto&) { heard(number, chain); };
    switch (kind) {
      case 1:
        return client_->list(who, "backend/qdisk/7", done);
      case 2:
        return client_->node_owner(who, "backend/qdisk/7/1/params", done);
      case 3:
        return client_->is_introduced(who, 7, done);
      default:
        return client_->read(who, std::vector<std::string>(count, "backend/qdisk/7/1/state"), done);
    }
  }
  void forget(std::size_t owner) {
    client_->forget(&owners_[owner]);
    ++lives_[owner];
    for (Asked& one : all_) {
      if (one.owner == owner && !std::exchange(one.done, true)) {
        --waiting_;
      }
    }
    settle();
  }

  static constexpr std::size_t kHeader = 16;
  host::Loop loop_;
  UniqueFd store_;
  std::optional<StoreClient> client_;
  std::optional<toolstack::DomainWatch> watch_;
  std::array<char, kOwners> owners_{};
  std::array<unsigned, kOwners> lives_{};
  std::deque<Question> open_;
  std::string in_;
  std::vector<Asked> all_;
  std::size_t waiting_ = 0;
  std::size_t heard_to_ = 0;
  std::size_t chained_ = 0;
  unsigned watches_ = 0;
  unsigned gone_ = 0;
  bool said_unknown_ = false;
  bool sane_ = true;
  bool ended_ = false;
};

void run(Input in) {
  log::set_sink([](log::Level, std::string_view line) noexcept {
    lost += line.find("is lost") != std::string_view::npos ? 1U : 0U;
  });
  World world;
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
