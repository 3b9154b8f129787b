// SPDX-License-Identifier: MIT
#pragma once

#include "platform/toolstack/store/store_wire.h"

#include <cstdint>
#include <string_view>

namespace dm::toolstack {

/// May the process that serves a guest say this to xenstored? It may look at the nodes of this
/// guest's PV devices, at both ends; write those that a back end publishes; wait for changes of
/// them and for the end of any domain; and ask whether its own guest is known. Everything else is
/// refused: other domains, the nodes by which the toolstack says which image or file a device has,
/// removal, permissions, transactions.
///
/// `payload` is what follows the header, and may be anything. Pure. Thread rule: any thread.
/// Source: Xen docs/misc/xenstore.txt, public header io/xs_wire.h.
[[nodiscard]] bool may_say(std::uint32_t domid,
                           const wire::Header& header,
                           std::string_view payload) noexcept;

}  // namespace dm::toolstack
