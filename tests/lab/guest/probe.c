// SPDX-License-Identifier: MIT
// probe: what a shell cannot do to hardware. Runs in the guest, from its partition of tools.
//
//   probe loopback TTY       the UART's own loopback: modem lines, then data at several speeds
//   probe hammer SECONDS     accesses of every width to ports and memory that nobody has; reads
//   must give ones probe tray DEVICE [open|close]   what a CD-ROM drive says of its tray, or move
//   it
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <linux/cdrom.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#ifndef TIOCM_LOOP
#define TIOCM_LOOP 0x8000
#endif

static void give_up(const char* what) {
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// ---- loopback ----

static void raw(int tty, speed_t speed) {
  struct termios t;
  if (tcgetattr(tty, &t) != 0) give_up("tcgetattr");
  cfmakeraw(&t);
  t.c_cflag |= CLOCAL | CREAD;
  t.c_cflag &= ~(tcflag_t)CRTSCTS;
  t.c_cc[VMIN] = 0;
  t.c_cc[VTIME] = 50;  // tenths of a second
  cfsetspeed(&t, speed);
  if (tcsetattr(tty, TCSANOW, &t) != 0) give_up("tcsetattr");
}

static int lines(int tty) {
  int bits = 0;
  if (ioctl(tty, TIOCMGET, &bits) != 0) give_up("TIOCMGET");
  return bits;
}

// The others stay, OUT2 above all: on a PC it lets the interrupt through.
static void set_lines(int tty, int on, int off) {
  if (ioctl(tty, TIOCMBIC, &off) != 0 || ioctl(tty, TIOCMBIS, &on) != 0) give_up("TIOCMBIS");
}

// In loopback RTS comes back as CTS and DTR as DSR (16550A data sheet, 8.6).
static void check_lines(int tty) {
  set_lines(tty, TIOCM_LOOP, 0);
  for (int i = 0; i < 4; ++i) {
    int out = (i & 1 ? TIOCM_RTS : 0) | (i & 2 ? TIOCM_DTR : 0);
    set_lines(tty, out, (TIOCM_RTS | TIOCM_DTR) & ~out);
    int in = lines(tty);
    if (!(in & TIOCM_CTS) != !(i & 1) || !(in & TIOCM_DSR) != !(i & 2)) {
      fprintf(stderr, "with RTS %d DTR %d the lines read 0x%x\n", i & 1, i >> 1, (unsigned)in);
      exit(1);
    }
  }
}

static void check_data(int tty, unsigned seed) {
  unsigned char sent[192], got[sizeof sent];
  for (size_t i = 0; i < sizeof sent; ++i) sent[i] = (unsigned char)(i * 7 + seed);
  if (write(tty, sent, sizeof sent) != sizeof sent) give_up("write");
  size_t have = 0;
  while (have < sizeof got) {
    ssize_t n = read(tty, got + have, sizeof got - have);
    if (n <= 0) {
      fprintf(stderr, "only %zu of %zu bytes came back\n", have, sizeof got);
      exit(1);
    }
    have += (size_t)n;
  }
  if (memcmp(sent, got, sizeof sent) != 0) {
    fprintf(stderr, "other bytes came back\n");
    exit(1);
  }
}

static int loopback(const char* name) {
  static const speed_t speeds[] = {B9600, B57600, B115200};
  int tty = open(name, O_RDWR | O_NOCTTY);
  if (tty < 0) give_up(name);
  raw(tty, B115200);
  check_lines(tty);
  for (unsigned i = 0; i < sizeof speeds / sizeof *speeds; ++i) {
    raw(tty, speeds[i]);
    tcflush(tty, TCIOFLUSH);
    check_data(tty, i);
  }
  set_lines(tty, TIOCM_RTS | TIOCM_DTR, TIOCM_LOOP);
  printf("loopback %s: lines and data\n", name);
  return 0;
}

// ---- hammer ----

// No device of a PC without expansion cards is here, and neither Xen's nor hvmloader's tables name
// them.
static const uint16_t kPorts[] = {0x100, 0x160, 0x200, 0x220,  0x27c,  0x300,
                                  0x340, 0x3b0, 0x4f0, 0x5658, 0x8000, 0xfffc};
static const uint64_t kHoles[] = {0xa0000, 0xf8000000, 0xfb000000};

static void insist(uint64_t value, uint64_t ones, const char* where, uint64_t at) {
  if (value != ones) {
    fprintf(stderr, "%s 0x%llx reads 0x%llx\n", where, (unsigned long long)at,
            (unsigned long long)value);
    exit(1);
  }
}

static unsigned hammer_ports(void) {
  unsigned count = 0;
  for (size_t i = 0; i < sizeof kPorts / sizeof *kPorts; ++i) {
    uint16_t port = kPorts[i];
    insist(inb(port), 0xff, "port", port);
    insist(inw(port), 0xffff, "port", port);
    insist(inl(port), 0xffffffff, "port", port);
    outb(0x5a, port);
    outw(0x5a5a, port);
    outl(0x5a5a5a5a, port);
    // String operations are carried out by Xen alone when nobody has the port, and its 4.17 leaves
    // the memory as it was.
    uint16_t words[64] = {0};
    insw(port, words, 64);
    outsw(port, words, 64);
    count += 8;
  }
  return count;
}

// Status registers of devices that somebody has: reads there must disturb nobody.
static unsigned hammer_claimed(void) {
  static const uint16_t quiet[] = {0x64, 0x92, 0x3f6, 0x376, 0xae00, 0xafe0, 0xaf00, 0xcf8};
  for (size_t i = 0; i < sizeof quiet / sizeof *quiet; ++i) (void)inb(quiet[i]);
  return sizeof quiet / sizeof *quiet;
}

static unsigned hammer_memory(volatile unsigned char* page, uint64_t at) {
  insist(page[3], 0xff, "memory", at);
  insist(*(volatile uint16_t*)(page + 8), 0xffff, "memory", at);
  insist(*(volatile uint32_t*)(page + 16), 0xffffffff, "memory", at);
  insist(*(volatile uint64_t*)(page + 24), ~0ULL, "memory", at);
  *(volatile uint32_t*)(page + 16) = 0x12345678;
  *(volatile uint64_t*)(page + 24) = 0x12345678;
  return 6;
}

static int hammer(double seconds) {
  volatile unsigned char* pages[sizeof kHoles / sizeof *kHoles];
  unsigned usable = 0;
  uint64_t places[sizeof kHoles / sizeof *kHoles];
  if (iopl(3) != 0) give_up("iopl");
  int mem = open("/dev/mem", O_RDWR | O_SYNC);
  for (size_t i = 0; mem >= 0 && i < sizeof kHoles / sizeof *kHoles; ++i) {
    void* page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, mem, (off_t)kHoles[i]);
    if (page == MAP_FAILED) continue;
    pages[usable] = page;
    places[usable++] = kHoles[i];
  }
  unsigned long count = 0;
  for (double end = now() + seconds; now() < end;) {
    count += hammer_ports();
    count += hammer_claimed();
    for (unsigned i = 0; i < usable; ++i) count += hammer_memory(pages[i], places[i]);
  }
  printf("hammered %lu times, at %zu ports and %u pages\n", count, sizeof kPorts / sizeof *kPorts,
         usable);
  return 0;
}

