// A library whose function keeps a CPU busy, built with debug information: see tests/live/test_native.py.
#include <time.h>

static volatile unsigned long turns;

void spin(long milliseconds) {
  struct timespec begin, now;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  do {
    for (int i = 0; i < 100000; ++i) ++turns;  // here
    clock_gettime(CLOCK_MONOTONIC, &now);
  } while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < milliseconds);
}
