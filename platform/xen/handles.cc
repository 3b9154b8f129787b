// SPDX-License-Identifier: MIT
#include "platform/xen/handles.h"

#include "core/obs/log.h"
#include "platform/xen/c_api.h"
#include "platform/xen/errors.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>

namespace dm::xen {

namespace {

__attribute__((format(printf, 5, 0))) void forward_message(xentoollog_logger* /*logger*/,
                                                           xentoollog_level level,
                                                           int error,
                                                           const char* context,
                                                           const char* format,
                                                           std::va_list arguments) {
  // Whoever calls the libraries explains a failure itself, with what to change; their own words
  // beside it would only be a second message about the same thing.
  if (level < XTL_CRITICAL) {
    return;
  }
  char text[256] = "";
  static_cast<void>(std::vsnprintf(std::begin(text), sizeof text, format, arguments));
  const char* const from = context != nullptr ? context : "xen";
  if (error > 0) {
    log::warning(from, ": ", std::begin(text), " (errno ", error, ")");
  } else {
    log::warning(from, ": ", std::begin(text));
  }
}

void stay(xentoollog_logger* /*logger*/) {}

}  // namespace

xentoollog_logger* library_logger() noexcept {
  static xentoollog_logger logger{
      .vmessage = &forward_message, .progress = nullptr, .destroy = &stay};
  return &logger;
}

Result<ForeignMemoryHandle> open_foreign_memory() {
  ForeignMemoryHandle handle{xenforeignmemory_open(library_logger(), 0)};
  if (!handle) {
    return explain_open("/dev/xen/privcmd", errno);
  }
  return handle;
}

Result<GrantTableHandle> open_grant_table() {
  GrantTableHandle handle{xengnttab_open(library_logger(), 0)};
  if (!handle) {
    return explain_open("/dev/xen/gntdev", errno);
  }
  return handle;
}

Result<EvtchnHandle> open_evtchn() {
  EvtchnHandle handle{xenevtchn_open(library_logger(), 0)};
  if (!handle) {
    return explain_open("/dev/xen/evtchn", errno);
  }
  const int descriptor = xenevtchn_fd(handle.get());
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0 || ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0) {
    return fail("cannot make /dev/xen/evtchn non-blocking: ", error_text(errno));
  }
  return handle;
}

Result<> restrict_all(domid_t domid) {
  if (xentoolcore_restrict_all(domid) != 0) {
    return fail("cannot confine the Xen handles to domain ", std::to_string(domid), ": ",
                error_text(errno), ". The kernel is too old for dm_restrict=1");
  }
  return {};
}

}  // namespace dm::xen
