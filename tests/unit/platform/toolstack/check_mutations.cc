// SPDX-License-Identifier: MIT
// Damaged configuration files: whatever bytes come, the answer is a report of bounded size. Run
// under the sanitizers.
#include "core/text/printable.h"
#include "platform/toolstack/xl_config/check.h"
#include "tests/unit/platform/toolstack/golden.h"

#include <array>
#include <random>

namespace dm::toolstack::test {
namespace {

constexpr std::string_view kWhole =
    "# guest\ntype=\"hvm\"\nname='g'; memory=1024\nmaxmem=2048\nvcpus=2\nmaxvcpus=4\n"
    "disk=[ '/dev/vg/g,raw,hda,rw', 'phy:vg/d,xvdb,w',\n 'tap:qcow2:/q,hdc,w', ',,hdd:cdrom',\n"
    " 'format=raw,vdev=xvdf,access=ro,target=/a,b' ]\nvif=[ 'type=vif', "
    "'mac=00:16:3e:11:22:33,model=e1000' ]\n"
    "vif+=['bridge=x']\nvga='stdvga'\nvideoram=16\nvnc=1\nvnclisten='0:1'\nserial=[ 'pty', "
    "\"null\" ]\n"
    "device_model_args_hvm=[\"-spin\",\"20\"]\nchannel=['connection=pty']\npci=['1']\nusbctrl=['"
    "type=pv']\n"
    "mmio_hole=1024\ndm_restrict=1\nvcpus=[[1],]\nextra=\"a\\n\\\"b\"\n";

constexpr std::array<std::string_view, 22> kPieces = {"\u009b31m",
                                                      "\u202e",
                                                      "\x1b]0;x\x07",
                                                      "\xc0\x9b",
                                                      "'",
                                                      "\"",
                                                      "[",
                                                      "]",
                                                      ",",
                                                      "=",
                                                      "+=",
                                                      "\n",
                                                      "#",
                                                      "\\",
                                                      ";",
                                                      "\r",
                                                      "9999999999999999999999",
                                                      "-1",
                                                      "target=",
                                                      ":",
                                                      "0x",
                                                      "type='pv'\n"};

std::string mutate(std::string text, unsigned seed) {
  std::mt19937 random{seed};
  const auto below = [&random](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>{0, n - 1}(random);
  };
  for (std::size_t rounds = 1 + below(6); rounds != 0; --rounds) {
    const std::size_t at = below(text.size() + 1);
    switch (below(6)) {
      case 0:
        text.insert(at, kPieces.at(below(kPieces.size())));
        break;
      case 1:
        text.insert(at, 1, static_cast<char>(below(256)));
        break;
      case 2:
        text.erase(at, 1 + below(8));
        break;
      case 3:
        text.insert(at, text.substr(below(text.size() + 1), 1 + below(40)));
        break;
      case 4:
        text.erase(at, text.find('\n', at) - at);
        break;
      default:
        if (at < text.size()) {
          text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        }
        break;
    }
  }
  return text;
}

BOOST_AUTO_TEST_SUITE(check_mutations)

BOOST_AUTO_TEST_CASE(any_damage_ends_in_a_report) {
  std::array<unsigned, 3> ends{};
  for (unsigned seed = 0; seed < 4000; ++seed) {
    const CheckReport report = check_guest("g.cfg", mutate(std::string{kWhole}, seed));
    BOOST_TEST_REQUIRE(!report.text.empty());
    BOOST_TEST_REQUIRE(report.text.size() < 32'768U);
    // Files come from elsewhere, reports go to the terminal of root.
    BOOST_TEST_REQUIRE(report.text == printable_lines(report.text));
    ++ends.at(static_cast<std::size_t>(report.exit_status));
  }
  // The damage must reach both ends, or this test tests nothing.
  BOOST_TEST(ends[1] > 200U);
  BOOST_TEST(ends[2] > 200U);
}

BOOST_AUTO_TEST_CASE(every_beginning_of_a_file_is_answered) {
  for (std::size_t length = 0; length <= kWhole.size(); ++length) {
    BOOST_TEST(!check_guest("g.cfg", kWhole.substr(0, length)).text.empty());
  }
}

BOOST_AUTO_TEST_CASE(random_bytes_are_answered) {
  std::mt19937 random{7};
  for (int i = 0; i < 1000; ++i) {
    std::string text(random() % 200, '\0');
    for (char& c : text) {
      c = static_cast<char>(random());
    }
    const CheckReport report = check_guest("g.cfg", text);
    BOOST_TEST(!report.text.empty());
    BOOST_TEST(report.text == printable_lines(report.text));
  }
}

BOOST_AUTO_TEST_CASE(no_word_of_a_file_gives_orders_to_a_terminal) {
  const std::string bad = "\u009b31m\u202e\u2028\ufeff\x7f";
  for (const std::string& text :
       {"type='hvm'\nname='" + bad + "'\nvga='none'\n", "type='" + bad + "'\n", bad + "='x'\n",
        "x" + bad + "='y'\ntype='hvm'\n",
        "type='hvm'\ndisk=['/" + bad + ",raw,hda,rw','" + bad + "']\n",
        "type='hvm'\nname='g'\nserial='" + bad + "'\nvif=['" + bad + "','model=" + bad + "']\n",
        "type='hvm'\nname='g'\ndevice_model_args=['" + bad + "','-device','" + bad + "']\n",
        "type='hvm'\nname='g'\nvga='" + bad + "'\nboot='" + bad + "'\nsoundhw='" + bad + "'\n"}) {
    const CheckReport report = check_guest("g" + bad + ".cfg", text);
    BOOST_TEST(!report.text.empty());
    BOOST_TEST(report.text == printable_lines(report.text));
  }
  const CheckReport missing = check_guest_file("/nowhere/" + bad);
  BOOST_TEST(missing.text == printable_lines(missing.text));
}

BOOST_AUTO_TEST_CASE(a_huge_file_gives_a_short_report) {
  std::string text = "type='hvm'\nname='g'\n";
  text += "disk=[";
  for (int i = 0; i < 20'000; ++i) {
    text += "'/x,qcow2,hda','/y,,hdz',";
  }
  text += "]\nserial=[";
  for (int i = 0; i < 20'000; ++i) {
    text += "'vc',";
  }
  text += "]\n";
  const CheckReport report = check_guest("g.cfg", text);
  BOOST_TEST(report.exit_status == CheckReport::kMustChange);
  BOOST_TEST(report.text.size() < 32'768U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
