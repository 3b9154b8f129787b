// SPDX-License-Identifier: MIT
#include "platform/linux/nbd/nbd_open.h"

#include "core/obs/log.h"
#include "platform/linux/disk/ragged_disk.h"
#include "platform/linux/loop/alarm.h"
#include "platform/linux/loop/signals.h"
#include "platform/linux/loop/watch.h"
#include "platform/linux/nbd/nbd_disk.h"
#include "platform/linux/nbd/nbd_library.h"
#include "platform/linux/nbd/nbd_server.h"
#include "platform/linux/nbd/nbd_wait.h"
#include "platform/linux/nbd/reopenable_disk.h"

#include <chrono>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace dm::host {

namespace {

/// For a server that has greeted already.
constexpr std::chrono::seconds kAnswerTime{1};

/// QEMU's old way to name an export.
struct Address {
  std::string unix_path;  ///< or:
  std::string host;
  std::string port;
  std::string name;  ///< of the export
};

[[nodiscard]] Result<Address> parse_address(const std::string& text) {
  Address address;
  std::string rest = text.substr(std::string_view{"nbd:"}.size());
  static constexpr std::string_view kExport = ":exportname=";
  if (const auto at = rest.find(kExport); at != std::string::npos) {
    address.name = rest.substr(at + kExport.size());
    rest.resize(at);
  }
  static constexpr std::string_view kUnix = "unix:";
  if (rest.compare(0, kUnix.size(), kUnix) == 0) {
    address.unix_path = rest.substr(kUnix.size());
  } else if (const auto colon = rest.rfind(':'); colon != std::string::npos) {
    address.host = rest.substr(0, colon);
    address.port = rest.substr(colon + 1);
  }
  if (address.unix_path.empty() && (address.host.empty() || address.port.empty())) {
    return fail("disk ", text,
                ": not nbd:unix:PATH, nbd:HOST:PORT (either with :exportname=NAME), ",
                "nbd://HOST/NAME or nbd+unix:///NAME?socket=PATH");
  }
  return address;
}

class Opening {
 public:
  /// `name` outlives it.
  [[nodiscard]] static Result<Opening> begin(const std::string& name,
                                             std::chrono::milliseconds patience,
                                             ServerWait& wait = ServerWait::real());

  [[nodiscard]] Error error(std::string_view what) const {
    const char* const why = library_.get_error();
    return fail("disk ", name_, ": ", what, ": ", why != nullptr ? why : "no reason given");
  }
  [[nodiscard]] Result<> connect(UniqueFd socket);
  [[nodiscard]] Result<> connect_to_address();
  [[nodiscard]] Result<NbdDisk::Export> ask(const DiskConfig& config);
  [[nodiscard]] const NbdLibrary& library() const noexcept { return library_; }
  [[nodiscard]] NbdHandle take() { return std::move(handle_); }

 private:
  Opening(const NbdLibrary& library,
          const std::string& name,
          std::chrono::milliseconds patience,
          ServerWait& wait)
      : library_{library},
        name_{name},
        patience_{patience},
        wait_{wait},
        handle_{library.create(), NbdClose{&library}} {}

  [[nodiscard]] bool prepare();
  [[nodiscard]] Result<> negotiate();

