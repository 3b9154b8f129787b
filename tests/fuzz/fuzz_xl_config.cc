// SPDX-License-Identifier: MIT
// Any configuration file for stubdm --check. An input is a byte of choices and the file's text.
#include "core/text/printable.h"
#include "platform/toolstack/xl_config/check.h"
#include "tests/fuzz/input.h"

#include <string>

namespace dm::fuzz {

namespace {

using toolstack::CheckReport;

/// What a file is put behind, so that not every input has to find these lines.
constexpr std::string_view kServed =
    "type='hvm'\nname='guest'\nmemory=512\nvga='none'\nvnc=0\nserial='pty'\n"
    "device_model_override='/usr/local/libexec/stubdm'\nvkb_device=0\n";
/// 50 findings and a few more lines, each with a few quotations of at most 160 bytes, and a dozen
/// refusals with a dozen details.
constexpr std::size_t kMostText = 128 * 1024;

void run(Input in) {
  const auto choice = in.byte();
  const auto raw = in.bytes(in.size());
  std::string text{(choice & 8U) != 0 ? kServed : ""};
  text.append(raw.begin(), raw.end());
  const CheckReport report = toolstack::check_guest("g.cfg", text);
  require(!report.text.empty() && report.text.back() == '\n', "a report is lines");
  require(report.text.size() < kMostText, "a report is bounded");
  require(report.text == printable_lines(report.text), "a report is printable");
  require(report.text.find("g.cfg") == 0, "a report begins with the file's name");
  const bool served = report.text.find("stubdm can serve this guest") != std::string::npos ||
                      report.text.find("needs no device model") != std::string::npos;
  switch (report.exit_status) {
    case CheckReport::kServed:
      require(served, "a guest that is served is shown");
      break;
    case CheckReport::kMustChange:
      require(report.text.find('\n') + 1 < report.text.size() ||
                  report.text.find("g.cfg:") != std::string::npos,
              "what must change is told");
      break;
    default:
      require(report.exit_status == CheckReport::kUnreadable, "there are three verdicts");
      break;
  }
  const CheckReport again = toolstack::check_guest("g.cfg", text);
  require(again.text == report.text && again.exit_status == report.exit_status,
          "a file has one verdict");
}

}  // namespace

}  // namespace dm::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dm::fuzz::run(dm::fuzz::Input{data, size});
  return 0;
}
