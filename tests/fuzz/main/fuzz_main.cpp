// One target under libFuzzer; which one is set when it is compiled.
#include <cstdlib>
#include <cstring>

#include "fuzz/targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const holdfast::fuzz::Target* const target = [] {
        for (const auto& candidate : holdfast::fuzz::targets()) {
            if (std::strcmp(candidate.name, HOLDFAST_FUZZ_TARGET) == 0) return &candidate;
        }
        std::abort();
    }();
    target->run({data, size});
    return 0;
}
