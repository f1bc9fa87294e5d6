// Checkpoints on a host chain: who may submit one, what contradiction costs, and that none is lost
// when a run ends between closing a height and submitting; least sizes and deposits of chains.
#include "chunking/tree_file.hpp"
#include "settlement/settlement_ledger.hpp"
#include "unit/api/node_fixture.hpp"

namespace holdfast {
namespace {

using test::Node;
using test::succeed;
using test::value_of;

/// A host chain that takes only so many submissions more.
class TiredHost final : public Blockchain {
  public:
    explicit TiredHost(Blockchain& chain) : chain_(chain) {}
    std::size_t submissions_left = SIZE_MAX;

    Result<Height> current_height() override { return chain_.current_height(); }
    Result<BlockInfo> block_by_height(Height height) override {
        return chain_.block_by_height(height);
    }
    Status submit(Kind kind, ByteView object) override {
        if (submissions_left == 0) return fail(ErrorCode::kUnavailable, "tired");
        --submissions_left;
        return chain_.submit(kind, object);
    }
    Result<std::vector<Submission>> submissions_at(Height height) override {
        return chain_.submissions_at(height);
    }
    Result<std::vector<BondEvent>> bond_events_at(Height height) override {
        return chain_.bond_events_at(height);
    }

  private:
    Blockchain& chain_;
};

class Checkpoints : public Node {
  protected:
    static constexpr std::uint64_t kLeast = 50;

    void SetUp() override {
        params_.checkpoint_blocks = 4;
        params_.least_submitter_part = kLeast;
        Node::SetUp();
    }
    BondId bond(const KeyPair& owner, std::uint64_t amount, BondPurpose purpose) {
        const auto next = [&] { return IdempotencyKey(tagged_hash("test/key", ++keys_)); };
        succeed(ledger_->issue(owner.public_key(), amount, next()));
        return value_of(ledger_->create_bond(owner.public_key(), amount, purpose, next()));
    }
    Aggregator node(VdfClock& with, Blockchain& host, const KeyPair* checkpointer = nullptr,
                    std::optional<BondId> bond_id = std::nullopt) {
        AggregatorOptions options;
        options.registry = dir_ / "registry";
        options.operator_key = &operator_;
        options.checkpoint_bond = bond_id;
        return value_of(
            Aggregator::open(params_, host, with, ledger_.get(), checkpointer, options));
    }
    /// What the registry says of a closed height, with this key's and bond's name under it.
    Checkpoint true_one(const Aggregator& node, Height height, const KeyPair& key,
                        const BondId& bond_id) {
        return value_of(build_checkpoint(node.registry(), height, bond_id, key));
    }
    Checkpoint false_one(const Checkpoint& c, const KeyPair& key) {
        return make_checkpoint(params_.id(), c.height, c.block_hash,
                               GlobalDigest(tagged_hash("test/false")), c.total_chains, c.bond_id,
                               key)
            .value();
    }
    void submit(const Checkpoint& c) {
        succeed(chain_->submit_checkpoint(wrap_object(Kind::kCheckpoint, c.encode())));
    }
    /// Enough blocks that what was submitted becomes final, and everything that came of them.
    std::vector<ObjectOutcome> settle(Aggregator& node) {
        new_blocks(params_.finality_blocks + 1);
        std::vector<ObjectOutcome> out;
        for (const BlockReport& report : advance_all(node, {})) {
            out.insert(out.end(), report.objects.begin(), report.objects.end());
        }
        return out;
    }
    std::vector<Bytes> listed(Kind kind) {
        std::vector<Bytes> out;
        const Height tip = value_of(chain_->current_height());
        for (Height h = params_.genesis_height; h <= tip; ++h) {
            for (Submission& s : value_of(chain_->submissions_at(h))) {
                if (s.kind == kind) out.push_back(std::move(s.object));
            }
        }
        return out;
    }

