// SPDX-License-Identifier: MIT
// What a network card boots from: romfile= of a card, and what happens without it.
#include "ioreq/machine/option_rom.h"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace dm::test {
namespace {

struct Files {
  Files() {
    std::string name = (std::filesystem::temp_directory_path() / "rom-XXXXXX").string();
    BOOST_TEST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    directory = name;
  }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;
  ~Files() { std::filesystem::remove_all(directory); }

  std::string file(const char* name, std::uintmax_t size) {
    const auto path = directory / name;
    std::ofstream{path, std::ios::binary} << "\x55\xaa";
    std::filesystem::resize_file(path, size);
    return path.string();
  }
  static NicConfig card(std::optional<std::string> rom) {
    NicConfig nic;
    nic.id = "nic0";
    nic.rom = std::move(rom);
    return nic;
  }
  /// How many bytes; the error's text is kept.
  long read(const NicConfig& nic, const char* usual = "/no/such/rom") {
    const auto rom = read_option_rom(nic, std::array{usual});
    error = rom ? std::string{} : rom.error().message;
    return rom ? static_cast<long>(rom->size()) : -1;
  }

  std::filesystem::path directory;
  std::string error;
};

BOOST_FIXTURE_TEST_SUITE(option_rom, Files)

BOOST_AUTO_TEST_CASE(without_romfile_the_usual_rom_is_taken_from_the_first_place_that_has_it) {
  const auto usual = file("usual", 1024);
  const auto rom = read_option_rom(card({}), std::array{"/no/such/rom", usual.c_str()});
  BOOST_TEST_REQUIRE(rom.has_value());
  BOOST_TEST(rom->size() == 1024U);
  BOOST_TEST((rom->at(0) == std::byte{0x55}));
  BOOST_TEST((rom->at(1) == std::byte{0xaa}));
}

BOOST_AUTO_TEST_CASE(without_romfile_a_host_without_the_usual_rom_gives_none) {
  BOOST_TEST(read(card({})) == 0);
}

BOOST_AUTO_TEST_CASE(romfile_names_the_file) {
  const auto usual = file("usual", 1024);
  BOOST_TEST(read(card(file("own", 4096)), usual.c_str()) == 4096);
}

BOOST_AUTO_TEST_CASE(romfile_without_a_name_is_none) {
  const auto usual = file("usual", 1024);
  BOOST_TEST(read(card(""), usual.c_str()) == 0);
}

BOOST_AUTO_TEST_CASE(sixteen_mib_are_the_most) {
  BOOST_TEST(read(card(file("most", std::uintmax_t{16} << 20))) == 16L << 20);
  const auto large = file("large", (std::uintmax_t{16} << 20) + 1);
  BOOST_TEST(read(card(large)) == -1);
  BOOST_TEST(error == "the option ROM " + large +
                          " of network card nic0 cannot be read, is empty or larger than 16 MiB; "
                          "romfile= without a name does without");
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_ends_the_start_where_somebody_named_it) {
  const auto missing = (directory / "missing").string();
  BOOST_TEST(read(card(missing)) == -1);
  BOOST_TEST(error.find(missing) != std::string::npos);
  BOOST_TEST(read(card(directory.string())) == -1);
  BOOST_TEST(error.find(directory.string()) != std::string::npos);
  BOOST_TEST(read(card(file("empty", 0))) == -1);
  BOOST_TEST(error.find("is empty") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_graphics_card_has_its_bios_from_where_the_distribution_puts_it) {
  VgaConfig vga;
  const auto usual = file("vgabios", 39936);
  BOOST_TEST(read_option_rom(vga, usual.c_str()).value().size() == 39936U);
  BOOST_TEST(read_option_rom(vga, "/no/such/rom").value().empty());
  vga.rom = "";
  BOOST_TEST(read_option_rom(vga, usual.c_str()).value().empty());
  vga.rom = "/no/such/rom";
  BOOST_TEST(read_option_rom(vga, usual.c_str()).has_error());
}

// An empty file of the distribution's would be no reason to go without a word either.
BOOST_AUTO_TEST_CASE(a_usual_rom_that_is_broken_is_said_so) {
  const auto usual = file("usual", 0);
  BOOST_TEST(read(card({}), usual.c_str()) == -1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
