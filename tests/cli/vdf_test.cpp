// The clock on the command line: evaluation with and without a node, stopped in every way and gone
// on with, verification in every strength, catching up, measuring.
#include "core/codec.hpp"
#include "node_world.hpp"
#include "storage/key_file.hpp"
#include "vdf/proof.hpp"

namespace holdfast::test {
namespace {

namespace fs = std::filesystem;

// A record of a file of checkpoints: docs/spec.md section 12.
constexpr std::uintmax_t kRecordBytes = 40 + 76;

/// Keys and an input for evaluations without a node; no node.
struct LooseVdf : ::testing::Test {
    TempFolder folder;
    const std::string input = std::string(32, '5') + std::string(32, 'f');
    /// Long enough to be caught at work.
    const std::string slow =
        " --set vdf.arena_kib=1024 --set vdf.passes=1 --set vdf.checkpoints=64"
        " --set vdf.steps_per_checkpoint=65536 --input " +
        input;
    const std::string quick =
        " --set vdf.arena_kib=1024 --set vdf.passes=1 --set vdf.checkpoints=8"
        " --set vdf.steps_per_checkpoint=64 --input " +
        input;

    void SetUp() override { ASSERT_TRUE(save_key_pair(signer(), folder / "me.key").has_value()); }
    static KeyPair signer() { return KeyPair::from_secret(Bytes(32, 9)); }
    Ran run(const std::string& line) const {
        return holdfast_command(folder.path(), words_of(line));
    }
    Ran good(const std::string& line) const {
        const Ran ran = run(line);
        EXPECT_EQ(ran.code, kExitOk) << ran;
        return ran;
    }
    nlohmann::json json(const std::string& line) const { return good(line + " --json").json(); }
    std::string eval(const std::string& network, const std::string& out) const {
        return "vdf eval --height 9 --key me.key --out " + out + network;
    }
    /// An evaluation in progress that keeps `records` checkpoints or more.
    std::unique_ptr<Command> caught(const std::string& line, const fs::path& checkpoints,
                                    std::uintmax_t records) const {
        auto command = std::make_unique<Command>(folder.path(), words_of(line));
        std::error_code none;
        for (int i = 0; i < 20'000; ++i) {
            const std::uintmax_t bytes = fs::file_size(checkpoints, none);
            if (!none && bytes >= records * kRecordBytes) return command;
            ::usleep(500);
        }
        ADD_FAILURE() << line << ": no checkpoint was kept";
        return command;
    }
    VdfProof proof(const std::string& name) const {
        const Bytes object = slurp(folder / name);
        auto body = unwrap_object(Kind::kVdfProof, object);
        EXPECT_TRUE(body.has_value());
        auto decoded = VdfProof::decode(*body);
        EXPECT_TRUE(decoded.has_value());
        return *decoded;
    }
    void write(const std::string& name, const VdfProof& proof) const {
        spill(folder / name, wrap_object(Kind::kVdfProof, proof.encode()));
    }
    /// The default network with the VDF of a proof: what --set without --network makes.
    static NetworkId network_of(const VdfProof& proof) {
        NetworkParams params;
        params.vdf = proof.params;
        return params.id();
    }
};

TEST_F(LooseVdf, InterruptedItKeepsCheckpointsAndGoesOnToTheSameBytes) {
    EXPECT_EQ(json(eval(slow, "whole"))["resumed_segments"], 0);
    EXPECT_FALSE(fs::exists(folder / "whole.vdf"));
    const auto at_work = caught(eval(slow, "p"), folder / "p.vdf", 3);
    at_work->send(SIGINT);
    const Ran stopped = at_work->wait();
    expect_failure(stopped, kExitInterrupted, "--resume");
    EXPECT_FALSE(fs::exists(folder / "p")) << "half made";
    const auto kept = fs::file_size(folder / "p.vdf") / kRecordBytes - 1;
    EXPECT_TRUE(stopped.says("keeps " + std::to_string(kept) + " of 64 segments")) << stopped;

    // Neither gone on with nor thrown away unasked.
    expect_failure(run(eval(slow, "p")), kExitEnvironment, "--resume");
    const auto resumed = json(eval(slow, "p") + " --resume");
    EXPECT_EQ(resumed["resumed_segments"], kept);
    EXPECT_TRUE(slurp(folder / "p") == slurp(folder / "whole"));
    EXPECT_FALSE(fs::exists(folder / "p.vdf"));
}

TEST_F(LooseVdf, KilledAndTornItGoesOnToTheSameBytes) {
    good(eval(slow, "whole"));
    const std::string line = eval(slow, "p") + " --checkpoints kept --resume";
    for (const std::uintmax_t records : {2U, 9U, 20U}) {
        const auto at_work = caught(line, folder / "kept", records);
        at_work->send(SIGKILL);
        EXPECT_EQ(at_work->wait().signal, SIGKILL);
        EXPECT_FALSE(fs::exists(folder / "p"));
    }
    // As if the machine had gone down within a write.
    cut(folder / "kept", fs::file_size(folder / "kept") - 17);
    EXPECT_GE(json(line)["resumed_segments"], 18);
    EXPECT_TRUE(slurp(folder / "p") == slurp(folder / "whole"));
    EXPECT_TRUE(fs::exists(folder / "kept")) << "a file of the user's own choice stays";
    // Nothing is left to walk, and the bytes are the same again.
    EXPECT_EQ(json(line + " --force")["resumed_segments"], 64);
    EXPECT_TRUE(slurp(folder / "p") == slurp(folder / "whole"));
}

TEST_F(LooseVdf, VerifiesInEveryStrengthAndNamesABadSegment) {
    good(eval(quick, "p"));
    const std::string with = quick + " --json";
    const auto full = json("vdf verify p --full" + quick);
    EXPECT_EQ(full["strength"], "full");
    EXPECT_EQ(full["accepted"], true);
    EXPECT_EQ(full["usable"], true);
    EXPECT_EQ(json("vdf verify p" + quick)["strength"], "full");
    for (const char* part : {"--spot 3", "--spot 100", "--segment 0", "--segment 7"}) {
        const auto verdict = json(std::string("vdf verify p ") + part + quick);
        EXPECT_EQ(verdict["accepted"], true) << part;
        EXPECT_EQ(verdict["usable"], false) << part;
    }
    // d_5 of another's invention, signed by the one who invents: segments 4 and 5 do not lead on.
    const VdfProof honest = proof("p");
    std::vector<Digest> d = honest.checkpoints;
    d[5][0] ^= 1;
    write("false", make_vdf_proof(honest.params, network_of(honest), honest.height, honest.input, d,
                                  signer())
                       .value());
    const Ran refused = run("vdf verify false" + with);
    EXPECT_EQ(refused.code, kExitRefused) << refused;
    EXPECT_EQ(refused.json()["reason"], "vdf-segment") << refused;
    EXPECT_EQ(refused.json()["index"], 4) << refused;
    EXPECT_EQ(refused.json()["usable"], false) << refused;
    EXPECT_TRUE(run("vdf verify false" + quick).says("vdf-segment")) << refused;
    for (std::uint32_t i = 0; i < 8; ++i) {
        const Ran one = run("vdf verify false --segment " + std::to_string(i) + with);
        const bool bad = i == 4 || i == 5;
        EXPECT_EQ(one.code, bad ? kExitRefused : kExitOk) << one;
        EXPECT_EQ(one.json().value("index", 99U), bad ? i : 99U) << one;
    }
    EXPECT_EQ(run("vdf verify false --spot 8" + quick).code, kExitRefused);
    // Changed by somebody who cannot sign.
    VdfProof changed = honest;
    changed.checkpoints = d;
    write("unsigned", changed);
    changed = honest;
    changed.height = Height(10);
    write("moved", changed);
    for (const char* file : {"unsigned", "moved"}) {
        const Ran ran = run(std::string("vdf verify ") + file + with);
        EXPECT_EQ(ran.code, kExitRefused) << ran;
        EXPECT_EQ(ran.json()["reason"], "vdf-signature") << ran;
    }
}

TEST_F(LooseVdf, BadArgumentsAreNamedAndLeaveNothing) {
    good(eval(quick, "p"));
    const std::vector<std::string> before = names_below(folder.path());
    const auto refused = [&](const std::string& line, int code, const std::string& words) {
        expect_failure(run(line), code, words);
        EXPECT_EQ(names_below(folder.path()), before) << line;
    };
    const std::string in = " --input " + input;
    const std::string tiny = " --set vdf.arena_kib=1024 --set vdf.passes=1 --rounds 1";
    for (const auto& [line, words] : std::vector<std::pair<std::string, std::string>>{
             {"vdf eval" + in, "--height"},
             {"vdf eval --height 9 --dir node" + in, "--dir"},
             {"vdf eval --height 9 --input 5f5f", "--input"},
             {"vdf eval --height 9 --input g" + input.substr(1), "--input"},
             {"vdf eval --height 9 --set vdf.passes=1", "--set"},
             {"vdf eval --height 9 --resume" + in, "--checkpoints"},
             {"vdf eval --height 9 --out q" + quick, "--key"},
             {"vdf eval --height 1000" + quick, "--epoch-source"},
             {"vdf eval --height 1000 --epoch-source 12" + quick, "--epoch-source"},
             {"vdf eval --height 9 --set vdf.arena_kib=3" + in, "arena_kib"},
             {"vdf verify p", "--public"},
             {"vdf verify p --public x" + quick, "--public"},
             {"vdf verify p --spot 0" + quick, "--spot"},
             {"vdf verify p --segment 8" + quick, "--segment"},
             {"vdf verify p --segment -1" + quick, "--segment"},
             {"vdf verify p --segment 4294967296" + quick, "--segment"},
             {"vdf verify p --full --spot 1" + quick, "--spot"},
             {"vdf catch-up --at-once 0", "--at-once"},
             {"vdf bench --rounds 0", "--rounds"},
             {"vdf bench --set vdf.lanes=3", "lanes"},
             {"vdf bench --set nonsense=1", "nonsense"},
             {"vdf calibrate --seconds 0", "--seconds"},
             {"vdf calibrate --seconds forty", "--seconds"},
             {"vdf calibrate --block-ms 0", "--block-ms"},
             {"vdf calibrate --memory-latency-ns 0 --f-latency-ns 0" + tiny, "latencies"},
         }) {
        refused(line, kExitUsage, words);
    }
    for (const auto& [line, words] : std::vector<std::pair<std::string, std::string>>{
             {eval(quick, "p"), "exists"},
             {"vdf eval --height 9 --out q --key no.key" + quick, "no.key"},
             {"vdf eval --height 9 --network no.network" + in, "no.network"},
             {eval(quick, "no/q"), "no/q"},
             {eval(quick, "q") + " --checkpoints no/kept", "no/kept"},
             {"vdf eval --height 9 --dir no", "no"},
             {"vdf verify no.proof" + quick, "no.proof"},
             {"vdf verify p --public no", "no/"},
             {"vdf status --dir no", "no"},
             {"vdf catch-up --dir no", "no"},
             {"vdf catch-up --proofs no", "no"},
         }) {
        refused(line, kExitEnvironment, words);
    }
    // Something that is no proof is refused like a bad one.
    refused("vdf verify me.key" + quick, kExitRefused, "me.key");
}

TEST(VdfCommands, ANodeAndNoNodeGiveTheSameBytes) {
    NodeWorld world;
    world.good("chain new-block --count 12");
    for (const std::string height : {"0", "5", "12"}) {
        const auto by_node = world.json("vdf eval --height " + height + " --out by-node --force");
        const auto alone =
            world.json("vdf eval --network node --key node/evaluator.key --height " + height +
                       " --out alone --force --input " + by_node["input"].get<std::string>());
        EXPECT_EQ(alone["y"], by_node["y"]) << height;
        EXPECT_EQ(alone["input"], by_node["input"]) << height;
        EXPECT_TRUE(slurp(world / "alone") == slurp(world / "by-node")) << height;
        EXPECT_EQ(world.json("vdf verify alone --network node --input " +
                             by_node["input"].get<std::string>())["usable"],
                  true);
    }
    expect_failure(world.run("vdf eval --height 99"), kExitEnvironment, "99");
}

TEST(VdfCommands, StatusAndCatchUp) {
    NodeWorld world;
    world.good("chain new-block --count 12");
    const auto fresh = names_below(world.path());
    const auto before = world.json("vdf status");
    EXPECT_EQ(names_below(world.path()), fresh) << "looking changes nothing";
    EXPECT_EQ(before["tip"], 12);
    EXPECT_EQ(before["newest_final"], 9);
    EXPECT_EQ(before["behind"], 10);
    EXPECT_EQ(before["behind_tip"], 13);
    EXPECT_TRUE(before["settled"].is_null());
    // Final heights, then those above them too; a second time there is nothing to do.
    const auto final_only = world.json("vdf catch-up --final --at-once 3");
    EXPECT_EQ(final_only["evaluated"].size(), 10U);
    EXPECT_EQ(final_only["behind"], 0);
    EXPECT_EQ(final_only["behind_tip"], 3);
    EXPECT_EQ(final_only["settled"], 9);
    EXPECT_EQ(world.json("vdf catch-up")["evaluated"].size(), 3U);
    EXPECT_EQ(world.json("vdf catch-up")["evaluated"].size(), 0U);
    const auto after = world.json("vdf status");
    EXPECT_EQ(after["behind"], 0);
    EXPECT_EQ(after["behind_tip"], 0);
    EXPECT_EQ(after["settled"], 9);
    EXPECT_TRUE(world.good("vdf status").says("every final height has its y"));

    // Another node of the same chain takes the proofs, all but one that does not hold.
    fs::copy(world / "node/vdf", world / "others", fs::copy_options::recursive);
    flip(world / "others/4.vdfproof", world / "others/bad", 8 * 60);
    fs::rename(world / "others/bad", world / "others/4.vdfproof");
    fs::remove_all(world / "node/vdf");
    const auto taken = world.json("vdf catch-up --proofs others");
    EXPECT_EQ(taken["verified"].size(), 12U);
    EXPECT_EQ(taken["evaluated"], nlohmann::json::parse("[4]"));
    EXPECT_EQ(taken["refused"].size(), 1U);
    EXPECT_EQ(taken["behind_tip"], 0);
}

TEST_F(LooseVdf, MeasuringPrintsWhatItMeasured) {
    const std::string small = " --set vdf.arena_kib=1024 --set vdf.passes=1 --rounds 3 --threads 2";
    const auto bench = json("vdf bench" + small);
    EXPECT_EQ(bench["arena"]["arena_kib"], 1024);
    EXPECT_GT(bench["read_ns"], 0);
    EXPECT_GT(bench["f_ns"], 0);
    ASSERT_GE(bench["kernels"].size(), 1U);
    EXPECT_EQ(bench["kernels"][0]["kernel"], "portable");
    ASSERT_GE(bench["threads"].size(), 1U);
    for (const char* list : {"kernels", "threads"}) {
        for (const auto& entry : bench[list]) {
            EXPECT_GT(entry["evaluate_ns"], 0) << list;
            EXPECT_GT(entry["verify_ns"], 0) << list;
        }
    }
    EXPECT_GE(bench["median_ns"], bench["kernels"].back()["evaluate_ns"]);
    EXPECT_EQ(bench["reliable"], bench["contradictions"].empty());
    EXPECT_FALSE(bench.contains("recommended"));
    const Ran words = good("vdf bench" + small);
    EXPECT_TRUE(words.says("dependent read")) << words;
    EXPECT_TRUE(words.says("kernel portable")) << words;

    // A machine with something else to do may give figures that contradict each other. Then the
    // command says so and recommends nothing; otherwise it must recommend what was asked for.
    const Ran ran = run("vdf calibrate --seconds 1 --block-ms 500 --json" + small);
    const auto advice = ran.json();
    EXPECT_EQ(advice["reliable"], advice["contradictions"].empty()) << ran;
    EXPECT_EQ(advice["reliable"], advice.contains("recommended")) << ran;
    if (advice["reliable"] == false) {
        EXPECT_EQ(ran.code, kExitEnvironment) << ran;
        return;
    }
    EXPECT_EQ(ran.code, kExitOk) << ran;
    const std::uint64_t checkpoints = advice["recommended"]["vdf.checkpoints"];
    const std::uint64_t steps = advice["recommended"]["vdf.steps_per_checkpoint"];
    EXPECT_EQ(advice["steps"], checkpoints * steps);
    EXPECT_NEAR(advice["evaluate_seconds"], 1.0, 0.02) << ran;
    EXPECT_EQ(advice["heights_at_once"], 2) << ran;
    EXPECT_EQ(advice["checks"].size(), advice["threads"].size());
    EXPECT_GT(advice["attacker"]["seconds"], 0);
}

}  // namespace
}  // namespace holdfast::test
