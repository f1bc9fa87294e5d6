// Availability through the Aggregator: what blocks list, from a challenger's registration to what
// is paid, suspended and slashed; on the shipped adapters, with replicas that were really sealed.
#include "support/availability_world.hpp"
#include "unit/api/node_fixture.hpp"

namespace holdfast {
namespace {

using test::Node;
using test::SimPeer;
using test::succeed;
using test::value_of;

constexpr std::size_t kChallengers = 3;
constexpr AvailabilityTerms kTerms{7, 3};
constexpr std::uint64_t kPool = 100'000;

/// Gives an error instead of the answer number `fails_at`: a run that ends there leaves what a
/// crash would leave.
class BreakingChain final : public Blockchain {
  public:
    explicit BreakingChain(Blockchain& chain) : chain_(chain) {}
    Result<Height> current_height() override {
        return ask([&] { return chain_.current_height(); });
    }
    Result<BlockInfo> block_by_height(Height h) override {
        return ask([&] { return chain_.block_by_height(h); });
    }
    Status submit(Kind kind, ByteView object) override { return chain_.submit(kind, object); }
    Result<std::vector<Submission>> submissions_at(Height h) override {
        return ask([&] { return chain_.submissions_at(h); });
    }
    std::uint64_t asked = 0;
    std::uint64_t fails_at = 0;

  private:
    template <class F>
    auto ask(F&& f) -> decltype(f()) {
        if (++asked == fails_at) return fail(ErrorCode::kIo, "broken on purpose");
        return f();
    }
    Blockchain& chain_;
};

/// Everything that must be the same on every node and after any interruption.
struct Story {
    std::map<Height, GlobalDigest> globals;
    std::vector<AvailabilityScore> scores;
    friend bool operator==(const Story&, const Story&) = default;
};

/// Two provers and three challengers live through some thirty blocks, once for all tests.
class AvailabilityNode : public Node {
  protected:
    AvailabilityNode() {
        params_.availability_n = params_.availability_d = 1;
        params_.availability_chunks = 4;
        params_.quorum = 2;
        params_.quorum_of = 3;
        params_.quorum_window = 20;
    }
    struct Proving {
        std::string name;
        Registration registration;
        std::unique_ptr<AvailabilityResponder> responder;
        [[nodiscard]] ChainId id(const NetworkParams& p) const {
            return registration.chain_id(p.id());
        }
    };
    struct Challenging {
        KeyPair key;
        std::unique_ptr<ChallengeJournal> journal;
        std::unique_ptr<test::SimNetwork> network;
        std::unique_ptr<AvailabilityChallenger> engine;
    };
    struct Opened {
        std::unique_ptr<VdfClock> clock;
        std::unique_ptr<Aggregator> node;
        std::vector<std::unique_ptr<Prover>> provers;
        std::vector<Prover*> driven;
    };

