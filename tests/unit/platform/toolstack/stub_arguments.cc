// SPDX-License-Identifier: MIT
// A stub domain's command line from xenstore, whoever wrote it.
#include "platform/toolstack/command_line/stub_arguments.h"

#include <boost/test/unit_test.hpp>

#include <map>
#include <set>

namespace dm::toolstack::test {
namespace {

constexpr const char* kVm = "/vm/6c3cbd80-7bd7-4c3b-8e0a-7b1c9f7b7d0a";

class FakeStore : public XenstoreReader {
 public:
  FakeStore() {
    nodes["target"] = "7";
    nodes["/local/domain/7/vm"] = kVm;
  }
  [[nodiscard]] std::optional<std::string> read(const std::string& path) const override {
    const auto node = nodes.find(path);
    return node == nodes.end() || hidden.count(path) != 0 ? std::nullopt
                                                          : std::optional{node->second};
  }
  [[nodiscard]] std::optional<std::vector<std::string>> list(
      const std::string& path) const override {
    std::vector<std::string> names;
    for (const auto& [node, value] : nodes) {
      if (node.rfind(path + "/", 0) == 0) {
        const std::string rest = node.substr(path.size() + 1);
        const std::string name = rest.substr(0, rest.find('/'));
        if (names.empty() || names.front() != name) {
          names.insert(names.begin(), name);  // in no useful order
        }
      }
    }
    return names.empty() ? std::nullopt : std::optional{names};
  }
  void set(const std::string& number, const std::string& value) {
    nodes[std::string{kVm} + "/image/dm-argv/" + number] = value;
  }
  [[nodiscard]] std::string refusal() const {
    const auto result = read_stub_arguments(*this);
    BOOST_TEST_REQUIRE(!result.has_value());
    return result.error().message;
  }

