// SPDX-License-Identifier: MIT
// TCP and UDP packets built from scratch, and what the host's kernel makes of a long one: the
// oracle for everything that the card computes.
#pragma once

#include "core/backend/net.h"
#include "tests/unit/devices/nic/frames.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <vector>

namespace dm::test {

inline void put_be16(Bytes& to, std::size_t at, std::uint32_t value) {
  to.at(at) = static_cast<std::byte>(value >> 8U & 0xffU);
  to.at(at + 1) = static_cast<std::byte>(value & 0xffU);
}
inline void put_be32(Bytes& to, std::size_t at, std::uint32_t value) {
  put_be16(to, at, value >> 16U);
  put_be16(to, at + 2, value & 0xffffU);
}
[[nodiscard]] inline std::uint32_t be16(const Bytes& from, std::size_t at) {
  return std::to_integer<std::uint32_t>(from.at(at)) << 8U |
         std::to_integer<std::uint32_t>(from.at(at + 1));
}
[[nodiscard]] inline std::uint32_t be32(const Bytes& from, std::size_t at) {
  return be16(from, at) << 16U | be16(from, at + 2);
}
/// RFC 1071, byte by byte: no complement.
[[nodiscard]] inline std::uint32_t plain_sum(std::span<const std::byte> bytes,
                                             std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += std::to_integer<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8U : 0U);
    sum = (sum & 0xffffU) + (sum >> 16U);
  }
  return sum;
}

struct Flow {
  bool v6 = false;
  bool udp = false;
  std::size_t options = 12;  ///< bytes of TCP options
  std::uint16_t id = 0xfff0;
  std::uint32_t seq = 0xfffff000;
  std::uint8_t flags = 0x19;  ///< ACK, PSH, FIN
  std::optional<std::uint16_t> tag = std::nullopt;
  std::size_t ip_options = 0;

  [[nodiscard]] std::size_t l3() const { return tag ? 18 : 14; }
  [[nodiscard]] std::size_t l4() const { return l3() + (v6 ? 40 : 20 + ip_options); }
  [[nodiscard]] std::size_t header() const { return l4() + (udp ? 8 : 20 + options); }
  [[nodiscard]] std::size_t checksum() const { return l4() + (udp ? 6 : 16); }
};

[[nodiscard]] inline Bytes payload_of(std::size_t size, std::size_t salt = 0) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) {
    out[i] = byte_of(i * 13 + salt + i / 1000);
  }
  return out;
}

/// The sum of the pseudo-header, with the length or without.
[[nodiscard]] inline std::uint32_t pseudo_sum(const Flow& f,
                                              const Bytes& frame,
                                              std::size_t l4_size) {
  const std::size_t addresses = f.l3() + (f.v6 ? 8 : 12);
  const auto both = std::span{frame}.subspan(addresses, f.v6 ? 32 : 8);
  Bytes rest(4);
  put_be16(rest, 0, f.udp ? 17 : 6);
  put_be16(rest, 2, static_cast<std::uint32_t>(l4_size));
  return plain_sum(rest, plain_sum(both));
}

