// Sets of chains: the bytes of single provers, faults that stay where they are, few open files.
#include "api/block_processor.hpp"

#include <atomic>

#include "support/temp_folder.hpp"
#include "unit/api/node_fixture.hpp"

namespace holdfast {
namespace {

using test::Node;
using test::succeed;
using test::value_of;
using Proofs = std::map<std::pair<ChainId, Height>, Bytes>;

/// What a run of blocks left.
struct Ran {
    std::map<Height, GlobalDigest> globals;
    Proofs proofs;
    std::uint64_t links = 0;
    std::vector<BlockFault> faults;
    std::size_t most_open_files = 0;
};

class Sets : public Node {
  protected:
    static constexpr std::uint8_t kKey = 1;

    void SetUp() override {
        Node::SetUp();
        new_blocks(4);
    }

    /// Small replicas of one key; the first commits to a reveal chain, the others do not.
    void enlist(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            const std::string name = "r" + std::to_string(i);
            // 16 chunks, of which every link opens all, and more, where the tree has to help.
            registrations_.push_back(seal_one(name, i % 2 == 0 ? 150'000 : 65'536, i == 0));
        }
    }
    Registration seal_one(const std::string& name, std::size_t bytes, bool commitment) {
        const KeyPair key = key_of(kKey);
        std::ofstream(dir_ / name, std::ios::binary)
            << name << std::string(bytes - name.size(), 'h');
        SealRequest request;
        request.network = params_;
        request.prover = key.public_key();
        request.seal = kSealDev;
        request.source = dir_ / name;
        request.replica_path = files(name).replica;
        request.tree_path = files(name).tree;
        const SealedReplica sealed = value_of(seal(request));
        const BlockInfo genesis = value_of(chain_->block_by_height(Height(0)));
        RegistrationTerms terms;
        terms.genesis_height = genesis.height;
        terms.genesis_block_hash = genesis.hash;
        terms.with_commitment = commitment;
        const auto once = [&](const char* what) {
            return IdempotencyKey(tagged_hash(what, view(std::string_view(name))));
        };
        succeed(ledger_->issue(key.public_key(), 100, once("issue")));
        terms.bond_id = value_of(
            ledger_->create_bond(key.public_key(), 100, BondPurpose::kStorage, once("bond")));
        const Registration out = value_of(make_registration(params_, sealed.header, terms, key));
        succeed(chain_->submit_registration(wrap_object(Kind::kRegistration, out.encode())));
        return out;
    }
    ChainId id_of(std::size_t i) const { return registrations_.at(i).chain_id(params_.id()); }
    std::string replica(std::size_t i) const {
        return files("r" + std::to_string(i)).replica.string();
    }

    Aggregator node(VdfClock& with, const std::string& name, Ran& ran,
                    BlockProcessorOptions processing = {}) {
        AggregatorOptions options;
        options.registry = dir_ / (name + ".registry");
        options.operator_key = &operator_;
        processing.on_proof = [&ran](MadeProof&& p) -> Status {
            ran.proofs[{p.chain_id, p.height}] = std::move(p.object);
            return {};
        };
        options.sets = processing;
        return value_of(Aggregator::open(params_, *chain_, with, nullptr, nullptr, options));
    }
    ProverSet set(const std::string& name, const ProverSetOptions& options = {},
                  bool reversed = false) {
        ProverSet out = value_of(ProverSet::open(params_, key_of(kKey), dir_ / name, options));
        for (std::size_t i = 0; i < registrations_.size(); ++i) {
            succeed(out.add(replica(reversed ? registrations_.size() - 1 - i : i)));
        }
        return out;
    }
    static void note(const BlockReport& report, Ran& ran) {
        if (report.closed) ran.globals[*report.closed] = report.global;
        ran.faults.insert(ran.faults.end(), report.faults.begin(), report.faults.end());
        for (const MadeProof& p : report.proofs) ran.proofs[{p.chain_id, p.height}] = p.object;
        ran.links += report.receipts.size();
        for (const SetReport& s : report.sets) {
            ran.links += s.links;
            ran.most_open_files = std::max(ran.most_open_files, s.most_open_files);
        }
    }
    /// Every final block with one set.
    Ran run_set(const std::string& name, const BlockProcessorOptions& processing = {},
                const ProverSetOptions& set_options = {}, bool reversed = false) {
        Ran ran;
        VdfClock with = clock(key_of(9));
        Aggregator driven = node(with, name, ran, processing);
        ProverSet members = set(name + ".links", set_options, reversed);
        ProverSet* const sets[] = {&members};
        while (const auto report = value_of(driven.advance({}, sets))) note(*report, ran);
        return ran;
    }
    Ran run_single() {
        Ran ran;
        VdfClock with = clock(key_of(9));
        Aggregator driven = node(with, "single", ran);
        std::vector<Prover> provers;
        std::vector<Prover*> pointers;
        for (std::size_t i = 0; i < registrations_.size(); ++i) {
            ProverFiles own = files("r" + std::to_string(i));
            own.records = dir_ / ("single" + std::to_string(i) + ".chain");
            provers.push_back(
                value_of(Prover::open(params_, own, registrations_[i], key_of(kKey))));
        }
        for (Prover& p : provers) pointers.push_back(&p);
        while (const auto report = value_of(driven.advance(pointers))) note(*report, ran);
        return ran;
    }

