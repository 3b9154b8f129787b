// SPDX-License-Identifier: MIT
// A guest's driver for a UHCI and what is plugged into it. Every number is typed from what Linux'
// uhci-hcd, hub and usbhid write; nothing comes from the device's own headers.
#pragma once

#include "tests/rig/sim_guest.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace dm::drivers {

class UhciDriver {
 public:
  using Bytes = std::vector<std::uint8_t>;
  using Setup = std::array<std::uint8_t, 8>;

  static constexpr std::uint16_t kBase = 0xc040;
  static constexpr std::uint16_t USBCMD = 0, USBSTS = 2, USBINTR = 4, USBFRNUM = 6,
                                 USBFLBASEADD = 8, USBSOF = 12, USBPORTSC1 = 16, USBPORTSC2 = 18;
  static constexpr std::uint32_t RS = 1, HCRESET = 2, GRESET = 4, EGSM = 8, CF = 0x40, MAXP = 0x80;
  static constexpr std::uint32_t USBINT = 1, ERROR = 2, RD = 4, HSE = 8, HCPE = 0x10, HCH = 0x20;
  static constexpr std::uint32_t CCS = 1, CSC = 2, PE = 4, PEC = 8, PORT_RD = 0x40, PR = 0x200,
                                 SUSP = 0x1000;
  static constexpr std::uint32_t ACTIVE = 1U << 23U, STALLED = 1U << 22U, BABBLE = 1U << 20U,
                                 NAK = 1U << 19U, TIMEOUT = 1U << 18U, IOC = 1U << 24U,
                                 SPD = 1U << 29U, ERRORS3 = 3U << 27U;
  static constexpr std::uint32_t IN = 0x69, OUT = 0xe1, SETUP = 0x2d;
  static constexpr std::uint32_t TERM = 1, QH = 2, DEPTH = 4;
  // Where things are in the guest's memory
  static constexpr std::uint32_t kFrames = 0x10000, kInterruptQh = 0x20000, kControlQh = 0x20010,
                                 kInterruptTd = 0x20100, kControlTds = 0x21000, kSetup = 0x22000,
                                 kData = 0x22100, kReport = 0x23000;
  static constexpr unsigned kPhase = 3;  ///< every eighth frame has the interrupt queue

  explicit UhciDriver(rig::SimGuest& guest) : guest_{guest} {}

  /// What firmware does: the BAR and the command register.
  void map() {
    guest_.config_write(kBdf, 0x20, 4, kBase);
    guest_.config_write(kBdf, 0x04, 2, 5);
  }
  [[nodiscard]] std::uint32_t get(std::uint16_t reg) {
    return static_cast<std::uint32_t>(guest_.pio_read(static_cast<std::uint16_t>(kBase + reg), 2));
  }
  void set(std::uint16_t reg, std::uint32_t value) {
    guest_.pio_write(static_cast<std::uint16_t>(kBase + reg), 2, value);
  }
  [[nodiscard]] bool irq() const { return guest_.intx(1, 3); }
  std::uint32_t take_causes() {
    const std::uint32_t causes = get(USBSTS);
    set(USBSTS, causes);
    return causes;
  }

