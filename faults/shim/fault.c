/*
 * Lets the Nth call of a kind on a kind of file fail, once or until it is healed: for trials of disks that fail.
 *
 * FAULTS_FOLDER   below which files are concerned, absolute
 * FAULTS_CONTROL  a file of 32-bit numbers, shared with the process under test, which writes to it at any time:
 *   [0] armed  [1] which calls, as bits  [2] which files, as bits  [3] the first call that fails, from 1
 *   [4] how many calls fail  [5] errno; 0: the call does half of its work  [6] calls seen since armed  [7] calls failed
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum call { OPEN = 1, READ = 2, WRITE = 4, SYNC = 8, TRUNCATE = 16, UNLINK = 32, LINK = 64 };
enum file { DB = 1, WAL = 2, INDEX = 4, DRAFT = 8, LOCK = 16, FOLDER = 32 };
struct control {
  volatile uint32_t armed, calls, files, first, many, error, seen, failed;
};

#define MOST_FDS 8192
static unsigned char files[MOST_FDS];
static struct control *control;
static const char *folder;
static size_t folder_length;

/* Looked up once at each place: dlsym takes a lock, and a signal that comes while it holds it calls read and write too. */
#define REAL(name) \
  ({ static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name); real; })

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("FAULTS_CONTROL");
  folder = getenv("FAULTS_FOLDER");
  if (!path || !folder) return;
  folder_length = strlen(folder);
  int fd = REAL(open64)(path, O_RDWR | O_CLOEXEC);
  void *shared = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  REAL(close)(fd);
  if (shared != MAP_FAILED) control = shared;
}

static int ends(const char *path, const char *with) {
  size_t a = strlen(path), b = strlen(with);
  return a >= b && strcmp(path + a - b, with) == 0;
}

/* Which kind of file it is; 0 for what is not ours. */
static int kind_of(const char *path) {
  if (!control || !path || strncmp(path, folder, folder_length) != 0) return 0;
  if (strstr(path, "-new")) return DRAFT;
  if (strstr(path, "-session-") || strstr(path, "-creating")) return LOCK;
  if (ends(path, "-wal")) return WAL;
  if (ends(path, "-shm")) return INDEX;
  return ends(path, ".db") ? DB : FOLDER;
}
static int kind_of_fd(int fd) { return fd >= 0 && fd < MOST_FDS ? files[fd] : 0; }

/* Whether this call is to fail. */
static int fails(enum call call, int kind) {
  if (!kind || !control->armed || !(control->calls & call) || !(control->files & kind)) return 0;
  uint32_t seen = __atomic_add_fetch(&control->seen, 1, __ATOMIC_SEQ_CST);
  if (seen < control->first || seen - control->first >= control->many) return 0;
  __atomic_add_fetch(&control->failed, 1, __ATOMIC_SEQ_CST);
  errno = control->error;
  return 1;
}
static int is_half(void) { return control->error == 0; }

static int open_or_fail(const char *path, int flags, mode_t mode) {
  int kind = kind_of(path);
  if (fails(OPEN, kind)) return -1;
  int fd = REAL(open64)(path, flags, mode);
  if (fd >= 0 && fd < MOST_FDS) files[fd] = kind;
  return fd;
}
#define OPEN_LIKE(name)                                                     \
  int name(const char *path, int flags, ...) {                              \
    va_list rest;                                                           \
    va_start(rest, flags);                                                  \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                                           \
    return open_or_fail(path, flags, mode);                                 \
  }
OPEN_LIKE(open)
OPEN_LIKE(open64)
int __open_2(const char *path, int flags) { return open_or_fail(path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_or_fail(path, flags, 0); }

static void closing(int fd) {
  if (fd >= 0 && fd < MOST_FDS) files[fd] = 0;
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

#define HALF(length) (fails_now ? ((length) + 1) / 2 : (length))
#define MAY_FAIL(call, fd, length_call)                        \
  int fails_now = fails(call, kind_of_fd(fd));                 \
  if (fails_now && !is_half()) return -1;                      \
  return length_call;

ssize_t read(int fd, void *to, size_t n) { MAY_FAIL(READ, fd, REAL(read)(fd, to, HALF(n))) }
ssize_t pread(int fd, void *to, size_t n, off_t at) { MAY_FAIL(READ, fd, REAL(pread)(fd, to, HALF(n), at)) }
ssize_t pread64(int fd, void *to, size_t n, off64_t at) { MAY_FAIL(READ, fd, REAL(pread64)(fd, to, HALF(n), at)) }
ssize_t write(int fd, const void *from, size_t n) { MAY_FAIL(WRITE, fd, REAL(write)(fd, from, HALF(n))) }
ssize_t pwrite(int fd, const void *from, size_t n, off_t at) { MAY_FAIL(WRITE, fd, REAL(pwrite)(fd, from, HALF(n), at)) }
ssize_t pwrite64(int fd, const void *from, size_t n, off64_t at) {
  MAY_FAIL(WRITE, fd, REAL(pwrite64)(fd, from, HALF(n), at))
}

#define FAILS(call, kind, otherwise)       \
  if (fails(call, kind) && !is_half()) return -1; \
  return otherwise;
int fsync(int fd) { FAILS(SYNC, kind_of_fd(fd), REAL(fsync)(fd)) }
int fdatasync(int fd) { FAILS(SYNC, kind_of_fd(fd), REAL(fdatasync)(fd)) }
int ftruncate(int fd, off_t size) { FAILS(TRUNCATE, kind_of_fd(fd), REAL(ftruncate)(fd, size)) }
int ftruncate64(int fd, off64_t size) { FAILS(TRUNCATE, kind_of_fd(fd), REAL(ftruncate64)(fd, size)) }
int unlink(const char *path) { FAILS(UNLINK, kind_of(path), REAL(unlink)(path)) }
/* Node.js 24 removes files in this way. */
int remove(const char *path) { FAILS(UNLINK, kind_of(path), REAL(remove)(path)) }
int link(const char *from, const char *to) { FAILS(LINK, kind_of(from), REAL(link)(from, to)) }
int rename(const char *from, const char *to) { FAILS(LINK, kind_of(from), REAL(rename)(from, to)) }
