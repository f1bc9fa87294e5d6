// Attack: objects that nobody has signed, to make a node look things up, draw, hash trees or fill
// windows for nothing. Each is refused for its signature, though the state would refuse it as well,
// and nothing dear is done on its account: in this network a single fill takes half an hour.
#include "availability/exchange.hpp"
#include "proofs/evidence.hpp"
#include "proofs/seal_proof.hpp"
#include "storage/lmdb_store.hpp"
#include "support/registry_world.hpp"

namespace holdfast::test {
namespace {

NetworkParams dear_network() {
    NetworkParams p = patient_network();
    p.seal_deadline = 10'000;  // a chain that is registered owes nothing meanwhile
    p.seal_presets = {{kMinWindowChunks, kMaxWorkBlocks}};
    return p;
}

/// The last byte of an object is of its signature in all kinds that are looked at here.
Bytes spoilt(Bytes object) {
    object.back() ^= 1;
    return object;
}

struct SignaturesFirst : testing::Test {
    SignaturesFirst() : world(dear_network()), chain(world.params(), 1, Height(101)) {
        world.feed_to(Height(102));
        world.add(chain);
        // Until as many heights are kept as ever will be.
        world.feed_to(Height(202));
        (void)world.flush();
    }
    /// Not the registry's: to ask it would end the block.
    [[nodiscard]] const NetworkId& network() const { return network_id; }

