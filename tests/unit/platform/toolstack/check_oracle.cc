// SPDX-License-Identifier: MIT
// Disk specifications, rates and words beside libxlutil and libxenlight 4.17 themselves, the
// libraries that xl reads a configuration with. They need no Xen for that.
#include "platform/toolstack/xl_config/check.h"
#include "platform/toolstack/xl_config/check_translate.h"
#include "tests/unit/platform/toolstack/golden.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <random>

extern "C" {
#include <libxl.h>
#include <libxlutil.h>
}

namespace dm::toolstack::test {
namespace {

/// What xlu_disk_parse() makes of a specification.
class Oracle {
 public:
  Oracle() : report_{std::fopen("/dev/null", "we")}, config_{xlu_cfg_init(report_, "test")} {}
  Oracle(const Oracle&) = delete;
  Oracle& operator=(const Oracle&) = delete;
  ~Oracle() {
    xlu_cfg_destroy(config_);
    (void)std::fclose(report_);
  }

  std::optional<DiskSpec> disk(const std::string& spec) {
    libxl_device_disk found{};
    libxl_device_disk_init(&found);
    const char* const text = spec.c_str();
    const bool good = xlu_disk_parse(config_, 1, &text, &found) == 0;
    const auto disk = good ? std::optional{read(found)} : std::nullopt;
    libxl_device_disk_dispose(&found);
    return disk;
  }
  bool takes_rate(const std::string& rate) {
    libxl_device_nic card{};
    libxl_device_nic_init(&card);
    errno = 0;  // which it looks at, and does not clear
    const bool good = xlu_vif_parse_rate(config_, rate.c_str(), &card) == 0;
    libxl_device_nic_dispose(&card);
    return good;
  }

 private:
  static std::string text_of(const char* text) { return text != nullptr ? text : ""; }
  static DiskSpec read(const libxl_device_disk& from) {
    DiskSpec disk;
    disk.target = text_of(from.pdev_path);
    disk.vdev = text_of(from.vdev);
    disk.format = libxl_disk_format_to_string(from.format);
    disk.backend_type = from.backend == LIBXL_DISK_BACKEND_UNKNOWN
                            ? ""
                            : libxl_disk_backend_to_string(from.backend);
    disk.script = from.script != nullptr ? std::optional<std::string>{from.script} : std::nullopt;
    disk.backend_domain = from.backend_domname != nullptr
                              ? std::optional<std::string>{from.backend_domname}
                              : std::nullopt;
    disk.writable = from.readwrite != 0;
    disk.cdrom = from.is_cdrom != 0;
    disk.colo = !libxl_defbool_is_default(from.colo_enable) && libxl_defbool_val(from.colo_enable);
    return disk;
  }

  std::FILE* report_;
  XLU_Config* config_;
};

std::string described(const std::optional<DiskSpec>& disk) {
  if (!disk) {
    return "refused";
  }
  return disk->target + "|" + disk->vdev + "|" + disk->format + "|" + disk->backend_type + "|" +
         disk->script.value_or("-") + "|" + disk->backend_domain.value_or("-") + "|" +
         (disk->writable ? "w" : "r") + (disk->cdrom ? "|cdrom" : "") + (disk->colo ? "|colo" : "");
}

/// Pieces of specifications in any order, and single characters where they hurt.
class Specs {
 public:
  explicit Specs(unsigned seed) : random_{seed} {}

  std::string next() {
    static constexpr std::array<std::string_view, 62> kPieces = {"/x",
                                                                 "/dev/vg/g",
                                                                 "",
                                                                 "raw",
                                                                 "qcow2",
                                                                 "vhd",
                                                                 "empty",
                                                                 "hda",
                                                                 "hdc",
                                                                 "xvdb",
                                                                 "d1p0",
                                                                 "768",
                                                                 "w",
                                                                 "r",
                                                                 "rw",
                                                                 "ro",
                                                                 "cdrom",
                                                                 "hdc:cdrom",
                                                                 "hda:disk",
                                                                 "hda:x",
                                                                 "format=raw",
                                                                 "format=",
                                                                 "format=qed",
                                                                 "vdev=hda",
                                                                 "vdev=xvdc",
                                                                 "vdev=",
                                                                 "access=ro",
                                                                 "access=",
                                                                 "devtype=cdrom",
                                                                 "devtype=disk",
                                                                 "devtype=",
                                                                 "target=/t,u",
                                                                 "target=",
                                                                 "script=s",
                                                                 "script=",
                                                                 "phy:/p",
                                                                 "tap:aio:/p",
                                                                 "qcow2:/q",
                                                                 "nbd:x",
                                                                 "raw:",
                                                                 "http://h/x",
                                                                 "foo:bar",
                                                                 "foo:",
                                                                 "x:y",
                                                                 "tap2:",
                                                                 "backend=d",
                                                                 "colo",
                                                                 "no-colo",
                                                                 "colo-host=h",
                                                                 "colo-port=3",
                                                                 "discard",
                                                                 "size=3",
                                                                 "a=b",
                                                                 " /s ",
                                                                 "\t",
                                                                 "=x",
                                                                 "drbd:r",
                                                                 "enbd:r",
                                                                 "cdrom ",
                                                                 "backendtype=qdisk",
                                                                 "direct-io-safe",
                                                                 "specification=xen"};
    // No line ends: of some libxlutil's scanner makes an end of the process.
    static constexpr std::string_view kMarks = " ,:=x\t/";
    std::string spec;
    for (std::size_t i = below(6); i != std::size_t{0} - 1; --i) {
      spec.append(spec.empty() ? "" : ",").append(kPieces.at(below(kPieces.size())));
    }
    for (std::size_t i = below(3); i != 0; --i) {
      const std::size_t at = below(spec.size() + 1);
      if (below(2) == 0) {
        spec.insert(at, 1, kMarks[below(kMarks.size())]);
      } else {
        spec.erase(at, below(3));
      }
    }
    return spec;
  }

