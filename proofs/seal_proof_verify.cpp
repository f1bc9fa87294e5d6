#include "proofs/seal_proof_verify.hpp"

#include <algorithm>

#include "core/constants.hpp"
#include "core/keys.hpp"
#include "core/keystream.hpp"
#include "core/merkle.hpp"

namespace holdfast {
namespace {

Verdict check_multiproof(const SealChallenge& challenge, ByteView cells,
                         std::span<const Digest> siblings, const Root& root, Reason mismatch) {
    std::vector<Digest> leaves(challenge.cells.size());
    sha256_batch({cells.data(), kCellBytes, kCellBytes, leaves.size(), std::uint8_t{0}}, leaves);
    const auto reached =
        root_from_multiproof(challenge.total_cells, challenge.cells, leaves, siblings);
    if (!reached) return reached.error();
    return *reached == root ? Reason::kOk : mismatch;
}

/// sealed == raw XOR keystream, one cell.
bool cell_is_sealed(const std::uint8_t* raw, const std::uint8_t* sealed,
                    const std::uint8_t* keystream) {
    for (std::size_t i = 0; i < kCellBytes; ++i) {
        if ((raw[i] ^ keystream[i]) != sealed[i]) return false;
    }
    return true;
}

}  // namespace

// Spec 3.1, (1) to (6).
Checked<PendingSealProof> check_seal_proof(const NetworkParams& params, const NetworkId& network_id,
                                           const Registration& registration,
                                           const SealContext& known, ByteView body) {
    if (const Verdict v = check_registration_policy(params, registration); !v) return refuse(v);
    SealChallenge challenge =
        draw_seal_challenge(params, network_id, registration, known.y, known.kind);
    HOLDFAST_ASSIGN(proof, SealProof::decode(body, challenge));
    if (proof.chain_id != registration.chain_id(network_id)) return refuse(Reason::kWrongChain);
    if (proof.y_height != known.y_height) return refuse(Reason::kWrongHeight);
    if (const Verdict v = verify_signature(registration.header.prover,
                                           view(proof.digest(network_id)), proof.signature);
        !v) {
        return refuse(v);
    }
    if (const Verdict v = check_multiproof(challenge, proof.raw_cells, proof.raw_siblings,
                                           registration.header.raw_root, Reason::kRawMismatch);
        !v) {
        return refuse(v);
    }
    if (const Verdict v = check_multiproof(challenge, proof.sealed_cells, proof.sealed_siblings,
                                           registration.sealed_root, Reason::kSealedMismatch);
        !v) {
        return refuse(v);
    }
    return PendingSealProof{std::move(challenge), std::move(proof),
                            registration.replica_id(network_id)};
}

// Spec 3.1, (7).
Result<Verdict> check_sealed_window(const PendingSealProof& pending, std::size_t n,
                                    MutByteView memory, const FillOptions& options) {
    const SealChallenge& challenge = pending.challenge;
    if (n >= challenge.windows.size()) {
        return fail(ErrorCode::kInvalidArgument,
                    "the proof has no drawn window " + std::to_string(n));
    }
    const auto& [window, drawn] = challenge.windows[n];
    HOLDFAST_TRY(fill_keystream(pending.replica_id, window, memory, options));
    for (const std::uint64_t in_window : drawn) {
        const std::uint64_t cell = window.first_cell().value + in_window;
        const auto at = std::lower_bound(challenge.cells.begin(), challenge.cells.end(), cell);
        const auto offset = static_cast<std::size_t>(at - challenge.cells.begin()) * kCellBytes;
        if (!cell_is_sealed(pending.proof.raw_cells.data() + offset,
                            pending.proof.sealed_cells.data() + offset,
                            memory.data() + in_window * kCellBytes)) {
            return Verdict{Reason::kBadSealing, cell};
        }
    }
    return Verdict::ok();
}

Result<Verdict> verify_seal_proof(const NetworkParams& params, const NetworkId& network_id,
                                  const Registration& registration, const SealContext& known,
                                  ByteView body, const FillOptions& options) {
    const auto pending = check_seal_proof(params, network_id, registration, known, body);
    if (!pending) return pending.error();
    std::uint64_t largest = 0;
    for (const auto& drawn : pending->challenge.windows) {
        largest = std::max(largest, drawn.window.bytes());
    }
    HOLDFAST_ASSIGN(memory, FillMemory::allocate(largest));
    for (std::size_t n = 0; n < pending->challenge.windows.size(); ++n) {
        const std::uint64_t bytes = pending->challenge.windows[n].window.bytes();
        HOLDFAST_ASSIGN(
            verdict, check_sealed_window(
                         *pending, n, {memory.data(), static_cast<std::size_t>(bytes)}, options));
        if (!verdict) return verdict;
    }
    return Verdict::ok();
}

}  // namespace holdfast
