/*
 * Faults of a disk for a process that runs under LD_PRELOAD. Only files whose path holds SHIM_PATH are concerned.
 *
 *   SHIM_DELAY_US   every sync of them takes that much longer
 *   SHIM_CONTROL    a file; while it exists every sync of them fails with EIO and syncs nothing
 *   SHIM_READONLY   a file; while it exists every write to them fails with EROFS, as after the kernel made the file system
 *                   read-only because of an error
 *   SHIM_COUNT      a file; at each sync one byte is appended to it, at each failed one as well
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* 1 when the file behind fd is one of ours. */
static int concerns(int fd) {
  const char *wanted = getenv("SHIM_PATH");
  char link[64], path[4096];
  if (wanted == NULL) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strstr(path, wanted) != NULL;
}

static void count(char what) {
  const char *file = getenv("SHIM_COUNT");
  if (file == NULL) return;
  int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return;
  if (write(fd, &what, 1) < 0) {
  }
  close(fd);
}

/* Non-zero when the sync fails. */
static int before(int fd) {
  const char *delay = getenv("SHIM_DELAY_US"), *control = getenv("SHIM_CONTROL");
  if (!concerns(fd)) return 0;
  if (delay != NULL) {
    long us = atol(delay);
    struct timespec pause = {us / 1000000, (us % 1000000) * 1000};
    nanosleep(&pause, NULL);
  }
  if (control != NULL && access(control, F_OK) == 0) {
    count('x');
    errno = EIO;
    return -1;
  }
  count('s');
  return 0;
}

int fsync(int fd) {
  static int (*real)(int);
  if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  return before(fd) ? -1 : real(fd);
}

int fdatasync(int fd) {
  static int (*real)(int);
  if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  return before(fd) ? -1 : real(fd);
}

/* Non-zero when nothing may be written. */
static int refused(int fd) {
  const char *readonly = getenv("SHIM_READONLY");
  if (readonly == NULL || access(readonly, F_OK) != 0 || !concerns(fd)) return 0;
  errno = EROFS;
  return 1;
}

ssize_t write(int fd, const void *bytes, size_t length) {
  static ssize_t (*real)(int, const void *, size_t);
  if (real == NULL) real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
  return refused(fd) ? -1 : real(fd, bytes, length);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
  static ssize_t (*real)(int, const void *, size_t, off_t);
  if (real == NULL) real = (ssize_t(*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite");
  return refused(fd) ? -1 : real(fd, bytes, length, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
  static ssize_t (*real)(int, const void *, size_t, off64_t);
  if (real == NULL) real = (ssize_t(*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
  return refused(fd) ? -1 : real(fd, bytes, length, at);
}

int ftruncate(int fd, off_t length) {
  static int (*real)(int, off_t);
  if (real == NULL) real = (int (*)(int, off_t))dlsym(RTLD_NEXT, "ftruncate");
  return refused(fd) ? -1 : real(fd, length);
}

int ftruncate64(int fd, off64_t length) {
  static int (*real)(int, off64_t);
  if (real == NULL) real = (int (*)(int, off64_t))dlsym(RTLD_NEXT, "ftruncate64");
  return refused(fd) ? -1 : real(fd, length);
}
