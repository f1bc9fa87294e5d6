// A keeper's decisions: each rule by itself, and all of them over random histories of files whose
// shards fail in every way, with rebuilds that take time and fail.
#include "keep/keeper.hpp"

#include <gtest/gtest.h>

#include <random>

namespace holdfast {
namespace {

FileView whole_file() {
    FileView file;
    file.shards.resize(6);
    for (ShardView& s : file.shards) s.chain = ChainSight::kActive;
    file.tip = Height(100);
    file.now_ms = 1'000'000;
    file.provers_free = 2;
    return file;
}

KeeperPolicy quick() {
    KeeperPolicy policy;
    policy.unreachable_ms = 10'000;
    policy.proving_ms = 50'000;
    policy.expiring_heights = 20;
    policy.retry_ms = 5'000;
    return policy;
}

TEST(Keeper, LeavesAWholeFileAlone) {
    EXPECT_TRUE(decide(whole_file(), quick()).empty());
    EXPECT_EQ(margin_of(whole_file()).text(), "4 of 6 needed, 6 proven, 2 may fail");
}

TEST(Keeper, HealsForEachReasonAndSaysWhich) {
    const auto reason_of = [](auto&& change) {
        FileView file = whole_file();
        change(file.shards[3]);
        const std::vector<KeeperAction> actions = decide(file, quick());
        if (actions.size() != 1) return std::string("none");
        EXPECT_EQ(actions[0].kind, KeeperAction::Kind::kHeal) << actions[0].why_not;
        EXPECT_EQ(actions[0].shard, 3U);
        return std::string(to_string(actions[0].reason));
    };
    EXPECT_EQ(reason_of([](ShardView& s) { s.lied = true; }), "refuted");
    EXPECT_EQ(reason_of([](ShardView& s) { s.chain = ChainSight::kAnother; }), "refuted");
    EXPECT_EQ(reason_of([](ShardView& s) { s.failed = true; }), "ended");
    EXPECT_EQ(reason_of([](ShardView& s) { s.chain = ChainSight::kEnded; }), "ended");
    EXPECT_EQ(reason_of([](ShardView& s) { s.chain = ChainSight::kEnding; }), "ended");
    EXPECT_EQ(reason_of([](ShardView& s) { s.silent_since_ms = 990'000; }), "unreachable");
    EXPECT_EQ(reason_of([](ShardView& s) { s.silent_since_ms = 990'001; }), "none");
    EXPECT_EQ(reason_of([](ShardView& s) { s.chain = ChainSight::kLate; }), "late");
    EXPECT_EQ(reason_of([](ShardView& s) { s.chain = ChainSight::kNotYet; }), "never-proven");
    EXPECT_EQ(reason_of([](ShardView& s) {
                  s.chain = ChainSight::kNotYet;
                  s.chain_since_ms = 990'000;
              }),
              "none");
    EXPECT_EQ(reason_of([](ShardView& s) { s.until = Height(120); }), "expiring");
    EXPECT_EQ(reason_of([](ShardView& s) { s.until = Height(121); }), "none");
}

TEST(Keeper, BlamesNobodyForItsOwnOutage) {
    FileView file = whole_file();
    for (ShardView& s : file.shards) s.silent_since_ms = 0;
    EXPECT_TRUE(decide(file, quick()).empty());
    file.shards[0].silent_since_ms.reset();
    EXPECT_EQ(decide(file, quick()).size(), 5U);
    file.node_asked = false;
    EXPECT_TRUE(decide(file, quick()).empty());
    for (ShardView& s : file.shards) s.chain = ChainSight::kUnknown;
    EXPECT_TRUE(decide(file, quick()).empty());
}

TEST(Keeper, WaitsWhileFewerThanKOthersCanBeRead) {
    FileView file = whole_file();
    for (const unsigned i : {0U, 1U, 2U}) file.shards[i].silent_since_ms = 0;
    for (const KeeperAction& action : decide(file, quick())) {
        EXPECT_EQ(action.kind, KeeperAction::Kind::kWait);
        EXPECT_NE(action.why_not.find("3 can be read"), std::string::npos) << action.why_not;
    }
    file.shards[2].silent_since_ms.reset();
    EXPECT_EQ(decide(file, quick())[0].kind, KeeperAction::Kind::kHeal);
}

TEST(Keeper, HealsTheMostUrgentFirstAndOneAtATime) {
    FileView file = whole_file();
    file.shards[1].chain = ChainSight::kLate;
    file.shards[4].lied = true;
    std::vector<KeeperAction> actions = decide(file, quick());
    ASSERT_EQ(actions.size(), 2U);
    EXPECT_EQ(actions[0].shard, 4U);
    EXPECT_EQ(actions[0].kind, KeeperAction::Kind::kHeal);
    EXPECT_EQ(actions[1].kind, KeeperAction::Kind::kWait);
    KeeperPolicy policy = quick();
    policy.at_once = 200;  // the code allows two
    file.shards[2].chain = ChainSight::kLate;
    file.provers_free = 5;
    actions = decide(file, policy);
    ASSERT_EQ(actions.size(), 3U);
    EXPECT_EQ(actions[1].kind, KeeperAction::Kind::kHeal);
    EXPECT_EQ(actions[2].kind, KeeperAction::Kind::kWait);
    file.provers_free = 1;
    EXPECT_EQ(decide(file, policy)[1].kind, KeeperAction::Kind::kWait);
    file.shards[4].healing = true;
    EXPECT_EQ(decide(file, quick())[0].why_not, "1 of this file are being rebuilt already");
}

TEST(Keeper, TriesAgainAfterAPause) {
    FileView file = whole_file();
    file.shards[0].lied = true;
    file.shards[0].heal_failed_ms = 996'000;
    EXPECT_EQ(decide(file, quick())[0].kind, KeeperAction::Kind::kWait);
    file.now_ms += 1'000;
    EXPECT_EQ(decide(file, quick())[0].kind, KeeperAction::Kind::kHeal);
}

TEST(Keeper, LetsGoOfAProvenShardOnlyWithKOthersProven) {
    FileView file = whole_file();
    EXPECT_TRUE(may_remove_old(file, 0));
    file.shards[1].chain = file.shards[2].chain = ChainSight::kLate;
    EXPECT_FALSE(may_remove_old(file, 0));
    EXPECT_TRUE(may_remove_old(file, 1));
}

/// A file's life: shards fail and are rebuilt as decide() says.
class History {
  public:
    explicit History(std::uint64_t seed) : random_(seed) {
        needed_ = 1 + below(5);
        const unsigned parity = below(4);
        file_.needed = needed_;
        file_.shards.resize(needed_ + parity);
        for (ShardView& s : file_.shards) s.chain = ChainSight::kActive;
        policy_ = quick();
        policy_.at_once = 1 + below(3);
        file_.tip = Height(1'000);
    }

    void run() {
        for (int step = 0; step < 300; ++step) {
            file_.now_ms += 1'000;
            file_.tip = file_.tip + 1;
            file_.provers_free = below(4);
            file_.node_asked = below(10) != 0;
            if (step < 200) fail_something();
            finish_heals();
            act();
        }
        // Nothing fails any more and provers are there: what can be mended is mended.
        file_.node_asked = true;
        for (ShardView& s : file_.shards) {
            if (below(2) == 0) s.silent_since_ms.reset();
        }
        for (int step = 0; step < 400; ++step) {
            file_.now_ms += 1'000;
            file_.tip = file_.tip + 1;
            file_.provers_free = 3;
            finish_heals();
            act();
        }
        check_mended();
    }
    std::uint64_t heals_ = 0;

  private:
    unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }

    void fail_something() {
        if (below(12) != 0) return;
        ShardView& s = file_.shards[below(static_cast<unsigned>(file_.shards.size()))];
        switch (below(7)) {
            case 0:
                s.lied = true;
                break;
            case 1:
                s.silent_since_ms = file_.now_ms;
                break;
            case 2:
                s.silent_since_ms.reset();
                break;
            case 3:
                s.chain = ChainSight::kLate;
                s.chain_since_ms = file_.now_ms;
                break;
            case 4:
                s.chain = ChainSight::kEnded;
                break;
            case 5:
                s.until = file_.tip + below(40);
                break;
            default:
                s.failed = true;
        }
    }

    void finish_heals() {
        for (unsigned i = 0; i < file_.shards.size(); ++i) {
            ShardView& s = file_.shards[i];
            if (!s.healing || below(5) != 0) continue;
            s.healing = false;
            if (below(4) == 0) {
                s.heal_failed_ms = file_.now_ms;
                continue;
            }
            s = ShardView{};  // a new prover's
            s.chain = ChainSight::kActive;
        }
    }

    void act() {
        const std::vector<KeeperAction> actions = decide(file_, policy_);
        EXPECT_EQ(decide(file_, policy_), actions) << "a function of what was seen";
        std::size_t free = file_.provers_free;
        for (const KeeperAction& action : actions) {
            ShardView& s = file_.shards[action.shard];
            EXPECT_EQ(heal_reason(file_, action.shard, policy_), action.reason);
            EXPECT_FALSE(s.healing);
            if (action.kind == KeeperAction::Kind::kWait) {
                EXPECT_FALSE(action.why_not.empty());
                continue;
            }
            unsigned readable = 0;
            for (unsigned i = 0; i < file_.shards.size(); ++i) {
                const ShardView& other = file_.shards[i];
                readable += i != action.shard && other.readable() ? 1 : 0;
            }
            EXPECT_GE(readable, needed_);
            ASSERT_GT(free, 0U);
            --free;
            s.healing = true;
            ++heals_;
        }
        unsigned running = 0;
        for (const ShardView& s : file_.shards) running += s.healing ? 1 : 0;
        const auto parity = static_cast<unsigned>(file_.shards.size()) - needed_;
        EXPECT_LE(running, std::max(1U, std::min(policy_.at_once, parity)));
    }

    void check_mended() {
        for (unsigned i = 0; i < file_.shards.size(); ++i) {
            unsigned readable = 0;
            for (unsigned j = 0; j < file_.shards.size(); ++j) {
                readable += j != i && file_.shards[j].readable() ? 1 : 0;
            }
            const bool needs = heal_reason(file_, i, policy_).has_value();
            EXPECT_TRUE(!needs || readable < needed_ || file_.shards[i].healing ||
                        file_.shards[i].heal_failed_ms)
                << "shard " << i << " of " << file_.shards.size();
        }
    }

    std::mt19937_64 random_;
    FileView file_;
    KeeperPolicy policy_;
    unsigned needed_ = 4;
};

TEST(Keeper, KeepsItsRulesOverRandomHistories) {
    std::uint64_t heals = 0;
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        History history(seed);
        history.run();
        heals += history.heals_;
        if (HasFailure()) FAIL() << "seed " << seed;
    }
    EXPECT_GT(heals, 500U) << "histories in which something is mended";
}

}  // namespace
}  // namespace holdfast
