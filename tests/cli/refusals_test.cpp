// Everything that is not the proof asked for is refused, each with its own reason.
#include "node_world.hpp"

namespace holdfast::test {
namespace {

constexpr std::size_t kObjectHead = 2;  // version and kind before the body
constexpr std::size_t kHeightAt = kObjectHead + 32;

struct Refusals : ::testing::Test {
    NodeWorld world;

    void SetUp() override {
        world.key("bob.key", 2);
        world.data("b", 200'000, 2);
        std::filesystem::copy(world / "a", world / "a2");
        world.live({{"a", "alice.key"}, {"b", "alice.key"}, {"a2", "bob.key"}});
        world.prove_all("a", "alice.key");
    }

    /// The reason's name; says that the exit code fits it.
    std::string reason(const std::string& line) const {
        const Ran ran = world.run(line + " --json");
        EXPECT_EQ(ran.signal, 0) << ran;
        const nlohmann::json json = ran.json();
        if (json.contains("error")) {
            EXPECT_NE(ran.code, kExitOk) << ran;
            return json["error"].value("reason", json["error"].value("code", ""));
        }
        EXPECT_EQ(ran.code, json["accepted"] == true ? kExitOk : kExitRefused) << ran;
        EXPECT_EQ(json["accepted"] == true, json["reason"] == "ok") << ran;
        return json["reason"];
    }
    std::string verify(const std::string& file, const std::string& more = "") const {
        return reason("verify " + file + " --public public --chain " + world.chain() + more);
    }
    /// The reason with public data in which a height's field is another.
    std::string with_public(const std::string& file, std::uint64_t height,
                            const std::string& field) const {
        nlohmann::json record = nlohmann::json::parse(slurp(world / "public/public.json"));
        bool found = false;
        for (auto& entry : record["heights"]) {
            if (entry["height"] != height) continue;
            std::string value = entry[field];
            value[0] = value[0] == '0' ? '1' : '0';
            entry[field] = value;
            found = true;
        }
        EXPECT_TRUE(found) << height;
        std::filesystem::remove_all(world / "other-public");
        std::filesystem::create_directory(world / "other-public");
        std::filesystem::copy(world / "public/network.params",
                              world / "other-public/network.params");
        const std::string text = record.dump();
        spill(world / "other-public/public.json", Bytes(text.begin(), text.end()));
        return reason("verify " + file + " --public other-public --chain " + world.chain());
    }
};

TEST_F(Refusals, AnotherChainHeightOrNetwork) {
    const std::uint64_t h = world.compact_height();
    for (const char* file : {"a.receipt", "a.compact", "a.full"}) {
        EXPECT_EQ(verify(file), "ok") << file;
        EXPECT_EQ(verify(file, " --height " + std::to_string(h)), "ok") << file;
        EXPECT_EQ(verify(file, " --height " + std::to_string(h + 1)), "height") << file;
    }
    EXPECT_EQ(verify("a.window"), "ok");
    const nlohmann::json window = world.json("verify a.window --public public");
    EXPECT_GE(window["shows"]["links"], 1U);
    EXPECT_EQ(window["shows"]["links"].get<std::uint64_t>(),
              window["shows"]["compact"].get<std::uint64_t>() +
                  window["shows"]["full"].get<std::uint64_t>());
    EXPECT_EQ(window["worth"].size(), 4U);
    EXPECT_FALSE(window["not_shown"].empty());
    const auto path = [&](const std::string& file, std::uint64_t height, std::size_t chain) {
        return reason("path verify " + file + " --public public --height " +
                      std::to_string(height) + " --chain " + world.chain(chain));
    };
    EXPECT_EQ(path("a.path", h, 0), "ok");
    EXPECT_EQ(path("a.path", h, 1), "chain");
    EXPECT_EQ(path("a.path", h + 1, 0), "global-digest");

    // The same key with another file, and the same file with another key: valid, but not this
    // chain.
    for (const std::size_t i : {std::size_t{1}, std::size_t{2}}) {
        const std::string name = i == 1 ? "b" : "a2";
        world.prove_all(name, i == 1 ? "alice.key" : "bob.key", i);
        for (const char* format : {".compact", ".full", ".window"}) {
            EXPECT_EQ(reason("verify " + name + format + " --public public"), "ok")
                << name << format;
            EXPECT_EQ(verify(name + format), "chain") << name << format;
            // Called this chain's, it is refused too.
            if (std::string(format) == ".window") continue;
            Bytes id;
            ASSERT_TRUE(from_hex(world.chain(), id));
            patch(world / (name + format), world / "renamed", kObjectHead + 136, id);
            EXPECT_NE(verify("renamed"), "ok") << name << format;
        }
        EXPECT_EQ(verify(name + ".receipt"), "signature") << name;
    }

    // Another network, which knows neither the chain nor its blocks.
    NodeWorld other("other");
    other.live({{"a", "alice.key"}});
    std::filesystem::copy(other / "public", world / "public2",
                          std::filesystem::copy_options::recursive);
    for (const char* file : {"a.compact", "a.full", "a.window"}) {
        EXPECT_EQ(reason(std::string("verify ") + file + " --public public2"), "unknown-chain")
            << file;
    }
    EXPECT_EQ(reason("verify a.receipt --public public2"), "anchor");
    EXPECT_EQ(reason("verify a.registration --public public2"), "signature");
    EXPECT_EQ(reason("verify public/network.params --public public2"), "network");
    EXPECT_EQ(reason("verify public/network.params --public public"), "ok");
    EXPECT_EQ(reason("seal-proof verify seal.proof --public public2"), "unknown-chain");
    // Public data put together from two networks.
    std::filesystem::copy_file(world / "public/network.params", world / "public2/network.params",
                               std::filesystem::copy_options::overwrite_existing);
    EXPECT_EQ(reason("verify a.full --public public2"), "network");
}

TEST_F(Refusals, AnotherHistory) {
    const std::uint64_t h = world.compact_height();
    for (const char* file : {"a.receipt", "a.compact", "a.full"}) {
        EXPECT_EQ(with_public(file, h, "block_hash"), "signature") << file;
        EXPECT_EQ(with_public(file, h - 3, "global"), "anchor") << file;
    }
    EXPECT_EQ(with_public("a.compact", h, "global"), "global-digest");
    // Another y draws other cells: their number of hashes, or the root, is another.
    for (const char* file : {"a.compact", "a.full"}) {
        const std::string why = with_public(file, h, "y");
        EXPECT_TRUE(why == "proof-length" || why == "sealed-root") << file << ": " << why;
    }
    EXPECT_NE(with_public("a.compact", h + 6, "y"), "ok");
    EXPECT_EQ(with_public("a.window", h, "block_hash"), "signature");
    EXPECT_EQ(with_public("a.window", h - 3, "global"), "anchor");
    // One who believes no y finds the changed one.
    std::filesystem::copy(world / "public", world / "checked",
                          std::filesystem::copy_options::recursive);
    nlohmann::json record = nlohmann::json::parse(slurp(world / "public/public.json"));
    const std::size_t first = record["heights"][0]["height"];
    std::string y = record["heights"][h - first]["y"];
    y[0] = y[0] == '0' ? '1' : '0';
    record["heights"][h - first]["y"] = y;
    const std::string text = record.dump();
    spill(world / "checked/public.json", Bytes(text.begin(), text.end()));
    EXPECT_EQ(reason("verify a.receipt --public checked --chain " + world.chain()), "ok");
    EXPECT_EQ(reason("verify a.receipt --public checked --check-vdf --chain " + world.chain()),
              "vdf-output");
}

TEST_F(Refusals, AReplayedOrMisshapenProof) {
    const std::uint64_t h = world.compact_height();
    for (const char* format : {"receipt", "compact", "full"}) {
        const std::filesystem::path good = world / (std::string("a.") + format);
        const Bytes bytes = slurp(good);
        ASSERT_EQ(load_le64(&bytes[kHeightAt]), h);
        Bytes next(8);
        store_le64(next.data(), h + 1);
        patch(good, world / "p", kHeightAt, next);
        EXPECT_EQ(verify("p"), "anchor") << format;
        // With the next height's anchor too, only the signature is left to tell.
        world.good("prove a.replica --key alice.key --format receipt --height " +
                   std::to_string(h + 1) + " --out next --force");
        const Bytes after = slurp(world / "next");
        patch(good, world / "p", kHeightAt, Bytes(after.begin() + 34, after.begin() + 74));
        EXPECT_EQ(verify("p"), "signature") << format;
    }
    for (const char* format : {"receipt", "compact", "full", "window", "path", "registration"}) {
        const std::filesystem::path good = world / (std::string("a.") + format);
        const std::string height =
            std::string(format) == "path" ? " --height " + std::to_string(h) : std::string();
        const Bytes bytes = slurp(good);
        // In these two the rest of the body is hashes, whose number is checked against the indices.
        const bool ends_in_hashes =
            std::string(format) == "compact" || std::string(format) == "full";
        for (const std::size_t kept :
             {std::size_t{1}, std::size_t{2}, bytes.size() / 2, bytes.size() - 1}) {
            spill(world / "p", ByteView(bytes).first(kept));
            const std::string why = verify("p", height);
            EXPECT_TRUE(why == "truncated" || (ends_in_hashes && why == "proof-length"))
                << format << " cut to " << kept << ": " << why;
        }
        Bytes longer = bytes;
        longer.push_back(0);
        spill(world / "p", longer);
        EXPECT_EQ(verify("p", height), ends_in_hashes ? "proof-length" : "trailing-bytes")
            << format;
        patch(good, world / "p", 0, {2});
        EXPECT_EQ(verify("p", height), "version") << format;
        for (const std::uint8_t kind : {std::uint8_t{0}, std::uint8_t{30}, std::uint8_t{255}}) {
            patch(good, world / "p", 1, {kind});
            EXPECT_EQ(verify("p", height), "kind") << format;
        }
        for (std::uint8_t kind = 1; kind <= 29; ++kind) {
            if (kind == bytes[1]) continue;
            patch(good, world / "p", 1, {kind});
            EXPECT_NE(verify("p", height), "ok") << format << " as " << int{kind};
        }
        // The last bit, the first of the body, and some between.
        const std::size_t bits = 8 * bytes.size();
        for (const std::size_t bit :
             {std::size_t{16}, bits / 5, bits / 3, bits / 2, bits * 7 / 8, bits - 1}) {
            flip(good, world / "p", bit);
            EXPECT_NE(verify("p", height), "ok") << format << ", bit " << bit;
        }
    }
}

TEST_F(Refusals, SealAndVdfProofs) {
    const std::size_t bits = 8 * slurp(world / "seal.proof").size();
    EXPECT_EQ(reason("seal-proof verify seal.proof --public public"), "ok");
    for (const std::size_t bit : {std::size_t{0}, std::size_t{8}, std::size_t{16}, 8 * kHeightAt,
                                  std::size_t{800}, bits / 2, bits - 1}) {
        flip(world / "seal.proof", world / "p", bit);
        EXPECT_NE(reason("seal-proof verify p --public public"), "ok") << bit;
    }
    const std::string vdf = "public/vdf/15.vdfproof";
    EXPECT_EQ(reason("vdf verify " + vdf + " --public public"), "ok");
    const std::size_t vdf_bits = 8 * slurp(world / vdf).size();
    for (const std::size_t bit : {std::size_t{0}, std::size_t{8}, std::size_t{16}, std::size_t{240},
                                  std::size_t{400}, vdf_bits / 2, vdf_bits - 1}) {
        flip(world / vdf, world / "p", bit);
        EXPECT_NE(reason("vdf verify p --public public"), "ok") << bit;
    }
    EXPECT_EQ(reason("seal-proof verify a.full --public public"), "kind");
    EXPECT_EQ(reason("path verify a.full --public public --height " +
                     std::to_string(world.compact_height())),
              "kind");
}

}  // namespace
}  // namespace holdfast::test
