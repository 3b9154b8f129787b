// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "platform/toolstack/command_line/stub_arguments.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct xs_handle;

namespace dm::toolstack {

/// A connection to xenstore by libxenstore: reads and writes, and waits for each answer. It has no
/// watches, because libxenstore starts a thread for the first one and the serving process has only
/// its own.
///
/// A relative path means /local/domain/<own id>/..., so the same code works in dom0 and in a stub
/// domain. The connection does not work after xentoolcore_restrict_all(): write everything before,
/// then destroy this object. Thread rule: one thread. Source: xenstore.h (libxenstore 4),
/// docs/misc/xenstore.txt.
class Xenstore final : public XenstoreReader {
 public:
  /// Fails where there is no xenstored and no /dev/xen/xenbus.
  [[nodiscard]] static Result<Xenstore> open();

  [[nodiscard]] std::optional<std::string> read(const std::string& path) const override;
  [[nodiscard]] std::optional<std::vector<std::string>> list(
      const std::string& path) const override;
  [[nodiscard]] Result<> write(const std::string& path, std::string_view value);
  /// Writes a node that only domain `reader` may read.
  [[nodiscard]] Result<> write_for(std::uint32_t reader,
                                   const std::string& path,
                                   std::string_view value);

  /// Tells libxl that the device model of `domid` serves. libxl then goes on with the guest, so
  /// everything must be ready: server enabled, event channels bound, taps made, QMP listening,
  /// serial ports open. libxl waits 60 s for it (LIBXL_DEVICE_MODEL_START_TIMEOUT). Do not call it
  /// with dm_restrict (-S): there libxl asks by QMP.
  [[nodiscard]] Result<> report_running(std::uint32_t domid);

  /// In a stub domain: writes why it ends to device-model/<target>/error, beside "state", for
  /// whoever looks for it from dom0. libxl 4.17 does not look, and waits out its 30 s. An earlier
  /// reason stays, because the first one is the best. At most kMostReason bytes of printable ASCII
  /// are written. Fails if this is no stub domain, or if xenstore refuses.
  static constexpr std::size_t kMostReason = 1000;
  [[nodiscard]] Result<> report_failure(std::string_view why);

 private:
  struct Closer {
    void operator()(xs_handle* handle) const noexcept;
  };
  explicit Xenstore(xs_handle* handle) noexcept : handle_{handle} {}

  std::unique_ptr<xs_handle, Closer> handle_;
};

}  // namespace dm::toolstack
