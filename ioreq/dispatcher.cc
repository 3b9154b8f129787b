// SPDX-License-Identifier: MIT
#include "ioreq/dispatcher.h"

#include "core/range.h"

#include <array>
#include <cstring>

namespace dm::ioreq {

namespace {

constexpr std::uint64_t kPorts = 0x10000;
constexpr std::uint32_t kConfigSize = 256;

constexpr bool valid_size(std::uint32_t size, std::uint32_t largest) noexcept {
  return size != 0 && size <= largest && (size & (size - 1)) == 0;
}

/// Address of item `index` of a string operation that starts at `first`; false when it leaves 64
/// bits.
constexpr bool step(std::uint64_t first,
                    std::uint64_t distance,
                    bool descending,
                    std::uint64_t& at) noexcept {
  at = descending ? first - distance : first + distance;
  return descending ? distance <= first : at >= first;
}

}  // namespace

/// The three kinds of bus differ in how an item finds its place and in nothing else.
struct PortItems {
  PioBus& bus;
  std::uint16_t port;
  std::uint8_t size;
  [[nodiscard]] bool at(std::uint64_t /*distance*/, bool /*descending*/) const noexcept {
    return true;
  }
  [[nodiscard]] std::uint64_t read() const noexcept { return bus.read(port, size); }
  void write(std::uint64_t value) const noexcept { bus.write(port, size, value); }
};

struct MemoryItems {
  MmioBus& bus;
  std::uint64_t first;
  std::uint8_t size;
  std::uint64_t address = 0;
  [[nodiscard]] bool at(std::uint64_t distance, bool descending) noexcept {
    return step(first, distance, descending, address);
  }
  [[nodiscard]] std::uint64_t read() const noexcept { return bus.read(address, size); }
  void write(std::uint64_t value) const noexcept { bus.write(address, size, value); }
};

struct ConfigItems {
  PciBus& bus;
  PciBdf bdf;
  std::uint8_t reg;
  std::uint8_t size;
  [[nodiscard]] bool at(std::uint64_t /*distance*/, bool /*descending*/) const noexcept {
    return true;
  }
  [[nodiscard]] std::uint64_t read() const noexcept { return bus.read(bdf, reg, size); }
  void write(std::uint64_t value) const noexcept { bus.write(bdf, reg, size, value); }
};

/// Immediate data: a plain access, `rep stos`, or reads of which the last counts.
template <class Bus>
std::uint64_t Dispatcher::transfer(const Request& request, Bus bus) noexcept {
  if (request.data_is_ptr) {
    transfer_memory(request, bus);
    return request.data;
  }
  std::uint64_t value = request.is_read ? all_ones(bus.size) : request.data;
  for (std::uint32_t i = 0; i < request.count; ++i) {
    if (!bus.at(std::uint64_t{i} * bus.size, request.descending)) {
      break;
    }
    if (request.is_read) {
      value = bus.read();
    } else {
      bus.write(request.data & all_ones(bus.size));
    }
  }
  return value;
}

/// `data` names guest memory: one item after the other, since the device may care about the order.
/// Memory that is not RAM takes nothing and gives all ones.
template <class Bus>
void Dispatcher::transfer_memory(const Request& request, Bus bus) noexcept {
  for (std::uint32_t i = 0; i < request.count; ++i) {
    const std::uint64_t distance = std::uint64_t{i} * bus.size;
    std::uint64_t ram = 0;
    if (!bus.at(distance, request.descending) ||
        !step(request.data, distance, request.descending, ram)) {
      ++counters_.malformed;
      return;
    }
    std::array<std::byte, sizeof(std::uint64_t)> item{};
    const auto bytes = std::span{item}.first(bus.size);
    if (request.is_read) {
      const std::uint64_t value = bus.read();
      std::memcpy(item.data(), &value, sizeof value);
      counters_.not_ram += memory_.write_bytes(Gpa{ram}, bytes) ? 0U : 1U;
    } else {
      std::uint64_t value = all_ones(bus.size);
      if (memory_.read_bytes(Gpa{ram}, bytes)) {
        value = 0;
        std::memcpy(&value, item.data(), bus.size);
      } else {
        ++counters_.not_ram;
      }
      bus.write(value);
    }
  }
}

/// `rep ins` and `rep outs` that go up: the device gets the guest's own bytes, at most two spans of
/// them. False when some of it is not RAM; nothing has happened then.
bool Dispatcher::port_run(const Request& request, std::uint16_t port) noexcept {
  const auto size = static_cast<std::uint8_t>(request.size);
  const Dma direction = request.is_read ? Dma::to_guest : Dma::from_guest;
  if (!memory_.append(run_, Gpa{request.data}, std::size_t{request.count} * size, direction)) {
    return false;
  }
  bool whole = true;
  for (const auto span : run_.spans()) {
    whole = whole && span.size() % size == 0;  // an item across two mappings goes the slow way
  }
  if (whole) {
    for (const auto span : run_.spans()) {
      if (request.is_read) {
        pio_.read_run(port, size, span);
      } else {
        pio_.write_run(port, size, span);
      }
    }
  }
  run_.release();
  return whole;
}

std::uint64_t Dispatcher::port_io(const Request& request) noexcept {
  // `addr` has 64 bits (XSA-199).
  if (!valid_size(request.size, 4) || !within(0, kPorts, request.addr, request.size)) {
    return refuse(request, counters_.malformed, "port access of impossible size or place");
  }
  const auto port = static_cast<std::uint16_t>(request.addr);
  const auto size = static_cast<std::uint8_t>(request.size);
  if (!request.data_is_ptr && request.count == 1) [[likely]] {
    if (request.is_read) {
      return pio_.read(port, size);
    }
    pio_.write(port, size, request.data);
    return request.data;
  }
  if (request.data_is_ptr && !request.descending && port_run(request, port)) {
    return request.data;
  }
  return transfer(request, PortItems{pio_, port, size});
}

std::uint64_t Dispatcher::memory_io(const Request& request) noexcept {
  if (!valid_size(request.size, 8)) {
    return refuse(request, counters_.malformed, "memory access of impossible size");
  }
  return transfer(request,
                  MemoryItems{mmio_, request.addr, static_cast<std::uint8_t>(request.size)});
}

std::uint64_t Dispatcher::pci_config(const Request& request) noexcept {
  const auto sbdf = static_cast<std::uint32_t>(request.addr >> 32);
  const auto reg = static_cast<std::uint32_t>(request.addr);
  // Segment 0 and bus 0 only; registers past 255 exist on no function of ours.
  if (!valid_size(request.size, 4) || sbdf > 0xff || reg >= kConfigSize) {
    return refuse(request, counters_.malformed,
                  "PCI configuration access of impossible size or place");
  }
  const PciBdf bdf{static_cast<std::uint8_t>(sbdf >> 3), static_cast<std::uint8_t>(sbdf & 7U)};
  return transfer(request, ConfigItems{pci_, bdf, static_cast<std::uint8_t>(reg),
                                       static_cast<std::uint8_t>(request.size)});
}

std::uint64_t Dispatcher::refuse(const Request& request,
                                 std::uint64_t& counter,
                                 const char* what) noexcept {
  ++counter;
  complaints_.warning(what, ": type ", request.type, " address ", log::hex(request.addr), " size ",
                      request.size, " count ", request.count);
  return request.is_read && !request.data_is_ptr ? ~std::uint64_t{0} : request.data;
}

std::uint64_t Dispatcher::dispatch(const Request& from_slot) noexcept {
  ++counters_.requests;
  Request request = from_slot;
  // Xen keeps a string operation inside one page. Whatever a slot says, we do no more than that.
  if (request.count > 1) {
    const std::uint32_t most =
        static_cast<std::uint32_t>(kPageSize) / (request.size == 0 ? 1 : request.size);
    if (request.count > most) {
      ++counters_.malformed;
      request.count = most;
    }
  }
  const std::uint64_t data = carry_out(request);
  if (meter_ != nullptr) {
    meter_->end_request();
  }
  return data;
}

std::uint64_t Dispatcher::carry_out(const Request& request) noexcept {
  switch (request.type) {
    case IOREQ_TYPE_PIO:
      return port_io(request);
    case IOREQ_TYPE_COPY:
      return memory_io(request);
    case IOREQ_TYPE_PCI_CONFIG:
      return pci_config(request);
    case IOREQ_TYPE_TIMEOFFSET:  // the guest set its clock, which Xen keeps
      return request.data;
    case IOREQ_TYPE_INVALIDATE:
      ++counters_.invalidations;
      memory_.invalidate();
      return request.data;
    default:
      return refuse(request, counters_.unknown_type, "request of unknown type");
  }
}

}  // namespace dm::ioreq
