// Journals that travel, and what becomes of them on the way: damaged, cut, reordered, forked,
// foreign.
#include <gtest/gtest.h>

#include "api/journal_file.hpp"
#include "api/replay.hpp"
#include "hierarchy/registry_state.hpp"
#include "proofs/evidence.hpp"
#include "storage/file.hpp"
#include "storage/record_log.hpp"
#include "support/forged_replica.hpp"
#include "support/listed_chain.hpp"
#include "support/registry_story.hpp"

namespace holdfast::test {
namespace {

namespace fs = std::filesystem;

class JournalFile : public ::testing::Test {
  protected:
    explicit JournalFile(std::uint64_t last = 122) : params(story_network()), story(params, 3) {
        options.check_y = is_test_y;
        options.check_seal = seal_passes();
        RegistryOptions keep;
        keep.state_files = 100;
        whole = open("whole", keep);
        for (Height h = params.genesis_height; h.value <= last; ++h) {
            chain.blocks[h] = story.block(h);
            (void)story.feed(*whole, h);
            story.act(*whole, h);
        }
        file = folder.path() / "whole.journal";
        must(write_journal(*whole, file, heads()));
    }
    std::unique_ptr<Registry> open(const std::string& name, RegistryOptions how = {}) {
        how.map_bytes = std::uint64_t{1} << 30;
        return must(Registry::open(folder.path() / name, params, how));
    }
    HeadSource heads() {
        return [this](Height h) -> Result<std::optional<JournalHead>> {
            return std::optional(sign_head(params.id(), head_of(h), test_operator()).value());
        };
    }
    JournalHead head_of(Height height) {
        Bytes body = must(whole->head_of(height));
        body.resize(kHeadBytes);
        return JournalHead::decode(body).value();
    }
    std::vector<Bytes> records(const fs::path& of) {
        std::vector<Bytes> out;
        (void)scan_records(must(read_file(of, std::uint64_t{1} << 30)), 1U << 21,
                           [&](ByteView body) { out.emplace_back(body.begin(), body.end()); });
        return out;
    }
    /// Chained as whoever forges a journal would chain them.
    fs::path chained(const std::vector<Bytes>& bodies) {
        Bytes bytes;
        Digest before{};
        for (const Bytes& body : bodies) {
            const Bytes record = encode_record(before, body);
            before = sha256(record);
            bytes.insert(bytes.end(), record.begin(), record.end());
        }
        return put(bytes);
    }
    fs::path put(const Bytes& bytes) {
        const fs::path out = folder.path() / "changed.journal";
        must(write_file(out, bytes, true));
        return out;
    }
    /// What the registry holds stands in the whole journal, and the whole journal goes on from it.
    void expect_prefix(Registry& late) {
        const JournalSize size = must(late.journal());
        for (std::uint64_t n = 0; n < size.entries; ++n) {
            ASSERT_EQ(must(late.entry_digest(n)), must(whole->entry_digest(n))) << n;
        }
        const auto report = replay_journal(late, chain, file, options);
        ASSERT_TRUE(report) << report.error().message;
        EXPECT_EQ(report->known, size.entries);
        expect_whole(late);
    }
    void expect_whole(Registry& late) {
        EXPECT_EQ(must(late.export_state()), must(whole->export_state()));
        EXPECT_EQ(must(late.journal()).root, must(whole->journal()).root);
    }

