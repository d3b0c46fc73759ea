// Runs shell scripts for the lab: requests and answers are lines on the virtio-serial port "lab", many may be under way at once.
//
//   request:  ID TIMEOUT_MS BASE64(script)\n                  TIMEOUT_MS 0: none; ID: any word up to 63 bytes
//   answer:   ID CODE BASE64(stdout) BASE64(stderr)\n         "-" stands for empty; CODE 128+n: signal n; 124: out of time, killed
//
// Each request has a process of its own that writes one whole answer under a lock. A read of no bytes means that no client is
// connected: half a line is dropped then. Lines that are no request are ignored, so a client starts with "\n".
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char PORT[] = "/dev/virtio-ports/lab", LOCK[] = "/run/lab-agent.lock";
static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static size_t decode(char *text) {
  unsigned bits = 0, have = 0;
  size_t length = 0;
  for (char *from = text; *from && *from != '='; from++) {
    const char *digit = strchr(DIGITS, *from);
    if (!digit) continue;
    bits = bits << 6 | (unsigned)(digit - DIGITS);
    have += 6;
    if (have >= 8) text[length++] = (char)(bits >> (have -= 8));
  }
  return length;
}

static char *encode(char *to, const unsigned char *from, size_t length) {
  if (length == 0) *to++ = '-';
  for (size_t at = 0; at < length; at += 3) {
    size_t left = length - at;
    unsigned bits = from[at] << 16 | (left > 1 ? from[at + 1] << 8 : 0) | (left > 2 ? from[at + 2] : 0);
    *to++ = DIGITS[bits >> 18];
    *to++ = DIGITS[bits >> 12 & 63];
    *to++ = left > 1 ? DIGITS[bits >> 6 & 63] : '=';
    *to++ = left > 2 ? DIGITS[bits & 63] : '=';
  }
  return to;
}

static int run_script(const char *script, size_t length, long timeout_ms, const int output[2]) {
  int file = memfd_create("script", 0);
  if (write(file, script, length) != (ssize_t)length) return 125;
  char path[32];
  snprintf(path, sizeof path, "/dev/fd/%d", file);
  sigset_t child_ended;
  sigemptyset(&child_ended);
  sigaddset(&child_ended, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child_ended, NULL);
  pid_t child = fork();
  if (child == 0) {
    sigprocmask(SIG_UNBLOCK, &child_ended, NULL);
    setsid();
    dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
    dup2(output[0], 1);
    dup2(output[1], 2);
    execl("/bin/bash", "bash", path, NULL);
    _exit(126);
  }
  struct timespec limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000000};
  if (timeout_ms > 0 && sigtimedwait(&child_ended, NULL, &limit) < 0) {
    kill(-child, SIGKILL);
    waitpid(child, NULL, 0);
    return 124;
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static unsigned char *map_output(int file, size_t *length) {
  struct stat facts;
  fstat(file, &facts);
  *length = (size_t)facts.st_size;
  return *length ? mmap(NULL, *length, PROT_READ, MAP_PRIVATE, file, 0) : NULL;
}

static void answer(int port, char *request) {
  char id[64];
  long timeout_ms = 0;
  int script_at = 0;
  if (sscanf(request, "%63s %ld %n", id, &timeout_ms, &script_at) < 2 || script_at == 0) return;
  char *script = request + script_at;
  int output[2] = {memfd_create("stdout", MFD_CLOEXEC), memfd_create("stderr", MFD_CLOEXEC)};
  fcntl(output[0], F_SETFL, O_APPEND);
  fcntl(output[1], F_SETFL, O_APPEND);
  int code = run_script(script, decode(script), timeout_ms, output);
  size_t out_length, error_length;
  unsigned char *out = map_output(output[0], &out_length), *error = map_output(output[1], &error_length);
  char *line = malloc((out_length + error_length) * 4 / 3 + 128), *end = line;
  end += sprintf(end, "%s %d ", id, code);
  end = encode(end, out, out_length);
  *end++ = ' ';
  end = encode(end, error, error_length);
  *end++ = '\n';
  flock(open(LOCK, O_CREAT | O_RDWR | O_CLOEXEC, 0600), LOCK_EX);
  for (ssize_t wrote; line < end; line += wrote > 0 ? wrote : 0) {
    wrote = write(port, line, (size_t)(end - line));
    if (wrote <= 0) usleep(20000);
  }
}

int main(void) {
  int port;
  while ((port = open(PORT, O_RDWR | O_CLOEXEC)) < 0) usleep(50000);
  signal(SIGCHLD, SIG_IGN);
  size_t room = 1 << 20, used = 0;
  char *buffer = malloc(room);
  for (;;) {
    if (room - used < 1 << 16) buffer = realloc(buffer, room *= 2);
    ssize_t got = read(port, buffer + used, room - used - 1);
    if (got <= 0) {
      used = 0;
      usleep(20000);
      continue;
    }
    char *end, *start = buffer, *fresh = buffer + used;
    used += (size_t)got;
    buffer[used] = 0;
    while ((end = memchr(fresh, '\n', (size_t)(buffer + used - fresh)))) {
      *end = 0;
      if (end > start && fork() == 0) {
        signal(SIGCHLD, SIG_DFL);
        answer(port, start);
        _exit(0);
      }
      start = fresh = end + 1;
    }
    used -= (size_t)(start - buffer);
    memmove(buffer, start, used);
  }
}