  std::map<std::string, std::string> nodes;
  std::set<std::string> hidden;
};

bool says(const std::string& message, const char* word) {
  return message.find(word) != std::string::npos;
}

BOOST_FIXTURE_TEST_SUITE(stub_arguments, FakeStore)

BOOST_AUTO_TEST_CASE(a_disc_is_where_the_stub_domain_s_own_disk_is) {
  BOOST_TEST(!disc_file(*this, "5632", 2).has_value());  // libxl has taken it away
  nodes["device/vbd/5632/backend"] = "/local/domain/0/backend/vbd/9/5632";
  nodes["/local/domain/0/backend/vbd/9/5632/params"] = "/discs/two.iso";
  nodes["device/vbd/768/backend"] = "/local/domain/0/backend/vbd/9/768";
  nodes["/local/domain/0/backend/vbd/9/768/params"] = "/disks/first.img";
  BOOST_TEST((disc_file(*this, "5632", 2) == "/dev/xvdc"));
  BOOST_TEST((disc_file(*this, "5632", 3) == "/dev/xvdd"));
  BOOST_TEST(!disc_file(*this, "5696", 3).has_value());
}

BOOST_AUTO_TEST_CASE(an_empty_drive_is_a_disk_without_an_image) {
  nodes["device/vbd/5632/backend"] = "/local/domain/0/backend/vbd/9/5632";
  BOOST_TEST((disc_file(*this, "5632", 2) == "/dev/null"));
  nodes["/local/domain/0/backend/vbd/9/5632/params"] = "";
  BOOST_TEST((disc_file(*this, "5632", 2) == "/dev/null"));
}

BOOST_AUTO_TEST_CASE(arguments_come_in_the_order_of_their_numbers) {
  set("001", "-xen-domid");
  set("002", "7");
  set("003", "");  // empty ones are possible
  set("010", "-m");
  for (const char* number : {"004", "005", "006", "007", "008", "009"}) {
    set(number, number);
  }
  const auto found = read_stub_arguments(*this);
  BOOST_TEST_REQUIRE(found.has_value());
  BOOST_TEST(found->domid == 7U);
  BOOST_TEST_REQUIRE(found->arguments.size() == 10U);
  BOOST_TEST(found->arguments[0] == "-xen-domid");
  BOOST_TEST(found->arguments[2].empty());
  BOOST_TEST(found->arguments[8] == "009");
  BOOST_TEST(found->arguments[9] == "-m");
}

BOOST_AUTO_TEST_CASE(a_gap_is_an_error_that_names_it) {
  set("001", "a");
  set("003", "c");
  BOOST_TEST(says(refusal(), "002"));
}

BOOST_AUTO_TEST_CASE(a_name_that_is_no_number_is_an_error) {
  set("001", "a");
  set("002x", "b");
  BOOST_TEST(says(refusal(), "002"));
}

BOOST_AUTO_TEST_CASE(an_argument_that_cannot_be_read_is_an_error) {
  set("001", "a");
  set("002", "b");
  hidden.insert(std::string{kVm} + "/image/dm-argv/002");
  BOOST_TEST(says(refusal(), "002"));
}

BOOST_AUTO_TEST_CASE(no_arguments_are_an_error) {
  BOOST_TEST(says(refusal(), "dm-argv"));
}

BOOST_AUTO_TEST_CASE(a_domain_without_a_target_is_told_that_it_is_no_stub_domain) {
  nodes.erase("target");
  BOOST_TEST(says(refusal(), "target"));
}

BOOST_AUTO_TEST_CASE(targets_that_are_no_guest_are_refused) {
  set("001", "a");
  for (const char* target : {"", "0", "-1", "7x", " 7", "32752", "4294967296", "0x7"}) {
    nodes["target"] = target;
    BOOST_TEST(says(refusal(), "target"), target);
  }
}

BOOST_AUTO_TEST_CASE(the_way_to_the_arguments_is_a_uuid_and_nothing_else) {
  set("001", "a");
  for (const char* vm :
       {"", "/vm/", "/vm/../local/domain/0/name/x/y/z/1/2/3/4/5",
        "/vm/6c3cbd80-7bd7-4c3b-8e0a-7b1c9f7b7d0a/", "vm/6c3cbd80-7bd7-4c3b-8e0a-7b1c9f7b7d0a",
        "/vm/6c3cbd80/7bd7-4c3b-8e0a-7b1c9f7b7d0a"}) {
    nodes["/local/domain/7/vm"] = vm;
    BOOST_TEST(says(refusal(), "UUID"), vm);
  }
}

BOOST_AUTO_TEST_CASE(numbers_and_bytes_are_bounded) {
  set("001", std::string(65'536, 'x'));
  BOOST_TEST(read_stub_arguments(*this).has_value());
  set("002", "y");
  BOOST_TEST(says(refusal(), "64 KiB"));
  set("001", "x");
  for (int i = 1; i <= 1000; ++i) {
    std::string number = std::to_string(i);
    set(number.insert(0, number.size() < 3 ? 3 - number.size() : 0, '0'), "x");
  }
  BOOST_TEST(says(refusal(), "999"));
}

BOOST_AUTO_TEST_CASE(arguments_are_text) {
  set("001", std::string{"a\0b", 3});
  BOOST_TEST(says(refusal(), "text"));
}

void add_disk(FakeStore& store, const std::string& id, const std::string& kind, const char* type) {
  const std::string backend = "/local/domain/0/backend/" + kind + "/7/" + id;
  store.nodes["/local/domain/7/device/vbd/" + id + "/backend"] = backend;
  store.nodes["/local/domain/7/device/vbd/" + id + "/state"] = "1";
  store.nodes[backend + "/device-type"] = type;
  store.nodes[backend + "/dev"] = "xvd" + id;
}

BOOST_AUTO_TEST_CASE(pv_disks_that_nobody_serves_beside_a_stub_domain_are_found) {
  BOOST_TEST(unserved_pv_disks(*this, 7).empty());
  add_disk(*this, "a", "vbd", "disk");  // blkback's
  add_disk(*this, "c", "qdisk", "cdrom");
  BOOST_TEST(unserved_pv_disks(*this, 7).empty());
  add_disk(*this, "b", "qdisk", "disk");
  BOOST_TEST((unserved_pv_disks(*this, 7) == std::vector<std::string>{"xvdb"}));
  nodes["/local/domain/7/device/vbd/b/backend"] = "/local/domain/0/backend/qdisk/8/b";
  BOOST_TEST(unserved_pv_disks(*this, 7).empty());
}

BOOST_AUTO_TEST_CASE(no_more_than_a_few_of_them_are_named) {
  for (int i = 0; i < 100; ++i) {
    add_disk(*this, std::to_string(i), "qdisk", "disk");
  }
  BOOST_TEST(unserved_pv_disks(*this, 7).size() == 8U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
