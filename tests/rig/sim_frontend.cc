// SPDX-License-Identifier: MIT
#include "tests/rig/sim_frontend.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace dm::rig {

namespace {

std::byte* map(void* at, std::size_t size, int rights, int flags, int fd, std::size_t offset) {
  void* const made = ::mmap(at, size, rights, flags, fd, static_cast<off_t>(offset));
  return made == MAP_FAILED ? nullptr : static_cast<std::byte*>(made);
}

}  // namespace

SimFrontend::SimFrontend() : fd_{::memfd_create("guest", MFD_CLOEXEC)} {
  if (fd_ < 0 || ::ftruncate(fd_, kPages * kPage) != 0) {
    throw std::runtime_error("no memory for a simulated guest");
  }
  memory_ = map(nullptr, kPages * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
}

SimFrontend::~SimFrontend() {
  ::munmap(memory_, kPages * kPage);
  ::close(fd_);
}

bool SimFrontend::kick(std::uint32_t port) {
  for (const auto& [local, binding] : bound_) {
    if (binding.remote == port) {
      binding.client->on_event();
      return true;
    }
  }
  return false;
}

bool SimFrontend::map_page(std::byte* at, std::size_t page, bool writable) noexcept {
  return page < kPages && map(at, kPage, writable ? PROT_READ | PROT_WRITE : PROT_READ,
                              MAP_SHARED | MAP_FIXED, fd_, page * kPage) != nullptr;
}

std::byte* SimFrontend::map_grants(std::span<const std::uint32_t> grants, bool writable) noexcept {
  ++maps;
  if (grants.empty() || grants.size() > kMostGrants) {
    return nullptr;
  }
  std::byte* const at =
      map(nullptr, grants.size() * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (std::size_t i = 0; i < grants.size(); ++i) {
    const auto grant = grants_.find(grants[i]);
    if (grant == grants_.end() || (writable && grant->second.read_only) ||
        !map_page(at + i * kPage, grant->second.page, writable)) {
      ::munmap(at, grants.size() * kPage);
      return nullptr;
    }
  }
  mapped_ += grants.size();
  most_mapped = std::max(most_mapped, mapped_);
  return at;
}

void SimFrontend::unmap_grants(std::byte* pages, std::size_t count) noexcept {
  ::munmap(pages, count * kPage);
  mapped_ -= count;
}

std::byte* SimFrontend::map_frame(std::uint64_t frame) noexcept {
  std::byte* const at = map(nullptr, kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (!map_page(at, frame, true)) {
    ::munmap(at, kPage);
    return nullptr;
  }
  ++mapped_;
  return at;
}

void SimFrontend::unmap_frame(std::byte* page) noexcept {
  unmap_grants(page, 1);
}

std::optional<std::uint32_t> SimFrontend::bind(std::uint32_t remote, EventClient& client) noexcept {
  if (!offered_.contains(remote)) {
    return std::nullopt;
  }
  bound_[next_port_] = {remote, &client};
  return next_port_++;
}

void SimFrontend::unbind(std::uint32_t local) noexcept {
  bound_.erase(local);
}

void SimFrontend::notify(std::uint32_t local) noexcept {
  if (const auto binding = bound_.find(local); binding != bound_.end()) {
    ++offered_[binding->second.remote];
  }
}

}  // namespace dm::rig
