// SPDX-License-Identifier: MIT
#include "platform/linux/chardev/pty_chardev.h"

#include "platform/linux/error_text.h"
#include "platform/linux/tty_mode.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

namespace dm::host {

Result<std::unique_ptr<Chardev>> PtyChardev::open(Loop& loop) {
  UniqueFd master{::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)};
  int locked = 0;
  unsigned number = 0;
  if (!master || ::ioctl(master.get(), TIOCSPTLCK, &locked) != 0 ||
      ::ioctl(master.get(), TIOCGPTN, &number) != 0) {
    return fail("cannot make a pseudo-terminal for serial = \"pty\": ", error_text(errno),
                " (is devpts mounted?)");
  }
  const std::string path = "/dev/pts/" + std::to_string(number);
  // Before anybody can open it: the pair starts out cooked, with echo.
  TtyMode::make_raw_for_good(master.get());
  // A pair counts as hung up only after its slave has been open, and closed, once.
  if (!UniqueFd{::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC)}) {
    return fail("cannot open ", path, ": ", error_text(errno));
  }
  return std::unique_ptr<Chardev>{std::make_unique<PtyChardev>(loop, std::move(master), path)};
}

PtyChardev::PtyChardev(Loop& loop, UniqueFd master, const std::string& slave_path)
    : VisitedChardev{loop, "pty:" + slave_path} {
  set_streams(std::move(master));
  wait_for_visitors(slave_path);
}

void PtyChardev::on_left() noexcept {
  TtyMode::make_raw_for_good(input_fd());  // a reader may have left it otherwise
}

}  // namespace dm::host
