// Random histories of challengers, challenges and outcomes: a node that is restarted before every
// entry holds the same bytes after each of them as one that never was.
#include <random>

#include "support/challenger_world.hpp"

namespace holdfast::test {
namespace {

class History {
  public:
    explicit History(std::uint64_t seed) : random_(seed) {
        for (ChallengerWorld* w : {&steady_, &restarted_}) {
            for (const TestProver& p : provers_) w->add_chain(p);
        }
        for (std::uint64_t n = 0; n < 6; ++n) {
            challengers_.emplace_back(steady_.network_id, n, Height(0));
        }
        both([](ChallengerWorld& w) { w.blocks_until(Height(2)); });
    }
    void run(unsigned heights) {
        for (unsigned i = 0; i < heights && !::testing::Test::HasFailure(); ++i) {
            next_block();
            for (unsigned k = 0; k < 6; ++k) next_object();
        }
    }
    [[nodiscard]] std::uint64_t accepted() const { return accepted_; }

  private:
    void both(const std::function<void(ChallengerWorld&)>& run) {
        run(steady_);
        run(restarted_);
        ASSERT_EQ(steady_.dump(), restarted_.dump()) << "at tip " << steady_.tip().value;
        ASSERT_EQ(steady_.suspended, restarted_.suspended);
    }
    std::uint64_t below(std::uint64_t n) { return random_() % n; }

    void next_block() {
        std::vector<BondEvent> events;
        std::vector<Challenger> listed;
        const Height next = steady_.tip() + 1;
        TestChallenger& c = challengers_[below(challengers_.size())];
        const Height base_before = c.base;
        const std::vector<Reveal> reveals_before = c.reveals;
        if (below(3) == 0 && (c.base.value == 0 || next.since(c.base) > 20)) {
            c.begin_at(steady_.network_id, next + 4 + below(6), 200);
            events.push_back(BondEvent::created(c.bond, c.key.public_key(), 900 + below(4) * 700,
                                                BondPurpose::kChallenger));
            listed.push_back(c.registration(steady_.network_id));
        }
        const bool has_y = below(6) != 0;
        std::vector<Verdict> verdicts;
        both([&](ChallengerWorld& w) { verdicts = w.block(events, listed, has_y); });
        if (!verdicts.empty() && !verdicts[0]) {
            c.base = base_before;
            c.reveals = reveals_before;
        }
        if (below(12) == 0) leave(challengers_[below(challengers_.size())]);
    }
    void leave(const TestChallenger& c) {
        bool holds = false;
        steady_.in_entry([&](AvailabilityState&, BondBook& bonds) -> Status {
            HOLDFAST_ASSIGN(part,
                            bonds.part(BondPurpose::kChallenger, Digest{c.key.public_key().bytes}));
            holds = part && part->until == kNever;
            return {};
        });
        if (!holds) return;
        const Height until = steady_.tip() + steady_.params.seal_delay;
        both([&](ChallengerWorld& w) { w.leave(c, until); });
    }
    void next_object() {
        const TestProver& p = provers_[below(provers_.size())];
        const Height h = steady_.tip() - below(12);
        const auto kind = static_cast<OutcomeKind>(1 + below(4));
        const std::uint64_t what = below(5);
        // Whoever is assigned is among them.
        for (const TestChallenger& c : challengers_) speak(c, p, h, kind, what);
    }
    void speak(const TestChallenger& c, const TestProver& p, Height h, OutcomeKind kind,
               std::uint64_t what) {
        if (h < c.base || c.base.value == 0 || h.since(c.base) >= c.reveals.size()) return;
        Verdict verdict;
        both([&](ChallengerWorld& w) {
            if (what < 2) verdict = w.take(w.challenge(c, p, h));
            if (what == 2 || what == 3) verdict = w.take(w.outcome(c, p, h, kind));
            if (what == 4) {
                verdict = w.take(p.respond(w.params, w.network_id, w.challenge(c, p, h)));
            }
        });
        accepted_ += verdict.accepted() ? 1 : 0;
    }

    ChallengerWorld steady_{challenger_network(), false};
    ChallengerWorld restarted_{challenger_network(), true};
    std::vector<TestProver> provers_ = [] {
        std::vector<TestProver> out;
        for (std::uint64_t n = 1; n <= 3; ++n) out.emplace_back(n);
        return out;
    }();
    std::vector<TestChallenger> challengers_;
    std::mt19937_64 random_;
    std::uint64_t accepted_ = 0;
};

TEST(AvailabilityReplay, GivesTheSameBytesWhereverANodeWasRestarted) {
    std::uint64_t accepted = 0;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        History history(seed);
        history.run(60);
        accepted += history.accepted();
    }
    EXPECT_GE(accepted, 50U) << "hardly anything was accepted: this shows nothing";
}

}  // namespace
}  // namespace holdfast::test
