// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dm {

struct ChardevInfo {
  std::string label;     ///< "serial0"
  std::string filename;  ///< "pty:/dev/pts/5"
  bool open = true;
};

/// Port from the management side (QMP) to the running machine. Cold path: strings are fine here,
/// nothing of it is reachable by the guest. Thread rule: the loop's thread only.
class MachineControl {
 public:
  MachineControl() = default;
  MachineControl(const MachineControl&) = delete;
  MachineControl& operator=(const MachineControl&) = delete;
  virtual ~MachineControl() = default;

  [[nodiscard]] virtual std::vector<ChardevInfo> chardevs() const = 0;
  [[nodiscard]] virtual unsigned vcpus_online() const noexcept = 0;
  [[nodiscard]] virtual unsigned vcpus_max() const noexcept = 0;
  [[nodiscard]] virtual bool running() const noexcept = 0;
  /// True until the first cont of a machine started with -S.
  [[nodiscard]] virtual bool prelaunch() const noexcept = 0;
  virtual void cont() noexcept = 0;  ///< idempotent
  virtual void stop() noexcept = 0;  ///< returns after all device I/O that can touch guest memory
                                     ///< or a disk has settled
  virtual void quit() noexcept = 0;  ///< end the process as SIGTERM does
};

}  // namespace dm
