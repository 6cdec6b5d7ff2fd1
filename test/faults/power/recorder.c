/*
 * Recorder of what a process asks of the disk, for the power-cut test. Loaded by LD_PRELOAD; writes one
 * log in one global order: opens, writes with their bytes, truncations, syncs (begin and end apart),
 * renames, links, unlinks, mkdirs under RECORD_ROOT, and the oracle's marks (writes to RECORD_MARKS).
 *
 * Every recorded call but a sync runs inside one mutex, so that the order of the log is the order of the
 * effects. A sync does not: it may take long, and it covers only what was recorded before it began.
 *
 * Record: 24 bytes (op u8, 0 u8, path length u16, fd i32, offset i64, data length u32, extra u32), the
 * path below the root, the data. All little-endian. disk-model.ts reads it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_FD 4096
enum { UNTRACKED = 0, TRACKED = 1, MARKS = 2 };

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static unsigned char tracked[MAX_FD];
static atomic_uint next_sync;
static int log_fd = -1;
static const char *root, *marks;
static size_t root_length;

static int (*real_open)(const char *, int, ...), (*real_openat)(int, const char *, int, ...);
static int (*real_close)(int), (*real_fsync)(int), (*real_fdatasync)(int);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_pwritev)(int, const struct iovec *, int, off_t);
static int (*real_ftruncate)(int, off_t), (*real_truncate)(const char *, off_t);
static int (*real_fallocate)(int, int, off_t, off_t);
static int (*real_rename)(const char *, const char *), (*real_link)(const char *, const char *);
static int (*real_unlink)(const char *), (*real_rmdir)(const char *), (*real_mkdir)(const char *, mode_t);
static int (*real_unlinkat)(int, const char *, int);
static long (*real_syscall)(long, ...);

__attribute__((constructor)) static void begin(void) {
  const char *log = getenv("RECORD_LOG");
  root = getenv("RECORD_ROOT");
  marks = getenv("RECORD_MARKS");
#define REAL(name, symbol) *(void **)&real_##name = dlsym(RTLD_NEXT, symbol)
  REAL(open, "open64"); REAL(openat, "openat64"); REAL(close, "close");
  REAL(fsync, "fsync"); REAL(fdatasync, "fdatasync");
  REAL(write, "write"); REAL(pwrite, "pwrite64"); REAL(writev, "writev"); REAL(pwritev, "pwritev64");
  REAL(ftruncate, "ftruncate64"); REAL(truncate, "truncate64"); REAL(fallocate, "fallocate64");
  REAL(rename, "rename"); REAL(link, "link"); REAL(unlink, "unlink"); REAL(unlinkat, "unlinkat");
  REAL(rmdir, "rmdir"); REAL(mkdir, "mkdir"); REAL(syscall, "syscall");
#undef REAL
  if (!log || !root) return;
  root_length = strlen(root);
  log_fd = real_open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* The path below the root, "" for the root itself; NULL when it lies elsewhere. */
static const char *below(const char *path) {
  if (log_fd < 0 || !path || strncmp(path, root, root_length) != 0) return NULL;
  if (path[root_length] == 0) return path + root_length;
  return path[root_length] == '/' ? path + root_length + 1 : NULL;
}

static int kind(int fd) { return fd >= 0 && fd < MAX_FD ? tracked[fd] : UNTRACKED; }

static void put(char op, const char *path, int fd, int64_t offset, const void *data, uint32_t length, uint32_t extra) {
  uint16_t path_length = path ? strlen(path) : 0;
  char head[24] = {0};
  head[0] = op;
  memcpy(head + 2, &path_length, 2);
  memcpy(head + 4, &fd, 4);
  memcpy(head + 8, &offset, 8);
  memcpy(head + 16, &length, 4);
  memcpy(head + 20, &extra, 4);
  struct iovec all[3] = {{head, 24}, {(void *)path, path_length}, {(void *)data, data ? length : 0}};
  ssize_t whole = 24 + path_length + (data ? length : 0);
  /* Half a record would make the rest unreadable: better no test than a false one. */
  if (real_writev(log_fd, all, 3) != whole) abort();
}

#define LOCK pthread_mutex_lock(&order)
#define UNLOCK do { int kept_ = errno; pthread_mutex_unlock(&order); errno = kept_; } while (0)

