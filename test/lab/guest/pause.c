// Does nothing until it is told to stop: the pause image's only program, and `stay` of the tools image.
// With the argument --ignore-term it does not stop at SIGTERM, for pods that must end slowly.
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void stop(int number) {
  (void)number;
  _exit(0);
}

static void reap(int number) {
  (void)number;
  while (waitpid(-1, NULL, WNOHANG) > 0) continue;
}

int main(int count, char **words) {
  int ignores = count > 1 && strcmp(words[1], "--ignore-term") == 0;
  signal(SIGTERM, ignores ? SIG_IGN : stop);
  signal(SIGINT, stop);
  signal(SIGCHLD, reap);
  for (;;) pause();
}
