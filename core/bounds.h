// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// What one request of a guest, or one unit of deferred work, may cost at most. A bound by count
/// helps nobody where the cost is elsewhere, so these count what things cost: system calls,
/// mappings, requests to images, segments, bytes. The fuzz target `machine` holds them; `inspect`
/// shows the worst that was seen.
namespace dm::bounds {

/// How long it is remembered that a page of the guest is not there. No driver names a page that it
/// does not have, gets it back, and names it again within a millisecond. A mapping of 2 MiB takes
/// up to a quarter of this.
inline constexpr std::chrono::milliseconds kAbsence{1};

/// The longest that backends, QMP and signals wait while the guest keeps the loop busy, beside the
/// request or unit under way. A guest cannot tell such a delay from that of a host's scheduler.
inline constexpr std::chrono::milliseconds kHostPoll{1};
/// The same by count, for a guest of short requests: 32 of them share one look's system calls.
inline constexpr unsigned kRequestsPerHostPoll = 32;

// One request.

/// A string operation names a page that may lie across two windows, and the clock hand may take one
/// of them while the other is mapped. A stopped bus master reads a table that may lie across two,
/// and moves what is in two others.
inline constexpr std::uint64_t kMapsPerRequest = 4;
/// A stopped bus master makes the request that its command has begun with, on one drive; power-off,
/// S3 and unplug flush each of four disks. Reading, writing and discarding are deferred work.
inline constexpr std::uint64_t kImageRequestsPerRequest = 4;
/// Nothing is sent before the request is answered.
inline constexpr std::uint64_t kSendsPerRequest = 0;
/// One submission: what a bus master stopped at its beginning may move.
inline constexpr std::uint64_t kBytesPerRequest = std::uint64_t{1} << 20;
/// System calls of one item of a request; a string operation has as many as fit into a page. The
/// dearest item opens or closes the decode of a function: its three windows are released and
/// claimed, those of other functions that had been refused are tried again, a level changes.
inline constexpr std::uint64_t kSystemCallsPerItem = 24;

// One unit of deferred work: the frames of one call, or one submission to a disk.

/// A submission has 256 spans, and a frame 128 fragments or buffers that may each lie across the
/// edge of two windows, each in windows of its own; in the smallest machine, which holds two
/// windows, the descriptor has to be found again behind each of them.
inline constexpr std::uint64_t kMapsPerUnit = 520;
inline constexpr std::uint64_t kImageRequestsPerUnit = 1;
/// Frames that are handed over in one call. A frame costs the kernel about a microsecond, so a
/// request waits some 15 us behind a full call. What the call itself costs is shared by them.
inline constexpr std::size_t kFramesPerSend = 16;
inline constexpr std::uint64_t kSendsPerUnit = kFramesPerSend;
/// The largest submission of a DMA command, and more than the largest frame. Reading 1 MiB from the
/// page cache takes some 100 us.
inline constexpr std::uint64_t kBytesPerUnit = std::uint64_t{1} << 20;
/// The unit's own, the interrupt's, and what starts and stops the watching of a descriptor.
inline constexpr std::uint64_t kSystemCallsPerUnit = 16;

/// Frames that the host may have to make of one NetBackend::send(). 64 KiB at an ordinary MSS are
/// 45; at an MSS of 1 they would be 60,000, which keep a kernel busy for 90 ms within one call.
inline constexpr std::size_t kSegmentsPerSend = 64;
/// Frames that one unit of a card's work makes of a long one that has arrived; and after so many
/// buffers it begins none, since each may cost two mappings.
inline constexpr std::size_t kSegmentsPerReceive = 64;

// Ends that the guest can force.

/// Units that a bus master's stop may still run to bring about the command's one request: the
/// command is decoded, its table read, its data moved.
inline constexpr unsigned kUnitsOfStop = 3;

}  // namespace dm::bounds
