#include "verify_object.hpp"

#include "known.hpp"
#include "proofs/acknowledgement.hpp"
#include "proofs/availability_verify.hpp"
#include "proofs/bundle_verify.hpp"
#include "proofs/checkpoint.hpp"
#include "proofs/journal.hpp"
#include "proofs/seal_proof_verify.hpp"

namespace holdfast::wasm {
namespace {

/// What the caller knows is the caller's matter: no verdict on the object.
Status whole(const Reader& r) {
    const Verdict v = r.finish();
    if (v.accepted()) return {};
    return fail(ErrorCode::kInvalidArgument, "what is known is not well-formed: " + to_string(v));
}

/// The object's body decoded and judged; `judge` takes the decoded object.
template <class T, class Judge>
Result<Verdict> decoded(const Reader& known, ByteView body, Judge judge) {
    HOLDFAST_TRY(whole(known));
    const Checked<T> object = T::decode(body);
    if (!object) return object.error();
    return judge(*object);
}

// --- chains --------------------------------------------------------------------------------------

Result<Verdict> verify_registration(const Network& network, Reader& r, ByteView body) {
    std::optional<BlockHash> final_hash;
    std::optional<Height> accepted;
    if (read_flag(r)) {
        accepted = r.height();
        final_hash = read_optional<BlockHash>(r);
    }
    return decoded<Registration>(r, body, [&](const Registration& registration) -> Verdict {
        HOLDFAST_REQUIRE_OK(check_registration(network.params, network.id, registration));
        if (!accepted) return Verdict::ok();
        return check_acceptance(registration, final_hash, *accepted);
    });
}

struct ChainChange {
    ChainHistory history;
    Height accepted;
};

ChainChange read_change(Reader& r) {
    ChainChange out;
    out.history.chain_id = r.fixed<ChainId>();
    out.history.prover = r.fixed<PublicKey>();
    out.history.last_sequence = r.u32();
    out.history.last_effective = r.height();
    out.accepted = r.height();
    return out;
}

Result<Verdict> verify_update(const Network& network, Reader& r, ByteView body) {
    const ChainChange known = read_change(r);
    return decoded<Update>(r, body, [&](const Update& update) {
        return check_update(network.params, network.id, update, known.history, known.accepted);
    });
}

Result<Verdict> verify_removal(const Network& network, Reader& r, ByteView body) {
    const ChainChange known = read_change(r);
    return decoded<Removal>(r, body, [&](const Removal& removal) {
        return check_removal(network.id, removal, known.history, known.accepted);
    });
}

Result<Verdict> verify_seal(const Network& network, Reader& r, ByteView body) {
    const Registration registration = Registration::decode(r);
    SealContext known;
    known.y_height = r.height();
    known.y = r.fixed<VdfOutput>();
    known.kind = read_flag(r) ? SealProofKind::kAudit : SealProofKind::kSeal;
    const bool fills = read_flag(r);
    HOLDFAST_TRY(whole(r));
    if (fills) return verify_seal_proof(network.params, network.id, registration, known, body);
    const auto pending = check_seal_proof(network.params, network.id, registration, known, body);
    return pending ? Verdict::ok() : pending.error();
}

// --- links ---------------------------------------------------------------------------------------

Result<Verdict> judge_receipt(const Network& network, Reader& r, ByteView body) {
    const KnownPlace known = read_place(r, network.id);
    return decoded<Receipt>(r, body, [&](const Receipt& receipt) {
        return verify_receipt(network.id, known.chain, known.height, receipt);
    });
}

template <class Proof>
Result<Verdict> judge_proof(const Network& network, Reader& r, ByteView body) {
    const KnownPlace known = read_place(r, network.id);
    const bool must_count = read_flag(r);
    return decoded<Proof>(r, body, [&](const Proof& proof) {
        const auto verify = must_count ? verify_proof : verify_valid;
        return verify(network.params, network.id, known.chain, known.height, AnyProof(proof));
    });
}

template <class Short>
Result<Verdict> judge_short(const Network& network, Reader& r, ByteView body) {
    const KnownPlace known = read_place(r, network.id);
    const auto link = read_optional<Link>(r);
    return decoded<Short>(r, body, [&](const Short& proof) {
        return verify_short(network.params, network.id, known.chain, known.height, link,
                            AnyShort(proof));
    });
}

Result<Verdict> judge_window(const Network& network, Reader& r, ByteView body) {
    const auto places = read_list(r, [&](Reader& one) { return read_place(one, network.id); });
    return decoded<ProofWindow>(r, body, [&](const ProofWindow& window) {
        return verify_window(network.params, network.id, places, window);
    });
}

Result<Verdict> judge_path(const Network& network, Reader& r, ByteView body) {
    const KnownHeight known = read_height(r);
    return decoded<PathProof>(r, body, [&](const PathProof& proof) {
        return verify_path(network.params, network.id, known, proof);
    });
}

Result<Verdict> judge_bundle(const Network& network, Reader& r, ByteView body) {
    const KnownHeight known = read_height(r);
    return decoded<Bundle>(
        r, body, [&](const Bundle& bundle) { return verify_bundle(network.id, known, bundle); });
}

Result<Verdict> judge_member(const Network& network, Reader& r, ByteView body) {
    const KnownPlace known = read_place(r, network.id);
    return decoded<Member>(r, body, [&](const Member& member) {
        return verify_member(network.id, known.chain, known.height, member);
    });
}

// --- time ----------------------------------------------------------------------------------------

enum class Walk : std::uint8_t { kNone = 0, kAll = 1, kSome = 2 };

Result<Verdict> judge_vdf_proof(const Network& network, Reader& r, ByteView body) {
    const VdfContext context = read_vdf_context(r, network.params, network.id);
    const std::uint8_t walk = r.u8();
    if (walk > static_cast<std::uint8_t>(Walk::kSome)) r.refuse(Reason::kBadField);
    const auto segments = read_list(r, [](Reader& one) { return one.u32(); });
    HOLDFAST_TRY(whole(r));
    const auto proof = VdfProof::decode(body);
    if (!proof) return proof.error();
    // Before anything is filled.
    const Verdict claim = verify_vdf_claim(context, *proof);
    if (!claim.accepted() || static_cast<Walk>(walk) == Walk::kNone) return claim;
    HOLDFAST_ASSIGN(arena, VdfArena::fill(network.params.vdf, context.epoch, context.epoch_seed));
    if (static_cast<Walk>(walk) == Walk::kAll)
        return verify_vdf_full(context, *proof, arena->view());
    return verify_vdf_spot(context, *proof, segments, arena->view());
}

Result<Verdict> judge_segment(const Network& network, Reader& r, ByteView body) {
    const VdfContext context = read_vdf_context(r, network.params, network.id);
    const Digest root = r.fixed<Digest>();
    const bool walk = read_flag(r);
    HOLDFAST_TRY(whole(r));
    const auto segment = VdfSegment::decode(body);
    if (!segment) return segment.error();
    const Verdict paths = verify_segment_paths(context, *segment, root);
    if (!paths.accepted() || !walk) return paths;
    HOLDFAST_ASSIGN(arena, VdfArena::fill(network.params.vdf, context.epoch, context.epoch_seed));
    return verify_vdf_segment(context, *segment, root, arena->view());
}

// --- availability --------------------------------------------------------------------------------

Result<Verdict> judge_challenge(const Network& network, Reader& r, ByteView body) {
    const auto chain_id = r.fixed<ChainId>();
    const Height height = r.height();
    const auto block_hash = r.fixed<BlockHash>();
    const auto y = r.fixed<VdfOutput>();
    const auto in_force = read_list(r, [](Reader& one) {
        const auto key = one.fixed<PublicKey>();
        return ChallengerPart{key, one.u64()};
    });
    std::vector<PublicKey> keys;
    for (const ChallengerPart& part : in_force) keys.push_back(part.key);
    const ChallengeContext known{network.params, network.id, chain_id, height, block_hash, y, keys};
    return decoded<Challenge>(
        r, body, [&](const Challenge& challenge) { return check_challenge(known, challenge); });
}

Result<Verdict> judge_challenge2(const Network& network, Reader& r, ByteView body) {
    const auto chain_id = r.fixed<ChainId>();
    const Height height = r.height();
    const auto block_hash = r.fixed<BlockHash>();
    const auto y = r.fixed<VdfOutput>();
    const ChallengerDraw draw(read_list(r, [](Reader& one) {
        const auto key = one.fixed<PublicKey>();
        return ChallengerPart{key, one.u64()};
    }));
    const Challenge2Context known{network.params, network.id, chain_id, height,
                                  block_hash,     y,          draw};
    return decoded<Challenge2>(
        r, body, [&](const Challenge2& challenge) { return check_challenge(known, challenge); });
}

Result<Verdict> judge_response(const Network& network, Reader& r, ByteView body) {
    const Registration registration = Registration::decode(r);
    const auto y = r.fixed<VdfOutput>();
    ChallengeId id;
    ChainId chain_id;
    PublicKey challenger;
    ChallengeNonce nonce;
    const auto take = [&](const auto& challenge) {
        id = challenge.id(network.id);
        chain_id = challenge.chain_id;
        challenger = challenge.challenger;
        nonce = challenge.nonce;
    };
    if (network.params.version == kParamsVersion1) {
        take(Challenge::decode(r));
    } else {
        take(Challenge2::decode(r));
    }
    HOLDFAST_TRY(whole(r));
    const ChunkCount chunks = registration.header.chunks;
    if (chunks.value == 0) return Reason::kBadGeometry;
    const ResponseContext known{
        id, registration.header.prover, registration.sealed_root, chunks,
        challenged_chunks(network.params, network.id, y, chain_id, challenger, nonce, chunks)};
    return decoded<Response>(
        r, body, [&](const Response& response) { return check_response(known, response); });
}

Result<Verdict> judge_outcome(const Network& network, Reader& r, ByteView body) {
    const Challenge challenge = Challenge::decode(r);
    const Height base = r.height();
    const OutcomeContext known{network.params, network.id, challenge, base, read_reveal(r)};
    return decoded<Outcome>(r, body,
                            [&](const Outcome& outcome) { return check_outcome(known, outcome); });
}

Result<Verdict> judge_outcome2(const Network& network, Reader& r, ByteView body) {
    const Challenge2 challenge = Challenge2::decode(r);
    const auto prover = r.fixed<PublicKey>();
    const Height base = r.height();
    const Outcome2Context known{network.params, network.id, challenge,
                                prover,         base,       read_reveal(r)};
    return decoded<Outcome2>(
        r, body, [&](const Outcome2& outcome) { return check_outcome(known, outcome); });
}

// --- what nodes sign -----------------------------------------------------------------------------

Result<Verdict> judge_checkpoint(const Network& network, Reader& r, ByteView body) {
    std::optional<CheckpointFacts> own;
    if (read_flag(r)) {
        own.emplace();
        own->block_hash = r.fixed<BlockHash>();
        own->global = r.fixed<GlobalDigest>();
        own->total_chains = r.u64();
    }
    return decoded<Checkpoint>(r, body, [&](const Checkpoint& checkpoint) {
        return own ? verify_checkpoint(network.params, network.id, checkpoint, *own)
                   : check_checkpoint(network.params, network.id, checkpoint);
    });
}

Result<Verdict> judge_acknowledgement(const Network& network, Reader& r, ByteView body) {
    const auto host = r.fixed<PublicKey>();
    const ByteView object = read_bytes(r);
    return decoded<Acknowledgement>(r, body, [&](const Acknowledgement& acknowledgement) {
        return check_acknowledgement(network.id, host, object, acknowledgement);
    });
}

Result<Verdict> judge_head(const Network& network, Reader& r, ByteView body) {
    return decoded<JournalHead>(r, body, [&](const JournalHead& head) {
        return check_head(network.params, network.id, head);
    });
}

Result<Verdict> judge_challenger(const Network& network, Reader& r, ByteView body) {
    return decoded<Challenger>(r, body, [&](const Challenger& challenger) {
        return check_challenger(network.id, challenger);
    });
}

Result<Verdict> judge_evidence_object(const Network& network, Reader& r, ByteView body) {
    const EvidenceKnowledge known = read_evidence_knowledge(r, network.params, network.id);
    const bool fills = read_flag(r);
    HOLDFAST_TRY(whole(r));
    const auto evidence = Evidence::decode(body);
    if (!evidence) return evidence.error();
    const auto judge = fills ? judge_evidence : judge_evidence_without_fill;
    HOLDFAST_ASSIGN(judgement, judge(known, *evidence));
    return judgement.verdict;
}

Result<Verdict> judge_network(const Network&, Reader& r, ByteView body) {
    return decoded<NetworkParams>(r, body, [](const NetworkParams&) { return Verdict::ok(); });
}

struct KindVerifier {
    Kind kind;
    Result<Verdict> (*verify)(const Network& network, Reader& known, ByteView body);
};

constexpr KindVerifier kVerifiers[] = {
    {Kind::kNetwork, judge_network},
    {Kind::kRegistration, verify_registration},
    {Kind::kUpdate, verify_update},
    {Kind::kRemoval, verify_removal},
    {Kind::kSealProof, verify_seal},
    {Kind::kReceipt, judge_receipt},
    {Kind::kCompact, judge_proof<Compact>},
    {Kind::kFull, judge_proof<Full>},
    {Kind::kShortCompact, judge_short<ShortCompact>},
    {Kind::kShortFull, judge_short<ShortFull>},
    {Kind::kWindow, judge_window},
    {Kind::kPath, judge_path},
    {Kind::kBundle, judge_bundle},
    {Kind::kMember, judge_member},
    {Kind::kVdfProof, judge_vdf_proof},
    {Kind::kVdfSegment, judge_segment},
    {Kind::kChallenger, judge_challenger},
    {Kind::kChallenge, judge_challenge},
    {Kind::kChallenge2, judge_challenge2},
    {Kind::kResponse, judge_response},
    {Kind::kOutcome, judge_outcome},
    {Kind::kOutcome2, judge_outcome2},
    {Kind::kCheckpoint, judge_checkpoint},
    {Kind::kAcknowledgement, judge_acknowledgement},
    {Kind::kHead, judge_head},
    {Kind::kEvidence, judge_evidence_object},
};

}  // namespace

Result<Verdict> verify_object(const Network& network, ByteView context, ByteView object) {
    const Checked<Kind> kind = peek_kind(object);
    if (!kind) return kind.error();
    for (const KindVerifier& verifier : kVerifiers) {
        if (verifier.kind != *kind) continue;
        Reader known(context);
        return verifier.verify(network, known, object.subspan(2));
    }
    return Reason::kBadKind;
}

}  // namespace holdfast::wasm