  private:
    std::uint64_t keys_ = 0;
};

std::vector<Verdict> verdicts(const std::vector<ObjectOutcome>& objects) {
    std::vector<Verdict> out;
    for (const ObjectOutcome& o : objects) out.push_back(o.verdict);
    return out;
}

TEST_F(Checkpoints, StandOnAHeldBondOfTheirSubmitterThatIsLargeEnough) {
    VdfClock with = clock(key_of(9));
    Aggregator aggregator = node(with, *chain_);
    new_blocks(14);
    advance_all(aggregator, {});
    const Height height(4);
    const KeyPair key = key_of(3);
    const BondId good = bond(key, kLeast, BondPurpose::kCheckpoint);
    const BondId small = bond(key, kLeast - 1, BondPurpose::kCheckpoint);
    const BondId other_purpose = bond(key, kLeast, BondPurpose::kStorage);
    const BondId another = bond(key_of(4), kLeast, BondPurpose::kCheckpoint);
    const BondId released = bond(key, kLeast, BondPurpose::kCheckpoint);
    value_of(ledger_->release_bond(released, kLeast, IdempotencyKey(tagged_hash("test/release"))));
    for (const BondId& b : {small, other_purpose, another, released, BondId{}, good}) {
        submit(true_one(aggregator, height, key, b));
    }
    EXPECT_EQ(verdicts(settle(aggregator)),
              (std::vector<Verdict>{Reason::kBondTaken, Reason::kNoBond, Reason::kNoBond,
                                    Reason::kBondTaken, Reason::kNoBond, Verdict::ok()}));
    EXPECT_TRUE(listed(Kind::kEvidence).empty());
}

TEST_F(Checkpoints, ThatContradictEachOtherCostTheirPartOnceWithoutAnAccuser) {
    VdfClock with = clock(key_of(9));
    Aggregator aggregator = node(with, *chain_);
    new_blocks(14);
    advance_all(aggregator, {});
    const KeyPair key = key_of(3);
    const BondId staked = bond(key, 80, BondPurpose::kCheckpoint);
    const Checkpoint good = true_one(aggregator, Height(4), key, staked);
    const Checkpoint bad = false_one(good, key);
    submit(good);
    submit(bad);
    EXPECT_EQ(verdicts(settle(aggregator)),
              (std::vector<Verdict>{Verdict::ok(), Reason::kGlobalMismatch}));
    submit(false_one(true_one(aggregator, Height(4), key, staked), key));  // the same bytes
    settle(aggregator);
    EXPECT_TRUE(listed(Kind::kEvidence).empty());
    EXPECT_EQ(value_of(ledger_->bond_info(staked)).held_amount, 30U) << "80 less the part";
    EXPECT_EQ(value_of(ledger_->totals()).in_pool, kLeast);
    succeed(ledger_->audit());
}

TEST_F(Checkpoints, OfOurOwnAreNotLostWhenARunEndsBeforeSubmitting) {
    VdfClock with = clock(key_of(9));
    const KeyPair key = key_of(3);
    const BondId staked = bond(key, kLeast, BondPurpose::kCheckpoint);
    TiredHost host(*chain_);
    new_blocks(30);
    std::size_t ended = 0;
    for (;; ++ended) {
        // Each run ends with the first checkpoint that it cannot hand over; the next hands it over
        // and ends with the one after.
        Aggregator aggregator = node(with, host, &key, staked);
        host.submissions_left = ended == 0 ? 0 : 1;
        Result<std::optional<BlockReport>> report = aggregator.advance({});
        while (report && *report) report = aggregator.advance({});
        if (report) break;
        EXPECT_EQ(report.error().code, ErrorCode::kUnavailable);
        ASSERT_LT(ended, 30U);
    }
    EXPECT_EQ(ended, 7U);
    new_blocks(1);
    std::vector<std::uint64_t> heights;
    for (const Bytes& object : listed(Kind::kCheckpoint)) {
        heights.push_back(Checkpoint::decode(ByteView(object).subspan(2)).value().height.value);
    }
    EXPECT_EQ(heights, (std::vector<std::uint64_t>{0, 4, 8, 12, 16, 20, 24}))
        << "each once: the same bytes are listed once";
}

TEST_F(Checkpoints, ChainsBelowTheLeastSizeOrDepositAreRefused) {
    params_.min_chunks = 40;
    chain_.reset();
    std::filesystem::remove_all(dir_ / "chain");
    chain_ = value_of(LocalChain::create(dir_ / "chain", params_, 1'700'000'000'000));
    ledger_ = value_of(BondLedger::open(dir_ / "ledger-2", params_.id()));
    new_blocks(4);
    // One replica over a bond that holds too little, then over one of 100.
    const KeyPair key = key_of(2);
    const BondId little = bond(key, kLeast - 1, BondPurpose::kStorage);
    const Registration rich = seal_and_register("large", 2, 40 * kChunkBytes);
    FileHeader header = value_of(read_replica_header(files("large").replica, params_));
    header.replica.nonce += 1;  // another replica
    const Registration poor = value_of(make_registration(
        params_, header,
        {rich.genesis_height, rich.genesis_block_hash, Retention::kDefault, little, true}, key));
    succeed(chain_->submit_registration(wrap_object(Kind::kRegistration, poor.encode())));
    // Nobody can seal less than the least size with this engine: a registration that says so.
    Registration small = rich;
    small.header.chunks = ChunkCount(39);
    small.header.data_len = 39 * kChunkBytes;
    small = sign_registration(params_.id(), small, key).value();
    succeed(chain_->submit_registration(wrap_object(Kind::kRegistration, small.encode())));
    VdfClock with = clock(key_of(9));
    Aggregator aggregator = node(with, *chain_);
    const std::vector<ObjectOutcome> objects = settle(aggregator);
    EXPECT_EQ(verdicts(objects),
              (std::vector<Verdict>{Verdict::ok(), Reason::kBondTaken, Reason::kTooSmall}));
}

}  // namespace
}  // namespace holdfast
