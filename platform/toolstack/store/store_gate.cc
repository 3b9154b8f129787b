// SPDX-License-Identifier: MIT
#include "platform/toolstack/store/store_gate.h"

#include "core/obs/log.h"
#include "platform/toolstack/store/store_rules.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace dm::toolstack {

StoreGate::Waits StoreGate::waits() const noexcept {
  Waits waits{{{.fd = -1, .events = 0, .revents = 0}, {.fd = -1, .events = 0, .revents = 0}}};
  if (open()) {
    waits[0].fd = process_.get();
    waits[1].fd = store_.get();
    // Nothing more is read where the other side has not taken what was read before.
    waits[0].events = static_cast<short>((whole_ ? 0 : POLLIN) | (answer_.sending() ? POLLOUT : 0));
    waits[1].events = static_cast<short>((answer_.sending() ? 0 : POLLIN) | (whole_ ? POLLOUT : 0));
  }
  return waits;
}

void StoreGate::run(std::span<const pollfd, kWaits> ready) noexcept {
  if (open() && whole_ && ready[1].revents != 0 && send(question_, store_.get())) {
    whole_ = false;
    question_.size = question_.sent = 0;
  }
  if (open() && answer_.sending() && ready[0].revents != 0 && send(answer_, process_.get())) {
    answer_.size = answer_.sent = 0;
  }
  if (open() && !whole_ && ready[0].revents != 0) {
    hear_process();
  }
  if (open() && !answer_.sending() && ready[1].revents != 0) {
    hear_store();
  }
}

/// Reads no further than the message's end, so that nothing is kept of the next one.
void StoreGate::hear_process() noexcept {
  const auto header = [this] {
    wire::Header read{};
    std::memcpy(&read, question_.bytes.data(), sizeof read);
    return read;
  };
  const bool has_header = question_.size >= sizeof(wire::Header);
  const std::size_t wanted = sizeof(wire::Header) + (has_header ? header().length : 0);
  if (wanted > question_.size) {
    const ssize_t got =
        ::read(process_.get(), question_.bytes.data() + question_.size, wanted - question_.size);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      return;
    }
    if (got <= 0) {
      close({});  // it has ended, or wants nothing more
      return;
    }
    question_.size += static_cast<std::size_t>(got);
  }
  if (question_.size < sizeof(wire::Header)) {
    return;
  }
  const wire::Header asked = header();
  if (asked.length > wire::kMaxPayload) {
    close("sends xenstore a message that is too long");
    return;
  }
  if (question_.size < sizeof asked + asked.length) {
    return;
  }
  if (!may_say(domid_, asked, {question_.bytes.data() + sizeof asked, asked.length})) {
    close("asks xenstore for what is not its own");
    return;
  }
  whole_ = true;
  if (send(question_, store_.get())) {
    whole_ = false;
    question_.size = question_.sent = 0;
  }
}

void StoreGate::hear_store() noexcept {
  const ssize_t got = ::read(store_.get(), answer_.bytes.data(), answer_.bytes.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  if (got <= 0) {
    log::warning("xenstored has closed the connection of domain ", domid_, "'s device model");
    close({});
    return;
  }
  answer_.size = static_cast<std::size_t>(got);
  answer_.sent = 0;
  if (send(answer_, process_.get())) {
    answer_.size = answer_.sent = 0;
  }
}

bool StoreGate::send(Buffer& buffer, int to) noexcept {
  while (buffer.sending()) {
    // write(2): xenstored may be a device. SIGPIPE is ignored in the supervisor.
    const ssize_t put = ::write(to, buffer.bytes.data() + buffer.sent, buffer.size - buffer.sent);
    if (put < 0 && errno == EINTR) {
      continue;
    }
    if (put < 0 && errno == EAGAIN) {
      return false;
    }
    if (put <= 0) {
      close({});
      return false;
    }
    buffer.sent += static_cast<std::size_t>(put);
  }
  return true;
}

void StoreGate::close(std::string_view why) noexcept {
  if (!why.empty()) {
    log::error("the device model of domain ", domid_, " ", why,
               ": it is not listened to any more, and has no PV devices from here on");
  }
  process_.reset();
  store_.reset();
}

}  // namespace dm::toolstack
