// SPDX-License-Identifier: MIT
// Which frames are for this guest (8254x SDM, 3.2.1), and what is said of their checksums (3.2.9).
#include "core/net/big_endian.h"
#include "core/net/checksum.h"
#include "core/net/headers.h"
#include "devices/e1000/receiver.h"
#include "devices/e1000/regs.h"
#include "devices/e1000/statistics.h"

#include <cstring>

namespace dm::e1000 {

namespace {

using inet::Checksum;
using inet::get16;
using inet::kIpv4Header;
using inet::kIpv6Header;
using inet::kTypeIpv4;
using inet::kTypeIpv6;
using regs::MTA;
using regs::RAH;
using regs::RAL;
using regs::RCTL;
using regs::RXCSUM;
using regs::VFTA;

constexpr std::uint16_t kTypeFlowControl = 0x8808;

[[nodiscard]] bool in_table(std::uint32_t word, std::uint32_t bit) noexcept {
  return (word >> (bit & 31U) & 1U) != 0;
}

}  // namespace

bool Receiver::tagged(std::span<const std::byte> head) const noexcept {
  return head.size() >= kVlanOffset + kVlanTag + 2 &&
         get16(head, kVlanOffset) == file_.get<regs::VET>();
}

/// The 4096-bit table of wanted VLANs, while VFE is on.
bool Receiver::filter_vlan(std::span<const std::byte> head) const noexcept {
  if (!file_.test<RCTL, RCTL::VFE>() || !tagged(head)) {
    return true;
  }
  const std::uint32_t tag = get16(head, kVlanOffset + 2);
  if (file_.test<RCTL, RCTL::CFIEN>() && in_table(tag, 12) != file_.test<RCTL, RCTL::CFI>()) {
    return false;
  }
  const std::uint32_t vid = tag & 0xfffU;
  return in_table(file_.at<VFTA>(vid >> 5U), vid);
}

Receiver::Verdict Receiver::filter_address(std::span<const std::byte> head) const noexcept {
  const std::uint32_t rctl = file_.get<RCTL>();
  const Cast cast = cast_of(head.data());
  if (cast == Cast::broadcast && RCTL::BAM::test(rctl)) {
    return Verdict::exact;
  }
  if (cast == Cast::unicast ? RCTL::UPE::test(rctl) : RCTL::MPE::test(rctl)) {
    return Verdict::exact;
  }
  std::uint32_t low = 0;
  std::uint16_t high = 0;
  std::memcpy(&low, head.data(), sizeof low);
  std::memcpy(&high, head.data() + sizeof low, sizeof high);
  for (std::size_t i = 0; i < RAH::kCount; ++i) {
    const std::uint32_t rah = file_.at<RAH>(i);
    if (RAH::AV::test(rah) && RAH::ADDR::get(rah) == high && file_.at<RAL>(i) == low) {
      return Verdict::exact;
    }
  }
  if (cast == Cast::unicast) {
    return Verdict::rejected;
  }
  // Twelve of the last sixteen bits of the address, RCTL.MO says which.
  constexpr std::array<unsigned, 4> kShift{4, 3, 2, 0};
  const std::uint32_t hash = std::uint32_t{high} >> kShift[RCTL::MO::get(rctl)] & 0xfffU;
  return in_table(file_.at<MTA>(hash >> 5U), hash) ? Verdict::inexact : Verdict::rejected;
}

Receiver::Verdict Receiver::filter(std::span<const std::byte> head) const noexcept {
  if (!filter_vlan(head)) {
    return Verdict::rejected;
  }
  if (file_.test<RCTL, RCTL::DPF>() && get16(head, kVlanOffset) == kTypeFlowControl) {
    return Verdict::rejected;
  }
  return filter_address(head);
}

/// `head` begins with the frame as the guest sees it. `verified`: the host vouches for TCP and UDP,
/// or we have put the checksum in.
std::uint64_t Receiver::checksum_status(std::span<const std::byte> head,
                                        bool verified) const noexcept {
  const std::uint32_t control = file_.get<RXCSUM>();
  std::size_t ip = kEthernetHeader;
  std::uint16_t type = get16(head, kVlanOffset);
  if (type == file_.get<regs::VET>() && head.size() >= ip + kVlanTag) {
    type = get16(head, kVlanOffset + kVlanTag);
    ip += kVlanTag;
  }
  std::uint64_t status = 0;
  unsigned protocol = 0;
  if (type == kTypeIpv4 && head.size() >= ip + kIpv4Header) {
    const std::size_t length = inet::ipv4_length(head[ip]);
    if (RXCSUM::IPOFL::test(control) && length >= kIpv4Header && head.size() >= ip + length) {
      Checksum checksum;
      checksum.add(head.subspan(ip, length));
      status |= RxD::IPCS::kMask | (checksum.complement() == 0 ? 0 : RxD::IPE::kMask);
    }
    const bool fragment = (get16(head, ip + 6) & 0x3fffU) != 0;
    protocol = fragment ? 0 : std::to_integer<unsigned>(head[ip + 9]);
  } else if (type == kTypeIpv6 && head.size() >= ip + kIpv6Header &&
             RXCSUM::IPV6OFL::test(control)) {
    protocol = std::to_integer<unsigned>(head[ip + 6]);
  }
  const bool summed = protocol == inet::kProtocolTcp || protocol == inet::kProtocolUdp;
  if (verified && RXCSUM::TUOFL::test(control) && summed) {
    status |= RxD::TCPCS::kMask;
  }
  return status != 0 ? status : RxD::IXSM::kMask;
}

/// Frames that are for none of our own addresses are wanted too.
bool Receiver::needs_everything() const noexcept {
  if (file_.test<RCTL, RCTL::UPE>()) {
    return true;
  }
  const std::uint32_t low = mac_[0] | std::uint32_t{mac_[1]} << 8U | std::uint32_t{mac_[2]} << 16U |
                            std::uint32_t{mac_[3]} << 24U;
  const std::uint32_t high = mac_[4] | std::uint32_t{mac_[5]} << 8U;
  for (std::size_t i = 0; i < RAH::kCount; ++i) {
    const std::uint32_t rah = file_.at<RAH>(i);
    const bool multicast = (file_.at<RAL>(i) & 1U) != 0;
    if (RAH::AV::test(rah) && !multicast &&
        (RAH::ADDR::get(rah) != high || file_.at<RAL>(i) != low)) {
      return true;
    }
  }
  return false;
}

}  // namespace dm::e1000
