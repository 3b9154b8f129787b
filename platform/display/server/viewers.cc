// SPDX-License-Identifier: MIT
#include "platform/display/server/viewers.h"

#include "core/obs/log.h"
#include "platform/display/server/viewer_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace dm::display {

namespace {

constexpr std::chrono::seconds kHandshake{10};
constexpr std::size_t kMostHandshakes = 4;
/// In the middle of a picture, without a byte that is taken.
constexpr int kPatienceMilliseconds = 5000;
constexpr unsigned kMostFailures = 5;  ///< in a minute, from one address
constexpr std::size_t kMostAddresses = 64;

[[nodiscard]] bool is_live(const rfbClientRec& client) noexcept {
  return client.sock != RFB_INVALID_SOCKET;
}
[[nodiscard]] bool is_ready(const rfbClientRec& client) noexcept {
  return FB_UPDATE_PENDING(&client) && sraRgnEmpty(client.requestedRegion) == FALSE;
}

/// Messages that a viewer may begin with this byte: RFC 6143, 7.5, SetDesktopSize, and QEMU's.
[[nodiscard]] bool may_come(std::uint8_t type) noexcept {
  constexpr std::uint8_t kSetDesktopSize = 251;
  return type == rfbSetPixelFormat || (type >= rfbSetEncodings && type <= rfbClientCutText) ||
         type == kSetDesktopSize || type == kQemuMessage;
}

enum rfbNewClientAction on_new(rfbClientPtr client) {
  client->clientGoneHook = [](rfbClientPtr gone) {
    if (gone->clientData == nullptr) {
      return;
    }
    Viewers::Server& server = server_of(gone);
    if (server.viewer_of(gone).release_keys(server.input)) {
      server.input.release();
    }
    delete static_cast<Viewer*>(gone->clientData);
    gone->clientData = nullptr;
  };
  return RFB_CLIENT_ACCEPT;
}

void on_key(rfbBool down, rfbKeySym symbol, rfbClientPtr client) {
  server_of(client).press_symbol(client, symbol, down != FALSE);
}

void on_pointer(int buttons, int x, int y, rfbClientPtr client) {
  server_of(client).move(client, buttons, x, y);
}

/// Nothing of a viewer's clipboard is kept.
void on_text(char* /*text*/, int /*length*/, rfbClientPtr /*client*/) {}

int on_size(int /*width*/,
            int /*height*/,
            int /*screens*/,
            rfbExtDesktopScreen* /*list*/,
            rfbClientPtr /*client*/) {
  return rfbExtDesktopSize_ResizeProhibited;
}

int on_leds(rfbScreenInfoPtr screen) {
  return static_cast<Viewers::Server*>(screen->screenData)->leds;
}

rfbBool on_password(rfbClientPtr client, const char* response, int length) {
  return server_of(client).is_let_in(*client,
                                     {response, static_cast<std::size_t>(std::max(length, 0))})
             ? TRUE
             : FALSE;
}

}  // namespace

bool Viewer::release_keys(ViewerInput& input) {
  bool any = buttons != 0;
  for (std::size_t code = 0; code < held.size(); ++code) {
    if (held.test(code)) {
      input.key(static_cast<std::uint8_t>(code), false);
      any = true;
    }
  }
  held.reset();
  buttons = 0;
  return any;
}

Viewers::Server& server_of(rfbClientPtr client) {
  return *static_cast<Viewers::Server*>(client->screen->screenData);
}

Viewers::Server::Server(const Setup& setup)
    : name{setup.name},
      canvas{setup.canvas},
      area{setup.area},
      keymap{setup.keymap},
      input{setup.input} {
  rfbLogEnable(FALSE);
  int no_arguments = 0;
  screen = rfbGetScreen(&no_arguments, nullptr, static_cast<int>(canvas.width()),
                        static_cast<int>(canvas.height()), 8, 3, 4);
  screen->screenData = this;
  screen->desktopName = name.c_str();
  screen->frameBuffer = static_cast<char*>(static_cast<void*>(canvas.pixels().data()));
  screen->autoPort = FALSE;
  screen->port = 0;
  screen->ipv6port = 0;
  screen->httpDir = nullptr;
  screen->cursor = nullptr;
  screen->deferUpdateTime = 0;
  screen->deferPtrUpdateTime = 0;
  screen->handleEventsEagerly = TRUE;
  screen->permitFileTransfer = FALSE;
  screen->maxClientWait = kPatienceMilliseconds;
  screen->newClientHook = on_new;
  screen->kbdAddEvent = on_key;
  screen->ptrAddEvent = on_pointer;
  screen->setXCutText = on_text;
  screen->setDesktopSizeHook = on_size;
  screen->getKeyboardLedStateHook = on_leds;
  if (setup.password) {
    // Any pointer: it only says that there is a password.
    screen->authPasswdData = static_cast<void*>(this);
    screen->passwordCheck = on_password;
  }
  set_format();
  register_extension();
  rfbInitServer(screen);
}

