// SPDX-License-Identifier: MIT
#include "devices/nic/card_row.h"

namespace dm::nic {

void show_card(Inspector& to,
               std::string_view name,
               const NetBackend& cable,
               const Counters& own,
               bool interrupt) {
  const auto& moved = cable.counters();
  to.text("name", name);
  to.text("backend", cable.name());
  to.text("cable", cable.link_up() ? "up" : "down");
  to.flag("interrupt", interrupt);
  to.number("sent", moved.sent);
  to.number("sent_bytes", moved.sent_bytes);
  to.number("received", moved.received);
  to.number("received_bytes", moved.received_bytes);
  const Inspector::Part counters{to, "counters"};
  to.number("send_failed", moved.send_failed);
  to.number("receive_failed", moved.receive_failed);
  to.number("send_full", moved.full);
  to.number("tx_dropped", own.tx_dropped);
  to.number("rx_filtered", own.rx_filtered);
  to.number("rx_dropped", own.rx_dropped);
  to.number("rx_moved", own.rx_moved);
  to.number("master_aborts", own.master_aborts);
  to.number("unknown_accesses", own.unknown_accesses);
}

}  // namespace dm::nic
