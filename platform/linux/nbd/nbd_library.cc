// SPDX-License-Identifier: MIT
#include "platform/linux/nbd/nbd_library.h"

#include <dlfcn.h>

namespace dm::host {

namespace {

/// Looks functions up until one is missing.
class Finder {
 public:
  explicit Finder(void* library) noexcept : library_{library} {}

  template <class Function>
  void find(Function& function, const char* name) noexcept {
    void* const found = missing_ == nullptr ? ::dlsym(library_, name) : nullptr;
    function = reinterpret_cast<Function>(found);
    missing_ = missing_ == nullptr && found == nullptr ? name : missing_;
  }
  [[nodiscard]] const char* missing() const noexcept { return missing_; }

 private:
  void* library_;
  const char* missing_ = nullptr;
};

#define DM_FIND(name) finder.find(library.name, "nbd_" #name)

const char* find_all(void* handle, NbdLibrary& library) noexcept {
  Finder finder{handle};
  DM_FIND(create);
  DM_FIND(close);
  DM_FIND(get_error);
  DM_FIND(get_errno);
  DM_FIND(set_export_name);
  DM_FIND(set_tls);
  DM_FIND(set_request_block_size);
  DM_FIND(set_pread_initialize);
  DM_FIND(set_uri_allow_transports);
  DM_FIND(set_uri_allow_tls);
  DM_FIND(set_uri_allow_local_file);
  DM_FIND(aio_connect_uri);
  DM_FIND(aio_connect_unix);
  DM_FIND(aio_connect_tcp);
  DM_FIND(aio_connect_socket);
  DM_FIND(aio_disconnect);
  DM_FIND(aio_get_fd);
  DM_FIND(aio_get_direction);
  DM_FIND(aio_notify_read);
  DM_FIND(aio_notify_write);
  DM_FIND(aio_is_ready);
  DM_FIND(aio_is_dead);
  DM_FIND(aio_is_closed);
  DM_FIND(aio_pread);
  DM_FIND(aio_pwrite);
  DM_FIND(aio_flush);
  DM_FIND(aio_trim);
  DM_FIND(get_size);
  DM_FIND(is_read_only);
  DM_FIND(can_flush);
  DM_FIND(can_fua);
  DM_FIND(can_trim);
  return finder.missing();
}

#undef DM_FIND

}  // namespace

Result<const NbdLibrary*> NbdLibrary::load() {
  static NbdLibrary library;
  static void* handle = nullptr;
  if (handle != nullptr) {
    return &library;
  }
  void* const opened = ::dlopen("libnbd.so.0", RTLD_NOW | RTLD_LOCAL);
  if (opened == nullptr) {
    const char* const why = ::dlerror();  // NOLINT(concurrency-mt-unsafe): start-up
    return fail("images that are not raw need libnbd: install the package libnbd0 (",
                why != nullptr ? why : "cannot load it", ")");
  }
  if (const char* const missing = find_all(opened, library); missing != nullptr) {
    ::dlclose(opened);
    return fail("this libnbd has no ", missing,
                ": version 1.12 or newer is needed (package libnbd0)");
  }
  handle = opened;
  return &library;
}

}  // namespace dm::host
