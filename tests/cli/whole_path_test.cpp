// The main job through the command, from an empty folder to a verdict and the original bytes.
#include "node_world.hpp"

namespace holdfast::test {
namespace {

TEST(WholePath, FromAFileToVerdictsAndBack) {
    TempFolder folder;
    const auto run = [&](const std::string& line) {
        return holdfast_command(folder.path(), words_of(line));
    };
    // Every command also says what it did as one JSON object.
    const auto json = [&](const std::string& line) {
        const Ran ran = run(line + " --json");
        EXPECT_EQ(ran.code, kExitOk) << ran;
        EXPECT_EQ(ran.err, "") << ran;
        return ran.json();
    };
    const auto network = json(std::string("network init node") + NodeWorld::kFast);
    EXPECT_EQ(network["network"]["vdf.arena_kib"], 1024);
    EXPECT_EQ(json("params node")["network_id"], network["network_id"]);
    const auto key = json("keygen alice.key");
    EXPECT_EQ(json("inspect alice.key")["public_key"], key["public_key"]);
    const Bytes original = garbage(2'500'000);  // three windows
    spill(folder / "data", original);
    EXPECT_EQ(json("chain new-block --count 4")["blocks"].size(), 4U);
    const auto sealed = json("seal data --key alice.key --out data.replica");
    EXPECT_EQ(sealed["windows"], 3);
    EXPECT_EQ(json("inspect data.replica")["sealed_root"], sealed["sealed_root"]);
    EXPECT_EQ(json("inspect data.tree")["raw_root"], sealed["raw_root"]);
    EXPECT_EQ(json("ledger issue --key alice.key --amount 1000")["balance"], 1000);
    const std::string chain = json("register data.replica --key alice.key")["chain_id"];
    EXPECT_EQ(json("ledger show")["in_bonds"], 1000);
    json("chain new-block --count 9");
    EXPECT_EQ(json("chain status")["tip"], 13);
    EXPECT_EQ(json("block process")["blocks"].size(), 11U);
    const auto seal_proof =
        json("seal-proof make data.replica --key alice.key --out seal.proof --submit");
    EXPECT_EQ(seal_proof["kind"], "seal");
    json("chain new-block --count 24");
    const std::string prover = " data.replica --key alice.key";
    EXPECT_EQ(
        json("block process --proofs proofs --key alice.key --replica data.replica")["behind"], 0);

    const auto stats = json("stats");
    EXPECT_EQ(stats["totalChains"], 1);
    EXPECT_EQ(stats["active"], 1);
    EXPECT_EQ(stats["chains"][0]["misses"], 0);
    EXPECT_EQ(stats["chains"][0]["chain_id"], chain);

    // Some height has a compact proof (all but one in sixteen have).
    std::string height;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "proofs")) {
        if (entry.path().extension() != ".compact") continue;
        const std::string stem = entry.path().stem().string();
        height = stem.substr(stem.find('-') + 1);
        if (std::stoul(height) <= 24) break;
    }
    ASSERT_FALSE(height.empty());
    const std::string prove = "prove" + prover + " --height " + height + " --out ";
    EXPECT_EQ(json(prove + "p.receipt --format receipt")["bytes"], 136);
    EXPECT_LE(json(prove + "p.compact --format compact")["bytes"], 2046);
    EXPECT_LE(json(prove + "p.full --format full")["bytes"], 16384);
    EXPECT_EQ(json("prove" + prover +
                   " --format window --links 5 --height 16 --out p.window")["proof"]["commitments"]
                  .size(),
              5U);
    EXPECT_LE(json("path make --chain " + chain + " --height " + height + " --out p.path")["bytes"],
              1024);
    EXPECT_EQ(json("vdf eval --height " + height + " --out p.vdf")["steps"], 256);
    EXPECT_EQ(json("public export --out public")["chains"], 1);

