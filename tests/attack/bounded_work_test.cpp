// Attack: make every node work, or wait, for next to nothing: many updates of one chain, many
// registrations that come to nothing, many under one bond, evidence that costs fills, signatures
// that are none.
//
// What work costs is counted in records that the registry looks up, walks over or changes, so that
// the counts are the same on every machine.
#include "analysis/node_work.hpp"
#include "availability/exchange.hpp"
#include "hierarchy/block_limits.hpp"
#include "proofs/evidence.hpp"
#include "storage/lmdb_store.hpp"
#include "support/registry_world.hpp"

namespace holdfast::test {
namespace {

template <class Work>
std::uint64_t cost_of(const Work& work) {
    const std::uint64_t before = store_operations();
    work();
    return store_operations() - before;
}

// --- updates -------------------------------------------------------------------------------------

/// A chain that is registered and owes nothing else for a long time: what a block costs beside its
/// updates is the same at every height.
struct Updates : testing::Test {
    static NetworkParams params() {
        NetworkParams p = patient_network();
        p.seal_deadline = 10'000;
        return p;
    }
    Updates() : world(params()), chain(world.params(), 1, Height(101)) {
        world.feed_to(Height(102));
        world.add(chain);
        // Until as many heights are kept as ever will be.
        world.feed_to(Height(202));
    }
    /// Blocks until one follows that does not make the digest of the whole state (spec 15.5).
    void before_plain_block() {
        const NetworkParams& p = world.params();
        for (std::uint32_t i = 0; i < p.seal_delay; ++i) world.feed();
        while ((world.tip().value + 1 - p.closing_blocks()) % p.checkpoint_blocks == 0)
            world.feed();
    }
    void list_update(std::uint32_t sequence) {
        // Ascending, and always far enough ahead.
        const Height base(1'000'000 + std::uint64_t{sequence});
        world.list(Kind::kUpdate, make_update(network_id, chain.id(), sequence, base,
                                              Reveal(tagged_hash("test/base")), chain.key())
                                      .value());
    }
    RegistryWorld world;
    TestChain chain;
    NetworkId network_id = world.params().id();  // asking the registry would end the block
};

TEST_F(Updates, OfOneChainEachCostTheSameHoweverManyCameBefore) {
    std::vector<std::uint64_t> costs;
    std::vector<std::uint64_t> lookups;
    for (std::uint32_t sequence = 1; sequence <= 240; ++sequence) {
        before_plain_block();
        list_update(sequence);
        costs.push_back(cost_of([&] { (void)world.flush(); }));
        ASSERT_EQ(world.listed().back(), Verdict::ok()) << sequence;
        lookups.push_back(
            cost_of([&] { (void)must(world->known_chain(chain.id(), world.tip())); }));
    }
    EXPECT_EQ(costs[0], costs.back());
    EXPECT_EQ(lookups[1], lookups.back());
    EXPECT_EQ(must(world->updates(chain.id())).size(), 240U);
}

TEST_F(Updates, SevenThousandFiveHundredInOneBlockAreOneUpdateAndRefusals) {
    const auto block_of = [&](std::uint32_t from, std::uint32_t count) {
        before_plain_block();
        for (std::uint32_t i = 0; i < count; ++i) list_update(from + i);
        const std::uint64_t cost = cost_of([&] { (void)world.flush(); });
        const std::vector<Verdict> verdicts = world.listed();
        EXPECT_EQ(verdicts.front(), Verdict::ok());
        for (std::size_t i = 1; i < verdicts.size(); ++i) {
            EXPECT_EQ(verdicts[i].reason, Reason::kTooEarly);
        }
        return cost;
    };
    const std::uint64_t one = block_of(1, 1);
    const std::uint64_t some = block_of(2, 751);
    const std::uint64_t many = block_of(3, 7'501);
    // Each refusal is two lookups; of a journal's tree some blocks write a few nodes more than
    // others.
    EXPECT_NEAR(static_cast<double>(some - one), 2 * 750, 10);
    EXPECT_NEAR(static_cast<double>(many - one), 2 * 7'500, 10);
}

// --- links ---------------------------------------------------------------------------------------

TEST(Bundles, OfStrangersChainsAreGivenUpAfterSixteen) {
    RegistryWorld world(patient_network());
    const NetworkId network_id = world.params().id();
    const TestChain chain(world.params(), 1, Height(101));
    world.feed_to(Height(102));
    world.add_and_seal(chain);
    world.feed();
    // Of sixteen chains that nobody knows to as many as a bundle holds; ours is the last.
    const Height h = world.tip();
    const KnownHeight known = world.known(chain, h);
    const auto bundle_with = [&](std::uint32_t strangers) {
        std::vector<BundleEntry> members;
        for (std::uint32_t n = 0; n < strangers; ++n) {
            ChainId id;  // below any hash
            id.bytes[2] = static_cast<std::uint8_t>(n >> 8);
            id.bytes[3] = static_cast<std::uint8_t>(n);
            members.push_back({id, Link(tagged_hash("test/strange"))});
        }
        members.push_back({chain.id(), Link(tagged_hash("test/ours", strangers))});
        const auto made = make_bundle(network_id, known.block_hash, h, known.anchor,
                                      std::move(members), chain.key());
        return wrap_object(Kind::kBundle, made.value().encode());
    };
    const ObjectOutcome fifteen = world.accept(bundle_with(15));
    EXPECT_EQ(fifteen.members.back(), Verdict::ok());
    ObjectOutcome many;
    const Bytes large = bundle_with(kBundleMaxMembers - 1);
    const std::uint64_t cost = cost_of([&] { many = world.accept(large); });
    ASSERT_EQ(many.members.size(), kBundleMaxMembers);
    EXPECT_EQ(many.members[0].reason, Reason::kUnknownChain);
    EXPECT_EQ(many.members[15].reason, Reason::kUnknownChain);
    EXPECT_EQ(many.members[16].reason, Reason::kWrongProver);
    EXPECT_EQ(many.members.back().reason, Reason::kWrongProver);
    EXPECT_FALSE(many.entry.has_value());
    EXPECT_LT(cost, 40U);
}

// --- registrations -------------------------------------------------------------------------------

/// A registry in which `count` chains are registered at once and never sealed.
struct Unsealed {
    explicit Unsealed(std::uint64_t count) : world(patient_network()) {
        world.feed_to(Height(102));
        for (std::uint64_t n = 0; n < count; ++n) {
            chains.push_back(std::make_unique<TestChain>(world.params(), 1'000 + n, Height(101)));
            world.add(*chains.back());
        }
        (void)world.flush();
        const NetworkParams& p = world.params();
        const Height voided = world.tip() + p.seal_delay + p.seal_deadline;
        world.feed_to(voided + p.link_lag);
        (void)world.flush();
        voiding = cost_of([&] { outcome = world.feed(); });
        // Long after, where the digest of the whole state is not made (spec 15.5).
        for (int i = 0;
             i < 100 || (world.tip().value + 1 - p.closing_blocks()) % p.checkpoint_blocks == 0;
             ++i) {
            world.feed();
        }
        later = cost_of([&] { world.feed(); });
    }
    RegistryWorld world;
    std::vector<std::unique_ptr<TestChain>> chains;
    BlockOutcome outcome;
    std::uint64_t voiding = 0;  // of the block that closes the height of their deadline
    std::uint64_t later = 0;    // of a block long after
};

TEST(Registrations, ThatComeToNothingCostAsManyRecordsEachAndNothingAfterwards) {
    const Unsealed none(0);
    const Unsealed few(50);
    Unsealed many(1'000);
    EXPECT_EQ(many.outcome.closed.value().effects.size(), 1'000U);
    EXPECT_EQ(must(many.world->statistics()).voided, 1'000U);
    EXPECT_EQ((few.voiding - none.voiding) / 50, (many.voiding - none.voiding) / 1'000);
    EXPECT_LE(static_cast<double>(many.voiding - none.voiding) / 1'000, kVoidRecords);
    EXPECT_EQ(many.later, none.later);
    EXPECT_EQ(must(many.world->decisions(0, 2'000)).size(), 1'000U);
}

TEST(Registrations, UnderOneBondAreAsManyAsItHasLeastParts) {
    RegistryWorld world(patient_network());
    const NetworkId network_id = world.params().id();
    const TestChain chain(world.params(), 1, Height(101));
    world.feed_to(Height(102));
    world.list(chain.bond(10 * kTestPart));
    std::vector<ChainId> ids;
    for (std::uint64_t n = 0; n < 21; ++n) {
        Registration r = chain.registration();
        r.header.nonce = 100 + n;
        r = sign_registration(network_id, r, chain.key()).value();
        ids.push_back(r.chain_id(network_id));
        world.list(Kind::kRegistration, r);
    }
    std::vector<Verdict> wanted(10, Verdict::ok());
    wanted.resize(21, Reason::kBondTaken);
    EXPECT_EQ(world.listed(), wanted);
    const Height listed = world.tip();
    world.feed_to(listed + world.params().seal_delay);
    (void)world.flush();
    const auto duty = must(world->seal_duties(ids[0])).at(0);
    const Bytes proof = seal_object(ids[0], duty.y_height.value());
    EXPECT_EQ(must(world->accept(ByteView(proof), seal_passes())).verdict, Verdict::ok());
    world.feed_to(listed + 40);
    // The nine that were not sealed have cost their own parts, and that chain goes on with its.
    EXPECT_EQ(must(world->statistics()).voided, 9U);
    EXPECT_EQ(must(world->part(BondPurpose::kStorage, ids[0])).value().amount, kTestPart);
    const auto bond = must(world->bond(chain.registration().bond_id)).value();
    EXPECT_EQ(bond.owed, 9 * kTestPart);
    EXPECT_EQ(bond.reserved, kTestPart);
    EXPECT_EQ(bond.free, 0U);
}

// --- evidence that costs a fill ------------------------------------------------------------------

/// A replica whose sealed cells are anything but its raw ones under the keystream.
struct Missealed {
    Missealed(const NetworkParams& params, std::uint64_t seed)
        : network_id(params.id()),
          key(KeyPair::from_secret(view(tagged_hash("test/missealed", seed)))) {
        raw = cells_of("raw", seed);
        sealed = cells_of("sealed", seed);
        registration.header.prover = key.public_key();
        registration.header.raw_root = Root(tree_of(raw).root());
        registration.header.data_len = kMinChunks * kChunkBytes;
        registration.header.chunks = ChunkCount(kMinChunks);
        registration.header.seal = params.seal_presets.front();
        registration.header.nonce = seed;
        registration.sealed_root = Root(tree_of(sealed).root());
        registration.genesis_height = Height(101);
        registration.genesis_block_hash = test_hash(Height(101));
        registration.bond_id = BondId(tagged_hash("test/missealed-bond", seed));
        registration = sign_registration(network_id, registration, key).value();
        id = registration.chain_id(network_id);
    }
    static std::vector<Cell> cells_of(std::string_view what, std::uint64_t seed) {
        std::vector<Cell> out(kMinChunks * kCellsPerChunk);
        for (std::size_t i = 0; i < out.size(); ++i) {
            const Digest d = tagged_hash("test/cells", sha256(view(what)), seed, std::uint64_t{i});
            std::copy(d.bytes.begin(), d.bytes.end(), out[i].bytes.begin());
        }
        return out;
    }
    static MerkleTree tree_of(const std::vector<Cell>& cells) {
        std::vector<Digest> leaves;
        for (const Cell& cell : cells) leaves.push_back(leaf_hash(view(cell)));
        return MerkleTree(std::move(leaves));
    }
    [[nodiscard]] BondEvent bond() const {
        return BondEvent::created(registration.bond_id, key.public_key(), kTestPart,
                                  BondPurpose::kStorage);
    }
    [[nodiscard]] Evidence evidence(std::uint64_t cell) const {
        return make_bad_seal(registration, CellIndex(cell), raw[cell], tree_of(raw).path(cell),
                             sealed[cell], tree_of(sealed).path(cell));
    }
    NetworkId network_id;
    KeyPair key;
    std::vector<Cell> raw, sealed;
    Registration registration;
    ChainId id;
};

struct FillsOfEvidence : testing::Test {
    void SetUp() override {
        world.feed_to(Height(102));
        for (std::uint64_t n = 0; n < 4; ++n) {
            cheats.push_back(std::make_unique<Missealed>(world.params(), n));
            world.list(cheats.back()->bond());
            world.list(Kind::kRegistration, cheats.back()->registration);
        }
        ASSERT_EQ(world.listed(), std::vector<Verdict>(4));
    }
    void accuse(const Evidence& evidence, std::uint64_t amount = kTestPart) {
        const Bytes object = wrap_object(Kind::kEvidence, evidence.encode());
        world.list(BondEvent::created(deposit_of(evidence), accuser.public_key(), amount,
                                      BondPurpose::kAccusation, sha256(object)));
        world.list(Kind::kEvidence, object);
    }
    static BondId deposit_of(const Evidence& evidence) { return BondId(sha256(evidence.encode())); }
    std::vector<std::size_t> standing() {
        std::vector<std::size_t> out;
        for (std::size_t n = 0; n < cheats.size(); ++n) {
            if (must(world->part(BondPurpose::kStorage, cheats[n]->id))) out.push_back(n);
        }
        return out;
    }
    RegistryWorld world{patient_network()};
    NetworkId network_id = world.params().id();
    std::vector<std::unique_ptr<Missealed>> cheats;
    KeyPair accuser = KeyPair::from_secret(Bytes(32, 7));
};

TEST_F(FillsOfEvidence, OneABlockIsMadeAndTheOthersWaitInTheirOrder) {
    static_assert(kEvidenceFillsPerBlock == 1);
    for (const auto& cheat : cheats) accuse(cheat->evidence(17));
    EXPECT_EQ(world.listed(),
              (std::vector<Verdict>{Verdict::ok(), Reason::kBusy, Reason::kBusy, Reason::kBusy}));
    EXPECT_EQ(standing(), (std::vector<std::size_t>{1, 2, 3}));
    // What comes while others wait goes behind them.
    const Evidence late = cheats[0]->evidence(18);
    accuse(late);
    EXPECT_EQ(world.listed().back().reason, Reason::kAlreadySettled);
    EXPECT_EQ(standing(), (std::vector<std::size_t>{2, 3}));
    world.feed();
    EXPECT_EQ(standing(), (std::vector<std::size_t>{3}));
    world.feed();
    EXPECT_EQ(standing(), (std::vector<std::size_t>{}));
    // Each accuser has its deposit back.
    for (const auto& cheat : cheats) {
        const auto deposit = must(world->bond(deposit_of(cheat->evidence(17)))).value();
        EXPECT_EQ(deposit.free, 0U);
        EXPECT_EQ(deposit.owed, kTestPart);
    }
}

TEST_F(FillsOfEvidence, WithoutADepositOfALeastPartNoneIsMadeAndNothingWaits) {
    accuse(cheats[0]->evidence(1), kTestPart - 1);
    world.list(Kind::kEvidence, cheats[1]->evidence(1));
    accuse(cheats[2]->evidence(1));
    EXPECT_EQ(world.listed(),
              (std::vector<Verdict>{Reason::kNoBond, Reason::kNoBond, Verdict::ok()}));
    world.feed();
    EXPECT_EQ(standing(), (std::vector<std::size_t>{0, 1, 3}));
}

TEST_F(FillsOfEvidence, WhoTakesItsDepositBackWhileItWaitsGetsNoFill) {
    accuse(cheats[0]->evidence(1));
    accuse(cheats[1]->evidence(1));
    accuse(cheats[2]->evidence(1));
    // In the same block as the others, behind them: the middle one is gone when its turn comes.
    const BondId gone = deposit_of(cheats[1]->evidence(1));
    world.list(Kind::kRemoval,
               make_removal(network_id, ChainId(gone), 0, world.tip() - 1, accuser).value());
    EXPECT_EQ(world.listed().back(), Verdict::ok());
    world.feed();
    // It has held up nobody either.
    EXPECT_EQ(standing(), (std::vector<std::size_t>{1, 3}));
}

/// A sealed chain and a height that may still get y.
struct WaitingEvidence : testing::Test {
    WaitingEvidence() : world(patient_network()), chain(world.params(), 1, Height(101)) {
        world.feed_to(Height(102));
        world.add_and_seal(chain);
        world.feed(false);
        h = world.tip();
        hash = must(world->block(h))->hash;
    }
    /// Answers to as many challenges, each of them wrong.
    void list_answers(std::uint64_t count, const KeyPair& signer) {
        for (std::uint64_t n = 0; n < count; ++n) {
            const Challenge2 challenge =
                make_challenge2(network_id, chain.id(), h, hash, test_y(h),
                                Reveal(tagged_hash("test/nonce", n)), chain.key())
                    .value();
            Response response{challenge.id(network_id), Bytes(5, 1), {}};
            response.signature = signer.sign(view(response.digest())).value();
            world.list(Kind::kEvidence, make_bad_response(challenge, response));
        }
    }
    RegistryWorld world;
    TestChain chain;
    NetworkId network_id = world.params().id();
    Height h;
    BlockHash hash;
};

TEST_F(WaitingEvidence, OfOneHeightCostsTheSameHoweverMuchWaits) {
    list_answers(400, chain.key());
    const std::uint64_t cost = cost_of([&] { (void)world.flush(); });
    for (const Verdict& v : world.listed()) EXPECT_EQ(v.reason, Reason::kNoEntropy);
    EXPECT_LE(cost / 400, 16U);
    EXPECT_EQ(must(world->note_y(h, test_y(h))), Verdict::ok());
    EXPECT_TRUE(must(world->part(BondPurpose::kStorage, chain.id())));
    const std::uint64_t closing = cost_of([&] { (void)world.feed(); });
    EXPECT_LE(closing / 400, 16U);
    EXPECT_FALSE(must(world->part(BondPurpose::kStorage, chain.id())));
}

TEST_F(WaitingEvidence, OfAnswersThatTheAccusedHasNotSignedNothingIsKept) {
    list_answers(400, KeyPair::from_secret(Bytes(32, 77)));
    for (const Verdict& v : world.listed()) EXPECT_EQ(v.reason, Reason::kNoEntropy);
    EXPECT_EQ(must(world->note_y(h, test_y(h))), Verdict::ok());
    EXPECT_LE(cost_of([&] { (void)world.feed(); }), 100U);
    EXPECT_TRUE(must(world->part(BondPurpose::kStorage, chain.id())));
}

}  // namespace
}  // namespace holdfast::test
