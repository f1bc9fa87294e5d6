// Evidence by the command: made from two receipts, judged from public data, settled once.
#include "api/public_record.hpp"
#include "node_world.hpp"
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
                                                 known->block_hash, receipt.anchor, receipt.link));
    spill(world / "b.receipt", wrap_object(Kind::kReceipt, receipt.encode()));
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

    expect_failure(world.run("evidence settle e.evidence"), kExitUsage, "--key");
    const auto settled = world.json("evidence settle e.evidence --key bob.key");
    EXPECT_TRUE(settled.at("rulings").at(0).at("accepted"));
    EXPECT_EQ(settled.at("open"), 0);
    const auto again = world.run("evidence settle e.evidence --key bob.key --json");
    EXPECT_EQ(again.code, kExitRefused) << again;
    EXPECT_EQ(again.json().at("rulings").at(0).at("reason"), "already-settled");
    EXPECT_EQ(again.json().at("answered"), 0);
    const auto cases = world.json("evidence cases").at("cases");
    ASSERT_EQ(cases.size(), 1U);
    EXPECT_EQ(cases.at(0).at("case"), made.at("offence_id"));
    EXPECT_TRUE(cases.at(0).at("settled"));
    EXPECT_EQ(cases.at(0).at("steps").at(0).at("step"), "slash");
    EXPECT_GT(cases.at(0).at("steps").at(0).at("amount").get<std::uint64_t>(), 0U);
    world.good("evidence settle");
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
