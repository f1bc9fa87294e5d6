// The replica header: what makes a replica this prover's, of these data, in this network.
//
// Plain value, any thread; part of the trusted rooms. Spec: docs/spec.md section 3.
#pragma once

#include "core/codec.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// What a replica's id is the hash of.
struct ReplicaHeader {
    PublicKey prover;
    Root raw_root;
    std::uint64_t data_len = 0;
    ChunkCount chunks;
    SealParams seal;
    std::uint64_t nonce = 0;  // the segment's index by default
    friend bool operator==(const ReplicaHeader&, const ReplicaHeader&) = default;

    /// 101 bytes.
    void encode(Writer& w) const;
    /// Form only (kTruncated, kBadVersion); check() judges the values.
    static ReplicaHeader decode(Reader& r);

    /// kSealPolicy (not one of the network's presets), kBadGeometry, kBadKey (not canonical).
    /// Before anything is hashed or allocated.
    [[nodiscard]] Verdict check(const NetworkParams& network) const;
    /// H("replica"; network_id, header)
    [[nodiscard]] ReplicaId replica_id(const NetworkId& network) const;
    /// Cells of the data trees: 16 a chunk.
    [[nodiscard]] std::uint64_t cells() const { return chunks.value * kCellsPerChunk; }
};

/// H("ownership"; replica_id, sealed_root)
[[nodiscard]] Digest ownership(const ReplicaId& replica, const Root& sealed_root);
/// H("chain"; ownership, genesis_height, genesis_block_hash)
[[nodiscard]] ChainId chain_id(const Digest& ownership, Height genesis_height,
                               const BlockHash& genesis_block_hash);

}  // namespace holdfast
