// Attack by neglect: an honest object that is larger than what travels. Whatever a network's
// parameters can produce has room in a message; parameters that can produce more are refused.
#include <gtest/gtest.h>

#include "core/hash.hpp"
#include "proofs/journal.hpp"
#include "proofs/seal_proof.hpp"
#include "transport/frame.hpp"

namespace holdfast::test {
namespace {

bool travels(Kind kind, std::size_t body_bytes) {
    Bytes message(2 + body_bytes, 0);
    message[0] = kProtocolVersion;
    message[1] = static_cast<std::uint8_t>(kind);
    return message.size() <= kMaxEntryObjectBytes &&
           header_for_message(FrameType::kRequest, message, FrameBounds{}).has_value();
}

/// The largest of some seal proofs of the largest replica.
std::size_t seal_proof_bytes(const NetworkParams& params, SealProofKind kind) {
    Registration r;
    r.header.data_len = kMaxChunks * kChunkBytes;
    r.header.chunks = ChunkCount(kMaxChunks);
    std::size_t most = 0;
    for (const SealParams& seal : params.seal_presets) {
        r.header.seal = seal;
        for (std::uint64_t n = 0; n < 20; ++n) {
            const auto drawn = draw_seal_challenge(params, params.id(), r,
                                                   VdfOutput(tagged_hash("test/y", n)), kind);
            most = std::max(most, drawn.body_bytes());
        }
    }
    return most;
}

TEST(WhatTravels, SealProofsOfTheDefaultNetworkDo) {
    const NetworkParams params = NetworkParams::preset();
    ASSERT_TRUE(params.validate().accepted());
    const std::size_t sealed = seal_proof_bytes(params, SealProofKind::kSeal);
    std::printf("largest of 40 seal proofs: %zu bytes\n", sealed);
    EXPECT_TRUE(travels(Kind::kSealProof, sealed));
    EXPECT_TRUE(travels(Kind::kSealProof, seal_proof_bytes(params, SealProofKind::kAudit)));
    // With four windows drawn it is larger than what was enough for two.
    EXPECT_GT(sealed, 256U * 1024);
}

TEST(WhatTravels, NothingIsLeftBehindByParametersThatAreAllowed) {
    struct Case {
        std::uint32_t windows, audit, cells, chunks;
        bool allowed;
    };
    for (const Case& c :
         {Case{4, 1, 64, 10, true}, Case{5, 1, 64, 10, true}, Case{1, 5, 64, 10, true},
          Case{8, 1, 64, 10, false}, Case{1, 8, 64, 10, false}, Case{1, 1, 1'000, 10, false},
          Case{4, 1, 64, 14, true}, Case{4, 1, 64, 16, false},
          Case{UINT32_MAX, 1, UINT32_MAX, 1, false}, Case{1, 1, 1, UINT32_MAX, false},
          Case{1, 1, 1, 1, true}}) {
        NetworkParams p = NetworkParams::preset();
        p.seal_windows = c.windows;
        p.audit_windows = c.audit;
        p.seal_cells = c.cells;
        p.availability_chunks = c.chunks;
        EXPECT_EQ(p.validate().accepted(), c.allowed)
            << c.windows << " " << c.audit << " " << c.cells << " " << c.chunks;
        if (!c.allowed) continue;
        EXPECT_TRUE(travels(Kind::kSealProof, seal_proof_bytes(p, SealProofKind::kSeal)));
        EXPECT_TRUE(travels(Kind::kSealProof, seal_proof_bytes(p, SealProofKind::kAudit)));
        // A response: chunks, and at most the whole path beside each.
        EXPECT_TRUE(travels(Kind::kResponse, 96 + c.chunks * kChunkBytes));
    }
}

TEST(WhatTravels, NoSettingAllowsMoreThanTheProtocol) {
    FrameBounds wide;
    wide.max_request_bytes = UINT32_MAX;
    wide.max_response_bytes = UINT32_MAX;
    Bytes message(512 * 1024 + 1, 0);
    message[0] = kProtocolVersion;
    message[1] = static_cast<std::uint8_t>(Kind::kSealProof);
    EXPECT_FALSE(header_for_message(FrameType::kRequest, message, wide).has_value());
    message[1] = static_cast<std::uint8_t>(Kind::kRegistration);
    EXPECT_FALSE(header_for_message(FrameType::kRequest, message, wide).has_value());
}

}  // namespace
}  // namespace holdfast::test