Viewers::Server::~Server() {
  rfbShutdownServer(screen, TRUE);
  unregister_extension();
  screen->frameBuffer = nullptr;
  rfbScreenCleanup(screen);
}

/// As the canvas has them. The library takes red to be lowest.
void Viewers::Server::set_format() {
  screen->serverFormat.redShift = 16;
  screen->serverFormat.greenShift = 8;
  screen->serverFormat.blueShift = 0;
  screen->serverFormat.depth = 24;
  for (rfbClientPtr client = screen->clientHead; client != nullptr; client = client->next) {
    static_cast<void>(rfbSetTranslateFunction(client));
  }
}

void Viewers::Server::press(rfbClientPtr client, std::uint8_t code, bool down) {
  Viewer& viewer = viewer_of(client);
  // A key that is held comes again and again: the guest's keyboard does that.
  viewer.held.set(code, down);
  input.key(code, down);
}

/// A symbol that needs Shift or AltGr, from a viewer whose own layout did not: they are held for
/// the moment. Caps Lock, where the guest has it on, does it for letters.
void Viewers::Server::press_symbol(rfbClientPtr client, std::uint32_t symbol, bool down) {
  constexpr std::uint8_t kShift = 0x2a;
  constexpr std::uint8_t kRightShift = 0x36;
  constexpr std::uint8_t kAltGr = 0xb8;
  constexpr std::uint8_t kCapsLock = 4;  // Input::leds()
  const auto key = keymap.find(symbol);
  if (!key) {
    return;
  }
  const Viewer& viewer = viewer_of(client);
  const bool shift = viewer.held.test(kShift) || viewer.held.test(kRightShift);
  const bool wanted = key->letter && (leds & kCapsLock) != 0 ? !key->shift : key->shift;
  const bool lend_shift = down && wanted && !shift;
  const bool lend_third = down && key->third && !viewer.held.test(kAltGr);
  if (lend_shift) {
    input.key(kShift, true);
  }
  if (lend_third) {
    input.key(kAltGr, true);
  }
  press(client, key->code, down);
  if (lend_third) {
    input.key(kAltGr, false);
  }
  if (lend_shift) {
    input.key(kShift, false);
  }
}

void Viewers::Server::move(rfbClientPtr client, int buttons, int x, int y) {
  constexpr int kWide = 32767;
  Viewer& viewer = viewer_of(client);
  const auto pressed = static_cast<std::uint8_t>(buttons & 0x1f);
  viewer.buttons = pressed;
  if (absolute || !viewer.pointer_change) {
    const auto place = [](int at, std::uint32_t size) {
      const int last = std::max(static_cast<int>(size) - 1, 1);
      return static_cast<std::uint16_t>(std::clamp(at, 0, last) * kWide / last);
    };
    input.pointer(place(x, canvas.width()), place(y, canvas.height()), pressed);
  } else {
    // QEMU: "relative", the movement is added to 7FFFh.
    input.pointer_by(static_cast<std::int16_t>(x - 0x7fff), static_cast<std::int16_t>(y - 0x7fff),
                     pressed);
  }
}

/// RFC 6143, 7.2.2. What comes from an address that has failed too often fails for a minute.
bool Viewers::Server::is_let_in(rfbClientRec& client, std::string_view response) {
  const auto now = std::chrono::steady_clock::now();
  std::erase_if(failures,
                [now](const Failure& f) { return now - f.when > std::chrono::minutes{1}; });
  const std::string from = client.host != nullptr ? client.host : "";
  const auto failed = std::ranges::count(failures, from, &Failure::from);
  std::array<unsigned char, CHALLENGESIZE> expected{};
  std::copy_n(std::begin(client.authChallenge), expected.size(), expected.begin());
  std::array<char, kPasswordBytes + 1> password{};
  std::copy(area.password.begin(), area.password.end(), password.begin());
  rfbEncryptBytes(expected.data(), password.data());
  unsigned differs = response.size() == expected.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(response.size(), expected.size()); ++i) {
    differs |= static_cast<unsigned>(static_cast<unsigned char>(response[i]) ^ expected.at(i));
  }
  if (differs == 0 && area.password_set != 0 && failed < kMostFailures) {
    return true;
  }
  if (failures.size() < kMostAddresses) {
    failures.push_back({from, now});
  }
  return false;
}

