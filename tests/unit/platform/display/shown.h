// SPDX-License-Identifier: MIT
// A screen that is shown, with the real program: this process is worker and supervisor at once, in
// a thread of its own, and the test is a viewer.
#pragma once

#include "core/backend/input_sink.h"
#include "core/backend/screen.h"
#include "core/ports/video_memory.h"
#include "platform/display/launcher.h"
#include "platform/display/listeners.h"
#include "platform/display/screen_feed.h"
#include "platform/linux/loop/loop.h"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace dm::display::test {

/// Of 1 MiB, in a file, so that the program can map it.
class FileVideo final : public VideoMemory {
 public:
  static constexpr std::size_t kBytes = std::size_t{1} << 20;

  FileVideo() : file_{::memfd_create("video", 0)} {
    static_cast<void>(!::ftruncate(file_.get(), kBytes));
    at_ = static_cast<std::byte*>(
        ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0));
  }
  ~FileVideo() override { ::munmap(at_, kBytes); }
  [[nodiscard]] std::span<std::byte> bytes() noexcept override { return {at_, kBytes}; }
  [[nodiscard]] Gpa at() const noexcept override { return Gpa{0xf1000000}; }
  [[nodiscard]] Gpa home() const noexcept override { return Gpa{0xf1000000}; }
  [[nodiscard]] bool move(Gpa /*to*/) noexcept override { return false; }
  [[nodiscard]] bool take_dirty(std::size_t first,
                                std::size_t pages,
                                std::span<std::uint64_t> bitmap) noexcept override {
    const std::scoped_lock held{lock};
    ++asked;
    if (!known) {
      return false;
    }
    for (const std::size_t page : written) {
      if (page >= first && page < first + pages) {
        bitmap[(page - first) / 64] |= std::uint64_t{1} << ((page - first) % 64);
      }
    }
    written.clear();
    return true;
  }
  void stop_tracking() noexcept override { ++stopped; }

  [[nodiscard]] int file() const noexcept { return file_.get(); }
  std::mutex lock;
  std::vector<std::size_t> written;
  bool known = true;
  std::atomic<int> asked{0};
  std::atomic<int> stopped{0};

 private:
  host::UniqueFd file_;
  std::byte* at_ = nullptr;
};

class FakeScreen final : public Screen {
 public:
  [[nodiscard]] Surface surface() const noexcept override {
    const std::scoped_lock held{lock};
    return now;
  }
  void draw(const Surface& surface, std::span<std::uint8_t> pixels) noexcept override {
    ++draws;
    std::fill_n(pixels.begin(), std::size_t{surface.width} * surface.height, colour.load());
  }
  [[nodiscard]] bool take_written() noexcept override { return written.exchange(false); }

  void set(const Surface& surface) {
    const std::scoped_lock held{lock};
    now = surface;
  }
  mutable std::mutex lock;
  Surface now;
  std::atomic<std::uint8_t> colour{1};
  std::atomic<bool> written{false};
  std::atomic<int> draws{0};
};

/// What the guest was told, as words: "key 1e down", "at 0 32767 1", "by -3 4 0", "release".
class FakeInput final : public InputSink {
 public:
  void key(std::uint8_t code, bool down) override {
    say("key " + std::to_string(code) + (down ? " down" : " up"));
  }
  void pointer(std::uint16_t x, std::uint16_t y, std::uint8_t buttons) override {
    say("at " + std::to_string(x) + " " + std::to_string(y) + " " + std::to_string(buttons));
  }
  void pointer_by(std::int16_t dx, std::int16_t dy, std::uint8_t buttons) override {
    say("by " + std::to_string(dx) + " " + std::to_string(dy) + " " + std::to_string(buttons));
  }
  [[nodiscard]] bool absolute() const override { return goes.load(); }
  [[nodiscard]] std::uint8_t leds() const override { return lamps.load(); }
  void set_screen(std::uint16_t width, std::uint16_t height) override {
    say("size " + std::to_string(width) + " " + std::to_string(height));
  }
  void release_all() override { say("release"); }

