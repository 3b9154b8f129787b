// SPDX-License-Identifier: MIT
#pragma once

/// Static tracepoints for perf, bpftrace and SystemTap, provider "stubdm". Each is one no-op
/// instruction until somebody attaches; README.md of this directory lists them with their
/// arguments. Arguments are integers that are at hand anyway: a probe never computes.
///
///     DM_PROBE3(request_begin, vcpu, type, addr);
///
/// Source: SystemTap, sys/sdt.h. Where that header is not there the probes are not either.
#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#define DM_PROBE1(name, a) STAP_PROBE1(stubdm, name, a)
#define DM_PROBE2(name, a, b) STAP_PROBE2(stubdm, name, a, b)
#define DM_PROBE3(name, a, b, c) STAP_PROBE3(stubdm, name, a, b, c)
#define DM_PROBE4(name, a, b, c, d) STAP_PROBE4(stubdm, name, a, b, c, d)
#else
#define DM_PROBE1(name, a) static_cast<void>(a)
#define DM_PROBE2(name, a, b) (static_cast<void>(a), static_cast<void>(b))
#define DM_PROBE3(name, a, b, c) (static_cast<void>(a), static_cast<void>(b), static_cast<void>(c))
#define DM_PROBE4(name, a, b, c, d) \
  (static_cast<void>(a), static_cast<void>(b), static_cast<void>(c), static_cast<void>(d))
#endif
