#include "core/replica_header.hpp"

#include "core/geometry.hpp"
#include "core/hash.hpp"
#include "core/keys.hpp"

namespace holdfast {

// Spec 3, replica header.
void ReplicaHeader::encode(Writer& w) const {
    w.fixed(prover).fixed(raw_root).u64(data_len).u64(chunks.value);
    seal.encode(w);
    w.u64(nonce);
}

ReplicaHeader ReplicaHeader::decode(Reader& r) {
    ReplicaHeader h;
    h.prover = r.fixed<PublicKey>();
    h.raw_root = r.fixed<Root>();
    h.data_len = r.u64();
    h.chunks = ChunkCount(r.u64());
    h.seal = SealParams::decode(r);
    h.nonce = r.u64();
    return h;
}

// Spec 3, registration (2) to (4).
Verdict ReplicaHeader::check(const NetworkParams& network) const {
    HOLDFAST_REQUIRE_OK(network.check_seal(seal));
    HOLDFAST_REQUIRE_OK(check_geometry(data_len, chunks));
    return key_is_canonical(prover) ? Reason::kOk : Reason::kBadKey;
}

// Spec 3.
ReplicaId ReplicaHeader::replica_id(const NetworkId& network) const {
    Writer w(kReplicaHeaderBytes);
    encode(w);
    return ReplicaId(tagged_hash("replica", network, ByteView(w.bytes())));
}

// Spec 3.
Digest ownership(const ReplicaId& replica, const Root& sealed_root) {
    return tagged_hash("ownership", replica, sealed_root);
}

// Spec 3.
ChainId chain_id(const Digest& ownership, Height genesis_height,
                 const BlockHash& genesis_block_hash) {
    return ChainId(tagged_hash("chain", ownership, genesis_height, genesis_block_hash));
}

}  // namespace holdfast
