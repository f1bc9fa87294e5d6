// verify and inspect of what travels between provers, nodes and registries: bundles, members, short
// proofs, acknowledgements.

#include "node_world.hpp"
#include "proofs/acknowledgement.hpp"
#include "proofs/bundle.hpp"
#include "proofs/formats.hpp"

namespace holdfast::test {
namespace {

struct Kinds : NodeWorld {
    Kinds() {
        live({{"a", "alice.key"}});
        prove_all("a", "alice.key");
        const Bytes params = slurp(*this / "public/network.params");
        network_id = NetworkParams::decode(*unwrap_object(Kind::kNetwork, params))->id();
    }
    template <class T>
    T read(const std::string& file, Kind kind) const {
        const Bytes object = slurp(*this / file);
        return *T::decode(*unwrap_object(kind, object));
    }
    void write(const std::string& file, Kind kind, const Bytes& body) const {
        spill(*this / file, wrap_object(kind, body));
    }
    /// The same words from inspect, back into the object.
    void expect_both_ways(const std::string& file) const {
        const std::string text = json("inspect " + file).dump();
        spill(*this / "x.json", Bytes(text.begin(), text.end()));
        good("inspect x.json --from-json --out x.object --force");
        EXPECT_EQ(slurp(*this / "x.object"), slurp(*this / file)) << file;
    }
    NetworkId network_id;
};

TEST(VerifyKinds, ShortProofsAreJudgedByARegistryAndByNothingElse) {
    const Kinds world;
    const auto compact = world.read<Compact>("a.compact", Kind::kCompact);
    const auto full = world.read<Full>("a.full", Kind::kFull);
    const ShortCompact short_compact{compact.chain_id,  compact.receipt.height,
                                     compact.reveal,    compact.cell,
                                     compact.cell_path, compact.opening_path};
    const ShortFull short_full{full.chain_id, full.receipt.height, full.reveal, full.cells,
                               full.siblings};
    world.write("b.short", Kind::kShortCompact, short_compact.encode());
    world.write("c.short", Kind::kShortFull, short_full.encode());
    for (const char* file : {"b.short", "c.short"}) {
        const nlohmann::json said = world.json(std::string("verify ") + file + " --dir node");
        EXPECT_EQ(said["accepted"], true) << said;
        EXPECT_EQ(said["height"], compact.receipt.height.value);
        world.expect_both_ways(file);
        expect_failure(world.run(std::string("verify ") + file + " --public public"), kExitUsage,
                       "is for a registry");
    }
    flip(world / "b.short", world / "bad.short", 8 * 90);  // in the cell
    EXPECT_TRUE(world.run("verify bad.short --dir node").says("sealed-root"));
    ShortCompact never = short_compact;
    never.height = Height(1);
    world.write("never.short", Kind::kShortCompact, never.encode());
    const Ran ran = world.run("verify never.short --dir node");
    EXPECT_EQ(ran.code, kExitRefused) << ran;
    EXPECT_TRUE(ran.says("not-in-digest")) << ran;
    never = short_compact;
    never.height = Height(1'000'000);
    world.write("never.short", Kind::kShortCompact, never.encode());
    EXPECT_TRUE(world.run("verify never.short --dir node").says("too-early"));
    never = short_compact;
    never.chain_id.bytes[0] ^= 1;
    world.write("never.short", Kind::kShortCompact, never.encode());
    EXPECT_TRUE(world.run("verify never.short --dir node").says("unknown-chain"));
    expect_failure(world.run("verify a.compact --dir node"), kExitUsage, "--public");
    expect_failure(world.run("verify b.short --dir nowhere"), kExitEnvironment, "nowhere");
}

TEST(VerifyKinds, BundlesAndMembersAreJudgedFromPublicData) {
    const Kinds world;
    const auto receipt = world.read<Receipt>("a.receipt", Kind::kReceipt);
    const auto compact = world.read<Compact>("a.compact", Kind::kCompact);
    const KeyPair alice = KeyPair::from_secret(Bytes(32, 1));
    const nlohmann::json record = nlohmann::json::parse(slurp(world / "public/public.json"));
    BlockHash block;
    for (const auto& h : record["heights"]) {
        if (h["height"] == receipt.height.value) {
            ASSERT_TRUE(from_hex(h["block_hash"].get<std::string>(), MutByteView(block.bytes)));
        }
    }
    std::vector<BundleEntry> members = {{compact.chain_id, receipt.link}};
    for (std::uint8_t i = 1; i < 5; ++i) {
        members.push_back({ChainId(tagged_hash("other", i)), Link(tagged_hash("link", i))});
    }
    const Bundle bundle =
        *make_bundle(world.network_id, block, receipt.height, receipt.anchor, members, alice);
    world.write("x.bundle", Kind::kBundle, bundle.encode());
    const auto at =
        std::find_if(bundle.members.begin(), bundle.members.end(),
                     [&](const BundleEntry& m) { return m.chain_id == compact.chain_id; });
    const Member member =
        BundleTree(bundle).member(static_cast<std::uint32_t>(at - bundle.members.begin()));
    world.write("x.member", Kind::kMember, member.encode());
    for (const char* file : {"x.bundle", "x.member"}) {
        const std::string verify = std::string("verify ") + file + " --public public";
        EXPECT_EQ(world.json(verify)["accepted"], true);
        world.good(verify + " --chain " + world.chain());
        world.expect_both_ways(file);
        flip(world / file, world / "bad", 8 * (slurp(world / file).size() - 1));
        EXPECT_TRUE(world.run("verify bad --public public").says("signature"));
    }
}

TEST(VerifyKinds, AnAcknowledgementIsJudgedWithItsObjectAndItsHost) {
    const Kinds world;
    const KeyPair host = KeyPair::from_secret(Bytes(32, 77));
    const std::string key = to_hex(host.public_key());
    const Acknowledgement said =
        make_acknowledgement(world.network_id, slurp(world / "a.compact"), Height(20),
                             BlockHash(tagged_hash("block")), host)
            .value();
    world.write("a.ack", Kind::kAcknowledgement, said.encode());
    world.expect_both_ways("a.ack");
    const std::string verify = "verify a.ack --public public --host " + key + " --object ";
    const nlohmann::json good = world.json(verify + "a.compact");
    EXPECT_EQ(good["accepted"], true) << good;
    EXPECT_EQ(good["height"], 20);
    const Ran other = world.run(verify + "a.full");
    EXPECT_EQ(other.code, kExitRefused) << other;
    EXPECT_TRUE(other.says("wrong-object")) << other;
    const Ran stranger = world.run("verify a.ack --dir node --object a.compact --host " +
                                   to_hex(KeyPair::from_secret(Bytes(32, 78)).public_key()));
    EXPECT_TRUE(stranger.says("wrong-host")) << stranger;
    flip(world / "a.ack", world / "bad.ack", 8 * 160);
    EXPECT_TRUE(world.run("verify bad.ack --public public --object a.compact --host " + key)
                    .says("signature"));
    expect_failure(world.run("verify a.ack --public public --object a.compact"), kExitUsage,
                   "--host");
    expect_failure(world.run("verify a.ack --object a.compact --host " + key), kExitUsage,
                   "--params");
    expect_failure(world.run("verify a.ack --public public"), kExitUsage, "--object");
}

}  // namespace
}  // namespace holdfast::test
