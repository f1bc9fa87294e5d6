#include "fuzz/targets.hpp"

#include <array>
#include <initializer_list>

#include "availability/challenge_journal.hpp"
#include "availability/challenger.hpp"
#include "availability/peer_service.hpp"
#include "chunking/erasure.hpp"
#include "chunking/file_header.hpp"
#include "core/merkle.hpp"
#include "core/params.hpp"
#include "deposit/messages.hpp"
#include "embedded/call_log.hpp"
#include "follow/duty_client.hpp"
#include "follow/history_client.hpp"
#include "follow/public_client.hpp"
#include "hierarchy/decision.hpp"
#include "keep/catalogue.hpp"
#include "proofs/acknowledgement.hpp"
#include "proofs/availability_verify.hpp"
#include "proofs/bundle_verify.hpp"
#include "proofs/evidence.hpp"
#include "proofs/formats.hpp"
#include "proofs/journal.hpp"
#include "proofs/link_verify.hpp"
#include "proofs/reading_verify.hpp"
#include "proofs/seal_proof_verify.hpp"
#include "settlement/settlement_ledger.hpp"
#include "storage/link_records.hpp"
#include "transport/frame.hpp"
#include "vdf/verify.hpp"

namespace holdfast::fuzz {
namespace {

const NetworkParams& network() {
    static const NetworkParams params;
    return params;
}
const NetworkId& network_id() {
    static const NetworkId id = network().id();
    return id;
}

/// Of version 2, run by nobody who has signed anything here.
const NetworkParams& network_2() {
    static const NetworkParams params = [] {
        NetworkParams p = NetworkParams::preset(kParamsVersion2);
        p.operator_key = KeyPair::from_secret(Bytes(32, 9)).public_key();
        return p;
    }();
    return params;
}

/// The decoded value, having encoded to the same bytes.
template <class T>
Checked<T> same_again(ByteView body) {
    Checked<T> decoded = T::decode(body);
    if (decoded) {
        const Bytes again = decoded->encode();
        HOLDFAST_CHECK(std::equal(again.begin(), again.end(), body.begin(), body.end()));
        const Checked<T> twice = T::decode(again);
        HOLDFAST_CHECK(twice.has_value() && *twice == *decoded);
    }
    return decoded;
}

/// The first byte chooses one of `count` decoders, the rest is for it.
struct Choice {
    unsigned which;
    ByteView rest;
};
Choice choose(ByteView input, unsigned count) {
    if (input.empty()) return {count, {}};
    return {input[0] % count, input.subspan(1)};
}

/// A verifier that knows of chain and height what the proof itself says of them: everything up to
/// the signature holds.
template <class Proof>
void verify_as_known(const Proof& proof) {
    KnownChain chain;
    chain.id = proof.chain_id;
    chain.chunks = ChunkCount(kMinChunks);
    chain.reveals = RevealState{Height(0), {0, Reveal{}}};
    KnownHeight known;
    known.height = proof.receipt.height;
    known.anchor = proof.receipt.anchor;
    known.y = known.y_compact = VdfOutput{};
    known.global = known.previous_global = GlobalDigest{};
    (void)verify_proof(network(), network_id(), chain, known, AnyProof(proof));
}

void check_path_proof(const PathProof& proof) {
    (void)global_from_path(network(), network_id(), GlobalHeader{}, proof);
}

void links(ByteView input) {
    const auto [which, body] = choose(input, 5);
    if (which == 0) {
        (void)same_again<Receipt>(body);
    } else if (which == 1) {
        if (const auto proof = same_again<Compact>(body)) {
            verify_as_known(*proof);
            check_path_proof({{}, proof->path});
        }
    } else if (which == 2) {
        if (const auto proof = same_again<Full>(body)) verify_as_known(*proof);
    } else if (which == 3) {
        if (const auto proof = same_again<PathProof>(body)) check_path_proof(*proof);
    } else if (which == 4) {
        if (const auto window = same_again<ProofWindow>(body)) {
            const std::vector<KnownPlace> places(window->links.size());
            (void)verify_window(network(), network_id(), places, *window);
        }
    }
}

/// A registry that knows of chain and height what the proof itself says, and took another link.
void verify_short_as_known(const AnyShort& proof) {
    KnownChain chain;
    chain.id = chain_of(proof);
    chain.chunks = ChunkCount(kMinChunks);
    chain.reveals = RevealState{Height(0), {0, Reveal{}}};
    KnownHeight known;
    known.height = height_of(proof);
    known.y = known.y_compact = VdfOutput{};
    known.link_before = Link(chain.id);
    HOLDFAST_CHECK(!verify_short(network(), network_id(), chain, known, Link{}, proof));
}

void bundles(ByteView input) {
    const auto [which, body] = choose(input, 7);
    KnownHeight known;
    if (which == 0) {
        if (const auto bundle = same_again<Bundle>(body)) {
            known.height = bundle->height;
            known.anchor = bundle->anchor;
            HOLDFAST_CHECK(!verify_bundle(network_id(), known, *bundle));
            const BundleTree tree(*bundle);
            const auto last = static_cast<std::uint32_t>(bundle->members.size() - 1);
            const Bytes member = tree.member(last).encode();
            HOLDFAST_CHECK(Member::decode(member).has_value());
        }
    } else if (which == 1) {
        if (const auto member = same_again<Member>(body)) {
            KnownChain chain;
            chain.id = member->chain_id;
            chain.prover = network_2().operator_key;
            known.height = member->bundled.height;
            known.anchor = member->bundled.anchor;
            HOLDFAST_CHECK(!verify_member(network_id(), chain, known, *member));
        }
    } else if (which == 2) {
        if (const auto proof = same_again<ShortCompact>(body)) verify_short_as_known(*proof);
    } else if (which == 3) {
        if (const auto proof = same_again<ShortFull>(body)) verify_short_as_known(*proof);
    } else if (which == 4) {
        if (const auto a = same_again<Acknowledgement>(body)) {
            HOLDFAST_CHECK(!check_acknowledgement(network_id(), a->host, body, *a));
        }
    } else if (which == 5) {
        if (const auto head = same_again<JournalHead>(body)) {
            HOLDFAST_CHECK(!check_head(network_2(), network_2().id(), *head));
            (void)check_entry(*head, 0, body, {});
        }
    } else if (which == 6) {
        if (const auto entry = decode_entry(body)) {
            const Bytes again = encode_entry(*entry);
            HOLDFAST_CHECK(std::equal(again.begin(), again.end(), body.begin(), body.end()));
        }
    }
}

void registry(ByteView input) {
    const auto [which, body] = choose(input, 5);
    if (which == 0) {
        if (const auto r = same_again<Registration>(body)) {
            (void)check_registration(network(), network_id(), *r);
            (void)check_acceptance(*r, r->genesis_block_hash, r->genesis_height + 5);
        }
    } else if (which == 1) {
        if (const auto u = same_again<Update>(body)) {
            (void)check_update(network(), network_id(), *u, {u->chain_id, {}, 0, {}}, Height(0));
        }
    } else if (which == 2) {
        if (const auto r = same_again<Removal>(body)) {
            (void)check_removal(network_id(), *r, {r->chain_id, {}, 0, {}}, r->height);
        }
    } else if (which == 3) {
        if (const auto c = same_again<Checkpoint>(body)) {
            (void)check_checkpoint(network(), network_id(), *c);
        }
    } else if (which == 4) {
        (void)same_again<RevealStep>(body);
    }
}

void availability(ByteView input) {
    const auto [which, body] = choose(input, 8);
    if (which == 0) {
        if (const auto c = same_again<Challenger>(body)) (void)check_challenger(network_id(), *c);
    } else if (which == 1) {
        if (const auto c = same_again<Challenge>(body)) {
            const PublicKey keys[] = {c->challenger};
            const ChallengeContext context{network(),     network_id(), c->chain_id, c->height,
                                           c->block_hash, VdfOutput{},  keys};
            (void)check_challenge(context, *c);
        }
    } else if (which == 2) {
        if (const auto r = same_again<Response>(body)) {
            const ResponseContext context{r->id, {}, {}, ChunkCount(kMinChunks), {0, 3, 15}};
            (void)check_response(context, *r);
            (void)check_response_payload(context, r->chunks_and_siblings);
        }
    } else if (which == 3) {
        if (const auto o = same_again<Outcome>(body)) {
            const OutcomeContext context{network(), network_id(), Challenge{}, Height(0), {}};
            (void)check_outcome(context, *o);
        }
    } else if (which == 4) {
        if (const auto r = same_again<ReadRequest>(body)) {
            (void)check_read_range({{}, ChunkCount(kMinChunks)}, *r);
        }
    } else if (which == 5) {
        if (const auto a = same_again<ReadAnswer>(body)) {
            const ReadRequest request{{}, ReadWhat::kSealed, ChunkIndex(3), 7};
            (void)check_read_payload({{}, ChunkCount(kMinChunks)}, request, a->chunks_and_siblings);
        }
    } else if (which == 6) {
        if (const auto c = same_again<Challenge2>(body)) {
            const ChallengerDraw draw({{c->challenger, 1}});
            const Challenge2Context context{
                network_2(), network_2().id(), c->chain_id, c->height, c->block_hash, c->y, draw};
            (void)check_challenge(context, *c);
        }
    } else if (which == 7) {
        if (const auto o = same_again<Outcome2>(body)) {
            const Challenge2 challenge{};
            const Outcome2Context context{network_2(), network_2().id(), challenge, {}, {}, {}};
            HOLDFAST_CHECK(!check_outcome(context, *o));
        }
    }
}

void vdf(ByteView input) {
    const auto [which, body] = choose(input, 2);
    if (which == 0) {
        if (const auto p = same_again<VdfProof>(body)) {
            const VdfContext context =
                make_vdf_context(network(), network_id(), p->height, p->input, VdfOutput{});
            (void)verify_vdf_claim(context, *p);
        }
    } else if (which == 1) {
        if (const auto s = same_again<VdfSegment>(body)) {
            const VdfContext context =
                make_vdf_context(network(), network_id(), s->height, s->input, VdfOutput{});
            (void)verify_segment_paths(context, *s, Digest{});
        }
    }
}

void judge_as_known(const NetworkParams& params, const Evidence& e) {
    const NetworkId id = params.id();
    EvidenceFacts facts{params, id, {}, {}, {}, {}, {}};
    const EvidenceNeeds needs = evidence_needs(id, e);
    if (needs.chain) {
        KnownChain chain;
        chain.id = *needs.chain;
        chain.chunks = ChunkCount(kMinChunks);
        facts.chain = chain;
    }
    facts.block_hash = BlockHash{};
    facts.y = VdfOutput{};
    facts.seed = Seed{};
    facts.epoch_seed = EpochSeed{};
    const Verdict verdict = judge_without_fill(facts, e);
    // Nobody has signed anything here: no evidence of another kind than 3 can hold.
    HOLDFAST_CHECK(!verdict.accepted() || e.kind() == EvidenceKind::kBadSeal);
}

void evidence(ByteView body) {
    const auto e = same_again<Evidence>(body);
    if (!e) return;
    judge_as_known(network(), *e);
    judge_as_known(network_2(), *e);
}

void network_and_files(ByteView input) {
    const auto [which, body] = choose(input, 4);
    if (which == 0) {
        if (const auto params = same_again<NetworkParams>(body)) {
            HOLDFAST_CHECK(params->validate().accepted());
        }
    } else if (which == 1) {
        (void)decode_file_header(Kind::kReplicaFile, body);
    } else if (which == 2) {
        (void)decode_file_header(Kind::kTreeFile, body);
    } else if (which == 3) {
        if (const auto kind = peek_kind(body)) {
            HOLDFAST_CHECK(wrap_object(*kind, body.subspan(2)) == Bytes(body.begin(), body.end()));
        }
    }
}

/// What a node's own folder holds: nobody signs it, and a disk may give anything back.
void records(ByteView input) {
    const auto [which, body] = choose(input, 7);
    if (which == 0) {
        if (const auto manifest = same_again<Manifest>(body)) {
            HOLDFAST_CHECK(manifest->roots.size() ==
                           manifest->shape.shards() * manifest->segments_per_shard());
            (void)manifest->id();
        }
    } else if (which == 1) {
        (void)same_again<LinkRecord>(body);
    } else if (which == 2) {
        (void)same_again<SettlementCase>(body);
    } else if (which == 3) {
        (void)same_again<Decision>(body);
    } else if (which == 4) {
        (void)decode_recorded_call(body);
    } else if (which == 5) {
        if (const auto leaf = ChainLeaf::decode(body)) {
            const auto again = leaf->encode();
            HOLDFAST_CHECK(std::equal(again.begin(), again.end(), body.begin(), body.end()));
        }
    } else if (which == 6) {
        (void)same_again<JournalEntry>(body);
    }
}

/// What a peer may send: to a prover that has no chains, and to a challenger as an answer.
void peer_messages(ByteView input) {
    static std::uint64_t now_ns = 0;
    const MonotonicNs clock = [] { return now_ns += 1'000'000'000; };
    static AvailabilityResponder responder(network(), clock);
    static ChunkServer chunks(clock);
    static PeerService service(&responder, &chunks);
    static const PublicKey peer = KeyPair::from_secret(Bytes(32, 1)).public_key();
    const auto [which, message] = choose(input, 2);
    if (which == 0) {
        // Only readers are told why: no chain is known here, so nothing has data or a signature.
        if (const auto answer = service.handle(peer, message)) {
            const auto told = ReadAnswer::decode(*answer);
            HOLDFAST_CHECK(told && told->status == ReadStatus::kRefused);
        }
    } else if (which == 1) {
        const ResponseContext context{{}, peer, {}, ChunkCount(kMinChunks), {0, 3, 15}};
        const ChallengeReply reply{Bytes(message.begin(), message.end()), 1'000, 100};
        const ReplyJudgement judged = judge_reply(network(), context, reply);
        // Nobody has signed anything: it is neither served nor evidence.
        HOLDFAST_CHECK(judged.outcome == OutcomeKind::kLate && !judged.response);
    }
}

/// A seal proof of a fixed registration: sizes, signature, multiproofs; never a fill.
void seal_proof(ByteView body) {
    Registration registration;
    registration.header.prover = KeyPair::from_secret(Bytes(32, 1)).public_key();
    registration.header.data_len = kMinChunks * kChunkBytes;
    registration.header.chunks = ChunkCount(kMinChunks);
    registration.header.seal = kSealStandard;
    for (const SealProofKind kind : {SealProofKind::kSeal, SealProofKind::kAudit}) {
        const SealContext known{Height(5), VdfOutput{}, kind};
        const auto pending = check_seal_proof(network(), network_id(), registration, known, body);
        HOLDFAST_CHECK(!pending);
        const SealChallenge challenge =
            draw_seal_challenge(network(), network_id(), registration, known.y, kind);
        if (const auto proof = SealProof::decode(body, challenge)) {
            const Bytes again = proof->encode();
            HOLDFAST_CHECK(std::equal(again.begin(), again.end(), body.begin(), body.end()));
        }
    }
}

/// n, then indices, then hashes: no multiproof may crash, and a right one has one length.
void multiproof(ByteView input) {
    Reader r(input);
    const std::uint64_t leaves = r.u32();
    const std::uint8_t count = r.u8();
    std::vector<std::uint64_t> indices;
    for (std::uint8_t i = 0; i < count && !r.failed(); ++i) indices.push_back(r.u32());
    std::vector<Digest> hashes;
    while (!r.failed() && r.remaining() >= kDigestBytes) hashes.push_back(r.fixed<Digest>());
    const std::size_t known = std::min(indices.size(), hashes.size());
    const auto siblings = std::span(hashes).subspan(known);
    const auto leaf_hashes = std::span(hashes).first(known);
    const auto root = root_from_multiproof(leaves, indices, leaf_hashes, siblings);
    if (!root) return;
    HOLDFAST_CHECK(siblings.size() == multiproof_length(leaves, indices));
    for (std::size_t i = 0; i < indices.size(); ++i) {
        const auto path = path_from_multiproof(leaves, indices, leaf_hashes, siblings, i);
        HOLDFAST_CHECK(path.has_value());
        const auto alone = root_from_path(leaves, indices[i], leaf_hashes[i], *path);
        HOLDFAST_CHECK(alone.has_value() && *alone == *root);
    }
}

/// What a node that is followed and its followers say to each other.
void follow(ByteView message) {
    const auto same = [&](const Bytes& again) {
        HOLDFAST_CHECK(std::equal(again.begin(), again.end(), message.begin(), message.end()));
    };
    if (const auto question = decode_question(message)) same(encode_question(*question));
    const auto answer = decode_answer(message);
    if (!answer) return;
    same(encode_answer(*answer));
    // Whatever a node answers, its follower takes it or refuses it.
    FollowClient client(
        [&](ByteView) -> Result<Bytes> { return Bytes(message.begin(), message.end()); });
    (void)client.tip();
    if (const auto* height = std::get_if<FollowHeight>(&*answer)) {
        HOLDFAST_CHECK(client.at(height->height).has_value());
        HOLDFAST_CHECK(!client.at(height->height + 1).has_value());
        (void)client.round(height->height);
    }
    HistoryClient history(
        [&](ByteView) -> Result<Bytes> { return Bytes(message.begin(), message.end()); });
    if (const auto* told = std::get_if<HistoryAnswer>(&*answer)) {
        if (const auto* page = std::get_if<EntriesPage>(told)) {
            const auto taken = history.entries(page->first);
            HOLDFAST_CHECK(!taken || *taken == *page);
            HOLDFAST_CHECK(!history.entries(page->first + 1).has_value());
        }
        if (const auto* page = std::get_if<BlocksPage>(told)) {
            const auto taken = history.blocks(page->height, page->first);
            HOLDFAST_CHECK(!taken || *taken == *page);
        }
    }
    DutyClient duties(client, NetworkId{}, PublicKey{});
    (void)duties.heights();
    if (const auto* links = std::get_if<LinksDue>(&*answer)) {
        const auto all = duties.due_links(links->key, links->height);
        HOLDFAST_CHECK(!all || *all == links->page.found);
    }
    if (const auto* proofs = std::get_if<ProofsDue>(&*answer)) {
        const auto all = duties.due_proofs(proofs->key, proofs->height);
        HOLDFAST_CHECK(!all || *all == proofs->page.found);
    }
    if (const auto* owed = std::get_if<SealDuties>(&*answer)) {
        (void)duties.seal_duties(owed->key);
    }
    if (const auto* chains = std::get_if<OwnedChains>(&*answer)) {
        (void)duties.chains_of(chains->key);
    }
    const std::array<ByteView, 2> objects{message, message};
    const auto handed = duties.hand_over(objects);
    HOLDFAST_CHECK(!handed || !handed->acknowledgement);  // nobody has signed one
    // A light client asks no further question for ever, whatever the pages say.
    std::size_t asked = 0;
    const PublicClient light([&](ByteView) -> Result<Bytes> {
        HOLDFAST_CHECK(++asked <= 1'024);
        return Bytes(message.begin(), message.end());
    });
    if (!std::holds_alternative<PublicAnswer>(*answer)) return;
    (void)light.heights(Height(16), Height(600));
    (void)light.chain(ChainQuestion::By::kChain, Digest{});
    (void)light.path(ChainId{}, Height(16));
    (void)light.head(Height(16), 3);
    (void)light.link_proof(ChainId{}, Height(16));
    (void)light.segments(Height(16), {1});
}

/// A stream of frames as a connection would take it apart, the handshake's included.
void frames(ByteView stream) {
    constexpr FrameBounds kBounds{4'096, 8'192};
    while (stream.size() >= kFrameHeaderBytes) {
        const ByteView head = stream.first(kFrameHeaderBytes);
        const auto header = decode_frame_header(head, kBounds);
        if (!header) return;
        const Bytes again = encode_frame_header(*header);
        HOLDFAST_CHECK(std::equal(again.begin(), again.end(), head.begin(), head.end()));
        HOLDFAST_CHECK(header->length <= kBounds.max_response_bytes);
        stream = stream.subspan(kFrameHeaderBytes);
        if (stream.size() < header->length) return;
        const ByteView payload = stream.first(header->length);
        stream = stream.subspan(header->length);
        if (!check_frame_payload(*header, payload)) return;
        if (header->type == FrameType::kRequest || header->type == FrameType::kPost) {
            auto made = header_for_message(header->type, payload, kBounds);
            HOLDFAST_CHECK(made.has_value());
            made->number = header->number;
            HOLDFAST_CHECK(*made == *header);
        }
        if (header->type == FrameType::kHello) {
            const auto hello = decode_hello(payload);
            const auto goodbye = judge_hello(hello, network_id());
            HOLDFAST_CHECK(hello.has_value() || goodbye.has_value());
            if (hello) {
                const Bytes same = encode_hello(*hello);
                HOLDFAST_CHECK(
                    std::equal(same.begin(), same.end(), payload.begin(), payload.end()));
            }
        } else if (header->type == FrameType::kGoodbye || header->type == FrameType::kRefusal) {
            if (const auto notice = decode_notice(header->type, payload)) {
                const Bytes same = encode_notice(*notice);
                HOLDFAST_CHECK(
                    std::equal(same.begin(), same.end(), payload.begin(), payload.end()));
            }
        }
    }
}

/// What an owner reads back: a manifest, a removal, a catalogue's export.
void kept_files(ByteView input) {
    static const PublicKey owner = KeyPair::from_secret(Bytes(32, 1)).public_key();
    const auto [which, message] = choose(input, 3);
    const auto same = [](ByteView before, const Bytes& again) {
        HOLDFAST_CHECK(std::equal(again.begin(), again.end(), before.begin(), before.end()));
    };
    if (which == 0) {
        if (const auto file = KeptFile::decode(message)) same(message, file->encode());
    } else if (which == 1) {
        if (const auto removal = KeptRemoval::decode(message)) same(message, removal->encode());
    } else if (const auto entries = decode_catalogue(message, owner)) {
        same(message, encode_catalogue(*entries));
    }
}

/// What a client may ask and a prover may answer.
void deposit(ByteView input) {
    const auto [which, message] = choose(input, 3);
    if (which == 0) {
        if (const auto question = decode_deposit_question(message)) {
            const Bytes again = encode_question(*question);
            HOLDFAST_CHECK(std::equal(again.begin(), again.end(), message.begin(), message.end()));
        }
    } else if (which == 1) {
        if (const auto answer = decode_deposit_answer(message)) {
            const Bytes again = encode_answer(*answer);
            HOLDFAST_CHECK(std::equal(again.begin(), again.end(), message.begin(), message.end()));
        }
    } else if (which == 2) {
        (void)same_again<DepositTerms>(message);
    }
}

constexpr Target kTargets[] = {
    {"links", links},
    {"bundles", bundles},
    {"registry", registry},
    {"availability", availability},
    {"vdf", vdf},
    {"evidence", evidence},
    {"files", network_and_files},
    {"records", records},
    {"seal_proof", seal_proof},
    {"multiproof", multiproof},
    {"frames", frames},
    {"peer_messages", peer_messages},
    {"follow", follow},
    {"kept_files", kept_files},
    {"deposit", deposit},
};

}  // namespace

std::span<const Target> targets() { return kTargets; }

}  // namespace holdfast::fuzz
