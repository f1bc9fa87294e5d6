// kill -9 at random moments of appending to the journal: no entry that was acknowledged is lost,
// none is judged twice, and whoever goes on comes to the same bytes as a run that never ended.
#include <gtest/gtest.h>

#include <chrono>

#include "support/killed_child.hpp"
#include "support/random_history.hpp"

namespace holdfast::test {
namespace {

constexpr std::uint64_t kSeed = 5;
constexpr std::uint64_t kBlocks = 34;

RegistryOptions one_thread() {
    RegistryOptions options;
    options.map_bytes = std::uint64_t{1} << 26;
    options.threads = 1;
    return options;
}

/// A history as one run without an end in between saw it.
struct Script {
    struct After {
        std::uint64_t entries = 0;
        Digest root;
        Digest state;
    };
    std::vector<HistoryInput> inputs;
    std::vector<After> after;  // each of them
    std::vector<Bytes> entries;
    std::vector<Decision> decisions;

    static After now(Registry& registry) {
        const JournalSize size = must(registry.journal());
        return {size.entries, size.root, must(registry.export_state())};
    }
    static Script record(const NetworkParams& params) {
        Script out;
        TempFolder folder;
        const auto registry = must(Registry::open(folder / "registry", params, one_thread()));
        HistoryHost host(params, kSeed);
        RandomHistory history(
            params, kSeed, host, [&]() -> Registry& { return *registry; },
            [&](const HistoryInput& input) { return out.take(*registry, input); });
        for (std::uint64_t n = 0; n < kBlocks; ++n) history.next_block();
        out.entries = must(registry->entries(0, SIZE_MAX / 2));
        out.decisions = must(registry->decisions(0, SIZE_MAX / 2));
        return out;
    }
    /// Applies it as a history wants it, with what came of it.
    std::vector<ObjectOutcome> take(Registry& registry, const HistoryInput& input) {
        std::vector<ObjectOutcome> outcomes = must(apply_input(registry, input));
        inputs.push_back(input);
        after.push_back(now(registry));
        return outcomes;
    }
    /// How many inputs a registry of so many entries has behind it, at least.
    [[nodiscard]] std::size_t behind(std::uint64_t entry_count) const {
        std::size_t k = 0;
        while (k < after.size() && after[k].entries <= entry_count) ++k;
        return k;
    }
};

/// What the child says once an input is durable.
struct Acknowledged {
    std::uint32_t input = 0;
    std::uint64_t entries = 0;
};

class JournalKill : public ::testing::Test {
  protected:
    /// Feeds a child from input `next` on, and kills it after so many microseconds.
    void feed_and_kill(std::size_t next, std::uint64_t us) {
        KilledChild child([&](int in, int out) {
            auto registry = Registry::open(*folder_ / "registry", params_, one_thread());
            if (!registry) ::_exit(2);
            for (std::uint32_t k = 0; ::read(in, &k, sizeof k) == sizeof k;) {
                (void)must(apply_input(**registry, script_.inputs[k]));
                const Acknowledged done{k, must((*registry)->journal()).entries};
                if (::write(out, &done, sizeof done) != sizeof done) ::_exit(3);
            }
        });
        // More than it gets done, and less than a pipe holds.
        constexpr std::size_t kAtOnce = 1'000;
        const std::size_t end = std::min(script_.inputs.size(), next + kAtOnce);
        for (std::size_t k = next; k < end; ++k) child.tell(static_cast<std::uint32_t>(k));
        ::usleep(static_cast<useconds_t>(us));
        (void)child.kill();
        bool idle = false;
        while (const auto done = child.heard<Acknowledged>()) {
            acknowledged_ = *done;
            EXPECT_EQ(done->entries, script_.after[done->input].entries);
            idle = done->input + 1 == end;
        }
        if (!idle) ++at_work_;
    }
    /// Opens what the child left. The first input that it has not behind it.
    std::size_t check() {
        const auto registry = must(Registry::open(*folder_ / "registry", params_, one_thread()));
        const Script::After found = Script::now(*registry);
        EXPECT_GE(found.entries, acknowledged_.entries) << "an acknowledged entry is lost";
        const std::size_t next = script_.behind(found.entries);
        if (next == 0) return 0;
        const Script::After& expected = script_.after[next - 1];
        EXPECT_EQ(found.entries, expected.entries) << "half of what was one transaction";
        EXPECT_EQ(found.root, expected.root);
        EXPECT_EQ(found.state, expected.state);
        const std::vector<Bytes> entries = must(registry->entries(0, SIZE_MAX / 2));
        EXPECT_EQ(entries.size(), found.entries) << "a number without an entry";
        EXPECT_TRUE(std::equal(entries.begin(), entries.end(), script_.entries.begin()));
        // Whoever did not hear of it hands it over again.
        (void)must(apply_input(*registry, script_.inputs[next - 1]));
        const Script::After again = Script::now(*registry);
        EXPECT_EQ(again.entries, found.entries) << "judged twice";
        EXPECT_EQ(again.state, found.state) << "judged twice";
        if (next == script_.inputs.size()) {
            EXPECT_EQ(must(registry->decisions(0, SIZE_MAX / 2)), script_.decisions);
        }
        return next;
    }
    void begin_anew() {
        folder_ = std::make_unique<TempFolder>();
        acknowledged_ = {};
    }

    const NetworkParams params_ = history_network();
    const Script script_ = Script::record(params_);
    std::unique_ptr<TempFolder> folder_ = std::make_unique<TempFolder>();
    Acknowledged acknowledged_;
    int at_work_ = 0;
};

TEST_F(JournalKill, NoAcknowledgedEntryIsLostAndNoneIsJudgedTwice) {
    const int points = kill_points(200);
    const auto begin = std::chrono::steady_clock::now();
    {
        const auto registry = must(Registry::open(*folder_ / "whole", params_, one_thread()));
        for (const HistoryInput& input : script_.inputs) {
            (void)must(apply_input(*registry, input));
        }
        const Script::After found = Script::now(*registry);
        ASSERT_EQ(found.state, script_.after.back().state);
    }
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - begin);

    std::mt19937_64 random(4);
    std::size_t next = 0;
    int whole_runs = 0;
    for (int killed = 0; killed < points; ++killed) {
        // A tenth of the history at most, so that each is interrupted many times.
        const auto most = static_cast<std::uint64_t>(took.count() / 10 + 1);
        feed_and_kill(next, 500 + random() % most);
        next = check();
        ASSERT_FALSE(HasFailure()) << "after kill " << killed + 1;
        if (next < script_.inputs.size()) continue;
        ++whole_runs;
        next = 0;
        begin_anew();
    }
    EXPECT_GE(at_work_, points / 2);
    EXPECT_GE(whole_runs, points / 100) << "hardly anything came to its end: this shows little";
}

}  // namespace
}  // namespace holdfast::test
