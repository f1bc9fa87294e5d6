// One history: what a registry holds follows from its entries, and from nothing else.
#include <gtest/gtest.h>

#include "api/journal_file.hpp"
#include "api/replay.hpp"
#include "hierarchy/registry.hpp"
#include "proofs/journal.hpp"
#include "storage/file.hpp"
#include "support/listed_chain.hpp"

namespace holdfast {
namespace {

using test::is_test_y;
using test::kTestPart;
using test::ListedChain;
using test::must;
using test::RegistryWorld;
using test::test_hash;
using test::test_operator;
using test::test_y;
using test::TestChain;

ReplayOptions trusting() { return {is_test_y, test::seal_passes()}; }

// --- entries -------------------------------------------------------------------------------------

TEST(RegistryEntries, ANetworkOfVersion1IsRefusedWithWhatToDo) {
    test::TempFolder folder;
    NetworkParams params = NetworkParams::preset(kParamsVersion1);
    const auto opened = Registry::open(folder.path() / "registry", params);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().verdict.reason, Reason::kNetworkPolicy);
    EXPECT_NE(opened.error().message.find("make a network of version 2"), std::string::npos);
}

TEST(RegistryEntries, EachEntryHasOneNumber) {
    RegistryWorld world(test::patient_network());
    world.feed(false);  // 0: the block
    EXPECT_EQ(must(world->journal()).entries, 1U);
    EXPECT_EQ(must(world->note_y(Height(test::kShortGenesis), test_y(Height(test::kShortGenesis)))),
              Verdict::ok());
    EXPECT_EQ(must(world->note_y(Height(test::kShortGenesis), test_y(Height(test::kShortGenesis)))),
              Verdict::ok());
    EXPECT_EQ(must(world->journal()).entries, 2U);  // the same y again changes nothing
    TestChain chain(world.params(), 1, Height(test::kShortGenesis));
    world.add_and_seal(chain);
    const std::uint64_t before = must(world->journal()).entries;
    const Height h = world.tip();
    EXPECT_EQ(world.link(chain, h), Verdict::ok());
    EXPECT_EQ(must(world->journal()).entries, before + 1);
    EXPECT_EQ(must(world->link(chain.id(), h))->entry, before);
    EXPECT_EQ(world.link(chain, h), Verdict::ok());  // known: not appended
    EXPECT_EQ(must(world->journal()).entries, before + 1);
    EXPECT_EQ(world.accept(Bytes{1, 1, 0}).verdict.reason, Reason::kBadKind);
    EXPECT_EQ(must(world->journal()).entries, before + 1);
    const auto entry = decode_entry(must(world->entries(before, 1))[0]);
    ASSERT_TRUE(entry);
    EXPECT_TRUE(std::holds_alternative<ObjectEntry>(*entry));
}

TEST(RegistryEntries, TheTreeOfTheJournalIsThatOfItsEntries) {
    RegistryWorld world(test::patient_network());
    std::vector<Digest> leaves;
    for (int i = 0; i < 9; ++i) {
        world.feed();
        for (std::uint64_t n = leaves.size(); n < must(world->journal()).entries; ++n) {
            leaves.push_back(entry_hash(must(world->entries(n, 1))[0]));
        }
        EXPECT_EQ(must(world->journal()).root, merkle_root(leaves)) << i;
    }
    for (std::uint64_t size = 1; size <= leaves.size(); ++size) {
        const MerkleTree tree(std::vector<Digest>(leaves.begin(), leaves.begin() + size));
        for (std::uint64_t n = 0; n < size; ++n) {
            EXPECT_EQ(must(world->inclusion(n, size)), tree.path(n));
        }
        for (std::uint64_t older = 0; older <= size; ++older) {
            const MerkleTree part(std::vector<Digest>(leaves.begin(), leaves.begin() + older));
            const Digest root = older == 0 ? empty_tree_root() : part.root();
            EXPECT_EQ(check_consistency(older, root, size, tree.root(),
                                        must(world->consistency(older, size))),
                      Verdict::ok());
        }
    }
}

// --- bonds ---------------------------------------------------------------------------------------

TEST(RegistryBonds, OneBondStandsForAsManyChainsAsItHoldsParts) {
    RegistryWorld world(test::patient_network());
    world.feed_to(Height(test::kShortGenesis + 1));
    TestChain first(world.params(), 1, Height(test::kShortGenesis));
    world.list(first.bond(2 * kTestPart + kTestPart - 1));
    world.list(Kind::kRegistration, first.registration());
    for (std::uint64_t n = 1; n <= 20; ++n) {
        Registration r = first.registration();
        r.header.nonce = 1'000 + n;
        world.list(Kind::kRegistration,
                   sign_registration(world.params().id(), r, first.key()).value());
    }
    std::vector<Verdict> expected(21, Reason::kBondTaken);  // 29 holds two parts of 10
    expected[0] = expected[1] = Verdict::ok();
    EXPECT_EQ(world.listed(), expected);
    const auto bond = must(world->bond(first.registration().bond_id));
    EXPECT_EQ(bond->reserved, 2 * kTestPart);
    EXPECT_EQ(bond->free, kTestPart - 1);
}

TEST(RegistryBonds, WhatAVoidCostsIsThatChainsPartAlone) {
    RegistryWorld world(test::patient_network());
    world.feed_to(Height(test::kShortGenesis + 1));
    TestChain sealed(world.params(), 1, Height(test::kShortGenesis));
    world.list(sealed.bond(2 * kTestPart));
    EXPECT_EQ(world.judge(Kind::kRegistration, sealed.registration()), Verdict::ok());
    Registration other = sealed.registration();
    other.header.nonce = 77;
    other = sign_registration(world->network_id(), other, sealed.key()).value();
    EXPECT_EQ(world.judge(Kind::kRegistration, other), Verdict::ok());
    world.feed_to(world.tip() + world.params().seal_delay);
    EXPECT_EQ(world.answer_duties(sealed), 1U);
    world.feed_to(world.tip() + world.params().seal_deadline + 4);
    const ChainId voided = other.chain_id(world->network_id());
    EXPECT_EQ(must(world->chain(voided))->phase, ChainPhase::kVoid);
    EXPECT_FALSE(must(world->part(BondPurpose::kStorage, voided)));
    EXPECT_EQ(must(world->part(BondPurpose::kStorage, sealed.id()))->amount, kTestPart);
    const auto bond = must(world->bond(other.bond_id));
    EXPECT_EQ(bond->reserved, kTestPart);
    EXPECT_EQ(bond->owed, kTestPart);
    const auto decisions = must(world->decisions(0, 10));
    ASSERT_EQ(decisions.size(), 1U);
    EXPECT_EQ(decisions[0].steps.at(0),
              DecidedStep::slash(other.bond_id, other.header.prover, kTestPart));
    // The host has carried it out and lists so.
    world.list(BondEvent{BondEventKind::kSlashed, {}, other.bond_id, {}, kTestPart, 1, {}});
    world.flush();
    EXPECT_EQ(must(world->bond(other.bond_id))->owed, 0U);
    EXPECT_EQ(must(world->bond(other.bond_id))->held, kTestPart);
}

TEST(RegistryBonds, ABondOfSomebodyElseOrOfNobodyIsRefused) {
    RegistryWorld world(test::patient_network());
    world.feed_to(Height(test::kShortGenesis + 1));
    TestChain chain(world.params(), 1, Height(test::kShortGenesis));
    EXPECT_EQ(world.judge(Kind::kRegistration, chain.registration()).reason, Reason::kNoBond);
    world.list(BondEvent::created(chain.registration().bond_id, test_operator().public_key(),
                                  kTestPart, BondPurpose::kStorage));
    EXPECT_EQ(world.judge(Kind::kRegistration, chain.registration()).reason, Reason::kNoBond);
}

// --- audits --------------------------------------------------------------------------------------

TEST(RegistryOpenAudits, AnAuditIsMissedThreeTimesAndCostsThePart) {
    NetworkParams params = test::patient_network();
    params.misses_late = 0;  // everybody is audited at every height
    params.audits_per_block = 1;
    RegistryWorld world(params);
    world.feed_to(Height(test::kShortGenesis + 1));
    TestChain chain(params, 1, Height(test::kShortGenesis));
    world.add_and_seal(chain);
    const Height sealed = world.tip();
    std::vector<Height> missed;
    std::vector<Height> forfeited;
    for (int i = 0; i < 40; ++i) {
        const BlockOutcome out = world.feed();
        if (!out.closed) continue;
        for (const Effect& e : out.closed->effects) {
            if (e.value != sealed.value) continue;  // of the audit that was drawn first
            if (e.kind == EffectKind::kAuditMissed) missed.push_back(out.closed->block.height);
            if (e.kind == EffectKind::kBondForfeited) {
                forfeited.push_back(out.closed->block.height);
            }
        }
    }
    const Height q = sealed + params.seal_delay;
    EXPECT_EQ(missed, (std::vector{q + params.seal_deadline, q + 2 * params.seal_deadline,
                                   q + 3 * params.seal_deadline}));
    EXPECT_EQ(forfeited, std::vector{q + 3 * params.seal_deadline});
    EXPECT_TRUE(world.info(chain).part_taken);
    EXPECT_FALSE(must(world->part(BondPurpose::kStorage, chain.id())));
    // A chain without a part does not go on.
    EXPECT_EQ(world.status_at(chain, q + 3 * params.seal_deadline), ChainStatus::kExpired);
    EXPECT_FALSE(world.status_at(chain, q + 3 * params.seal_deadline + 1));
}

TEST(RegistryOpenAudits, ALeavingChainAnswersALastAuditBeforeItsPartIsReleased) {
    const NetworkParams params = test::patient_network();  // no audits but the last
    RegistryWorld world(params);
    world.feed_to(Height(test::kShortGenesis + 1));
    TestChain honest(params, 1, Height(test::kShortGenesis));
    TestChain deleted(params, 2, Height(test::kShortGenesis));
    world.add(honest);
    world.add(deleted);
    world.flush();
    world.feed_to(world.tip() + params.seal_delay);
    EXPECT_EQ(world.answer_duties(honest), 1U);
    EXPECT_EQ(world.answer_duties(deleted), 1U);
    world.feed();
    for (const TestChain* c : {&honest, &deleted}) {
        EXPECT_EQ(world.judge(Kind::kRemoval,
                              make_removal(params.id(), c->id(), 1, world.tip(), c->key()).value()),
                  Verdict::ok());
    }
    for (int i = 0; i < 40; ++i) {
        world.feed();
        (void)world.answer_duties(honest);
    }
    EXPECT_EQ(world.info(honest).phase, ChainPhase::kEnded);
    EXPECT_EQ(world.info(deleted).phase, ChainPhase::kEnded);
    EXPECT_FALSE(world.info(honest).part_taken);
    EXPECT_TRUE(world.info(deleted).part_taken);
    const auto decisions = must(world->decisions(0, 10));
    ASSERT_EQ(decisions.size(), 2U);
    for (const Decision& d : decisions) {
        const bool is_honest = d.steps.at(0).bond == honest.registration().bond_id;
        EXPECT_EQ(d.steps[0].kind,
                  is_honest ? DecidedStep::Kind::kRelease : DecidedStep::Kind::kSlash);
    }
}

// --- replay --------------------------------------------------------------------------------------

/// A history with everything that this fixture can do; its blocks and its journal.
struct Story {
    RegistryWorld world{test::patient_network()};
    ListedChain chain;
    test::TempFolder folder;