  const NbdLibrary& library_;
  const std::string& name_;
  std::chrono::milliseconds patience_;
  ServerWait& wait_;
  NbdHandle handle_;
};

Result<Opening> Opening::begin(const std::string& name,
                               std::chrono::milliseconds patience,
                               ServerWait& wait) {
  auto library = NbdLibrary::load();
  if (!library) {
    return fail("disk ", name, ": ", library.error().message);
  }
  Opening opening{**library, name, patience, wait};
  if (!opening.prepare()) {
    return opening.error("cannot set libnbd up");
  }
  return opening;
}

bool Opening::prepare() {
  nbd_handle* const h = handle_.get();
  // Buffers are the guest's, and need no zeros of ours. Without negotiated block sizes a server
  // takes any alignment (NBD's protocol text, "Block size constraints").
  return h != nullptr && library_.set_pread_initialize(h, false) == 0 &&
         library_.set_request_block_size(h, false) == 0 &&
         library_.set_tls(h, LIBNBD_TLS_DISABLE) == 0 &&
         library_.set_uri_allow_tls(h, LIBNBD_TLS_DISABLE) == 0 &&
         library_.set_uri_allow_local_file(h, false) == 0 &&
         library_.set_uri_allow_transports(
             h, LIBNBD_ALLOW_TRANSPORT_TCP | LIBNBD_ALLOW_TRANSPORT_UNIX) == 0;
}

Result<> Opening::connect(UniqueFd socket) {
  return library_.aio_connect_socket(handle_.get(), socket.release()) == 0
             ? negotiate()
             : error("no connection to the NBD server");
}

Result<> Opening::connect_to_address() {
  nbd_handle* const h = handle_.get();
  int result = -1;
  if (name_.find("://") != std::string::npos) {
    result = library_.aio_connect_uri(h, name_.c_str());
  } else {
    auto address = parse_address(name_);
    if (!address) {
      return address.error();
    }
    result = library_.set_export_name(h, address->name.c_str());
    if (result == 0) {
      result = address->unix_path.empty()
                   ? library_.aio_connect_tcp(h, address->host.c_str(), address->port.c_str())
                   : library_.aio_connect_unix(h, address->unix_path.c_str());
    }
  }
  return result == 0 ? negotiate() : error("cannot connect to the NBD server");
}

/// Waits, but not for ever.
Result<> Opening::negotiate() {
  nbd_handle* const h = handle_.get();
  const auto end = wait_.now() + patience_;
  while (library_.aio_is_ready(h) == 0) {
    if (has_ended(library_, h)) {
      return error("the NBD server cannot be talked to");
    }
    if (!wait_for_server(library_, h, end, wait_)) {
      return fail("disk ", name_, ": the NBD server does not answer");
    }
  }
  return {};
}

Result<NbdDisk::Export> Opening::ask(const DiskConfig& config) {
  nbd_handle* const h = handle_.get();
  const std::int64_t size = library_.get_size(h);
  NbdDisk::Export found;
  found.info.size = size < 0 ? 0 : static_cast<std::uint64_t>(size);
  if (found.info.size == 0) {
    return fail("disk ", name_, ": it is empty");
  }
  const bool asked_read_only = config.read_only || config.cdrom;
  if (!asked_read_only && library_.is_read_only(h) != 0) {
    return fail("disk ", name_, ": the NBD server lets it be read only, and a disk is written to");
  }
  found.info.read_only = asked_read_only;
  found.info.can_discard = !asked_read_only && library_.can_trim(h) == 1;
  found.info.physical_block = 4096;
  found.info.format = name_of(config.format).data();
  found.can_flush = library_.can_flush(h) == 1;
  found.can_fua = library_.can_fua(h) == 1;
  if (!asked_read_only && !found.can_flush) {
    log::warning("disk ", name_,
                 ": the NBD server knows no flush: nobody can tell when data is safe");
  }
  return found;
}

[[nodiscard]] Result<std::unique_ptr<BlockBackend>> serve(Loop& loop,
                                                          const DiskConfig& config,
                                                          Opening& opening,
                                                          std::unique_ptr<NbdServer> server,
                                                          ServerWait& wait = ServerWait::real()) {
  auto found = opening.ask(config);
  if (!found) {
    return found.error();
  }
  const bool ours = server != nullptr;
  auto disk = std::make_unique<NbdDisk>(loop, opening.library(), opening.take(), std::move(server),
                                        *found, config.path);
  disk->set_wait(wait);
  if (!disk->ok()) {
    return fail("disk ", config.path, ": no descriptor left for it (raise RLIMIT_NOFILE)");
  }
  log::info("disk ", config.path, ": ", found->info.size, " bytes, ", found->info.format,
            found->info.read_only ? ", read-only" : "",
            ours ? ", served by a qemu-nbd of its own" : ", served over NBD");
  return in_whole_sectors(loop, {std::move(disk), nullptr}, found->info.size,
                          config.cdrom ? kDiscSector : kDiskSector);
}

[[nodiscard]] NbdServer::Image image_of(const DiskConfig& config, UniqueFd image) {
  return {.path = config.path,
          .fd = std::move(image),
          .format = config.format,
          .read_only = config.read_only || config.cdrom,
          .direct = config.direct};
}

[[nodiscard]] Result<std::unique_ptr<BlockBackend>> use_server(Loop& loop,
                                                               const DiskConfig& config,
                                                               std::unique_ptr<NbdServer> server,
                                                               UniqueFd connection,
                                                               std::chrono::milliseconds patience) {
  auto opening = Opening::begin(config.path, patience);
  if (!opening) {
    return opening.error();
  }
  if (auto connected = opening->connect(std::move(connection)); !connected) {
    const NbdHandle closed = opening->take();
    return fail("disk ", config.path, ": qemu-nbd cannot serve it as ", name_of(config.format),
                ": ", server->last_words());
  }
  return serve(loop, config, *opening, std::move(server));
}

/// Through a qemu-nbd that is started for it.
[[nodiscard]] Result<std::unique_ptr<BlockBackend>> open_own(Loop& loop,
                                                             const DiskConfig& config,
                                                             UniqueFd image,
                                                             std::chrono::milliseconds patience) {
  auto server = NbdServer::start(loop, image_of(config, std::move(image)));
  if (!server) {
    return server.error();
  }
  UniqueFd connection = (*server)->take_connection();
  return use_server(loop, config, std::move(*server), std::move(connection), patience);
}

class ServerOpening final : public NbdOpening {
 public:
  ServerOpening(Loop& loop, DiskConfig config, std::unique_ptr<NbdServer> server, Opened opened)
      : loop_{loop},
        config_{std::move(config)},
        server_{std::move(server)},
        connection_{server_->take_connection()},
        opened_{std::move(opened)},
        readable_{loop, duplicate(connection_.get()),
                  Callback::bind<&ServerOpening::on_greeting>(*this)} {}

