// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace dm {

/// Port to the request slots and their event channels. A slot is 32 bytes (Xen public header
/// hvm/ioreq.h, struct ioreq); slot i belongs to vCPU i.
///
/// How the loop goes to sleep without losing a request: it calls acknowledge(), which takes every
/// pending event and unmasks its channel; it looks at all slots once more; then it waits for the
/// descriptor. While it spins, it leaves events unread: their channels stay masked, and no
/// interrupt comes. Thread rule: the loop's thread only.
class IoreqPort {
 public:
  IoreqPort() = default;
  IoreqPort(const IoreqPort&) = delete;
  IoreqPort& operator=(const IoreqPort&) = delete;
  virtual ~IoreqPort() = default;

  /// The page of slots, 4096 bytes: always 128 slots, whatever vcpus() says.
  [[nodiscard]] virtual std::byte* slots() noexcept = 0;
  /// vCPUs that can send requests, online or not: 1-128.
  [[nodiscard]] virtual unsigned vcpus() const noexcept = 0;
  /// Tells vCPU `vcpu` that its slot is answered. One system call.
  virtual void notify(unsigned vcpu) noexcept = 0;
  /// Reads all pending events and unmasks them with one write. False when the guest is gone.
  [[nodiscard]] virtual bool acknowledge() noexcept = 0;
  /// Readable while an event is pending (level-triggered).
  [[nodiscard]] virtual int descriptor() const noexcept = 0;
};

}  // namespace dm
