// Attack: a third of the challengers' keys call an honest chain late. Simulated over the rule of
// the quorum and the draw by parts, each height one outcome of the victim.
#include <gtest/gtest.h>

#include <iostream>
#include <set>

#include "core/hash.hpp"
#include "proofs/availability_verify.hpp"

namespace holdfast::test {
namespace {

struct Keys {
    std::uint64_t count;
    std::uint64_t part;
};

/// Share of heights in which the victim is suspended.
double suspended_share(const Keys& honest, const Keys& lying,
                       NetworkParams params = NetworkParams::preset(kParamsVersion2)) {
    params.quorum_window = 200;
    const NetworkId network(tagged_hash("test/slander"));
    const ChainId victim(tagged_hash("test/victim"));
    std::vector<ChallengerPart> all;
    std::set<PublicKey> liars;
    for (std::uint64_t n = 0; n < honest.count + lying.count; ++n) {
        PublicKey key;
        key.bytes = tagged_hash("test/challenger", n).bytes;
        const bool lies = n >= honest.count;
        all.push_back({key, lies ? lying.part : honest.part});
        if (lies) liars.insert(key);
    }
    const ChallengerDraw draw(all);
    constexpr std::uint64_t kHeights = 6'000;
    std::vector<OutcomeRecord> outcomes;
    std::uint64_t suspended = 0;
    for (std::uint64_t h = 1; h <= kHeights; ++h) {
        const VdfOutput y(tagged_hash("test/y", h));
        const PublicKey who = draw.assigned(network, y, victim).value();
        outcomes.push_back(
            {Height(h), who, liars.contains(who) ? OutcomeKind::kLate : OutcomeKind::kServed});
        if (outcomes.size() > params.quorum_window) outcomes.erase(outcomes.begin());
        suspended += suspended_by_quorum(params, Height(h), outcomes) ? 1 : 0;
    }
    return static_cast<double>(suspended) / kHeights;
}

TEST(SlanderByManyKeys, AThirdOfThePartsSuspendsAnHonestChainInUnderOnePerCentOfHeights) {
    const double by_parts = suspended_share({90, 20'000}, {45, 20'000});
    EXPECT_LT(by_parts, 0.015);
    // Keys of the least part are worth what they have at stake.
    const double by_keys = suspended_share({90, 20'000}, {45, 1'000});
    EXPECT_EQ(by_keys, 0);
    // One voice for each key, as in the first draft, with 3 of 5.
    NetworkParams naive = NetworkParams::preset(kParamsVersion1);
    EXPECT_GT(suspended_share({90, 20'000}, {45, 20'000}, naive), 0.15);
    std::cout << "suspended: a third of the parts " << by_parts << ", a third of the keys "
              << by_keys << "\n";
}

TEST(SlanderByManyKeys, DoesNotOverrunAFewLargeHonestKeys) {
    EXPECT_EQ(suspended_share({2, 450'000}, {45, 1'000}), 0);
    EXPECT_GT(suspended_share({2, 450'000}, {45, 1'000}, NetworkParams::preset(kParamsVersion1)),
              0.3)
        << "one voice for each key";
}

}  // namespace
}  // namespace holdfast::test