    void SetUp() override {
        Node::SetUp();
        succeed(ledger_->fund_pool(kPool, once("pool", 0)));
        new_blocks(4);
        for (std::uint8_t n = 0; n < 2; ++n) add_prover(n);
        for (std::uint8_t n = 0; n < kChallengers; ++n) add_challenger(n);
    }
    static IdempotencyKey once(const char* what, std::uint64_t n) {
        return IdempotencyKey(tagged_hash(what, n));
    }
    void add_prover(std::uint8_t n) {
        Proving p{"p" + std::to_string(n), {}, {}};
        p.registration = seal_and_register(p.name, n, 70'000);
        p.responder = std::make_unique<AvailabilityResponder>(params_, time_.clock());
        const ProverFiles from = files(p.name);
        succeed(p.responder->add_chain(
            p.id(params_),
            std::make_shared<Replica>(value_of(Replica::open(from.replica, from.tree, params_))),
            std::make_shared<KeyPair>(key_of(n))));
        peers_[key_of(n).public_key()].handle = [responder = p.responder.get()](
                                                    const PublicKey& from_peer, ByteView object) {
            return responder->respond(from_peer, object);
        };
        proving_.push_back(std::move(p));
    }
    void add_challenger(std::uint8_t n) {
        const auto number = static_cast<std::uint8_t>(50 + n);
        Challenging c{key_of(number), {}, {}, {}};
        const PublicKey own = c.key.public_key();
        c.journal =
            value_of(ChallengeJournal::open(dir_ / ("journal" + std::to_string(n)), params_.id()));
        c.network = std::make_unique<test::SimNetwork>(time_, own, peers_);
        keys_.push_back(std::make_unique<KeyPair>(key_of(number)));
        const Height base = value_of(chain_->current_height()) + 1 + params_.seal_delay;
        c.engine = std::make_unique<AvailabilityChallenger>(params_, *keys_.back(), base,
                                                            *c.journal, *c.network, time_.clock(),
                                                            ChallengerOptions{.at_once = 1});
        succeed(ledger_->issue(own, 100, once("issue challenger", n)));
        const BondId bond = value_of(
            ledger_->create_bond(own, 100, BondPurpose::kChallenger, once("bond challenger", n)));
        const Challenger made =
            make_challenger(params_.id(), c.engine->commitment(), base, bond, c.key);
        succeed(chain_->submit(Kind::kChallenger, wrap_object(Kind::kChallenger, made.encode())));
        challenging_.push_back(std::move(c));
    }

    /// A node in folders of this name; `own_token`: with a ledger beside the fixture's, in which
    /// the same bonds are.
    Opened open(const std::string& name, Blockchain& chain, Token* token) {
        Opened o;
        o.clock = std::make_unique<VdfClock>(
            value_of(VdfClock::open(params_, *chain_, nullptr, key_of(9), {dir_ / "vdf", 1})));
        AggregatorOptions options;
        options.registry = dir_ / name;
        options.min_bond = token == nullptr ? 0 : 1;
        options.min_challenger_bond = options.min_bond;
        options.availability_terms = kTerms;
        o.node = std::make_unique<Aggregator>(
            value_of(Aggregator::open(params_, chain, *o.clock, token, nullptr, options)));
        for (std::uint8_t n = 0; n < proving_.size(); ++n) {
            ProverFiles from = files(proving_[n].name);
            from.records = dir_ / (name + proving_[n].name + ".chain");
            o.provers.push_back(std::make_unique<Prover>(
                value_of(Prover::open(params_, from, proving_[n].registration, key_of(n)))));
            o.driven.push_back(o.provers.back().get());
        }
        return o;
    }
    void note(const BlockReport& report) {
        if (report.closed) story_.globals[*report.closed] = report.global;
        for (const ObjectOutcome& o : report.objects) {
            ++verdicts_[{o.kind, o.verdict.reason}];
        }
        for (const BlockFault& fault : report.faults) ADD_FAILURE() << fault.error.message;
    }
    /// The next block: the node, the provers, and every challenger at the height before.
    void live(Opened& o) {
        new_blocks(1);
        for (const BlockReport& report : advance_all(*o.node, o.driven)) {
            note(report);
            if (report.closed) late_[*report.closed] = report.counts.late;
        }
        const Height tip = value_of(o.node->registry().tip()).value();
        const BlockRecord block = value_of(o.node->registry().block(tip)).value();
        std::vector<PublicKey> keys;
        for (const Challenger& c : value_of(o.node->availability_book().challengers_at(tip))) {
            keys.push_back(c.key);
        }
        for (Proving& p : proving_) p.responder->on_final_block({tip, block.hash, block.y, keys});
        for (Challenging& c : challenging_) {
            c.engine->on_final_block(tip);
            const auto round = value_of(o.node->availability().round(tip - 1));
            if (round && !round->challengers.empty()) value_of(c.engine->draw(*round));
            value_of(c.engine->publish(*chain_));
        }
        const std::uint64_t start = time_.now_ns;
        while (send_next()) {
        }
        time_.now_ns =
            std::max<std::uint64_t>(time_.now_ns, start + params_.block_ms * 1'000'000ULL);
    }
    /// Lets time pass until the next challenge is due, and sends it. False: none is left.
    bool send_next() {
        std::optional<std::uint64_t> next;
        for (Challenging& c : challenging_) {
            const auto due = value_of(c.engine->next_due_ms());
            if (due) next = std::min(next.value_or(*due), *due);
        }
        if (!next) return false;
        time_.pass_us(*next * 1'000);
        for (Challenging& c : challenging_) value_of(c.engine->work());
        return true;
    }
    Story story_of(Opened& o) {
        for (const Proving& p : proving_) {
            story_.scores.push_back(value_of(o.node->availability_book().score(p.id(params_))));
        }
        return std::exchange(story_, {});
    }
    /// A response that the second prover signs and that shows nothing.
    void lie() {
        peers_[key_of(1).public_key()].handle = [this](const PublicKey&, ByteView object) {
            const auto c =
                Challenge::decode(unwrap_object(Kind::kChallenge, object).value()).value();
            const Response response = sign_response(
                c.id(params_.id()), Bytes(4 * kChunkBytes + 3 * kDigestBytes), key_of(1));
            return Result<Bytes>(wrap_object(Kind::kResponse, response.encode()));
        };
    }

    test::SimTime time_;
    std::map<PublicKey, SimPeer> peers_;
    std::vector<Proving> proving_;
    std::vector<Challenging> challenging_;
    std::vector<std::unique_ptr<KeyPair>> keys_;
    Story story_;
    std::map<std::pair<Kind, Reason>, std::uint64_t> verdicts_;
    std::map<Height, std::uint64_t> late_;
};

TEST_F(AvailabilityNode, SuspendsPaysAndSlashesOnceAndEveryInterruptionLeadsToTheSame) {
    SimPeer& second = peers_[key_of(1).public_key()];
    Opened o = open("registry", *chain_, ledger_.get());
    const auto live_for = [&](int blocks) {
        for (int i = 0; i < blocks; ++i) live(o);
    };
    live_for(16);
    second.down = true;
    live_for(10);
    second.down = false;
    live_for(10);
    lie();
    live_for(2);
    second.down = true;
    live_for(12);
    const Story told = story_of(o);

    // What was listed was taken, and each chain has what its prover deserves.
    EXPECT_EQ((verdicts_[{Kind::kChallenger, Reason::kOk}]), kChallengers);
    const AvailabilityScore honest = told.scores[0];
    const AvailabilityScore other = told.scores[1];
    EXPECT_GE(honest.served, 20U);
    EXPECT_EQ(honest.late + honest.unreachable + honest.invalid, 0U);
    EXPECT_GE(other.unreachable, 8U);
    EXPECT_GE(other.served, 6U);
    EXPECT_EQ(other.invalid, 2U);
    const std::uint64_t counted =
        honest.served + other.served + other.late + other.unreachable + other.invalid;
    EXPECT_EQ((verdicts_[{Kind::kOutcome, Reason::kOk}]), counted);
    EXPECT_EQ((verdicts_[{Kind::kChallenge, Reason::kOk}]), counted);
    EXPECT_EQ((verdicts_[{Kind::kEvidence, Reason::kOk}]), 2U);

    // The quorum suspended the second chain while it was away, and no longer.
    std::vector<std::uint64_t> late;
    for (const auto& [height, count] : late_) {
        if (late.empty() || late.back() != count) late.push_back(count);
    }
    EXPECT_EQ(late, (std::vector<std::uint64_t>{0, 1, 0, 1}));

    // To the last unit: 7 for each served, 3 for each outcome, a tenth of the bond to the first
    // accuser; the bond is gone once, for the first of two lies.
    const auto paid = [&](std::uint8_t key) {
        return value_of(ledger_->balance(key_of(key).public_key()));
    };
    EXPECT_EQ(paid(0), honest.served * kTerms.served_reward);
    EXPECT_EQ(paid(1), other.served * kTerms.served_reward);
    std::uint64_t challengers = 0;
    for (std::uint8_t n = 0; n < kChallengers; ++n) {
        challengers += paid(static_cast<std::uint8_t>(50 + n));
    }
    EXPECT_EQ(challengers, counted * kTerms.challenger_reward + 10);
    const BondInfo bond = value_of(ledger_->bond_info(proving_[1].registration.bond_id));
    EXPECT_EQ(bond.slashed_amount, 100U);
    EXPECT_EQ(value_of(ledger_->bond_info(proving_[0].registration.bond_id)).held_amount, 100U);
    const BondLedger::Totals totals = value_of(ledger_->totals());
    EXPECT_EQ(totals.in_pool, kPool + 100 - paid(0) - paid(1) - challengers);
    succeed(ledger_->audit());
    o = Opened{};

    // Another node that follows the same blocks in one go, without a token.
    {
        Opened follower = open("follower", *chain_, nullptr);
        for (const BlockReport& r : advance_all(*follower.node, follower.driven)) note(r);
        EXPECT_EQ(story_of(follower), told);
    }
    // One that breaks off at every so many answers of its host and begins again from its folders.
    {
        BreakingChain breaking(*chain_);
        std::uint64_t breaks = 0;
        for (bool more = true; more;) {
            breaking.asked = 0;
            breaking.fails_at = 36 + 5 * breaks;  // later each time: it always comes further
            Opened broken = open("broken", breaking, nullptr);
            for (;;) {
                const auto report = broken.node->advance(broken.driven);
                if (report && *report) {
                    note(**report);
                    continue;
                }
                more = !report;
                breaks += more ? 1 : 0;
                break;
            }
            if (!more) {
                EXPECT_EQ(story_of(broken), told);
            }
        }
        EXPECT_GE(breaks, 8U);
    }
    // One whose book is lost makes it again from the blocks.
    std::filesystem::remove_all(dir_ / "follower.availability");
    new_blocks(1);
    const auto one_more = [&](const std::string& name) {
        Opened node = open(name, *chain_, nullptr);
        note(value_of(node.node->advance(node.driven)).value());
        return story_of(node);
    };
    EXPECT_EQ(one_more("follower"), one_more("broken"));
    // A registry from an old backup beside a book of today is refused.
    std::filesystem::rename(dir_ / "broken.availability", dir_ / "late.availability");
    Opened late_node = open("late", *chain_, nullptr);
    const auto refused = late_node.node->advance(late_node.driven);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace holdfast
