// SPDX-License-Identifier: MIT
// Stand-in for libxenstore: an empty store that accepts every write. Writing "running" to a state
// key is the ready signal.
#include <sys/eventfd.h>

#include "common.h"

using namespace peer;

extern "C" {

struct xs_handle {
  Control* control;
  Connection link;
  int never;  ///< what xs_fileno gives: never readable
};

void* xs_open(unsigned long) {
  auto* const handle = static_cast<xs_handle*>(calloc(1, sizeof(xs_handle)));
  if (handle == nullptr || (handle->control = map_control()) == nullptr ||
      !connect_guest(*handle->control, handle->link)) {
    return nullptr;
  }
  handle->never = eventfd(0, EFD_CLOEXEC);
  return handle;
}
void* xs_daemon_open() {
  return xs_open(0);
}
void xs_close(xs_handle* h) {
  munmap(h->control, sizeof(Control));
  disconnect_guest(h->link);
  close(h->never);
  free(h);
}
void xs_daemon_close(xs_handle* h) {
  xs_close(h);
}
int xs_fileno(xs_handle* h) {
  return h->never;
}

void* xs_read(xs_handle* h, std::uint32_t, const char*, unsigned*) {
  one_system_call(h->never);
  errno = ENOENT;
  return nullptr;
}
bool xs_write(xs_handle* h, std::uint32_t, const char* path, const void* data, unsigned length) {
  if (strstr(path, "device-model/") != nullptr && length == 7 && memcmp(data, "running", 7) == 0) {
    h->control->running.store(1, std::memory_order_release);
  }
  wake_guest(h->link.wake);
  return true;
}
bool xs_mkdir(xs_handle* h, std::uint32_t, const char*) {
  one_system_call(h->never);
  return true;
}
bool xs_rm(xs_handle* h, std::uint32_t, const char*) {
  one_system_call(h->never);
  return true;
}
char** xs_directory(xs_handle* h, std::uint32_t, const char*, unsigned* count) {
  one_system_call(h->never);
  *count = 0;
  return nullptr;
}
bool xs_set_permissions(xs_handle* h, std::uint32_t, const char*, void*, unsigned) {
  one_system_call(h->never);
  return true;
}
bool xs_watch(xs_handle* h, const char*, const char*) {
  one_system_call(h->never);
  return true;
}
bool xs_unwatch(xs_handle* h, const char*, const char*) {
  one_system_call(h->never);
  return true;
}
char** xs_check_watch(xs_handle*) {
  errno = EAGAIN;
  return nullptr;
}
char** xs_read_watch(xs_handle*, unsigned*) {
  errno = EAGAIN;
  return nullptr;
}
std::uint32_t xs_transaction_start(xs_handle* h) {
  one_system_call(h->never);
  return 1;
}
bool xs_transaction_end(xs_handle* h, std::uint32_t, bool) {
  one_system_call(h->never);
  return true;
}
char* xs_get_domain_path(xs_handle* h, unsigned domid) {
  one_system_call(h->never);
  char* const path = static_cast<char*>(malloc(32));
  snprintf(path, 32, "/local/domain/%u", domid);
  return path;
}

}  // extern "C"