    const auto window = json("inspect p.window");
    ASSERT_EQ(window["commitments"].size(), 5U);
    EXPECT_EQ(window["commitments"][0]["chain_id"], chain);
    EXPECT_EQ(window["commitments"][4]["height"], 20);
    for (const char* file : {"p.receipt", "p.compact", "p.full", "p.path", "p.vdf", "seal.proof",
                             "data.chain", "data.registration"}) {
        EXPECT_TRUE(json(std::string("inspect ") + file).contains("kind")) << file;
    }

    // Somebody else: public data and proofs, no file, no replica, no node.
    std::filesystem::create_directory(folder / "elsewhere");
    std::filesystem::rename(folder / "public", folder / "elsewhere" / "public");
    for (const char* file :
         {"p.receipt", "p.compact", "p.full", "p.window", "p.path", "p.vdf", "seal.proof"}) {
        std::filesystem::copy(folder / file, folder / "elsewhere");
    }
    std::filesystem::copy(folder / "data.registration", folder / "elsewhere");
    const auto elsewhere = [&](const std::string& line) {
        const Ran ran =
            holdfast_command(folder / "elsewhere", words_of(line + " --public public --json"));
        EXPECT_EQ(ran.code, kExitOk) << ran;
        const auto verdict = ran.json();
        EXPECT_EQ(verdict["accepted"], true) << ran;
        return verdict;
    };
    for (const char* file :
         {"p.receipt", "p.compact", "p.full", "p.window", "data.registration", "seal.proof"}) {
        elsewhere(std::string("verify ") + file);
    }
    EXPECT_EQ(elsewhere("verify p.full --chain " + chain + " --height " + height)["reason"], "ok");
    elsewhere("verify p.compact --check-vdf");
    EXPECT_EQ(elsewhere("verify p.receipt p.compact p.full")["results"].size(), 3U);
    elsewhere("path verify p.path --height " + height);
    elsewhere("seal-proof verify seal.proof");
    elsewhere("vdf verify p.vdf");
    EXPECT_EQ(elsewhere("vdf verify p.vdf --spot 2")["usable"], false);
    elsewhere("vdf verify p.vdf --segment 3");

    json("unseal data.replica --out restored");
    EXPECT_TRUE(slurp(folder / "restored") == original);
    json("unseal data.replica --out part --offset 1000001 --length 70000");
    EXPECT_TRUE(slurp(folder / "part") ==
                Bytes(original.begin() + 1'000'001, original.begin() + 1'070'001));

    EXPECT_EQ(json("update" + prover)["sequence"], 1);
    json("chain new-block --count 4");
    json("block process");
    EXPECT_EQ(json("remove" + prover)["sequence"], 2);
    EXPECT_EQ(
        json("select --entropy " + std::string(64, '0') + " --chunks 1048576")["selected"].size(),
        16U);
    const Ran vectors = holdfast_command(
        folder.path(), {"vectors", "check", std::string(kVectorsFolder) + "/missing"});
    expect_failure(vectors, kExitEnvironment, "missing");
}

// The text form says the same as the JSON form, in lines.
TEST(WholePath, TextSaysVerdictAndReason) {
    NodeWorld world;
    world.live({{"a", "alice.key"}});
    world.prove_all("a", "alice.key");
    const Ran yes = world.good("verify a.compact --public public");
    EXPECT_TRUE(yes.says("verdict: accepted")) << yes;
    const Ran no = world.run("verify a.compact --public public --height 99");
    EXPECT_EQ(no.code, kExitRefused) << no;
    EXPECT_TRUE(no.says("verdict: REFUSED")) << no;
    EXPECT_TRUE(no.says("what to do: ")) << no;
    EXPECT_EQ(no.err, "") << no;
    // One bad proof among good ones is found, and every one is judged.
    flip(world / "a.full", world / "bad.full", 8 * 1000);
    const Ran mixed = world.run("verify a.compact bad.full a.receipt --public public --json");
    EXPECT_EQ(mixed.code, kExitRefused);
    const auto results = mixed.json()["results"];
    ASSERT_EQ(results.size(), 3U);
    EXPECT_EQ(results[0]["accepted"], true);
    EXPECT_EQ(results[1]["accepted"], false);
    EXPECT_EQ(results[2]["accepted"], true);
}

}  // namespace
}  // namespace holdfast::test
