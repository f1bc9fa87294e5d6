#include "storage/file.hpp"
#include "unit/api/node_fixture.hpp"
#include "vdf/evaluate.hpp"

namespace holdfast {
namespace {

using test::Node;
using test::succeed;
using test::value_of;

class WholePath : public Node {
  protected:
    void SetUp() override {
        Node::SetUp();
        new_blocks(4);
        registration_ = seal_and_register("a", 1, 100'000);
        chain_id_ = registration_.chain_id(params_.id());
    }
    /// Runs to the tip with one Aggregator and one Prover, and keeps what was made.
    void run(std::uint64_t blocks) {
        VdfClock with = clock(key_of(9));
        Aggregator node = aggregator(with);
        Prover prover = value_of(Prover::open(params_, files("a"), registration_, key_of(1)));
        Prover* const provers[] = {&prover};
        new_blocks(blocks);
        for (BlockReport& report : advance_all(node, provers)) {
            for (const BlockFault& fault : report.faults) ADD_FAILURE() << fault.error.message;
            proofs_.insert(proofs_.end(), report.proofs.begin(), report.proofs.end());
            if (report.closed) globals_[*report.closed] = report.global;
        }
        record_.emplace(value_of(node.public_record()));
    }

    Registration registration_;
    ChainId chain_id_;
    std::vector<MadeProof> proofs_;
    std::map<Height, GlobalDigest> globals_;
    std::optional<PublicRecord> record_;
};

TEST_F(WholePath, ProofsAreAcceptedFromPublicDataAlone) {
    run(24);
    ASSERT_GE(proofs_.size(), 8U);
    const Verifier verifier(*record_);
    for (const MadeProof& proof : proofs_) {
        const VerifyReport report = value_of(verifier.verify(proof.object));
        EXPECT_TRUE(report.verdict) << to_string(report.verdict);
        EXPECT_EQ(report.chain_id, chain_id_);
        EXPECT_EQ(report.height, proof.height);
    }
}

TEST_F(WholePath, HintsThatDoNotFitAreRefusedByName) {
    run(24);
    const Verifier verifier(*record_);
    const Bytes& proof = proofs_.back().object;
    const auto reason = [&](const VerifyHints& hints) {
        return value_of(verifier.verify(proof, hints)).verdict.reason;
    };
    EXPECT_EQ(reason({ChainId(tagged_hash("other")), {}}), Reason::kWrongChain);
    EXPECT_EQ(reason({{}, proofs_.back().height + 1}), Reason::kWrongHeight);
    EXPECT_EQ(reason({chain_id_, proofs_.back().height}), Reason::kOk);
}

TEST_F(WholePath, ARestartAfterEveryBlockGivesTheSameDigests) {
    run(24);
    VdfClock with = clock(key_of(9));
    ProverFiles other = files("a");
    other.records = dir_ / "again.chain";
    std::map<Height, GlobalDigest> again;
    for (bool more = true; more;) {
        Aggregator node = aggregator(with, "registry-again");
        Prover prover = value_of(Prover::open(params_, other, registration_, key_of(1)));
        Prover* const provers[] = {&prover};
        const auto report = value_of(node.advance(provers));
        more = report.has_value();
        if (report && report->closed) again[*report->closed] = report->global;
    }
    EXPECT_EQ(again, globals_);
}

TEST_F(WholePath, AHeightWithoutYIsNoMiss) {
    VdfClock silent = clock(std::nullopt, "none");
    Aggregator node = aggregator(silent, "registry-silent");
    new_blocks(20);
    const std::vector<BlockReport> reports = advance_all(node, {});
    ASSERT_FALSE(reports.empty());
    EXPECT_FALSE(reports.back().y);
    EXPECT_FALSE(reports.back().faults.empty());  // it is reported, never replaced
    const auto statistics = value_of(node.registry().statistics());
    EXPECT_EQ(statistics.heights_with_y, 0U);
    EXPECT_EQ(statistics.voided, 0U);  // without y there is no seal challenge and no deadline
}

TEST_F(WholePath, ARegistrationWithoutItsBondIsRefused) {
    value_of(
        ledger_->release_bond(registration_.bond_id, 100, IdempotencyKey(tagged_hash("release"))));
    VdfClock with = clock(key_of(9));
    Aggregator node = aggregator(with);
    new_blocks(8);
    std::vector<Verdict> verdicts;
    for (const BlockReport& report : advance_all(node, {})) {
        for (const ObjectOutcome& object : report.objects) verdicts.push_back(object.verdict);
    }
    EXPECT_EQ(verdicts, std::vector<Verdict>{Reason::kBondTaken});  // nothing of it is left
}

TEST_F(WholePath, AChainThatNeverProvesItsSealingLosesItsDepositOnce) {
    VdfClock with = clock(key_of(9));
    Aggregator node = aggregator(with);
    new_blocks(60);
    advance_all(node, {});
    EXPECT_EQ(value_of(node.registry().statistics()).voided, 1U);
    EXPECT_EQ(value_of(ledger_->bond_info(registration_.bond_id)).held_amount, 0U);
    EXPECT_EQ(value_of(ledger_->totals()).in_pool, 100U);
    const auto cases = [&] {
        std::vector<SettlementCase> all;
        succeed(node.settlement()->for_each([&](const SettlementCase& c) {
            all.push_back(c);
            return true;
        }));
        return all;
    };
    ASSERT_EQ(cases().size(), 1U);
    const SettlementCase decided = cases()[0];
    EXPECT_EQ(decided.kind, CaseKind::kChain);
    EXPECT_EQ(decided.steps.at(0).bond, registration_.bond_id);
    EXPECT_EQ(decided.steps.at(0).answer, 100U);
    new_blocks(5);
    advance_all(node, {});
    EXPECT_EQ(value_of(ledger_->totals()).in_pool, 100U);
    EXPECT_EQ(cases(), std::vector{decided});
    succeed(ledger_->audit());
}

class Record : public WholePath {
  protected:
    void SetUp() override {
        WholePath::SetUp();
        run(24);
        succeed(record_->save(dir_ / "public"));
        text_ = read("public.json");
    }
    std::string read(const std::string& name) const {
        const Bytes raw = value_of(read_file(dir_ / "public" / name, 1 << 24));
        return {raw.begin(), raw.end()};
    }
    Result<PublicRecord> load_with(const std::string& text) {
        succeed(write_file(dir_ / "public" / "public.json", view(std::string_view(text)), true));
        return PublicRecord::load(dir_ / "public");
    }
    std::string text_;
};

TEST_F(Record, ComesBackAsItWasSaved) {
    const PublicRecord back = value_of(PublicRecord::load(dir_ / "public"));
    EXPECT_EQ(back.network_id(), record_->network_id());
    ASSERT_EQ(back.heights().size(), record_->heights().size());
    const Verifier verifier(back);
    for (const MadeProof& proof : proofs_) {
        EXPECT_TRUE(value_of(verifier.verify(proof.object)).verdict);
    }
}

TEST_F(Record, ThatWasTamperedWithIsRefused) {
    const std::string registration = to_hex(registration_.encode());
    for (std::size_t nibble = 0; nibble < registration.size(); nibble += 37) {
        std::string bad = text_;
        char& digit = bad[bad.find(registration) + nibble];
        digit = digit == '0' ? '1' : '0';
        EXPECT_FALSE(load_with(bad)) << nibble;
    }
    for (const std::string& bad :
         {std::string(), std::string("{"), std::string("[]"), std::string("{}"),
          std::string("null"), std::string(100'000, '['), text_.substr(0, text_.size() / 2)}) {
        EXPECT_EQ(load_with(bad).error().code, ErrorCode::kCorrupt);
    }
    std::string negative = text_;
    negative.replace(negative.find("\"height\": 0"), 11, "\"height\": -1");
    EXPECT_EQ(load_with(negative).error().code, ErrorCode::kCorrupt);
}

TEST_F(Record, OfAnotherBlockHashRefusesTheProofsOfThatHeight) {
    const Height height = proofs_.back().height;
    PublicRecord changed = *record_;
    PublicHeight facts = changed.heights().at(height);
    facts.block.hash[0] ^= 1;
    changed.set_height(facts);
    EXPECT_FALSE(value_of(Verifier(changed).verify(proofs_.back().object)).verdict);
}

class Clock : public Node {};

TEST_F(Clock, EvaluatesAgainWhatAReorganisationReplaced) {
    new_blocks(3);
    VdfClock with = clock(key_of(9));
    const Height tip = value_of(chain_->current_height());
    const HeightEntropy before = value_of(with.at(tip));
    EXPECT_EQ(value_of(with.at(tip)).y, before.y);
    const LocalChain::NewBlock block{before.block.time_ms + 1, true};
    value_of(chain_->replace_branch(tip, {&block, 1}));
    const HeightEntropy after = value_of(with.at(tip));
    EXPECT_NE(after.seed, before.seed);
    EXPECT_NE(after.y, before.y);
}

TEST_F(Clock, TakesAForeignProofOnlyAfterFullVerification) {
    new_blocks(3);
    VdfClock evaluator = clock(key_of(9));
    const Height height(2);
    const HeightEntropy honest = value_of(evaluator.at(height));
    VdfProof proof = value_of(evaluator.proof(height));
    VdfClock follower = clock(std::nullopt, "follower");
    EXPECT_EQ(follower.at(height).error().code, ErrorCode::kUnavailable);

    // Signed by its evaluator, consistent at both ends, wrong in the middle.
    std::vector<Digest> forged = proof.checkpoints;
    forged[2] = Digest(tagged_hash("forged"));
    const VdfProof lie =
        make_vdf_proof(proof.params, params_.id(), height, proof.input, forged, key_of(9)).value();
    const Verdict verdict = value_of(follower.import(lie));
    EXPECT_EQ(verdict, Verdict(Reason::kVdfSegment, 1));
    EXPECT_EQ(follower.at(height).error().code, ErrorCode::kUnavailable);

    EXPECT_TRUE(value_of(follower.import(proof)));
    EXPECT_EQ(value_of(follower.at(height)).y, honest.y);
    // The lie put into the folder by hand is neither served nor believed: y stays what was
    // verified.
    succeed(write_file(VdfClock::proof_file(dir_ / "follower", height),
                       wrap_object(Kind::kVdfProof, lie.encode()), true));
    EXPECT_EQ(follower.proof(height).error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(value_of(follower.at(height)).y, honest.y);
}

}  // namespace
}  // namespace holdfast
