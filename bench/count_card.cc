// SPDX-License-Identifier: MIT
// Instructions of the network card, by direct dispatch. An operation is one tail write; the numbers
// are for a frame, a send or a segment.

#include "bench/card_rig.h"
#include "bench/count.h"
#include "bench/keep.h"

#include <cstdint>

namespace {

using dm::bench::CardRig;
using dm::bench::count;
using dm::bench::kAllOperations;
using dm::bench::keep;
using dm::bench::must;
using dm::bench::Row;

void card_read_status() {
  CardRig m;
  count([&] { keep(m.read_status()); });
  must((m.read_status() & CardRig::D::STATUS_LU) != 0);
}
void card_eeprom_edge() {
  CardRig m;
  count([&] { keep(m.eeprom_edge()); });
}
void transmit(std::uint32_t size) {
  CardRig m;
  m.fill_ring_with_frames(size);
  count([&] { m.transmit_batch(); });
  must(m.net.bytes == std::uint64_t{kAllOperations} * CardRig::kBatch * size);
}
void card_transmit_60() {
  transmit(60);
}
void card_transmit_1514() {
  transmit(1514);
}
void card_transmit_tso_64k() {
  CardRig m;
  m.fill_ring_with_large_sends();
  count([&] { m.transmit_large_sends(); });
  constexpr std::uint64_t kLarge = CardRig::kHeaders + CardRig::kSegments * CardRig::kSegmentSize;
  must(m.net.bytes == kAllOperations * CardRig::kLargeSends * kLarge);
}
/// The ring has gone round as often as it should, and its last buffer says that it is filled.
void must_have_received(CardRig& m) {
  must(m.net.budget == 0);
  must((m.driver.rx_status((m.tail + CardRig::kRing - 1) % CardRig::kRing).status &
        CardRig::D::DD) != 0);
}
void receive(std::uint32_t size) {
  CardRig m;
  m.expect_frames(size);
  count([&] { m.receive_batch(); });
  must_have_received(m);
}
void card_receive_66() {
  receive(66);
}
void card_receive_1514() {
  receive(1514);
}
void card_receive_gso_64k() {
  CardRig m;
  m.expect_large_frames();
  count([&] { m.receive_large_frame(); });
  must_have_received(m);
}

constexpr Row kRows[]{
    {"card_read_status", card_read_status},
    {"card_eeprom_edge", card_eeprom_edge},
    {"card_transmit_60", card_transmit_60, CardRig::kBatch},
    {"card_transmit_1514", card_transmit_1514, CardRig::kBatch},
    {"card_transmit_tso_64k", card_transmit_tso_64k, CardRig::kLargeSends},
    {"card_receive_66", card_receive_66, CardRig::kBatch},
    {"card_receive_1514", card_receive_1514, CardRig::kBatch},
    {"card_receive_gso_segment", card_receive_gso_64k, CardRig::kSegments},
};

}  // namespace

int main(int argc, char** argv) {
  return dm::bench::run_row(kRows, argc, argv);
}
