// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/loop/watch.h"
#include "platform/toolstack/store/store_client.h"

#include <cstdint>
#include <optional>

namespace dm::toolstack {

/// Notices that a guest has vanished although nobody told us. (libxl sends SIGHUP. But if a domain
/// is destroyed by other means, or its toolstack died, its device model stays, and its mappings
/// keep the dead domain's memory.)
///
/// It watches @releaseDomain, which fires when any domain shuts down or dies, and then asks whether
/// this domain is still known. `gone` is called only if the domain was known before. In a soft
/// reset, libxl makes the domain unknown after it has saved our state and before it ends us
/// (libxl_create.c, soft_reset_dm_suspended), so it is right to end then, too.
///
/// If xenstored goes away or does not let us watch (a stub domain may not), the log says so. A
/// vanished guest is then noticed at the next hypercall. Thread rule: the loop's thread only.
/// Source: Xen docs/misc/xenstore.txt.
class DomainWatch {
 public:
  /// `store` outlives this object. `gone` is called at most once, from the loop, and must not
  /// destroy this object.
  DomainWatch(StoreClient& store, std::uint32_t domid, host::Callback gone);
  DomainWatch(const DomainWatch&) = delete;
  DomainWatch& operator=(const DomainWatch&) = delete;
  ~DomainWatch();

 private:
  void ask();
  void answered(std::optional<bool> known);

  StoreClient& store_;
  std::uint32_t domid_;
  host::Callback gone_;
  bool known_ = false;      ///< xenstored has said once that the domain is there
  bool asking_ = false;     ///< a question is open
  bool ask_again_ = false;  ///< an event came meanwhile
};

}  // namespace dm::toolstack