    TempFolder folder;
    NetworkParams params;
    RegistryStory story;
    ListedChain chain;
    ReplayOptions options;
    std::unique_ptr<Registry> whole;
    fs::path file;
};

TEST_F(JournalFile, AWholeJournalGivesTheSameBytes) {
    auto late = open("late");
    const ReplayReport report = must(replay_journal(*late, chain, file, options));
    EXPECT_EQ(report.entries, must(whole->journal()).entries);
    EXPECT_EQ(report.heads, must(whole->closed())->since(params.genesis_height) + 1);
    expect_whole(*late);
    // Again: everything is known.
    const ReplayReport again = must(replay_journal(*late, chain, file, options));
    EXPECT_EQ(again.entries, 0U);
    EXPECT_EQ(again.known, report.entries);
    EXPECT_EQ(again.heads, report.heads);
}

TEST_F(JournalFile, AFileOfTheSameNameCanBeWrittenAgainAfterItWasMovedAway) {
    fs::rename(file, folder.path() / "moved");
    const Status again = write_journal(*whole, file, heads());
    EXPECT_TRUE(again) << again.error().message;
    EXPECT_EQ(write_journal(*whole, file, heads()).error().code, ErrorCode::kAlreadyExists);
    for (const auto& at : fs::directory_iterator(folder.path())) {
        EXPECT_EQ(at.path().filename().string().find(".partial"), std::string::npos);
    }
}

TEST_F(JournalFile, EveryByteFlippedIsNoticedAndNothingBehindItIsRead) {
    Bytes bytes = must(read_file(file, std::uint64_t{1} << 30));
    // Around the first thirty records every byte, then some of each.
    const std::vector<Bytes> bodies = records(file);
    std::vector<std::uint64_t> ends;  // of records, in bytes
    for (std::uint64_t at = 0; const Bytes& body : bodies) {
        ends.push_back(at += kRecordHeaderBytes + body.size());
    }
    ASSERT_EQ(ends.back(), bytes.size());
    std::uint64_t tried = 0;
    for (std::uint64_t i = 0; i < bytes.size(); i += i < ends[12] ? 1 : 1 + bytes.size() / 300) {
        Bytes flipped = bytes;
        flipped[i] ^= static_cast<std::uint8_t>(1U << (i % 8));
        const auto record = static_cast<std::uint64_t>(
            std::upper_bound(ends.begin(), ends.end(), i) - ends.begin());
        std::uint64_t read = 0;
        JournalVisitor visitor;
        visitor.step = [&](std::uint64_t done, std::uint64_t) {
            read = done;
            return Status{};
        };
        const Status status = read_journal(put(flipped), params, visitor);
        ASSERT_FALSE(status) << i;
        EXPECT_EQ(read, record) << i;  // those before it, and none behind
        EXPECT_EQ(status.error().code, record == 0 ? ErrorCode::kRefused : ErrorCode::kCorrupt)
            << i;
        ++tried;
    }
    EXPECT_GT(tried, 300U);
}

TEST_F(JournalFile, CutAnywhereButBetweenRecordsItIsNoticed) {
    const Bytes bytes = must(read_file(file, std::uint64_t{1} << 30));
    const std::vector<Bytes> bodies = records(file);
    std::set<std::uint64_t> ends;
    for (std::uint64_t at = 0; const Bytes& body : bodies) {
        ends.insert(at += kRecordHeaderBytes + body.size());
    }
    for (std::uint64_t i = 0; i < bytes.size(); i += 1 + bytes.size() / 400) {
        const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(i));
        const Status status = read_journal(put(cut), params, {});
        EXPECT_EQ(status.has_value(), ends.contains(i)) << i;
    }
    // Between records it is a shorter journal, and what it holds is right.
    auto late = open("late");
    const std::vector<Bytes> half(bodies.begin(), bodies.begin() + bodies.size() / 2);
    ASSERT_TRUE(replay_journal(*late, chain, chained(half), options));
    expect_prefix(*late);
}

/// Bodies of records: the first is the file's own, entries begin with 2, heads with 3.
std::size_t find_record(const std::vector<Bytes>& all, std::uint8_t type, std::uint8_t form,
                        std::size_t after = 0) {
    for (std::size_t i = after; i < all.size(); ++i) {
        if (all[i][0] == type && (type == 3 || all[i][1] == form)) return i;
    }
    ADD_FAILURE() << "no such record";
    return 0;
}

TEST_F(JournalFile, JournalsThatSomebodyChainedAnewAreRefusedByName) {
    const std::vector<Bytes> honest = records(file);
    const std::size_t middle = honest.size() / 2;
    const auto block = [&](const auto& r) { return find_record(r, 2, 1, middle); };
    const auto y = [&](const auto& r) { return find_record(r, 2, 2, middle); };
    const auto object = [&](const auto& r) { return find_record(r, 2, 3, middle); };
    const auto bundle = [&](const auto& r) {
        std::size_t i = object(r);
        while (r[i][3] != static_cast<std::uint8_t>(Kind::kBundle)) i = find_record(r, 2, 3, i + 1);
        return i;
    };
    const auto head = [&](const auto& r) { return find_record(r, 3, 0, middle); };
    const auto at = [](std::size_t i) { return static_cast<std::ptrdiff_t>(i); };
    using Records = std::vector<Bytes>;
    struct Row {
        const char* what;
        ErrorCode code;
        Reason reason;
        const char* named;  // in the message
        std::function<void(Records&)> change;
    };
    const auto refused = ErrorCode::kRefused;
    const Row rows[] = {
        {"another network", refused, Reason::kWrongNetwork, "journal",
         [](Records& r) { r[0][2] ^= 1; }},
        {"another operator", refused, Reason::kNotOperator, "journal",
         [](Records& r) { r[0][34] ^= 1; }},
        {"another form", refused, Reason::kBadMagic, "journal file",
         [](Records& r) { r[0][1] = 3; }},
        {"a first record that is longer", refused, Reason::kBadMagic, "journal file",
         [](Records& r) { r[0].push_back(0); }},
        {"no first record", refused, Reason::kBadMagic, "journal file",
         [](Records& r) { r.erase(r.begin()); }},
        {"a record of no kind", refused, Reason::kBadField, "entry",
         [&](Records& r) { r[block(r)][0] = 4; }},
        {"an entry of no form", refused, Reason::kBadField, "entry",
         [&](Records& r) { r[block(r)][1] = 9; }},
        {"a block entry that is cut", refused, Reason::kTruncated, "entry",
         [&](Records& r) { r[block(r)].pop_back(); }},
        {"a y entry that goes on", refused, Reason::kTrailingBytes, "entry",
         [&](Records& r) { r[y(r)].push_back(0); }},
        {"an object of no kind", refused, Reason::kBadKind, "entry",
         [&](Records& r) { r[object(r)][3] = 250; }},
        {"a block of another chain", refused, Reason::kWrongBlock, "block",
         [&](Records& r) { r[block(r)][10] ^= 1; }},
        {"a block at another time", refused, Reason::kWrongBlock, "block",
         [&](Records& r) { r[block(r)].back() ^= 1; }},
        {"a block is missing", refused, Reason::kOk, "",
         [&](Records& r) { r.erase(r.begin() + at(block(r))); }},
        {"a block twice", refused, Reason::kWrongHeight, "comes next",
         [&](Records& r) { r.insert(r.begin() + at(block(r)), r[block(r)]); }},
        {"a y of its own making", refused, Reason::kWrongOutput, "y of height",
         [&](Records& r) { r[y(r)].back() ^= 1; }},
        {"a y twice", refused, Reason::kAlreadySettled, "second time",
         [&](Records& r) { r.insert(r.begin() + at(y(r)), r[y(r)]); }},
        {"a y is missing", refused, Reason::kOk, "",
         [&](Records& r) { r.erase(r.begin() + at(y(r))); }},
        {"a bundle twice", refused, Reason::kAlreadySettled, "changes nothing",
         [&](Records& r) { r.insert(r.begin() + at(bundle(r)), r[bundle(r)]); }},
        {"an object with another signature", refused, Reason::kOk, "entry",
         [&](Records& r) { r[object(r)].back() ^= 1; }},
        {"a head before its entry", refused, Reason::kOk, "the head of height",
         [&](Records& r) {
             const std::size_t i = head(r);
             std::swap(r[i], r[i - 1]);
         }},
        {"a head of another state", refused, Reason::kBadSignature, "the head of height",
         [&](Records& r) { r[head(r)][1 + 110] ^= 1; }},
        {"a head that is cut", refused, Reason::kTruncated, "head",
         [&](Records& r) { r[head(r)].pop_back(); }},
    };
    for (const Row& row : rows) {
        Records changed = honest;
        row.change(changed);
        const std::string name = std::string("late ") + row.what;
        auto late = open(name);
        const auto report = replay_journal(*late, chain, chained(changed), options);
        ASSERT_FALSE(report) << row.what;
        EXPECT_EQ(report.error().code, row.code) << row.what << ": " << report.error().message;
        if (row.reason != Reason::kOk) {
            EXPECT_EQ(report.error().verdict.reason, row.reason)
                << row.what << ": " << report.error().message;
        }
        EXPECT_NE(report.error().message.find(row.named), std::string::npos)
            << row.what << ": " << report.error().message;
        const std::string_view what = row.what;
        // What it took before a missing y, or entry, was noticed is another history's.
        if (what.find("missing") == std::string_view::npos) expect_prefix(*late);
    }
}

TEST_F(JournalFile, ObjectsBehindARefusedOneAreNotTaken) {
    // Neighbouring objects are judged together; the first of many is refused.
    std::vector<Bytes> bodies = records(file);
    std::size_t run = 0;
    for (std::size_t i = 1; i + 3 < bodies.size() && run == 0; ++i) {
        bool objects = true;
        for (std::size_t j = i; j < i + 4; ++j) objects &= bodies[j][0] == 2 && bodies[j][1] == 3;
        if (objects) run = i;
    }
    ASSERT_GT(run, 0U);
    std::uint64_t before = 0;  // entries
    for (std::size_t i = 1; i <= run; ++i) before += bodies[i][0] == 2 ? 1 : 0;
    bodies[run + 1].back() ^= 1;
    auto late = open("late");
    ReplayReport report;
    EXPECT_FALSE(replay_journal(*late, chain, chained(bodies), options, report));
    EXPECT_EQ(report.entries, before);
    EXPECT_EQ(must(late->journal()).entries, before);
    expect_prefix(*late);
}

TEST_F(JournalFile, TwoJournalsWithOneBeginningAreAForkAtTheFirstEntryThatDiffers) {
    // The operator tells two stories from height 112 on: another order of y and of objects.
    auto other = open("other");
    const std::uint64_t common = head_of(Height(108)).size;
    for (std::uint64_t n = 0; n < common; ++n) {
        Replay replay(*other, chain, options);
        ASSERT_TRUE(replay.take(n, decode_entry(must(whole->entries(n, 1))[0]).value()));
        ASSERT_TRUE(replay.finish());
    }
    const Height next = *must(other->tip()) + 1;
    for (Height h = next; h.value <= 118; ++h) {
        must(other->on_final_block(chain.blocks.at(h)));
        EXPECT_EQ(must(other->note_y(h, test_y(h))), Verdict::ok());
    }
    const fs::path fork = folder.path() / "fork.journal";
    must(write_journal(*other, fork, {}));
    auto late = open("late");
    ASSERT_TRUE(replay_journal(*late, chain, file, options));
    const auto report = replay_journal(*late, chain, fork, options);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(report.error().message.find("forks"), std::string::npos);
    expect_whole(*late);
    // A head of the other story, signed: two heads of one height are evidence, and refused here.
    Bytes body = must(other->head_of(Height(114)));
    body.resize(kHeadBytes);
    const JournalHead theirs =
        sign_head(params.id(), JournalHead::decode(body).value(), test_operator()).value();
    Replay replay(*late, chain, options);
    const Status compared = replay.compare(theirs);
    ASSERT_FALSE(compared);
    EXPECT_EQ(compared.error().verdict.reason, Reason::kBadPath);
}

TEST_F(JournalFile, EveryByteOfAHeadIsHeldAgainstTheRegistry) {
    const JournalHead head = sign_head(params.id(), head_of(Height(115)), test_operator()).value();
    ASSERT_FALSE(head.state.is_zero());
    const Bytes bytes = head.encode();
    Replay replay(*whole, chain, options);
    ASSERT_TRUE(replay.compare(head));
    const auto expected = [](std::size_t i) {
        if (i < 32) return Reason::kNotOperator;
        if (i < 40) return Reason::kOk;  // of another height: whatever differs first
        if (i < 72) return Reason::kWrongBlock;
        if (i < 104) return Reason::kGlobalMismatch;
        if (i < 136) return Reason::kBadSum;
        return Reason::kBadPath;
    };
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        Bytes flipped = bytes;
        flipped[i] ^= static_cast<std::uint8_t>(1U << (i % 8));
        const Checked<JournalHead> changed = JournalHead::decode(flipped);
        ASSERT_TRUE(changed);
        const Status stolen = replay.compare(*changed);
        ASSERT_FALSE(stolen) << i;
        EXPECT_EQ(stolen.error().verdict.reason,
                  i < 32 ? Reason::kNotOperator : Reason::kBadSignature)
            << i;
        if (i < 32 || i >= kHeadSignedBytes) continue;
        const Status lied =
            replay.compare(sign_head(params.id(), *changed, test_operator()).value());
        ASSERT_FALSE(lied) << i;
        EXPECT_EQ(lied.error().code, ErrorCode::kRefused) << i;
        if (expected(i) != Reason::kOk) {
            EXPECT_EQ(lied.error().verdict.reason, expected(i)) << i;
        }
    }
}