    void feed(ListedBlock listed = {}) {
        const Height h = world.tip() + 1;
        chain.blocks[h] = {h, test_hash(h), h.value * 60'000, listed};
        world.feed(h.value % 7 != 3, std::move(listed));
    }
    explicit Story(int blocks = 30) {
        const Height h(test::kShortGenesis);
        chain.blocks[h] = {h, test_hash(h), h.value * 60'000, {}};
        world.feed();
        std::vector<std::unique_ptr<TestChain>> chains;
        for (int i = 0; i < blocks; ++i) {
            ListedBlock listed;
            if (i % 4 == 1) {
                chains.push_back(std::make_unique<TestChain>(
                    world.params(), static_cast<std::uint64_t>(i), world.tip()));
                listed.bonds.push_back(chains.back()->bond());
                listed.objects.push_back(
                    {Kind::kRegistration,
                     wrap_object(Kind::kRegistration, chains.back()->registration().encode())});
            }
            feed(std::move(listed));
            for (auto& c : chains) {
                if (!must(world->chain(c->id()))) continue;
                (void)world.answer_duties(*c);
                for (const Height open : must(world->open_heights())) {
                    const auto known = world->known_height(open, c->id());
                    if (known && known->y) (void)world.link(*c, open);
                }
                for (const Height closed : must(world->proof_heights())) {
                    const auto stands = must(world->link(c->id(), closed));
                    if (stands) (void)world.prove_full(*c, closed);
                }
            }
        }
    }
    [[nodiscard]] std::filesystem::path file() const { return folder.path() / "journal"; }
    void write() {
        const HeadSource head = [this](Height h) -> Result<std::optional<JournalHead>> {
            Bytes body = must(world->head_of(h));
            body.resize(kHeadBytes);
            return std::optional(
                sign_head(world->network_id(), JournalHead::decode(body).value(), test_operator())
                    .value());
        };
        ASSERT_TRUE(write_journal(world.registry(), file(), head));
    }
};

TEST(RegistryReplay, WhoReadsChainAndJournalComesToTheSameBytes) {
    Story story;
    story.write();
    RegistryWorld late(story.world.params());
    const auto report =
        must(replay_journal(late.registry(), story.chain, story.file(), trusting()));
    EXPECT_EQ(report.entries, must(story.world->journal()).entries);
    EXPECT_GT(report.heads, 20U);
    EXPECT_EQ(must(late->journal()).root, must(story.world->journal()).root);
    EXPECT_EQ(must(late->export_state()), must(story.world->export_state()));
    // Again: everything is known, nothing is judged twice.
    const auto again = must(replay_journal(late.registry(), story.chain, story.file(), trusting()));
    EXPECT_EQ(again.entries, 0U);
    EXPECT_EQ(again.known, report.entries);
}

TEST(RegistryReplay, ARestartBetweenAnyTwoEntriesChangesNothing) {
    Story story(12);
    story.write();
    RegistryWorld other(story.world.params());
    Replay* replay = nullptr;
    std::optional<Replay> current;
    JournalVisitor visitor;
    visitor.entry = [&](std::uint64_t number, HistoryEntry entry) -> Status {
        other.open();
        current.emplace(other.registry(), story.chain, trusting());
        replay = &*current;
        HOLDFAST_TRY(replay->take(number, entry));
        return replay->finish();
    };
    ASSERT_TRUE(read_journal(story.file(), story.world.params(), visitor));
    EXPECT_EQ(must(other->export_state()), must(story.world->export_state()));
}

TEST(RegistryReplay, ADamagedCutOrForeignJournalIsRefusedByName) {
    Story story(12);
    story.write();
    const Bytes good = must(read_file(story.file(), 1U << 26));
    const auto replay = [&](const Bytes& bytes) {
        const auto file = story.folder.path() / "bad";
        std::filesystem::remove(file);
        EXPECT_TRUE(write_file(file, bytes));
        RegistryWorld late(story.world.params());
        return replay_journal(late.registry(), story.chain, file, trusting());
    };
    EXPECT_TRUE(replay(good));
    Bytes damaged = good;
    damaged[good.size() / 2] ^= 1;
    EXPECT_EQ(replay(damaged).error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(replay(Bytes(good.begin(), good.end() - 5)).error().code, ErrorCode::kCorrupt);
    NetworkParams other = story.world.params();
    other.name = "another";
    RegistryWorld foreign(other);
    EXPECT_EQ(replay_journal(foreign.registry(), story.chain, story.file(), trusting())
                  .error()
                  .verdict.reason,
              Reason::kWrongNetwork);
    // A fork: a registry that has taken another entry in that place.
    RegistryWorld forked(story.world.params());
    forked.feed(false);
    forked.feed(false);
    EXPECT_EQ(replay_journal(forked.registry(), story.chain, story.file(), trusting()).error().code,
              ErrorCode::kCorrupt);
    // Another chain.
    ListedChain others = story.chain;
    others.blocks[Height(test::kShortGenesis + 3)].hash = test_hash(Height(9));
    RegistryWorld late(story.world.params());
    EXPECT_EQ(
        replay_journal(late.registry(), others, story.file(), trusting()).error().verdict.reason,
        Reason::kWrongBlock);
}

}  // namespace
}  // namespace holdfast