/// A packet with nothing left to do: `index` is its place in a segmented stream.
[[nodiscard]] inline Bytes packet(const Flow& f,
                                  std::span<const std::byte> payload,
                                  std::size_t offset = 0,
                                  std::size_t index = 0,
                                  bool last = true) {
  Bytes out(f.header());
  for (std::size_t i = 0; i < 6; ++i) {
    out[i] = std::byte{kMac[i]};
    out[6 + i] = std::byte{kOther[i]};
  }
  if (f.tag) {
    put_be16(out, 12, 0x8100);
    put_be16(out, 14, *f.tag);
  }
  const std::size_t ip = f.l3();
  put_be16(out, ip - 2, f.v6 ? 0x86dd : 0x0800);
  const std::size_t l4_size = f.header() - f.l4() + payload.size();
  if (f.v6) {
    put_be32(out, ip, 0x60000000);
    put_be16(out, ip + 4, static_cast<std::uint32_t>(l4_size));
    out[ip + 6] = std::byte{f.udp ? std::uint8_t{17} : std::uint8_t{6}};
    out[ip + 7] = std::byte{64};
    for (std::size_t i = 0; i < 32; ++i) {
      out[ip + 8 + i] = byte_of(i + 400);
    }
  } else {
    out[ip] = static_cast<std::byte>(0x40 + 5 + f.ip_options / 4);
    put_be16(out, ip + 2, static_cast<std::uint32_t>(20 + f.ip_options + l4_size));
    put_be16(out, ip + 4, (f.id + static_cast<std::uint32_t>(index)) & 0xffffU);
    put_be16(out, ip + 6, 0x4000);
    out[ip + 8] = std::byte{64};
    out[ip + 9] = std::byte{f.udp ? std::uint8_t{17} : std::uint8_t{6}};
    put_be32(out, ip + 12, 0x0a000102);
    put_be32(out, ip + 16, 0x0a000203);
    for (std::size_t i = 0; i < f.ip_options; ++i) {
      out[ip + 20 + i] = std::byte{1};
    }
    put_be16(out, ip + 10, ~plain_sum(std::span{out}.subspan(ip, 20 + f.ip_options)) & 0xffffU);
  }
  const std::size_t l4 = f.l4();
  put_be16(out, l4, 0x1234);
  put_be16(out, l4 + 2, 0x0050);
  if (f.udp) {
    put_be16(out, l4 + 4, static_cast<std::uint32_t>(l4_size));
  } else {
    put_be32(out, l4 + 4, f.seq + static_cast<std::uint32_t>(offset));
    put_be32(out, l4 + 8, 0x01020304);
    out[l4 + 12] = static_cast<std::byte>((20 + f.options) / 4 << 4U);
    const unsigned kept = last ? 0xffU : 0xf6U;  // FIN and PSH on the last only
    out[l4 + 13] = static_cast<std::byte>(f.flags & kept);
    put_be16(out, l4 + 14, 0x7fff);
    for (std::size_t i = 0; i < f.options; ++i) {
      out[l4 + 20 + i] = byte_of(i + 77);
    }
  }
  out.insert(out.end(), payload.begin(), payload.end());
  const std::uint32_t sum = plain_sum(std::span{out}.subspan(l4), pseudo_sum(f, out, l4_size));
  const std::uint32_t stored = ~sum & 0xffffU;
  put_be16(out, f.checksum(), f.udp && stored == 0 ? 0xffff : stored);
  return out;
}

/// The frames that a payload makes in steps of `mss`.
[[nodiscard]] inline std::vector<Bytes> segments(const Flow& f,
                                                 std::span<const std::byte> payload,
                                                 std::size_t mss) {
  std::vector<Bytes> out;
  for (std::size_t at = 0, k = 0; at < payload.size() || k == 0; at += mss, ++k) {
    const std::size_t part = std::min(mss, payload.size() - at);
    out.push_back(packet(f, payload.subspan(at, part), at, k, at + part == payload.size()));
  }
  return out;
}

