#include "proofs/checkpoint.hpp"

#include "core/hash.hpp"

namespace holdfast {

// Spec 10.6.
void Checkpoint::encode(Writer& w) const {
    w.height(height).fixed(block_hash).fixed(global).u64(total_chains);
    w.fixed(submitter).fixed(bond_id).fixed(signature);
}

Bytes Checkpoint::encode() const {
    Writer w(kCheckpointBytes);
    encode(w);
    return w.take();
}

Checkpoint Checkpoint::decode(Reader& r) {
    Checkpoint out;
    out.height = r.height();
    out.block_hash = r.fixed<BlockHash>();
    out.global = r.fixed<GlobalDigest>();
    out.total_chains = r.u64();
    out.submitter = r.fixed<PublicKey>();
    out.bond_id = r.fixed<BondId>();
    out.signature = r.fixed<Signature>();
    return out;
}

Checked<Checkpoint> Checkpoint::decode(ByteView body) {
    Reader r(body);
    const Checkpoint out = decode(r);
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

Digest Checkpoint::digest(const NetworkId& network_id) const {
    const Bytes body = encode();
    return tagged_hash("checkpoint", network_id, ByteView(body).first(kCheckpointSignedBytes));
}

Result<Checkpoint> make_checkpoint(const NetworkId& network_id, Height height,
                                   const BlockHash& block_hash, const GlobalDigest& global,
                                   std::uint64_t total_chains, const BondId& bond_id,
                                   const KeyPair& key) {
    Checkpoint out{height, block_hash, global, total_chains, key.public_key(), bond_id, {}};
    HOLDFAST_ASSIGN(signature, key.sign(view(out.digest(network_id))));
    out.signature = signature;
    return out;
}

// Spec 10.6, (2) to (4).
Verdict check_checkpoint(const NetworkParams& params, const NetworkId& network_id,
                         const Checkpoint& checkpoint) {
    if (checkpoint.height.value % params.checkpoint_blocks != 0) {
        return Reason::kNotCheckpointHeight;
    }
    HOLDFAST_REQUIRE_OK(check_registrable_key(checkpoint.submitter));
    return verify_signature(checkpoint.submitter, view(checkpoint.digest(network_id)),
                            checkpoint.signature);
}

// Spec 10.6, (2) to (5).
Verdict verify_checkpoint(const NetworkParams& params, const NetworkId& network_id,
                          const Checkpoint& checkpoint, const CheckpointFacts& own) {
    HOLDFAST_REQUIRE_OK(check_checkpoint(params, network_id, checkpoint));
    if (checkpoint.block_hash != own.block_hash) return Reason::kWrongBlock;
    const bool same =
        checkpoint.global == own.global && checkpoint.total_chains == own.total_chains;
    return same ? Reason::kOk : Reason::kGlobalMismatch;
}

}  // namespace holdfast
