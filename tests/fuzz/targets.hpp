// What is fuzzed: every decoder of bytes from strangers, and the verifiers behind it.
//
// A target ends the process when a promise is broken: decoding and encoding give the same bytes
// again, and verifying whatever was decoded ends with a verdict. tests/fuzz/main/fuzz_main.cpp runs
// one under libFuzzer (-DHOLDFAST_FUZZ=ON with clang), replay_test.cpp all of them over the
// committed corpus and over mutations of it.
#pragma once

#include <span>

#include "core/types.hpp"

namespace holdfast::fuzz {

struct Target {
    const char* name;  // of the folder in tests/fuzz/corpus, too
    void (*run)(ByteView input);
};
std::span<const Target> targets();

}  // namespace holdfast::fuzz
