/*
 * Records what a process does to the files of one folder, in the order in which it happens: for replaying power cuts.
 *
 * FAULTS_FOLDER  the folder, absolute; files of SQLite's shared memory (-shm) are left out, as no power cut keeps them
 * FAULTS_MARKS   a file whose writes are recorded as marks: what the process under test says of itself
 * FAULTS_LOG     where to write the record: [op u8][fd i32][offset i64][length u32][bytes], little-endian, one after another
 *
 * Everything is done and written down under one lock, so that the order in the record is the order on the disk.
 * Processes may follow one another into the same record; each begins with START.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum op { START = 1, OPEN, CREATE, CLOSE, WRITE, TRUNCATE, SYNC, LINK, RENAME, UNLINK, MARK, UNKNOWN };
enum kind { NOT_OURS = 0, OURS, MARKS };

#define MOST_FDS 8192
static unsigned char kinds[MOST_FDS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *folder, *marks;
static size_t folder_length;
static int log_fd = -1;

/* Looked up once at each place: dlsym takes a lock, and a signal that comes while it holds it calls read and write too. */
#define REAL(name) \
  ({ static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name); real; })

static void record(enum op op, int fd, int64_t offset, const void *bytes, uint32_t length) {
  unsigned char head[17];
  int32_t fd32 = fd;
  head[0] = op;
  memcpy(head + 1, &fd32, 4);
  memcpy(head + 5, &offset, 8);
  memcpy(head + 13, &length, 4);
  struct iovec parts[2] = {{head, sizeof head}, {(void *)bytes, length}};
  /* A record with a gap would prove nothing. */
  if (REAL(writev)(log_fd, parts, 2) != (ssize_t)(sizeof head + length)) abort();
}

__attribute__((constructor)) static void start(void) {
  folder = getenv("FAULTS_FOLDER");
  marks = getenv("FAULTS_MARKS");
  const char *log = getenv("FAULTS_LOG");
  if (!folder || !log) return;
  folder_length = strlen(folder);
  int fd = REAL(open64)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  /* High up, where it meets no descriptor of the process. */
  log_fd = fcntl(fd, F_DUPFD_CLOEXEC, MOST_FDS);
  if (log_fd < 0) log_fd = fd;
  record(START, -1, 0, NULL, 0);
}

/* The path below the folder, or NULL; "" is the folder itself. */
static const char *below(const char *path) {
  if (log_fd < 0 || !path || strncmp(path, folder, folder_length) != 0) return NULL;
  const char *rest = path + folder_length;
  if (*rest == '/') rest++;
  else if (*rest != 0) return NULL;
  size_t length = strlen(rest);
  return length >= 4 && strcmp(rest + length - 4, "-shm") == 0 ? NULL : rest;
}

static enum kind kind_of(int fd) { return fd >= 0 && fd < MOST_FDS ? kinds[fd] : NOT_OURS; }

static int open_recorded(const char *path, int flags, mode_t mode) {
  const char *name = below(path);
  int is_marks = log_fd >= 0 && marks && path && strcmp(path, marks) == 0;
  if (!name && !is_marks) return REAL(open64)(path, flags, mode);
  pthread_mutex_lock(&lock);
  int existed = REAL(access)(path, F_OK) == 0;
  int fd = REAL(open64)(path, flags, mode);
  int failed = errno;
  if (fd >= 0 && fd < MOST_FDS) {
    kinds[fd] = is_marks ? MARKS : OURS;
    if (name) {
      record(existed ? OPEN : CREATE, fd, 0, name, strlen(name));
      if (existed && (flags & O_TRUNC)) record(TRUNCATE, fd, 0, NULL, 0);
    }
  }
  pthread_mutex_unlock(&lock);
  errno = failed;
  return fd;
}

static mode_t mode_of(int flags, va_list rest) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; }
#define OPEN_LIKE(name)                      \
  int name(const char *path, int flags, ...) { \
    va_list rest;                            \
    va_start(rest, flags);                   \
    mode_t mode = mode_of(flags, rest);      \
    va_end(rest);                            \
    return open_recorded(path, flags, mode); \
  }
OPEN_LIKE(open)
OPEN_LIKE(open64)
#define OPENAT_LIKE(name)                                                                       \
  int name(int at, const char *path, int flags, ...) {                                          \
    va_list rest;                                                                               \
    va_start(rest, flags);                                                                      \
    mode_t mode = mode_of(flags, rest);                                                         \
    va_end(rest);                                                                               \
    return path[0] == '/' ? open_recorded(path, flags, mode) : REAL(name)(at, path, flags, mode); \
  }
