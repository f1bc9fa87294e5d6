// Replicas: the same digests at every height, however they were stopped and however late they come,
// and what they do where the followed node tells something else.
#include <gtest/gtest.h>

#include "proofs/evidence.hpp"
#include "support/replica_world.hpp"

namespace holdfast::test {
namespace {

constexpr std::uint64_t kSeed = 11;

Reason reason_of(const Status& status) {
    return status ? Reason::kOk : status.error().verdict.reason;
}

TEST(Replica, ComesToTheSameDigestAtEveryHeightThroughRestarts) {
    OperatorWorld world(kSeed);
    world.live(3);
    ReplicaOf replica(world, "replica");
    must(replica.start());
    for (int block = 0; block < 30; ++block) {
        world.live(1);
        if (block % 5 == 4) must(replica.start());
        must(replica.catch_up());
        ASSERT_EQ(replica.state(), world.state()) << "block " << block;
        const auto closed = must(world.registry->closed());
        ASSERT_EQ(must(replica.stores->registry->closed()), closed);
        if (!closed) continue;
        EXPECT_EQ(must(replica.stores->registry->head_of(*closed)),
                  must(world.registry->head_of(*closed)));
        EXPECT_EQ(must(replica.stores->heads->head(*closed)), world.head(*closed));
    }
    EXPECT_GT(world.host.branches(), 2U);  // the operator's chain was reorganised on the way
    // Who comes at the end.
    ReplicaOf late(world, "late");
    must(late.start());
    must(late.catch_up());
    EXPECT_EQ(late.state(), world.state());
    EXPECT_EQ(late.reader->counts().without_head, 0U);
}

TEST(Replica, BeginsWithAStateWhereTheJournalsBeginningIsGone) {
    OperatorWorld world(kSeed, 1);
    world.live(45);
    ASSERT_GT(must(world.registry->journal()).first_kept, 0U);
    ReplicaOf late(world, "late");
    must(late.start());
    EXPECT_GT(must(late.stores->registry->journal()).origin, 0U);
    for (int block = 0; block < 8; ++block) {
        must(late.catch_up());
        ASSERT_EQ(late.state(), world.state()) << "block " << block;
        world.live(1);
        if (block == 4) must(late.start());
    }
    // One byte of the state is another.
    world.lie<StatePiece>([](StatePiece& piece) { piece.bytes.back() ^= 1; });
    ReplicaOf deceived(world, "deceived");
    const Status begun = deceived.start();
    EXPECT_EQ(begun.error().code, ErrorCode::kRefused);
    EXPECT_FALSE(std::filesystem::exists(deceived.dir() / "registry"));
    world.lie<StatePiece>([](StatePiece& piece) { piece.bytes.clear(); });
    EXPECT_EQ(reason_of(deceived.start()), Reason::kBadIndex);
    world.falsify = nullptr;
    must(deceived.start());
    must(deceived.catch_up());
    EXPECT_EQ(deceived.state(), world.state());
}

TEST(Replica, HeightsWithoutAHeadAreCountedAndLaterHeadsAreHeld) {
    OperatorWorld world(kSeed);
    world.live(12);
    const Height closed = must(world.registry->closed()).value();
    world.unseen = {closed - 1, closed - 2};
    ReplicaOf replica(world, "replica");
    must(replica.start());
    must(replica.catch_up());
    EXPECT_EQ(replica.reader->counts().without_head, 2U);
    EXPECT_EQ(replica.reader->counts().head, closed);
    EXPECT_EQ(replica.state(), world.state());
}

TEST(Replica, PagesThatAreNoneAreRefusedByNameAndNothingOfThemIsTaken) {
    struct Lie {
        const char* name;
        std::function<void(EntriesPage&)> tell;
        Reason reason;
    };
    const std::vector<Lie> lies{
        {"a gap", [](EntriesPage& p) { ++p.first; }, Reason::kBadIndex},
        {"a page that never ends", [](EntriesPage& p) { p.entries.clear(); }, Reason::kBadIndex},
        {"more than there are", [](EntriesPage& p) { p.total = p.first + p.entries.size() - 1; },
         Reason::kBadIndex},
        {"an entry over the bound",
         [](EntriesPage& p) { p.entries[0] = Bytes(kMaxEntryObjectBytes + 2, 3); },
         Reason::kTooLarge},
        {"an empty entry", [](EntriesPage& p) { p.entries[0].clear(); }, Reason::kBadField}};
    OperatorWorld world(kSeed);
    world.live(6);
    ReplicaOf replica(world, "replica");
    must(replica.start());
    for (const Lie& one : lies) {
        world.lie<EntriesPage>(one.tell);
        EXPECT_EQ(reason_of(replica.catch_up()), one.reason) << one.name;
        EXPECT_EQ(must(replica.stores->registry->journal()).entries, 0U) << one.name;
        EXPECT_FALSE(replica.reader->counts().error.empty()) << one.name;
        EXPECT_FALSE(replica.reader->counts().disagreement) << one.name;
    }
    world.falsify = nullptr;
    must(replica.catch_up());
    EXPECT_EQ(replica.state(), world.state());
    // A journal that has become shorter than it was.
    world.lie<EntriesPage>([](EntriesPage& p) {
        p.entries.clear();
        p.first = p.total = p.total - 1;
    });
    EXPECT_EQ(reason_of(replica.catch_up()), Reason::kBadIndex);
    world.falsify = nullptr;
    must(replica.catch_up());
}

/// What is told otherwise, where it is noticed, and what is kept of it.
struct Forgery {
    const char* name;
    std::function<void(OperatorWorld&)> tell;
    Reason reason;
    const char* kept;  // begins so
    bool of_entry;
};

bool keeps(const std::filesystem::path& folder, const std::string& prefix) {
    for (const auto& one : std::filesystem::directory_iterator(folder)) {
        if (one.path().filename().string().rfind(prefix, 0) == 0) return true;
    }
    return false;
}

TEST(Replica, ForgedHistoriesEndIt) {
    const auto entry = [](const std::function<bool(HistoryEntry&)>& change) {
        return [change](OperatorWorld& world) {
            world.lie<EntriesPage>([change](EntriesPage& page) {
                for (Bytes& bytes : page.entries) {
                    HistoryEntry decoded = decode_entry(bytes).value();
                    if (!change(decoded)) continue;
                    bytes = encode_entry(decoded);
                    return;
                }
            });
        };
    };
    const auto head = [](const std::function<void(JournalHead&)>& change, bool sign) {
        return [change, sign](OperatorWorld& world) {
            world.lie<HeadsPage>([change, sign, &world](HeadsPage& page) {
                if (page.heads.empty()) return;
                change(page.heads.back());
                if (sign) {
                    page.heads.back() =
                        sign_head(world.params.id(), page.heads.back(), test_operator()).value();
                }
            });
        };
    };
    const std::vector<Forgery> forgeries{
        {"y", entry([](HistoryEntry& e) {
             auto* y = std::get_if<OutputEntry>(&e);
             if (y != nullptr) y->y = VdfOutput(tagged_hash("a lie"));
             return y != nullptr;
         }),
         Reason::kWrongOutput, "entry-", true},
        {"a block that is not the chain's", entry([](HistoryEntry& e) {
             auto* block = std::get_if<BlockEntry>(&e);
             if (block != nullptr) ++block->time_ms;
             return block != nullptr;
         }),
         Reason::kWrongBlock, "entry-", true},
        {"an object that does not hold", entry([](HistoryEntry& e) {
             auto* object = std::get_if<ObjectEntry>(&e);
             if (object != nullptr) object->object = wrap_object(Kind::kBundle, Bytes(300, 5));
             return object != nullptr;
         }),
         Reason::kOk, "entry-", true},
        {"a digest, not signed", head([](JournalHead& h) { h.global.bytes[0] ^= 1; }, false),
         Reason::kBadSignature, "head-", false},
        {"a digest, signed", head([](JournalHead& h) { h.global.bytes[0] ^= 1; }, true),
         Reason::kGlobalMismatch, "head-", false},
        {"a root, signed", head([](JournalHead& h) { h.root.bytes[0] ^= 1; }, true),
         Reason::kBadPath, "head-", false},
        {"what a block lists",
         [](OperatorWorld& world) {
             world.lie<BlocksPage>([](BlocksPage& page) {
                 for (ListedPage& block : page.blocks) {
                     if (block.listed.empty() || block.listed.back()[1] == 0) continue;
                     block.listed.back().back() ^= 1;
                     return;
                 }
             });
         },
         Reason::kWrongBlock, "block-", false}};
    for (const Forgery& forgery : forgeries) {
        OperatorWorld world(kSeed);
        world.live(14);
        ReplicaOf replica(world, "replica");
        must(replica.start());
        forgery.tell(world);
        const Status end = replica.catch_up();
        ASSERT_FALSE(end) << forgery.name;
        EXPECT_EQ(end.error().code, ErrorCode::kRefused) << forgery.name;
        if (forgery.reason != Reason::kOk) {
            EXPECT_EQ(reason_of(end), forgery.reason) << forgery.name;
        }
        const auto found = replica.reader->counts().disagreement;
        ASSERT_TRUE(found) << forgery.name << ": " << end.error().message;
        EXPECT_EQ(found->entry.has_value(), forgery.of_entry) << forgery.name;
        EXPECT_TRUE(found->height) << forgery.name;
        EXPECT_TRUE(keeps(replica.dir() / "evidence", forgery.kept)) << forgery.name;
        EXPECT_TRUE(keeps(replica.dir() / "evidence", "disagreement.json")) << forgery.name;
        // It takes nothing more in, whatever it is told now.
        world.falsify = nullptr;
        const auto before = must(replica.stores->registry->journal());
        EXPECT_FALSE(replica.catch_up()) << forgery.name;
        EXPECT_EQ(must(replica.stores->registry->journal()).entries, before.entries);
    }
}

TEST(Replica, ASecondHeadOfOneHeightBecomesEvidenceThatHolds) {
    OperatorWorld world(kSeed);
    world.live(12);
    ReplicaOf replica(world, "replica");
    must(replica.start());
    must(replica.catch_up());
    must(replica.start());  // what it has seen outlives it
    world.lie<HeadsPage>([&](HeadsPage& page) {
        ASSERT_FALSE(page.heads.empty());
        page.heads[0].root = Root(tagged_hash("another journal"));
        page.heads[0] = sign_head(world.params.id(), page.heads[0], test_operator()).value();
    });
    EXPECT_EQ(reason_of(replica.catch_up()), Reason::kBadPath);
    const Bytes object = slurp(replica.dir() / "evidence" / "two-heads.evidence");
    const auto body = unwrap_object(Kind::kEvidence, object);
    ASSERT_TRUE(body);
    const auto evidence = Evidence::decode(*body);
    ASSERT_TRUE(evidence);
    EvidenceKnowledge knowledge;
    knowledge.params = world.params;
    knowledge.network_id = world.params.id();
    EXPECT_TRUE(must(judge_evidence(knowledge, *evidence)).verdict);
}

TEST(Replica, AnotherNodesFolderIsNotMadeAReplica) {
    OperatorWorld world(kSeed);
    world.live(3);
    std::filesystem::create_directories(world.folder / "node" / "chain");
    ReplicaOf replica(world, "node");
    EXPECT_EQ(replica.start().error().code, ErrorCode::kAlreadyExists);
    world.away = true;
    ReplicaOf early(world, "early");
    EXPECT_EQ(early.start().error().code, ErrorCode::kUnavailable);
    world.away = false;
    must(early.start());
    must(early.catch_up());
    EXPECT_EQ(early.state(), world.state());
}

}  // namespace
}  // namespace holdfast::test
