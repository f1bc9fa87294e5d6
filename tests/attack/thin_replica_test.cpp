// Attack: draw rewards for a replica of which hardly anything exists. The raw data are zeros (or
// come from a seed: they need no copy), a few windows are sealed, the rest of the "sealed" data are
// the raw data as they are, and the root is over just that.
//
// Links hold for ever: they show the registered bytes, not that these were sealed. What bounds it
// is the seal proof, which costs a part of the bond for each try, and audits, which go on until one
// is drawn that cannot be answered (docs/security.md, section 3.7). The naive scheme asks two
// windows and never again.
#include <gtest/gtest.h>

#include "analysis/bounds.hpp"
#include "support/forged_replica.hpp"
#include "support/registry_world.hpp"

namespace holdfast::test {
namespace {

constexpr std::uint64_t kWindows = 32;
constexpr std::uint64_t kChunks = kWindows * 16;

NetworkParams thin_network() {
    NetworkParams p = patient_network();
    p.name = "thin";
    p.seal_presets = {{16, 512}};
    p.seal_windows = NetworkParams::preset(kParamsVersion2).seal_windows;
    p.audit_windows = 1;
    p.seal_cells = 4;
    return p;
}

ForgedReplica::Sealer first_windows(std::uint64_t sealed) {
    return [sealed](const ReplicaId& id, const Window& window, MutByteView all) {
        if (window.index < sealed) seal_window(id, window, all);
    };
}

// --- getting in ----------------------------------------------------------------------------------

TEST(AttackThinReplica, TwoOf32WindowsNeverPassAndEveryTryCostsAPart) {
    constexpr std::uint64_t kTries = 12;
    constexpr std::uint64_t kParts = 9;
    RegistryWorld world(thin_network());
    ASSERT_EQ(world.params().seal_windows, 4U);
    world.feed_to(Height(105));
    const Height genesis = world.tip();
    const BondId bond(tagged_hash("the one bond"));
    std::vector<ForgedReplica> tries;
    std::vector<Verdict> taken;
    for (std::uint64_t nonce = 0; nonce < kTries; ++nonce) {
        ForgedReplica r(world.params(), Bytes(kChunks * kChunkBytes, 0), "thin", first_windows(2),
                        nonce, genesis, test_hash(genesis));
        r.registration.bond_id = bond;
        r.registration = sign_registration(r.network_id, r.registration, r.key).value();
        if (nonce == 0) {
            world.list(BondEvent::created(bond, r.key.public_key(), kParts * kTestPart,
                                          BondPurpose::kStorage));
        }
        world.list(Kind::kRegistration, r.registration);
        tries.push_back(std::move(r));
    }
    const std::vector<Verdict> verdicts = world.listed();
    for (std::uint64_t n = 0; n < kTries; ++n) {
        EXPECT_EQ(verdicts[n], n < kParts ? Verdict::ok() : Verdict(Reason::kBondTaken)) << n;
    }
    const Height q = genesis + world.params().seal_delay;
    world.feed_to(q);
    for (std::uint64_t n = 0; n < kParts; ++n) {
        EXPECT_EQ(world.prove_sealing(tries[n].seal_proof(q, test_y(q)).encode()).reason,
                  Reason::kBadSealing);
    }
    world.feed_to(q + 2 * world.params().seal_deadline);
    EXPECT_EQ(must(world->statistics()).voided, kParts);
    EXPECT_EQ(must(world->bond(bond))->owed, kParts * kTestPart) << "nothing of it is left";
    EXPECT_EQ(must(world->bond(bond))->reserved, 0U);
}

TEST(AttackThinReplica, ItsLinksHoldAllTheSame) {
    const ForgedReplica thin(thin_network(), Bytes(kChunks * kChunkBytes, 0), "thin",
                             first_windows(2));
    for (std::uint64_t h = 1'000; h < 1'040; ++h) {
        const KnownHeight known = made_up_height(h);
        EXPECT_EQ(thin.check(known, thin.full(known, thin.sealed)), Verdict::ok());
    }
}

// --- staying in ----------------------------------------------------------------------------------

/// Chains of 32 windows in one registry: some sealed whole, some by half. What was sealed decides
/// whether a proof passes, as a fill would.
class Sealing {
  public:
    static constexpr std::uint64_t kHonest = 160;
    static constexpr std::uint64_t kHalf = 80;
    static constexpr std::uint32_t kLiability = 40;

