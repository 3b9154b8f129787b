// SPDX-License-Identifier: MIT
#include "platform/toolstack/xenstore.h"

#include "platform/linux/error_text.h"

extern "C" {  // the header does not say it itself
#include <xenstore.h>
}

#include <cerrno>
#include <cstdlib>

namespace dm::toolstack {

void Xenstore::Closer::operator()(xs_handle* handle) const noexcept {
  ::xs_close(handle);
}

Result<Xenstore> Xenstore::open() {
  xs_handle* const handle = ::xs_open(0);
  if (handle == nullptr) {
    return fail("cannot reach xenstore: ", host::error_text(errno),
                " (is xenstored running, or in a domain /dev/xen/xenbus there?)");
  }
  return Xenstore{handle};
}

std::optional<std::string> Xenstore::read(const std::string& path) const {
  unsigned int size = 0;
  struct Free {
    void operator()(void* memory) const noexcept {
      std::free(memory);
    }  // NOLINT(cppcoreguidelines-no-malloc): xs_read's
  };
  const std::unique_ptr<void, Free> value{::xs_read(handle_.get(), XBT_NULL, path.c_str(), &size)};
  if (!value) {
    return std::nullopt;
  }
  return std::string{static_cast<const char*>(value.get()), size};
}

Result<> Xenstore::write(const std::string& path, std::string_view value) {
  if (!::xs_write(handle_.get(), XBT_NULL, path.c_str(), value.data(),
                  static_cast<unsigned int>(value.size()))) {
    return fail("cannot write xenstore node ", path, ": ", host::error_text(errno));
  }
  return {};
}

Result<> Xenstore::report_running(std::uint32_t domid) {
  return write("device-model/" + std::to_string(domid) + "/state", "running");
}

}  // namespace dm::toolstack
