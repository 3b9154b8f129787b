// SPDX-License-Identifier: MIT
#include "platform/linux/chardev/visited_chardev.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace dm::host {

VisitedChardev::VisitedChardev(Loop& loop, std::string description)
    : StreamChardev{loop,
                    {.description = std::move(description),
                     .output_capacity = kBacklog,
                     .keeps_output_alone = true}},
      look_{loop, Callback::bind<&VisitedChardev::look>(*this)} {}

void VisitedChardev::wait_for_visitors(const std::string& path) {
  UniqueFd notify{::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
  if (notify && ::inotify_add_watch(notify.get(), path.c_str(), IN_OPEN) >= 0) {
    opens_ = Watch{loop(), std::move(notify), Callback::bind<&VisitedChardev::on_opened>(*this)};
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

void VisitedChardev::on_opened() noexcept {
  std::array<std::byte, 1024> events;
  while (::read(opens_.fd(), events.data(), events.size()) > 0) {
  }
  opens_.await_readable();
  // Whoever it was may have typed and gone already: losing them lets the device read it.
  if (!connected()) {
    set_connected(true);
  }
}

void VisitedChardev::on_lost() noexcept {
  if (!has_gone()) {  // the next one came before we looked
    watch_again();
    schedule();
    return;
  }
  set_connected(false);
  on_left();
  look();
}

void VisitedChardev::look() noexcept {
  if (!has_gone()) {
    set_connected(true);
  } else if (!opens_.ok()) {
    look_.arm(std::chrono::seconds{1});
  }
}

}  // namespace dm::host
