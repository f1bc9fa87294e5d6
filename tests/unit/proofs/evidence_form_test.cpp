#include <gtest/gtest.h>

#include <random>

#include "support/evidence_world.hpp"

namespace holdfast {
namespace {

using namespace test;

TEST(EvidenceForm, RefusesOtherKinds) {
    for (int kind = 0; kind < 256; ++kind) {
        if (kind >= 1 && kind <= 11) continue;
        Writer w;
        w.u8(static_cast<std::uint8_t>(kind)).u64(0);
        EXPECT_EQ(Evidence::decode(w.bytes()).error().reason, Reason::kBadKind);
    }
    for (std::uint8_t kind = 1; kind <= 11; ++kind) {
        EXPECT_NE(to_string(static_cast<EvidenceKind>(kind)), "unknown");
        Writer w;
        w.u8(kind).u64(UINT64_MAX);
        EXPECT_EQ(Evidence::decode(w.bytes()).error().reason, Reason::kTruncated);
    }
}

TEST(EvidenceForm, WhatDecodesEncodesToTheSameBytes) {
    std::mt19937_64 random(1);
    int decoded_count = 0;
    for (int round = 0; round < 20'000; ++round) {
        // Lengths near those of the kinds' bodies, contents anything.
        static constexpr std::size_t kSizes[] = {336, 329, 417, 305, 296, 800, 970, 1'334};
        Bytes body(kSizes[random() % std::size(kSizes)] + random() % 3 - 1);
        for (std::size_t i = 0; i < body.size(); i += 8) {
            store_le64(body.data() + std::min(i, body.size() - 8), random());
        }
        const auto kind = static_cast<std::uint8_t>(1 + random() % 8);
        body[0] = kind == 5 ? static_cast<std::uint8_t>(1 + random() % 2) : body[0];
        if (kind == 2 && body.size() > 296) body[296] = static_cast<std::uint8_t>(1 + random() % 2);
        Writer w;
        w.u8(kind).u64(body.size()).raw(body);
        const auto decoded = Evidence::decode(w.bytes());
        if (!decoded) continue;
        ++decoded_count;
        EXPECT_EQ(decoded->encode(), w.bytes());
        const auto judgement = judge_evidence(evidence_world().knowledge(), *decoded);
        ASSERT_TRUE(judgement.has_value());
        EXPECT_FALSE(judgement->verdict.accepted());
    }
    EXPECT_GT(decoded_count, 500);
}

}  // namespace
}  // namespace holdfast