OPENAT_LIKE(openat)
OPENAT_LIKE(openat64)
int __open_2(const char *path, int flags) { return open_recorded(path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_recorded(path, flags, 0); }
int creat(const char *path, mode_t mode) { return open_recorded(path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return open_recorded(path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

/* Before the descriptor is closed: afterwards another thread may be given its number. */
static void closing(int fd) {
  if (kind_of(fd) == NOT_OURS) return;
  pthread_mutex_lock(&lock);
  if (kind_of(fd) == OURS) record(CLOSE, fd, 0, NULL, 0);
  kinds[fd] = NOT_OURS;
  pthread_mutex_unlock(&lock);
}
int close(int fd) {
  closing(fd);
  return REAL(close)(fd);
}
/* Node.js closes files in this way. */
long syscall(long number, ...) {
  va_list rest;
  va_start(rest, number);
  long given[6];
  for (int i = 0; i < 6; i++) given[i] = va_arg(rest, long);
  va_end(rest);
  if (number == SYS_close) closing((int)given[0]);
  return REAL(syscall)(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}

/* What was written, at which place; a place below 0: where the descriptor stands now, after the write. */
static void wrote(int fd, int64_t offset, const void *bytes, ssize_t length) {
  if (length <= 0) return;
  if (kind_of(fd) == MARKS) {
    record(MARK, fd, 0, bytes, length);
    return;
  }
  record(WRITE, fd, offset >= 0 ? offset : lseek64(fd, 0, SEEK_CUR) - length, bytes, length);
}

#define RECORDED(result_type, fd, call, after)      \
  if (kind_of(fd) == NOT_OURS) return call;         \
  pthread_mutex_lock(&lock);                        \
  result_type result = call;                        \
  int failed = errno;                               \
  after;                                            \
  pthread_mutex_unlock(&lock);                      \
  errno = failed;                                   \
  return result;

ssize_t write(int fd, const void *bytes, size_t length) {
  RECORDED(ssize_t, fd, REAL(write)(fd, bytes, length), wrote(fd, -1, bytes, result))
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
  RECORDED(ssize_t, fd, REAL(pwrite)(fd, bytes, length, offset), wrote(fd, offset, bytes, result))
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
  RECORDED(ssize_t, fd, REAL(pwrite64)(fd, bytes, length, offset), wrote(fd, offset, bytes, result))
}

static void wrote_parts(int fd, int64_t offset, const struct iovec *parts, int count, ssize_t length) {
  if (length <= 0) return;
  char *all = malloc(length), *end = all;
  for (int i = 0; i < count && end < all + length; i++) {
    size_t left = all + length - end, part = parts[i].iov_len < left ? parts[i].iov_len : left;
    memcpy(end, parts[i].iov_base, part);
    end += part;
  }
  wrote(fd, offset, all, length);
  free(all);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  RECORDED(ssize_t, fd, REAL(writev)(fd, parts, count), wrote_parts(fd, -1, parts, count, result))
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
  RECORDED(ssize_t, fd, REAL(pwritev)(fd, parts, count, offset), wrote_parts(fd, offset, parts, count, result))
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
  RECORDED(ssize_t, fd, REAL(pwritev64)(fd, parts, count, offset), wrote_parts(fd, offset, parts, count, result))
}

static void done(int failed, enum op op, int fd, int64_t offset) {
  if (failed == 0) record(op, fd, offset, NULL, 0);
}
int ftruncate(int fd, off_t size) { RECORDED(int, fd, REAL(ftruncate)(fd, size), done(result, TRUNCATE, fd, size)) }
int ftruncate64(int fd, off64_t size) { RECORDED(int, fd, REAL(ftruncate64)(fd, size), done(result, TRUNCATE, fd, size)) }
int fsync(int fd) { RECORDED(int, fd, REAL(fsync)(fd), done(result, SYNC, fd, 0)) }
int fdatasync(int fd) { RECORDED(int, fd, REAL(fdatasync)(fd), done(result, SYNC, fd, 0)) }

/* Nothing under test is known to call these: a record that held one is refused when it is replayed. */
int fallocate(int fd, int mode, off_t offset, off_t length) {
  RECORDED(int, fd, REAL(fallocate)(fd, mode, offset, length), done(result, UNKNOWN, fd, 0))
}
int fallocate64(int fd, int mode, off64_t offset, off64_t length) {
  RECORDED(int, fd, REAL(fallocate64)(fd, mode, offset, length), done(result, UNKNOWN, fd, 0))
}
int posix_fallocate(int fd, off_t offset, off_t length) {
  RECORDED(int, fd, REAL(posix_fallocate)(fd, offset, length), done(result, UNKNOWN, fd, 0))
}
int posix_fallocate64(int fd, off64_t offset, off64_t length) {
  RECORDED(int, fd, REAL(posix_fallocate64)(fd, offset, length), done(result, UNKNOWN, fd, 0))
}
ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *to_at, size_t length, unsigned flags) {
  RECORDED(ssize_t, to, REAL(copy_file_range)(from, at, to, to_at, length, flags), done(0, UNKNOWN, to, 0))
}

static void moved(int failed, enum op op, const char *from, const char *to) {
  if (failed != 0) return;
  char both[2 * PATH_MAX];
  const char *a = below(from), *b = to ? below(to) : NULL;
  int length = to ? snprintf(both, sizeof both, "%s\n%s", a ? a : "", b ? b : "") : snprintf(both, sizeof both, "%s", a);
  record(op, -1, 0, both, length);
}
#define MOVED(path, call, after)           \
  if (!below(path)) return call;           \
  pthread_mutex_lock(&lock);               \
  int result = call;                       \
  int failed = errno;                      \
  after;                                   \
  pthread_mutex_unlock(&lock);             \
  errno = failed;                          \
  return result;

int link(const char *from, const char *to) { MOVED(from, REAL(link)(from, to), moved(result, LINK, from, to)) }
int rename(const char *from, const char *to) { MOVED(from, REAL(rename)(from, to), moved(result, RENAME, from, to)) }
int unlink(const char *path) { MOVED(path, REAL(unlink)(path), moved(result, UNLINK, path, NULL)) }
/* Node.js 24 removes files in this way; what the C library calls within is not seen here. */
int remove(const char *path) { MOVED(path, REAL(remove)(path), moved(result, UNLINK, path, NULL)) }
int unlinkat(int at, const char *path, int flags) {
  MOVED(path, REAL(unlinkat)(at, path, flags), moved(result, UNLINK, path, NULL))
}