// ---- tray ----

// O_NONBLOCK: opening it otherwise wants a disc, and locks the door.
static int open_drive(const char* name) {
  int drive = open(name, O_RDONLY | O_NONBLOCK);
  if (drive < 0) give_up(name);
  return drive;
}

static int tray(const char* name) {
  switch (ioctl(open_drive(name), CDROM_DRIVE_STATUS, CDSL_CURRENT)) {
    case CDS_NO_DISC:
      printf("empty\n");
      return 0;
    case CDS_TRAY_OPEN:
      printf("open\n");
      return 0;
    case CDS_DISC_OK:
      printf("disc\n");
      return 0;
    default:
      give_up("CDROM_DRIVE_STATUS");
  }
  return 1;
}

static int move_tray(const char* name, const char* how) {
  if (ioctl(open_drive(name), strcmp(how, "open") == 0 ? CDROMEJECT : CDROMCLOSETRAY) != 0)
    give_up(how);
  return 0;
}

int main(int argc, char** argv) {
  if (argc == 3 && strcmp(argv[1], "loopback") == 0) return loopback(argv[2]);
  if (argc == 3 && strcmp(argv[1], "hammer") == 0) return hammer(atof(argv[2]));
  if (argc == 3 && strcmp(argv[1], "tray") == 0) return tray(argv[2]);
  if (argc == 4 && strcmp(argv[1], "tray") == 0) return move_tray(argv[2], argv[3]);
  fprintf(stderr, "usage: probe loopback TTY | hammer SECONDS | tray DEVICE [open|close]\n");
  return 2;
}
