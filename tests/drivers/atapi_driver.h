// SPDX-License-Identifier: MIT
// A guest's driver for an ATAPI CD-ROM drive. Every number is typed from ATA/ATAPI-6, SFF-8020i,
// MMC-3 and SPC-2; nothing comes from the device's own headers.
#pragma once

#include "tests/drivers/ide_driver.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <ostream>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace dm::drivers {

class AtapiDriver {
 public:
  using Cdb = std::array<std::uint8_t, 12>;
  // Operation codes
  static constexpr std::uint8_t INQUIRY = 0x12, READ_10 = 0x28, MODE_SELECT_10 = 0x55,
                                READ_12 = 0xa8, READ_CD = 0xbe;
  struct Sense {
    unsigned key, asc, ascq;
    friend bool operator==(const Sense&, const Sense&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Sense& s) {
      return out << std::hex << s.key << '/' << s.asc << '/' << s.ascq << std::dec;
    }
  };
  struct Result {
    std::uint8_t status = 0;
    std::uint8_t error = 0;
    std::uint8_t reason = 0;
    std::uint8_t bm = 0;             ///< of DMA
    std::vector<std::uint8_t> data;  ///< byte counts, not words
    std::vector<unsigned> bursts;    ///< byte count of each
    [[nodiscard]] bool ok() const { return (status & IdeDriver::ERR) == 0; }
  };

  explicit AtapiDriver(IdeDriver& ide, unsigned unit = 0) : ide_{ide}, unit_{unit} {}

  static Cdb cdb(std::initializer_list<unsigned> bytes) {
    Cdb out{};
    std::size_t i = 0;
    for (const unsigned b : bytes) {
      out.at(i++) = static_cast<std::uint8_t>(b);
    }
    return out;
  }
  static Cdb read10(std::uint32_t lba, unsigned count) {
    return cdb({READ_10, 0, lba >> 24U & 255U, lba >> 16U & 255U, lba >> 8U & 255U, lba & 255U, 0,
                count >> 8U & 255U, count & 255U});
  }
  static Cdb read12(std::uint32_t lba, std::uint32_t count) {
    return cdb({READ_12, 0, lba >> 24U & 255U, lba >> 16U & 255U, lba >> 8U & 255U, lba & 255U,
                count >> 24U & 255U, count >> 16U & 255U, count >> 8U & 255U, count & 255U});
  }
  static Cdb read_cd(std::uint32_t lba, std::uint32_t count, unsigned fields, unsigned type = 0) {
    return cdb({READ_CD, type << 2U, lba >> 24U & 255U, lba >> 16U & 255U, lba >> 8U & 255U,
                lba & 255U, count >> 16U & 255U, count >> 8U & 255U, count & 255U, fields});
  }

  /// That a packet will come, whatever the drive may say of it.
  static void announce(AtaDriver& ata, unsigned unit, unsigned features, unsigned limit) {
    ata.select(unit);
    ata.out(1, features);
    ata.out(4, limit & 255U);
    ata.out(5, limit >> 8U & 255U);
    ata.command(AtaDriver::PACKET);
  }
  /// Up to and with the packet's last word.
  void send(const Cdb& packet, unsigned features, unsigned limit) {
    announce(ide_, unit_, features, limit);
    if (const auto s = ide_.wait(); (s & IdeDriver::DRQ) == 0 || (ide_.in(2) & 3U) != 1) {
      throw std::runtime_error("ATAPI: the packet is not wanted");
    }
    std::memcpy(ide_.ram().subspan(IdeDriver::kBounce, packet.size()).data(), packet.data(),
                packet.size());
    ide_.cpu().rep_outs(ide_.data_port(), 2, IdeDriver::kBounce, 6);
  }

  Result packet(const Cdb& packet, unsigned limit = 0xfffe, std::vector<std::uint8_t> out = {}) {
    send(packet, 0, limit);
    return finish_pio(std::move(out));
  }
  /// `announced`: the interrupt of the first burst has been taken already.
  Result finish_pio(std::vector<std::uint8_t> out = {}, bool announced = false) {
    Result r;
    std::size_t sent = 0;
    for (unsigned bursts = 0; bursts < 100000; ++bursts) {
      const std::uint8_t s = ide_.wait();
      if ((s & IdeDriver::DRQ) == 0) {
        r.reason = ide_.in(2);
        r.error = ide_.error();
        r.status = ide_.status();
        return r;
      }
      if (!std::exchange(announced, false) && !ide_.irq()) {
        throw std::runtime_error("ATAPI: a burst without an interrupt");
      }
      (void)ide_.status();
      const unsigned bytes = ide_.in(4) | unsigned{ide_.in(5)} << 8U;
      const unsigned reason = ide_.in(2) & 3U;
      const unsigned words = (bytes + 1) / 2;
      r.bursts.push_back(bytes);
      const auto ram = ide_.ram().subspan(IdeDriver::kBounce, std::size_t{words} * 2);
      if (reason == 2) {
        // Xen cuts a string operation at a page.
        for (unsigned at = 0; at < words; at += 1024) {
          ide_.cpu().rep_ins(ide_.data_port(), 2, IdeDriver::kBounce + 2 * at,
                             std::min(1024U, words - at));
        }
        const auto* const from = reinterpret_cast<const std::uint8_t*>(ram.data());
        r.data.insert(r.data.end(), from, from + bytes);
      } else if (reason == 0) {
        for (unsigned i = 0; i < words * 2; ++i, ++sent) {
          ram[i] = static_cast<std::byte>(sent < out.size() ? out[sent] : 0);
        }
        ide_.cpu().rep_outs(ide_.data_port(), 2, IdeDriver::kBounce, words);
      } else {
        throw std::runtime_error("ATAPI: a burst for no reason");
      }
    }
    throw std::runtime_error("ATAPI: bursts without end");
  }
  Result packet_dma(const Cdb& packet,
                    std::span<const IdeDriver::Prd> prds,
                    bool to_memory = true) {
    ide_.prepare_dma(prds);
    send(packet, 1, 0);
    const auto dma = ide_.run_dma(to_memory);
    Result r;
    r.status = dma.status;
    r.error = dma.error;
    r.bm = dma.bm;
    r.reason = ide_.in(2);
    return r;
  }

  Sense sense() {
    const auto r = packet(cdb({0x03, 0, 0, 0, 18}));
    if (!r.ok() || r.data.size() != 18) {
      throw std::runtime_error("ATAPI: no sense");
    }
    return {r.data[2] & 15U, r.data[12], r.data[13]};
  }
  /// What a command fails with; {0,0,0}: it does not.
  Sense fails(const Cdb& packet_bytes, unsigned limit = 0xfffe) {
    const auto r = packet(packet_bytes, limit);
    return r.ok() ? Sense{0, 0, 0} : sense();
  }
  Sense ready() { return fails(cdb({0x00})); }
  /// Event code and status of the media class.
  std::array<unsigned, 2> event() {
    const auto r = packet(cdb({0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8}));
    return {r.data.at(4), r.data.at(5)};
  }

 private:
  IdeDriver& ide_;
  unsigned unit_;
};

}  // namespace dm::drivers
