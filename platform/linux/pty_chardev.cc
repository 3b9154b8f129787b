// SPDX-License-Identifier: MIT
#include "platform/linux/pty_chardev.h"

#include "platform/linux/error_text.h"
#include "platform/linux/tty_mode.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

namespace dm::host {

Result<std::unique_ptr<Chardev>> PtyChardev::open(boost::asio::io_context& context) {
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
  return std::unique_ptr<Chardev>{std::make_unique<PtyChardev>(context, std::move(master), path)};
}

PtyChardev::PtyChardev(boost::asio::io_context& context,
                       UniqueFd master,
                       const std::string& slave_path)
    : StreamChardev{context,
                    {.description = "pty:" + slave_path,
                     .output_capacity = kBacklog,
                     .keeps_output_alone = true,
                     .presence_is_carrier = false,
                     .survives_errors = false}},
      look_{context, Callback::bind<&PtyChardev::look>(*this)} {
  set_streams(std::move(master));
  UniqueFd notify{::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
  if (notify && ::inotify_add_watch(notify.get(), slave_path.c_str(), IN_OPEN) >= 0) {
    opens_ = Watch{context, std::move(notify), Callback::bind<&PtyChardev::on_opened>(*this)};
  }
  if (opens_.ok()) {
    opens_.await_readable();
  } else {
    log::warning("serial ", description(),
                 ": inotify cannot be had (fs.inotify.max_user_instances?); looking for readers "
                 "every second");
  }
  look();
}

bool PtyChardev::hung_up() const noexcept {
  pollfd state{.fd = input_fd(), .events = 0, .revents = 0};
  return ::poll(&state, 1, 0) == 1 && (state.revents & POLLHUP) != 0;
}

void PtyChardev::on_opened() noexcept {
  std::array<std::byte, 1024> events;
  while (::read(opens_.fd(), events.data(), events.size()) > 0) {
  }
  opens_.await_readable();
  // Whoever it was may have written and gone already: reading finds that out, in order.
  if (!connected()) {
    set_connected(true);
  }
}

void PtyChardev::on_lost() noexcept {
  if (!hung_up()) {
    schedule();  // the next one came before we looked
    return;
  }
  set_connected(false);
  TtyMode::make_raw_for_good(input_fd());  // a reader may have left it otherwise
  look();
}

void PtyChardev::look() noexcept {
  if (!hung_up()) {
    set_connected(true);
  } else if (!opens_.ok()) {
    look_.arm(std::chrono::seconds{1});
  }
}

}  // namespace dm::host