    RegistryWorld world;
    TestChain chain;
    KeyPair stranger = KeyPair::from_secret(Bytes(32, 77));
    BondId no_bond{tagged_hash("test/no-bond")};
    NetworkId network_id = world.params().id();
};

/// What a block lists, by kind.
TEST_F(SignaturesFirst, OfEverythingThatABlockLists) {
    const Height tip = world.tip();
    const Height closed = world.closed();
    const Height due(closed.value / world.params().checkpoint_blocks *
                     world.params().checkpoint_blocks);
    const BlockRecord checkpointed = must(world->block(due)).value();
    const KnownHeight known = world.known(chain, tip);
    const TestChain unbonded(world.params(), 2, Height(101));
    struct Case {
        const char* what;
        Kind kind;
        Bytes object;
        std::uint64_t lookups;  // of the refusal, at most
    };
    const auto whole = [](Kind kind, const auto& object) {
        return wrap_object(kind, object.encode());
    };
    // A bad seal whose registration is not signed, with the deposit that a fill asks for.
    Registration unsigned_one = chain.registration();
    unsigned_one.signature.bytes[0] ^= 1;
    const Bytes bad_seal = whole(
        Kind::kEvidence, make_bad_seal(unsigned_one, CellIndex(0), Cell{}, std::vector<Digest>(8),
                                       Cell{}, std::vector<Digest>(8)));
    world.list(BondEvent::created(BondId(tagged_hash("test/deposit")), stranger.public_key(),
                                  kTestPart, BondPurpose::kAccusation, sha256(bad_seal)));
    const BondId held(tagged_hash("test/held"));
    world.list(BondEvent::created(held, stranger.public_key(), 50, BondPurpose::kChallenger));
    world.feed();
    const std::vector<Case> cases = {
        {"registration", Kind::kRegistration,
         spoilt(whole(Kind::kRegistration, unbonded.registration())), 0},
        {"update", Kind::kUpdate,
         spoilt(whole(
             Kind::kUpdate,
             make_update(network(), chain.id(), 1, tip + 100, Reveal{}, chain.key()).value())),
         2},
        {"update by another key", Kind::kUpdate,
         whole(Kind::kUpdate,
               make_update(network(), chain.id(), 1, tip + 100, Reveal{}, stranger).value()),
         2},
        {"removal of a bond", Kind::kRemoval,
         whole(Kind::kRemoval, make_removal(network(), ChainId(held), 0, tip, chain.key()).value()),
         2},
        {"challenger", Kind::kChallenger,
         spoilt(whole(Kind::kChallenger,
                      make_challenger(network(), Reveal{}, tip + 50, no_bond, stranger).value())),
         0},
        {"checkpoint", Kind::kCheckpoint,
         spoilt(whole(Kind::kCheckpoint,
                      make_checkpoint(network(), due, checkpointed.hash, checkpointed.global,
                                      checkpointed.counts.total, no_bond, stranger)
                          .value())),
         1},
        {"evidence of two links", Kind::kEvidence,
         whole(
             Kind::kEvidence,
             make_equivocation(
                 chain.id(), known.block_hash,
                 TestChain(world.params(), 9, Height(101)).sign(known, Link(tagged_hash("one"))),
                 TestChain(world.params(), 9, Height(101)).sign(known, Link(tagged_hash("two"))))),
         8},
        {"evidence of a bad seal", Kind::kEvidence, bad_seal, 8},
    };
    for (const Case& c : cases) {
        // In a block of its own, beside one that lists nothing. Neither makes the digest of the
        // whole state (spec 15.5).
        const std::uint64_t every = world.params().checkpoint_blocks;
        const std::uint64_t closing = world.params().closing_blocks();
        while ((world.tip().value + 1 - closing) % every == 0 ||
               (world.tip().value + 2 - closing) % every == 0) {
            world.feed();
        }
        world.list(c.kind, c.object);
        std::uint64_t before = store_operations();
        (void)world.flush();
        const std::uint64_t with = store_operations() - before;
        const Verdict verdict = world.listed().back();
        before = store_operations();
        world.feed();
        const std::uint64_t without = store_operations() - before;
        EXPECT_EQ(verdict.reason, Reason::kBadSignature) << c.what;
        // Of the journal's tree some blocks write a few nodes more than others.
        constexpr std::uint64_t kNodes = 6;
        EXPECT_LE(with, without + c.lookups + kNodes) << c.what;
    }
    // The deposit is given back, and that is all.
    for (const Decision& d : must(world->decisions(0, 100))) EXPECT_EQ(d.kind, CaseKind::kDeposit);
    EXPECT_TRUE(must(world->part(BondPurpose::kStorage, chain.id())));
}

/// What the journal takes, by kind.
TEST_F(SignaturesFirst, OfEverythingThatIsHandedOver) {
    const Height tip = world.tip();
    const KnownHeight known = world.known(chain, tip);
    const ChainId nowhere(tagged_hash("test/no-chain"));
    const Challenge2 challenge =
        make_challenge2(network(), nowhere, tip + 5, known.block_hash, test_y(tip),
                        Reveal(tagged_hash("test/nonce")), stranger)
            .value();
    // The right length, and no signature.
    const SealDuty duty = must(world->seal_duties(chain.id())).at(0);
    const SealChallenge drawn = draw_seal_challenge(world.params(), network(), chain.registration(),
                                                    duty.y.value(), SealProofKind::kSeal);
    Bytes seal_proof(drawn.body_bytes(), 0);
    const Bytes head = Writer(40).fixed(chain.id()).height(duty.y_height.value()).take();
    std::copy(head.begin(), head.end(), seal_proof.begin());
    const std::uint64_t entries = must(world->statistics()).entries;
    EXPECT_EQ(world.accept(wrap_object(Kind::kSealProof, seal_proof)).verdict.reason,
              Reason::kBadSignature);
    EXPECT_EQ(
        world.accept(spoilt(wrap_object(Kind::kChallenge2, challenge.encode()))).verdict.reason,
        Reason::kBadSignature);
    const Bytes bundle = chain.bundle(known, Link(tagged_hash("test/any")));
    EXPECT_EQ(world.accept(spoilt(bundle)).verdict.reason, Reason::kBadSignature);
    EXPECT_EQ(world.accept(bundle).verdict, Verdict::ok());  // whose member has no slot yet
    EXPECT_EQ(must(world->statistics()).entries, entries);
}

}  // namespace
}  // namespace holdfast::test