/* extra: 1 created, 2 truncated */
static int opened(int fd, const char *path, const char *name, int flags, int existed) {
  if (fd < 0) return fd;
  if (fd >= MAX_FD) abort();
  if (marks && strcmp(path, marks) == 0) tracked[fd] = MARKS;
  else if (name) {
    tracked[fd] = TRACKED;
    put('O', name, fd, 0, NULL, 0, ((flags & O_CREAT) && !existed ? 1 : 0) | (flags & O_TRUNC ? 2 : 0));
  }
  return fd;
}
static int do_open(const char *path, int flags, mode_t mode) {
  const char *name = below(path);
  if (log_fd < 0 || (!name && !(marks && strcmp(path, marks) == 0))) return real_open(path, flags, mode);
  struct stat s;
  LOCK;
  int existed = (flags & O_CREAT) ? stat(path, &s) == 0 : 1;
  int fd = opened(real_open(path, flags, mode), path, name, flags, existed);
  UNLOCK;
  return fd;
}
#define MODE mode_t mode = 0; if (flags & O_CREAT) { va_list a; va_start(a, flags); mode = va_arg(a, int); va_end(a); }
int open(const char *path, int flags, ...) { MODE return do_open(path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return do_open(path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) {
  MODE return path[0] == '/' ? do_open(path, flags, mode) : real_openat(dir, path, flags, mode);
}

int close(int fd) {
  if (!kind(fd)) return real_close(fd);
  LOCK;
  if (tracked[fd] == TRACKED) put('C', NULL, fd, 0, NULL, 0, 0);
  tracked[fd] = UNTRACKED;
  int result = real_close(fd);
  UNLOCK;
  return result;
}

/* libuv closes by the bare system call; unseen, the descriptor's next owner, a socket, would be taken for the file. */
long syscall(long number, ...) {
  long a[6];
  va_list all;
  va_start(all, number);
  for (int i = 0; i < 6; i++) a[i] = va_arg(all, long);
  va_end(all);
  if (number == SYS_close && kind((int)a[0])) return close((int)a[0]);
  return real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void wrote(int fd, int64_t offset, const void *data, ssize_t length) {
  if (length <= 0) return;
  if (kind(fd) == MARKS) put('M', NULL, fd, 0, data, length, 0);
  else put('W', NULL, fd, offset, data, length, 0);
}
static int64_t position(int fd) {
  if (!(fcntl(fd, F_GETFL) & O_APPEND)) return lseek(fd, 0, SEEK_CUR);
  struct stat s;
  return fstat(fd, &s) == 0 ? s.st_size : 0;
}
ssize_t pwrite64(int fd, const void *data, size_t length, off_t offset) {
  if (!kind(fd)) return real_pwrite(fd, data, length, offset);
  LOCK;
  ssize_t done = real_pwrite(fd, data, length, offset);
  wrote(fd, offset, data, done);
  UNLOCK;
  return done;
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return pwrite64(fd, data, length, offset); }
ssize_t write(int fd, const void *data, size_t length) {
  if (!kind(fd)) return real_write(fd, data, length);
  LOCK;
  int64_t at = position(fd);
  ssize_t done = real_write(fd, data, length);
  wrote(fd, at, data, done);
  UNLOCK;
  return done;
}
static void wrote_all(int fd, int64_t at, const struct iovec *parts, int count, ssize_t done) {
  for (int i = 0; i < count && done > 0; i++) {
    ssize_t part = (ssize_t)parts[i].iov_len < done ? (ssize_t)parts[i].iov_len : done;
    wrote(fd, at, parts[i].iov_base, part);
    at += part;
    done -= part;
  }
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  if (!kind(fd)) return real_writev(fd, parts, count);
  LOCK;
  int64_t at = position(fd);
  ssize_t done = real_writev(fd, parts, count);
  wrote_all(fd, at, parts, count, done);
  UNLOCK;
  return done;
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t offset) {
  if (!kind(fd)) return real_pwritev(fd, parts, count, offset);
  LOCK;
  ssize_t done = real_pwritev(fd, parts, count, offset);
  wrote_all(fd, offset, parts, count, done);
  UNLOCK;
  return done;
}
ssize_t pwritev(int fd, const struct iovec *p, int n, off_t at) { return pwritev64(fd, p, n, at); }

int ftruncate64(int fd, off_t size) {
  if (kind(fd) != TRACKED) return real_ftruncate(fd, size);
  LOCK;
  int result = real_ftruncate(fd, size);
  if (result == 0) put('T', NULL, fd, size, NULL, 0, 0);
  UNLOCK;
  return result;
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }
/* Not modelled: a process that uses one of these under the root is not recorded truly. */
int truncate64(const char *path, off_t size) { if (below(path)) abort(); return real_truncate(path, size); }
int truncate(const char *path, off_t size) { return truncate64(path, size); }
int fallocate64(int fd, int mode, off_t at, off_t size) {
  if (kind(fd) == TRACKED) abort();
  return real_fallocate(fd, mode, at, size);
}
int fallocate(int fd, int mode, off_t at, off_t size) { return fallocate64(fd, mode, at, size); }

static int synced(int fd, int (*real)(int)) {
  if (kind(fd) != TRACKED) return real(fd);
  uint32_t id = atomic_fetch_add(&next_sync, 1);
  LOCK;
  put('s', NULL, fd, 0, NULL, 0, id);
  UNLOCK;
  int result = real(fd);
  LOCK;
  if (result == 0) put('S', NULL, fd, 0, NULL, 0, id);
  UNLOCK;
  return result;
}
int fsync(int fd) { return synced(fd, real_fsync); }
int fdatasync(int fd) { return synced(fd, real_fdatasync); }
/* sync_file_range promises nothing after a power cut: it is left out as if it did nothing. */

static int two(char op, int (*real)(const char *, const char *), const char *from, const char *to) {
  const char *a = below(from), *b = below(to);
  if (!a && !b) return real(from, to);
  if (!a || !b) abort(); /* into or out of the root: not modelled */
  LOCK;
  int result = real(from, to);
  if (result == 0) put(op, a, -1, 0, b, strlen(b), 0);
  UNLOCK;
  return result;
}
int rename(const char *from, const char *to) { return two('R', real_rename, from, to); }
int link(const char *from, const char *to) { return two('L', real_link, from, to); }
#define ONE(op, call) \
  const char *name = below(path); \
  if (!name) return call; \
  LOCK; \
  int result = call; \
  if (result == 0) put(op, name, -1, 0, NULL, 0, 0); \
  UNLOCK; \
  return result;
int unlink(const char *path) { ONE('U', real_unlink(path)) }
int rmdir(const char *path) { ONE('U', real_rmdir(path)) }
int mkdir(const char *path, mode_t mode) { ONE('K', real_mkdir(path, mode)) }
int unlinkat(int dir, const char *path, int flags) {
  if (path[0] != '/') return real_unlinkat(dir, path, flags);
  ONE('U', real_unlinkat(dir, path, flags))
}
