// SPDX-License-Identifier: MIT
// Which frames are for this guest, and what is said of their checksums.
#include "devices/rtl8139/filter.h"

#include "core/net/big_endian.h"
#include "core/net/checksum.h"
#include "core/net/headers.h"
#include "devices/nic/frame.h"
#include "devices/rtl8139/descriptors.h"

#include <boost/crc.hpp>

#include <cstring>

namespace dm::rtl8139 {

namespace {

using inet::get16;
using regs::IDR0;
using regs::IDR4;
using regs::MAR;
using regs::RCR;

constexpr unsigned kMoreFragmentsAndOffset = 0x3fff;
constexpr std::uint32_t kProtocolByte = 9;

[[nodiscard]] bool is_station(const RegisterFile& file, std::span<const std::byte> head) noexcept {
  return std::memcmp(head.data(), &file.bytes[IDR0::kOffset], 6) == 0;
}

}  // namespace

std::uint32_t multicast_bit(std::span<const std::byte, 6> address) noexcept {
  boost::crc_optimal<32, 0x04c11db7, 0xffffffff, 0, true, false> crc;
  crc.process_bytes(address.data(), address.size());
  return crc.checksum() >> 26U;
}

/// What matched is shown in promiscuous mode too.
Match match(const RegisterFile& file, std::span<const std::byte> head) noexcept {
  const std::uint32_t rcr = file.get<RCR>();
  const Match otherwise = RCR::AAP::test(rcr) ? Match::any : Match::none;
  switch (nic::cast_of(head.data())) {
    case nic::Cast::broadcast:
      return RCR::AB::test(rcr) || RCR::AAP::test(rcr) ? Match::broadcast : Match::none;
    case nic::Cast::multicast: {
      if (!RCR::AM::test(rcr)) {
        return otherwise;
      }
      const std::uint32_t bit = multicast_bit(head.first<6>());
      const bool wanted = (file.get<MAR>(bit >> 5U) >> (bit & 31U) & 1U) != 0;
      return wanted ? Match::multicast : otherwise;
    }
    case nic::Cast::unicast:
      break;
  }
  return RCR::APM::test(rcr) && is_station(file, head) ? Match::station : otherwise;
}

std::uint32_t checksum_status(std::span<const std::byte> head, bool verified) noexcept {
  constexpr std::uint32_t kIp = nic::kEthernetHeader;
  if (head.size() < kIp + inet::kIpv4Header || get16(head, nic::kVlanOffset) != inet::kTypeIpv4) {
    return 0;
  }
  const std::uint32_t length = inet::ipv4_length(head[kIp]);
  if (std::to_integer<unsigned>(head[kIp]) >> 4U != 4 || length < inet::kIpv4Header ||
      kIp + length > head.size()) {
    return 0;
  }
  inet::Checksum sum;
  sum.add(head.subspan(kIp, length));
  if (sum.complement() != 0) {
    return RxOpts1::IPF::with(RxOpts1::PID::with(std::uint32_t{0}, RxOpts1::kIp), 1);
  }
  const bool fragment = (get16(head, kIp + 6) & kMoreFragmentsAndOffset) != 0;
  const unsigned protocol = std::to_integer<unsigned>(head[kIp + kProtocolByte]);
  if (!fragment && protocol == inet::kProtocolTcp) {
    return verified ? RxOpts1::PID::with(std::uint32_t{0}, RxOpts1::kTcp) : 0;
  }
  if (!fragment && protocol == inet::kProtocolUdp) {
    return verified ? RxOpts1::PID::with(std::uint32_t{0}, RxOpts1::kUdp) : 0;
  }
  return RxOpts1::PID::with(std::uint32_t{0}, RxOpts1::kIp);
}

}  // namespace dm::rtl8139
