// SPDX-License-Identifier: MIT
// scribble: writes whose every sector can be checked afterwards. Runs in the guest, from its
// partition of tools, and `check` where the image is.
//
//   scribble run SEED SECONDS DEVICE FIRST_MIB MIB
//       fill the area, then for so many seconds write 512 bytes to 1 MiB anywhere in it, past the
//       page cache and through it, with reads and fsyncs between; at last read all of it from the
//       disk. What the area must now hold goes to stdout, for sha256sum.
//   scribble cut SEED DEVICE MIB
//       until the power is cut: writes made durable by FLUSH CACHE EXT, by WRITE DMA FUA EXT and,
//       for an odd seed, by a drive whose write cache is off, for an even one by fdatasync, in
//       turns. "acked N." on stdout when the drive has acknowledged that write N and all before it
//       are durable.
//   scribble check SEED ACKED IMAGE MIB
//       after that: are writes 1 to ACKED in the image, unless later ones went over them?
//
// Write N is the same for the same seed, wherever that is computed. Each sector it covers begins
// with N, and the rest follows from seed, N and the sector's number.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { kSector = 512, kWords = kSector / 8, kLargest = 2048, kLargestCut = 128 };

static void give_up(const char* what) {
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// The finalizer of SplitMix64: a bijection in which every input bit reaches every output bit.
static uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

static uint64_t random_of(uint64_t seed, uint64_t a, uint64_t b) {
  return mix(mix(mix(seed + 1) ^ a) + b);
}

static void make_sector(uint64_t* out, uint64_t seed, uint32_t write, uint32_t sector) {
  uint64_t x = random_of(seed, write, sector);
  out[0] = write;
  for (unsigned i = 1; i < kWords; ++i)
    out[i] = x = x * 6364136223846793005U + 1442695040888963407U;
}

// ---- which write goes where ----

struct area {
  uint64_t seed;
  uint32_t sectors;
  uint32_t largest;  // sectors of one write
};

struct place {
  uint32_t first;
  uint32_t count;
};

// As many writes of one sector as of 2 to 3, of 4 to 7, and so on.
static struct place place_of(const struct area* a, uint32_t write) {
  uint64_t r = random_of(a->seed, write, 1ULL << 40);
  unsigned steps = 0;
  while (2U << steps <= a->largest) ++steps;
  unsigned step = (unsigned)(r % (steps + 1));
  struct place p;
  p.count = 1U << step;
  p.count += (uint32_t)((r >> 8) % p.count);
  if (p.count > a->largest) p.count = a->largest;
  p.first = (uint32_t)((r >> 32) % (a->sectors - p.count + 1));
  return p;
}

static void make_data(uint64_t* out, const struct area* a, uint32_t write, struct place p) {
  for (uint32_t i = 0; i < p.count; ++i)
    make_sector(out + (size_t)i * kWords, a->seed, write, p.first + i);
}

static uint64_t* buffer(void) {
  void* memory = NULL;
  if (posix_memalign(&memory, 4096, (size_t)(kLargest + 8) * kSector) != 0) give_up("memory");
  return memory;
}

static int open_or_die(const char* name, int flags) {
  int fd = open(name, flags | O_CLOEXEC);
  if (fd < 0) give_up(name);
  return fd;
}

static void write_all(int fd, const void* data, size_t length, uint64_t at) {
  while (length != 0) {
    ssize_t n = pwrite(fd, data, length, (off_t)at);
    if (n <= 0) give_up("write");
    data = (const char*)data + n;
    length -= (size_t)n;
    at += (uint64_t)n;
  }
}

static void read_all(int fd, void* data, size_t length, uint64_t at) {
  while (length != 0) {
    ssize_t n = pread(fd, data, length, (off_t)at);
    if (n <= 0) give_up("read");
    data = (char*)data + n;
    length -= (size_t)n;
    at += (uint64_t)n;
  }
}

// ---- run ----

struct scribbler {
  struct area area;
  uint64_t start;  // of the area in the device, in bytes
  int direct;
  int buffered;
  uint32_t* newest;  // for each sector the write that was there last
  uint64_t* data;
  uint64_t counts[4];  // direct, buffered, reads, fsyncs
};

static void note(struct scribbler* s, uint32_t write, struct place p) {
  for (uint32_t i = 0; i < p.count; ++i) s->newest[p.first + i] = write;
}

static void fill(struct scribbler* s) {
  for (uint32_t at = 0; at < s->area.sectors; at += kLargest) {
    struct place p = {at, s->area.sectors - at < kLargest ? s->area.sectors - at : kLargest};
    make_data(s->data, &s->area, 0, p);
    write_all(s->direct, s->data, (size_t)p.count * kSector, s->start + (uint64_t)at * kSector);
  }
}

static void verify(struct scribbler* s, int fd, struct place p, const char* how) {
  uint64_t wanted[kWords];
  read_all(fd, s->data, (size_t)p.count * kSector, s->start + (uint64_t)p.first * kSector);
  for (uint32_t i = 0; i < p.count; ++i) {
    uint32_t sector = p.first + i;
    make_sector(wanted, s->area.seed, s->newest[sector], sector);
    if (memcmp(wanted, s->data + (size_t)i * kWords, kSector) != 0) {
      fprintf(
          stderr,
          "sector %u, read %s as one of %u from %u, should be of write %u and begins with %llu\n",
          sector, how, p.count, p.first, s->newest[sector],
          (unsigned long long)s->data[(size_t)i * kWords]);
      exit(1);
    }
  }
}

static void one_step(struct scribbler* s, uint32_t write) {
  uint64_t r = random_of(s->area.seed, write, 2ULL << 40);
  struct place p = place_of(&s->area, write);
  bool direct = (r & 1) != 0;
  // a direct write from memory that is aligned to nothing but sectors
  uint64_t* data = s->data + (direct ? (r >> 8) % 8 * kWords : 0);
  make_data(data, &s->area, write, p);
  write_all(direct ? s->direct : s->buffered, data, (size_t)p.count * kSector,
            s->start + (uint64_t)p.first * kSector);
  note(s, write, p);
  ++s->counts[direct ? 0 : 1];
  if ((r >> 16) % 4 == 0) {
    bool by_direct = (r & 2) != 0;
    verify(s, by_direct ? s->direct : s->buffered, place_of(&s->area, write ^ 0x80000000U),
           by_direct ? "past the page cache" : "through the page cache");
    ++s->counts[2];
  }
  if ((r >> 24) % 8 == 0) {
    if (fsync(s->buffered) != 0) give_up("fsync");
    ++s->counts[3];
  }
}

static int run(char** argv) {
  struct scribbler s = {
      .area = {strtoull(argv[0], NULL, 10), (uint32_t)atoi(argv[4]) * 2048U, kLargest},
      .start = (uint64_t)atoi(argv[3]) << 20};
  s.direct = open_or_die(argv[2], O_RDWR | O_DIRECT);
  s.buffered = open_or_die(argv[2], O_RDWR);
  s.newest = calloc(s.area.sectors, sizeof *s.newest);
  s.data = buffer();
  if (s.newest == NULL || s.area.sectors < kLargest) give_up("an area too small or too large");
  fill(&s);
  uint32_t write = 0;
  for (double end = now() + atof(argv[1]); now() < end;) one_step(&s, ++write);
  if (fsync(s.buffered) != 0) give_up("fsync");
  for (uint32_t at = 0; at < s.area.sectors; at += kLargest)
    verify(&s, s.direct, (struct place){at, kLargest}, "at last, past the page cache");
  fprintf(stderr, "%u writes to %s, %llu of them past the page cache; %llu reads, %llu fsyncs\n",
          write, argv[2], (unsigned long long)s.counts[0], (unsigned long long)s.counts[2],
          (unsigned long long)s.counts[3]);
  for (uint32_t sector = 0; sector < s.area.sectors; ++sector) {
    make_sector(s.data, s.area.seed, s.newest[sector], sector);
    if (fwrite(s.data, kSector, 1, stdout) != 1) give_up("stdout");
  }
  return fflush(stdout) == 0 ? 0 : 1;
}

// ---- cut ----

enum {
  kSetFeatures = 0xef,
  kFlushCacheExt = 0xea,
  kWriteDmaFuaExt = 0x3d,
  kCacheOn = 0x02,
  kCacheOff = 0x82
};

// An ATA command in SCSI's wrapping, ATA PASS-THROUGH (16) (SAT-3 12.2.3).
static void ata(int fd, uint8_t command, uint8_t features, struct place p, void* data) {
  unsigned char sense[64] = {0};
  bool moves = data != NULL;
  unsigned char cdb[16] = {
      0x85,
      (unsigned char)((moves ? 6 : 3) << 1 | 1),  // protocol DMA or non-data; EXTEND
      moves ? 0x06 : 0,  // to the device, in blocks, as many as the sector count says
      0,
      features,
      (unsigned char)(p.count >> 8),
      (unsigned char)p.count,
      (unsigned char)(p.first >> 24),
      (unsigned char)p.first,
      0,
      (unsigned char)(p.first >> 8),
      0,
      (unsigned char)(p.first >> 16),
      0x40,  // LBA
      command,
      0};
  sg_io_hdr_t io = {.interface_id = 'S',
                    .dxfer_direction = moves ? SG_DXFER_TO_DEV : SG_DXFER_NONE,
                    .cmd_len = sizeof cdb,
                    .mx_sb_len = sizeof sense,
                    .dxfer_len = moves ? p.count * kSector : 0,
                    .dxferp = data,
                    .cmdp = cdb,
                    .sbp = sense,
                    .timeout = 60000};
  if (ioctl(fd, SG_IO, &io) != 0) give_up("SG_IO");
  if (io.status != 0 || io.host_status != 0 || io.driver_status != 0) {
    fprintf(stderr, "command %02x: status %x, host %x, driver %x, sense key %x\n", command,
            io.status, io.host_status, io.driver_status, sense[1] & 15U);
    exit(1);
  }
}

static void set_cache(int fd, uint8_t feature) {
  ata(fd, kSetFeatures, feature, (struct place){0, 0}, NULL);
}

static void acked(uint32_t write) {
  if (printf("acked %u.\n", write) < 0 || fflush(stdout) != 0) give_up("stdout");
}

// How the writes of a round are made durable.
enum kind { kFlush, kFua, kCacheIsOff, kFdatasync };

// The kernel's fdatasync sends no FLUSH CACHE while it thinks that the drive has no write cache,
// and what a SET FEATURES changed it learns a moment later. So no seed has both.
static enum kind kind_of(const struct area* a, uint32_t round) {
  switch (round % 3) {
    case 0:
      return kFlush;
    case 1:
      return kFua;
    default:
      return (a->seed & 1) != 0 ? kCacheIsOff : kFdatasync;
  }
}

static _Noreturn void cut(char** argv) {
  struct area a = {strtoull(argv[0], NULL, 10), (uint32_t)atoi(argv[2]) * 2048U, kLargestCut};
  int fd = open_or_die(argv[1], O_RDWR | O_DIRECT);
  uint64_t* data = buffer();
  uint32_t write = 0;
  for (uint32_t round = 0;; ++round) {
    uint32_t writes = 1 + (uint32_t)(random_of(a.seed, round, 3ULL << 40) % 6);
    enum kind kind = kind_of(&a, round);
    if (kind == kCacheIsOff) set_cache(fd, kCacheOff);
    for (uint32_t i = 0; i < writes; ++i) {
      struct place p = place_of(&a, ++write);
      make_data(data, &a, write, p);
      if (kind == kFua) {
        ata(fd, kWriteDmaFuaExt, 0, p, data);
      } else {
        write_all(fd, data, (size_t)p.count * kSector, (uint64_t)p.first * kSector);
      }
      if (kind == kFua || kind == kCacheIsOff) acked(write);
    }
    if (kind == kCacheIsOff) set_cache(fd, kCacheOn);
    if (kind == kFlush) ata(fd, kFlushCacheExt, 0, (struct place){0, 0}, NULL);
    if (kind == kFdatasync && fdatasync(fd) != 0) give_up("fdatasync");
    acked(write);
  }
}

// ---- check ----

static bool covers(const struct area* a, uint64_t write, uint32_t sector) {
  if (write == 0 || write > UINT32_MAX) return false;
  struct place p = place_of(a, (uint32_t)write);
  return sector >= p.first && sector - p.first < p.count;
}

static bool is_zero(const uint64_t* data) {
  for (unsigned i = 0; i < kWords; ++i) {
    if (data[i] != 0) return false;
  }
  return true;
}

// Does the sector hold, whole, a write that covers it and is not older than the acknowledged one?
static bool holds(const struct area* a, const uint64_t* found, uint32_t sector, uint32_t needed) {
  uint64_t wanted[kWords];
  if (is_zero(found)) return needed == 0;
  if (found[0] < needed || !covers(a, found[0], sector)) return false;
  make_sector(wanted, a->seed, (uint32_t)found[0], sector);
  return memcmp(wanted, found, kSector) == 0;
}

static int check(char** argv) {
  struct area a = {strtoull(argv[0], NULL, 10), (uint32_t)atoi(argv[3]) * 2048U, kLargestCut};
  uint32_t last = (uint32_t)strtoul(argv[1], NULL, 10);
  int fd = open_or_die(argv[2], O_RDONLY);
  uint32_t* needed = calloc(a.sectors, sizeof *needed);
  uint64_t found[kWords];
  unsigned covered = 0, later = 0, lost = 0;
  if (needed == NULL) give_up("memory");
  for (uint32_t write = 1; write <= last; ++write) {
    struct place p = place_of(&a, write);
    for (uint32_t i = 0; i < p.count; ++i) needed[p.first + i] = write;
  }
  for (uint32_t sector = 0; sector < a.sectors; ++sector) {
    read_all(fd, found, kSector, (uint64_t)sector * kSector);
    covered += needed[sector] != 0;
    if (holds(&a, found, sector, needed[sector])) {
      later += found[0] > last;
    } else if (++lost <= 5) {
      printf("sector %u: write %u was acknowledged, found is %llu\n", sector, needed[sector],
             (unsigned long long)found[0]);
    }
  }
  printf("%u writes to %u sectors acknowledged, %u lost; %u sectors of writes after them\n", last,
         covered, lost, later);
  return lost == 0 ? 0 : 1;
}

int main(int argc, char** argv) {
  if (argc == 7 && strcmp(argv[1], "run") == 0) return run(argv + 2);
  if (argc == 5 && strcmp(argv[1], "cut") == 0) cut(argv + 2);
  if (argc == 6 && strcmp(argv[1], "check") == 0) return check(argv + 2);
  fprintf(stderr,
          "usage: scribble run SEED SECONDS DEVICE FIRST_MIB MIB | cut SEED DEVICE MIB | check "
          "SEED ACKED IMAGE MIB\n");
  return 2;
}
