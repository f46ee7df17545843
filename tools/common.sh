# Shared by the scripts beside it. Sourced, not run; leaves the caller in the project's root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Debian's own, which python3-pytest belongs to: another python3 may come first in PATH.
python=/usr/bin/python3
jobs=$(nproc)

# CMake reads this when it configures a folder for the first time.
if command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi

# configure PRESET: makes build/PRESET if it is not there. Ninja runs CMake again when a CMakeLists.txt changed.
configure() {
  local log
  [ -f "build/$1/build.ninja" ] && return
  log=$(cmake --preset "$1" 2>&1) || { printf '%s\n' "$log"; return 1; }
}

# build PRESET [TARGET...]: without a target, everything.
build() {
  local preset=$1
  shift
  configure "$preset"
  cmake --build "build/$preset" --parallel "$jobs" ${1:+--target "$@"}
}

# build_unit_tests PRESET: the programs behind the label "unit": the rooms' tests, and the fuzzers, which
# replay their corpus there.
build_unit_tests() {
  local targets
  configure "$1"
  mapfile -t targets < <(ninja -C "build/$1" -t targets all | sed -n 's/^\(unit_[a-z_]*\|[a-z_]*_fuzzer\): phony$/\1/p')
  build "$1" "${targets[@]}"
}
