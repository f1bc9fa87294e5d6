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
    # Without these it keeps nothing that is compiled with headers parsed in advance.
    export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros,include_file_mtime,include_file_ctime}
fi

say() { printf '== %s\n' "$*"; }

# build PRESET [-DNAME=VALUE…] [ARGUMENT…]: configures with the settings and builds with the arguments;
# says every few seconds how far it is.
build() (
    set -o pipefail
    preset=$1
    settings=()
    shift
    while [[ ${1:-} == -D* ]]; do settings+=("$1") && shift; done
    cmake --preset "$preset" "${settings[@]}" >/dev/null &&
        NINJA_STATUS='[%f/%t] ' cmake --build --preset "$preset" -j "$(jobs)" "$@" 2>&1 | build_progress
)

# Of ninja's lines the steps become one line in five seconds; a compiler's messages pass as they are.
build_progress() {
    local line status started=$SECONDS said=$((SECONDS - 5)) finished=0 total=0 spent left
    while true; do
        if IFS= read -r -t 1 line; then
            if [[ $line =~ ^\[([0-9]+)/([0-9]+)\]\  ]]; then
                finished=${BASH_REMATCH[1]} total=${BASH_REMATCH[2]}
            else
                printf '%s\n' "$line"
            fi
        else
            status=$?  # above 128: no whole line within the second
            [ -z "$line" ] || printf '%s' "$line"
            [ "$status" -gt 128 ] || break
        fi
        [ "$total" -gt 0 ] || continue
        [ $((SECONDS - said)) -ge 5 ] || [ "$finished" -eq "$total" ] || continue
        said=$SECONDS spent=$((SECONDS - started)) left=
        [ "$finished" -lt 3 ] || left=", about $((spent * (total - finished) / finished)) s left"
        printf '   building: %3d%%, %d of %d steps, %d s%s\n' \
            $((100 * finished / total)) "$finished" "$total" "$spent" "$left"
        [ "$finished" -lt "$total" ] || total=0
    done
}

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
