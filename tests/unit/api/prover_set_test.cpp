// Members of a set that come and go while it lives, on several disks.
#include "api/prover_set.hpp"

#include "unit/api/node_fixture.hpp"

namespace holdfast {
namespace {

using test::succeed;
using test::value_of;

class Members : public test::Node {
  protected:
    void SetUp() override {
        Node::SetUp();
        new_blocks(4);
        for (const char* disk : {"a", "b"}) std::filesystem::create_directory(dir_ / disk);
        set_.emplace(value_of(ProverSet::open(params_, key_of(1), dir_ / "links")));
    }
    /// A replica of its own size on a disk.
    std::filesystem::path replica(const std::string& disk, const std::string& name,
                                  std::size_t bytes) {
        seal_and_register(disk + "/" + name, 1, bytes);
        return files(disk + "/" + name).replica;
    }
    std::set<std::string> names() const {
        std::set<std::string> out;
        for (const SetMember& m : set_->members()) {
            out.insert(std::filesystem::path(m.replica).filename().string());
        }
        return out;
    }
    ProverSet::Rescan rescan() {
        told_.clear();
        return set_->rescan([this](const std::filesystem::path& path, const Error& error) {
            told_[path.string()] = error.code;
        });
    }

    std::optional<ProverSet> set_;
    std::map<std::string, ErrorCode> told_;
};
using Names = std::set<std::string>;

TEST_F(Members, AFolderLookedAtAgainShowsWhatIsNewAndWhatIsGone) {
    const auto r0 = replica("a", "r0", 65'536);
    const auto r1 = replica("a", "r1", 70'000);
    EXPECT_EQ(value_of(set_->add_folder(dir_ / "a" / "", {})), 2U);
    const auto r2 = replica("a", "r2", 80'000);
    std::filesystem::remove(r0);
    const auto seen = rescan();
    EXPECT_EQ(seen.added, 1U);
    EXPECT_EQ(seen.gone, std::vector<std::string>{r0.string()});
    EXPECT_EQ(names(), (Names{"r1.replica", "r2.replica"}));
    EXPECT_TRUE(told_.empty());
    const auto again = rescan();
    EXPECT_EQ(again.added, 0U);
    EXPECT_TRUE(again.gone.empty());
    // One that is no replica is told and keeps nobody out.
    std::ofstream(dir_ / "a" / "bad.replica") << "no replica";
    const auto r3 = replica("a", "r3", 90'000);
    EXPECT_EQ(rescan().added, 1U);
    EXPECT_EQ(told_.size(), 1U);
}

TEST_F(Members, AMissingDiskKeepsItsMembersAndHarmsNoOther) {
    replica("a", "r0", 65'536);
    replica("b", "r1", 70'000);
    EXPECT_EQ(value_of(set_->add_folder(dir_ / "a", {})), 1U);
    EXPECT_EQ(value_of(set_->add_folder(dir_ / "b", {})), 1U);
    EXPECT_FALSE(set_->add_folder(dir_ / "c", {}));
    std::filesystem::rename(dir_ / "b", dir_ / "away");
    replica("a", "r2", 80'000);
    const auto seen = rescan();
    EXPECT_EQ(seen.added, 1U);
    EXPECT_EQ(seen.lost_folders, 2U);
    EXPECT_TRUE(seen.gone.empty());
    EXPECT_EQ(names(), (Names{"r0.replica", "r1.replica", "r2.replica"}));
    EXPECT_EQ(told_.count((dir_ / "b").string()), 1U);
    // It is there again, and the one that was not there at all.
    std::filesystem::rename(dir_ / "away", dir_ / "b");
    std::filesystem::create_directory(dir_ / "c");
    replica("c", "r3", 90'000);
    const auto back = rescan();
    EXPECT_EQ(back.added, 1U);
    EXPECT_EQ(back.lost_folders, 0U);
    // A disk that is mounted empty: its members are gone, and told.
    std::filesystem::rename(dir_ / "b", dir_ / "away");
    std::filesystem::create_directory(dir_ / "b");
    EXPECT_EQ(rescan().gone.size(), 1U);
    EXPECT_EQ(names(), (Names{"r0.replica", "r2.replica", "r3.replica"}));
}

TEST_F(Members, AreTakenOutOneByOneOrByTheFolder) {
    const auto r0 = replica("a", "r0", 65'536);
    const auto r1 = replica("a", "r1", 70'000);
    replica("b", "r2", 80'000);
    value_of(set_->add_folder(dir_ / "a", {}));
    value_of(set_->add_folder(dir_ / "b", {}));
    const ReplicaId first = set_->members()[0].replica_id;
    EXPECT_TRUE(set_->holds(first));
    EXPECT_EQ(value_of(set_->remove(r0)), 1U);
    EXPECT_FALSE(set_->holds(first));
    EXPECT_EQ(set_->remove(r0).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(value_of(set_->remove(dir_ / "a" / "")), 1U);
    EXPECT_EQ(names(), Names{"r2.replica"});
    EXPECT_EQ(rescan().added, 0U);  // that folder is not looked at any more
    succeed(set_->add(r1));
    EXPECT_EQ(names(), (Names{"r1.replica", "r2.replica"}));
}

TEST_F(Members, KeepTheirChainsWhenOthersGo) {
    replica("a", "r0", 65'536);
    const auto r1 = replica("a", "r1", 70'000);
    replica("a", "r2", 80'000);
    value_of(set_->add_folder(dir_ / "a", {}));
    new_blocks(8);
    VdfClock with = clock(key_of(9));
    Aggregator node = aggregator(with);
    advance_all(node, {});
    RegistryDuties duties(node.registry());
    succeed(set_->find_chains(duties, {}));
    ASSERT_EQ(set_->by_chain().size(), 3U);
    const auto gone = std::find_if(set_->members().begin(), set_->members().end(),
                                   [&](const SetMember& m) { return m.replica == r1.string(); });
    const ChainId gone_chain = *gone->chain_id;
    EXPECT_EQ(value_of(set_->remove(r1)), 1U);
    EXPECT_EQ(set_->by_chain().size(), 2U);
    EXPECT_FALSE(set_->member_of(gone_chain));
    for (const auto& [chain_id, member] : set_->by_chain()) {
        EXPECT_EQ(set_->members()[member].chain_id, chain_id);
        EXPECT_EQ(set_->member_of(chain_id), member);
    }
}

/// Everybody was silent for longer than proofs can be checked over, since no height had y.
TEST_F(Members, MakeANewBaseAfterASilenceThatNoProofBridges) {
    params_.rate_window = 12;
    set_.reset();
    TearDown();
    Node::SetUp();
    new_blocks(4);
    std::filesystem::create_directory(dir_ / "a");
    replica("a", "r0", 65'536);
    set_.emplace(value_of(ProverSet::open(params_, key_of(1), dir_ / "links")));
    value_of(set_->add_folder(dir_ / "a", {}));
    ProverSet* const sets[] = {&*set_};
    std::uint64_t updates = 0;
    std::uint64_t proofs = 0;
    const auto live = [&](VdfClock& with, std::uint64_t blocks) {
        updates = proofs = 0;
        AggregatorOptions options;
        options.registry = dir_ / "registry";
        options.operator_key = &operator_;
        Aggregator node =
            value_of(Aggregator::open(params_, *chain_, with, nullptr, nullptr, options));
        for (std::uint64_t i = 0; i < blocks; ++i) {
            new_blocks(1);
            while (const auto report = value_of(node.advance({}, sets))) {
                updates += report->sets.at(0).updates;
                proofs += report->sets[0].compact_proofs + report->sets[0].full_proofs;
            }
        }
    };
    VdfClock evaluating = clock(key_of(9));
    live(evaluating, 26);
    EXPECT_GT(proofs, 0U);
    EXPECT_EQ(updates, 0U);
    VdfClock idle = clock(std::nullopt, "idle");
    live(idle, 20);
    VdfClock again = clock(key_of(9), "again");
    live(again, 36);
    EXPECT_EQ(updates, 1U);
    EXPECT_GT(proofs, 5U);
}

TEST_F(Members, AReplicaWithRecordsOfItsOwnGoesOnInThem) {
    const Registration registration = seal_and_register("a/r0", 1, 65'536);
    const ProverFiles own = files("a/r0");
    {
        const Prover alone = value_of(Prover::open(params_, own, registration, key_of(1)));
        EXPECT_EQ(set_->add(own.replica).error().code, ErrorCode::kBusy);
        EXPECT_TRUE(set_->members().empty());
    }
    succeed(set_->add(own.replica));
    const ChainId chain = registration.chain_id(params_.id());
    const LinkPlace place{Height(9), BlockHash(tagged_hash("block")),
                          GlobalDigest(tagged_hash("anchor"))};
    const ChainLink link{chain, Link(tagged_hash("link"))};
    succeed(set_->record_alone(0, place, link));
    succeed(set_->record_alone(0, place, link));
    const Status other = set_->record_alone(0, place, {chain, Link(tagged_hash("other"))});
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().verdict.reason, Reason::kBadLink);
    EXPECT_EQ(LinkRecords::open(own.records).error().code, ErrorCode::kBusy);
    value_of(set_->remove(own.replica));
    const LinkRecords after = value_of(LinkRecords::open(own.records));
    EXPECT_EQ(after.size(), 1U);
    EXPECT_EQ(after.find(place.height, place.block_hash, place.anchor), link.link);
}

}  // namespace
}  // namespace holdfast