  /// uhci_reset_hc(), configure_hc(), start_rh().
  void start() {
    guest_.config_write(kBdf, 0xc0, 2, 0x2000);
    set(USBCMD, HCRESET);
    set(USBINTR, 0);
    set(USBCMD, 0);
    for (std::uint32_t i = 0; i < 1024; ++i) {
      guest_.poke(kFrames + 4 * i, (i % 8 == kPhase ? kInterruptQh : kControlQh) | QH);
    }
    put_queue(kInterruptQh, kControlQh | QH, TERM);
    put_queue(kControlQh, TERM, TERM);
    guest_.pio_write(kBase + USBSOF, 1, 64);
    guest_.pio_write(kBase + USBFLBASEADD, 4, kFrames);
    set(USBFRNUM, 0);
    set(USBINTR, 0xf);
    set(USBCMD, RS | CF | MAXP);
  }
  /// The hub driver: reset for 50 ms, then enabled.
  void reset_port(std::uint16_t port = USBPORTSC1) {
    using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)
    set(port, get(port) | PR);
    guest_.advance(50ms);
    set(port, get(port) & ~(PR | CSC | PEC));
    set(port, (get(port) & ~(CSC | PEC)) | PE);
    set(port, get(port) | CSC | PEC);
  }

  void put_queue(std::uint32_t at, std::uint32_t link, std::uint32_t element) {
    guest_.poke(at, link);
    guest_.poke(at + 4, element);
  }
  void put_td(std::uint32_t at,
              std::uint32_t link,
              std::uint32_t control,
              std::uint32_t token,
              std::uint32_t buffer) {
    guest_.poke(at, std::array<std::uint32_t, 4>{link, control, token, buffer});
  }
  [[nodiscard]] std::uint32_t status_of(std::uint32_t td) {
    return guest_.peek<std::uint32_t>(td + 4);
  }
  [[nodiscard]] static std::uint32_t token(
      std::uint32_t pid, unsigned address, unsigned endpoint, unsigned length, bool data1) {
    return ((length - 1) & 0x7ffU) << 21U | (data1 ? 1U << 19U : 0U) | endpoint << 15U |
           address << 8U | pid;
  }

  /// A control transfer, all its TDs in one queue. Nothing: it was stalled or failed.
  std::optional<Bytes> control(unsigned address, const Setup& setup, Bytes data = {}) {
    using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)
    const bool in = (setup[0] & 0x80U) != 0;
    const unsigned length = setup[6] + 256U * setup[7];
    guest_.poke(kSetup, setup);
    for (std::size_t i = 0; i < data.size(); ++i) {
      guest_.poke(kData + i, data[i]);
    }
    std::uint32_t at = kControlTds;
    const auto add = [&](std::uint32_t pid, unsigned bytes, bool data1, std::uint32_t buffer,
                         std::uint32_t flags) {
      put_td(at, (at + 0x20) | DEPTH, ACTIVE | ERRORS3 | flags,
             token(pid, address, 0, bytes, data1), buffer);
      at += 0x20;
    };
    add(SETUP, 8, false, kSetup, 0);
    bool toggle = true;
    for (unsigned done = 0; done < length; done += 8, toggle = !toggle) {
      add(in ? IN : OUT, std::min(8U, length - done), toggle, kData + done, in ? SPD : 0);
    }
    const std::uint32_t status = at;
    add(in && length != 0 ? OUT : IN, 0, true, 0, IOC);
    guest_.poke(status, TERM);
    guest_.poke(kControlQh + 4, kControlTds);
    return collect(status, length, in);
  }

  std::optional<Bytes> get_descriptor(
      unsigned address, unsigned type, unsigned index, unsigned length, unsigned recipient = 0) {
    return control(
        address, {static_cast<std::uint8_t>(0x80 | recipient), 6, static_cast<std::uint8_t>(index),
                  static_cast<std::uint8_t>(type), 0, 0, static_cast<std::uint8_t>(length),
                  static_cast<std::uint8_t>(length >> 8U)});
  }
  /// What a bus driver does until a HID device works at address 5.
  void enumerate() {
    start();
    reset_port();
    (void)control(0, {0, 5, kAddress, 0, 0, 0, 0, 0});
    (void)control(kAddress, {0, 9, 1, 0, 0, 0, 0, 0});
    (void)control(kAddress, {0x21, 0x0a, 0, 0, 0, 0, 0, 0});
    toggle_ = false;
  }

  /// The interrupt endpoint's TD, as usbhid's URB.
  void ask(unsigned length = 8) {
    put_td(kInterruptTd, TERM, ACTIVE | ERRORS3 | IOC | SPD,
           token(IN, kAddress, 1, length, toggle_), kReport);
    guest_.poke(kInterruptQh + 4, kInterruptTd);
  }
  [[nodiscard]] bool asked() { return (status_of(kInterruptTd) & ACTIVE) != 0; }
  /// The report, when there is one within `within`, looked for each millisecond.
  std::optional<Bytes> report(std::chrono::milliseconds within = std::chrono::milliseconds{40}) {
    ask();
    for (auto t = std::chrono::milliseconds{0}; t < within && asked(); ++t) {
      guest_.advance(std::chrono::milliseconds{1});
    }
    return take();
  }
  /// What was asked for, when it is there.
  std::optional<Bytes> take() {
    const std::uint32_t status = status_of(kInterruptTd);
    if ((status & (ACTIVE | STALLED)) != 0) {
      return std::nullopt;
    }
    toggle_ = !toggle_;
    return bytes_at(kReport, (status + 1) & 0x7ffU);
  }
  [[nodiscard]] Bytes bytes_at(std::uint32_t at, std::size_t length) {
    Bytes bytes;
    for (std::size_t i = 0; i < length; ++i) {
      bytes.push_back(guest_.peek<std::uint8_t>(at + i));
    }
    return bytes;
  }
  static constexpr PciBdf kBdf{.device = 1, .function = 2};
  static constexpr std::uint8_t kAddress = 5;

 private:
  std::optional<Bytes> collect(std::uint32_t status, unsigned length, bool in) {
    unsigned done = 0;
    for (std::uint32_t td = kControlTds; td <= status; td += 0x20) {
      for (unsigned ms = 0; ms < 64 && (status_of(td) & ACTIVE) != 0; ++ms) {
        guest_.advance(std::chrono::milliseconds{1});
      }
      if ((status_of(td) & (ACTIVE | STALLED)) != 0) {
        return std::nullopt;
      }
      const std::uint32_t actual = (status_of(td) + 1) & 0x7ffU;
      if (in && td != kControlTds && td != status) {
        done += actual;
        if (actual < 8 && done < length) {  // short: on with the status stage
          guest_.poke(kControlQh + 4, status);
          td = status - 0x20;
        }
      }
    }
    return bytes_at(kData, in ? done : 0);
  }

  rig::SimGuest& guest_;
  bool toggle_ = false;
};

}  // namespace dm::drivers
