// Replay is the test: in random histories every node comes to the same bytes and the same books
// after every block, however it was told, restarted, rebuilt, or late (spec 15.1).
//
// Of each history there are five nodes: the operator's; a twin that is handed the same things one
// at a time, refused ones as well, and is restarted all the time; a follower that replays the
// journal in pieces; one that was made again from a copy of the operator's registry; and one that
// comes at the end, with nothing but the chain and the journal. All use one token.
//
// A failure prints its seed and the fewest blocks that show it. HOLDFAST_HISTORY=SEED runs one
// seed, HOLDFAST_HISTORY=SEED:BLOCKS a shorter piece of it, and HOLDFAST_HISTORIES=N asks for N
// histories instead of the 300 of an ordinary run.
#include <gtest/gtest.h>

#include <cstdlib>

#include "api/journal_file.hpp"
#include "api/replay.hpp"
#include "support/random_history.hpp"

namespace holdfast::test {
namespace {

constexpr std::uint64_t kShards = 2;  // run beside one another
constexpr std::uint64_t kHistories = 300;

/// What a history that fails says.
struct HistoryFailed : std::runtime_error {
    using std::runtime_error::runtime_error;
};

template <class T>
T need(Result<T> result, const char* what) {
    if (!result) throw HistoryFailed(std::string(what) + ": " + result.error().message);
    return std::move(*result);
}
void need(const Status& status, const char* what) {
    if (!status) throw HistoryFailed(std::string(what) + ": " + status.error().message);
}
void same(bool equal, const std::string& what) {
    if (!equal) throw HistoryFailed(what);
}

ReplayOptions replay_options(const NetworkParams& params, HistoryHost& host) {
    ReplayOptions options;
    options.check_y = [&](Height h, const VdfOutput& y) -> Result<Verdict> {
        HOLDFAST_ASSIGN(block, host.block_by_height(h));
        return Verdict(history_y(params, h, block.hash) == y ? Reason::kOk : Reason::kWrongOutput);
    };
    options.check_seal = history_seal_check();
    return options;
}

/// A registry that can be closed and opened at any moment, as by a process that ends.
class Node {
  public:
    Node(const NetworkParams& params, std::filesystem::path folder, RegistryOptions options)
        : params_(params), folder_(std::move(folder)), options_(options) {
        options_.map_bytes = std::uint64_t{1} << 26;
        restart();
    }
    void restart() {
        registry_.reset();
        registry_ = need(Registry::open(folder_, params_, options_), "opening again");
    }
    Registry& operator*() { return *registry_; }
    Registry* operator->() { return registry_.get(); }