  /// False: the loop has no room for it.
  [[nodiscard]] bool await(std::chrono::milliseconds patience) noexcept {
    readable_.await_readable();
    return readable_.ok() && alarm_.arm(patience);
  }
  [[nodiscard]] bool finished() const noexcept override { return !opened_; }

 private:
  /// A server speaks first, once it has opened its image; or it has ended.
  void on_greeting() noexcept {
    finish([this] {
      return use_server(loop_, config_, std::move(server_), std::move(connection_), kAnswerTime);
    });
  }
  void on_alarm() noexcept {
    finish([this]() -> Result<std::unique_ptr<BlockBackend>> {
      server_.reset();
      return fail("disk ", config_.path, ": qemu-nbd does not answer");
    });
  }
  template <class Outcome>
  void finish(Outcome outcome) noexcept {
    readable_ = Watch{};
    alarm_.cancel();
    try {
      std::exchange(opened_, nullptr)(outcome());
    } catch (const std::exception& failure) {
      log::error("disk ", config_.path, ": ", failure.what());
    }
  }

  Loop& loop_;
  const DiskConfig config_;
  std::unique_ptr<NbdServer> server_;
  UniqueFd connection_;
  Opened opened_;
  Watch readable_;
  Alarm alarm_{loop_, Callback::bind<&ServerOpening::on_alarm>(*this)};
};

}  // namespace

Result<std::unique_ptr<BlockBackend>> open_nbd(Loop& loop,
                                               const DiskConfig& config,
                                               UniqueFd image,
                                               std::chrono::milliseconds patience) {
  ignore_write_signals();
  if (is_nbd(config.path) && !image) {
    if (!is_raw(config.format)) {
      return fail("disk ", config.path, ": an NBD export is raw: write format=raw");
    }
    auto opening = Opening::begin(config.path, patience);
    if (!opening) {
      return opening.error();
    }
    if (auto connected = opening->connect_to_address(); !connected) {
      return connected.error();
    }
    return serve(loop, config, *opening, nullptr);
  }
  auto disk = open_own(loop, config, std::move(image), patience);
  if (!disk || config.read_only || config.cdrom) {
    return disk;  // readers do not keep each other out
  }
  return std::unique_ptr<BlockBackend>{std::make_unique<ReopenableDisk>(
      std::move(*disk),
      ReopenableDisk::Ways{
          .check = [config] { return NbdServer::check(image_of(config, {})); },
          .open = [&loop,
                   config] { return open_own(loop, config, {}, ReopenableDisk::kPatience); }})};
}

Result<std::unique_ptr<BlockBackend>> open_nbd_connection(Loop& loop,
                                                          const DiskConfig& config,
                                                          UniqueFd connection,
                                                          std::chrono::milliseconds patience,
                                                          ServerWait& wait) {
  ignore_write_signals();
  auto opening = Opening::begin(config.path, patience, wait);
  if (!opening) {
    return opening.error();
  }
  if (auto connected = opening->connect(std::move(connection)); !connected) {
    return connected.error();
  }
  return serve(loop, config, *opening, nullptr, wait);
}

std::unique_ptr<NbdOpening> begin_nbd(Loop& loop,
                                      const DiskConfig& config,
                                      UniqueFd image,
                                      std::chrono::milliseconds patience,
                                      NbdOpening::Opened opened) {
  ignore_write_signals();
  auto server = NbdServer::start(loop, image_of(config, std::move(image)));
  if (!server) {
    opened(server.error());
    return nullptr;
  }
  auto opening = std::make_unique<ServerOpening>(loop, config, std::move(*server), opened);
  if (!opening->await(patience)) {
    opened(fail("disk ", config.path, ": no descriptor left for it (raise RLIMIT_NOFILE)"));
    return nullptr;
  }
  return opening;
}

}  // namespace dm::host
