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

# build PRESET [TARGET...]: configures build/PRESET if that has not been done, and builds.
# Without a target, everything. Ninja runs CMake again by itself when a CMakeLists.txt changed.
build() {
  local preset=$1
  shift
  if [ ! -f "build/$preset/build.ninja" ]; then
    cmake --preset "$preset" >"build.$preset.log" 2>&1 || { cat "build.$preset.log"; rm "build.$preset.log"; return 1; }
    rm "build.$preset.log"
  fi
  cmake --build "build/$preset" --parallel "$jobs" ${1:+--target "$@"}
}
