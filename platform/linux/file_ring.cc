// SPDX-License-Identifier: MIT
#include "platform/linux/file_ring.h"

#include <array>
#include <cerrno>

namespace dm::host {

FileRing::~FileRing() {
  if (has_file_) {
    static_cast<void>(::io_uring_unregister_files(&ring_));
  }
  if (has_ring_) {
    ::io_uring_queue_exit(&ring_);
  }
}

int FileRing::open(unsigned entries, unsigned flags, int fd) noexcept {
  io_uring_params parameters{};
  parameters.flags = flags | IORING_SETUP_R_DISABLED;
  if (const int result = ::io_uring_queue_init_params(entries, &ring_, &parameters); result < 0) {
    return -result;
  }
  has_ring_ = true;
  constexpr unsigned kNeeded = IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE;
  if ((parameters.features & kNeeded) != kNeeded) {
    return ENOSYS;
  }
  const int result = ::io_uring_register_files(&ring_, &fd, 1);
  has_file_ = result >= 0;
  return has_file_ ? 0 : -result;
}

int FileRing::restrict_to(std::span<const std::uint8_t> operations, unsigned flags) noexcept {
  std::array<io_uring_restriction, kMostOperations + 3> rules{};
  if (operations.size() > kMostOperations) {
    return E2BIG;
  }
  std::size_t count = 0;
  for (const std::uint8_t operation : operations) {
    rules[count].opcode = IORING_RESTRICTION_SQE_OP;
    rules[count++].sqe_op = operation;
  }
  rules[count].opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED;
  rules[count++].sqe_flags = IOSQE_FIXED_FILE;
  rules[count].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
  rules[count++].sqe_flags = static_cast<std::uint8_t>(IOSQE_FIXED_FILE | flags);
  rules[count].opcode = IORING_RESTRICTION_REGISTER_OP;
  rules[count++].register_op = IORING_UNREGISTER_FILES;
  int result = ::io_uring_register_restrictions(&ring_, rules.data(), static_cast<unsigned>(count));
  result = result < 0 ? result : ::io_uring_enable_rings(&ring_);
  return result < 0 ? -result : 0;
}

std::size_t FileRing::take_back() noexcept {
  const std::size_t left = ::io_uring_sq_ready(&ring_);
  if (left != 0) {
    ring_.sq.sqe_head = ring_.sq.sqe_tail = *ring_.sq.khead;
    *ring_.sq.ktail = ring_.sq.sqe_tail;
  }
  return left;
}

}  // namespace dm::host
