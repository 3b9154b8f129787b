// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "core/time/work.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/watch.h"
#include "platform/toolstack/qmp/qmp_vchan.h"
#include "platform/toolstack/store/xenstore.h"
#include "platform/xen/granted_page.h"

#include <cstdint>
#include <memory>
#include <string>

namespace dm {

/// QMP of a stub domain: a vchan to dom0, whose keys are in device-model/N/qmp-vchan of our own
/// directory in xenstore. Thread rule: the loop's thread only.
class StubQmp final : private toolstack::VchanLine {
 public:
  /// `loop` and `commands` outlive the result.
  [[nodiscard]] static Result<std::unique_ptr<StubQmp>> open(host::Loop& loop,
                                                             const toolstack::QmpCommands& commands,
                                                             std::uint32_t domid);
  ~StubQmp() override = default;

 private:
  StubQmp(host::Loop& loop,
          const toolstack::QmpCommands& commands,
          std::uint32_t domid,
          toolstack::Xenstore xenstore,
          std::unique_ptr<xen::GrantedPage> page);

  [[nodiscard]] Result<std::span<std::byte, toolstack::VchanRing::kPage>> new_page() override;
  [[nodiscard]] Result<> announce() override;
  void ring_bell() noexcept override { page_->notify(); }
  void on_event() noexcept;
  bool serve() noexcept { return vchan_.serve(); }

  std::string path_;
  toolstack::Xenstore xenstore_;
  std::unique_ptr<xen::GrantedPage> page_;
  toolstack::QmpVchan vchan_;
  host::Watch watch_;
  Work more_;  ///< commands that came with the last one
};

}  // namespace dm