  /// Waits until it was told so much, and returns all of it.
  [[nodiscard]] std::vector<std::string> told(std::size_t count) {
    for (int i = 0; i < 1000; ++i) {
      {
        const std::scoped_lock held{lock_};
        if (told_.size() >= count) {
          return told_;
        }
      }
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    const std::scoped_lock held{lock_};
    return told_;
  }
  void forget() {
    const std::scoped_lock held{lock_};
    told_.clear();
  }
  std::atomic<bool> goes{false};
  std::atomic<std::uint8_t> lamps{0};

 private:
  void say(std::string word) {
    const std::scoped_lock held{lock_};
    told_.push_back(std::move(word));
  }
  std::mutex lock_;
  std::vector<std::string> told_;
};

class Shown {
 public:
  explicit Shown(std::string password = {}, std::vector<std::string> more = {})
      : password_{std::move(password)} {
    static int number = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("stubdm-viewers-" + std::to_string(::getpid()) + "-" + std::to_string(++number));
    auto listeners = listen_for_viewers({.host = {}, .path = path_, .last = {}, .websocket = {}});
    BOOST_TEST_REQUIRE(listeners.has_value());
    auto area = make_area();
    BOOST_TEST_REQUIRE(area.has_value());
    std::array<int, 2> ends{-1, -1};
    BOOST_TEST_REQUIRE(
        ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
    // The program's descriptors are those that it is given: video memory goes where the area is.
    Launcher::Setup setup;
    setup.viewers = std::move(listeners->viewers);
    setup.program = host::UniqueFd{::open(STUBDM_DISPLAY, O_PATH | O_CLOEXEC)};
    BOOST_TEST_REQUIRE(setup.program.get() >= 0);
    setup.line = host::UniqueFd{ends[1]};
    setup.area = std::move(area->readable);
    setup.video = host::duplicate(video.file());
    setup.arguments = {"--domid", "7", "--name", "guest", "--video-file"};
    if (!password_.empty()) {
      setup.arguments.emplace_back("--password");
    }
    setup.arguments.insert(setup.arguments.end(), more.begin(), more.end());
    thread_ = std::thread{[this, line = ends[0], file = area->writable.release(),
                           kept = std::make_shared<Launcher::Setup>(std::move(setup))]() mutable {
      serve(std::move(*kept), host::UniqueFd{line}, host::UniqueFd{file});
    }};
  }
  Shown(const Shown&) = delete;
  Shown& operator=(const Shown&) = delete;
  ~Shown() {
    over_ = true;
    thread_.join();
    ::unlink(path_.c_str());
  }

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  FileVideo video;
  FakeScreen screen;
  FakeInput input;
  std::atomic<int> ended{0};    ///< displays
  std::atomic<int> status{0};   ///< of the last of them, as waitpid(2) has it
  std::atomic<int> display{0};  ///< its pid, once it was told of
  std::atomic<std::uint64_t> pictures{0};
  std::atomic<std::uint64_t> looks{0};
  std::atomic<std::uint64_t> wakeups{0};

 private:
  void serve(Launcher::Setup setup, host::UniqueFd line, host::UniqueFd file) {
    host::Loop loop;
    auto area = MappedArea::map(file.get(), true);
    ScreenFeed feed{{.loop = loop, .screen = screen, .video = video, .input = input},
                    std::move(line),
                    std::move(*area)};
    if (!password_.empty()) {
      feed.set_password(password_);
    }
    Launcher launcher{std::move(setup)};
    while (!over_) {
      auto waits = launcher.waits();
      if (::poll(waits.data(), waits.size(), 1) > 0) {
        launcher.run(waits);
      }
      loop.poll();
      display = launcher.display();
      int how = 0;
      for (pid_t child = 0; (child = ::waitpid(-1, &how, WNOHANG)) > 0;) {
        status = how;
        launcher.child_ended(child);
        ++ended;
      }
      pictures = feed.counters().pictures;
      looks = feed.counters().looks;
      wakeups = loop.counters().handlers;
    }
    launcher.stop();
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
  }

  std::string password_;
  std::string path_;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

/// 64 by 48 pixels of four bytes, at the begin of video memory.
[[nodiscard]] inline Surface small_surface() {
  Surface surface;
  surface.source = Surface::Source::video_memory;
  surface.format = PixelFormat::xrgb8888;
  surface.width = 64;
  surface.height = 48;
  surface.stride = 256;
  return surface;
}

}  // namespace dm::display::test
