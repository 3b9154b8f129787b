// SPDX-License-Identifier: MIT
#include "platform/linux/tty_mode.h"

// The kernel's own termios, not libc's: only it has free speeds (struct termios2, BOTHER). The two
// headers exclude each other.
#include <asm/termbits.h>
#include <sys/ioctl.h>

#include <algorithm>

namespace dm::host {

namespace {

void set_raw(termios2& mode, TtyMode::Keys keys) noexcept {
  mode.c_iflag &= ~tcflag_t{IGNBRK | BRKINT | PARMRK | INPCK | ISTRIP | INLCR | IGNCR | ICRNL |
                            IUCLC | IXON | IXOFF | IXANY | IMAXBEL};
  mode.c_oflag &= ~tcflag_t{OPOST};
  mode.c_lflag &= ~tcflag_t{ECHO | ECHONL | ICANON | IEXTEN};
  if (keys == TtyMode::Keys::pass) {
    mode.c_lflag &= ~tcflag_t{ISIG};
  }
  mode.c_cflag &= ~tcflag_t{CSIZE | PARENB | CRTSCTS};
  // CLOCAL: a line without carrier is a line all the same. The guest sees the modem's lines and
  // decides.
  mode.c_cflag |= CS8 | CREAD | CLOCAL;
  mode.c_cc[VMIN] = 1;
  mode.c_cc[VTIME] = 0;
}

}  // namespace

struct TtyMode::Saved {
  int fd;
  termios2 mode;
};

TtyMode::TtyMode() noexcept = default;

TtyMode::~TtyMode() {
  if (saved_) {
    ::ioctl(saved_->fd, TCSETS2, &saved_->mode);
  }
}

bool TtyMode::make_raw(int fd, Keys keys) {
  termios2 mode{};
  if (::ioctl(fd, TCGETS2, &mode) != 0) {
    return false;
  }
  saved_ = std::make_unique<Saved>(Saved{fd, mode});
  set_raw(mode, keys);
  if (keys == Keys::signals) {
    mode.c_oflag |= OPOST | ONLCR;  // a terminal that other programs write to as well
  }
  return ::ioctl(fd, TCSETS2, &mode) == 0;
}

bool TtyMode::make_raw_for_good(int fd) noexcept {
  termios2 mode{};
  if (::ioctl(fd, TCGETS2, &mode) != 0) {
    return false;
  }
  set_raw(mode, Keys::pass);
  return ::ioctl(fd, TCSETS2, &mode) == 0;
}

void mark_breaks(int fd) noexcept {
  termios2 mode{};
  if (::ioctl(fd, TCGETS2, &mode) == 0) {
    mode.c_iflag |= PARMRK;
    ::ioctl(fd, TCSETS2, &mode);
  }
}

void set_tty_line(int fd,
                  std::uint32_t baud,
                  std::uint8_t data_bits,
                  std::uint8_t stop_bits,
                  char parity) noexcept {
  static constexpr tcflag_t kSizes[] = {CS5, CS6, CS7, CS8};
  termios2 mode{};
  if (::ioctl(fd, TCGETS2, &mode) != 0) {
    return;
  }
  // Never 0: B0 would hang up.
  const auto speed = static_cast<speed_t>(std::clamp<std::uint32_t>(baud, 50, 4'000'000));
  mode.c_cflag &= ~tcflag_t{CBAUD | (CBAUD << IBSHIFT) | CSIZE | CSTOPB | PARENB | PARODD};
  mode.c_cflag |= BOTHER | (BOTHER << IBSHIFT);
  mode.c_ispeed = mode.c_ospeed = speed;
  mode.c_cflag |= kSizes[std::clamp<unsigned>(data_bits, 5, 8) - 5];
  if (stop_bits == 2) {
    mode.c_cflag |= CSTOPB;
  }
  if (parity != 'n') {
    mode.c_cflag |= parity == 'o' ? PARENB | PARODD : PARENB;
  }
  ::ioctl(fd, TCSETS2, &mode);
}

}  // namespace dm::host
