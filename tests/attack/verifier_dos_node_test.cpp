// Attack 26 against a whole node: seal proofs that strangers hand over. A thousand with garbage
// paths at once; fifty whose signature and paths are right, each with a nonce of its own, and whose
// sealing is not, under as many names.
//
// Nothing is filled before the paths hold. Of one duty one proof is filled in a block, so each fill
// needs a registration and its part of a bond. What a block lists of them spends nothing. An honest
// prover gets through in the middle of it, and its proof costs one fill.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "support/ed25519_math.hpp"
#include "support/forged_replica.hpp"
#include "unit/api/node_fixture.hpp"

namespace holdfast::test {
namespace {

constexpr std::uint64_t kChunks = 2 * std::uint64_t{kSealDev.window_chunks};  // two windows
constexpr int kPeers = 8;

struct AttackVerifierDosNode : Node {
    std::optional<VdfClock> clock_;
    std::optional<Aggregator> node_;
    std::optional<ForgedReplica> cheat_;
    std::optional<ForgedReplica> honest_;

    void SetUp() override {
        Node::SetUp();
        new_blocks(4);
        clock_.emplace(clock(key_of(9)));
        node_.emplace(open_node("registry"));
        const BlockInfo genesis = value_of(chain_->block_by_height(params_.genesis_height));
        const auto made = [&](std::string_view owner, const ForgedReplica::Sealer& sealer) {
            ForgedReplica replica(params_, raw_chunks_of(kChunks, owner), owner, sealer, 0,
                                  genesis.height, genesis.hash);
            const Registration& r = replica.registration;
            const BondEvent bond =
                BondEvent::created(r.bond_id, r.header.prover, 100, BondPurpose::kStorage);
            succeed(chain_->list_bond_events({&bond, 1}));
            succeed(chain_->submit_registration(wrap_object(Kind::kRegistration, r.encode())));
            return replica;
        };
        cheat_.emplace(made("dos", [](const ReplicaId&, const Window&, MutByteView) {}));
        honest_.emplace(made("honest", seal_window));
        while (!duty_of(*cheat_) || !duty_of(*honest_)) next_block();
    }
    [[nodiscard]] Aggregator open_node(const std::string& folder) {
        AggregatorOptions options;
        options.registry = dir_ / folder;
        options.operator_key = &operator_;
        options.seal_limits = {.fills_at_once = 1, .proofs_at_most = 16, .proofs_of_a_peer = 2};
        return value_of(Aggregator::open(params_, *chain_, *clock_, nullptr, nullptr, options));
    }
    std::vector<ObjectOutcome> next_block() {
        new_blocks(1);
        std::vector<ObjectOutcome> seal_proofs;
        for (const BlockReport& report : advance_all(*node_, {})) {
            for (const ObjectOutcome& object : report.objects) {
                if (object.kind == Kind::kSealProof) seal_proofs.push_back(object);
            }
        }
        return seal_proofs;
    }
    /// The duty whose challenge is known.
    [[nodiscard]] std::optional<SealDuty> duty_of(const ForgedReplica& replica) const {
        for (const SealDuty& duty : value_of(node_->registry().seal_duties(replica.chain_id))) {
            if (duty.y) return duty;
        }
        return std::nullopt;
    }
    [[nodiscard]] SealProof proof_of(const ForgedReplica& replica) const {
        const SealDuty duty = duty_of(replica).value();
        return replica.seal_proof(*duty.y_height, *duty.y, duty.kind);
    }
    /// The cheat's proof under signatures of as many nonces: other bytes, all of them valid.
    [[nodiscard]] std::vector<Bytes> many_bad_sealings(int count) const {
        std::vector<Bytes> out;
        SealProof proof = proof_of(*cheat_);
        for (int i = 0; i < count; ++i) {
            proof.signature =
                ed25519::sign(sha256(view(std::string_view("dos"))), cheat_->key.public_key(),
                              1000 + i, view(proof.digest(cheat_->network_id)));
            out.push_back(wrap_object(Kind::kSealProof, proof.encode()));
        }
        return out;
    }
    /// Every object by one of kPeers threads, under `names` names; how often each reason came.
    std::map<Reason, int> offer_all(const std::vector<Bytes>& objects, std::size_t names) {
        std::map<Reason, int> reasons;
        std::mutex mutex;
        std::vector<std::jthread> threads;
        for (std::size_t t = 0; t < kPeers; ++t) {
            threads.emplace_back([&, t] {
                for (std::size_t i = t; i < objects.size(); i += kPeers) {
                    const auto judged =
                        node_->submit("peer " + std::to_string(i % names), objects[i]);
                    const std::scoped_lock lock(mutex);
                    if (!judged) ADD_FAILURE() << judged.error().message;
                    if (judged) ++reasons[judged->verdict.reason];
                }
            });
        }
        threads.clear();
        return reasons;
    }
    [[nodiscard]] ChainPhase phase_of(const ForgedReplica& replica) const {
        return value_of(node_->registry().chain(replica.chain_id)).value().phase;
    }
};

TEST_F(AttackVerifierDosNode, AThousandGarbagePathsSpendNothing) {
    std::vector<Bytes> objects;
    SealProof garbage = proof_of(*cheat_);
    for (std::uint64_t i = 0; i < 1'000; ++i) {
        garbage.raw_siblings[i % garbage.raw_siblings.size()] = tagged_hash("test/garbage", i);
        garbage.signature = cheat_->key.sign(view(garbage.digest(cheat_->network_id))).value();
        objects.push_back(wrap_object(Kind::kSealProof, garbage.encode()));
    }
    EXPECT_EQ(offer_all(objects, 50), (std::map<Reason, int>{{Reason::kRawMismatch, 1'000}}));
    EXPECT_EQ(node_->seal_counts().fills, 0U);
    EXPECT_EQ(node_->seal_counts().refused_cheaply, 1'000U);
}

TEST_F(AttackVerifierDosNode, OneFillForADutyAndABlockHoweverManyNames) {
    const std::vector<Bytes> objects = many_bad_sealings(50);
    for (std::uint64_t block = 1; block <= 3; ++block) {
        const std::map<Reason, int> wanted{{Reason::kBadSealing, 1}, {Reason::kBusy, 49}};
        EXPECT_EQ(offer_all(objects, 50), wanted);
        EXPECT_EQ(node_->seal_counts().fills, block);  // the first bad window is the last
        EXPECT_EQ(node_->seal_counts().most_fills_at_once, 1U);
        next_block();
    }
    std::printf("50 seal proofs with right paths and bad sealing: 1 fill a block (naive: 100)\n");

    // In the middle of it an honest proof is accepted, and filled once.
    const Bytes honest = wrap_object(Kind::kSealProof, proof_of(*honest_).encode());
    std::jthread flood([&] { offer_all(objects, 50); });
    const ObjectOutcome taken = value_of(node_->submit("honest", honest));
    EXPECT_EQ(taken.verdict, Verdict::ok());
    EXPECT_TRUE(taken.entry);
    flood.join();
    EXPECT_EQ(phase_of(*honest_), ChainPhase::kSealed);
    const std::uint64_t fills = node_->seal_counts().fills;
    EXPECT_FALSE(value_of(node_->submit("honest", honest)).entry);
    EXPECT_EQ(node_->seal_counts().fills, fills);
}

TEST_F(AttackVerifierDosNode, WhatABlockListsOfThemSpendsNothing) {
    std::vector<Bytes> objects = many_bad_sealings(40);
    objects.insert(objects.begin() + 20,
                   wrap_object(Kind::kSealProof, proof_of(*honest_).encode()));
    for (const Bytes& object : objects) succeed(chain_->submit(Kind::kSealProof, object));
    std::vector<ObjectOutcome> listed;
    for (std::uint32_t i = 0; i <= params_.finality_blocks && listed.empty(); ++i) {
        listed = next_block();
    }
    ASSERT_EQ(listed.size(), objects.size());
    for (const ObjectOutcome& o : listed) EXPECT_EQ(o.verdict.reason, Reason::kBadKind);
    EXPECT_EQ(node_->seal_counts().fills, 0U);
    EXPECT_EQ(phase_of(*honest_), ChainPhase::kPending);
}

TEST_F(AttackVerifierDosNode, WithoutADutyNothingIsSpent) {
    SealProof proof = proof_of(*cheat_);
    const auto offered = [&](const Bytes& object) {
        return value_of(node_->submit("p", object)).verdict.reason;
    };
    EXPECT_EQ(offered({}), Reason::kTruncated);
    EXPECT_EQ(offered(Bytes(40, 0)), unwrap_object(Kind::kSealProof, Bytes(40, 0)).error().reason);
    proof.y_height = proof.y_height + 1;
    EXPECT_EQ(offered(wrap_object(Kind::kSealProof, proof.encode())), Reason::kWrongHeight);
    proof.chain_id = ChainId{};
    EXPECT_EQ(offered(wrap_object(Kind::kSealProof, proof.encode())), Reason::kUnknownChain);
    const std::vector<Bytes> right = many_bad_sealings(1);
    new_blocks(2 * std::uint64_t{params_.seal_deadline});
    advance_all(*node_, {});
    const Reason late = offered(right[0]);
    EXPECT_TRUE(late == Reason::kTooLate || late == Reason::kWrongHeight) << static_cast<int>(late);
    EXPECT_EQ(node_->seal_counts().fills, 0U);
}

}  // namespace
}  // namespace holdfast::test
