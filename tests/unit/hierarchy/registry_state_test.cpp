// Journals that forget bytes, states in files, and registries that begin with one.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "hierarchy/registry_state.hpp"
#include "proofs/journal.hpp"
#include "storage/file.hpp"
#include "support/registry_story.hpp"
#include "support/temp_folder.hpp"

namespace holdfast::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLast = 160;

/// One history, told to registries with different options.
class RegistryState : public ::testing::Test {
  protected:
    RegistryState() : params(story_network()), story(params, 1) {
        RegistryOptions options;
        options.state_files = 1'000;
        whole = open("whole", options);
        for (Height h = params.genesis_height; h.value <= kLast; ++h) {
            (void)story.feed(*whole, h);
            story.act(*whole, h);
        }
    }
    std::unique_ptr<Registry> open(const std::string& name, RegistryOptions options = {}) {
        options.map_bytes = std::uint64_t{1} << 30;
        return must(Registry::open(folder.path() / name, params, options));
    }
    /// Entries of the whole journal from where `late` stands, up to number `end`.
    void replay(Registry& late, std::uint64_t end = UINT64_MAX) {
        std::uint64_t at = must(late.journal()).entries;
        end = std::min(end, must(whole->journal()).entries);
        for (; at < end; ++at) {
            const auto entry = decode_entry(must(whole->entries(at, 1)).at(0));
            ASSERT_TRUE(entry);
            if (const auto* b = std::get_if<BlockEntry>(&*entry)) {
                must(late.on_final_block(story.block(b->height)));
            } else if (const auto* y = std::get_if<OutputEntry>(&*entry)) {
                ASSERT_EQ(must(late.note_y(y->height, y->y)), Verdict::ok());
            } else {
                const ByteView object(std::get<ObjectEntry>(*entry).object);
                const auto out = must(late.accept_all(std::span(&object, 1), seal_passes()));
                ASSERT_EQ(out[0].verdict, Verdict::ok());
                ASSERT_EQ(out[0].entry, at);
            }
        }
    }
    JournalHead head_of(const Registry& registry, Height height) {
        Bytes body = must(registry.head_of(height));
        body.resize(kHeadBytes);
        return JournalHead::decode(body).value();
    }
    Signature signature(const JournalHead& head) {
        return sign_head(params.id(), head, test_operator()).value().signature;
    }
    fs::path save(Height height) {
        const fs::path file = folder.path() / (std::to_string(height.value) + ".saved");
        must(whole->save_state(height, file, signature(head_of(*whole, height))));
        return file;
    }
    /// The index of a key's chains is no part of the state: it is made again at the import.
    void expect_same_owners(Registry& late) {
        std::map<PublicKey, std::set<ChainId>> owners;
        must(whole->for_each_chain([&](const ChainInfo& info) {
            owners[info.registration.header.prover].insert(info.chain_id);
            return true;
        }));
        ASSERT_FALSE(owners.empty());
        for (const auto& [prover, chains] : owners) {
            const OwnedRange all{prover, {}, 1'000};
            const auto theirs = must(whole->chains_of(all));
            const auto ours = must(late.chains_of(all));
            ASSERT_EQ(ours.found.size(), theirs.found.size());
            for (std::size_t i = 0; i < ours.found.size(); ++i) {
                const ChainId id = ours.found[i].chain_id;
                EXPECT_TRUE(chains.contains(id));
                EXPECT_EQ(id, theirs.found[i].chain_id);
                EXPECT_EQ(ours.found[i].phase, theirs.found[i].phase);
            }
            const OwnedRange page{prover, {}, 1};
            EXPECT_EQ(must(late.chains_of(page)).more, must(whole->chains_of(page)).more);
            EXPECT_EQ(must(late.seal_duties_of(all)).found.size(),
                      must(whole->seal_duties_of(all)).found.size());
        }
    }
    void expect_equal(Registry& late) {
        expect_same_owners(late);
        EXPECT_EQ(must(late.export_state()), must(whole->export_state()));
        EXPECT_EQ(must(late.journal()).root, must(whole->journal()).root);
        for (Height h = late_from(late); h <= must(whole->closed()).value(); ++h) {
            EXPECT_EQ(must(late.head_of(h)), must(whole->head_of(h))) << h.value;
        }
    }
    Height late_from(Registry& late) {
        Height h = must(whole->closed()).value();
        while (h > params.genesis_height && late.head_of(h - 1)) h = h - 1;
        return h;
    }

    TempFolder folder;
    NetworkParams params;
    RegistryStory story;
    std::unique_ptr<Registry> whole;
};

// --- bytes that are forgotten --------------------------------------------------------------------

TEST_F(RegistryState, AJournalThatForgetsBytesKeepsEveryHashAndEveryDigest) {
    RegistryOptions least;
    least.journal_heights = 0;
    auto late = open("least", least);
    replay(*late);
    expect_equal(*late);
    const JournalSize size = must(late->journal());
    EXPECT_GT(size.first_kept, 0U);
    EXPECT_EQ(size.origin, 0U);
    // All kept: 24 heights back at least (here rate_window 12, liability 10, checkpoints of 5).
    std::uint64_t kept = 0;
    std::uint64_t gone = 0;
    JournalHead head = head_of(*late, must(late->closed()).value());
    head.size = size.entries;
    head.root = Root(size.root);
    for (std::uint64_t n = 0; n < size.entries; ++n) {
        const Bytes entry = must(whole->entries(n, 1)).at(0);
        EXPECT_EQ(must(late->entry_digest(n)), entry_hash(entry));
        EXPECT_EQ(check_entry(head, n, entry, must(late->inclusion(n, size.entries))),
                  Verdict::ok());
        const auto bytes = late->entries(n, 1);
        if (bytes) {
            EXPECT_EQ(bytes->at(0), entry);
            ++kept;
            continue;
        }
        ++gone;
        EXPECT_LT(n, size.first_kept);
        EXPECT_EQ(bytes.error().code, ErrorCode::kNotFound);
        EXPECT_NE(bytes.error().message.find("registry import"), std::string::npos);
    }
    EXPECT_GT(gone, size.entries / 2);
    EXPECT_GT(kept, 0U);
    for (std::uint64_t older = 0; older <= size.entries; older += 7) {
        EXPECT_EQ(must(late->consistency(older, size.entries)),
                  must(whole->consistency(older, size.entries)));
    }
    EXPECT_FALSE(late->entries(0, 10));
    EXPECT_EQ(must(late->entries(size.first_kept, SIZE_MAX)).size(),
              size.entries - size.first_kept);
}

TEST_F(RegistryState, ProofsOfLinksGoBeforeTheRestAndNothingGoesTooEarly) {
    params.liability_blocks = 20;  // the rest stays for 40 heights
    params.name = "long liability";
    RegistryOptions least;
    least.journal_heights = 0;
    auto late = open("least", least);
    RegistryStory other(params, 2);
    for (Height h = params.genesis_height; h.value <= kLast; ++h) {
        (void)other.feed(*late, h);
        other.act(*late, h);
    }
    const std::uint64_t all = 2 * params.liability_blocks;
    const std::uint64_t proofs = std::max<std::uint64_t>(
        params.rate_window, 2 * params.checkpoint_blocks + params.closing_blocks());
    const JournalSize size = must(late->journal());
    Height at(0);
    std::uint64_t between = 0;
    for (std::uint64_t n = 0; n < size.entries; ++n) {
        const auto bytes = late->entries(n, 1);
        if (!bytes) {
            // A height is known only once one of its entries is: the lowest that is kept is 40
            // back.
            EXPECT_TRUE(at == Height(0) || at + proofs < Height(kLast)) << n;
            between += at == Height(0) ? 0 : 1;
            continue;
        }
        const auto entry = decode_entry(bytes->at(0));
        if (const auto* b = std::get_if<BlockEntry>(&*entry)) {
            if (at == Height(0)) {
                EXPECT_EQ(b->height, Height(kLast) - all);
            }
            at = b->height;
        }
    }
    EXPECT_GT(between, 0U);
}

TEST_F(RegistryState, ARegistryThatKeptEverythingCatchesUpAFewHeightsABlock) {
    {
        auto all = open("catching up");
        replay(*all, must(whole->journal()).entries / 2);
    }
    RegistryOptions least;
    least.journal_heights = 0;
    auto late = open("catching up", least);
    const std::uint64_t before = must(late->journal()).first_kept;
    EXPECT_EQ(before, 0U);
    std::uint64_t last = before;
    replay(*late, must(late->journal()).entries + 80);
    EXPECT_GT(must(late->journal()).first_kept, last);
    replay(*late);
    expect_equal(*late);
}

// --- states --------------------------------------------------------------------------------------

TEST_F(RegistryState, WhoBeginsWithAStateComesToTheSameBytesAsWhoBeganAtZero) {
    const std::vector<Height> states = must(whole->states());
    ASSERT_GE(states.size(), 10U);
    for (std::size_t i = 0; i < states.size(); i += 3) {
        const Height height = states[i];
        const fs::path file = save(height);
        const fs::path to = folder.path() / ("late " + std::to_string(height.value));
        const RegistryStatistics taken = must(import_state(file, to, params));
        EXPECT_EQ(taken.closed, height);
        auto late = open(to.filename().string());
        const JournalHead head = head_of(*whole, height);
        EXPECT_EQ(must(late->export_state()), head.state);
        EXPECT_EQ(must(late->journal()).entries, head.size);
        EXPECT_EQ(must(late->states()), std::vector<Height>{height});
        EXPECT_EQ(must(late->journal()).root, Digest(head.root));
        replay(*late);
        expect_equal(*late);
        EXPECT_EQ(must(late->slots()).slots, must(whole->slots()).slots);
    }
}

TEST_F(RegistryState, WhatLiesBeforeTheStateIsSaidToBeMissing) {
    const Height height = must(whole->states()).at(8);
    must(import_state(save(height), folder.path() / "late", params));
    auto late = open("late");
    replay(*late);
    const std::uint64_t origin = head_of(*whole, height).size;
    const JournalSize size = must(late->journal());
    EXPECT_EQ(size.origin, origin);
    EXPECT_EQ(size.first_kept, origin);
    EXPECT_EQ(late->entries(origin - 1, 1).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(late->head_of(height - 1).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(late->decisions(0, 1).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(late->tree(height - 1 - params.link_lag).error().code, ErrorCode::kNotFound);
    EXPECT_TRUE(late->tree(height - params.link_lag));
    // Paths and consistency of what came since.
    JournalHead head = head_of(*whole, must(whole->closed()).value());
    for (std::uint64_t n = origin; n < head.size; ++n) {
        EXPECT_EQ(check_entry(head, n, must(late->entries(n, 1)).at(0),
                              must(late->inclusion(n, head.size))),
                  Verdict::ok());
    }
    for (std::uint64_t n = origin; n < head.size; n += 5) {
        EXPECT_EQ(must(late->consistency(n, head.size)), must(whole->consistency(n, head.size)));
    }
    for (std::uint64_t n = 0; n + 1 < origin; n += 9) {
        const auto path = late->inclusion(n, head.size);
        if (!path) {
            EXPECT_EQ(path.error().code, ErrorCode::kNotFound);
        }
    }
}

TEST_F(RegistryState, AStateCanBeHandedOnByWhoBeganWithOne) {
    const std::vector<Height> states = must(whole->states());
    must(import_state(save(states.at(4)), folder.path() / "second", params));
    auto second = open("second");
    replay(*second);
    const Height newest = must(second->states()).back();
    const fs::path file = folder.path() / "second.saved";
    must(second->save_state(newest, file, signature(head_of(*second, newest))));
    must(import_state(file, folder.path() / "third", params));
    auto third = open("third");
    replay(*third);
    expect_equal(*third);
}

TEST_F(RegistryState, OnlyTheNewestStatesStay) {
    RegistryOptions few;
    few.state_files = 2;
    auto late = open("few", few);
    replay(*late);
    const std::vector<Height> states = must(late->states());
    const std::vector<Height> all = must(whole->states());
    EXPECT_EQ(states, (std::vector<Height>(all.end() - 2, all.end())));
    EXPECT_EQ(late->save_state(all.front(), folder.path() / "x", std::nullopt).error().code,
              ErrorCode::kNotFound);
    RegistryOptions none;
    none.state_files = 0;
    auto without = open("none", none);
    replay(*without);
    EXPECT_TRUE(must(without->states()).empty());
    expect_equal(*without);
}

TEST_F(RegistryState, AStateThatCannotBecomeAFileClosesTheHeightAllTheSame) {
    auto late = open("blocked");
    std::ofstream(folder.path() / "blocked" / "states") << "not a folder";
    std::size_t faults = 0;
    for (Height h = params.genesis_height; h.value < 112; ++h) {
        const BlockOutcome out = must(late->on_final_block(story.block(h)));
        if (out.closed && out.closed->state_file_fault) ++faults;
    }
    EXPECT_EQ(faults, 2U);  // heights 100 and 105
    EXPECT_EQ(must(late->closed()), Height(109));
}

// --- states that are refused ---------------------------------------------------------------------

/// What a state file consists of, to be put together again otherwise.
struct Parts {
    StateFileHead file;
    std::vector<Bytes> records;
    Bytes prefix;

    static Parts of(const fs::path& path) {
        Parts out;
        out.file = must(read_state_head(path));
        const Bytes bytes = must(read_file(path, std::uint64_t{1} << 30));
        Reader r(ByteView(bytes).subspan(out.file.export_at));
        const ByteView prefix = r.raw(33);
        out.prefix.assign(prefix.begin(), prefix.end());
        while (r.remaining() > 0) {
            Writer w;
            w.u8(r.u8());
            for (int part = 0; part < 2; ++part) {
                const std::uint32_t n = r.u32();
                w.u32(n).raw(r.raw(n));
            }
            out.records.push_back(w.take());
        }
        return out;
    }
    [[nodiscard]] Bytes exported() const {
        Bytes out = prefix;
        for (const Bytes& record : records) out.insert(out.end(), record.begin(), record.end());
        return out;
    }
    /// With a head that the operator has signed over whatever this is.
    [[nodiscard]] Bytes signed_again(const NetworkId& network_id) const {
        JournalHead head = file.head;
        head.state = sha256(exported());
        head = sign_head(network_id, head, test_operator()).value();
        Writer w;
        w.u8(1).fixed(file.network_id);
        head.encode(w);
        w.digests(file.parts).raw(exported());
        return w.take();
    }
    std::size_t first_of(std::uint8_t table) const {
        for (std::size_t i = 0; i < records.size(); ++i) {
            if (records[i][0] == table) return i;
        }
        ADD_FAILURE() << "no record of table " << int{table};
        return 0;
    }
};

class RefusedState : public RegistryState {
  protected:
    RefusedState() : height(must(whole->states()).at(7)), good(save(height)) {}
    Result<RegistryStatistics> import(const Bytes& bytes, const StateImport& how = {}) {
        const fs::path file = folder.path() / "damaged";
        fs::remove(file);
        must(write_file(file, bytes));
        auto taken = import_state(file, folder.path() / "taken", params, how);
        // Nothing half-taken, and nothing left lying about.
        if (!taken) {
            for (const auto& at : fs::directory_iterator(folder.path())) {
                const std::string name = at.path().filename().string();
                EXPECT_NE(name, "taken");
                EXPECT_EQ(name.find(".partial"), std::string::npos) << name;
            }
        }
        fs::remove_all(folder.path() / "taken");
        return taken;
    }
    Reason refusal(const Bytes& bytes, const StateImport& how = {}) {
        const auto taken = import(bytes, how);
        EXPECT_FALSE(taken);
        if (taken) return Reason::kOk;
        EXPECT_EQ(taken.error().code, ErrorCode::kRefused) << taken.error().message;
        return taken.error().verdict.reason;
    }
    Bytes bytes() { return must(read_file(good, std::uint64_t{1} << 30)); }
    Height height;
    fs::path good;
};

TEST_F(RefusedState, EveryBitOfWhatStandsBeforeTheExport) {
    const Bytes whole_file = bytes();
    const std::uint64_t end = must(read_state_head(good)).export_at;
    for (std::uint64_t i = 0; i < end; ++i) {
        Bytes flipped = whole_file;
        flipped[i] ^= static_cast<std::uint8_t>(1U << (i % 8));
        EXPECT_NE(refusal(flipped), Reason::kOk) << i;
    }
}

TEST_F(RefusedState, BytesOfTheExportAndEveryWayToCutIt) {
    const Bytes whole_file = bytes();
    const std::uint64_t begin = must(read_state_head(good)).export_at;
    const std::uint64_t step = std::max<std::uint64_t>(1, (whole_file.size() - begin) / 150);
    for (std::uint64_t i = begin; i < whole_file.size(); i += step) {
        Bytes flipped = whole_file;
        flipped[i] ^= 0x10;
        EXPECT_NE(refusal(flipped), Reason::kOk) << i;
        const Bytes cut(whole_file.begin(), whole_file.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_NE(refusal(cut), Reason::kOk) << i;
    }
    Bytes longer = whole_file;
    longer.push_back(0);
    EXPECT_EQ(refusal(longer), Reason::kTruncated);
    EXPECT_EQ(refusal({}), Reason::kTruncated);
}

/// What an operator could have signed, and what no honest one signs: the form decides, by name.
TEST_F(RefusedState, RecordsThatNoRegistryWritesThoughTheOperatorSignedThem) {
    const Parts original = Parts::of(good);
    ASSERT_TRUE(import(original.signed_again(params.id())));
    struct Row {
        const char* what;
        Reason reason;
        std::function<void(Parts&)> change;
    };
    const auto value_at = [](Bytes& record, std::size_t offset) -> std::uint8_t& {
        const std::uint32_t key = load_le32(&record[1]);
        return record.at(1 + 4 + key + 4 + offset);
    };
    const Row rows[] = {
        {"another network", Reason::kWrongNetwork, [](Parts& p) { p.prefix[5] ^= 1; }},
        {"another form", Reason::kBadVersion, [](Parts& p) { p.prefix[0] = 2; }},
        {"two records exchanged", Reason::kEvidenceOrder,
         [](Parts& p) {
             const std::size_t i = p.first_of(2);
             std::swap(p.records[i], p.records[i + 1]);
         }},
        {"a record twice", Reason::kEvidenceOrder,
         [](Parts& p) {
             const std::size_t i = p.first_of(3);
             p.records.insert(p.records.begin() + static_cast<std::ptrdiff_t>(i), p.records[i]);
         }},
        {"a table that there is not", Reason::kBadField,
         [](Parts& p) { p.records[p.first_of(28)][0] = 27; }},
        {"the machine is missing", Reason::kBadIndex,
         [](Parts& p) { p.records.erase(p.records.begin()); }},
        {"a block is missing", Reason::kWrongBlock,
         [](Parts& p) {
             p.records.erase(p.records.begin() + static_cast<std::ptrdiff_t>(p.first_of(2)));
         }},
        {"a block under another height", Reason::kBadField,
         [&](Parts& p) { value_at(p.records[p.first_of(2)], 0) ^= 1; }},
        {"a flag of 2", Reason::kBadField,
         [&](Parts& p) { value_at(p.records[p.first_of(2)], 48) = 2; }},
        {"a chain that is not its registration's", Reason::kBadField,
         [&](Parts& p) { value_at(p.records[p.first_of(3)], 40) ^= 1; }},
        {"a replica of 33 bytes", Reason::kBadField,
         [](Parts& p) {
             Bytes& r = p.records[p.first_of(4)];
             r.push_back(0);
             ++r[1 + 4 + 32];
         }},
        {"a phase of 9", Reason::kBadField,
         [&](Parts& p) { value_at(p.records[p.first_of(5)], 0) = 9; }},
        {"an item of the agenda that there is not", Reason::kBadField,
         [](Parts& p) { p.records[p.first_of(6)][1 + 4 + 8] = 8; }},
        {"a key that is too long", Reason::kBadField,
         [](Parts& p) {
             Bytes& r = p.records[p.first_of(12)];
             r.insert(r.begin() + 5, 0);
             ++r[1];
         }},
        {"a key of 65 bytes", Reason::kTooLarge,
         [](Parts& p) { p.records[p.first_of(12)][1] = 65; }},
        {"a value of 4 GiB", Reason::kTooLarge,
         [](Parts& p) {
             Bytes& r = p.records[p.first_of(12)];
             std::fill_n(r.begin() + 1 + 4 + 32, 4, std::uint8_t{0xff});
         }},
        {"a leaf that is not under the digest", Reason::kGlobalMismatch,
         [&](Parts& p) { value_at(p.records[p.first_of(28)], 33) ^= 1; }},
        {"a leaf is missing", Reason::kGlobalMismatch, [](Parts& p) { p.records.pop_back(); }},
        {"a leaf of a slot that nobody ever took", Reason::kBadIndex,
         [](Parts& p) { p.records.back()[1 + 4 + 8] = 1; }},
        {"a tip that is not the head's", Reason::kWrongHeight,
         [&](Parts& p) { value_at(p.records[0], 0) ^= 1; }},
    };
    for (const Row& row : rows) {
        Parts changed = original;
        row.change(changed);
        EXPECT_EQ(refusal(changed.signed_again(params.id())), row.reason) << row.what;
        if (row.reason == Reason::kWrongNetwork) continue;
        // Nobody signed it: whatever else is wrong with it.
        Parts unsigned_state = original;
        row.change(unsigned_state);
        Writer w;
        w.u8(1).fixed(original.file.network_id);
        original.file.head.encode(w);
        w.digests(original.file.parts).raw(unsigned_state.exported());
        EXPECT_NE(refusal(w.bytes()), Reason::kOk) << row.what;
    }
}

TEST_F(RefusedState, HeadsThatAreNotTheOperatorsOrNotOfThisState) {
    const Parts original = Parts::of(good);
    const auto with = [&](const JournalHead& head) {
        Writer w;
        w.u8(1).fixed(original.file.network_id);
        head.encode(w);
        w.digests(original.file.parts).raw(original.exported());
        return w.take();
    };
    JournalHead head = original.file.head;
    head.signature = Signature{};
    EXPECT_EQ(refusal(with(head)), Reason::kBadSignature);
    EXPECT_EQ(refusal(with(sign_head(params.id(), original.file.head,
                                     KeyPair::from_secret(view(tagged_hash("stranger"))))
                               .value())),
              Reason::kNotOperator);
    head = original.file.head;
    head.state = Digest{};
    EXPECT_EQ(refusal(with(sign_head(params.id(), head, test_operator()).value())),
              Reason::kNotCheckpointHeight);
    head = original.file.head;
    head.height = head.height + 5;
    EXPECT_EQ(refusal(with(sign_head(params.id(), head, test_operator()).value())),
              Reason::kBadIndex);  // its leaves are of other heights
    head = original.file.head;
    head.block_hash = test_hash(Height(1));
    EXPECT_EQ(refusal(with(sign_head(params.id(), head, test_operator()).value())),
              Reason::kWrongBlock);
    // Another head of the operator than the one that was asked for.
    StateImport other;
    other.head = sign_head(params.id(), head_of(*whole, height + 5), test_operator()).value();
    EXPECT_EQ(refusal(bytes(), other), Reason::kWrongBlock);
    // The signature may come from elsewhere.
    StateImport own;
    own.head = original.file.head;
    JournalHead bare = original.file.head;
    bare.signature = Signature{};
    EXPECT_TRUE(import(with(bare), own));
    NetworkParams foreign = params;
    foreign.name = "foreign";
    const auto taken = import_state(good, folder.path() / "foreign", foreign);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().verdict.reason, Reason::kWrongNetwork);
    const auto twice = import_state(good, folder.path() / "whole", params);
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().code, ErrorCode::kAlreadyExists);
}

TEST_F(RefusedState, AnImportThatIsStoppedLeavesNothing) {
    StateImport how;
    how.stop = [] { return true; };
    const auto stopped = import(bytes(), how);
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
    fs::path unwritable = folder.path() / "missing" / "taken";
    EXPECT_FALSE(import_state(good, unwritable, params));
}

TEST_F(RefusedState, ADamagedFileInTheFolderIsNotHandedOn) {
    const fs::path kept =
        folder.path() / "whole" / "states" / (std::to_string(height.value) + ".state");
    Bytes damaged = must(read_file(kept, std::uint64_t{1} << 30));
    damaged.back() ^= 1;
    must(write_file(kept, damaged, true));
    const auto saved = whole->save_state(height, folder.path() / "out", std::nullopt);
    ASSERT_FALSE(saved);
    EXPECT_EQ(saved.error().code, ErrorCode::kCorrupt);
    EXPECT_FALSE(fs::exists(folder.path() / "out"));
}

}  // namespace
}  // namespace holdfast::test
