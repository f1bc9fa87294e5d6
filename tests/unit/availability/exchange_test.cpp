#include "availability/exchange.hpp"

#include <gtest/gtest.h>

#include "core/selection.hpp"
#include "support/seal_world.hpp"

namespace holdfast {
namespace {

KeyPair key_of(std::string_view name) { return KeyPair::from_secret(view(sha256(view(name)))); }

/// Calls `examine` with every single bit of `body` flipped, `stride` bits apart.
template <class Examine>
void expect_flips_refused(Bytes body, const Examine& examine, std::size_t stride = 1) {
    ASSERT_TRUE(examine(body).accepted());
    for (std::size_t bit = 0; bit < body.size() * 8; bit += stride) {
        body[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_FALSE(examine(body).accepted()) << "bit " << bit;
        body[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    }
}

template <class T>
void expect_exact_length(const Bytes& body) {
    for (std::size_t n = 0; n < body.size(); ++n) {
        EXPECT_EQ(T::decode({body.data(), n}).error().reason, Reason::kTruncated);
    }
    Bytes longer = body;
    longer.push_back(0);
    EXPECT_EQ(T::decode(longer).error().reason, Reason::kTrailingBytes);
}

/// One challenged replica in memory, two challengers, one height.
struct ExchangeWorld {
    NetworkParams params = make_params();
    NetworkId network_id = params.id();
    KeyPair prover = key_of("prover");
    KeyPair first = key_of("challenger 1");
    KeyPair second = key_of("challenger 2");
    Height height{1'000};
    Height base{990};
    BlockHash block_hash{sha256(view("block"))};
    VdfOutput y{sha256(view("y"))};
    ChainId chain_id{sha256(view("chain"))};
    ChunkCount chunks{19};
    Bytes sealed = test::some_bytes(19 * kChunkBytes);
    MerkleTree tree{make_leaves(sealed)};
    std::vector<PublicKey> in_force{first.public_key(), second.public_key()};
    const KeyPair& challenger = assigned();
    // a_10 of a chain of ten steps whose end is known to the test.
    std::vector<Reveal> reveals = make_reveals();

    static NetworkParams make_params() {
        NetworkParams p = test::seal_network();
        p.availability_n = p.availability_d = 1;
        p.availability_chunks = 4;
        p.rate_window = 15;
        return p;
    }
    static std::vector<Digest> make_leaves(const Bytes& bytes) {
        std::vector<Digest> leaves;
        for (std::size_t at = 0; at < bytes.size(); at += kCellBytes) {
            leaves.push_back(leaf_hash({bytes.data() + at, kCellBytes}));
        }
        return leaves;
    }
    [[nodiscard]] const KeyPair& assigned() const {
        const auto key = assigned_challenger(network_id, y, chain_id, in_force);
        return key == first.public_key() ? first : second;
    }
    /// a_0 … a_40.
    [[nodiscard]] std::vector<Reveal> make_reveals() const {
        std::vector<Reveal> a(41);
        a[40] = Reveal(sha256(view("end")));
        for (std::uint64_t i = 40; i > 0; --i) {
            a[i - 1] = reveal_before(network_id, view(challenger.public_key()), i, a[i]);
        }
        return a;
    }
    [[nodiscard]] const Reveal& reveal() const { return reveals[height.since(base)]; }
    [[nodiscard]] Challenge challenge() const {
        return make_challenge(network_id, chain_id, height, block_hash, reveal(), challenger)
            .value();
    }
    [[nodiscard]] ChallengeContext challenge_context() const {
        return {params, network_id, chain_id, height, block_hash, y, in_force};
    }
    [[nodiscard]] ResponseContext response_context() const {
        const Challenge c = challenge();
        return {c.id(network_id), prover.public_key(), Root(tree.root()), chunks,
                challenged_chunks(params, network_id, y, chain_id, c.challenger, c.nonce, chunks)};
    }
    [[nodiscard]] Bytes payload() const {
        std::vector<std::uint64_t> selected = response_context().selected;
        std::sort(selected.begin(), selected.end());
        std::vector<std::uint64_t> cells;
        Writer w;
        for (const std::uint64_t chunk : selected) {
            w.raw({sealed.data() + chunk * kChunkBytes, kChunkBytes});
            for (std::uint64_t c = 0; c < kCellsPerChunk; ++c) {
                cells.push_back(chunk * kCellsPerChunk + c);
            }
        }
        w.digests(tree.multiproof(cells));
        return w.take();
    }
};

// --- challengers ---------------------------------------------------------------------------------

TEST(Challenger, EncodesAndRefusesEveryChange) {
    const ExchangeWorld world;
    const Challenger own = make_challenger(world.network_id, world.reveals[0], world.base,
                                           BondId(sha256(view("bond"))), world.first)
                               .value();
    const Bytes body = own.encode();
    EXPECT_EQ(body.size(), 168U);
    EXPECT_EQ(*Challenger::decode(body), own);
    expect_exact_length<Challenger>(body);
    expect_flips_refused(body, [&](const Bytes& changed) {
        return check_challenger(world.network_id, *Challenger::decode(changed));
    });
    EXPECT_EQ(check_challenger(NetworkId(sha256(view("other"))), own).reason,
              Reason::kBadSignature);
}

TEST(Challenger, RefusesKeysOfSmallOrder) {
    Challenger c;
    c.key.bytes[0] = 1;  // the identity
    EXPECT_EQ(check_challenger(NetworkId{}, c).reason, Reason::kBadKey);
}

TEST(Challenger, BaseMustBeLaterThanNowAndThanBefore) {
    const ExchangeWorld world;
    Challenger c;
    c.base = Height(105);
    EXPECT_TRUE(check_challenger_base(world.params, c, Height(100), std::nullopt).accepted());
    EXPECT_EQ(check_challenger_base(world.params, c, Height(101), std::nullopt).reason,
              Reason::kTooEarly);
    EXPECT_TRUE(check_challenger_base(world.params, c, Height(100), Height(104)).accepted());
    EXPECT_EQ(check_challenger_base(world.params, c, Height(100), Height(105)).reason,
              Reason::kTooEarly);
    EXPECT_EQ(check_challenger_base(world.params, c, Height(UINT64_MAX), std::nullopt).reason,
              Reason::kTooEarly);
}

TEST(Challenger, NewestBaseIsInForce) {
    const auto with = [](std::uint8_t key, std::uint64_t base) {
        Challenger c;
        c.key.bytes[0] = key;
        c.base = Height(base);
        return c;
    };
    const std::vector<Challenger> registered{with(2, 10), with(1, 30), with(1, 10), with(1, 20),
                                             with(3, 41)};
    const auto bases = [&](std::uint64_t h) {
        std::vector<std::uint64_t> out;
        for (const Challenger& c : challengers_in_force(registered, Height(h))) {
            out.push_back(c.base.value);
        }
        return out;
    };
    EXPECT_EQ(bases(9), (std::vector<std::uint64_t>{}));
    EXPECT_EQ(bases(10), (std::vector<std::uint64_t>{10, 10}));
    EXPECT_EQ(bases(29), (std::vector<std::uint64_t>{20, 10}));
    EXPECT_EQ(bases(41), (std::vector<std::uint64_t>{30, 10, 41}));
}

// --- drawing -------------------------------------------------------------------------------------

TEST(Drawing, AssignsOneChallengerWhateverTheirOrder) {
    const ExchangeWorld world;
    std::vector<PublicKey> keys;
    for (int i = 0; i < 20; ++i) keys.push_back(key_of(std::to_string(i)).public_key());
    std::set<PublicKey> seen;
    for (std::uint64_t i = 0; i < 200; ++i) {
        const ChainId chain(tagged_hash("test/chain", i));
        const auto one = assigned_challenger(world.network_id, world.y, chain, keys);
        std::rotate(keys.begin(), keys.begin() + 7, keys.end());
        EXPECT_EQ(assigned_challenger(world.network_id, world.y, chain, keys), one);
        seen.insert(*one);
    }
    EXPECT_EQ(seen.size(), keys.size()) << "everybody is assigned now and then";
    EXPECT_FALSE(assigned_challenger(world.network_id, world.y, world.chain_id, {}).has_value());
}

TEST(Drawing, HitsTheProbabilityOfTheNetwork) {
    ExchangeWorld world;
    const auto drawn = [&](std::uint32_t n, std::uint32_t d) {
        world.params.availability_n = n;
        world.params.availability_d = d;
        int count = 0;
        for (std::uint64_t i = 0; i < 2'000; ++i) {
            const ChallengeNonce nonce(tagged_hash("test/nonce", i));
            count += challenge_is_drawn(world.params, world.network_id, world.y, world.chain_id,
                                        world.first.public_key(), nonce)
                         ? 1
                         : 0;
        }
        return count;
    };
    EXPECT_EQ(drawn(0, 10), 0);
    EXPECT_EQ(drawn(10, 10), 2'000);
    EXPECT_NEAR(drawn(1, 10), 200, 54) << "four standard deviations";
}

TEST(Drawing, ChunksAreDistinctAndNeverMoreThanThereAre) {
    ExchangeWorld world;
    world.params.availability_chunks = 1'000;
    auto chunks = challenged_chunks(world.params, world.network_id, world.y, world.chain_id,
                                    world.first.public_key(), ChallengeNonce{}, ChunkCount(16));
    std::sort(chunks.begin(), chunks.end());
    ASSERT_EQ(chunks.size(), 16U);
    for (std::uint64_t i = 0; i < 16; ++i) EXPECT_EQ(chunks[i], i);
}

// --- challenge -----------------------------------------------------------------------------------

TEST(Challenge, IsAcceptedAndRefusedWithEveryChange) {
    const ExchangeWorld world;
    const Bytes body = world.challenge().encode();
    EXPECT_EQ(body.size(), 200U);
    expect_exact_length<Challenge>(body);
    expect_flips_refused(body, [&](const Bytes& changed) {
        return check_challenge(world.challenge_context(), *Challenge::decode(changed));
    });
}

TEST(Challenge, EachRefusalHasItsReason) {
    ExchangeWorld world;
    const Challenge own = world.challenge();
    const auto reason = [&](const Challenge& c) {
        return check_challenge(world.challenge_context(), c).reason;
    };
    const auto resigned = [&](Challenge c, const KeyPair& key) {
        c.signature = key.sign(view(c.id(world.network_id))).value();
        return c;
    };
    Challenge c = own;
    c.chain_id.bytes[0] ^= 1;
    EXPECT_EQ(reason(resigned(c, world.challenger)), Reason::kWrongChain);
    c = own;
    c.height = world.height + 1;
    EXPECT_EQ(reason(resigned(c, world.challenger)), Reason::kWrongHeight);
    c = own;
    c.block_hash = BlockHash{};
    EXPECT_EQ(reason(resigned(c, world.challenger)), Reason::kWrongBlock);
    c = own;
    const KeyPair& other = &world.challenger == &world.first ? world.second : world.first;
    c.challenger = other.public_key();
    EXPECT_EQ(reason(resigned(c, other)), Reason::kNotAssigned);
    EXPECT_EQ(reason(resigned(own, other)), Reason::kBadSignature);
    EXPECT_EQ(reason(own), Reason::kOk);
    world.params.availability_n = 0;
    EXPECT_EQ(reason(own), Reason::kNotDrawn);
    world.in_force.clear();
    EXPECT_EQ(reason(own), Reason::kNotAssigned);
}

TEST(Challenge, MustArriveBetweenTwoFinalBlocks) {
    EXPECT_EQ(check_challenge_arrival(Height(10), Height(10)).reason, Reason::kTooEarly);
    EXPECT_TRUE(check_challenge_arrival(Height(10), Height(11)).accepted());
    EXPECT_EQ(check_challenge_arrival(Height(10), Height(12)).reason, Reason::kTooLate);
    EXPECT_EQ(check_challenge_arrival(Height(10), Height(9)).reason, Reason::kTooEarly);
}

TEST(Challenge, IsAnsweredOnceForEachChainAndHeight) {
    const ExchangeWorld w;
    Challenge2 first;
    first.chain_id = w.challenge().chain_id;
    first.height = w.challenge().height;
    Challenge2 other_nonce = first;
    other_nonce.nonce[0] ^= 1;
    Challenge2 other_chain = first;
    other_chain.chain_id[0] ^= 1;
    ChallengesSeen seen;
    EXPECT_EQ(seen.admit(first, first.height), Verdict(Reason::kTooEarly));
    EXPECT_EQ(seen.admit(first, first.height + 1), Verdict::ok()) << "too early left no trace";
    EXPECT_EQ(seen.admit(first, first.height + 1), Verdict(Reason::kDuplicateChallenge));
    EXPECT_EQ(seen.admit(other_nonce, first.height + 1), Verdict(Reason::kDuplicateChallenge));
    EXPECT_EQ(seen.admit(other_chain, first.height + 1), Verdict::ok());
    Challenge2 next = first;
    next.height = first.height + 1;
    EXPECT_EQ(seen.admit(next, next.height + 1), Verdict::ok());
    EXPECT_EQ(seen.admit(first, next.height + 1), Verdict(Reason::kTooLate));
    EXPECT_EQ(seen.admit(next, next.height + 1), Verdict(Reason::kDuplicateChallenge));
}

// --- response ------------------------------------------------------------------------------------

TEST(Response, IsAcceptedAndRefusedWithEveryChange) {
    const ExchangeWorld world;
    const ResponseContext context = world.response_context();
    const Response own = sign_response(context.id, world.payload(), world.prover).value();
    EXPECT_EQ(own.chunks_and_siblings.size(), response_payload_bytes(context));
    const Bytes body = own.encode();
    EXPECT_EQ(*Response::decode(body), own);
    for (std::size_t n = 0; n < 96; ++n) {
        EXPECT_EQ(Response::decode({body.data(), n}).error().reason, Reason::kTruncated);
    }
    expect_flips_refused(
        body,
        [&](const Bytes& changed) { return check_response(context, *Response::decode(changed)); },
        397);
}

TEST(Response, BlamesTheProverOnlyForWhatItSigned) {
    const ExchangeWorld world;
    const ResponseContext context = world.response_context();
    const Bytes payload = world.payload();
    const auto verdict = [&](const Bytes& bytes, const KeyPair& key) {
        return check_response(context, sign_response(context.id, bytes, key).value());
    };
    EXPECT_TRUE(verdict(payload, world.prover).accepted());
    EXPECT_FALSE(response_is_evidence(verdict(payload, world.prover)));

    Bytes changed = payload;
    changed[100] ^= 1;
    EXPECT_EQ(verdict(changed, world.prover).reason, Reason::kBadMultiproof);
    EXPECT_TRUE(response_is_evidence(verdict(changed, world.prover)));
    EXPECT_EQ(verdict(changed, world.first).reason, Reason::kBadSignature);
    EXPECT_FALSE(response_is_evidence(verdict(changed, world.first)));

    for (const std::size_t length : {std::size_t{0}, payload.size() - 32, payload.size() + 32,
                                     payload.size() - kChunkBytes, payload.size() + 1}) {
        changed = payload;
        changed.resize(length);
        EXPECT_EQ(verdict(changed, world.prover).reason, Reason::kProofLength) << length;
    }
    // Chunks in another order than ascending.
    changed = payload;
    std::rotate(changed.begin(), changed.begin() + kChunkBytes,
                changed.begin() + 2 * static_cast<std::ptrdiff_t>(kChunkBytes));
    EXPECT_EQ(verdict(changed, world.prover).reason, Reason::kBadMultiproof);

    const Response foreign =
        sign_response(ChallengeId(sha256(view("other"))), payload, world.prover).value();
    EXPECT_EQ(check_response(context, foreign).reason, Reason::kWrongChallenge);
    EXPECT_FALSE(response_is_evidence(check_response(context, foreign)));
}

TEST(Response, IsMadeFromCheckedChunksOnly) {
    const test::SealWorld sealed;
    const SealedReplica replica = sealed.seal_bytes("file", test::some_bytes(100'000));
    const ResponseContext context{ChallengeId(sha256(view("id"))),
                                  sealed.key.public_key(),
                                  replica.header.sealed_root,
                                  replica.header.replica.chunks,
                                  {7, 3, 20, 0}};
    {
        const Replica opened = *sealed.open("file");
        const auto response = make_response(context, opened, sealed.key);
        ASSERT_TRUE(response.has_value()) << response.error().message;
        EXPECT_TRUE(check_response(context, *response).accepted());
        EXPECT_EQ(make_response(context, opened, key_of("another")).error().code,
                  ErrorCode::kInvalidArgument);
        ResponseContext other = context;
        other.sealed_root.bytes[0] ^= 1;
        EXPECT_EQ(make_response(other, opened, sealed.key).error().code,
                  ErrorCode::kInvalidArgument);
    }
    const std::filesystem::path path = sealed.folder / "file.replica";
    Bytes damaged = test::slurp(path);
    damaged[kFileHeaderBytes + 7 * kChunkBytes + 5] ^= 1;
    test::spill(path, damaged);
    const Replica opened = *sealed.open("file");
    EXPECT_EQ(make_response(context, opened, sealed.key).error().code, ErrorCode::kCorrupt);
    ResponseContext elsewhere = context;
    elsewhere.selected = {3, 20, 0};
    EXPECT_TRUE(make_response(elsewhere, opened, sealed.key).has_value());
}

// --- outcome -------------------------------------------------------------------------------------

TEST(Outcome, IsAcceptedAndRefusedWithEveryChange) {
    const ExchangeWorld world;
    const Challenge challenge = world.challenge();
    const OutcomeContext context{
        world.params, world.network_id, challenge, world.base, {0, world.reveals[0]}};
    for (const OutcomeKind kind : {OutcomeKind::kServed, OutcomeKind::kLate, OutcomeKind::kInvalid,
                                   OutcomeKind::kUnreachable}) {
        const Outcome own = make_outcome(challenge.id(world.network_id), world.reveal(), kind,
                                         1'234, 567, world.challenger)
                                .value();
        const Bytes body = own.encode();
        EXPECT_EQ(body.size(), 137U);
        EXPECT_EQ(*Outcome::decode(body), own);
        expect_exact_length<Outcome>(body);
        expect_flips_refused(body, [&](const Bytes& changed) -> Verdict {
            const auto decoded = Outcome::decode(changed);
            return decoded ? check_outcome(context, *decoded) : decoded.error();
        });
    }
}

TEST(Outcome, EachRefusalHasItsReason) {
    const ExchangeWorld world;
    const Challenge challenge = world.challenge();
    OutcomeContext context{
        world.params, world.network_id, challenge, world.base, {0, world.reveals[0]}};
    const ChallengeId id = challenge.id(world.network_id);
    const auto made = [&](const Reveal& reveal, const KeyPair& key) {
        return make_outcome(id, reveal, OutcomeKind::kServed, 1, 1, key).value();
    };
    const Outcome own = made(world.reveal(), world.challenger);
    EXPECT_TRUE(check_outcome(context, own).accepted());

    Outcome other = own;
    other.id.bytes[0] ^= 1;
    EXPECT_EQ(check_outcome(context, other).reason, Reason::kWrongChallenge);
    EXPECT_EQ(check_outcome(context, made(world.reveals[3], world.challenger)).reason,
              Reason::kBadNonce);
    EXPECT_EQ(check_outcome(context, made(world.reveal(), world.prover)).reason,
              Reason::kBadSignature);
    for (const std::uint8_t kind : Bytes{0, 5, 255}) {
        Bytes body = own.encode();
        body[64] = kind;
        EXPECT_EQ(Outcome::decode(body).error().reason, Reason::kBadOutcome);
    }
    // A nonce made of no committed reveal: the challenger aimed it.
    const Reveal aimed(sha256(view("aimed")));
    const Challenge aimed_challenge = make_challenge(world.network_id, world.chain_id, world.height,
                                                     world.block_hash, aimed, world.challenger)
                                          .value();
    EXPECT_TRUE(check_challenge(world.challenge_context(), aimed_challenge).accepted())
        << "the prover cannot tell";
    const OutcomeContext aimed_context{
        world.params, world.network_id, aimed_challenge, world.base, {0, world.reveals[0]}};
    const Outcome aimed_outcome = make_outcome(aimed_challenge.id(world.network_id), aimed,
                                               OutcomeKind::kLate, 1, 1, world.challenger)
                                      .value();
    EXPECT_EQ(check_outcome(aimed_context, aimed_outcome).reason, Reason::kBadReveal);

    context.base = world.height + 1;
    EXPECT_EQ(check_outcome(context, own).reason, Reason::kRevealExhausted);
}

TEST(Outcome, RevealMustLieWithinReachOfTheLastKnown) {
    ExchangeWorld world;
    world.height = world.base + 17;  // one hash more than rate_window + 1
    const Challenge challenge = world.challenge();
    const Outcome own = make_outcome(challenge.id(world.network_id), world.reveal(),
                                     OutcomeKind::kServed, 1, 1, world.challenger)
                            .value();
    OutcomeContext context{
        world.params, world.network_id, challenge, world.base, {0, world.reveals[0]}};
    EXPECT_EQ(check_outcome(context, own).reason, Reason::kRevealTooFar);
    context.known = {1, world.reveals[1]};
    EXPECT_TRUE(check_outcome(context, own).accepted());
    context.known = {30, world.reveals[30]};
    EXPECT_TRUE(check_outcome(context, own).accepted()) << "from a later one downwards";
}

// --- suspension ----------------------------------------------------------------------------------

OutcomeRecord record(std::uint64_t height, std::uint8_t challenger, OutcomeKind outcome) {
    OutcomeRecord r{Height(height), {}, outcome};
    r.challenger.bytes[0] = challenger;
    return r;
}

TEST(Suspension, TakesAQuorumOfTheNewestChallengers) {
    NetworkParams p;
    p.quorum = 3;
    p.quorum_of = 5;
    p.quorum_window = 50;
    const auto kLate = OutcomeKind::kLate;
    const auto kServed = OutcomeKind::kServed;
    const Height h(1'000);
    const auto suspended = [&](std::vector<OutcomeRecord> outcomes) {
        std::sort(outcomes.begin(), outcomes.end(),
                  [](const auto& a, const auto& b) { return b.height < a.height; });
        const bool forward = suspended_by_quorum(p, h, outcomes);
        std::reverse(outcomes.begin(), outcomes.end());
        EXPECT_EQ(suspended_by_quorum(p, h, outcomes), forward);
        return forward;
    };
    EXPECT_FALSE(suspended({}));
    std::vector<OutcomeRecord> o{record(990, 1, kLate), record(991, 2, OutcomeKind::kUnreachable)};
    EXPECT_FALSE(suspended(o));
    o.push_back(record(992, 3, kLate));
    EXPECT_TRUE(suspended(o));
    // One challenger counts once, by its newest outcome.
    o.push_back(record(993, 3, kServed));
    EXPECT_FALSE(suspended(o));
    o.push_back(record(994, 3, kLate));
    EXPECT_TRUE(suspended(o));
    // Later challengers push the first ones out of the five newest.
    for (std::uint8_t i = 4; i <= 5; ++i) o.push_back(record(990U + i, i, kServed));
    EXPECT_TRUE(suspended(o));
    o.push_back(record(996, 6, kServed));
    EXPECT_FALSE(suspended(o));
}

TEST(Suspension, InvalidIsNoTestimonyAndTheWindowIsExact) {
    NetworkParams p;
    p.quorum = 1;
    p.quorum_of = 5;
    p.quorum_window = 50;
    const auto one = [&](std::uint64_t height, OutcomeKind kind) {
        const std::vector<OutcomeRecord> outcomes{record(height, 1, kind)};
        return suspended_by_quorum(p, Height(1'000), outcomes);
    };
    EXPECT_FALSE(one(999, OutcomeKind::kInvalid));
    EXPECT_TRUE(one(999, OutcomeKind::kUnreachable));
    EXPECT_TRUE(one(951, OutcomeKind::kLate));
    EXPECT_FALSE(one(950, OutcomeKind::kLate)) << "height > h - quorum_window";
    EXPECT_TRUE(one(1'000, OutcomeKind::kLate));
    EXPECT_FALSE(one(1'001, OutcomeKind::kLate)) << "belongs to a later digest";
    const std::vector<OutcomeRecord> early{record(3, 1, OutcomeKind::kLate)};
    EXPECT_TRUE(suspended_by_quorum(p, Height(10), early)) << "no window before the first height";
}

}  // namespace
}  // namespace holdfast
