// Many objects in one call: the same verdicts and the same bytes as one after another, whatever the
// number of threads.
#include <gtest/gtest.h>
#include <tbb/global_control.h>

#include "support/registry_world.hpp"

namespace holdfast {
namespace {

using test::must;
using test::RegistryWorld;
using test::seal_passes;
using test::short_network;
using test::TestChain;

constexpr std::uint64_t kMany = 30;

struct Batch : ::testing::Test {
    NetworkParams params = short_network();
    std::vector<std::unique_ptr<TestChain>> chains;

    void SetUp() override {
        for (std::uint64_t i = 0; i < kMany; ++i) {
            chains.push_back(std::make_unique<TestChain>(params, i, Height(108)));
        }
    }
    /// Good ones, and of every tenth a twin, a forgery and one of another block.
    [[nodiscard]] std::vector<Registration> registrations() const {
        std::vector<Registration> out;
        for (std::uint64_t i = 0; i < kMany; ++i) {
            out.push_back(chains[i]->registration());
            if (i % 10 != 0) continue;
            out.push_back(chains[i]->registration());
            out.push_back(chains[i + 1]->registration());
            out.back().bond_id.bytes[0] ^= 1;
            Registration moved = chains[i + 2]->registration();
            moved.genesis_block_hash = test::test_hash(Height(107));
            out.push_back(sign_registration(params.id(), moved, chains[i + 2]->key()));
        }
        return out;
    }
};

TEST_F(Batch, RegistrationsAsOneAfterAnother) {
    RegistryWorld together(params);
    RegistryWorld apart(params);
    const std::vector<Registration> all = registrations();
    for (RegistryWorld* world : {&together, &apart}) world->feed_to(Height(110));
    const std::vector<Verdict> verdicts = must(together->accept_registrations(all));
    std::vector<Verdict> one_by_one;
    for (const Registration& r : all) one_by_one.push_back(must(apart->accept_registration(r)));
    EXPECT_EQ(verdicts, one_by_one);
    EXPECT_EQ(std::count(verdicts.begin(), verdicts.end(), Verdict::ok()), kMany);
    for (const Reason reason :
         {Reason::kAlreadyRegistered, Reason::kBadSignature, Reason::kWrongBlock}) {
        EXPECT_EQ(std::count(verdicts.begin(), verdicts.end(), Verdict(reason)), 3);
    }
    EXPECT_EQ(must(together->statistics()).registrations, kMany);
    EXPECT_EQ(must(together->statistics()).pending, kMany);
    EXPECT_TRUE(must(together->accept_registrations({})).empty());
}

TEST_F(Batch, NothingIsAcceptedBeforeTheFirstBlock) {
    RegistryWorld world(params);
    for (const Verdict& v : must(world->accept_registrations(registrations()))) {
        EXPECT_TRUE(v.reason == Reason::kTooEarly || v.reason == Reason::kBadSignature);
    }
    EXPECT_EQ(must(world->statistics()).registrations, 0U);
}

/// A registry in which all have been registered, at the height whose y challenges them.
void challenge_all(RegistryWorld& world, const std::vector<std::unique_ptr<TestChain>>& chains) {
    world.feed_to(Height(110));
    std::vector<Registration> all;
    for (const auto& chain : chains) all.push_back(chain->registration());
    (void)must(world->accept_registrations(all));
    world.feed_to(Height(110) + world.params().seal_delay);
}

TEST_F(Batch, SealProofsAsOneAfterAnotherAndAtOnce) {
    const SealCheck refuses = [](const Registration&, const SealContext&) -> Result<Verdict> {
        return Verdict(Reason::kBadSealing, 3);
    };
    std::vector<SubmittedSealProof> proofs;
    for (std::uint64_t i = 0; i < kMany; ++i) {
        proofs.push_back({chains[i]->id(), Height(113), i % 7 == 0 ? refuses : seal_passes()});
    }
    proofs.push_back({ChainId(tagged_hash("nobody")), Height(113), seal_passes()});
    proofs.push_back({chains[1]->id(), Height(112), seal_passes()});
    proofs.push_back({chains[0]->id(), Height(113), seal_passes()});  // after its refused one

    RegistryWorld apart(params);
    challenge_all(apart, chains);
    std::vector<Verdict> expected;
    for (const SubmittedSealProof& p : proofs) {
        expected.push_back(must(apart->accept_seal_proof(p.chain_id, p.y_height, p.check)));
    }
    apart.feed_to(Height(120));
    const GlobalDigest digest = must(apart->block(Height(113)))->global;
    for (const unsigned at_once : {1U, 4U, 0U}) {
        RegistryWorld together(params);
        challenge_all(together, chains);
        EXPECT_EQ(must(together->accept_seal_proofs(proofs, at_once)), expected);
        EXPECT_EQ(must(together->statistics()).sealed, kMany - 4);
        together.feed_to(Height(120));
        EXPECT_EQ(must(together->block(Height(113)))->global, digest);
    }
    // Of two good proofs of one duty in one call the first settles it.
    RegistryWorld twins(params);
    challenge_all(twins, chains);
    const SubmittedSealProof two[] = {{chains[1]->id(), Height(113), seal_passes()},
                                      {chains[1]->id(), Height(113), seal_passes()}};
    EXPECT_EQ(must(twins->accept_seal_proofs(two)),
              (std::vector<Verdict>{Verdict::ok(), Reason::kAlreadySettled}));
}

TEST_F(Batch, AnInterruptedCheckLeavesEverythingAsItWas) {
    RegistryWorld world(params);
    challenge_all(world, chains);
    const SealCheck breaks = [](const Registration&, const SealContext&) -> Result<Verdict> {
        return fail(ErrorCode::kInterrupted, "stopped");
    };
    const SubmittedSealProof two[] = {{chains[0]->id(), Height(113), seal_passes()},
                                      {chains[1]->id(), Height(113), breaks}};
    EXPECT_EQ(world->accept_seal_proofs(two).error().code, ErrorCode::kInterrupted);
    EXPECT_EQ(must(world->statistics()).sealed, 0U);
    EXPECT_EQ(must(world->seal_duties(chains[0]->id())).size(), 1U);
}

TEST_F(Batch, ReceiptsInAnyOrderAndOverAnyThreads) {
    std::optional<GlobalDigest> digest;
    for (const unsigned threads : {1U, 16U}) {
        const tbb::global_control allowed(tbb::global_control::max_allowed_parallelism, 16);
        RegistryOptions options;
        options.threads = threads;
        RegistryWorld world(params, options);
        challenge_all(world, chains);
        std::vector<SubmittedSealProof> proofs;
        for (const auto& chain : chains) {
            proofs.push_back({chain->id(), Height(113), seal_passes()});
        }
        (void)must(world->accept_seal_proofs(proofs));
        world.feed();
        std::vector<SubmittedReceipt> receipts;
        for (const Height h : {Height(114), Height(113)}) {
            for (std::uint64_t i = 0; i < kMany; ++i) {
                TestChain& chain = *chains[(i * 7 + threads) % kMany];
                receipts.push_back({chain.id(), chain.full(world.known(chain, h)).receipt});
                if (i % 5 == 0) receipts.push_back(receipts.back());
                if (i % 6 == 0) {
                    receipts.push_back(receipts.back());
                    receipts.back().receipt.signature.bytes[1] ^= 1;
                }
            }
        }
        const auto outcomes = must(world->accept_receipts(receipts));
        for (std::size_t i = 0; i < receipts.size(); ++i) {
            const bool twin = i > 0 && receipts[i].receipt == receipts[i - 1].receipt;
            const bool forged = i > 0 && !twin &&
                                receipts[i].chain_id == receipts[i - 1].chain_id &&
                                receipts[i].receipt.link == receipts[i - 1].receipt.link;
            EXPECT_EQ(outcomes[i].verdict.reason, forged ? Reason::kBadSignature : Reason::kOk);
            EXPECT_EQ(outcomes[i].already_known, twin);
            EXPECT_FALSE(outcomes[i].conflicting);
        }
        world.feed_to(Height(118));
        const GlobalDigest found = must(world->block(Height(114)))->global;
        if (!digest) digest = found;
        EXPECT_EQ(found, *digest) << threads << " threads";
        for (const auto& chain : chains) {
            EXPECT_EQ(must(world->leaf(chain->id(), Height(114)))->link_height, Height(114));
        }
    }
}

}  // namespace
}  // namespace holdfast
