// What a light verifier, with public data alone, makes of windows and checkpoints that reach for
// more than they show.

#include "proofs/checkpoint.hpp"
#include "unit/api/node_fixture.hpp"

namespace holdfast {
namespace {

using test::Node;
using test::succeed;
using test::value_of;

class LightVerifier : public Node {
  protected:
    void SetUp() override {
        params_.rate_window = 12;  // a reveal further from the last known one is refused
        params_.misses_late = 6;
        params_.misses_expired = 10;
        params_.checkpoint_blocks = 4;
        Node::SetUp();
        new_blocks(4);
        registration_ = seal_and_register("a", 1, 100'000);
        chain_id_ = registration_.chain_id(params_.id());
        clock_.emplace(clock(key_of(9)));
        node_.emplace(aggregator(*clock_));
        prover_.emplace(value_of(Prover::open(params_, files("a"), registration_, key_of(1))));
    }
    void TearDown() override {
        prover_.reset();
        node_.reset();
        clock_.reset();
        Node::TearDown();
    }
    void run(std::uint64_t blocks) {
        Prover* const provers[] = {&*prover_};
        for (std::uint64_t i = 0; i < blocks; ++i) {
            new_blocks(1);
            for (BlockReport& report : advance_all(*node_, provers)) {
                for (const BlockFault& fault : report.faults) ADD_FAILURE() << fault.error.message;
                for (const MadeProof& made : report.proofs) proofs_[made.height] = made.object;
            }
        }
    }
    /// The proofs of these heights as a window, standing alone.
    Bytes window(const std::vector<Height>& heights) const {
        ProofWindow out;
        for (const Height h : heights) {
            const Bytes& object = proofs_.at(h);
            const ByteView body = ByteView(object).subspan(2);
            if (*peek_kind(object) == Kind::kCompact) {
                out.links.emplace_back(*Compact::decode(body));
            } else {
                out.links.emplace_back(*Full::decode(body));
            }
        }
        return wrap_object(Kind::kWindow, out.encode());
    }
    Verifier verifier() { return Verifier(value_of(node_->public_record())); }

    Registration registration_;
    ChainId chain_id_;
    std::optional<VdfClock> clock_;
    std::optional<Aggregator> node_;
    std::optional<Prover> prover_;
    std::map<Height, Bytes> proofs_;
};

TEST_F(LightVerifier, AnHonestWindowAcrossAnUpdateIsAccepted) {
    // Longer than the reveal of the first commitment may be away from what is known of it.
    run(30);
    const Height effective = value_of(node_->registry().tip()).value() + params_.finality_blocks +
                             params_.seal_delay + 2;
    const Update update = prover_->update(1, effective, true).value();
    succeed(chain_->submit(Kind::kUpdate, wrap_object(Kind::kUpdate, update.encode())));
    run(30);
    ASSERT_EQ(value_of(node_->registry().updates(chain_id_)).size(), 1U);
    ASSERT_TRUE(proofs_.contains(effective + 4));

    const std::vector<Height> across{effective - 2, effective - 1, effective, effective + 1,
                                     effective + 2};
    // Through the files of a public folder, as a verifier has it.
    succeed(value_of(node_->public_record()).save(dir_ / "public"));
    const Verifier light(value_of(PublicRecord::load(dir_ / "public")));
    const VerifyReport report = value_of(light.verify(window(across)));
    EXPECT_TRUE(report.verdict) << to_string(report.verdict);
    ASSERT_TRUE(report.window);
    EXPECT_EQ(report.window->first, effective - 2);
    EXPECT_EQ(report.window->last, effective + 2);
    EXPECT_EQ(report.window->links, 5U);
    EXPECT_EQ(report.window->left_out, 0U);
    // The reveals of both commitments are needed: one height later under the old one is refused.
    PublicRecord old(light.record().params());
    for (const auto& [h, facts] : light.record().heights()) old.set_height(facts);
    PublicChain without = light.record().chains().at(chain_id_);
    without.updates.clear();
    std::erase_if(without.reveals, [&](const RevealState& r) { return r.base == effective; });
    value_of(old.add_chain(without));
    EXPECT_FALSE(value_of(Verifier(old).verify(window(across))).verdict);
}

TEST_F(LightVerifier, AWindowSaysWhichHeightsItLeavesOut) {
    run(24);
    const Height first = proofs_.begin()->first;
    const VerifyReport report = value_of(verifier().verify(window({first, first + 2, first + 5})));
    ASSERT_TRUE(report.verdict) << to_string(report.verdict);
    ASSERT_TRUE(report.window);
    EXPECT_EQ(report.window->links, 3U);
    EXPECT_EQ(report.window->left_out, 3U);
    const std::uint64_t full = report.window->full;
    EXPECT_EQ(report.window->openings(), 3 + 15 * full);
    EXPECT_GE(report.window->heights, 6U);
}

TEST_F(LightVerifier, ACheckpointThatLiesAboutTotalChainsIsNotBelieved) {
    run(24);
    const Height height(16);
    const PublicRecord record = value_of(node_->public_record());
    const KnownHeight known = value_of(record.known_height(height));
    ASSERT_TRUE(known.global);
    const auto checkpoint = [&](std::uint64_t total) {
        return wrap_object(Kind::kCheckpoint,
                           make_checkpoint(params_.id(), height, known.block_hash, *known.global,
                                           total, BondId(tagged_hash("bond")), key_of(7))
                               .value()
                               .encode());
    };
    const Verifier light(record);
    // Alone it is its submitter's word, and said to be.
    for (const std::uint64_t total : {1U, 1'000'000U}) {
        const VerifyReport report = value_of(light.verify(checkpoint(total)));
        EXPECT_TRUE(report.verdict) << to_string(report.verdict);
        ASSERT_TRUE(report.total);
        EXPECT_EQ(report.total->total_chains, total);
        EXPECT_FALSE(report.total->proven);
    }
    // A path under the same digest shows the number.
    VerifyHints with_path;
    with_path.path = value_of(node_->registry().path(chain_id_, height));
    const VerifyReport honest = value_of(light.verify(checkpoint(1), with_path));
    EXPECT_TRUE(honest.verdict) << to_string(honest.verdict);
    ASSERT_TRUE(honest.total);
    EXPECT_TRUE(honest.total->proven);
    const VerifyReport lie = value_of(light.verify(checkpoint(1'000'000), with_path));
    EXPECT_EQ(lie.verdict.reason, Reason::kGlobalMismatch);
    EXPECT_FALSE(lie.total);
    // And only under that digest, with the number that it covers.
    with_path.path->path.total_chains = 1'000'000;
    EXPECT_EQ(value_of(light.verify(checkpoint(1'000'000), with_path)).verdict.reason,
              Reason::kGlobalMismatch);
}

/// Judged by a registry and by a light verifier, a proof is the same.
TEST_F(LightVerifier, ACompactProofWhereOnlyAFullOneCountsIsRefusedByRegistryAndWindowAlike) {
    std::optional<Height> height;
    for (int blocks = 0; blocks < 200 && !height; ++blocks) {
        run(1);
        if (proofs_.empty() || *peek_kind(proofs_.rbegin()->second) != Kind::kFull) continue;
        height = proofs_.rbegin()->first;
    }
    ASSERT_TRUE(height) << "one height in sixteen draws a full proof";
    const KnownHeight known = value_of(node_->registry().known_height(*height));
    const Full full = *Full::decode(ByteView(proofs_.at(*height)).subspan(2));
    const LinkRequest request = {*height,      known.block_hash, *known.y,
                                 known.anchor, full.link_before, registration_.genesis_height};
    const SignedLink link = value_of(prover_->link(request));
    const PathProof path = value_of(node_->registry().path(chain_id_, *height));
    const Compact compact = value_of(prover_->compact(link, path, *known.y_compact));
    ProofWindow shown;
    shown.links.emplace_back(compact);
    EXPECT_EQ(value_of(verifier().verify(wrap_object(Kind::kWindow, shown.encode()))).verdict,
              Verdict(Reason::kCompactNotAllowed, 0));
    EXPECT_EQ(
        value_of(verifier().verify(wrap_object(Kind::kCompact, compact.encode()))).verdict.reason,
        Reason::kCompactNotAllowed);
}

}  // namespace
}  // namespace holdfast
