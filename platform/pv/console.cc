// SPDX-License-Identifier: MIT
#include "platform/pv/console.h"

#include "platform/pv/shared_page.h"
#include "platform/pv/store_values.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

namespace dm::pv {

namespace {

// struct xencons_interface.
constexpr std::uint32_t kInSize = 1024;
constexpr std::uint32_t kOutSize = 2048;
constexpr std::size_t kIn = 0;
constexpr std::size_t kOut = kIn + kInSize;
constexpr std::size_t kInCons = kOut + kOutSize;
constexpr std::size_t kInProd = kInCons + 4;
constexpr std::size_t kOutCons = kInProd + 4;
constexpr std::size_t kOutProd = kOutCons + 4;

// How a terminal is described.
constexpr std::string_view kPty = "pty:";

}  // namespace

Console::Console(const Host& host, std::uint32_t id)
    : host_{host}, id_{id}, work_{Work::bind<&Console::serve>(host.work, *this)} {}

Console::~Console() {
  Console::disconnect();
  if (target_ != nullptr) {
    target_->attach(nullptr);
  }
}

Result<std::optional<Nodes>> Console::prepare(const Values& values) {
  if (text(values[0]) != "ioemu") {
    return std::optional<Nodes>{};  // xenconsoled's
  }
  // libxl gives no output to what has nothing to say or to hear: a stub domain's console 2 when
  // there is nothing to restore (libxl_dm.c, libxl__spawn_stub_dm).
  const bool named = values[1] && !values[1]->empty();
  auto target = host_.open_chardev(named ? *values[1] : "null");
  if (!target) {
    return target.error();
  }
  target_ = std::move(*target);
  Nodes nodes;
  if (const std::string_view name = target_->description(); name.starts_with(kPty)) {
    nodes.push_back({.side = Node::Side::frontend,
                     .key = "tty",
                     .value = std::string{name.substr(kPty.size())}});
  } else if (target_->begins_anew_with_each_state()) {
    // For stubdm in the stub domain: it may save its guest more than once (save_console.h).
    nodes.push_back({.side = Node::Side::backend, .key = "stubdm-begins-anew", .value = "1"});
  }
  return std::optional{std::move(nodes)};
}

Result<Nodes> Console::connect(const Values& values) {
  const auto remote = number<std::uint32_t>(values[1]);
  if (!remote) {
    return Error{"no event channel in `port`"};
  }
  if (id_ == 0) {
    const auto frame = number<std::uint64_t>(values[0]);
    page_ = frame ? host_.frontend.map_frame(*frame) : nullptr;
  } else if (const auto grant = number<std::uint32_t>(values[0])) {
    page_ = host_.frontend.map_grants(std::span{&*grant, 1}, true);
  }
  if (page_ == nullptr) {
    return Error{"the page in `ring-ref` cannot be mapped"};
  }
  const auto port = host_.frontend.bind(*remote, *this);
  if (!port) {
    disconnect();
    return Error{"the event channel in `port` cannot be bound"};
  }
  port_ = *port;
  target_->attach(this);
  work_.schedule();  // what the guest wrote before we came
  return Nodes{};
}

void Console::disconnect() noexcept {
  if (page_ == nullptr) {
    return;
  }
  if (port_ != 0) {
    // What the guest has written is not lost because it goes: a crash's last words come last.
    static_cast<void>(move_output());
    target_->attach(nullptr);
    host_.frontend.unbind(std::exchange(port_, 0));
  }
  work_.cancel();
  if (id_ == 0) {
    host_.frontend.unmap_frame(page_);
  } else {
    host_.frontend.unmap_grants(page_, 1);
  }
  page_ = nullptr;
}

bool Console::serve() noexcept {
  if (page_ == nullptr) {
    return false;
  }
  const bool out = move_output();
  const bool in = move_input();
  if (out || in) {
    host_.frontend.notify(port_);
  }
  return false;
}

/// True when the guest has room that it did not have.
bool Console::move_output() noexcept {
  const auto cons_word = shared_word(page_, kOutCons);
  std::uint32_t cons = cons_word.load(std::memory_order_relaxed);
  const std::uint32_t prod = shared_word(page_, kOutProd).load(std::memory_order_acquire);
  std::uint32_t left = prod - cons;
  if (left > kOutSize) {
    ++counters_.bad_indices;
    complaints_.warning("console ", id_, ": the guest claims ", left,
                        " bytes of output in a ring of 2048; they are dropped");
    cons_word.store(prod, std::memory_order_release);
    return true;
  }
  bool moved = false;
  while (left != 0) {
    const std::uint32_t at = cons % kOutSize;
    const std::uint32_t piece = std::min(left, kOutSize - at);
    // The bytes themselves may change while they are written: they are the guest's own output.
    const std::size_t taken = target_->write({page_ + kOut + at, piece});
    cons += static_cast<std::uint32_t>(taken);
    left -= static_cast<std::uint32_t>(taken);
    counters_.out += taken;
    moved = moved || taken != 0;
    if (taken < piece) {
      break;  // on_writable() goes on
    }
  }
  cons_word.store(cons, std::memory_order_release);
  return moved;
}

/// True when there is input that the guest has not seen.
bool Console::move_input() noexcept {
  const auto prod_word = shared_word(page_, kInProd);
  std::uint32_t prod = prod_word.load(std::memory_order_relaxed);
  const std::uint32_t cons = shared_word(page_, kInCons).load(std::memory_order_acquire);
  if (prod - cons > kInSize) {
    ++counters_.bad_indices;
    return false;  // as a full ring
  }
  std::uint32_t room = kInSize - (prod - cons);
  bool moved = false;
  while (room != 0) {
    const std::uint32_t at = prod % kInSize;
    const std::uint32_t piece = std::min(room, kInSize - at);
    const std::size_t got = target_->read({page_ + kIn + at, piece});
    prod += static_cast<std::uint32_t>(got);
    room -= static_cast<std::uint32_t>(got);
    counters_.in += got;
    moved = moved || got != 0;
    if (got < piece) {
      break;  // on_readable() goes on
    }
  }
  prod_word.store(prod, std::memory_order_release);
  return moved;
}

std::optional<ChardevInfo> Console::chardev_info() const {
  if (target_ == nullptr) {
    return std::nullopt;
  }
  return ChardevInfo{.label = "xencons" + std::to_string(id_),
                     .filename = std::string{target_->description()}};
}

}  // namespace dm::pv
