// SPDX-License-Identifier: MIT
// Images that are not raw: real ones, served by a real qemu-nbd.
#include "platform/linux/image/disc_opener.h"
#include "tests/unit/platform/linux/disk_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

using namespace dm;
using namespace dm::test;

namespace {

struct QemuFixture : DiskFixture {
  QemuFixture() : home{std::getenv("PATH") != nullptr ? std::getenv("PATH") : ""} {}
  ~QemuFixture() { ::setenv("PATH", home.c_str(), 1); }

  static bool missing() {
    const bool here = std::system("command -v qemu-nbd qemu-img > /dev/null") == 0;
    if (!here) {
      std::fputs("NOT RUN: qemu-nbd and qemu-img (package qemu-utils) are not installed\n", stderr);
    }
    return !here;
  }
  /// An image of a pattern in this format.
  std::string convert(ImageFormat format) {
    const std::string raw = dir.image("raw.img", 2 * kMiB);
    const std::string path = dir.file(std::string{"i."} + std::string{name_of(format)});
    const std::string command = "qemu-img convert -f raw -O " + std::string{name_of(format)} + " " +
                                raw + " " + path + " > /dev/null";
    BOOST_REQUIRE_EQUAL(std::system(command.c_str()), 0);
    return path;
  }
  std::unique_ptr<BlockBackend> open_as(const std::string& path,
                                        ImageFormat format,
                                        bool read_only = false) {
    DiskConfig config;
    config.path = path;
    config.format = format;
    config.read_only = read_only;
    return open(config);
  }
  std::string error_as(const std::string& path, ImageFormat format) {
    DiskConfig config;
    config.path = path;
    config.format = format;
    auto opened = host::open_disk(loop, config);
    BOOST_REQUIRE(opened.has_error());
    return opened.error().message;
  }
  /// The qemu-nbd processes that are children of this one.
  static std::vector<pid_t> servers() {
    std::vector<pid_t> found;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
      const std::string name = entry.path().filename().string();
      if (name.find_first_not_of("0123456789") != std::string::npos) {
        continue;
      }
      std::ifstream file{entry.path() / "stat"};
      std::string pid;
      std::string program;
      std::string state;
      pid_t parent = 0;
      file >> pid >> program >> state >> parent;
      if (parent == ::getpid() && program == "(qemu-nbd)" && state != "Z") {
        found.push_back(static_cast<pid_t>(std::stol(pid)));
      }
    }
    return found;
  }