/// Closes what may not go on: a message that is not served here, a handshake that takes too long.
void Viewers::Server::watch() {
  const auto now = std::chrono::steady_clock::now();
  std::size_t handshakes = 0;
  for (rfbClientPtr client = screen->clientHead; client != nullptr; client = client->next) {
    if (!is_live(*client)) {
      continue;
    }
    if (client->state != rfbClientRec::RFB_NORMAL) {
      ++handshakes;
      if (now > viewer_of(client).handshake || handshakes > kMostHandshakes) {
        rfbCloseClient(client);
      }
      continue;
    }
    // Inside a WebSocket the bytes are masked: there the library's own checks are all.
    std::uint8_t type = 0;
    if (client->wsctx == nullptr &&
        ::recv(client->sock, &type, sizeof type, MSG_PEEK | MSG_DONTWAIT) == sizeof type &&
        !may_come(type)) {
      rfbCloseClient(client);
    }
  }
}

void Viewers::Server::bury() {
  for (rfbClientPtr client = screen->clientHead; client != nullptr;) {
    auto* const next = client->next;
    if (!is_live(*client)) {
      rfbClientConnectionGone(client);
    }
    client = next;
  }
}

Viewers::Viewers(const Setup& setup) : server_{std::make_unique<Server>(setup)} {}

Viewers::~Viewers() = default;

std::size_t Viewers::size() const noexcept {
  std::size_t count = 0;
  for (rfbClientPtr client = server_->screen->clientHead; client != nullptr;
       client = client->next) {
    count += is_live(*client) ? 1U : 0U;
  }
  return count;
}

void Viewers::add(host::UniqueFd socket) {
  if (size() >= kMost) {
    log::info("vnc: there are ", kMost, " viewers already: another one is turned away");
    return;
  }
  const int on = 1;
  static_cast<void>(::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
  auto* const client = rfbNewClient(server_->screen, socket.release());
  if (client != nullptr) {
    client->clientData = new Viewer{.handshake = std::chrono::steady_clock::now() + kHandshake};
  }
}

void Viewers::fill(std::vector<pollfd>& waits) const {
  for (rfbClientPtr client = server_->screen->clientHead; client != nullptr;
       client = client->next) {
    if (is_live(*client)) {
      const auto room = static_cast<short>(is_ready(*client) ? POLLOUT : 0);
      waits.push_back(
          {.fd = client->sock, .events = static_cast<short>(POLLIN | room), .revents = 0});
    }
  }
}

std::optional<std::chrono::steady_clock::time_point> Viewers::deadline() const {
  std::optional<std::chrono::steady_clock::time_point> first;
  for (rfbClientPtr client = server_->screen->clientHead; client != nullptr;
       client = client->next) {
    if (is_live(*client) && client->state != rfbClientRec::RFB_NORMAL) {
      const auto at = server_->viewer_of(client).handshake;
      first = std::min(first.value_or(at), at);
    }
  }
  return first;
}

void Viewers::run() {
  server_->watch();
  static_cast<void>(rfbCheckFds(server_->screen, 0));
  for (rfbClientPtr client = server_->screen->clientHead; client != nullptr;
       client = client->next) {
    if (!is_live(*client) || !is_ready(*client)) {
      continue;
    }
    pollfd room{.fd = client->sock, .events = POLLOUT, .revents = 0};
    if (::poll(&room, 1, 0) == 1) {
      static_cast<void>(rfbUpdateClient(client));
    }
  }
  server_->bury();
}

bool Viewers::wait_for_picture() const {
  for (rfbClientPtr client = server_->screen->clientHead; client != nullptr;
       client = client->next) {
    if (is_live(*client) && sraRgnEmpty(client->requestedRegion) == FALSE) {
      return true;
    }
  }
  return false;
}

void Viewers::show(bool resized) {
  Server& server = *server_;
  if (resized) {
    rfbNewFramebuffer(
        server.screen, static_cast<char*>(static_cast<void*>(server.canvas.pixels().data())),
        static_cast<int>(server.canvas.width()), static_cast<int>(server.canvas.height()), 8, 3, 4);
    server.set_format();
    return;
  }
  for (const Rectangle& strip : server.canvas.changed()) {
    rfbMarkRectAsModified(server.screen, static_cast<int>(strip.left), static_cast<int>(strip.top),
                          static_cast<int>(strip.right), static_cast<int>(strip.bottom));
  }
}

void Viewers::set_state(bool absolute, std::uint8_t leds) {
  server_->leds = leds;
  if (absolute != server_->absolute) {
    server_->absolute = absolute;
    server_->tell_pointer();
  }
}

}  // namespace dm::display
