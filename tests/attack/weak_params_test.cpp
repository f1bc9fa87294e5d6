// Attack 3: bring parameters that are cheap for the cheater, or ruinous for the verifier: windows
// of two chunks with one block of work, windows of 2^32 - 1 chunks, 2^63 blocks of work, somebody
// else's VDF.
//
// Whatever a foreign object says is compared with the network's own list before a byte is
// allocated, hashed or filled for it. The naive scheme takes the parameters from the object and
// checks the proof under them.
#include <sys/resource.h>

#include <gtest/gtest.h>

#include "hierarchy/registry.hpp"
#include "support/forged_replica.hpp"
#include "support/registry_world.hpp"
#include "support/vdf_world.hpp"

namespace holdfast::test {
namespace {

constexpr SealParams kTiny{16, 512};

NetworkParams one_preset() {
    NetworkParams p;
    p.name = "weak";
    p.seal_presets = {kTiny};
    return p;
}

const std::vector<SealParams>& weak_seals() {
    static const std::vector<SealParams> weak = {
        {2, 1},
        {2, 512},
        {16, 1},
        {16, 511},
        {0, 0},
        {0, 512},
        {std::numeric_limits<std::uint32_t>::max(), 512},
        {16, std::uint64_t{1} << 63},
        {std::numeric_limits<std::uint32_t>::max(), std::numeric_limits<std::uint64_t>::max()},
        kSealDev};
    return weak;
}

long peak_kib() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

TEST(AttackWeakParams, SealParametersAreRefusedByNameBeforeAnythingIsAllocated) {
    const ForgedReplica honest(one_preset(), raw_chunks_of(16, "weak"), "weak");
    const SealContext known{Height(9), VdfOutput(tagged_hash("test/y", Height(9))),
                            SealProofKind::kSeal};
    const Bytes body = honest.seal_proof(known.y_height, known.y).encode();
    ASSERT_TRUE(
        *verify_seal_proof(honest.network, honest.network_id, honest.registration, known, body));
    std::uint64_t blocks_filled = 0;
    FillOptions counting;
    counting.progress = [&](std::uint64_t, std::uint64_t) { ++blocks_filled; };
    const long before = peak_kib();
    for (const SealParams& weak : weak_seals()) {
        Registration registration = honest.registration;
        registration.header.seal = weak;
        registration = sign_registration(honest.network_id, registration, honest.key).value();
        EXPECT_EQ(registration.header.check(honest.network).reason, Reason::kSealPolicy);
        EXPECT_EQ(check_registration(honest.network, honest.network_id, registration).reason,
                  Reason::kSealPolicy);
        const auto verdict = verify_seal_proof(honest.network, honest.network_id, registration,
                                               known, body, counting);
        ASSERT_TRUE(verdict);
        EXPECT_EQ(verdict->reason, Reason::kSealPolicy);
    }
    EXPECT_EQ(blocks_filled, 0U);
    EXPECT_LT(peak_kib() - before, 4'096);  // one such window would be 16 TiB
}

TEST(AttackWeakParams, TheRegistryTakesNoneOfThem) {
    RegistryWorld world(short_network());
    world.feed();
    const TestChain honest(world.params(), 1, world.tip());
    for (const SealParams& weak : weak_seals()) {
        if (weak == world.params().seal_presets.front()) continue;
        Registration registration = honest.registration();
        registration.header.seal = weak;
        registration = sign_registration(world.params().id(), registration, honest.key()).value();
        EXPECT_EQ(world.judge_registration(registration).reason, Reason::kSealPolicy);
    }
    world.add(honest);
    EXPECT_EQ(must(world->statistics()).registrations, 1U);
}

TEST(AttackWeakParams, NoNetworkMayHaveThem) {
    for (const SealParams& weak : weak_seals()) {
        if (weak == kSealDev) continue;  // allowed where a network names it
        NetworkParams p = one_preset();
        p.seal_presets = {weak};
        EXPECT_EQ(weak.validate().reason, Reason::kSealPolicy);
        EXPECT_EQ(p.validate().reason, Reason::kBadParameters);
    }
    // The default network names neither the tests' preset nor the one that rests on cost alone.
    const NetworkParams standard;
    EXPECT_EQ(standard.check_seal(kSealDev).reason, Reason::kSealPolicy);
    EXPECT_EQ(standard.check_seal(kSealEconomy).reason, Reason::kSealPolicy);
    EXPECT_TRUE(standard.check_seal(kSealStandard));
}

TEST(AttackWeakParams, ForeignVdfParametersAreRefusedBeforeAnything) {
    const VdfWorld world;
    const VdfProof honest = world.proof();
    const VdfParams& own = world.params.vdf;
    ASSERT_TRUE(verify_vdf_claim(world.context(), honest));
    for (const VdfParams& weak :
         {VdfParams{64, 1, 4, 1, 5}, VdfParams{64, 1, 4, 16, 1}, VdfParams{32, 1, 4, 16, 5},
          VdfParams{64, 1, 1, 16, 5}, VdfParams{1U << 31, 1, 4, 16, 5},
          VdfParams{64, 0xffffffff, 4, 16, 5}, VdfParams{64, 1, 4, std::uint64_t{1} << 63, 5}}) {
        ASSERT_NE(weak, own);
        VdfProof proof = honest;
        proof.params = weak;
        world.resign(proof);
        EXPECT_EQ(verify_vdf_claim(world.context(), proof).reason, Reason::kVdfPolicy);
        const auto full = verify_vdf_full(world.context(), proof, world.arena->view());
        ASSERT_TRUE(full);
        EXPECT_EQ(full->reason, Reason::kVdfPolicy);
    }
}

TEST(AttackWeakParams, NaiveSchemeTakesThemFromTheObject) {
    // A verifier that believes the header, but for the bounds of every build: the cheater's whole
    // copy is half a thousand blocks away.
    const NetworkParams believed = one_preset();
    const ForgedReplica cheat(believed, raw_chunks_of(16, "weak"), "weak");
    const SealContext known{Height(9), VdfOutput(tagged_hash("test/y", Height(9))),
                            SealProofKind::kSeal};
    std::uint64_t blocks = 0;
    FillOptions counting;
    counting.progress = [&](std::uint64_t, std::uint64_t total) { blocks = total; };
    const auto verdict =
        verify_seal_proof(believed, cheat.network_id, cheat.registration, known,
                          cheat.seal_proof(known.y_height, known.y).encode(), counting);
    ASSERT_TRUE(verdict);
    EXPECT_TRUE(verdict->accepted());
    std::printf("naive: the cheater answers with %llu blocks, standard asks for %llu\n",
                static_cast<unsigned long long>(blocks),
                static_cast<unsigned long long>(kSealStandard.work_blocks));
    EXPECT_LT(blocks * 10'000, kSealStandard.work_blocks);
}

}  // namespace
}  // namespace holdfast::test
