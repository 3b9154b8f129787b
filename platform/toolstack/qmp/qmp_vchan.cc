// SPDX-License-Identifier: MIT
#include "platform/toolstack/qmp/qmp_vchan.h"

#include "core/obs/log.h"

#include <array>
#include <exception>

namespace dm::toolstack {

QmpVchan::~QmpVchan() {
  if (ring_) {
    ring_->hang_up();
    line_.ring_bell();
  }
}

Result<> QmpVchan::start() {
  ring_.reset();
  auto page = line_.new_page();
  if (!page) {
    return page.error();
  }
  ring_.emplace(*page);
  return line_.announce();
}

bool QmpVchan::serve() noexcept {
  if (!ring_) {
    return false;
  }
  bool more = false;
  try {
    switch (ring_->client()) {
      case VchanRing::Client::away:
        end();
        break;
      case VchanRing::Client::fresh:
        end();
        begin();
        more = session_ && exchange();
        break;
      case VchanRing::Client::known:
        more = session_ && exchange();
        break;
    }
    if (ring_ && ring_->take_notice()) {
      line_.ring_bell();
    }
  } catch (const std::exception& failure) {
    replace(failure.what());
  }
  return more;
}

/// The client that was there is gone.
void QmpVchan::end() noexcept {
  if (!session_) {
    return;
  }
  session_.reset();
  std::string{}.swap(out_);
  ring_->part();
  if (!ring_->reusable()) {
    replace("the client has gone without reading its answers, or has changed what is ours");
  }
}

void QmpVchan::begin() {
  if (!ring_ || ring_->client() != VchanRing::Client::fresh) {
    return;  // a new ring: the client that came meanwhile has the old one
  }
  if (!ring_->reusable()) {
    replace("a client has come to a ring in which something was left, or changed");
    return;
  }
  ring_->greet();
  session_.emplace(commands_);
  out_ = QmpSession::greeting();
}

/// Puts as much of out_ as there is room for. False when the client has broken the ring.
bool QmpVchan::flush() {
  while (!out_.empty()) {
    const auto put = ring_->write(out_);
    if (!put) {
      return false;
    }
    out_.erase(0, *put);
    if (*put == 0) {
      ring_->ask_for_room();
      if (!ring_->has_room()) {
        break;
      }
    }
  }
  if (out_.empty()) {
    std::string{}.swap(out_);  // an idle client holds no memory
  }
  return true;
}

bool QmpVchan::exchange() {
  std::array<char, VchanRing::kFromClient> buffer{};
  const auto got = ring_->read(buffer);
  if (!got || session_->feed({buffer.data(), *got}, out_, kMaxOutput) == QmpSession::Next::drop) {
    replace("a client broke the protocol's rules, or does not read its answers");
    return false;
  }
  if (!flush()) {
    replace("a client broke the rules of the ring");
    return false;
  }
  ring_->ask_for_bytes();
  return ring_->has_bytes();
}

void QmpVchan::replace(std::string_view why) noexcept {
  static log::Limit limit;
  limit.warning("QMP: a new vchan: ", why);
  session_.reset();
  std::string{}.swap(out_);
  if (ring_) {
    ring_->hang_up();
    line_.ring_bell();
  }
  try {
    if (auto started = start(); !started) {
      ring_.reset();
      log::error("QMP: no more commands can come from dom0: ",
                 std::string_view{started.error().message});
    }
  } catch (const std::exception& failure) {
    ring_.reset();
    log::error("QMP: no more commands can come from dom0: ", failure.what());
  }
}

}  // namespace dm::toolstack
