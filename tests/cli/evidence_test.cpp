// Evidence by the command: made from two receipts, judged from public data, settled once.
#include "clock/public_record.hpp"
#include "node_world.hpp"
#include "proofs/bundle.hpp"
#include "proofs/entropy.hpp"
#include "proofs/link.hpp"

namespace holdfast::test {
namespace {

/// A second link of the height of a.receipt, signed by the prover's own key: b.receipt.
void equivocate(const NodeWorld& world) {
    const auto record = PublicRecord::load(world / "public");
    ASSERT_TRUE(record) << record.error().message;
    const Bytes object = slurp(world / "a.receipt");
    Receipt receipt = *Receipt::decode(*unwrap_object(Kind::kReceipt, object));
    ChainId chain;
    ASSERT_TRUE(from_hex(world.chain(), MutByteView(chain.bytes)));
    receipt.link[0] ^= 1;
    const auto known = record->known_height(receipt.height);
    ASSERT_TRUE(known);
    receipt.signature = KeyPair::from_secret(Bytes(32, 1))
                            .sign(receipt_digest(record->network_id(), chain, receipt.height,
                                                 known->block_hash, receipt.anchor, receipt.link))
                            .value();
    spill(world / "b.receipt", wrap_object(Kind::kReceipt, receipt.encode()));
}

TEST(Evidence, ABundleAndAReceiptOfAnotherLinkAreTheSameOffence) {
    NodeWorld world;
    world.live({{"a", "alice.key"}});
    world.prove_all("a", "alice.key");
    equivocate(world);
    const auto record = PublicRecord::load(world / "public");
    ASSERT_TRUE(record) << record.error().message;
    const Receipt other =
        *Receipt::decode(*unwrap_object(Kind::kReceipt, slurp(world / "b.receipt")));
    ChainId chain;
    ASSERT_TRUE(from_hex(world.chain(), MutByteView(chain.bytes)));
    const auto bundle = make_bundle(
        record->network_id(), record->known_height(other.height)->block_hash, other.height,
        other.anchor, {{chain, other.link}}, KeyPair::from_secret(Bytes(32, 1)));
    ASSERT_TRUE(bundle);
    spill(world / "b.bundle", wrap_object(Kind::kBundle, bundle->encode()));
    const std::string rest = " --chain " + world.chain() + " --public public --out ";
    const auto two = world.json("evidence make equivocation a.receipt b.receipt" + rest + "1");
    const auto with_bundle =
        world.json("evidence make equivocation a.receipt b.bundle" + rest + "9");
    EXPECT_EQ(two.at("kind_number"), 1);
    EXPECT_TRUE(with_bundle.at("accepted"));
    EXPECT_EQ(with_bundle.at("offence_id"), two.at("offence_id"));
    EXPECT_TRUE(world.json("evidence verify 9 --public public").at("accepted"));
    expect_failure(world.run("evidence make equivocation a.receipt b.bundle --chain " +
                             std::string(64, '1') + " --public public --out x"),
                   kExitRefused, "b.bundle");
}

TEST(Evidence, FromTwoReceiptsToASettledOffence) {
    NodeWorld world;
    world.live({{"a", "alice.key"}});
    world.prove_all("a", "alice.key");
    world.key("bob.key", 9);
    equivocate(world);
    const std::string make = "evidence make equivocation a.receipt b.receipt --chain " +
                             world.chain() + " --public public --out e.evidence";
    expect_failure(world.run("evidence verify e.evidence --public public"), kExitEnvironment,
                   "e.evidence");
    const auto made = world.json(make);
    EXPECT_EQ(made.at("offence"), "equivocation");
    EXPECT_EQ(made.at("offender"), world.chain());
    EXPECT_TRUE(made.at("accepted"));
    expect_failure(world.run(make), kExitEnvironment, "--force");
    EXPECT_TRUE(world.json("evidence verify e.evidence --public public").at("accepted"));

    // A deposit is somebody's; with it comes a tenth of what is taken.
    expect_failure(world.run("evidence settle e.evidence --deposit 10"), kExitUsage, "--key");
    world.good("ledger issue --key bob.key --amount 10");
    const auto submitted = world.json("evidence settle e.evidence --key bob.key --deposit 10");
    EXPECT_EQ(submitted.at("submitted").at(0), "e.evidence");
    world.good("chain new-block --count 5");
    world.good("block process");
    const auto settled = world.json("evidence settle");
    EXPECT_EQ(settled.at("open"), 0);
    const auto cases = world.json("evidence cases").at("cases");
    ASSERT_EQ(cases.size(), 2U) << "the offence, and the deposit that goes back";
    const auto is_offence = [&](const auto& one) {
        return one.at("case") == made.at("offence_id");
    };
    const auto& offence = is_offence(cases.at(0)) ? cases.at(0) : cases.at(1);
    EXPECT_TRUE(is_offence(offence));
    EXPECT_TRUE(offence.at("settled"));
    EXPECT_EQ(offence.at("steps").at(0).at("step"), "slash");
    EXPECT_GT(offence.at("steps").at(0).at("amount").get<std::uint64_t>(), 0U);
    EXPECT_EQ(offence.at("steps").at(1).at("step"), "reward");
    const std::string bob = to_hex(view(KeyPair::from_secret(Bytes(32, 9)).public_key()));
    const auto ledger = world.json("ledger show --account " + bob);
    EXPECT_GT(ledger.at("balances").at(bob).get<std::uint64_t>(), 10U);
}

TEST(Evidence, FromAProofWithAWrongCellToAnOffence) {
    NodeWorld world;
    world.live({{"a", "alice.key"}});
    world.prove_all("a", "alice.key");
    // The prover's own key over a link whose opening 3 is of another cell.
    const auto record = PublicRecord::load(world / "public");
    ASSERT_TRUE(record) << record.error().message;
    const Bytes object = slurp(world / "a.full");
    Full lie = *Full::decode(*unwrap_object(Kind::kFull, object));
    const auto known = record->known_height(lie.receipt.height);
    const auto chain = record->known_chain(lie.chain_id, lie.receipt.height);
    ASSERT_TRUE(known && chain);
    lie.cells[3][17] ^= 1;
    const Entropy e = chain_entropy(record->network_id(), *known->y, lie.chain_id, lie.reveal);
    const OpenedCells where = opened_cells(e, chain->chunks);
    const auto order = ascending_order(where);
    std::array<Cell, kChunksPerLink> selected;
    for (std::size_t k = 0; k < order.size(); ++k) selected[order[k]] = lie.cells[k];
    lie.receipt.link =
        link_hash(record->network_id(),
                  {lie.chain_id, lie.receipt.height, known->block_hash, lie.receipt.anchor,
                   lie.link_before, e, opening_root(opening_hashes(e, where, selected))});
    lie.receipt.signature =
        KeyPair::from_secret(Bytes(32, 1))
            .sign(receipt_digest(record->network_id(), lie.chain_id, lie.receipt.height,
                                 known->block_hash, lie.receipt.anchor, lie.receipt.link))
            .value();
    spill(world / "lie.full", wrap_object(Kind::kFull, lie.encode()));
    const std::string end = " a.replica --public public --out e.evidence";
    const auto made = world.json("evidence make opening lie.full" + end);
    EXPECT_EQ(made.at("kind_number"), 2);
    EXPECT_EQ(made.at("offender"), world.chain());
    EXPECT_TRUE(world.json("evidence verify e.evidence --public public").at("accepted"));

    // Of honest proofs, and of what a stranger has changed, there is none.
    for (const char* honest : {"a.full", "a.compact"}) {
        const Ran none =
            world.run(std::string("evidence make opening ") + honest + end + " --force");
        EXPECT_EQ(none.code, kExitRefused) << none;
        EXPECT_TRUE(none.says("no-offence")) << none;
    }
    Full tampered = *Full::decode(*unwrap_object(Kind::kFull, object));
    tampered.cells[3][17] ^= 1;
    spill(world / "tampered.full", wrap_object(Kind::kFull, tampered.encode()));
    const Ran stranger = world.run("evidence make opening tampered.full" + end + " --force");
    EXPECT_EQ(stranger.code, kExitRefused) << stranger;
    EXPECT_TRUE(stranger.says("nobody has committed")) << stranger;
    expect_failure(world.run("evidence make opening a.receipt" + end + " --force"), kExitRefused,
                   "a.receipt");
}

TEST(Evidence, HonestObjectsMakeNone) {
    NodeWorld world;
    world.live({{"a", "alice.key"}});
    world.prove_all("a", "alice.key");
    const std::string height = std::to_string(world.compact_height());
    const Ran twice = world.run("evidence make equivocation a.receipt a.compact --chain " +
                                world.chain() + " --public public --out e.evidence");
    EXPECT_EQ(twice.code, kExitRefused) << twice;
    EXPECT_TRUE(twice.says("evidence-order")) << twice;
    const Ran sealed = world.run("evidence make seal seal.proof --public public --out e.evidence");
    EXPECT_EQ(sealed.code, kExitRefused) << sealed;
    EXPECT_TRUE(sealed.says("no-offence")) << sealed;
    const Ran vdf = world.run("evidence make vdf public/vdf/" + height +
                              ".vdfproof --public public --out e.evidence");
    EXPECT_EQ(vdf.code, kExitRefused) << vdf;
    EXPECT_TRUE(vdf.says("no-offence")) << vdf;
    EXPECT_FALSE(std::filesystem::exists(world / "e.evidence"));
    spill(world / "junk", Bytes(50, 7));
    expect_failure(world.run("evidence verify junk --public public"), kExitRefused, "junk");
}

}  // namespace
}  // namespace holdfast::test
