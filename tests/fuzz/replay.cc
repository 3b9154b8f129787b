// SPDX-License-Identifier: MIT
// The inputs that fuzzing has found, run once each by an ordinary program: what is fixed stays so.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

BOOST_AUTO_TEST_CASE(every_input_of_the_corpus_is_survived) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator{DM_FUZZ_CORPUS}) {
    if (entry.is_regular_file()) {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  for (const auto& path : files) {
    BOOST_TEST_CONTEXT(path) {
      std::ifstream file{path, std::ios::binary};
      std::vector<char> text{std::istreambuf_iterator<char>{file}, {}};
      std::vector<std::uint8_t> input(text.begin(), text.end());
      BOOST_TEST(LLVMFuzzerTestOneInput(input.data(), input.size()) == 0);
    }
  }
  std::cout << files.size() << " inputs of " << DM_FUZZ_CORPUS << " replayed\n";
  BOOST_TEST(!files.empty());
}