TEST_F(JournalFile, AJournalBehindAHeadGoesOnFromTheStateOfThatHead) {
    const Height height = must(whole->states()).at(1);
    const fs::path later = folder.path() / "later.journal";
    must(write_journal(*whole, later, heads(), height));
    const fs::path saved = folder.path() / "saved";
    must(whole->save_state(height, saved, std::nullopt));
    // The file's first head is that of the state.
    std::optional<JournalHead> first;
    JournalVisitor visitor;
    visitor.head = [&](const JournalHead& head) {
        if (!first) first = head;
        return Status{};
    };
    must(read_journal(later, params, visitor));
    ASSERT_TRUE(first);
    EXPECT_EQ(first->height, height);
    StateImport how;
    how.head = first;
    must(import_state(saved, folder.path() / "late", params, how));
    auto late = open("late");
    const ReplayReport report = must(replay_journal(*late, chain, later, options));
    EXPECT_EQ(report.entries, must(whole->journal()).entries - first->size);
    EXPECT_GT(report.heads, 1U);
    expect_whole(*late);
    // The whole journal does as well; what lies before the state is passed.
    must(import_state(saved, folder.path() / "later", params, how));
    auto later_too = open("later");
    EXPECT_EQ(must(replay_journal(*later_too, chain, file, options)).passed, first->size);
    expect_whole(*later_too);
    // Without the state its first entry is not the next one.
    auto empty = open("empty");
    const auto gap = replay_journal(*empty, chain, later, options);
    ASSERT_FALSE(gap);
    EXPECT_EQ(gap.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(must(empty->journal()).entries, 0U);
}

// --- fills ---------------------------------------------------------------------------------------

/// A registry whose operator took every seal proof without a fill, of four provers of which one has
/// sealed nothing.
class SampledFills : public ::testing::Test {
  protected:
    SampledFills() : params(patient_network()) {
        options.check_y = is_test_y;
        registry = open("operator");
        for (std::uint64_t i = 0; i < 4; ++i) {
            const auto wrongly = [](const ReplicaId& id, const Window& window, MutByteView all) {
                seal_window(id, window, all);
                for (std::uint8_t& b : all) b ^= 1;
            };
            const auto sealer =
                i == 2 ? ForgedReplica::Sealer(wrongly) : ForgedReplica::Sealer(seal_window);
            provers.push_back(std::make_unique<ForgedReplica>(
                params, raw_chunks_of(16, "fills"), "prover " + std::to_string(i), sealer, i,
                Height(100), test_hash(Height(100))));
        }
        for (Height h = params.genesis_height; h.value <= 112; ++h) {
            FinalBlock b{h, test_hash(h), h.value * 60'000, {}};
            if (h.value == 101) {
                for (const auto& p : provers) {
                    const Registration& r = p->registration;
                    b.listed.bonds.push_back(BondEvent::created(r.bond_id, r.header.prover,
                                                                kTestPart, BondPurpose::kStorage));
                    b.listed.objects.push_back(
                        {Kind::kRegistration, wrap_object(Kind::kRegistration, r.encode())});
                }
            }
            chain.blocks[h] = b;
            for (const ObjectOutcome& o : must(registry->on_final_block(b)).objects) {
                EXPECT_EQ(o.verdict, Verdict::ok());
            }
            EXPECT_EQ(must(registry->note_y(h, test_y(h))), Verdict::ok());
            for (const auto& p : provers) prove(*p);
        }
        EXPECT_EQ(must(registry->statistics()).sealed, 4U);
        file = folder.path() / "journal";
        must(write_journal(*registry, file));
    }
    std::unique_ptr<Registry> open(const std::string& name) {
        RegistryOptions how;
        how.map_bytes = std::uint64_t{1} << 30;
        return must(Registry::open(folder.path() / name, params, how));
    }
    void prove(const ForgedReplica& prover) {
        for (const SealDuty& duty : must(registry->seal_duties(prover.chain_id))) {
            if (!duty.y) continue;
            const Bytes proof = wrap_object(
                Kind::kSealProof, prover.seal_proof(*duty.y_height, *duty.y, duty.kind).encode());
            const ObjectOutcome out = must(registry->accept(ByteView(proof), seal_passes()));
            EXPECT_EQ(out.verdict, Verdict::ok());
            if (&prover == provers[2].get()) false_seals.push_back(out.entry.value());
            seals.push_back(out.entry.value());
        }
    }
    TempFolder folder;
    NetworkParams params;
    ListedChain chain;
    ReplayOptions options;
    std::unique_ptr<Registry> registry;
    std::vector<std::unique_ptr<ForgedReplica>> provers;
    std::vector<std::uint64_t> seals;
    std::vector<std::uint64_t> false_seals;
    fs::path file;
};

TEST_F(SampledFills, AReplicaThatMakesAllFindsTheFalseOneAndHoldsTheEvidence) {
    auto late = open("late");
    ReplayReport report;
    const Status done = replay_journal(*late, chain, file, options, report);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().verdict.reason, Reason::kBadSealing);
    EXPECT_NE(done.error().message.find("entry " + std::to_string(false_seals[0])),
              std::string::npos);
    EXPECT_EQ(must(late->journal()).entries, false_seals[0]);
    ASSERT_TRUE(report.evidence);
    const auto evidence =
        Evidence::decode(unwrap_object(Kind::kEvidence, *report.evidence).value());
    ASSERT_TRUE(evidence);
    EXPECT_EQ(evidence->kind(), EvidenceKind::kBadSeal);
    EvidenceKnowledge knowledge;
    knowledge.params = params;
    knowledge.network_id = params.id();
    knowledge.chain = [&](const ChainId& id, Height h) -> Result<std::optional<KnownChain>> {
        HOLDFAST_ASSIGN(known, registry->known_chain(id, h));
        return std::optional(known);
    };
    const Judgement judgement = must(judge_evidence(knowledge, *evidence));
    EXPECT_EQ(judgement.verdict, Verdict::ok());
    EXPECT_EQ(judgement.offence.offender, Digest(provers[2]->chain_id));
}

TEST_F(SampledFills, ASampledShareIsDrawnFromTheSeedAndSaysWhatItLookedAt) {
    std::size_t found = 0;
    std::size_t fills = 0;
    constexpr std::size_t kSeeds = 24;
    for (std::uint64_t n = 0; n < kSeeds; ++n) {
        options.fills = FillSample{0.25, tagged_hash("test/seed", n)};
        auto late = open("late " + std::to_string(n));
        ReplayReport report;
        const Status done = replay_journal(*late, chain, file, options, report);
        const auto first = std::find_if(false_seals.begin(), false_seals.end(),
                                        [&](auto entry) { return options.fills->draws(entry); });
        const bool drawn = first != false_seals.end();
        EXPECT_EQ(done.has_value(), !drawn) << n;
        EXPECT_EQ(report.evidence.has_value(), drawn) << n;
        found += drawn ? 1 : 0;
        std::vector<std::uint64_t> expected;
        for (const std::uint64_t entry : seals) {
            if (options.fills->draws(entry) && (!drawn || entry <= *first)) {
                expected.push_back(entry);
            }
        }
        EXPECT_EQ(report.filled, expected) << n;
        fills += expected.size();
        if (!done) continue;
        EXPECT_EQ(report.seal_proofs, seals.size());
        EXPECT_EQ(must(late->export_state()), must(registry->export_state()));
        // The same seed draws the same.
        auto again = open("again " + std::to_string(n));
        EXPECT_EQ(must(replay_journal(*again, chain, file, options)).filled, expected);
    }
    EXPECT_GT(found, 0U);
    EXPECT_LT(found, kSeeds);
    EXPECT_GT(fills, 0U);
    const FillSample all{1, Digest{}};
    const FillSample none{0, Digest{}};
    for (std::uint64_t entry = 0; entry < 1'000; ++entry) {
        EXPECT_TRUE(all.draws(entry));
        EXPECT_FALSE(none.draws(entry));
    }
}

/// Whatever is not drawn is checked as far as it goes without a fill.
TEST_F(SampledFills, WithoutAFillSignatureAndPathsAreStillChecked) {
    std::vector<Bytes> bodies;
    (void)scan_records(must(read_file(file, std::uint64_t{1} << 30)), 1U << 21,
                       [&](ByteView body) { bodies.emplace_back(body.begin(), body.end()); });
    bodies[1 + seals[0]][120] ^= 1;  // no heads in this file: entry n is record n + 1
    Bytes bytes;
    Digest before{};
    for (const Bytes& body : bodies) {
        const Bytes record = encode_record(before, body);
        before = sha256(record);
        bytes.insert(bytes.end(), record.begin(), record.end());
    }
    must(write_file(folder.path() / "changed", bytes));
    options.fills = FillSample{0, Digest{}};
    auto late = open("late");
    const auto report = replay_journal(*late, chain, folder.path() / "changed", options);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::kRefused);
    EXPECT_EQ(must(late->journal()).entries, seals[0]);
}

}  // namespace
}  // namespace holdfast::test
