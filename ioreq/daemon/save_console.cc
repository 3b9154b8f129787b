// SPDX-License-Identifier: MIT
#include "ioreq/daemon/save_console.h"

#include "platform/linux/error_text.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

namespace dm {

SaveConsole::SaveConsole(const std::string& tty, bool begins_anew)
    : tty_{::open(tty.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC)},
      error_{tty_ ? 0 : errno},
      begins_anew_{begins_anew} {}

Result<toolstack::StateTarget> SaveConsole::begin(const std::string& name) {
  if (name != "/dev/fdset/1") {
    return Error{"a stub domain writes to /dev/fdset/1 alone, its console for it"};
  }
  if (!tty_) {
    return fail("the stub domain has no console for it: ", host::error_text(error_));
  }
  if (used_ && !begins_anew_) {
    return Error{
        "this stub domain's consoles are served by QEMU, which adds a state to the file of the one "
        "before. Write device_model_override=\"PATH OF STUBDM\" in xl.cfg, so that stubdm serves "
        "them, from the guest's next start on. Until then this guest can be saved once"};
  }
  host::UniqueFd fd = host::duplicate(tty_.get());
  if (!fd) {
    return Error{host::error_text(errno)};
  }
  used_ = true;
  return toolstack::StateTarget{
      .fd = std::move(fd), .file = false, .padding = kPadding, .patience = kPatience};
}

bool saves_begin_anew(const toolstack::XenstoreReader& xenstore) {
  const auto backend = xenstore.read("device/console/1/backend");
  return backend && xenstore.read(*backend + "/stubdm-begins-anew") == "1";
}

}  // namespace dm
