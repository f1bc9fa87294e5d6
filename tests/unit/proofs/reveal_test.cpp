#include "proofs/reveal.hpp"

#include <algorithm>

#include "core/hash.hpp"
#include "support/refused.hpp"

namespace holdfast {
namespace {

using nlohmann::json;
using test::fixed;
using test::hex;

struct RevealCase {
    json file = test::load_vectors("entropy.json");
    json c = file["cases"]["reveals"];
    NetworkParams params = test::network_of(file).params;
    NetworkId id = params.id();
    KeyPair key = KeyPair::from_secret(hex(c["secret_key"]));
    Digest owner = fixed<Digest>(c["owner"]);
    Height base{c["base"].get<std::uint64_t>()};
};

TEST(Reveal, TheChainOfTheVectors) {
    RevealCase v;
    EXPECT_EQ(reveal_end(v.id, view(v.owner), v.base, v.key).value(), fixed<Reveal>(v.c["end"]));
    RevealChain chain = RevealChain::make(v.id, v.owner, v.base, v.key).value();
    const json& a = v.c["a"];
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(chain.at(i), fixed<Reveal>(a[i])) << i;
    EXPECT_EQ(chain.commitment(), fixed<Reveal>(a[0]));
    EXPECT_EQ(chain.at(kRevealChainLength), fixed<Reveal>(v.c["end"]));
    EXPECT_EQ(*chain.at_height(v.base + 7), fixed<Reveal>(a[7]));
    EXPECT_EQ(*chain.at_height(v.base), chain.commitment());
    EXPECT_EQ(chain.at_height(v.base - 1).error().reason, Reason::kRevealExhausted);
    EXPECT_TRUE(chain.at_height(v.base + kRevealChainLength));
    EXPECT_EQ(chain.at_height(v.base + kRevealChainLength + 1).error().reason,
              Reason::kRevealExhausted);
    // Both sides of a stored element.
    for (const std::uint64_t i : {1'023U, 1'024U, 1'025U, 777'777U}) {
        EXPECT_EQ(reveal_before(v.id, view(v.owner), i, chain.at(i)), chain.at(i - 1)) << i;
    }
}

TEST(Reveal, AnyElementTakesAtMost1024HashesOnceTheChainIsBuilt) {
    RevealCase v;
    RevealChain chain = RevealChain::make(v.id, v.owner, v.base, v.key).value();
    EXPECT_EQ(chain.hashes(), 0U);
    (void)chain.commitment();
    EXPECT_EQ(chain.hashes(), kRevealChainLength);
    std::uint64_t most = 0;
    for (std::uint64_t i = 0; i < kRevealChainLength; i += 997) {
        const std::uint64_t before = chain.hashes();
        (void)chain.at(i);
        most = std::max(most, chain.hashes() - before);
    }
    for (const std::uint64_t i : {1U, 1'023U, 1'024U, 1'025U, 1'048'575U, 1'048'576U}) {
        const std::uint64_t before = chain.hashes();
        // As many as lie between the element and the stored one above it.
        (void)chain.at(i);
        EXPECT_EQ(chain.hashes() - before, (1'024 - i % 1'024) % 1'024) << i;
        most = std::max(most, chain.hashes() - before);
    }
    EXPECT_LE(most, 1'024U);
    EXPECT_EQ(most, 1'023U);
}

TEST(Reveal, ChecksOfTheVectors) {
    RevealCase v;
    for (const auto& check : v.c["checks"]) {
        const KnownReveal known{check["known_i"].get<std::uint64_t>(),
                                fixed<Reveal>(check["known"])};
        const Verdict verdict =
            check_reveal(v.id, view(v.owner), known, check["i"].get<std::uint64_t>(),
                         fixed<Reveal>(check["reveal"]), reveal_limit(v.params));
        EXPECT_EQ(verdict.accepted(), check["holds"].get<bool>()) << check;
    }
}

TEST(Reveal, TheLimitHoldsInBothDirections) {
    RevealCase v;
    const json& a = v.c["a"];
    const KnownReveal known{10, fixed<Reveal>(a[10])};
    const auto reason = [&](std::uint64_t i, std::uint64_t limit) {
        return check_reveal(v.id, view(v.owner), known, i, fixed<Reveal>(a[i]), limit).reason;
    };
    EXPECT_EQ(reason(20, 10), Reason::kOk);
    EXPECT_EQ(reason(20, 9), Reason::kRevealTooFar);
    EXPECT_EQ(reason(0, 10), Reason::kOk);
    EXPECT_EQ(reason(0, 9), Reason::kRevealTooFar);
    EXPECT_EQ(reason(10, 0), Reason::kOk);
    const auto other = [&](std::uint64_t i) {
        return check_reveal(v.id, view(v.owner), known, i, fixed<Reveal>(a[30]), 100).reason;
    };
    EXPECT_EQ(other(10), Reason::kBadReveal);
    EXPECT_EQ(other(9), Reason::kBadReveal);
    EXPECT_EQ(other(31), Reason::kBadReveal);
    EXPECT_EQ(other(kRevealChainLength), Reason::kRevealTooFar);
    EXPECT_EQ(other(kRevealChainLength + 1), Reason::kRevealExhausted);
    EXPECT_EQ(other(UINT64_MAX), Reason::kRevealExhausted);
}

TEST(Reveal, ManyAtOnceHaveTheVerdictsOfEachAlone) {
    RevealCase v;
    RevealChain chain = RevealChain::make(v.id, v.owner, v.base, v.key).value();
    const KnownReveal known{50, chain.at(50)};
    const std::uint64_t limit = 100;
    std::vector<KnownReveal> elements;
    for (const std::uint64_t i : {120U, 90U, 50U, 51U, 149U, 150U, 151U, 20U, 0U, 1'048'577U}) {
        const Reveal a = i <= kRevealChainLength ? chain.at(i) : Reveal();
        elements.push_back({i, a});
        elements.push_back({i, a});
        elements.push_back({i, a});
        elements.back().a[3] ^= 1;
    }
    const auto alone = [&](const KnownReveal& e) {
        return check_reveal(v.id, view(v.owner), known, e.i, e.a, limit);
    };
    std::uint64_t hashes = 0;
    const auto verdicts = check_reveals(v.id, view(v.owner), known, elements, limit, hashes);
    ASSERT_EQ(verdicts.size(), elements.size());
    for (std::size_t k = 0; k < elements.size(); ++k) {
        EXPECT_EQ(verdicts[k], alone(elements[k])) << elements[k].i << ", element " << k;
    }
    // Those that are right share one walk.
    std::vector<KnownReveal> right;
    for (std::uint64_t i = 51; i <= 150; ++i) right.push_back({i, chain.at(i)});
    hashes = 0;
    const auto all = check_reveals(v.id, view(v.owner), known, right, limit, hashes);
    EXPECT_EQ(std::count(all.begin(), all.end(), Verdict::ok()), 100);
    EXPECT_EQ(hashes, 100U);
}

TEST(Reveal, AnotherOwnerNetworkOrBaseHasAnotherChain) {
    RevealCase v;
    const KnownReveal known{0, fixed<Reveal>(v.c["a"][0])};
    const Reveal next = fixed<Reveal>(v.c["a"][1]);
    Digest owner = v.owner;
    owner[0] ^= 1;
    EXPECT_EQ(check_reveal(v.id, view(owner), known, 1, next, 10), Verdict(Reason::kBadReveal));
    NetworkId id = v.id;
    id[0] ^= 1;
    EXPECT_EQ(check_reveal(id, view(v.owner), known, 1, next, 10), Verdict(Reason::kBadReveal));
    EXPECT_NE(reveal_end(v.id, view(v.owner), v.base + 1, v.key).value(),
              fixed<Reveal>(v.c["end"]));
}

TEST(Reveal, BareStepsBridgeALongSilence) {
    RevealCase v;
    const json& a = v.c["a"];
    KnownReveal known{0, fixed<Reveal>(a[0])};
    const std::uint64_t limit = 15;
    EXPECT_EQ(check_reveal(v.id, view(v.owner), known, 40, fixed<Reveal>(a[40]), limit).reason,
              Reason::kRevealTooFar);
    for (const std::uint64_t i : {15U, 30U}) {
        const RevealStep step{v.owner, i, fixed<Reveal>(a[i])};
        const Bytes bytes = step.encode();
        ASSERT_EQ(bytes.size(), 72U);
        const auto back = RevealStep::decode(bytes);
        ASSERT_TRUE(back);
        EXPECT_EQ(*back, step);
        ASSERT_TRUE(check_reveal(v.id, view(back->owner), known, back->i, back->a, limit));
        known = {back->i, back->a};
    }
    EXPECT_TRUE(check_reveal(v.id, view(v.owner), known, 40, fixed<Reveal>(a[40]), limit));
    EXPECT_EQ(
        RevealStep::decode(RevealStep{v.owner, kRevealChainLength + 1, {}}.encode()).error().reason,
        Reason::kRevealExhausted);
    Bytes bytes = RevealStep{v.owner, 1, {}}.encode();
    EXPECT_EQ(RevealStep::decode(ByteView(bytes).first(71)).error().reason, Reason::kTruncated);
    bytes.push_back(0);
    EXPECT_EQ(RevealStep::decode(bytes).error().reason, Reason::kTrailingBytes);
}

}  // namespace
}  // namespace holdfast
