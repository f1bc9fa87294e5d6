// kill -9 of an operator that signs heads and checkpoints, at any moment, between the record of
// what it will sign and the signature as well: of each height and block it says one thing, and goes
// on.
#include <map>
#include <random>

#include "support/killed_child.hpp"
#include "unit/api/node_fixture.hpp"

namespace holdfast::test {
namespace {

class StatementKill : public Node {
  protected:
    void SetUp() override {
        params_.checkpoint_blocks = 2;
        Node::SetUp();
    }
    /// In a child: every block that there is, each head told as soon as it is signed.
    [[noreturn]] void be_operator(const BondId& bond, int out) {
        const auto chain = value_of(LocalChain::open(dir_ / "chain", LocalChain::Mode::kReadWrite));
        VdfClock with =
            value_of(VdfClock::open(params_, *chain, nullptr, key_of(9), {dir_ / "vdf", 1}));
        const KeyPair submitter = key_of(3);
        AggregatorOptions options;
        options.registry = dir_ / "registry";
        options.registry_options.threads = 1;
        options.operator_key = &operator_;
        options.checkpoint_bond = bond;
        Aggregator node =
            value_of(Aggregator::open(params_, *chain, with, nullptr, &submitter, options));
        while (const auto report = value_of(node.advance({}))) {
            if (!report->head) continue;
            const Bytes head = report->head->encode();
            if (::write(out, head.data(), head.size()) < 0) ::_exit(3);
        }
        ::_exit(0);
    }
};

TEST_F(StatementKill, NobodySaysTwoThingsOfOneHeight) {
    constexpr std::uint64_t kBlocks = 80;
    const int points = kill_points(60);
    const KeyPair submitter = key_of(3);
    succeed(ledger_->issue(submitter.public_key(), 500, IdempotencyKey(tagged_hash("issue"))));
    const BondId bond =
        value_of(ledger_->create_bond(submitter.public_key(), 500, BondPurpose::kCheckpoint,
                                      IdempotencyKey(tagged_hash("bond"))));
    new_blocks(kBlocks);
    chain_.reset();  // the child's

    std::map<Height, Bytes> heads;
    std::mt19937_64 random(7);
    int at_work = 0;
    std::uint64_t last = 0;
    for (int killed = 0; killed <= points; ++killed) {
        KilledChild child([&](int, int out) { be_operator(bond, out); });
        if (killed < points) {
            ::usleep(static_cast<useconds_t>(1'000 + random() % 12'000));
            if (child.kill()) ++at_work;
        }
        while (const auto head = child.heard<std::array<std::uint8_t, kHeadBytes>>()) {
            const Bytes bytes(head->begin(), head->end());
            const Checked<JournalHead> decoded = JournalHead::decode(bytes);
            ASSERT_TRUE(decoded);
            const auto [known, is_new] = heads.emplace(decoded->height, bytes);
            EXPECT_EQ(known->second, bytes) << "height " << decoded->height.value;
            last = std::max(last, decoded->height.value);
        }
    }
    EXPECT_EQ(last + params_.finality_blocks + params_.closing_blocks(), kBlocks)
        << "it did not go on to the end";
    EXPECT_GE(at_work, points / 10);

    // What the host lists of it: one checkpoint of each height.
    chain_ = value_of(LocalChain::open(dir_ / "chain", LocalChain::Mode::kReadWrite));
    new_blocks(1);
    std::map<Height, Bytes> listed;
    for (const Submission& s : value_of(chain_->submissions_at(Height(kBlocks + 1)))) {
        const auto c = Checkpoint::decode(unwrap_object(Kind::kCheckpoint, s.object).value());
        ASSERT_TRUE(c);
        EXPECT_TRUE(listed.emplace(c->height, s.object).second)
            << "two checkpoints of " << c->height.value;
    }
    EXPECT_EQ(listed.size(), last / params_.checkpoint_blocks + 1);
}

}  // namespace
}  // namespace holdfast::test