    /// One input; objects all at once, or one at a time.
    std::vector<ObjectOutcome> apply(const HistoryInput& input, bool together) {
        const auto* objects = std::get_if<std::vector<Bytes>>(&input);
        if (objects == nullptr || together) {
            return need(apply_input(*registry_, input), "an input");
        }
        std::vector<ObjectOutcome> out;
        for (const Bytes& object : *objects) {
            const HistoryInput one = std::vector<Bytes>{object};
            out.push_back(need(apply_input(*registry_, one), "an object").at(0));
        }
        return out;
    }
    /// What has been decided since this was asked last, given to the token.
    void settle(HistoryHost& host) {
        for (const Decision& d : need(registry_->decisions(settled_, 4'096), "decisions")) {
            host.carry_out(d);
            ++settled_;
        }
    }
    /// Entries of another's journal from where this one stands, at most `most`.
    void follow(Registry& other, HistoryHost& host, std::size_t most) {
        Replay replay(*registry_, host, replay_options(params_, host));
        const std::uint64_t own = need(registry_->journal(), "the journal").entries;
        std::uint64_t number = own;
        for (const Bytes& bytes : need(other.entries(own, most), "entries")) {
            const auto entry = decode_entry(bytes);
            same(entry.has_value(), "an entry does not decode");
            need(replay.take(number++, *entry), "replaying");
        }
        need(replay.finish(), "replaying");
    }

  private:
    const NetworkParams& params_;
    std::filesystem::path folder_;
    RegistryOptions options_;
    std::unique_ptr<Registry> registry_;
    std::uint64_t settled_ = 0;
};

/// All that nodes must have in common.
void expect_same(Registry& a, Registry& b, const std::string& who) {
    const JournalSize of_a = need(a.journal(), "the journal");
    const JournalSize of_b = need(b.journal(), "the journal");
    same(of_a.entries == of_b.entries, who + ": another number of entries");
    same(of_a.root == of_b.root, who + ": another root of the journal");
    same(need(a.export_state(), "the state") == need(b.export_state(), "the state"),
         who + ": another state");
    const auto closed = need(a.closed(), "closed");
    same(closed == need(b.closed(), "closed"), who + ": another newest digest");
    if (closed) {
        same(need(a.head_of(*closed), "a head") == need(b.head_of(*closed), "a head"),
             who + ": another head");
    }
}

bool same_outcome(const ObjectOutcome& a, const ObjectOutcome& b) {
    return a.verdict == b.verdict && a.entry == b.entry && a.members == b.members;
}

RegistryOptions one_thread(std::uint64_t kept_heights) {
    RegistryOptions options;
    options.threads = 1;
    options.kept_heights = kept_heights;
    options.check_on_open = false;
    return options;
}

class Network {
  public:
    explicit Network(std::uint64_t seed)
        : params_(history_network()),
          host_(params_, seed),
          random_(seed ^ 0x5eed),
          operator_(params_, folder_ / "operator", one_thread(0)),
          twin_(params_, folder_ / "twin", one_thread(1)),
          follower_(params_, folder_ / "follower", one_thread(0)),
          history_(
              params_, seed, host_, [this]() -> Registry& { return *operator_; },
              [this](const HistoryInput& input) { return apply(input); }) {}

    void run(std::uint64_t blocks) {
        const std::uint64_t copied_at = 1 + below(blocks);
        const std::filesystem::path copy = folder_ / "copy";
        for (std::uint64_t n = 0; n < blocks; ++n) {
            history_.next_block();
            if (below(6) == 0) follower_.restart();
            follower_.follow(*operator_, host_, 1 + below(30));
            follower_.follow(*operator_, host_, SIZE_MAX);
            expect_same(*operator_, *twin_, "the twin");
            expect_same(*operator_, *follower_, "the follower");
            for (Node* node : {&operator_, &twin_, &follower_}) {
                if (below(3) == 0) node->settle(host_);
            }
            check_books();
            if (n + 1 == copied_at) (void)need(operator_->backup(copy), "a copy");
        }
        Node copied(params_, copy, one_thread(0));
        copied.follow(*operator_, host_, SIZE_MAX);
        expect_same(*operator_, *copied, "a copy that caught up");
        come_late();
        same(need(operator_->decisions(0, SIZE_MAX / 2), "decisions") ==
                 need(twin_->decisions(0, SIZE_MAX / 2), "decisions"),
             "other decisions");
    }
    [[nodiscard]] const HistoryTally& tally() const { return history_.tally(); }
    [[nodiscard]] std::uint64_t branches() const { return host_.branches(); }
    [[nodiscard]] std::uint64_t cases() const { return host_.cases(); }

  private:
    std::uint64_t below(std::uint64_t n) { return random_() % n; }

    std::vector<ObjectOutcome> apply(const HistoryInput& input) {
        const bool together = below(2) == 0;
        if (below(12) == 0) operator_.restart();
        if (below(12) == 0) twin_.restart();
        if (below(24) == 0) stop_within(input);
        const std::vector<ObjectOutcome> first = operator_.apply(input, together);
        const std::vector<ObjectOutcome> second = twin_.apply(input, !together);
        same(first.size() == second.size() &&
                 std::equal(first.begin(), first.end(), second.begin(), same_outcome),
             "the twin judges otherwise");
        if (const auto* block = std::get_if<FinalBlock>(&input)) {
            for (const BondEvent& e : block->listed.bonds) listed(e);
        }
        if (below(16) == 0) again(input);
        return first;
    }
    /// A check that ends with an error leaves nothing behind, of it or its neighbours.
    void stop_within(const HistoryInput& input) {
        const auto* objects = std::get_if<std::vector<Bytes>>(&input);
        if (objects == nullptr || objects->empty()) return;
        std::vector<ByteView> views(objects->begin(), objects->end());
        const Digest before = need(operator_->export_state(), "the state");
        const auto stopped = operator_->accept(
            views, [](const Registration&, const SealContext&, ByteView) -> Result<Verdict> {
                return fail(ErrorCode::kInterrupted, "stopped");
            });
        if (stopped) {
            // No seal proof was among them: they have been taken, so the twin takes them as well.
            (void)need(twin_->accept(views, history_seal_check()), "objects");
            return;
        }
        same(need(operator_->export_state(), "the state") == before,
             "what was stopped left something behind");
    }
    /// What was judged is not judged a second time.
    void again(const HistoryInput& input) {
        const std::uint64_t entries = need(operator_->journal(), "the journal").entries;
        const Digest before = need(operator_->export_state(), "the state");
        (void)operator_.apply(input, true);
        same(need(operator_->journal(), "the journal").entries == entries &&
                 need(operator_->export_state(), "the state") == before,
             "the same again changed something");
    }
    /// The book of held amounts, out of nothing but the events of final blocks.
    void listed(const BondEvent& event) {
        if (event.what == BondEventKind::kCreated) {
            held_.emplace(event.bond, event.amount);
        } else if (held_.contains(event.bond)) {
            std::uint64_t& held = held_[event.bond];
            held = event.what == BondEventKind::kAdded ? held + event.amount
                                                       : held - std::min(held, event.amount);
        }
    }
    /// Which decision took what somebody who kept to the rules had at stake.
    std::string slashed_by(const BondId& bond) {
        std::string what = "somebody who kept to the rules was slashed:";
        for (const Decision& d : need(operator_->decisions(0, SIZE_MAX), "decisions")) {
            for (const DecidedStep& step : d.steps) {
                if (step.kind != DecidedStep::Kind::kSlash || step.bond != bond) continue;
                what += " " + std::string(to_string(d.kind)) + " " + std::to_string(step.amount);
            }
        }
        return what;
    }
    void check_books() {
        std::map<BondId, std::uint64_t> parts;
        for (const auto& [role, holder] : history_.holders()) {
            const auto part = need(operator_->part(role, holder), "a part");
            if (part) parts[part->bond] += part->amount;
        }
        for (const BondId& id : history_.bonds()) {
            const auto bond = need(operator_->bond(id), "a bond");
            same(bond.has_value() == held_.contains(id), "a bond that no block lists, or none");
            if (!bond) continue;
            same(bond->held == held_[id], "a bond holds another amount than blocks say");
            same(bond->reserved == parts[id], "what is reserved is not the sum of the parts");
            same(bond->held >= bond->reserved + bond->owed, "more is claimed than a bond holds");
        }
        for (const BondId& id : history_.honest_bonds()) {
            if (host_.was_slashed(id)) throw std::runtime_error(slashed_by(id));
        }
        const RegistryStatistics s = need(operator_->statistics(), "statistics");
        same(s.registrations == s.pending + s.sealed + s.liable + s.voided + s.ended,
             "chains are counted wrongly");
    }
    /// With nothing but the chain and a journal in a file, with heads.
    void come_late() {
        const std::filesystem::path file = folder_ / "journal";
        const HeadSource heads = [&](Height h) -> Result<std::optional<JournalHead>> {
            HOLDFAST_ASSIGN(body, operator_->head_of(h));
            body.resize(kHeadBytes);
            const auto head = JournalHead::decode(body);
            if (!head) return fail_refused(head.error(), "our own head");
            return std::optional(sign_head(params_.id(), *head, test_operator()).value());
        };
        need(write_journal(*operator_, file, heads), "writing the journal");
        Node late(params_, folder_ / "late", one_thread(0));
        const ReplayReport report =
            need(replay_journal(*late, host_, file, replay_options(params_, host_)), "a late node");
        const auto closed = need(operator_->closed(), "closed");
        same(report.heads == (closed ? closed->since(params_.genesis_height) + 1 : 0),
             "not every head was compared");
        expect_same(*operator_, *late, "a late node");
    }

    TempFolder folder_;
    NetworkParams params_;
    HistoryHost host_;
    std::mt19937_64 random_;
    Node operator_;
    Node twin_;
    Node follower_;
    RandomHistory history_;
    std::map<BondId, std::uint64_t> held_;
};

struct Summary {
    HistoryTally tally;
    std::uint64_t branches = 0;
    std::uint64_t cases = 0;
};

/// What went wrong in the first blocks of a history; empty: nothing.
std::string run_history(std::uint64_t seed, std::uint64_t blocks, Summary* summary = nullptr) {
    try {
        Network network(seed);
        network.run(blocks);
        if (summary == nullptr) return {};
        for (const auto& [name, count] : network.tally()) {
            HistoryCount& sum = summary->tally[name];
            sum.accepted += count.accepted;
            sum.refused += count.refused;
            sum.reasons.insert(count.reasons.begin(), count.reasons.end());
        }
        summary->branches += network.branches();
        summary->cases += network.cases();
        return {};
    } catch (const std::exception& e) {
        return e.what();
    }
}

std::uint64_t blocks_of(std::uint64_t seed) { return 12 + seed * 7 % 29; }

/// Histories of one seed begin alike, so that the shortest one that fails is looked for from one
/// block on.
void expect_history(std::uint64_t seed, std::uint64_t blocks, Summary* summary = nullptr) {
    if (run_history(seed, blocks, summary).empty()) return;
    for (std::uint64_t n = 1; n <= blocks; ++n) {
        const std::string what = run_history(seed, n);
        if (what.empty()) continue;
        ADD_FAILURE() << what << "\n  shortest: HOLDFAST_HISTORY=" << seed << ":" << n;
        return;
    }
    ADD_FAILURE() << "seed " << seed << " failed once and not again: something depends on time";
}

std::uint64_t histories_wanted() {
    const char* wanted = std::getenv("HOLDFAST_HISTORIES");
    return wanted == nullptr ? kHistories : std::strtoull(wanted, nullptr, 10);
}

/// Whatever may be listed or handed over was taken and refused; whatever a registry does, it did.
void expect_everything_happened(const Summary& summary) {
    const char* const objects[] = {"registration",
                                   "update",
                                   "removal",
                                   "removal of a role",
                                   "removal of what is free",
                                   "challenger",
                                   "checkpoint",
                                   "y",
                                   "seal proof",
                                   "audit proof",
                                   "bundle",
                                   "compact proof",
                                   "full proof",
                                   "short compact proof",
                                   "short full proof",
                                   "challenge",
                                   "outcome",
                                   "response",
                                   "evidence 1",
                                   "evidence 2, form 1",
                                   "evidence 2, form 2",
                                   "evidence 3",
                                   "evidence 4",
                                   "evidence 5, form 1",
                                   "evidence 5, form 2",
                                   "evidence 6",
                                   "evidence 7",
                                   "evidence 8",
                                   "evidence 9",
                                   "evidence 10, form 1",
                                   "evidence 10, form 2",
                                   "evidence 11"};
    const char* const doings[] = {"effect placed",
                                  "effect vacated",
                                  "effect expired",
                                  "effect voided",
                                  "effect audit-drawn",
                                  "effect audit-missed",
                                  "effect bond-forfeited",
                                  "effect bond-released",
                                  "status active",
                                  "status late",
                                  "status removing",
                                  "status expired",
                                  "decision offence slash",
                                  "decision deposit slash",
                                  "decision deposit release",
                                  "decision chain slash",
                                  "decision chain release",
                                  "decision outcome pay",
                                  "decision outcome slash",
                                  "decision bond release"};
    const auto of = [&](const char* name) {
        const auto at = summary.tally.find(name);
        return at == summary.tally.end() ? HistoryCount{} : at->second;
    };
    for (const char* name : objects) {
        EXPECT_GT(of(name).accepted, 0U) << name << " was never accepted";
        EXPECT_GT(of(name).refused, 0U) << name << " was never refused";
    }
    for (const char* name : doings) EXPECT_GT(of(name).accepted, 0U) << name << ": never";
    EXPECT_TRUE(of("evidence 6").reasons.contains(Reason::kNoEntropy)) << "no evidence waited";
    EXPECT_EQ(of("at the wrong door").accepted, 0U);
    EXPECT_EQ(of("noise").accepted, 0U);
    EXPECT_GT(summary.branches, 0U);
    EXPECT_GT(summary.cases, 0U);
}

class RandomHistories : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomHistories, EndInEqualDigestsAndBooksAtEveryHeight) {
    if (const char* one = std::getenv("HOLDFAST_HISTORY")) {
        if (GetParam() != 0) GTEST_SKIP() << "one seed alone";
        char* end = nullptr;
        const std::uint64_t seed = std::strtoull(one, &end, 10);
        const std::uint64_t blocks =
            *end == ':' ? std::strtoull(end + 1, nullptr, 10) : blocks_of(seed);
        EXPECT_EQ(run_history(seed, blocks), "");
        return;
    }
    Summary summary;
    for (std::uint64_t seed = 1 + GetParam(); seed <= histories_wanted(); seed += kShards) {
        expect_history(seed, blocks_of(seed), &summary);
        if (HasFailure()) return;
    }
    for (const auto& [name, count] : summary.tally) {
        RecordProperty(name, std::to_string(count.accepted) + "/" + std::to_string(count.refused));
    }
    if (histories_wanted() >= kHistories) expect_everything_happened(summary);
}

INSTANTIATE_TEST_SUITE_P(Shard, RandomHistories, ::testing::Range<std::uint64_t>(0, kShards));

}  // namespace
}  // namespace holdfast::test
