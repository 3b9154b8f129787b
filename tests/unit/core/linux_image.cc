// SPDX-License-Identifier: MIT
// Files that are kernels, nearly kernels and none, typed from Linux,
// Documentation/arch/x86/boot.rst.
#include "core/boot/linux_image.h"

#include "tests/rig/boot_files.h"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace dm;
using namespace dm::boot;
using rig::KernelHeader;
using rig::make_kernel;

namespace {

using Bytes = std::vector<std::byte>;

template <class T>
T at(const Bytes& bytes, std::size_t offset) {
  T value{};
  std::memcpy(&value, &bytes.at(offset + sizeof value - 1) - (sizeof value - 1), sizeof value);
  return value;
}

struct File {
  explicit File(Bytes of) : bytes{std::move(of)} {
    files.head = std::span{bytes}.first(std::min(bytes.size(), kMostSetup));
    files.kernel_size = bytes.size();
  }
  [[nodiscard]] std::string refusal() const {
    const auto image = prepare_linux(files);
    return image ? "" : image.error().message;
  }
  Bytes bytes;
  LinuxFiles files;
};

bool says(const std::string& text, std::string_view word) {
  return text.find(word) != std::string::npos;
}

BOOST_AUTO_TEST_SUITE(linux_image)

BOOST_AUTO_TEST_CASE(the_header_is_filled_in_as_the_boot_protocol_asks) {
  File file{make_kernel(100'000)};
  file.files.initrd_size = 5000;
  file.files.command_line = "root=/dev/sda1 ro";
  const auto image = prepare_linux(file.files);
  BOOST_TEST_REQUIRE(image.has_value());
  BOOST_TEST(image->setup.size() == 5U * 512);
  BOOST_TEST(image->kernel_offset == 5U * 512);
  BOOST_TEST(image->kernel_size == 100'000U - 5 * 512);
  BOOST_TEST(image->initrd_size == 5000U);
  BOOST_TEST(at<std::uint8_t>(image->setup, 0x210) == 0xff);  // type_of_loader
  BOOST_TEST(at<std::uint8_t>(image->setup, 0x211) == 0x81);  // and CAN_USE_HEAP
  BOOST_TEST(at<std::uint32_t>(image->setup, 0x218) == 0U);   // the loader's to choose
  BOOST_TEST(at<std::uint32_t>(image->setup, 0x21c) == 5000U);
  BOOST_TEST(at<std::uint16_t>(image->setup, 0x224) == 0xfe00);
  BOOST_TEST(at<std::uint32_t>(image->setup, 0x228) == 0x20000U);
  BOOST_TEST(at<std::uint32_t>(image->setup, 0x22c) == 0x7fffffffU);
  BOOST_TEST(at<std::uint16_t>(image->setup, 0x1fa) == 0x1234);  // no vga=
  const std::string line = "root=/dev/sda1 ro";
  BOOST_TEST(image->command_line.size() == line.size() + 1);
  BOOST_TEST(std::memcmp(image->command_line.data(), line.c_str(), line.size() + 1) == 0);
}

BOOST_AUTO_TEST_CASE(no_setup_sectors_mean_four) {
  const auto image = prepare_linux(File{make_kernel(9000, {.setup_sectors = 0})}.files);
  BOOST_TEST_REQUIRE(image.has_value());
  BOOST_TEST(image->kernel_offset == 5U * 512);
}

BOOST_AUTO_TEST_CASE(an_old_kernel_gets_the_old_bound_of_its_ramdisk) {
  const File file{make_kernel(9000, {.version = 0x202, .ramdisk_most = 0})};
  const auto image = prepare_linux(file.files);
  BOOST_TEST_REQUIRE(image.has_value());
  BOOST_TEST(at<std::uint32_t>(image->setup, 0x22c) == 0x37ffffffU);
}

BOOST_AUTO_TEST_CASE(vga_is_a_number_or_one_of_three_words) {
  const auto mode = [](std::string_view line) {
    File file{make_kernel(9000)};
    file.files.command_line = line;
    return at<std::uint16_t>(prepare_linux(file.files)->setup, 0x1fa);
  };
  BOOST_TEST(mode("vga=normal") == 0xffff);
  BOOST_TEST(mode("quiet vga=ext") == 0xfffe);
  BOOST_TEST(mode("vga=ask quiet") == 0xfffd);
  BOOST_TEST(mode("vga=791") == 791);
  BOOST_TEST(mode("vga=0x317") == 0x317);
  for (const std::string_view garbage :
       {"vga=", "vga=x", "vga=0xg", "vga=65536", "vga=0x12345", "novga=791", "xvga=normal"}) {
    BOOST_TEST(mode(garbage) == 0x1234, garbage);
  }
}

// K1
BOOST_AUTO_TEST_CASE(a_file_that_ends_in_its_header_is_no_kernel) {
  for (const std::size_t size : {0U, 1U, 0x1f1U, 0x205U, 0x25fU, 0x267U}) {
    BOOST_TEST(says(File{make_kernel(size)}.refusal(), "no Linux kernel"), size);
  }
  BOOST_TEST(says(File{make_kernel(0x268)}.refusal(), "damaged"));
}

// K2
BOOST_AUTO_TEST_CASE(a_setup_that_does_not_fit_is_damage) {
  for (const unsigned sectors : {127U, 200U, 255U}) {
    BOOST_TEST(says(File{make_kernel(1 << 20, {.setup_sectors = sectors})}.refusal(), "damaged"));
  }
  BOOST_TEST(File{make_kernel(1 << 20, {.setup_sectors = 126})}.refusal().empty());
  for (const std::size_t size : {5 * 512U - 1, 5 * 512U}) {
    BOOST_TEST(says(File{make_kernel(size)}.refusal(), "damaged"));
  }
  BOOST_TEST(File{make_kernel(5 * 512U + 1)}.refusal().empty());
}

// K3
BOOST_AUTO_TEST_CASE(what_is_too_old_is_named) {
  for (const std::uint16_t version :
       {std::uint16_t{0}, std::uint16_t{0x1ff}, std::uint16_t{0x201}}) {
    BOOST_TEST(says(File{make_kernel(9000, {.version = version})}.refusal(), "zImage"));
  }
  BOOST_TEST(says(File{make_kernel(9000, {.flags = 0})}.refusal(), "zImage"));
  BOOST_TEST(File{make_kernel(9000, {.version = 0xffff})}.refusal().empty());
}

// K4, K5
BOOST_AUTO_TEST_CASE(kernel_and_ramdisk_fit_into_the_guest_s_memory_exactly) {
  constexpr std::uint64_t kMib = 1U << 20U;
  File file{make_kernel(5 * 512U + 3 * kMib)};
  file.files.memory = 16 * kMib;
  file.files.initrd_size = 11 * kMib;  // 1 MiB below the kernel, 1 MiB for the BIOS
  BOOST_TEST(file.refusal().empty());
  file.files.initrd_size += 1;
  BOOST_TEST(says(file.refusal(), "do not fit"));
  for (const std::uint64_t size :
       {std::uint64_t{0xf0000000}, std::uint64_t{0xffffffff}, std::uint64_t{1} << 34}) {
    file.files.initrd_size = size;
    file.files.memory = std::uint64_t{64} << 30U;
    BOOST_TEST(says(file.refusal(), "do not fit"));
    file.files.memory = 0;  // not known
    BOOST_TEST(says(file.refusal(), "do not fit"));
  }
  file.files.initrd_size = 0;
  file.files.kernel_size = std::uint64_t{1} << 34;
  BOOST_TEST(says(file.refusal(), "do not fit"));
}

// K6
BOOST_AUTO_TEST_CASE(a_command_line_is_as_long_as_the_kernel_takes_it) {
  for (const KernelHeader& header :
       {KernelHeader{}, KernelHeader{.version = 0x205, .command_line_most = 9999},
        KernelHeader{.command_line_most = 0xffffffff}}) {
    File file{make_kernel(9000, header)};
    const std::size_t most = header.version < 0x206              ? 255
                             : header.command_line_most > 0xffff ? 0xffff
                                                                 : header.command_line_most;
    const std::string line(most + 1, 'x');
    file.files.command_line = std::string_view{line}.substr(1);
    BOOST_TEST(file.refusal().empty());
    file.files.command_line = line;
    BOOST_TEST(says(file.refusal(), "command line"));
  }
  File file{make_kernel(9000)};
  file.files.command_line = "a\nb \xc3\xa4";
  BOOST_TEST(file.refusal().empty());
  file.files.command_line = std::string_view{"a\0b", 3};
  BOOST_TEST(says(file.refusal(), "command line"));
}

// K7
BOOST_AUTO_TEST_CASE(what_people_take_for_a_kernel_is_named) {
  const auto with = [](std::size_t offset, std::string_view bytes) {
    Bytes file(20000);
    std::memcpy(&file[offset], bytes.data(), bytes.size());
    return File{file}.refusal();
  };
  BOOST_TEST(says(with(0,
                       "\x7f"
                       "ELF"),
                  "ELF"));
  BOOST_TEST(says(with(0, "\x1f\x8b\x08"), "gzip"));
  BOOST_TEST(says(with(0, "MZ"), "EFI"));
  BOOST_TEST(says(with(4096, "\x02\xb0\xad\x1b"), "multiboot"));
  BOOST_TEST(says(with(8188, "\x02\xb0\xad\x1b"), "multiboot"));
  BOOST_TEST(says(with(8192, "\x02\xb0\xad\x1b"), "no Linux kernel"));
  BOOST_TEST(says(with(2, "\x02\xb0\xad\x1b"), "no Linux kernel"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
