// SPDX-License-Identifier: MIT
// Stand-ins for libxengnttab, libxentoolcore and libxencall: opened, hardly used.
#include "common.h"

using namespace peer;

extern "C" {

#ifdef PEER_GNTTAB
void* xengnttab_open(void*, unsigned) {
  return calloc(1, 8);
}
int xengnttab_close(void* h) {
  free(h);
  return 0;
}
int xengnttab_set_max_grants(void*, std::uint32_t) {
  return 0;
}
int xengnttab_grant_copy(void*, std::uint32_t, void*) {
  one_system_call(0);
  return 0;
}
#endif

#ifdef PEER_TOOLCORE
int xentoolcore_restrict_all(std::uint16_t) {
  one_system_call(0);
  return 0;
}
#endif

#ifdef PEER_CALL
void* xencall_open(void*, unsigned) {
  return calloc(1, 8);
}
int xencall_close(void* h) {
  free(h);
  return 0;
}
void* xencall_alloc_buffer(void*, std::size_t size) {
  void* const at = mmap(nullptr, (size + 4095) & ~std::size_t{4095}, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return at == MAP_FAILED ? nullptr : at;
}
void xencall_free_buffer(void*, void*) {}
int xencall2(void*, unsigned, std::uint64_t, std::uint64_t) {
  one_system_call(0);
  return 0;
}
#endif

}  // extern "C"
