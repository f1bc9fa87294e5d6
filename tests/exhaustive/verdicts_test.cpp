// Every verdict of core/reasons.def, produced by a public verifier, registry or store out of an
// object that is wrong in that one way. A reason without a row fails: whoever appends one to the
// list shows here what it is for.
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "api/seal_verifier.hpp"
#include "chunking/file_header.hpp"
#include "embedded/local_beacon.hpp"
#include "hierarchy/lifecycle.hpp"
#include "hierarchy/tree.hpp"
#include "proofs/acknowledgement.hpp"
#include "proofs/bundle_verify.hpp"
#include "proofs/journal.hpp"
#include "proofs/latency.hpp"
#include "proofs/reveal.hpp"
#include "support/damaged_replica.hpp"
#include "support/link_world.hpp"
#include "support/sealed_chain.hpp"
#include "support/signed_objects.hpp"

namespace holdfast::test {
namespace {

using Rows = std::map<Reason, std::function<Verdict()>>;

template <class T>
Verdict verdict_of(const Checked<T>& checked) {
    return checked ? Verdict::ok() : checked.error();
}
template <class T>
Verdict verdict_of(const Result<T>& result) {
    return result ? Verdict::ok() : result.error().verdict;
}

const EvidenceWorld& world() { return evidence_world(); }
const KeyPair& key() {
    static const KeyPair pair = key_of("verdicts");
    return pair;
}
Signature sign(const Digest& d) { return key().sign(view(d)).value(); }
/// A signed object in a world that `change` has altered for its verifier.
Verdict moved(std::string_view object, const std::function<void(VerifierView&)>& change,
              const SignWith& with = sign) {
    for (const SignedObject& o : all_signed_objects()) {
        if (o.name != object) continue;
        VerifierView v = VerifierView::at(world(), key().public_key());
        change(v);
        return o.examine(world(), key().public_key(), with, v);
    }
    ADD_FAILURE() << object;
    return Verdict::ok();
}

// --- form, keys, parameters ----------------------------------------------------------------------

Bytes network_body() { return world().params.encode(); }

void add_form(Rows& rows) {
    rows[Reason::kOk] = [] { return moved("receipt", [](VerifierView&) {}); };
    rows[Reason::kTruncated] = [] { return verdict_of(Receipt::decode(Bytes(135))); };
    rows[Reason::kTrailingBytes] = [] { return verdict_of(Receipt::decode(Bytes(137))); };
    rows[Reason::kBadVersion] = [] {
        Bytes object = wrap_object(Kind::kReceipt, Bytes(136));
        object[0] = 2;
        return verdict_of(peek_kind(object));
    };
    rows[Reason::kBadKind] = [] {
        return verdict_of(unwrap_object(Kind::kFull, wrap_object(Kind::kReceipt, Bytes(136))));
    };
    rows[Reason::kBadField] = [] { return verdict_of(ProofWindow::decode(Bytes(1, 6))); };
    rows[Reason::kNotCanonical] = [] {
        // Without a VDF its 33 bytes are zero; another byte there would be the same network.
        NetworkParams p = short_network();
        const Bytes plain = p.encode();
        for (std::size_t at = plain.size(); at-- > 0;) {
            Bytes other = plain;
            other[at] ^= 1;
            const auto decoded = NetworkParams::decode(other);
            if (!decoded && decoded.error().reason == Reason::kNotCanonical) {
                return decoded.error();
            }
        }
        return Verdict::ok();
    };
    rows[Reason::kTooLarge] = [] {
        Bytes body = network_body();
        body[8] = 1;  // a name of more than 2^56 bytes
        return verdict_of(NetworkParams::decode(body));
    };
    rows[Reason::kBadKey] = [] { return check_registrable_key(PublicKey{}); };
    rows[Reason::kBadSignature] = [] {
        return moved("receipt", [](VerifierView& v) { v.network_id[0] ^= 1; });
    };
    rows[Reason::kBadParameters] = [] {
        NetworkParams p = world().params;
        p.checkpoint_blocks = 0;
        return p.validate();
    };
    rows[Reason::kSealPolicy] = [] {
        return moved("registration", [](VerifierView& v) { v.params.seal_presets = {kSealDev}; });
    };
    rows[Reason::kVdfPolicy] = [] {
        return moved("vdf segment", [](VerifierView& v) { v.params.has_vdf = false; });
    };
    rows[Reason::kNetworkPolicy] = [] { return check_entropy_policy(short_network()); };
    rows[Reason::kWrongNetwork] = [] {
        RegistrySlots one;
        RegistrySlots other;
        other.network_id[0] = 1;
        const RegistrySlots both[] = {one, other};
        return verdict_of(merge_registries(both));
    };
}

// --- trees, replicas, seal proofs ----------------------------------------------------------------

Verdict cell_evidence(const std::function<void(BadSeal&)>& change) {
    Evidence evidence = world().accuse_cell(3);
    change(std::get<BadSeal>(evidence.body));
    return world().judged(evidence).verdict;
}

Verdict sealed_for_another_nonce() {
    const EvidenceWorld& w = world();
    Registration r = w.registration;
    r.header.nonce += 1;
    r = sign_registration(w.network_id, r, w.prover).value();
    SealProof proof = signed_objects::unsigned_seal_proof(w, w.params, r, w.y);
    proof.signature = w.prover.sign(view(proof.digest(w.network_id))).value();
    return must(verify_seal_proof(w.params, w.network_id, r, {w.height, w.y}, proof.encode()));
}

void add_trees(Rows& rows) {
    rows[Reason::kBadPath] = [] {
        const EvidenceWorld& w = world();
        const VdfSegment segment = make_segment(w.vdf_proof(w.checkpoints), 1);
        return verify_segment_paths(
            signed_objects::vdf_context(VerifierView::at(w, key().public_key())), segment,
            sha256(view("another root")));
    };
    rows[Reason::kBadMultiproof] = [] {
        const EvidenceWorld& w = world();
        const ChallengeId id = w.challenge().id(w.network_id);
        const SignWith prover = [&](const Digest& d) { return w.prover.sign(view(d)).value(); };
        const Challenge made = w.challenge();
        return check_response(
            {id, w.prover.public_key(), w.registration.sealed_root, w.registration.header.chunks,
             challenged_chunks(w.params, w.network_id, w.y, w.chain_id, made.challenger, made.nonce,
                               w.registration.header.chunks)},
            signed_objects::response_of(w, id, prover, true));
    };
    rows[Reason::kProofLength] = [] { return verdict_of(root_from_path(2, 0, Digest{}, {})); };
    rows[Reason::kBadIndex] = [] { return verdict_of(root_from_path(2, 2, Digest{}, {})); };
    rows[Reason::kBadGeometry] = [] { return check_geometry(1, ChunkCount(17)); };
    rows[Reason::kRootMismatch] = [] {
        // Another replica under the name of the one that is to be repaired.
        DamagedReplica replica;
        replica.files().expected = replica.header();
        (void)replica.world().seal_bytes("y", some_bytes(70'000, "another"), kTinySeal);
        std::filesystem::rename(replica.world().folder / "y.replica", replica.files().replica);
        const auto repaired = replica.repaired();
        return repaired ? Verdict::ok() : repaired.error().verdict;
    };
    rows[Reason::kRawMismatch] = [] { return cell_evidence([](BadSeal& e) { e.raw[0] ^= 1; }); };
    rows[Reason::kSealedMismatch] = [] {
        return cell_evidence([](BadSeal& e) { e.sealed[0] ^= 1; });
    };
    rows[Reason::kBadSealing] = sealed_for_another_nonce;
    rows[Reason::kNoOffence] = [] { return cell_evidence([](BadSeal&) {}); };
    rows[Reason::kTooSmall] = [] {
        return moved("registration", [](VerifierView& v) { v.params.min_chunks = 32; });
    };
    rows[Reason::kGenesisTooOld] = [] {
        return moved("registration", [](VerifierView& v) { v.height = v.height + 101; });
    };
    rows[Reason::kBadMagic] = [] {
        return verdict_of(decode_file_header(Kind::kReplicaFile, Bytes(4'096)));
    };
    rows[Reason::kBadSum] = [] {
        Bytes header = encode_file_header(
            Kind::kReplicaFile, {world().registration.header, world().registration.sealed_root,
                                 ReplicaId{}, world().network_id});
        header.back() ^= 1;
        return verdict_of(decode_file_header(Kind::kReplicaFile, header));
    };
}

// --- places, sequences, entropy ------------------------------------------------------------------

void add_places(Rows& rows) {
    rows[Reason::kWrongChain] = [] {
        return moved("update", [](VerifierView& v) { v.chain_id[0] ^= 1; });
    };
    rows[Reason::kWrongHeight] = [] {
        return moved("receipt", [](VerifierView& v) { v.height = v.height + 1; });
    };
    rows[Reason::kWrongBlock] = [] {
        return moved("challenge", [](VerifierView& v) { v.block_hash[0] ^= 1; });
    };
    rows[Reason::kWrongAnchor] = [] {
        return moved("receipt", [](VerifierView& v) { v.anchor[0] ^= 1; });
    };
    rows[Reason::kSequence] = [] {
        const Removal again{world().chain_id, 1, world().height, {}};
        return check_removal(world().network_id, again,
                             {world().chain_id, key().public_key(), 1, Height(1'000)},
                             world().height);
    };
    rows[Reason::kTooEarly] = [] {
        return check_challenge_arrival(world().height, world().height);
    };
    rows[Reason::kTooLate] = [] {
        return check_challenge_arrival(world().height, world().height + 2);
    };
    rows[Reason::kUnknownChain] = [] {
        EvidenceWorld const& w = world();
        EvidenceFacts facts{w.params, w.network_id, {}, w.block_hash, w.y, w.seed, {}};
        return judge_without_fill(
            facts, make_equivocation(w.chain_id, w.block_hash, w.receipt("a"), w.receipt("b")));
    };
    rows[Reason::kNoEntropy] = [] {
        NetworkParams p = world().params;
        p.has_beacon = true;
        return verdict_of(make_seed(p, p.id(), world().height, world().block_hash, std::nullopt));
    };
    rows[Reason::kBadBeacon] = [] {
        TempFolder folder;
        NetworkParams p = world().params;
        p.has_beacon = true;
        const PublicKey beacon = key().public_key();
        p.beacon_key = Bytes(beacon.begin(), beacon.end());
        p.beacon_genesis_s = 1'000;
        p.beacon_period_s = 10;
        const auto local = must(LocalBeacon::publisher(folder / "beacon", p, key_of("verdicts"),
                                                       [] { return std::uint64_t{5'000}; }));
        const auto verified = local->verify(2, must(local->randomness(1)));
        return verified ? Verdict::ok() : verified.error().verdict;
    };
    const auto reveal = [](std::uint64_t i, std::uint64_t limit) {
        return check_reveal(world().network_id, view(world().chain_id), {0, Reveal{}}, i,
                            Reveal(sha256(view("invented"))), limit);
    };
    rows[Reason::kBadReveal] = [reveal] { return reveal(5, 5); };
    rows[Reason::kRevealTooFar] = [reveal] { return reveal(6, 5); };
    rows[Reason::kRevealExhausted] = [] { return verdict_of(reveal_index(Height(9), Height(8))); };
}

// --- links and digests ---------------------------------------------------------------------------

/// The full proof of the vectors, for one change.
Verdict full_proof(const std::function<void(KnownHeight&, Full&)>& change) {
    const LinkWorld w(0);
    const LinkHeight& here = w.heights[w.rich()];
    KnownHeight known = here.known;
    Full proof = *Full::decode(here.body("full"));
    change(known, proof);
    return verify_full(w.network.params, w.network.id, w.chain, known, proof);
}
Verdict path_proof(const std::function<void(KnownHeight&, PathProof&)>& change) {
    const LinkWorld w(0);
    const LinkHeight& here = w.heights[w.rich()];
    KnownHeight known = here.known;
    PathProof proof = *PathProof::decode(here.body("path"));
    change(known, proof);
    return verify_path(w.network.params, w.network.id, known, proof);
}

void add_links(Rows& rows) {
    rows[Reason::kBadLink] = [] {
        // What the link was made over is not what is shown, and nobody's registry says otherwise.
        return full_proof([](KnownHeight& k, Full& p) {
            k.link_before.reset();
            p.link_before[0] ^= 1;
        });
    };
    rows[Reason::kBadLinkBefore] = [] {
        return full_proof([](KnownHeight&, Full& p) { p.link_before[0] ^= 1; });
    };
    rows[Reason::kBadOpening] = [] {
        const EvidenceWorld& w = world();
        const Entropy e = w.honest_e();
        auto openings = w.honest_openings(e);
        openings[3][0] ^= 1;
        Evidence evidence = w.accuse_opening(e, openings, 3);
        std::get<FalseOpening>(evidence.body).opening[1] ^= 1;
        return w.judged(evidence).verdict;
    };
    rows[Reason::kCompactNotAllowed] = [] {
        const LinkWorld w(0);
        const LinkHeight& here = w.heights[w.rich()];
        KnownHeight known = here.known;
        // Otherwise right: it opens the same one.
        const auto opens = compact_index(w.network.id, *known.y_compact, w.chain.id);
        while (!full_required(w.network.id, *known.y_compact, w.chain.id) ||
               compact_index(w.network.id, *known.y_compact, w.chain.id) != opens) {
            known.y_compact = VdfOutput(sha256(view(*known.y_compact)));
        }
        return verify_proof(w.network.params, w.network.id, w.chain, known,
                            *Compact::decode(here.body("compact")));
    };
    rows[Reason::kBadSlot] = [] {
        return path_proof([](KnownHeight&, PathProof& p) { p.path.slot = p.path.slots; });
    };
    rows[Reason::kBadStatus] = [] {
        Bytes leaf = PathProof{}.encode();
        leaf[72] = 5;  // after chain, link and height
        return verdict_of(PathProof::decode(leaf));
    };
    rows[Reason::kVacantSlot] = [] { return verdict_of(HierarchyTree({4, 3}).path(0)); };
    rows[Reason::kDuplicateSlot] = [] {
        RegistrySlots slots;
        slots.slots[0] = slots.slots[1] = ChainLeaf{};
        return check_merged(slots);
    };
    rows[Reason::kGlobalMismatch] = [] {
        return path_proof([](KnownHeight&, PathProof& p) { ++p.path.total_chains; });
    };
    rows[Reason::kDigestUnknown] = [] {
        return path_proof([](KnownHeight& k, PathProof&) { k.global.reset(); });
    };
    rows[Reason::kWindowOrder] = [] {
        const LinkWorld w(0);
        const LinkHeight& here = w.heights[w.rich()];
        const Full proof = *Full::decode(here.body("full"));
        const KnownHeight heights[] = {here.known, here.known};
        return w.window(heights, ProofWindow{{proof, proof}});
    };
}

// --- VDF, availability, evidence -----------------------------------------------------------------

Verdict claim(const std::function<void(std::vector<Digest>&)>& spoil,
              const std::function<void(VdfProof&)>& after = {}) {
    const EvidenceWorld& w = world();
    std::vector<Digest> d = w.checkpoints;
    spoil(d);
    VdfProof proof = w.vdf_proof(d);
    if (after) {
        after(proof);
        proof.signature =
            w.evaluator
                .sign(vdf_signing_digest(w.network_id, proof.height, proof.input,
                                         checkpoints_root(proof.checkpoints), proof.y))
                .value();
    }
    return must(
        verify_vdf_full(signed_objects::vdf_context(VerifierView::at(w, key().public_key())), proof,
                        w.arena->view()));
}

void add_vdf(Rows& rows) {
    rows[Reason::kVdfInput] = [] {
        return moved("vdf proof", [](VerifierView& v) { v.seed[0] ^= 1; });
    };
    rows[Reason::kVdfStart] = [] { return claim([](auto& d) { d.front()[0] ^= 1; }); };
    rows[Reason::kVdfSegment] = [] { return claim([](auto& d) { d[2][0] ^= 1; }); };
    rows[Reason::kVdfOutputMismatch] = [] {
        return claim([](auto&) {}, [](VdfProof& p) { p.y[0] ^= 1; });
    };
    rows[Reason::kVdfSignature] = [] {
        return moved("vdf proof", [](VerifierView&) {}, [](const Digest&) { return Signature{}; });
    };
}

Verdict bad_nonce() {
    const EvidenceWorld& w = world();
    const Challenge made = signed_objects::challenge_of(w, key().public_key(), sign);
    const Reveal other(sha256(view("another reveal")));
    Outcome o{made.id(w.network_id), other, OutcomeKind::kServed, 5, 3, {}};
    o.signature = sign(o.digest());
    return check_outcome({w.params, w.network_id, made, w.height, {}}, o);
}

void add_availability(Rows& rows) {
    rows[Reason::kNotAssigned] = [] {
        return moved("challenge",
                     [](VerifierView& v) { v.signer = key_of("another").public_key(); });
    };
    rows[Reason::kNotDrawn] = [] {
        return moved("challenge", [](VerifierView& v) { v.params.availability_n = 0; });
    };
    rows[Reason::kBadNonce] = bad_nonce;
    rows[Reason::kBadOutcome] = [] {
        Bytes body = Outcome{}.encode();
        body[64] = 5;
        return verdict_of(Outcome::decode(body));
    };
    rows[Reason::kDuplicateChallenge] = [] {
        ChallengesSeen seen;
        Challenge2 challenge;
        challenge.height = world().height;
        (void)seen.admit(challenge, world().height + 1);
        return seen.admit(challenge, world().height + 1);
    };
    rows[Reason::kWrongChallenge] = [] {
        return moved("response", [](VerifierView& v) { v.height = v.height + 1; });
    };
    rows[Reason::kImpossiblePlace] = [] {
        const PlaceMeasurement vantage[] = {{1'000, 1'000'000}};
        return check_place(vantage);
    };
    rows[Reason::kTooFewSamples] = [] { return verdict_of(summarize_latency({})); };
    rows[Reason::kNotCheckpointHeight] = [] {
        return check_checkpoint(world().params, world().network_id,
                                make_checkpoint(world().network_id, Height(1), BlockHash{},
                                                GlobalDigest{}, 0, BondId{}, key())
                                    .value());
    };
    rows[Reason::kEvidenceOrder] = [] {
        const EvidenceWorld& w = world();
        Evidence e = make_equivocation(w.chain_id, w.block_hash, w.receipt("a"), w.receipt("b"));
        auto& pair = std::get<Equivocation>(e.body);
        std::swap(pair.smaller, pair.larger);
        return w.judged(e).verdict;
    };
}

// --- bundles, acknowledgements, the journal ---

Bundle bundle_of(const EvidenceWorld& w, const KeyPair& by) {
    return *make_bundle(w.network_id, w.block_hash, w.height, w.anchor,
                        {{w.chain_id, Link(sha256(view("link")))}}, by);
}

Verdict acknowledged(const KeyPair& meant, std::string_view object) {
    const EvidenceWorld& w = world();
    const Acknowledgement made = make_acknowledgement(w.network_id, view(std::string_view("sent")),
                                                      w.height, w.block_hash, key())
                                     .value();
    return check_acknowledgement(w.network_id, meant.public_key(), view(object), made);
}

void add_bundles(Rows& rows) {
    rows[Reason::kWrongProver] = [] {
        const KnownChain chain = KnownChain::of(world().network_id, world().registration);
        return check_member_prover(chain, bundle_of(world(), key()).prover);
    };
    rows[Reason::kMemberOrder] = [] {
        Bundle bundle = bundle_of(world(), key());
        bundle.members.push_back(bundle.members.front());
        return verdict_of(Bundle::decode(bundle.encode()));
    };
    rows[Reason::kWrongHost] = [] { return acknowledged(key_of("another host"), "sent"); };
    rows[Reason::kWrongObject] = [] { return acknowledged(key(), "another"); };
    rows[Reason::kWrongOutput] = [] {
        const EvidenceWorld& w = world();
        const ChallengerDraw draw({{key().public_key(), 1}});
        const Challenge2 made =
            make_challenge2(w.network_id, w.chain_id, w.height, w.block_hash,
                            VdfOutput(sha256(view("a false y"))), Reveal{}, key())
                .value();
        return check_challenge(
            {w.params, w.network_id, w.chain_id, w.height, w.block_hash, w.y, draw}, made);
    };
    rows[Reason::kNotOperator] = [] {
        return check_head(world().params, world().network_id,
                          sign_head(world().network_id, {}, key()).value());
    };
    rows[Reason::kWrongResponse] = [] {
        const Response one = sign_response(ChallengeId{}, Bytes(1, 1), key()).value();
        const Response other = sign_response(ChallengeId{}, Bytes(1, 2), key()).value();
        const Outcome2 outcome =
            make_outcome2(ChallengeId{}, Reveal{}, OutcomeKind::kServed, 1, 1, &one, key()).value();
        return check_audited_response({{}, key().public_key(), {}, ChunkCount(kMinChunks), {0}},
                                      outcome, other);
    };
}

// --- registry and settlement ---------------------------------------------------------------------

struct Registered {
    RegistryWorld world{short_network()};
    TestChain chain{world.params(), 1, Height(110)};
    Registered() {
        world.feed_to(Height(110));
        world.add(chain);
        world.flush();
    }
    [[nodiscard]] Verdict remove(std::uint32_t sequence) {
        return world.judge(Kind::kRemoval, make_removal(world->network_id(), chain.id(), sequence,
                                                        world.tip(), chain.key())
                                               .value());
    }
    /// Two links of the chain for the height at the tip.
    [[nodiscard]] Verdict accuse() {
        const KnownHeight known = world.known(chain, Height(110));
        return world.judge(Kind::kEvidence,
                           make_equivocation(chain.id(), known.block_hash,
                                             chain.sign(known, Link(tagged_hash("one"))),
                                             chain.sign(known, Link(tagged_hash("two")))));
    }
};

void add_registry(Rows& rows) {
    rows[Reason::kAlreadyRegistered] = [] {
        Registered r;
        return r.world.judge_registration(r.chain);
    };
    rows[Reason::kNoSlot] = [] {
        Registered r;
        return r.remove(1);  // its seal proof is missing
    };
    rows[Reason::kAlreadyRemoved] = [] {
        Registered r;
        r.world.feed_to(r.world.tip() + r.world.params().seal_delay);
        EXPECT_EQ(r.world.answer_duties(r.chain), 1U);
        EXPECT_EQ(r.remove(1), Verdict::ok());
        return r.remove(2);
    };
    rows[Reason::kNotInDigest] = [] {
        Registered r;
        r.world.feed_to(r.world.tip() + r.world.params().seal_delay);
        EXPECT_EQ(r.world.answer_duties(r.chain), 1U);
        r.world.feed();
        const Height h = r.world.tip();
        const Full proof = r.chain.full(r.world.known(r.chain, h));  // and no receipt
        r.world.feed_to(h + r.world.params().closing_blocks());
        return r.world.prove(proof);
    };
    rows[Reason::kAlreadySettled] = [] {
        Registered r;
        EXPECT_EQ(r.accuse(), Verdict::ok());
        return r.accuse();
    };
    rows[Reason::kNoBond] = [] {
        Registered r;
        const TestChain other(r.world.params(), 2, Height(110));
        return r.world.judge(Kind::kRegistration, other.registration());  // no block lists its bond
    };
    rows[Reason::kBondTaken] = [] {
        Registered r;
        Registration second = r.chain.registration();
        second.header.nonce += 1;
        second = sign_registration(r.world->network_id(), second, r.chain.key()).value();
        return r.world.judge(Kind::kRegistration, second);
    };
    rows[Reason::kBusy] = [] {
        const NetworkParams params = short_network();
        const SealedChain chain(params, 1, {16, 0, false, Height(110), {}});
        SealVerifierLimits no_places;
        no_places.proofs_at_most = 0;
        SealVerifier verifier(params, no_places);
        SealVerifier::Request request;
        request.registration = chain.registration();
        request.known = {Height(113), test_y(Height(113)), SealProofKind::kSeal};
        const SealProof proof = must(make_seal_proof(
            params, chain.network_id(), chain.registration(), chain.replica(),
            request.known.y_height, request.known.y, request.known.kind, chain.key()));
        return must(verifier.verify(request, proof.encode()));
    };
}

TEST(Verdicts, EveryReasonIsProducedByAnObjectThatIsWrongInThatWay) {
    Rows rows;
    add_form(rows);
    add_trees(rows);
    add_places(rows);
    add_links(rows);
    add_vdf(rows);
    add_availability(rows);
    add_bundles(rows);
    add_registry(rows);
    for (std::size_t i = 0; i < reason_count(); ++i) {
        const auto reason = static_cast<Reason>(i);
        const auto row = rows.find(reason);
        if (row == rows.end()) {
            ADD_FAILURE() << "nothing produces " << describe(reason).name;
            continue;
        }
        const Verdict produced = row->second();
        EXPECT_EQ(produced.reason, reason)
            << describe(reason).name << ", but: " << to_string(produced);
    }
    EXPECT_EQ(rows.size(), reason_count());
}

}  // namespace
}  // namespace holdfast::test
