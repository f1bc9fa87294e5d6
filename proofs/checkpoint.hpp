// Checkpoints: a bonded submitter's statement of a height's global digest. 208 bytes.
//
// Plain values and pure functions; part of the trusted rooms; any thread.
// Spec: docs/spec.md section 10.6.
#pragma once

#include "core/codec.hpp"
#include "core/constants.hpp"
#include "core/keys.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// What the signature covers: everything before it.
inline constexpr std::size_t kCheckpointSignedBytes = kCheckpointBytes - Signature::kSize;

/// A bonded submitter's statement of a height's global digest (kind 15, 208 bytes).
struct Checkpoint {
    Height height;
    BlockHash block_hash;
    GlobalDigest global;
    std::uint64_t total_chains = 0;
    PublicKey submitter;
    BondId bond_id;
    Signature signature;
    friend bool operator==(const Checkpoint&, const Checkpoint&) = default;

    [[nodiscard]] Bytes encode() const;
    void encode(Writer& w) const;
    static Checkpoint decode(Reader& r);
    static Checked<Checkpoint> decode(ByteView body);
    [[nodiscard]] Digest digest(const NetworkId& network_id) const;
};

[[nodiscard]] Result<Checkpoint> make_checkpoint(const NetworkId& network_id, Height height,
                                                 const BlockHash& block_hash,
                                                 const GlobalDigest& global,
                                                 std::uint64_t total_chains, const BondId& bond_id,
                                                 const KeyPair& key);

/// That it is well formed and signed: kNotCheckpointHeight, kBadKey (may not be registered),
/// kBadSignature. Whether it is true only the verifier's own digest tells.
[[nodiscard]] Verdict check_checkpoint(const NetworkParams& params, const NetworkId& network_id,
                                       const Checkpoint& checkpoint);

/// What the verifier's own registry holds at a checkpoint's height.
struct CheckpointFacts {
    BlockHash block_hash;
    GlobalDigest global;
    std::uint64_t total_chains = 0;
};
/// check_checkpoint, then that it says what the verifier's registry says: kWrongBlock,
/// kGlobalMismatch.
[[nodiscard]] Verdict verify_checkpoint(const NetworkParams& params, const NetworkId& network_id,
                                        const Checkpoint& checkpoint, const CheckpointFacts& own);

}  // namespace holdfast
