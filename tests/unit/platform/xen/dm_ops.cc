// SPDX-License-Identifier: MIT
#include "platform/xen/dm_ops_library.h"
#include "platform/xen/dm_ops_privcmd.h"
#include "platform/xen/errors.h"
#include "tests/unit/platform/xen/fake_xen.h"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

using namespace dm;
using namespace dm::xen;
using dm::test::fake;

namespace {

/// What one ioctl carried, taken apart by hand: offsets and numbers typed from
/// xen/include/public/hvm/dm_op.h.
struct Sent {
  int descriptor = -1;
  unsigned long request = 0;
  std::uint16_t domid = 0;
  std::uint16_t buffers = 0;
  std::vector<std::uint8_t> op;
  std::vector<std::uint8_t> second;

  template <class T>
  [[nodiscard]] T at(std::size_t offset) const {
    T value;
    std::memcpy(&value, op.data() + offset, sizeof value);
    return value;
  }
  /// All bytes of the operation's own part from `offset` on are zero.
  [[nodiscard]] bool zero_from(std::size_t offset) const {
    for (std::size_t i = offset; i < op.size(); ++i) {
      if (op[i] != 0) {
        return false;
      }
    }
    return true;
  }
};
Sent sent;
int answer = 0;
std::vector<std::uint8_t> output;  ///< laid over the operation's part, which begins at byte 8

int fake_ioctl(int descriptor, unsigned long request, void* argument) {
  struct Call {
    std::uint16_t dom;
    std::uint16_t num;
    struct Buffer {
      void* at;
      std::size_t size;
    } const* buffers;
  } call;
  sent = Sent{};
  sent.descriptor = descriptor;
  sent.request = request;
  if ((request & 0xff) == 6) {  // IOCTL_PRIVCMD_RESTRICT carries a bare domid
    std::memcpy(&sent.domid, argument, sizeof sent.domid);
  } else {
    std::memcpy(&call, argument, sizeof call);
    sent.domid = call.dom;
    sent.buffers = call.num;
    if (call.num > 0) {
      auto* const at = static_cast<std::uint8_t*>(call.buffers[0].at);
      sent.op.assign(at, at + call.buffers[0].size);
      if (!output.empty()) {
        std::memcpy(at + 8, output.data(), output.size());
      }
    }
    if (call.num > 1) {
      const auto* const at = static_cast<const std::uint8_t*>(call.buffers[1].at);
      sent.second.assign(at, at + call.buffers[1].size);
    }
  }
  errno = answer;
  return answer == 0 ? 0 : -1;
}

struct Direct {
  Direct() {
    answer = 0;
    output.clear();
    sent = Sent{};
  }
  PrivcmdDmOps ops{::open("/dev/null", O_RDWR), 7, &fake_ioctl};
};

struct Library : dm::test::FreshFake {
  LibraryDmOps ops{DeviceModelHandle{xendevicemodel_open(nullptr, 0)}, 7};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(direct_dm_ops, Direct)

BOOST_AUTO_TEST_CASE(an_operation_is_one_ioctl_with_the_domain_and_one_buffer) {
  BOOST_TEST(ops.set_isa_level(4, true) == 0);
  BOOST_TEST(sent.request == 0x105005U);  // _IOC(NONE, 'P', 5, 16)
  BOOST_TEST(sent.domid == 7);
  BOOST_TEST(sent.buffers == 1);
  BOOST_TEST(sent.at<std::uint32_t>(0) == 9U);
  BOOST_TEST(sent.at<std::uint8_t>(8) == 4);
  BOOST_TEST(sent.at<std::uint8_t>(9) == 1);
  BOOST_TEST(sent.zero_from(10));
}

BOOST_AUTO_TEST_CASE(creating_a_server_asks_for_no_buffered_ring_and_returns_its_id) {
  output = {0, 0, 0, 0, 5, 0};  // handle_bufioreq, pad[3], id
  ioservid_t id = 0;
  BOOST_TEST(ops.create_server(id) == 0);
  BOOST_TEST(id == 5);
  BOOST_TEST(sent.at<std::uint32_t>(0) == 1U);
  BOOST_TEST(sent.zero_from(4));
}

BOOST_AUTO_TEST_CASE(a_failed_operation_returns_errno_and_leaves_the_output_alone) {
  answer = ENOSPC;
  ioservid_t id = 42;
  BOOST_TEST(ops.create_server(id) == ENOSPC);
  BOOST_TEST(id == 42);
}

BOOST_AUTO_TEST_CASE(ranges_carry_their_kind_and_inclusive_ends) {
  BOOST_TEST(ops.map_ports(5, PortRange{0x3f8, 0x3ff}) == 0);
  BOOST_TEST(sent.at<std::uint32_t>(0) == 3U);
  BOOST_TEST(sent.at<std::uint16_t>(8) == 5);
  BOOST_TEST(sent.at<std::uint32_t>(12) == 0U);
  BOOST_TEST(sent.at<std::uint64_t>(16) == 0x3f8U);
  BOOST_TEST(sent.at<std::uint64_t>(24) == 0x3ffU);

  BOOST_TEST(ops.unmap_mmio(5, MmioRange{0xf1000000, 0xf101ffff}) == 0);
  BOOST_TEST(sent.at<std::uint32_t>(0) == 4U);
  BOOST_TEST(sent.at<std::uint32_t>(12) == 1U);
  BOOST_TEST(sent.at<std::uint64_t>(16) == 0xf1000000U);
  BOOST_TEST(sent.at<std::uint64_t>(24) == 0xf101ffffU);

  BOOST_TEST(ops.unmap_ports(5, PortRange{0x60, 0x60}) == 0);
  BOOST_TEST(sent.at<std::uint32_t>(0) == 4U);
  BOOST_TEST(ops.map_mmio(5, MmioRange{0x1000, 0x1fff}) == 0);
  BOOST_TEST(sent.at<std::uint32_t>(0) == 3U);
}

BOOST_AUTO_TEST_CASE(a_pci_function_is_a_range_of_one_sbdf) {
  BOOST_TEST(ops.map_pci(5, PciBdf{3, 1}) == 0);
  BOOST_TEST(sent.at<std::uint32_t>(0) == 3U);
  BOOST_TEST(sent.at<std::uint32_t>(12) == 2U);
  BOOST_TEST(sent.at<std::uint64_t>(16) == 0x19U);
  BOOST_TEST(sent.at<std::uint64_t>(24) == 0x19U);
  BOOST_TEST(ops.unmap_pci(5, PciBdf{3, 1}) == 0);
  BOOST_TEST(sent.at<std::uint32_t>(0) == 4U);
}

BOOST_AUTO_TEST_CASE(an_intx_level_names_device_and_pin_on_bus_0) {
  BOOST_TEST(ops.set_intx_level(3, 1, true) == 0);
  BOOST_TEST(sent.at<std::uint32_t>(0) == 8U);
  BOOST_TEST(sent.at<std::uint16_t>(8) == 0);
  BOOST_TEST(sent.at<std::uint8_t>(10) == 0);
  BOOST_TEST(sent.at<std::uint8_t>(11) == 3);
  BOOST_TEST(sent.at<std::uint8_t>(12) == 1);
  BOOST_TEST(sent.at<std::uint8_t>(13) == 1);
}

BOOST_AUTO_TEST_CASE(a_link_route_names_link_and_irq) {
  BOOST_TEST(ops.set_link_route(2, 11) == 0);
  BOOST_TEST(sent.at<std::uint32_t>(0) == 10U);
  BOOST_TEST(sent.at<std::uint8_t>(8) == 2);
  BOOST_TEST(sent.at<std::uint8_t>(9) == 11);
}

BOOST_AUTO_TEST_CASE(server_state_destruction_shutdown_and_memory_type_carry_their_numbers) {
  BOOST_TEST(ops.set_server_state(5, true) == 0);
  BOOST_TEST(sent.at<std::uint32_t>(0) == 5U);
  BOOST_TEST(sent.at<std::uint16_t>(8) == 5);
  BOOST_TEST(sent.at<std::uint8_t>(10) == 1);
  BOOST_TEST(ops.destroy_server(5) == 0);
  BOOST_TEST(sent.at<std::uint32_t>(0) == 6U);
  BOOST_TEST(sent.at<std::uint16_t>(8) == 5);
  BOOST_TEST(ops.shutdown(3) == 0);
  BOOST_TEST(sent.at<std::uint32_t>(0) == 16U);
  BOOST_TEST(sent.at<std::uint32_t>(8) == 3U);
  BOOST_TEST(ops.set_mem_type(HVMMEM_ram_ro, 0xc0, 0x40) == 0);
  BOOST_TEST(sent.at<std::uint32_t>(0) == 12U);
  BOOST_TEST(sent.at<std::uint32_t>(8) == 0x40U);
  BOOST_TEST(sent.at<std::uint16_t>(12) == 1);
  BOOST_TEST(sent.at<std::uint64_t>(16) == 0xc0U);
  BOOST_TEST(ops.relocate_memory(0xf1000, 0xe0000, 0x800) == 0);
  BOOST_TEST(sent.at<std::uint32_t>(0) == 17U);
  BOOST_TEST(sent.at<std::uint32_t>(8) == 0x800U);
  BOOST_TEST(sent.at<std::uint64_t>(16) == 0xf1000U);
  BOOST_TEST(sent.at<std::uint64_t>(24) == 0xe0000U);
  BOOST_TEST(ops.pin_memory_cacheattr(0xf1000, 0xf1fff, 6) == 0);
  BOOST_TEST(sent.at<std::uint32_t>(0) == 18U);
  BOOST_TEST(sent.at<std::uint64_t>(8) == 0xf1000U);
  BOOST_TEST(sent.at<std::uint64_t>(16) == 0xf1fffU);
  BOOST_TEST(sent.at<std::uint32_t>(24) == 6U);
}

BOOST_AUTO_TEST_CASE(pages_that_were_written_come_back_in_a_second_buffer) {
  std::array<std::uint64_t, 2> bitmap{};
  BOOST_TEST(ops.track_dirty_vram(0xf1000, 100, bitmap) == 0);
  BOOST_TEST(sent.buffers == 2);
  BOOST_TEST(sent.at<std::uint32_t>(0) == 7U);
  BOOST_TEST(sent.at<std::uint32_t>(8) == 100U);
  BOOST_TEST(sent.at<std::uint64_t>(16) == 0xf1000U);
  BOOST_TEST(sent.second.size() == 13U);  // a bit for each page
}

BOOST_AUTO_TEST_CASE(the_number_of_vcpus_comes_back) {
  output = {3, 0, 0, 0};
  unsigned vcpus = 0;
  BOOST_TEST(ops.nr_vcpus(vcpus) == 0);
  BOOST_TEST(vcpus == 3U);
  BOOST_TEST(sent.at<std::uint32_t>(0) == 20U);
}

BOOST_AUTO_TEST_CASE(modified_memory_puts_its_extents_into_a_second_buffer) {
  BOOST_TEST(ops.modified_memory(0x1234, 5) == 0);
  BOOST_TEST(sent.buffers == 2);
  BOOST_TEST(sent.at<std::uint32_t>(0) == 11U);
  BOOST_TEST(sent.at<std::uint32_t>(8) == 1U);  // nr_extents
  BOOST_TEST(sent.second.size() == 16U);
  std::uint64_t first = 0;
  std::memcpy(&first, sent.second.data() + 8, sizeof first);
  BOOST_TEST(sent.second[0] == 5);
  BOOST_TEST(first == 0x1234U);
}

BOOST_AUTO_TEST_CASE(restricting_names_the_domain_by_the_restrict_ioctl) {
  BOOST_TEST(ops.restrict_to_domain() == 0);
  BOOST_TEST(sent.request == 0x25006U);  // _IOC(NONE, 'P', 6, 2)
  BOOST_TEST(sent.domid == 7);
}

BOOST_AUTO_TEST_CASE(the_probe_is_an_operation_without_buffers_on_no_domain) {
  BOOST_TEST(PrivcmdDmOps::probe(1, &fake_ioctl) == 0);
  BOOST_TEST(sent.domid == 0x7ff4);  // DOMID_INVALID
  BOOST_TEST(sent.buffers == 0);
  answer = EPERM;  // what an XSA-482 kernel in a domU says
  BOOST_TEST(PrivcmdDmOps::probe(1, &fake_ioctl) == EPERM);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(library_dm_ops, Library)

BOOST_AUTO_TEST_CASE(every_operation_reaches_its_library_function_with_its_arguments) {
  ioservid_t id = 0;
  unsigned vcpus = 0;
  BOOST_TEST(ops.create_server(id) == 0);
  BOOST_TEST(id == 3);
  BOOST_TEST(ops.set_server_state(id, true) == 0);
  BOOST_TEST(ops.map_ports(id, PortRange{0x3f8, 0x3ff}) == 0);
  BOOST_TEST(ops.unmap_ports(id, PortRange{0x3f8, 0x3ff}) == 0);
  BOOST_TEST(ops.map_mmio(id, MmioRange{4096, 8191}) == 0);
  BOOST_TEST(ops.unmap_mmio(id, MmioRange{4096, 8191}) == 0);
  BOOST_TEST(ops.map_pci(id, PciBdf{3, 1}) == 0);
  BOOST_TEST(ops.unmap_pci(id, PciBdf{3, 1}) == 0);
  BOOST_TEST(ops.set_isa_level(14, true) == 0);
  BOOST_TEST(ops.set_intx_level(3, 0, false) == 0);
  BOOST_TEST(ops.set_link_route(1, 10) == 0);
  BOOST_TEST(ops.modified_memory(5, 6) == 0);
  BOOST_TEST(ops.set_mem_type(HVMMEM_ram_ro, 192, 64) == 0);
  BOOST_TEST(ops.relocate_memory(100, 200, 10) == 0);
  BOOST_TEST(ops.pin_memory_cacheattr(200, 209, 6) == 0);
  std::array<std::uint64_t, 1> bitmap{};
  fake().written = {201};
  BOOST_TEST(ops.track_dirty_vram(200, 10, bitmap) == 0);
  BOOST_TEST(bitmap[0] == 2U);
  BOOST_TEST(ops.shutdown(1) == 0);
  BOOST_TEST(ops.nr_vcpus(vcpus) == 0);
  BOOST_TEST(vcpus == 2U);
  BOOST_TEST(ops.restrict_to_domain() == 0);
  BOOST_TEST(ops.destroy_server(id) == 0);
  const std::vector<std::string> expected{"devicemodel_open()",
                                          "create_ioreq_server(7 0)",
                                          "set_ioreq_server_state(7 3 1)",
                                          "map_io_range(7 3 0 1016 1023)",
                                          "unmap_io_range(7 3 0 1016 1023)",
                                          "map_io_range(7 3 1 4096 8191)",
                                          "unmap_io_range(7 3 1 4096 8191)",
                                          "map_pcidev(7 3 0 0 3 1)",
                                          "unmap_pcidev(7 3 0 0 3 1)",
                                          "set_isa_irq_level(7 14 1)",
                                          "set_pci_intx_level(7 0 0 3 0 0)",
                                          "set_pci_link_route(7 1 10)",
                                          "modified_memory(7 5 6)",
                                          "set_mem_type(7 1 192 64)",
                                          "relocate_memory(7 10 100 200)",
                                          "pin_memory_cacheattr(7 200 209 6)",
                                          "track_dirty_vram(7 200 10)",
                                          "shutdown(7 1)",
                                          "nr_vcpus(7)",
                                          "devicemodel_restrict(7)",
                                          "destroy_ioreq_server(7 3)"};
  BOOST_TEST(fake().calls == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_failure_is_the_errno_of_the_library) {
  fake().errors["set_isa_irq_level"] = ESRCH;
  BOOST_TEST(ops.set_isa_level(4, true) == ESRCH);
}

BOOST_AUTO_TEST_CASE(opening_without_a_xen_host_says_so) {
  fake().errors["devicemodel_open"] = ENOENT;
  const auto opened = open_dm_ops(7);
  BOOST_REQUIRE(!opened);
  BOOST_TEST(opened.error().message.find("not a Xen host (or not dom0)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_missing_domain_a_pv_guest_and_a_full_server_table_are_told_apart) {
  const auto says = [](int error) {
    return explain_domain("create an ioreq server", 7, error).message;
  };
  BOOST_TEST(says(ESRCH).find("no such domain") != std::string::npos);
  BOOST_TEST(says(EINVAL).find("not an HVM guest") != std::string::npos);
  BOOST_TEST(says(EPERM).find("Xen refuses") != std::string::npos);
  BOOST_TEST(says(ENOSPC).find("8 ioreq servers") != std::string::npos);
  BOOST_TEST(says(EIO).find("domain 7") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
