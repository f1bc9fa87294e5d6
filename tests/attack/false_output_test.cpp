// The followed node tells a false y, so that what the prover signs can be held against it: an
// honest prover uses only a y that it has verified itself, and a response to another y is no
// offence.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "availability/responder.hpp"
#include "core/merkle.hpp"
#include "follow/service.hpp"
#include "node/verified_output.hpp"
#include "proofs/evidence.hpp"
#include "support/quiet_log.hpp"
#include "support/sealed_chain.hpp"
#include "vdf/evaluate.hpp"

namespace holdfast {
namespace {

using node::OutputTrust;
using node::VerifiedOutput;
using node::VerifiedOutputOptions;
using test::must;
using test::test_hash;

/// Several epochs, whose arenas follow from y of heights before.
NetworkParams output_network() {
    NetworkParams p = test::short_network();
    p.name = "false output";
    p.has_vdf = true;
    p.epoch_blocks = 6;
    p.epoch_lag = 4;
    p.vdf = {64, 1, 4, 64, 4};
    p.availability_n = p.availability_d = 1;
    p.availability_chunks = 4;
    return p;
}

/// The true blocks, in the verifier's sight and in the liar's.
class Blocks final : public Blockchain {
  public:
    Result<Height> current_height() override { return tip; }
    Result<BlockInfo> block_by_height(Height h) override {
        if (h > tip) return fail(ErrorCode::kNotFound, "no such block");
        return BlockInfo{h, test_hash(h), test_hash(h - 1), 52'000 * h.value, true};
    }
    Status submit(Kind, ByteView) override { return fail(ErrorCode::kUnsupported, "not here"); }
    Result<std::vector<Submission>> submissions_at(Height) override {
        return std::vector<Submission>();
    }
    Result<std::vector<BondEvent>> bond_events_at(Height) override {
        return std::vector<BondEvent>();
    }
    Height tip{115};
};

/// A node that a prover follows, with a challenger in its pay.
class FalseOutput : public testing::Test {
  protected:
    /// Two epochs above the first.
    static constexpr Height kHeight{113};

