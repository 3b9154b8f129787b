// SPDX-License-Identifier: MIT
// A guest's IDE disks on NBD servers that go or fall silent: its driver gets its data or an error,
// and `stop`, reset, unplug and power-off end.
#include "devices/ata/ata_disk.h"
#include "devices/ide/piix3_ide.h"
#include "platform/linux/nbd/nbd_open.h"
#include "tests/drivers/ide_driver.h"
#include "tests/rig/nbd_script.h"
#include "tests/rig/sim_guest.h"
#include "tests/unit/platform/linux/disk_fixture.h"

#include <array>
#include <list>
#include <memory>
#include <optional>

using namespace dm;
using namespace dm::test;

namespace {

using drivers::IdeDriver;

/// The clock and the sleep of all disks; it lets every server act meanwhile.
class Sleep final : public host::ServerWait {
 public:
  [[nodiscard]] std::chrono::steady_clock::time_point now() noexcept override { return now_; }
  [[nodiscard]] int poll(pollfd& ready, std::chrono::milliseconds time) noexcept override {
    act();
    const int count = ::poll(&ready, 1, 0);
    if (count == 0) {
      now_ += time;
      passed += time;
    }
    return count;
  }
  void act() noexcept {
    for (NbdScript& server : servers) {
      server.act();
    }
  }

  std::list<NbdScript> servers;
  std::chrono::milliseconds passed{0};

 private:
  std::chrono::steady_clock::time_point now_{1000s};
};

enum class Act { nothing, reset, stop, unplug, power_off, stop_dma };

struct NbdMachine : DiskFixture {
  static constexpr std::chrono::seconds kPatience{20};
  static constexpr IdeDriver::Prd kData{0x200000, 8192};

  /// Disks from the primary master on.
  void build(unsigned disks, const NbdScript::Manner& manner) {
    ide::Piix3Ide::Drives drives;
    for (unsigned i = 0; i < disks; ++i) {
      NbdScript& server = sleep.servers.emplace_back(manner);
      DiskConfig config;
      config.path = "nbd:unix:/x";
      auto opened = host::open_nbd_connection(loop, config, server.take_client(), 10s, sleep);
      if (!opened) {
        return;
      }
      drives[i] = std::make_unique<ata::AtaDisk>(std::move(*opened), guest.work(),
                                                 ata::default_identity(i));
    }
    guest.set_auto_work(false);
    controller.emplace(guest.pci(), guest.pio(), guest.irqs(), guest.memory(), std::move(drives));
    for (IdeDriver* const driver : {&ide0, &ide1}) {
      driver->idle = [this] { turn(); };
    }
    ide0.enable();
    sleep.passed = 0ms;
  }
  void cache_off() {  // so each write is durable
    ide0.select(0);
    ide0.out(1, 0x82);
    ide0.command(0xef);
    turn();
  }
  void read_back() {
    ide0.wait();
    const auto result = ide0.read_dma(0, 0, 16, {&kData, 1});
    if ((result.status & IdeDriver::ERR) != 0) {
      return;
    }
    const auto got = guest.ram().subspan(kData.base, kData.bytes);
    for (std::size_t i = 0; i < got.size(); ++i) {
      BOOST_REQUIRE(got[i] == NbdScript::byte_at(i));
    }
  }
  void turn() {
    guest.run_work();
    sleep.act();
    loop.poll();
    guest.run_work();
  }
  void begin_write(IdeDriver& ide) {
    ide.prepare_dma({&kData, 1});
    ide.lba48(0, 64, 16);
    ide.command(0x35);
    ide.bm_command(IdeDriver::START);
    guest.run_work();
  }
  void carry_out(Act act) {
    switch (act) {
      case Act::nothing:
        break;
      case Act::reset:
        ide0.soft_reset();
        break;
      case Act::stop:
        controller->pause();
        for (unsigned i = 0; i < 4; ++i) {
          turn();
        }
        controller->resume();
        break;
      case Act::unplug:
        static_cast<void>(controller->unplug({.ide_disks = true}));
        break;
      case Act::power_off:
        static_cast<void>(controller->flush());
        break;
      case Act::stop_dma:
        ide0.bm_command(0);
        break;
    }
  }

  Sleep sleep;
  rig::SimGuest guest;
  std::optional<ide::Piix3Ide> controller;
  IdeDriver ide0{guest, 0};
  IdeDriver ide1{guest, 1};
};

/// One disk, whose server goes somewhere.
void one_life(Act act, unsigned turns, const NbdScript::Manner& manner) {
  NbdMachine machine;
  machine.build(1, manner);
  if (!machine.controller) {
    return;  // it went while the disk was opened
  }
  machine.cache_off();
  machine.begin_write(machine.ide0);
  for (unsigned i = 0; i < turns; ++i) {
    machine.turn();
  }
  machine.carry_out(act);
  if (act != Act::unplug) {
    machine.read_back();
  }
  static_cast<void>(machine.controller->flush());
  BOOST_TEST((machine.sleep.passed <= NbdMachine::kPatience));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nbd_machine)

BOOST_AUTO_TEST_CASE(a_guest_gets_its_data_or_an_error_wherever_the_server_goes) {
  for (const Act act :
       {Act::nothing, Act::reset, Act::stop, Act::unplug, Act::power_off, Act::stop_dma}) {
    for (const bool has_fua : {false, true}) {
      for (std::size_t limit = 160; limit < 12000; limit += limit < 400 ? 16 : 2557) {
        for (const unsigned turns : {0U, 2U}) {
          BOOST_TEST_CONTEXT("act " << static_cast<int>(act) << ", FUA " << has_fua << ", after "
                                    << limit << " bytes, " << turns << " turns") {
            one_life(act, turns,
                     {.size = 1 << 20,
                      .flags = static_cast<std::uint16_t>(NbdScript::kHasFlags | NbdScript::kFlush |
                                                          (has_fua ? NbdScript::kFua : 0)),
                      .send_limit = limit,
                      .hangs_up = true});
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(each_silent_server_is_waited_for_once) {
  constexpr unsigned kDisks = 4;
  for (const Act act : {Act::stop, Act::unplug, Act::power_off, Act::reset}) {
    BOOST_TEST_CONTEXT("act " << static_cast<int>(act)) {
      NbdMachine machine;
      machine.build(kDisks, {.size = 1 << 20});
      BOOST_REQUIRE(machine.controller.has_value());
      for (NbdScript& server : machine.sleep.servers) {
        server.forbid();
      }
      machine.begin_write(machine.ide0);
      machine.begin_write(machine.ide1);
      machine.carry_out(act);
      const auto waited = machine.sleep.passed;
      BOOST_TEST((waited <= kDisks * NbdMachine::kPatience));
      machine.carry_out(act);
      static_cast<void>(machine.controller->flush());
      BOOST_TEST((machine.sleep.passed <= kDisks * NbdMachine::kPatience));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
