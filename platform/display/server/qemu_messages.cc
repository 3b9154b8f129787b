// SPDX-License-Identifier: MIT
// What viewers of virtual machines know beside RFC 6143: scan codes instead of symbols, and whether
// the pointer goes where it is told. Source: QEMU, docs/interop (RFB extensions), "QEMU Extended
// Key Event Message" and "QEMU Pointer Motion Change Pseudo-encoding" of the RFB community's text.
#include "platform/display/server/viewer_server.h"

#include <arpa/inet.h>

#include <array>
#include <cstring>

namespace dm::display {

namespace {

constexpr int kKeyEvent = -258;
constexpr int kPointerChange = -257;
constexpr std::uint8_t kExtendedKey = 0;

/// The rest of a QEMU key event, behind type and subtype. Numbers are big-endian.
struct KeyMessage {
  std::uint16_t down;
  std::uint32_t symbol;
  std::uint32_t code;
};

/// A picture without pixels, whose one rectangle is the news.
void send_news(rfbClientPtr client, int encoding, std::uint16_t x) {
  std::array<char, sz_rfbFramebufferUpdateMsg + sz_rfbFramebufferUpdateRectHeader> bytes{};
  const std::array<std::uint16_t, 1> one{htons(1)};
  std::memcpy(bytes.data() + 2, one.data(), sizeof one);
  const std::array<std::uint16_t, 4> place{
      htons(x), 0, htons(static_cast<std::uint16_t>(client->screen->width)),
      htons(static_cast<std::uint16_t>(client->screen->height))};
  std::memcpy(bytes.data() + 4, place.data(), sizeof place);
  const std::uint32_t number = htonl(static_cast<std::uint32_t>(encoding));
  std::memcpy(bytes.data() + 12, &number, sizeof number);
  if (rfbWriteExact(client, bytes.data(), static_cast<int>(bytes.size())) < 0) {
    rfbCloseClient(client);
  }
}

rfbBool on_encoding(rfbClientPtr client, void** /*data*/, int encoding) {
  if (client->clientData == nullptr) {
    return FALSE;
  }
  if (encoding == kKeyEvent) {
    send_news(client, kKeyEvent, 0);
    return TRUE;
  }
  if (encoding == kPointerChange) {
    Viewers::Server& server = server_of(client);
    server.viewer_of(client).pointer_change = true;
    send_news(client, kPointerChange, server.absolute ? 1 : 0);
    return TRUE;
  }
  return FALSE;
}

rfbBool on_message(rfbClientPtr client, void* /*data*/, const rfbClientToServerMsg* message) {
  if (message->type != kQemuMessage) {
    return FALSE;
  }
  std::array<char, 11> rest{};
  if (rfbReadExact(client, rest.data(), static_cast<int>(rest.size())) <= 0 ||
      static_cast<std::uint8_t>(rest[0]) != kExtendedKey) {
    rfbCloseClient(client);
    return TRUE;
  }
  KeyMessage key{};
  std::memcpy(&key.down, rest.data() + 1, sizeof key.down);
  std::memcpy(&key.symbol, rest.data() + 3, sizeof key.symbol);
  std::memcpy(&key.code, rest.data() + 7, sizeof key.code);
  const std::uint32_t code = ntohl(key.code);
  Viewers::Server& server = server_of(client);
  if (code == 0 || code > 0xff) {
    server.press_symbol(client, ntohl(key.symbol), key.down != 0);
  } else {
    server.press(client, static_cast<std::uint8_t>(code), key.down != 0);
  }
  return TRUE;
}

std::array<int, 3> encodings{kKeyEvent, kPointerChange, 0};

rfbProtocolExtension extension{.newClient = [](rfbClientPtr, void**) -> rfbBool { return TRUE; },
                               .init = nullptr,
                               .pseudoEncodings = encodings.data(),
                               .enablePseudoEncoding = on_encoding,
                               .handleMessage = on_message,
                               .close = nullptr,
                               .usage = nullptr,
                               .processArgument = nullptr,
                               .next = nullptr};

}  // namespace

void Viewers::Server::register_extension() {
  rfbRegisterProtocolExtension(&extension);
}

void Viewers::Server::unregister_extension() {
  rfbUnregisterProtocolExtension(&extension);
}

void Viewers::Server::tell_pointer() {
  for (rfbClientPtr client = screen->clientHead; client != nullptr; client = client->next) {
    if (client->sock != RFB_INVALID_SOCKET && viewer_of(client).pointer_change) {
      send_news(client, kPointerChange, absolute ? 1 : 0);
    }
  }
}

}  // namespace dm::display
