// SPDX-License-Identifier: MIT
// Instructions of an access: on the buses alone, and as a request through the slot page, to devices
// that answer at no cost.

#include "bench/count.h"
#include "bench/dispatch_rig.h"
#include "bench/keep.h"

#include <cstdint>

namespace {

using dm::bench::count;
using dm::bench::DispatchRig;
using dm::bench::keep;
using dm::bench::must;
using dm::bench::Row;

void dispatch_port() {
  DispatchRig m;
  count([&] { keep(m.read_port()); });
  must(m.read_port() == 0x65);
}
void dispatch_port_miss() {
  DispatchRig m;
  count([&] { keep(m.read_missing_port()); });
  must(m.read_missing_port() == 0xff);
}
void dispatch_mmio() {
  DispatchRig m;
  count([&] { keep(m.read_mmio()); });
  must(m.read_mmio() == 0x68);
}
void dispatch_pci_config() {
  DispatchRig m;
  count([&] { keep(m.read_config()); });
  must(m.read_config() == 0x70008086);
}

// Requests through the slot page, to devices that cost nothing.

void round_trip(const dm::rig::RawRequest& request, std::uint64_t answer) {
  DispatchRig m;
  m.guest.set_auto_work(false);
  count([&] { keep(m.guest.send(request)); });
  must(m.guest.send(request) == answer);
}
void ioreq_port_read() {
  round_trip(DispatchRig::kPortRead, 0x65);
}
void ioreq_port_write() {
  round_trip(DispatchRig::kPortWrite, 'x');
}
void ioreq_port_miss() {
  round_trip(DispatchRig::kPortMiss, 0xff);
}
void ioreq_mmio_read() {
  round_trip(DispatchRig::kMmioRead, 0x68);
}
void ioreq_pci_config() {
  round_trip(DispatchRig::kConfigRead, 0x70008086);
}
void ioreq_rep_insw_sector() {
  round_trip(DispatchRig::kRepInswSector, 0x10000);
}
void look_at_128_slots() {
  dm::rig::SimGuest guest{{.vcpus = 128}};
  count([&] { keep(guest.server().any_ready()); });
  must(!guest.server().any_ready());
}

constexpr Row kRows[]{
    {"dispatch_port", dispatch_port},         {"dispatch_port_miss", dispatch_port_miss},
    {"dispatch_mmio", dispatch_mmio},         {"dispatch_pci_config", dispatch_pci_config},
    {"ioreq_port_read", ioreq_port_read},     {"ioreq_port_write", ioreq_port_write},
    {"ioreq_port_miss", ioreq_port_miss},     {"ioreq_mmio_read", ioreq_mmio_read},
    {"ioreq_pci_config", ioreq_pci_config},   {"ioreq_rep_insw_sector", ioreq_rep_insw_sector},
    {"look_at_128_slots", look_at_128_slots},
};

}  // namespace

int main(int argc, char** argv) {
  return dm::bench::run_row(kRows, argc, argv);
}
