# Sourced by the scripts of this folder and by .ci/run: where things are, and small helpers.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export DEBIAN_FRONTEND=noninteractive
export CTEST_OUTPUT_ON_FAILURE=1

# Compilers need about a gigabyte each: no more at once than memory or cores allow.
jobs() {
    local cores memory_gib
    cores=$(nproc)
    memory_gib=$(awk '/MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
    [ "$memory_gib" -ge 1 ] || memory_gib=1
    echo "${HOLDFAST_JOBS:-$((cores < memory_gib ? cores : memory_gib))}"
}

if command -v ccache >/dev/null 2>&1; then
    export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi

say() { printf '== %s\n' "$*"; }

# count_tests LOG: prints "PASSED FAILED" from what ctest wrote; "0 1" where it did not get that far.
count_tests() {
    awk '/tests passed, [0-9]+ tests? failed out of [0-9]+/ {
             for (i = 1; i <= NF; i++) {
                 if ($i == "passed,") failed = $(i + 1)
                 if ($i == "of") total = $(i + 1)
             }
             found = 1
         }
         END { if (found && total > 0) print total - failed, failed; else print 0, 1 }' "$1"
}
