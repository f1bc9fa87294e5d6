// One history, on a whole node: restarts, outages, tokens that are away and registries that are
// made again change no digest, and make nobody say two things of one height.
#include <set>

#include "api/journal_file.hpp"
#include "api/replay.hpp"
#include "storage/signed_statements.hpp"
#include "unit/api/node_fixture.hpp"

namespace holdfast {
namespace {

using test::succeed;
using test::value_of;

class History : public test::Node {
  protected:
    void SetUp() override {
        params_.checkpoint_blocks = 4;
        Node::SetUp();
        new_blocks(4);
    }
    template <class T>
    void submit(Kind kind, const T& object) {
        succeed(chain_->submit(kind, wrap_object(kind, object.encode())));
    }
    Digest state(Aggregator& node) { return value_of(node.registry().export_state()); }
    /// Another node with nothing but the chain and the journal.
    void expect_same_from_journal(Aggregator& node, VdfClock& with) {
        const auto file = dir_ / "node.journal";
        const HeadSource head = [&](Height h) -> Result<std::optional<JournalHead>> {
            HOLDFAST_ASSIGN(signed_head, node.head(h));
            return std::optional(signed_head);
        };
        succeed(write_journal(node.registry(), file, head));
        auto late = value_of(Registry::open(dir_ / "late", params_));
        ReplayOptions options;
        options.check_y = [&](Height h, const VdfOutput& y) -> Result<Verdict> {
            HOLDFAST_ASSIGN(entropy, with.at(h));
            return Verdict(entropy.y == y ? Reason::kOk : Reason::kWrongOutput);
        };
        const ReplayReport report = value_of(replay_journal(*late, *chain_, file, options));
        EXPECT_GT(report.heads, 0U);
        EXPECT_EQ(value_of(late->export_state()), state(node));
        EXPECT_EQ(value_of(late->journal()).root, value_of(node.registry().journal()).root);
    }
};

TEST_F(History, ARestartAtTheBlockThatListsUpdatesOutOfOrderTakesNoneOfThem) {
    const Registration registration = seal_and_register("a", 1, 70'000);
    const ChainId id = registration.chain_id(params_.id());
    new_blocks(6);
    const Height far = value_of(chain_->current_height()) + 10;
    submit(Kind::kUpdate, make_update(params_.id(), id, 2, far + 1, Reveal{}, key_of(1)).value());
    submit(Kind::kUpdate,
           make_update(params_.id(), id, 1, far, Reveal(tagged_hash("x")), key_of(1)).value());
    new_blocks(1 + params_.finality_blocks);
    VdfClock with = clock(key_of(9));
    Aggregator steady = aggregator(with, "steady");
    auto restarted = std::make_unique<Aggregator>(aggregator(with, "restarted"));
    advance_all(steady, {});
    advance_all(*restarted, {});
    restarted.reset();
    restarted = std::make_unique<Aggregator>(aggregator(with, "restarted"));
    new_blocks(3);
    advance_all(steady, {});
    advance_all(*restarted, {});
    EXPECT_EQ(value_of(steady.registry().updates(id)).size(), 1U);
    EXPECT_EQ(state(steady), state(*restarted));
}

TEST_F(History, WhoComesLaterComesToTheSameBytes) {
    const Registration registration = seal_and_register("a", 1, 70'000);
    const ChainId id = registration.chain_id(params_.id());
    VdfClock with = clock(key_of(9));
    Aggregator node = aggregator(with);
    Prover prover = value_of(Prover::open(params_, files("a"), registration, key_of(1)));
    Prover* const provers[] = {&prover};
    for (int i = 0; i < 24; ++i) {
        new_blocks(1);
        for (const BlockReport& report : advance_all(node, provers)) {
            for (const BlockFault& f : report.faults) ADD_FAILURE() << f.error.message;
        }
    }
    EXPECT_EQ(value_of(node.registry().chain(id))->phase, ChainPhase::kSealed);
    submit(Kind::kRemoval, prover.removal(1, value_of(node.registry().tip()).value()).value());
    new_blocks(8);
    advance_all(node, provers);
    EXPECT_TRUE(value_of(node.registry().chain(id))->removal_at);
    expect_same_from_journal(node, with);
}

TEST_F(History, ASourceThatIsAwayLeavesTheSameHeightsWithoutYForEverybody) {
    VdfClock good = clock(key_of(9));
    new_blocks(6);
    {
        Aggregator node = aggregator(good);
        advance_all(node, {});
    }
    {
        VdfClock silent = clock(std::nullopt, "silent");
        Aggregator node = aggregator(silent);
        new_blocks(5);
        advance_all(node, {});
    }
    Aggregator node = aggregator(good);
    new_blocks(12);
    advance_all(node, {});
    const RegistryStatistics s = value_of(node.registry().statistics());
    EXPECT_LT(s.heights_with_y, s.closed->since(params_.genesis_height) + 1);
    expect_same_from_journal(node, good);
}

TEST_F(History, ARegistryThatWasMadeAgainSignsWhatItSignedOrNothing) {
    const KeyPair submitter = key_of(3);
    succeed(ledger_->issue(submitter.public_key(), 500, IdempotencyKey(tagged_hash("issue"))));
    const BondId bond =
        value_of(ledger_->create_bond(submitter.public_key(), 500, BondPurpose::kCheckpoint,
                                      IdempotencyKey(tagged_hash("bond"))));
    const Registration registration = seal_and_register("a", 1, 70'000);
    VdfClock with = clock(key_of(9));
    const auto open = [&](const std::string& name) {
        AggregatorOptions options;
        options.registry = dir_ / name;
        options.statements = dir_ / "signed";
        options.operator_key = &operator_;
        options.checkpoint_bond = bond;
        return value_of(
            Aggregator::open(params_, *chain_, with, ledger_.get(), &submitter, options));
    };
    Prover prover = value_of(Prover::open(params_, files("a"), registration, key_of(1)));
    Prover* const provers[] = {&prover};
    {
        Aggregator node = open("first");
        for (int i = 0; i < 24; ++i) {
            new_blocks(1);
            advance_all(node, provers);
        }
    }
    // The disk is lost, and with it the journal: what the provers handed over is not there.
    Aggregator again = open("again");
    Result<std::optional<BlockReport>> report = again.advance({});
    while (report && *report) report = again.advance({});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().verdict.reason, Reason::kEvidenceOrder);
    // On the chain stands one checkpoint of each height and nothing against its submitter.
    std::map<Height, std::set<Bytes>> listed;
    for (Height h = params_.genesis_height; h <= value_of(chain_->current_height()); ++h) {
        for (const Submission& s : value_of(chain_->submissions_at(h))) {
            EXPECT_NE(s.kind, Kind::kEvidence);
            if (s.kind != Kind::kCheckpoint) continue;
            const auto c = Checkpoint::decode(unwrap_object(s.kind, s.object).value());
            ASSERT_TRUE(c);
            listed[c->height].insert(s.object);
        }
    }
    EXPECT_GE(listed.size(), 3U);
    for (const auto& [height, objects] : listed) EXPECT_EQ(objects.size(), 1U) << height.value;
    EXPECT_EQ(value_of(ledger_->bond_info(bond)).slashed_amount, 0U);
}

TEST_F(History, AnOldCopySignsWhatItSignedOrNothing) {
    const Registration registration = seal_and_register("a", 1, 70'000);
    VdfClock with = clock(key_of(9));
    const auto open = [&](const std::string& name) {
        AggregatorOptions options;
        options.registry = dir_ / name;
        options.statements = dir_ / "signed";
        options.operator_key = &operator_;
        return value_of(Aggregator::open(params_, *chain_, with, nullptr, nullptr, options));
    };
    Prover prover = value_of(Prover::open(params_, files("a"), registration, key_of(1)));
    Prover* const provers[] = {&prover};
    const auto journal = dir_ / "node.journal";
    std::map<Height, Bytes> said;
    Digest last;
    {
        Aggregator node = open("first");
        for (int i = 0; i < 26; ++i) {
            new_blocks(1);
            for (const BlockReport& r : advance_all(node, provers)) {
                if (!r.head) continue;
                EXPECT_TRUE(said.emplace(r.head->height, r.head->encode()).second);
            }
            // Two copies from before the prover's links, for two ways to go on.
            if (i == 10) {
                value_of(node.registry().backup(dir_ / "without"));
                value_of(node.registry().backup(dir_ / "with"));
            }
        }
        last = state(node);
        succeed(write_journal(node.registry(), journal));
    }
    {
        // What was handed over since is lost: nothing else is signed for the heights that had it.
        Aggregator node = open("without");
        Result<std::optional<BlockReport>> report = node.advance({});
        while (report && *report) {
            if ((*report)->head) {
                EXPECT_EQ((*report)->head->encode(), said.at((*report)->head->height));
            }
            report = node.advance({});
        }
        ASSERT_FALSE(report) << "another journal was signed";
        EXPECT_EQ(report.error().verdict.reason, Reason::kEvidenceOrder);
    }
    {
        // Whoever has the journal brings it back to where it was.
        auto registry = value_of(Registry::open(dir_ / "with", params_));
        ReplayOptions options;
        options.check_y = [&](Height h, const VdfOutput& y) -> Result<Verdict> {
            HOLDFAST_ASSIGN(entropy, with.at(h));
            return Verdict(entropy.y == y ? Reason::kOk : Reason::kWrongOutput);
        };
        value_of(replay_journal(*registry, *chain_, journal, options));
    }
    Aggregator node = open("with");
    EXPECT_EQ(state(node), last);
    for (const auto& [height, head] : said) {
        EXPECT_EQ(value_of(node.head(height)).encode(), head) << height.value;
    }
    new_blocks(1);
    const auto reports = advance_all(node, provers);
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_TRUE(reports[0].head);
}

TEST_F(History, WhatWasRecordedBeforeARunEndedIsSignedByTheNextOrNothing) {
    VdfClock with = clock(key_of(9));
    const auto open = [&](const std::string& name) {
        AggregatorOptions options;
        options.registry = dir_ / name;
        options.statements = dir_ / "signed";
        options.operator_key = &operator_;
        return value_of(Aggregator::open(params_, *chain_, with, nullptr, nullptr, options));
    };
    new_blocks(8);
    Height closed;
    Bytes body;
    {
        Aggregator node = open("first");
        advance_all(node, {});
        closed = value_of(node.registry().closed()).value();
        body = value_of(node.registry().head_of(closed));
    }
    const auto record = [&](Height height, const Bytes& what) {
        auto statements = value_of(SignedStatements::open(
            dir_ / "signed" / (to_hex(view(operator_.public_key())) + ".signed"), params_.id(),
            operator_.public_key()));
        const Height of_block = height;
        return value_of(statements.record(Kind::kHead, height,
                                          value_of(chain_->block_by_height(of_block)).hash, what));
    };
    // The same again may be signed; anything else never, nor by a registry that says otherwise.
    EXPECT_EQ(record(closed, body), Verdict::ok());
    Bytes other = body;
    other.back() ^= 1;
    EXPECT_EQ(record(closed, other).reason, Reason::kEvidenceOrder);
    // A run that recorded and ended before it signed left no more than this.
    EXPECT_EQ(record(closed + 1, other), Verdict::ok());
    Aggregator node = open("first");
    EXPECT_EQ(value_of(node.head(closed)).height, closed);
    new_blocks(1);
    const auto report = node.advance({});
    ASSERT_FALSE(report) << "two heads of one height";
    EXPECT_EQ(report.error().verdict.reason, Reason::kEvidenceOrder);
}

TEST_F(History, ATokenThatWasAwayForHundredsOfHeightsForgetsNothing) {
    const Registration registration = seal_and_register("a", 1, 70'000);
    VdfClock with = clock(key_of(9));
    AggregatorOptions options;
    options.registry = dir_ / "registry";
    options.operator_key = &operator_;
    {
        Aggregator node =
            value_of(Aggregator::open(params_, *chain_, with, nullptr, nullptr, options));
        new_blocks(110);  // never proven: voided
        advance_all(node, {});
        EXPECT_EQ(value_of(node.registry().statistics()).voided, 1U);
    }
    EXPECT_EQ(value_of(ledger_->bond_info(registration.bond_id)).slashed_amount, 0U);
    Aggregator node = aggregator(with);
    new_blocks(1);
    advance_all(node, {});
    EXPECT_EQ(value_of(ledger_->bond_info(registration.bond_id)).slashed_amount, 100U);
    EXPECT_EQ(value_of(node.registry().bond(registration.bond_id))->owed, 100U);
    new_blocks(1 + params_.finality_blocks);
    advance_all(node, {});
    EXPECT_EQ(value_of(node.registry().bond(registration.bond_id))->owed, 0U);
    EXPECT_EQ(value_of(node.registry().bond(registration.bond_id))->held, 0U);
}

TEST_F(History, TheEndOfOneChainLeavesThePartOfAnotherUnderTheSameBond) {
    params_.removal_delay = 2;
    params_.liability_blocks = 3;
    std::filesystem::remove_all(dir_ / "chain");
    std::filesystem::remove_all(dir_ / "ledger");
    chain_.reset();
    ledger_.reset();
    chain_ = value_of(LocalChain::create(dir_ / "chain", params_, 1'700'000'000'000));
    ledger_ = value_of(BondLedger::open(dir_ / "ledger", params_.id()));
    new_blocks(4);
    const Registration decoy = seal_and_register("a", 1, 70'000);
    succeed(ledger_->issue(key_of(1).public_key(), 100, IdempotencyKey(tagged_hash("more"))));
    succeed(ledger_->add_to_bond(decoy.bond_id, 100, IdempotencyKey(tagged_hash("added"))));
    Registration other = decoy;
    other.header.nonce = 4'711;
    other = sign_registration(params_.id(), other, key_of(1)).value();
    submit(Kind::kRegistration, other);
    VdfClock with = clock(key_of(9));
    Aggregator node = aggregator(with);
    Prover prover = value_of(Prover::open(params_, files("a"), decoy, key_of(1)));
    Prover* const provers[] = {&prover};
    live(node, provers, 20);
    submit(Kind::kRemoval, prover.removal(1, value_of(node.registry().tip()).value()).value());
    live(node, provers, 45);
    // One got its part back after its last audit, the other lost its own: never sealed.
    EXPECT_EQ(value_of(node.registry().chain(decoy.chain_id(params_.id())))->phase,
              ChainPhase::kEnded);
    EXPECT_EQ(value_of(node.registry().chain(other.chain_id(params_.id())))->phase,
              ChainPhase::kVoid);
    const BondInfo bond = value_of(ledger_->bond_info(decoy.bond_id));
    EXPECT_EQ(bond.slashed_amount, 100U);
    EXPECT_EQ(bond.held_amount, 0U);
    EXPECT_EQ(value_of(ledger_->balance(key_of(1).public_key())), 100U);
}

}  // namespace
}  // namespace holdfast