  std::string home;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(qemu_nbd, QemuFixture)

BOOST_AUTO_TEST_CASE(every_format_is_read_written_and_kept) {
  if (missing()) {
    return;
  }
  for (const ImageFormat format :
       {ImageFormat::qcow2, ImageFormat::qcow, ImageFormat::vpc, ImageFormat::vhdx,
        ImageFormat::vmdk, ImageFormat::vdi, ImageFormat::qed}) {
    BOOST_TEST_CONTEXT(name_of(format)) {
      const std::string path = convert(format);
      Io out{8192};
      fill(out.buffer, 4);
      {
        const auto disk = open_as(path, format);
        BOOST_TEST(disk->info().size >= 2 * kMiB);  // VHD rounds to its geometry
        BOOST_TEST(std::string_view{disk->info().format} == name_of(format));
        BOOST_TEST(disk->name() == path);
        Io in{256 * 1024, 1536};
        BOOST_TEST(run(*disk, in, BlockOp::read, 4096) == BlockStatus::ok);
        expect_pattern(in.buffer, 4096);
        BOOST_TEST(run(*disk, out, BlockOp::write, 512) == BlockStatus::ok);
        BOOST_TEST(flush(*disk) == BlockStatus::ok);
        BOOST_TEST((disk->flush_now() == BlockStatus::ok));
        BOOST_TEST(servers().size() == 1U);
      }
      BOOST_TEST(servers().empty());  // and it is gone with its disk
      const auto again = open_as(path, format, true);
      Io in{8192};
      BOOST_TEST(run(*again, in, BlockOp::read, 512) == BlockStatus::ok);
      BOOST_TEST((in.buffer == out.buffer));
      BOOST_TEST(run(*again, in, BlockOp::write, 512) == BlockStatus::read_only);
    }
  }
}

BOOST_AUTO_TEST_CASE(discards_give_space_back) {
  if (missing()) {
    return;
  }
  const std::string path = convert(ImageFormat::qcow2);
  const auto disk = open_as(path, ImageFormat::qcow2);
  BOOST_REQUIRE(disk->info().can_discard);
  Io io{4096};
  io.discard(kMiB, kMiB);
  BOOST_TEST(run(*disk, io) == BlockStatus::ok);
  BOOST_TEST(run(*disk, io, BlockOp::read, kMiB) == BlockStatus::ok);
  BOOST_TEST((io.buffer == std::vector<std::byte>(4096)));
}

BOOST_AUTO_TEST_CASE(a_format_is_never_guessed) {  // B30, CVE-2008-2004
  if (missing()) {
    return;
  }
  // A qcow2 image that is said to be a VHD is an error, and no qcow2 image.
  const std::string path = convert(ImageFormat::qcow2);
  const std::string why = error_as(path, ImageFormat::vpc);
  BOOST_TEST(why.find("cannot serve it as vpc") != std::string::npos);
  BOOST_TEST(why.find("still running") == std::string::npos);
  const std::string plain = dir.image("plain.img", kMiB);
  BOOST_TEST(error_as(plain, ImageFormat::qcow2).find("cannot serve it as qcow2") !=
             std::string::npos);
  BOOST_TEST(error_as(dir.file("none"), ImageFormat::qcow2).find("No such file") !=
             std::string::npos);
  BOOST_TEST(servers().empty());
}

BOOST_AUTO_TEST_CASE(a_disc_that_was_handed_over_open_is_served_too) {
  if (missing()) {
    return;
  }
  const std::string path = convert(ImageFormat::qcow2);
  host::UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  auto disc = host::open_disc(loop, "/dev/fdset/0", std::move(fd), ImageFormat::qcow2);
  BOOST_REQUIRE_MESSAGE(disc.has_value(), (disc ? "" : disc.error().message));
  BOOST_TEST((*disc)->info().read_only);
  Io io{4096};
  BOOST_TEST(run(**disc, io, BlockOp::read, 8192) == BlockStatus::ok);
  expect_pattern(io.buffer, 8192);
}

/// What DiscOpener has said.
struct Outcome {
  host::DiscOpener::Opened take() {
    return [this](Result<std::unique_ptr<BlockBackend>> given) {
      ++calls;
      if (given) {
        disc = std::move(*given);
      } else {
        error = given.error().message;
      }
    };
  }
  int calls = 0;
  std::unique_ptr<BlockBackend> disc;
  std::string error;
};

BOOST_AUTO_TEST_CASE(a_disc_is_opened_while_the_loop_does_other_things) {
  if (missing()) {
    return;
  }
  const std::string path = convert(ImageFormat::qcow2);
  Outcome outcome;
  host::DiscOpener discs{loop};
  for (const bool handed_over : {false, true}) {
    host::UniqueFd fd;
    if (handed_over) {
      fd = host::UniqueFd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    }
    outcome = Outcome{};
    discs.open(handed_over ? "/dev/fdset/0" : path, std::move(fd), ImageFormat::qcow2,
               outcome.take());
    BOOST_TEST(outcome.calls == 0);
    BOOST_TEST(run_until(loop, [&] { return outcome.calls != 0; }));
    BOOST_REQUIRE_MESSAGE(outcome.disc != nullptr, outcome.error);
    BOOST_TEST(outcome.disc->info().read_only);
    Io io{4096};
    BOOST_TEST(run(*outcome.disc, io, BlockOp::read, 8192) == BlockStatus::ok);
    expect_pattern(io.buffer, 8192);
    BOOST_TEST(outcome.calls == 1);
  }
}

/// Programs of the name qemu-nbd that do something else.
struct OtherProgram : QemuFixture {
  void install(const std::string& lines) {
    const std::string path = dir.file("qemu-nbd");
    std::ofstream{path} << "#!/bin/sh\n" << lines;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    ::setenv("PATH", (dir.file("") + ":" + home).c_str(), 1);
  }
  Outcome outcome;
};

BOOST_FIXTURE_TEST_CASE(a_server_that_does_not_answer_is_given_up_and_ended, OtherProgram) {
  install("echo $$ > " + dir.file("pid") + "\nexec sleep 600\n");
  host::DiscOpener discs{loop, std::chrono::milliseconds{1500}};
  const auto start = std::chrono::steady_clock::now();
  discs.open("/q", {}, ImageFormat::qcow2, outcome.take());
  BOOST_TEST(outcome.calls == 0);
  BOOST_TEST(run_until(loop, [&] { return outcome.calls != 0; }));
  BOOST_TEST((std::chrono::steady_clock::now() - start >= std::chrono::milliseconds{1500}));
  BOOST_TEST(outcome.error == "disk /q: qemu-nbd does not answer");
  std::ifstream file{dir.file("pid")};
  pid_t pid = 0;
  file >> pid;
  BOOST_TEST_REQUIRE(pid > 0);
  BOOST_TEST(::kill(pid, 0) != 0);
}

BOOST_FIXTURE_TEST_CASE(a_server_that_ends_is_quoted, OtherProgram) {
  install("echo 'qemu-nbd: no such format' >&2\nexit 1\n");
  host::DiscOpener discs{loop};
  discs.open("/q", {}, ImageFormat::qcow2, outcome.take());
  BOOST_TEST(run_until(loop, [&] { return outcome.calls != 0; }));
  BOOST_TEST(outcome.error.find("no such format") != std::string::npos, outcome.error);
}

BOOST_FIXTURE_TEST_CASE(what_is_not_open_when_the_opener_goes_is_never_heard_of, OtherProgram) {
  install("exec sleep 600\n");
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {  // what other tests have left
  }
  {
    host::DiscOpener discs{loop};
    discs.open("/q", {}, ImageFormat::qcow2, outcome.take());
  }
  loop.poll();
  BOOST_TEST(outcome.calls == 0);
  BOOST_TEST(::waitpid(-1, nullptr, WNOHANG) == -1);  // no child is left
}

BOOST_FIXTURE_TEST_CASE(what_needs_no_waiting_is_open_at_once, OtherProgram) {
  host::DiscOpener discs{loop};
  discs.open(dir.image("a.iso", kMiB), {}, ImageFormat::raw, outcome.take());
  BOOST_TEST(outcome.disc != nullptr);
  ::setenv("PATH", dir.file("").c_str(), 1);
  discs.open("/q", {}, ImageFormat::qcow2, outcome.take());
  BOOST_TEST(outcome.error.find("qemu-utils") != std::string::npos);
  BOOST_TEST(outcome.calls == 2);
}

BOOST_FIXTURE_TEST_CASE(an_image_that_was_named_is_opened_by_who_gets_it, OtherProgram) {
  const std::string path = dir.image("a.iso", kMiB);
  host::DiscOpener discs{loop};
  host::UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  const int number = fd.get();
  auto by_name = discs.image(path, {}, ImageFormat::raw);
  auto by_descriptor = discs.image("/dev/fdset/0", std::move(fd), ImageFormat::raw);
  BOOST_TEST(outcome.calls == 0);
  for (const auto& image : {std::ref(by_name), std::ref(by_descriptor)}) {
    image.get()->open(outcome.take());
    BOOST_TEST_REQUIRE(outcome.disc != nullptr);
    BOOST_TEST(outcome.disc->info().size == kMiB);
    image.get().reset();  // the disc stays
    BOOST_TEST(outcome.disc->info().read_only);
  }
  BOOST_TEST(outcome.calls == 2);
  outcome.disc.reset();
  BOOST_TEST(::fcntl(number, F_GETFD) == -1);
  // One that is never opened gives its descriptor back, too.
  host::UniqueFd unused{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  const int other = unused.get();
  discs.image("/dev/fdset/0", std::move(unused), ImageFormat::raw).reset();
  BOOST_TEST(::fcntl(other, F_GETFD) == -1);
}

BOOST_AUTO_TEST_CASE(a_server_that_is_killed_is_a_broken_disk) {
  if (missing()) {
    return;
  }
  const auto disk = open_as(convert(ImageFormat::qcow2), ImageFormat::qcow2);
  const auto pids = servers();
  BOOST_REQUIRE_EQUAL(pids.size(), 1U);
  std::deque<Io> many;
  for (unsigned i = 0; i < 32; ++i) {
    disk->submit(many.emplace_back(65536).as(BlockOp::write, std::uint64_t{i} * 65536));
  }
  ::kill(pids[0], SIGKILL);
  disk->drain();
  for (const Io& io : many) {
    BOOST_TEST(io.completions == 1);
  }
  Io io{4096};
  BOOST_TEST(run(*disk, io, BlockOp::read, 0) == BlockStatus::io_error);
  BOOST_TEST((disk->flush_now() == BlockStatus::io_error));
}

BOOST_AUTO_TEST_CASE(a_server_ends_with_a_process_that_is_killed) {
  if (missing()) {
    return;
  }
  const std::string path = convert(ImageFormat::qcow2);
  std::array<int, 2> ends{};
  BOOST_REQUIRE_EQUAL(::pipe(ends.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    DiskConfig config;
    config.path = path;
    config.format = ImageFormat::qcow2;
    host::Loop own;
    const auto opened = host::open_disk(own, config);
    const auto pids = servers();
    const pid_t server = opened && pids.size() == 1 ? pids[0] : -1;
    static_cast<void>(!::write(ends[1], &server, sizeof server));
    ::pause();
    ::_exit(0);
  }
  pid_t server = -1;
  BOOST_TEST(::read(ends[0], &server, sizeof server) == ssize_t{sizeof server});
  ::close(ends[0]);
  ::close(ends[1]);
  BOOST_REQUIRE(server > 0);
  BOOST_TEST(::kill(server, 0) == 0);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  const std::string status = "/proc/" + std::to_string(server) + "/status";
  BOOST_TEST(run_until(loop, [&] {
    const std::string text = contents(status);
    return text.empty() || text.find("State:\tZ") != std::string::npos;
  }));
}

BOOST_AUTO_TEST_CASE(without_the_program_one_line_names_the_package) {
  ::setenv("PATH", dir.file("").c_str(), 1);
  const std::string why = error_as("/x.qcow2", ImageFormat::qcow2);
  BOOST_TEST(why.find("install the package qemu-utils") != std::string::npos);
  BOOST_TEST(why.find('\n') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(nothing_is_left_behind) {
  if (missing()) {
    return;
  }
  ::setenv("TMPDIR", dir.file("").c_str(), 1);
  const auto before = std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, {});
  const std::string path = convert(ImageFormat::qcow2);
  for (int i = 0; i < 3; ++i) {
    const auto disk = open_as(path, ImageFormat::qcow2);
    for (const auto& entry : std::filesystem::directory_iterator{dir.file("")}) {
      BOOST_TEST(entry.path().filename().string().find("stubdm") == std::string::npos);
    }
  }
  ::unsetenv("TMPDIR");
  const auto after = std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, {});
  BOOST_TEST(after <= before + 2);  // what the first eventfd of a loop may cost
}

BOOST_AUTO_TEST_SUITE_END()
