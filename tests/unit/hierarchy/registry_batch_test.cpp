// Many objects in one call: the same verdicts and the same bytes as one after another, whatever the
// number of threads.
#include <gtest/gtest.h>

#include <set>

#include "support/registry_world.hpp"

namespace holdfast {
namespace {

using test::must;
using test::RegistryWorld;
using test::seal_object;
using test::short_network;
using test::TestChain;

constexpr std::uint64_t kMany = 30;

struct RegistryBatch : ::testing::Test {
    NetworkParams params = short_network();
    std::vector<std::unique_ptr<TestChain>> chains;

    void SetUp() override {
        for (std::uint64_t i = 0; i < kMany; ++i) {
            chains.push_back(std::make_unique<TestChain>(params, i, Height(108)));
        }
    }
};

/// A registry in which all have been registered, at the height whose y challenges them.
void challenge_all(RegistryWorld& world, const std::vector<std::unique_ptr<TestChain>>& chains) {
    world.feed_to(Height(110));
    for (const auto& chain : chains) world.add(*chain);
    world.flush();
    world.feed_to(Height(110) + world.params().seal_delay);
}

std::vector<ByteView> views(const std::vector<Bytes>& objects) {
    return {objects.begin(), objects.end()};
}

TEST_F(RegistryBatch, RegistrationsOfOneBlockAreJudgedInItsOrder) {
    RegistryWorld world(params);
    world.feed_to(Height(110));
    std::vector<Verdict> expected;
    for (std::uint64_t i = 0; i < kMany; ++i) {
        world.list(chains[i]->bond());
        world.list(Kind::kRegistration, chains[i]->registration());
        expected.push_back(Verdict::ok());
        if (i % 10 != 0) continue;
        world.list(Kind::kRegistration, chains[i]->registration());
        expected.push_back(Reason::kAlreadyRegistered);
        Registration forged = chains[i + 1]->registration();
        forged.bond_id.bytes[0] ^= 1;
        world.list(Kind::kRegistration, forged);
        expected.push_back(Reason::kBadSignature);
    }
    EXPECT_EQ(world.listed(), expected);
    EXPECT_EQ(must(world->statistics()).registrations, kMany);
    EXPECT_EQ(must(world->statistics()).pending, kMany);
}

TEST_F(RegistryBatch, SealProofsAsOneAfterAnother) {
    std::set<ChainId> bad;
    for (std::uint64_t i = 0; i < kMany; i += 7) bad.insert(chains[i]->id());
    const SealCheck check = [&](const Registration& r, const SealContext&,
                                ByteView) -> Result<Verdict> {
        const bool refuse = bad.contains(r.chain_id(params.id()));
        return refuse ? Verdict(Reason::kBadSealing, 3) : Verdict::ok();
    };
    std::vector<Bytes> proofs;
    for (const auto& chain : chains) proofs.push_back(seal_object(chain->id(), Height(113)));
    proofs.push_back(seal_object(ChainId(tagged_hash("nobody")), Height(113)));
    proofs.push_back(seal_object(chains[1]->id(), Height(112)));
    proofs.push_back(seal_object(chains[1]->id(), Height(113)));  // its duty is done by then

    RegistryWorld apart(params);
    challenge_all(apart, chains);
    std::vector<Verdict> expected;
    for (const Bytes& p : proofs) {
        expected.push_back(must(apart->accept(ByteView(p), check)).verdict);
    }
    for (const unsigned threads : {1U, 4U}) {
        RegistryOptions options;
        options.threads = threads;
        RegistryWorld together(params, options);
        challenge_all(together, chains);
        std::vector<Verdict> verdicts;
        for (const ObjectOutcome& o : must(together->accept(views(proofs), check))) {
            verdicts.push_back(o.verdict);
        }
        EXPECT_EQ(verdicts, expected);
        EXPECT_EQ(must(together->statistics()).sealed, kMany - bad.size());
        EXPECT_EQ(must(together->journal()).root, must(apart->journal()).root);
        EXPECT_EQ(must(together->export_state()), must(apart->export_state()));
    }
}

TEST_F(RegistryBatch, AnInterruptedCheckLeavesEverythingAsItWas) {
    RegistryWorld world(params);
    challenge_all(world, chains);
    const SealCheck breaks = [&](const Registration& r, const SealContext&,
                                 ByteView) -> Result<Verdict> {
        if (r.chain_id(params.id()) == chains[0]->id()) return Verdict::ok();
        return fail(ErrorCode::kInterrupted, "stopped");
    };
    const Digest before = must(world->export_state());
    const std::vector<Bytes> two{seal_object(chains[0]->id(), Height(113)),
                                 seal_object(chains[1]->id(), Height(113))};
    EXPECT_EQ(world->accept(views(two), breaks).error().code, ErrorCode::kInterrupted);
    EXPECT_EQ(must(world->export_state()), before);
    EXPECT_EQ(must(world->statistics()).sealed, 0U);
}

}  // namespace
}  // namespace holdfast
