// SPDX-License-Identifier: MIT
// Stand-in for libxenctrl: what a device model asks of it at start-up. The generator adds -ENOSYS
// stubs for the rest.
#include "common.h"

using namespace peer;

extern "C" {

struct xc_interface {
  Control* control;
};

void* xc_interface_open(void*, void*, unsigned) {
  auto* const handle = static_cast<xc_interface*>(calloc(1, sizeof(xc_interface)));
  if (handle == nullptr || (handle->control = map_control()) == nullptr) {
    return nullptr;
  }
  return handle;
}
int xc_interface_close(xc_interface* h) {
  munmap(h->control, sizeof(Control));
  free(h);
  return 0;
}
int xc_domain_populate_physmap_exact(
    xc_interface*, std::uint32_t, unsigned long, unsigned, unsigned, std::uint64_t*) {
  one_system_call(0);
  return 0;
}
int xc_hvm_param_get(xc_interface*, std::uint32_t, std::uint32_t, std::uint64_t* value) {
  one_system_call(0);
  *value = 0;
  return 0;
}
int xc_hvm_param_set(xc_interface*, std::uint32_t, std::uint32_t, std::uint64_t) {
  one_system_call(0);
  return 0;
}
int xc_get_hvm_param(xc_interface*, std::uint32_t, int, unsigned long* value) {
  one_system_call(0);
  *value = 0;
  return 0;
}
int xc_set_hvm_param(xc_interface*, std::uint32_t, int, unsigned long) {
  one_system_call(0);
  return 0;
}
int xc_domain_shutdown(xc_interface* h, std::uint32_t, int reason) {
  one_system_call(0);
  h->control->shutdown = static_cast<std::uint32_t>(reason) + 1;
  return 0;
}

}  // extern "C"