/// The same packet with its L4 checksum left to be done: the pseudo-header's sum, `with_length` as
/// Linux leaves it to plain checksum offload, without as it does for segmentation.
[[nodiscard]] inline Bytes unfinished(const Flow& f,
                                      std::span<const std::byte> payload,
                                      bool with_length) {
  Bytes out = packet(f, payload);
  const std::size_t l4_size = out.size() - f.l4();
  put_be16(out, f.checksum(), pseudo_sum(f, out, with_length ? l4_size : 0));
  return out;
}
/// What Linux' e1000_tso leaves in the headers.
[[nodiscard]] inline Bytes for_segmentation(const Flow& f, std::span<const std::byte> payload) {
  Bytes out = unfinished(f, payload, false);
  if (f.v6) {
    put_be16(out, f.l3() + 4, 0);
  } else {
    put_be16(out, f.l3() + 2, 0);
    put_be16(out, f.l3() + 10, 0);
  }
  if (f.udp) {
    put_be16(out, f.l4() + 4, 0);
  }
  return out;
}
/// A host's kernel at the other end: completes what NetOffload asks for.
[[nodiscard]] inline std::vector<Bytes> as_the_kernel_would(const Bytes& frame,
                                                            const NetOffload& offload) {
  const auto complete = [&](Bytes& f) {
    const std::size_t at = offload.checksum_start + std::size_t{offload.checksum_offset};
    if (at + 2 > f.size()) {
      throw std::runtime_error("EINVAL: checksum behind the frame");
    }
    const std::uint32_t sum = plain_sum(std::span{f}.subspan(offload.checksum_start));
    put_be16(f, at, (~sum & 0xffffU) == 0 ? 0xffff : ~sum & 0xffffU);
  };
  if (offload.gso == Gso::none) {
    Bytes out = frame;
    if (offload.needs_checksum) {
      complete(out);
    }
    return {out};
  }
  const std::size_t tcp = offload.checksum_start;
  const std::size_t header = tcp + (std::to_integer<std::size_t>(frame.at(tcp + 12)) >> 4U) * 4;
  if (!offload.needs_checksum || offload.checksum_offset != 16 || offload.segment_size == 0 ||
      offload.header_length != header) {
    throw std::runtime_error("EINVAL: bad segmentation request");
  }
  const std::size_t ip = be16(frame, 12) == 0x8100 ? 18 : 14;
  const bool v4 = offload.gso == Gso::tcp4;
  if (be16(frame, ip - 2) != (v4 ? 0x0800U : 0x86ddU)) {
    throw std::runtime_error("EINVAL: not that protocol");
  }
  // The kernel trusts neither: total length and header checksum must be right.
  if (v4 && (be16(frame, ip + 2) != frame.size() - ip ||
             plain_sum(std::span{frame}.subspan(ip, tcp - ip)) != 0xffff)) {
    throw std::runtime_error("dropped: bad IP header");
  }
  if (!v4 && be16(frame, ip + 4) != frame.size() - ip - 40) {
    throw std::runtime_error("dropped: bad IP header");
  }
  std::vector<Bytes> out;
  for (std::size_t at = header, k = 0; at < frame.size(); at += offload.segment_size, ++k) {
    const std::size_t part = std::min<std::size_t>(offload.segment_size, frame.size() - at);
    const bool last = at + part == frame.size();
    Bytes f{frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(header)};
    f.insert(f.end(), frame.begin() + static_cast<std::ptrdiff_t>(at),
             frame.begin() + static_cast<std::ptrdiff_t>(at + part));
    if (v4) {
      put_be16(f, ip + 2, static_cast<std::uint32_t>(f.size() - ip));
      put_be16(f, ip + 4, (be16(frame, ip + 4) + static_cast<std::uint32_t>(k)) & 0xffffU);
      put_be16(f, ip + 10, 0);
      put_be16(f, ip + 10, ~plain_sum(std::span{f}.subspan(ip, tcp - ip)) & 0xffffU);
    } else {
      put_be16(f, ip + 4, static_cast<std::uint32_t>(f.size() - ip - 40));
    }
    put_be32(f, tcp + 4, be32(frame, tcp + 4) + static_cast<std::uint32_t>(at - header));
    if (!last) {
      f[tcp + 13] &= std::byte{0xf6};
    }
    if (k != 0 && offload.ecn) {
      f[tcp + 13] &= std::byte{0x7f};
    }
    // The pseudo-header's sum had the whole length in it.
    std::uint32_t sum = be16(f, tcp + 16);
    sum += ~static_cast<std::uint32_t>(frame.size() - tcp) & 0xffffU;
    sum += static_cast<std::uint32_t>(f.size() - tcp);
    sum = (sum & 0xffffU) + (sum >> 16U);
    sum = (sum & 0xffffU) + (sum >> 16U);
    put_be16(f, tcp + 16, sum);
    complete(f);
    out.push_back(f);
  }
  return out;
}

}  // namespace dm::test
