// Writes a recording of a run that never was (simulation.h), for measuring what reads recordings:
// long_recording OUT.gilspy SECONDS THREADS [SLICE_MS].

#include <fcntl.h>

#include <cstdio>
#include <cstdlib>

#include "gilspy/recording/writer.h"
#include "simulation.h"

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("usage: long_recording OUT.gilspy SECONDS THREADS [SLICE_MS]\n", stderr);
    return 2;
  }
  gilspy::UniqueFd file{::open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)};
  if (file.get() < 0) {
    std::perror(argv[1]);
    return 1;
  }
  gilspy::RecordingWriter writer{std::move(file)};
  const int slice = argc > 4 ? std::atoi(argv[4]) : 5;
  gilspy::bench::Simulation{writer, std::atoi(argv[3]), slice}.run(std::atoi(argv[2]) * 1000);
  writer.flush();
  return writer.error() == 0 ? 0 : 1;
}
