#include "api/seal_prover.hpp"

#include "chunking/replica_batch.hpp"

namespace holdfast {

// Spec 3.1.
Result<SealProof> make_seal_proof(const NetworkParams& params, const NetworkId& network_id,
                                  const Registration& registration, const Replica& replica,
                                  Height y_height, const VdfOutput& y, SealProofKind kind,
                                  const KeyPair& key, const RawOptions& options) {
    if (const Verdict v = check_registration_policy(params, registration); !v) {
        return fail_refused(v, "registration");
    }
    const FileHeader& header = replica.header();
    if (header.network_id != network_id || header.replica != registration.header ||
        header.sealed_root != registration.sealed_root) {
        return fail(ErrorCode::kInvalidArgument,
                    replica.path().string() + ": is not the replica of this registration");
    }
    if (key.public_key() != registration.header.prover) {
        return fail(ErrorCode::kInvalidArgument, "the key is not the one of this registration");
    }
    const SealChallenge challenge = draw_seal_challenge(params, network_id, registration, y, kind);
    HOLDFAST_ASSIGN(sealed, replica.open_cells(challenge.cells));
    HOLDFAST_ASSIGN(raw, replica.open_raw_cells(challenge.cells, options));
    SealProof proof;
    proof.chain_id = registration.chain_id(network_id);
    proof.y_height = y_height;
    proof.raw_cells = std::move(raw.data);
    proof.raw_siblings = std::move(raw.siblings);
    proof.sealed_cells = std::move(sealed.data);
    proof.sealed_siblings = std::move(sealed.siblings);
    HOLDFAST_ASSIGN(signature, key.sign(view(proof.digest(network_id))));
    proof.signature = signature;
    return proof;
}

Result<Bytes> make_checked_seal_proof(const NetworkParams& params, const NetworkId& network_id,
                                      const Registration& registration,
                                      const std::filesystem::path& replica,
                                      const SealContext& known, const KeyPair& key,
                                      const RawOptions& options) {
    // Mapped for the length of this proof only: no descriptor stays open.
    HOLDFAST_ASSIGN(opened, Replica::open(replica, tree_beside(replica), params));
    HOLDFAST_ASSIGN(proof, make_seal_proof(params, network_id, registration, opened, known.y_height,
                                           known.y, known.kind, key, options));
    FillOptions fill;
    fill.stop = options.stop;
    HOLDFAST_ASSIGN(
        verdict, verify_seal_proof(params, network_id, registration, known, proof.encode(), fill));
    if (!verdict) return fail_refused(verdict, "our own seal proof");
    return wrap_object(Kind::kSealProof, proof.encode());
}

}  // namespace holdfast
