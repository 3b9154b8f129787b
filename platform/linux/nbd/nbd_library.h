// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <libnbd.h>

#include <memory>

namespace dm::host {

/// libnbd's functions, loaded when the first disk needs them. libnbd brings gnutls and libxml2
/// along, which doubles the memory of a small process that never has an NBD disk. It is never
/// unloaded. Thread rule: any thread.
struct NbdLibrary {
  /// The error names the package to install.
  [[nodiscard]] static Result<const NbdLibrary*> load();

  // The names of libnbd(3) without their "nbd_".
  decltype(&::nbd_create) create = nullptr;
  decltype(&::nbd_close) close = nullptr;
  decltype(&::nbd_get_error) get_error = nullptr;
  decltype(&::nbd_get_errno) get_errno = nullptr;
  decltype(&::nbd_set_export_name) set_export_name = nullptr;
  decltype(&::nbd_set_tls) set_tls = nullptr;
  decltype(&::nbd_set_request_block_size) set_request_block_size = nullptr;
  decltype(&::nbd_set_pread_initialize) set_pread_initialize = nullptr;
  decltype(&::nbd_set_uri_allow_transports) set_uri_allow_transports = nullptr;
  decltype(&::nbd_set_uri_allow_tls) set_uri_allow_tls = nullptr;
  decltype(&::nbd_set_uri_allow_local_file) set_uri_allow_local_file = nullptr;
  decltype(&::nbd_aio_connect_uri) aio_connect_uri = nullptr;
  decltype(&::nbd_aio_connect_unix) aio_connect_unix = nullptr;
  decltype(&::nbd_aio_connect_tcp) aio_connect_tcp = nullptr;
  decltype(&::nbd_aio_connect_socket) aio_connect_socket = nullptr;
  decltype(&::nbd_aio_disconnect) aio_disconnect = nullptr;
  decltype(&::nbd_aio_get_fd) aio_get_fd = nullptr;
  decltype(&::nbd_aio_get_direction) aio_get_direction = nullptr;
  decltype(&::nbd_aio_notify_read) aio_notify_read = nullptr;
  decltype(&::nbd_aio_notify_write) aio_notify_write = nullptr;
  decltype(&::nbd_aio_is_ready) aio_is_ready = nullptr;
  decltype(&::nbd_aio_is_dead) aio_is_dead = nullptr;
  decltype(&::nbd_aio_is_closed) aio_is_closed = nullptr;
  decltype(&::nbd_aio_pread) aio_pread = nullptr;
  decltype(&::nbd_aio_pwrite) aio_pwrite = nullptr;
  decltype(&::nbd_aio_flush) aio_flush = nullptr;
  decltype(&::nbd_aio_trim) aio_trim = nullptr;
  decltype(&::nbd_get_size) get_size = nullptr;
  decltype(&::nbd_is_read_only) is_read_only = nullptr;
  decltype(&::nbd_can_flush) can_flush = nullptr;
  decltype(&::nbd_can_fua) can_fua = nullptr;
  decltype(&::nbd_can_trim) can_trim = nullptr;
};

/// A connection.
struct NbdClose {
  const NbdLibrary* library = nullptr;
  void operator()(nbd_handle* handle) const noexcept { library->close(handle); }
};
using NbdHandle = std::unique_ptr<nbd_handle, NbdClose>;

}  // namespace dm::host