    Sealing() : world_(params()) {
        world_.feed_to(Height(102));
        const BondId bond(tagged_hash("test/all of them"));
        world_.list(BondEvent::created(bond, key_.public_key(), (kHonest + kHalf) * kTestPart,
                                       BondPurpose::kStorage));
        for (std::uint64_t n = 0; n < kHonest + kHalf; ++n) {
            Registration r;
            r.header.prover = key_.public_key();
            r.header.raw_root = Root(tagged_hash("test/raw", n));
            r.header.data_len = kChunks * kChunkBytes;
            r.header.chunks = ChunkCount(kChunks);
            r.header.seal = world_.params().seal_presets.front();
            r.header.nonce = n;
            r.sealed_root = Root(tagged_hash("test/sealed", n));
            r.genesis_height = Height(101);
            r.genesis_block_hash = test_hash(r.genesis_height);
            r.bond_id = bond;
            r = sign_registration(id(), r, key_).value();
            if (n < kHalf) half_.insert(r.chain_id(id()));
            world_.list(Kind::kRegistration, r);
        }
        for (const Verdict& v : world_.listed()) EXPECT_EQ(v, Verdict::ok());
        world_.feed_to(world_.tip() + world_.params().seal_delay);
        answer();  // these are the lucky ones: everybody passes the seal proof
    }
    static NetworkParams params() {
        NetworkParams p = thin_network();
        p.audits_per_block = 1;
        p.liability_blocks = kLiability;
        p.misses_late = 3;
        p.misses_expired = 1'000;
        p.rate_window = 20;
        return p;
    }
    [[nodiscard]] NetworkId id() const { return world_.params().id(); }
    /// One block; everybody proves what it can.
    void block() {
        world_.feed();
        survive_ *= 1 - audit_rate(world_.params(), total_before_) / 2;
        total_before_ = must(world_->statistics()).counts.total;
        for (const Effect& e : must(world_->effects(world_.closed()))) {
            if (e.kind != EffectKind::kBondForfeited) continue;
            ++(half_.count(e.chain_id) != 0 ? half_out : honest_out);
        }
        answer();
    }
    [[nodiscard]] double survive() const { return survive_; }

    std::uint64_t half_out = 0;
    std::uint64_t honest_out = 0;

  private:
    void answer() {
        for (const SealDuty& duty : must(world_->due_seal_proofs())) {
            const Bytes object = seal_object(duty.chain_id, *duty.y_height);
            (void)must(world_->accept(ByteView(object), check()));
        }
    }
    /// The fill's answer without the fill: windows 0 to 15 of the half sealed are sealed.
    [[nodiscard]] SealCheck check() const {
        return [this](const Registration& r, const SealContext& at, ByteView) -> Result<Verdict> {
            if (at.kind == SealProofKind::kSeal || half_.count(r.chain_id(id())) == 0) {
                return Verdict::ok();
            }
            const SealChallenge drawn =
                draw_seal_challenge(world_.params(), id(), r, at.y, at.kind);
            const bool sealed =
                std::all_of(drawn.windows.begin(), drawn.windows.end(),
                            [](const auto& w) { return w.window.index < kWindows / 2; });
            return Verdict(sealed ? Reason::kOk : Reason::kBadSealing);
        };
    }

    KeyPair key_ = KeyPair::from_secret(Bytes(32, 5));
    RegistryWorld world_;
    std::set<ChainId> half_;
    std::uint64_t total_before_ = 0;
    double survive_ = 1;
};

TEST(AttackThinReplica, HalfSealedAreOutAfterTwoLiabilityPeriodsAsOftenAsTheFormulaSays) {
    Sealing network;
    const NetworkParams p = Sealing::params();
    for (std::uint32_t h = 0; h < 2 * Sealing::kLiability; ++h) network.block();
    const double survive = network.survive();
    // An audit that was drawn and cannot be answered costs the part after three deadlines.
    for (std::uint32_t h = 0; h < p.seal_delay + 3 * p.seal_deadline + 1; ++h) network.block();
    EXPECT_EQ(network.honest_out, 0U);
    const double late = network.survive();
    std::printf("after two liability periods %.1f%% should be drawn, %.1f%% when they are out\n",
                100 * (1 - survive), 100 * (1 - late));
    expect_rate("half sealed: part taken", network.half_out, Sealing::kHalf, 1 - survive);
}

}  // namespace
}  // namespace holdfast::test
