// decode(encode(x)) == x for random values x of every format whose form has no condition but its
// lengths, and every cut and every extension of the encoding refused or decoded to itself.
#include "property/random_objects.hpp"

namespace holdfast::property {
namespace {

TEST(RoundTrip, ReceiptsProofsAndWindows) {
    expect_round_trips<Receipt>(receipt);
    expect_round_trips<PathProof>(path_proof);
    expect_round_trips<Compact>(compact, true);
    expect_round_trips<Full>(full, true);
    expect_round_trips<ProofWindow>(window);
}

TEST(RoundTrip, WhatARegistryTakes) {
    expect_round_trips<Update>(update);
    expect_round_trips<Removal>(removal);
    expect_round_trips<Checkpoint>(checkpoint);
}

TEST(RoundTrip, ChallengesAndOutcomes) {
    expect_round_trips<Challenge>(challenge);
    expect_round_trips<Outcome>(outcome);
}

TEST(RoundTrip, BundlesAndWhatComesWithThem) {
    expect_round_trips<Bundle>(bundle);
    expect_round_trips<Member>(member);
    expect_round_trips<ShortCompact>(short_compact, true);
    expect_round_trips<ShortFull>(short_full, true);
    expect_round_trips<Acknowledgement>(acknowledgement);
}

TEST(RoundTrip, WhatNetworksOfVersion2Add) {
    expect_round_trips<JournalHead>(head);
    expect_round_trips<Challenge2>(challenge2);
    expect_round_trips<Outcome2>(outcome2);
}

TEST(RoundTrip, EntriesOfTheJournal) {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        Random r(seed);
        const HistoryEntry entries[] = {
            BlockEntry{Height(r.any()), r.bytes<BlockHash>(), r.any()},
            OutputEntry{Height(r.any()), r.bytes<VdfOutput>()},
            ObjectEntry{wrap_object(Kind::kBundle, bundle(r).encode())},
        };
        for (const HistoryEntry& entry : entries) {
            const Bytes bytes = encode_entry(entry);
            const auto back = decode_entry(bytes);
            ASSERT_TRUE(back) << to_string(back.error());
            EXPECT_EQ(*back, entry);
            for (int round = 0; round < 30; ++round) {
                Bytes changed = bytes;
                changed[r.below(changed.size())] ^= static_cast<std::uint8_t>(1U << r.below(8));
                if (const auto other = decode_entry(changed)) {
                    EXPECT_EQ(encode_entry(*other), changed);
                }
            }
        }
    }
}

TEST(RoundTrip, EvidenceOfTheKindsWithoutConditions) { expect_round_trips<Evidence>(evidence); }

TEST(RoundTrip, ThePathOfALeafOutOfAMultiproof) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        Random r(seed);
        const std::uint64_t leaves = 1 + r.below(70);
        const MerkleTree tree(r.digests(leaves));
        std::vector<std::uint64_t> indices;
        std::vector<Digest> hashes;
        for (std::uint64_t i = 0; i < leaves; ++i) {
            if (r.below(3) != 0 && !(indices.empty() && i + 1 == leaves)) continue;
            indices.push_back(i);
            hashes.push_back(*tree.node(0, i));
        }
        const std::vector<Digest> siblings = tree.multiproof(indices);
        for (std::size_t k = 0; k < indices.size(); ++k) {
            const auto found = path_from_multiproof(leaves, indices, hashes, siblings, k);
            ASSERT_TRUE(found);
            EXPECT_EQ(*found, tree.path(indices[k])) << "seed " << seed;
        }
        EXPECT_EQ(path_from_multiproof(leaves, indices, hashes, siblings, indices.size()).error(),
                  Verdict(Reason::kBadIndex));
        std::vector<Digest> more = siblings;
        more.emplace_back();
        EXPECT_EQ(path_from_multiproof(leaves, indices, hashes, more, 0).error(),
                  Verdict(Reason::kProofLength));
    }
}

}  // namespace
}  // namespace holdfast::property
