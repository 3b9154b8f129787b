// SPDX-License-Identifier: MIT
#include "devices/e1000/regs.h"
#include "devices/e1000/state.h"

#include <string>
#include <string_view>

namespace dm::e1000 {

void show_registers(const RegisterFile& file, Inspector& to) {
  const Inspector::Part part{to, "registers"};
  regs::List::for_each(
      [&](std::string_view name, std::size_t first, std::size_t count, std::size_t apart) {
        if (count == 1) {
          to.hex(name, file.word[first]);
          return;
        }
        for (std::size_t i = 0; i < count; ++i) {
          if (const std::uint32_t word = file.word[first + i * apart]; word != 0) {
            to.hex(std::string{name} + "[" + std::to_string(i) + "]", word);
          }
        }
      });
}

}  // namespace dm::e1000
