// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/loop/watch.h"
#include "platform/toolstack/store/store_client.h"

#include <cstdint>
#include <optional>

namespace dm::toolstack {

/// Notices that a guest has vanished, although nobody told us (libxl sends SIGHUP; a domain
/// destroyed by other means, or by a toolstack that died, leaves a device model behind, whose
/// mappings keep the dead domain's memory).
///
/// Watches @releaseDomain, which fires when any domain shuts down or dies, and asks then whether
/// this one is still known. One that is not known at first is not missed. In a soft reset libxl
/// makes the domain unknown after it has saved our state and before it ends us (libxl_create.c,
/// soft_reset_dm_suspended), so ending then is right, too. When xenstored goes away or does not let
/// us watch (a stub domain may not), that is told in the log, and a vanished guest is noticed at
/// the next hypercall. Thread rule: the loop's thread only.
class DomainWatch {
 public:
  /// `store` outlives it. `gone` is called at most once, from the loop, and must not destroy this
  /// object.
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
