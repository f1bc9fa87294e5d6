// Attack 13, by a disk: one bit of a sealed replica is another one than it was.
//
// Cost: the misses of the heights that draw the damaged chunk. Bound: every cell is hashed up to
// the registered root before anything is recorded or signed, so that corruption is a missed link,
// reported by its chunk, and never an offence. The naive scheme beside it signs what it reads.
#include <gtest/gtest.h>

#include <fstream>

#include "support/court.hpp"
#include "support/sealed_chain.hpp"
#include "unit/api/node_fixture.hpp"

namespace holdfast::test {
namespace {

void flip_bit(const std::filesystem::path& file, std::uint64_t byte, unsigned bit) {
    std::fstream f(file, std::ios::binary | std::ios::in | std::ios::out);
    f.seekg(static_cast<std::streamoff>(byte));
    char c = 0;
    f.get(c);
    f.seekp(static_cast<std::streamoff>(byte));
    f.put(static_cast<char>(c ^ static_cast<char>(1U << bit)));
    ASSERT_TRUE(f.good());
}

TEST(AttackCorruptCell, IsRefusedBeforeARecordOrASignature) {
    NetworkParams params = short_network();
    params.name = "rot";
    RegistryWorld world(params);
    const SealedChain chain(params, 1, {64, 1, false, Height(110), {}});
    enrol(world, {&chain});
    const Court court(world);
    LinkRecords records = must(LinkRecords::open(chain.folder() / "x.chain"));
    std::size_t refused = 0;
    std::size_t naive_offences = 0;
    for (std::uint64_t n = 0; n < 8; ++n) {
        world.feed();
        const KnownHeight known = known_height(world, chain, world.tip());
        const OpenedCells where = chain.opened(known);
        const std::size_t j = n * 2 % kChunksPerLink;
        const std::uint64_t byte =
            kFileHeaderBytes + where[j].index().value * kCellBytes + n * 31 % kCellBytes;
        const auto bit = static_cast<unsigned>(n % 8);
        flip_bit(chain.replica_file(), byte, bit);

        // Opened before the damage and after it: the same answer.
        const Replica fresh = chain.open_replica();
        for (const Replica* replica : {&chain.replica(), &fresh}) {
            const auto made =
                make_link(chain.network_id(), *replica, chain.facts(known), chain.key(), records);
            ASSERT_FALSE(made);
            EXPECT_EQ(made.error().code, ErrorCode::kCorrupt);
            EXPECT_NE(made.error().message.find(std::to_string(where[j].chunk.value)),
                      std::string::npos)
                << made.error().message;
            ++refused;
        }
        EXPECT_EQ(records.size(), 0U);

        // Naive: it signs what it reads, and the true cell convicts it.
        const SignedLink naive = chain.forge(known, [&](const OpenedCell& at) {
            Cell cell = chain.cell(at);
            if (at == where[j]) cell[n * 31 % kCellBytes] ^= static_cast<std::uint8_t>(1U << bit);
            return cell;
        });
        const auto bad = static_cast<std::uint8_t>(j);
        naive_offences += court.judge(make_false_opening(claim_of(naive), naive.opening.openings,
                                                         bad, chain.cell(where[j]),
                                                         chain.tree().path(where[j].index().value)))
                                  .verdict
                              ? 1
                              : 0;
        flip_bit(chain.replica_file(), byte, bit);
    }
    std::printf("%zu damaged links refused, nothing recorded; naive: 8 of 8 an offence (%zu)\n",
                refused, naive_offences);
    EXPECT_EQ(naive_offences, 8U);
    // With the bit back in its place it links again.
    const KnownHeight known = known_height(world, chain, world.tip());
    EXPECT_TRUE(
        make_link(chain.network_id(), chain.replica(), chain.facts(known), chain.key(), records));
}

class AttackCorruptCellNode : public Node {};

TEST_F(AttackCorruptCellNode, MissesWhatDrawsTheChunkAndReportsIt) {
    params_.misses_late = 1'000;  // so that an audit is drawn in a thousand heights
    chain_.reset();
    std::filesystem::remove_all(dir_ / "chain");
    chain_ = value_of(LocalChain::create(dir_ / "chain", params_, 1'700'000'000'000));
    ledger_ = value_of(BondLedger::open(dir_ / "ledger-2", params_.id()));
    new_blocks(4);
    const Registration registration = seal_and_register("a", 1, 100'000);  // 25 chunks
    const ChainId id = registration.chain_id(params_.id());
    VdfClock with = clock(key_of(9));
    Aggregator node = aggregator(with);
    Prover prover = value_of(Prover::open(params_, files("a"), registration, key_of(1)));
    Prover* const provers[] = {&prover};
    new_blocks(16);
    for (const BlockReport& report : advance_all(node, provers)) {
        for (const BlockFault& fault : report.faults) ADD_FAILURE() << fault.error.message;
    }
    constexpr std::uint64_t kDamaged = 3;
    flip_bit(files("a").replica, kFileHeaderBytes + kDamaged * kChunkBytes + 1'000, 5);
    const Height before = value_of(node.registry().tip()).value();
    const std::uint64_t records = prover.records().size();

    new_blocks(24);
    std::size_t linked = 0;
    std::size_t missed = 0;
    for (const BlockReport& report : advance_all(node, provers)) {
        ASSERT_GT(report.height, before);
        const LinkRequest asked = value_of(node.link_request(id, report.height));
        RevealChain reveals = RevealChain::make(params_.id(), registration.replica_id(params_.id()),
                                                registration.genesis_height, key_of(1))
                                  .value();
        const Entropy e =
            chain_entropy(params_.id(), asked.y, id, reveals.at_height(report.height).value());
        const OpenedCells where = opened_cells(e, registration.header.chunks);
        const bool draws = std::any_of(where.begin(), where.end(), [&](const OpenedCell& at) {
            return at.chunk.value == kDamaged;
        });
        EXPECT_EQ(report.receipts.size(), draws ? 0U : 1U) << report.height.value;
        const bool reported =
            std::any_of(report.faults.begin(), report.faults.end(), [&](const BlockFault& fault) {
                return fault.chain_id == id && fault.height == report.height &&
                       fault.error.code == ErrorCode::kCorrupt;
            });
        EXPECT_EQ(reported, draws) << report.height.value;
        (draws ? missed : linked) += 1;
    }
    EXPECT_GT(missed, 0U);
    EXPECT_GT(linked, 0U);
    EXPECT_EQ(prover.records().size(), records + linked) << "nothing signed where it is damaged";
    EXPECT_EQ(value_of(ledger_->bond_info(registration.bond_id)).held_amount, 100U);
    std::printf(
        "one flipped bit in 25 chunks: %zu links missed and reported, %zu made, bond whole\n",
        missed, linked);
}

}  // namespace
}  // namespace holdfast::test