    std::vector<Registration> registrations_;
};

TEST_F(Sets, GiveTheLinksThatSingleProversGive) {
    enlist(5);
    new_blocks(24);
    const Ran single = run_single();
    const Ran together = run_set("set");
    EXPECT_TRUE(together.faults.empty()) << together.faults[0].error.message;
    EXPECT_GT(together.links, 40U);
    EXPECT_GT(together.proofs.size(), 20U);
    EXPECT_EQ(together.globals, single.globals);
    ASSERT_EQ(together.proofs.size(), single.proofs.size());
    for (const auto& [place, object] : together.proofs) {
        // Short forms: the registry knows the rest.
        ASSERT_TRUE(single.proofs.contains(place));
        EXPECT_LT(object.size(), single.proofs.at(place).size());
    }
    EXPECT_EQ(together.links, single.links);
}

TEST_F(Sets, OrderThreadsWaysOfReadingAndFewFilesChangeNothing) {
    enlist(5);
    new_blocks(20);
    const Ran plain = run_set("plain");
    ASSERT_FALSE(plain.proofs.empty());
    int number = 0;
    for (const auto way : {BatchReader::Way::kAdvised, BatchReader::Way::kMapped,
                           BatchReader::Way::kThreads, BatchReader::Way::kUring}) {
        if (!BatchReader::make(way)) continue;  // not on this system
        BlockProcessorOptions processing;
        processing.way = way;
        processing.threads = number % 2 == 0 ? 1 : 4;
        processing.depth = 4;
        processing.kept_opening_bytes = number % 2 == 0 ? 0 : 3 * 640;  // of none, or of three
        ProverSetOptions few;
        few.open_files = number % 2 == 0 ? 2 : 5;
        const Ran other =
            run_set("other" + std::to_string(number), processing, few, number % 2 == 0);
        ++number;
        EXPECT_TRUE(other.faults.empty()) << other.faults[0].error.message;
        EXPECT_EQ(other.globals, plain.globals);
        EXPECT_EQ(other.proofs, plain.proofs);
        EXPECT_LE(other.most_open_files, few.open_files);
    }
}

TEST_F(Sets, ARestartAfterEveryBlockChangesNothing) {
    enlist(2);
    new_blocks(20);
    const Ran plain = run_set("plain");
    Ran again;
    for (bool more = true; more;) {
        VdfClock with = clock(key_of(9));
        Aggregator driven = node(with, "again", again);
        ProverSet members = set("again.links");
        ProverSet* const sets[] = {&members};
        const auto report = value_of(driven.advance({}, sets));
        more = report.has_value();
        if (report) note(*report, again);
    }
    EXPECT_EQ(again.globals, plain.globals);
    EXPECT_EQ(again.proofs, plain.proofs);
}

TEST_F(Sets, DamagedTruncatedMissingAndUnreadableReplicasAreFaultsOfTheirOwn) {
    enlist(5);
    new_blocks(14);
    Ran ran;
    VdfClock with = clock(key_of(9));
    Aggregator driven = node(with, "faults", ran);
    ProverSet members = set("faults.links");
    ProverSet* const sets[] = {&members};
    while (const auto report = value_of(driven.advance({}, sets))) note(*report, ran);
    ASSERT_TRUE(ran.faults.empty()) << ran.faults[0].error.message;

    // Chain 1 is damaged in every chunk, 2 is cut, 3 is gone, 4 is a folder now; 0 stays whole.
    const Bytes whole = test::slurp(replica(1));
    Bytes damaged = whole;
    for (std::size_t at = kFileHeaderBytes; at < damaged.size(); at += kCellBytes) damaged[at] ^= 1;
    test::spill(replica(1), damaged);
    std::filesystem::resize_file(replica(2), kFileHeaderBytes + kChunkBytes);
    std::filesystem::remove(replica(3));
    std::filesystem::remove(replica(4));
    std::filesystem::create_directory(replica(4));
    for (std::size_t i = 1; i < 5; ++i) members.files().forget(replica(i));

    new_blocks(1);
    const auto hurt = value_of(driven.advance({}, sets));
    ASSERT_TRUE(hurt);
    EXPECT_EQ(hurt->sets[0].links_due, 5U);
    EXPECT_EQ(hurt->sets[0].links, 1U);
    std::map<ChainId, std::set<ErrorCode>> codes;
    for (const BlockFault& f : hurt->faults) {
        ASSERT_TRUE(f.chain_id) << f.error.message;
        codes[*f.chain_id].insert(f.error.code);
    }
    EXPECT_EQ(codes.size(), 4U);
    EXPECT_FALSE(codes.contains(id_of(0)));
    EXPECT_TRUE(codes[id_of(1)].contains(ErrorCode::kCorrupt));
    EXPECT_TRUE(codes[id_of(2)].contains(ErrorCode::kCorrupt));
    EXPECT_TRUE(codes[id_of(3)].contains(ErrorCode::kNotFound));
    EXPECT_FALSE(codes[id_of(4)].empty());

    // Repaired files are used with the next block, also for the link and the proof that could not
    // be made: their heights are still open.
    test::spill(replica(1), whole);
    new_blocks(1);
    const auto healed = value_of(driven.advance({}, sets));
    ASSERT_TRUE(healed);
    EXPECT_EQ(healed->sets[0].links, 3U);
    EXPECT_TRUE(ran.proofs.contains({id_of(1), healed->height - 7}));
    EXPECT_TRUE(ran.proofs.contains({id_of(1), healed->height - 6}));
}

TEST_F(Sets, WhatDoesNotBelongIsNotTakenIn) {
    enlist(1);
    ProverSet mine = set("mine.links");
    EXPECT_EQ(mine.add(replica(0)).error().code, ErrorCode::kInvalidArgument);  // twice
    EXPECT_EQ(mine.add(dir_ / "none.replica").error().code, ErrorCode::kNotFound);
    ProverSet other = value_of(ProverSet::open(params_, key_of(2), dir_ / "other.links"));
    EXPECT_EQ(other.add(replica(0)).error().code, ErrorCode::kInvalidArgument);  // another's key
    const auto locked = ProverSet::open(params_, key_of(kKey), dir_ / "mine.links");
    EXPECT_EQ(locked.error().code, ErrorCode::kBusy);
    ASSERT_TRUE(std::filesystem::create_directory(files("r0").records));  // no records to go by
    ProverSet third = value_of(ProverSet::open(params_, key_of(kKey), dir_ / "third.links"));
    std::vector<std::string> told;
    EXPECT_EQ(value_of(third.add_folder(
                  dir_, [&](const auto& path, const Error&) { told.push_back(path.string()); })),
              0U);
    EXPECT_EQ(told, std::vector<std::string>{replica(0)});
}

TEST_F(Sets, AWishToStopLeavesABlockThatTheNextCallFinishes) {
    enlist(3);
    new_blocks(20);
    const Ran plain = run_set("plain");
    Ran stopped;
    VdfClock with = clock(key_of(9));
    Aggregator driven = node(with, "stopped", stopped);
    ProverSet members = set("stopped.links");
    ProverSet* const sets[] = {&members};
    std::atomic<std::uint64_t> asked{0};  // by every worker
    std::uint64_t stop_at = 3;
    int stops = 0;
    for (;;) {
        VdfClockWork work;
        work.stop = [&] { return ++asked >= stop_at; };
        const auto report = driven.advance({}, sets, work);
        if (!report) {
            ASSERT_EQ(report.error().code, ErrorCode::kInterrupted) << report.error().message;
            stop_at = asked + 10 + asked / 8;  // later each time, so that it comes to an end
            ++stops;
            continue;
        }
        if (!*report) break;
        note(**report, stopped);
    }
    EXPECT_GT(stops, 5);
    EXPECT_EQ(stopped.proofs, plain.proofs);
    EXPECT_EQ(value_of(driven.registry().block(plain.globals.rbegin()->first))->global,
              plain.globals.rbegin()->second);
}

TEST(Forecast, FollowsMeasuredBlocksAndWarnsBeforeADeadlineIsMissed) {
    BlockForecaster forecaster(52);
    EXPECT_FALSE(forecaster.forecast(10));
    forecaster.note(100'000, 1, 8.1);
    const BlockForecast f = forecaster.forecast(100'000).value();
    EXPECT_NEAR(f.expected_s, 9.1, 1e-9);
    EXPECT_NEAR(static_cast<double>(f.capacity), 51 / 81e-6, 2);
    EXPECT_FALSE(f.warning);
    EXPECT_EQ(f.text(), "the next block closes in 9.1 s of 52 s; capacity " +
                            with_commas(f.capacity) + " chains");
    EXPECT_TRUE(forecaster.forecast(520'000)->warning);
    for (int i = 0; i < 30; ++i) forecaster.note(100'000, 1, 50);
    EXPECT_TRUE(forecaster.forecast(100'000)->warning);
    EXPECT_EQ(with_commas(0), "0");
    EXPECT_EQ(with_commas(999), "999");
    EXPECT_EQ(with_commas(1'234'567), "1,234,567");
    BlockForecaster hopeless(1);
    hopeless.note(10, 2, 1);
    EXPECT_EQ(hopeless.forecast(10)->capacity, 0U);
    EXPECT_TRUE(hopeless.forecast(10)->warning);
}

}  // namespace
}  // namespace holdfast
