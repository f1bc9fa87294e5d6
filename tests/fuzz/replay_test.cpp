// The fuzz targets as ordinary tests: over the committed corpus, every cut and extension of it, and
// a fixed set of random mutations.
#include <gtest/gtest.h>

#include <random>

#include "fuzz/targets.hpp"
#include "support/paths.hpp"
#include "support/temp_folder.hpp"

namespace holdfast::fuzz {
namespace {

std::vector<Bytes> corpus(const Target& target) {
    const auto folder =
        std::filesystem::path(test::kVectorsFolder) / "../fuzz/corpus" / target.name;
    std::vector<Bytes> out;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        out.push_back(test::slurp(entry.path()));
    }
    return out;
}

Bytes mutated(Bytes input, std::mt19937_64& random) {
    for (std::uint64_t n = random() % 4 + 1; n > 0 && !input.empty(); --n) {
        const std::size_t at = random() % input.size();
        switch (random() % 4) {
            case 0:
                input[at] ^= static_cast<std::uint8_t>(1U << (random() % 8));
                break;
            case 1:
                input[at] = static_cast<std::uint8_t>(random());
                break;
            case 2:
                input.resize(at);
                break;
            default:
                input.insert(input.end(), random() % 40, static_cast<std::uint8_t>(random()));
        }
    }
    return input;
}

TEST(FuzzReplay, EveryTargetHoldsOverItsCorpus) {
    for (const Target& target : targets()) {
        SCOPED_TRACE(target.name);
        const std::vector<Bytes> inputs = corpus(target);
        ASSERT_FALSE(inputs.empty());
        std::mt19937_64 random(11);
        target.run({});
        for (const Bytes& input : inputs) {
            target.run(input);
            const std::size_t step = std::max<std::size_t>(1, input.size() / 256);
            for (std::size_t n = 0; n < input.size(); n += step) {
                target.run(ByteView(input).first(n));
            }
            for (int round = 0; round < 100; ++round) target.run(mutated(input, random));
        }
    }
}

}  // namespace
}  // namespace holdfast::fuzz