    FalseOutput()
        : clock_(must(VdfClock::open(params_, blocks_, nullptr, KeyPair::from_secret(Bytes(32, 9)),
                                     {folder_ / "true", 1}))),
          y_(must(clock_.at(kHeight)).y),
          service_(source(), blocks_, [] { return std::uint64_t{1'000'000'000}; }),
          client_([this](ByteView m) { return carry(m); }),
          chain_(params_, 1),
          responder_(params_, [] { return std::uint64_t{1'000'000'000}; }) {
        must(responder_.add_chain(chain_.id(),
                                  std::make_shared<const Replica>(chain_.open_replica()),
                                  std::make_shared<const KeyPair>(prover_key())));
        // The height before the tip may be challenged now.
        for (const Height h : {kHeight, kHeight + 1}) {
            responder_.on_final_block({h, test_hash(h), std::nullopt, challengers()});
        }
    }
    static KeyPair prover_key() { return test::SealedChain::prover_key(0); }

    [[nodiscard]] std::vector<ChallengerPart> challengers() const {
        return {{challenger_.public_key(), 1}};
    }
    FollowSource source() {
        FollowSource out;
        out.tip = [this] { return Result<std::optional<Height>>(blocks_.tip); };
        out.facts = [this](Height h) -> Result<FollowFacts> {
            HOLDFAST_ASSIGN(block, blocks_.block_by_height(h));
            HOLDFAST_ASSIGN(entropy, clock_.at(h));
            return FollowFacts{block, entropy.y, challengers()};
        };
        out.chains = [](Height) { return Result<std::vector<ChallengedChain>>(); };
        out.output = [this](Height h) -> Result<FollowOutput> {
            FollowOutput said;
            HOLDFAST_ASSIGN(block, blocks_.block_by_height(h));
            said.block = block;
            HOLDFAST_ASSIGN(entropy, clock_.at(h));
            (void)entropy;
            HOLDFAST_ASSIGN(proof, clock_.proof(h));
            said.proof = wrap_object(Kind::kVdfProof, proof.encode());
            return said;
        };
        return out;
    }
    Result<Bytes> carry(ByteView message) {
        HOLDFAST_ASSIGN(answer, service_.handle(evaluator_.public_key(), message));
        FollowAnswer said = *decode_answer(answer);
        if (auto* output = std::get_if<FollowOutput>(&said)) {
            if (falsify_ && output->block.height == kHeight) falsify_(*output);
        }
        return encode_answer(said);
    }
    std::unique_ptr<VerifiedOutput> open(OutputTrust trust = OutputTrust::kFull) {
        VerifiedOutputOptions options;
        options.trust = trust;
        options.folder = folder_ / "own";
        options.threads = 1;
        options.spot_segments = 4;  // all of them
        return must(VerifiedOutput::open(params_, client_, options, *log_,
                                         [this](Height h, const VdfOutput& y) {
                                             responder_.note_y(h, y);
                                             ++told_;
                                         }));
    }
    /// A proof of another y, well signed: its last segment does not lead on.
    [[nodiscard]] VdfProof forged() {
        VdfProof proof = must(clock_.proof(kHeight));
        std::vector<Digest> d = proof.checkpoints;
        d.back()[0] ^= 1;
        return make_vdf_proof(params_.vdf, params_.id(), kHeight, proof.input, std::move(d), liar_)
            .value();
    }
    [[nodiscard]] Challenge2 challenge(const VdfOutput& y) const {
        return make_challenge2(params_.id(), chain_.id(), kHeight, test_hash(kHeight), y,
                               Reveal(tagged_hash("nonce")), challenger_)
            .value();
    }
    Result<Bytes> ask(const VdfOutput& y) {
        return responder_.respond(challenger_.public_key(),
                                  wrap_object(Kind::kChallenge2, challenge(y).encode()));
    }
    /// A head of the operator over a journal in which this is the y entry.
    [[nodiscard]] OutputCover cover(const VdfOutput& y) const {
        std::vector<Digest> leaves;
        for (std::uint64_t i = 0; i < 5; ++i) leaves.push_back(tagged_hash("entry", i));
        leaves[3] = entry_hash(encode_entry(OutputEntry{kHeight, y}));
        const MerkleTree tree(leaves);
        JournalHead head;
        head.operator_key = params_.operator_key;
        head.height = kHeight - 1;
        head.block_hash = test_hash(head.height);
        head.size = leaves.size();
        head.root = Root(tree.root());
        return {sign_head(params_.id(), head, test::test_operator()).value(), 3, tree.path(3)};
    }

    const NetworkParams params_ = output_network();
    const KeyPair evaluator_ = KeyPair::from_secret(Bytes(32, 9));
    const KeyPair liar_ = KeyPair::from_secret(Bytes(32, 66));
    const KeyPair challenger_ = KeyPair::from_secret(Bytes(32, 77));
    test::TempFolder folder_;
    std::unique_ptr<node::Log> log_ = test::quiet_log();
    Blocks blocks_;
    VdfClock clock_;
    VdfOutput y_;
    std::function<void(FollowOutput&)> falsify_;
    FollowService service_;
    FollowClient client_;
    test::SealedChain chain_;
    AvailabilityResponder responder_;
    std::atomic<int> told_{0};
};

TEST_F(FalseOutput, ToldAloneIsSignedForNowhere) {
    falsify_ = [](FollowOutput& said) { said.proof.clear(); };
    const auto output = open();
    const auto got = output->verify(kHeight, {});
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ErrorCode::kUnavailable);
    const auto answer = ask(y_);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().verdict.reason, Reason::kNoEntropy);
    EXPECT_EQ(responder_.statistics().answered, 0U);
}

TEST_F(FalseOutput, WithASignedProofThatDoesNotHoldIsNotUsed) {
    const VdfProof lie = forged();
    ASSERT_NE(lie.y, y_);
    falsify_ = [&](FollowOutput& said) { said.proof = wrap_object(Kind::kVdfProof, lie.encode()); };
    const auto output = open();
    const auto got = output->verify(kHeight, {});
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ErrorCode::kUnavailable);
    EXPECT_FALSE(ask(lie.y));
    EXPECT_EQ(responder_.statistics().answered, 0U);
    // Nor one of another height under this one's name.
    falsify_ = [&](FollowOutput& said) {
        said.proof = wrap_object(Kind::kVdfProof, must(clock_.proof(kHeight - 5)).encode());
    };
    EXPECT_FALSE(output->verify(kHeight, {}));
}

TEST_F(FalseOutput, IsFoundOutWhereTheTrueProofIsThere) {
    const VdfOutput lie(tagged_hash("lie"));
    const auto output = open();
    std::atomic<bool> stop{false};
    output->want(kHeight, lie);
    {
        const std::jthread runs([&] { output->run([&] { return stop.load(); }); });
        for (int i = 0; i < 3'000 && told_ == 0; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        stop = true;
    }
    EXPECT_EQ(output->status().verified, 1U);
    EXPECT_EQ(output->status().false_told, 1U);
    EXPECT_EQ(output->status().newest, kHeight);
    const auto refused = ask(lie);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().verdict.reason, Reason::kWrongOutput);
    EXPECT_TRUE(ask(y_));
    EXPECT_EQ(responder_.statistics().answered, 1U);
}

/// Even a prover that was led to sign over the false y has committed no offence.
TEST_F(FalseOutput, GivesNoEvidenceAgainstTheHonestProver) {
    const VdfOutput lie(tagged_hash("lie"));
    AvailabilityResponder led(params_, [] { return std::uint64_t{1'000'000'000}; });
    must(led.add_chain(chain_.id(), std::make_shared<const Replica>(chain_.open_replica()),
                       std::make_shared<const KeyPair>(prover_key())));
    led.on_final_block({kHeight, test_hash(kHeight), lie, challengers()});
    led.on_final_block({kHeight + 1, test_hash(kHeight + 1), std::nullopt, challengers()});
    const Bytes answer = must(led.respond(challenger_.public_key(),
                                          wrap_object(Kind::kChallenge2, challenge(lie).encode())));
    const Response response = *Response::decode(*unwrap_object(Kind::kResponse, answer));
    EvidenceKnowledge knows;
    knows.params = params_;
    knows.network_id = params_.id();
    knows.chain = [&](const ChainId&, Height) {
        return Result<std::optional<KnownChain>>(chain_.known());
    };
    knows.final_block = [](Height h) { return Result<std::optional<BlockHash>>(test_hash(h)); };
    knows.y = [&](Height) { return Result<std::optional<VdfOutput>>(y_); };
    EXPECT_EQ(
        must(judge_evidence(knows, make_bad_response(challenge(lie), response))).verdict.reason,
        Reason::kWrongOutput);
}

TEST_F(FalseOutput, UnderAHeadOfTheOperatorMustSurviveASpotCheck) {
    const auto output = open(OutputTrust::kOperator);
    const auto reason = [&] {
        const auto got = output->verify(kHeight, {});
        return got ? Reason::kOk : got.error().verdict.reason;
    };
    EXPECT_EQ(output->verify(kHeight, {}).error().code, ErrorCode::kUnavailable);  // no head yet
    falsify_ = [&](FollowOutput& said) { said.cover = cover(y_); };
    EXPECT_EQ(must(output->verify(kHeight, {})), y_);

    const VdfProof lie = forged();
    falsify_ = [&](FollowOutput& said) {
        said.cover = cover(lie.y);
        said.proof = wrap_object(Kind::kVdfProof, lie.encode());
    };
    EXPECT_EQ(reason(), Reason::kVdfSegment);
    falsify_ = [&](FollowOutput& said) { said.cover = cover(lie.y); };
    EXPECT_EQ(reason(), Reason::kBadPath);  // the head is over another y than the proof's
    falsify_ = [&](FollowOutput& said) {
        said.cover = cover(y_);
        said.cover->head = sign_head(params_.id(), said.cover->head, liar_).value();
    };
    EXPECT_EQ(reason(), Reason::kNotOperator);
    falsify_ = [&](FollowOutput& said) {
        said.cover = cover(y_);
        said.cover->head.signature[0] ^= 1;
    };
    EXPECT_EQ(reason(), Reason::kBadSignature);
    falsify_ = [&](FollowOutput& said) {
        said.cover = cover(y_);
        said.cover->head.block_hash = BlockHash(tagged_hash("fork"));
        said.cover->head = sign_head(params_.id(), said.cover->head, test::test_operator()).value();
    };
    EXPECT_EQ(reason(), Reason::kWrongBlock);
}

}  // namespace
}  // namespace holdfast