 private:
  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>{0, n - 1}(random_);
  }
  std::mt19937 random_;
};

BOOST_AUTO_TEST_SUITE(check_oracle)

BOOST_AUTO_TEST_CASE(disk_specifications_are_read_as_libxlutil_reads_them) {
  Oracle oracle;
  Specs specs{1};
  unsigned taken = 0;
  for (int i = 0; i < 60'000; ++i) {
    const std::string spec = specs.next();
    const auto ours = parse_disk_spec(spec);
    const std::string found = described(ours ? std::optional{*ours} : std::nullopt);
    const std::string expected = described(oracle.disk(spec));
    BOOST_TEST_REQUIRE(found == expected, "\"" << spec << "\": " << found << " != " << expected);
    taken += ours ? 1U : 0U;
  }
  BOOST_TEST(taken > 2000U);  // or the others are refused for one and the same reason
}

BOOST_AUTO_TEST_CASE(rates_are_read_as_libxlutil_reads_them) {
  Oracle oracle;
  std::mt19937 random{2};
  static constexpr std::array<std::string_view, 22> kPieces = {
      "1",     "10",   "0",   "99999", "4294967295", "4294967296", "18446744073709551616",
      "G",     "M",    "K",   "b/s",   "B/s",        "b/",         "@",
      "@20ms", "@3us", "@1s", "@0s",   "ms",         "s",          " ",
      "x"};
  for (int i = 0; i < 20'000; ++i) {
    std::string rate;
    for (auto n = random() % 5; n != 0; --n) {
      rate += kPieces.at(random() % kPieces.size());
    }
    const std::string text =
        "type='hvm'\nname='g'\nmemory=64\nvif=['type=vif,rate=" + rate + "']\n";
    const bool ours = !says(check_guest("g.cfg", text).text, "xl wants a rate");
    BOOST_TEST_REQUIRE(ours == oracle.takes_rate(rate), rate);
  }
}

/// A word that libxl looks up in a table, any case.
template <class Value>
void compare_words(std::string_view setting, int (*lookup)(const char*, Value*), bool in_list) {
  static constexpr std::array<const char*, 46> kWords = {"ide",
                                                         "AHCI",
                                                         "scsi",
                                                         "seabios",
                                                         "Ovmf",
                                                         "rombios",
                                                         "uefi",
                                                         "legacy",
                                                         "unknown",
                                                         "default",
                                                         "Native",
                                                         "native_paravirt",
                                                         "always_emulate",
                                                         "mixed",
                                                         "External",
                                                         "limited",
                                                         "disabled",
                                                         "enabled",
                                                         "sync_pt",
                                                         "share_pt",
                                                         "none",
                                                         "XenServer",
                                                         "igd",
                                                         "base",
                                                         "Freq",
                                                         "time_ref_count",
                                                         "reference_tsc",
                                                         "hcall_remote_tlb_flush",
                                                         "apic_assist",
                                                         "crash_ctl",
                                                         "synic",
                                                         "stimer",
                                                         "hcall_ipi",
                                                         "ex_processor_masks",
                                                         "no_vp_limit",
                                                         "cpu_hotplug",
                                                         "sbsa_uart",
                                                         "v2",
                                                         "V3",
                                                         "optee",
                                                         "delay_for_missed_ticks",
                                                         "no_missed_ticks_pending",
                                                         "x",
                                                         "base ",
                                                         "",
                                                         "no-delay"};
  for (const char* const word : kWords) {
    Value value{};
    const bool known = lookup(word, &value) == 0;
    const std::string quoted = "'" + std::string{word} + "'";
    const std::string text = "type='hvm'\nname='g'\nmemory=64\n" + std::string{setting} + "=" +
                             (in_list ? "[" + quoted + "]" : quoted) + "\n";
    const std::string told = check_guest("g.cfg", text).text;
    BOOST_TEST(known == !says(told, std::string{setting} + ": xl knows"), setting << "=" << word);
  }
}

BOOST_AUTO_TEST_CASE(words_are_those_of_libxl) {
  compare_words("hdtype", libxl_hdtype_from_string, false);
  compare_words("bios", libxl_bios_type_from_string, false);
  compare_words("timer_mode", libxl_timer_mode_from_string, false);
  compare_words("tsc_mode", libxl_tsc_mode_from_string, false);
  compare_words("altp2m", libxl_altp2m_mode_from_string, false);
  compare_words("vendor_device", libxl_vendor_device_from_string, false);
  compare_words("gfx_passthru", libxl_gfx_passthru_kind_from_string, false);
  compare_words("passthrough", libxl_passthrough_from_string, false);
  compare_words("vuart", libxl_vuart_type_from_string, false);
  compare_words("gic_version", libxl_gic_version_from_string, false);
  compare_words("tee", libxl_tee_type_from_string, false);
  compare_words("viridian", libxl_viridian_enlightenment_from_string, true);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
