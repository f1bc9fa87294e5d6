// Bad input gets a clear error that names the file, and leaves nothing half-written.
#include "node_world.hpp"

namespace holdfast::test {
namespace {

namespace fs = std::filesystem;

/// The command fails without a crash, says `words`, and every name below the folder is as before.
void expect_untouched(const NodeWorld& world, const std::string& line, const std::string& words) {
    const auto before = names_below(world.path());
    const Ran ran = world.run(line);
    EXPECT_EQ(ran.signal, 0) << ran;
    EXPECT_GT(ran.code, kExitOk) << ran;
    EXPECT_LT(ran.code, 128) << ran;
    EXPECT_TRUE(ran.says(words)) << "not said: " << words << "\n" << ran;
    EXPECT_FALSE(ran.says("internal error")) << ran;
    EXPECT_EQ(names_below(world.path()), before) << line;
}

TEST(BadInput, WhatIsSealed) {
    NodeWorld world;
    spill(world / "empty", {});
    fs::create_directory(world / "folder");
    expect_untouched(world, "seal empty --key alice.key", "empty");
    expect_untouched(world, "seal missing --key alice.key", "missing");
    expect_untouched(world, "seal folder --key alice.key", "folder");
    expect_untouched(world, "seal a --key alice.key --out a/b.replica", "a/.b.");
    expect_untouched(world, "seal a --key alice.key --out nowhere/b.replica", "nowhere/.b.");
    expect_untouched(world, "seal a --key alice.key --dir nowhere", "nowhere");
    expect_untouched(world, "seal a --key a", "a");
    expect_untouched(world, "seal a --key missing.key", "missing.key");
    expect_untouched(world, "seal a --key alice.key --preset standard", "seal-policy");
    world.good("seal a --key alice.key");
    const Bytes replica = slurp(world / "a.replica");
    expect_untouched(world, "seal a --key alice.key", "a.replica");
    EXPECT_TRUE(slurp(world / "a.replica") == replica);
    // A tree in the way is not replaced either, and no replica appears without its tree.
    spill(world / "c.tree", garbage(10));
    expect_untouched(world, "seal a --key alice.key --out c.replica", "c.tree");
    EXPECT_TRUE(slurp(world / "c.tree") == garbage(10));
}

TEST(BadInput, ReadOnlyFolder) {
    if (::geteuid() == 0) GTEST_SKIP() << "root can write anywhere";
    NodeWorld world;
    fs::create_directory(world / "locked");
    fs::permissions(world / "locked", fs::perms::owner_read | fs::perms::owner_exec);
    expect_untouched(world, "seal a --key alice.key --out locked/a.replica", "locked");
    expect_untouched(world, "keygen locked/b.key", "locked");
    expect_untouched(world, "network init locked/node", "locked");
    fs::permissions(world / "locked", fs::perms::owner_all);
}

TEST(BadInput, FileInPlaceOfAFolder) {
    NodeWorld world;
    expect_untouched(world, "keygen a/b.key", "a/b.key");
    expect_untouched(world, "network init a/node", "a/node");
    expect_untouched(world, "network init a", "a");
    expect_untouched(world, "public export --dir a --out public", "a");
    expect_untouched(world, "verify a --public a", "a");
    world.good("block process");
    expect_untouched(world, "public export --out a", "a");
    expect_untouched(world, "public export --out a/b", "a/b");
}

TEST(BadInput, KeyFiles) {
    NodeWorld world;
    world.key("open.key", 3);
    fs::permissions(world / "open.key", fs::perms(0644));
    expect_untouched(world, "seal a --key open.key", "open.key");
    expect_untouched(world, "ledger issue --key open.key --amount 1", "open.key");
    EXPECT_TRUE(world.run("seal a --key open.key").says("chmod 600 open.key"));
    const Bytes good = slurp(world / "alice.key");
    const auto bad = [&](const Bytes& bytes) {
        fs::remove(world / "bad.key");
        spill(world / "bad.key", bytes);
        fs::permissions(world / "bad.key", fs::perms(0600));
        expect_untouched(world, "seal a --key bad.key", "bad.key");
        expect_untouched(world, "inspect bad.key", "bad.key");
    };
    bad({});
    bad(garbage(119));
    bad(Bytes(good.begin(), good.begin() + 60));
    Bytes flipped = good;
    flipped[40] = '!';
    bad(flipped);
}

TEST(BadInput, ReplicaAndTreeFiles) {
    NodeWorld world;
    world.good("chain new-block --count 4");
    world.good("seal a --key alice.key --out good.replica");
    world.good("ledger issue --key alice.key --amount 1000");
    const auto with = [&](const std::string& which, const std::string& words,
                          const std::function<void(const fs::path&)>& damage) {
        for (const char* file : {"r.replica", "r.tree"}) fs::remove(world / file);
        fs::copy(world / "good.replica", world / "r.replica");
        fs::copy(world / "good.tree", world / "r.tree");
        damage(world / which);
        expect_untouched(world, "unseal r.replica --out restored", words);
    };
    const auto flipped = [](std::size_t bit) {
        return [bit](const fs::path& file) { flip(file, file, bit); };
    };
    for (const std::string file : {"r.replica", "r.tree"}) {
        with(file, file, [](const fs::path& f) { spill(f, {}); });
        with(file, file, [](const fs::path& f) { fs::remove(f); });
        with(file, file, [](const fs::path& f) {
            fs::remove(f);
            fs::create_directory(f);
        });
        fs::remove_all(world / file);
        with(file, file, [](const fs::path& f) { spill(f, garbage(300'000)); });
        with(file, file, flipped(3));         // magic
        with(file, file, flipped(8 * 8));     // version
        with(file, file, flipped(8 * 9));     // kind
        with(file, file, flipped(8 * 100));   // sizes
        with(file, file, flipped(8 * 2000));  // zeros
        with(file, file, flipped(8 * 4095));  // checksum
        with(file, file, [](const fs::path& f) { cut(f, 100); });
        with(file, file, [](const fs::path& f) { cut(f, 4096); });
        with(file, file, [](const fs::path& f) { cut(f, fs::file_size(f) - 1); });
        with(file, file, [](const fs::path& f) { fs::resize_file(f, fs::file_size(f) + 1); });
    }
    // The two of different replicas.
    world.good("seal a --key alice.key --nonce 9 --out other.replica");
    with("r.tree", "r.", [&](const fs::path& f) {
        fs::copy_file(world / "other.tree", f, fs::copy_options::overwrite_existing);
    });
    // One bit of data: found out, and no file appears.
    with("r.replica", "the replica is damaged", flipped(8 * 100'000));
    // One bit of a tree that the data do not need: they come back whole all the same.
    for (const char* file : {"r.replica", "r.tree"}) fs::remove(world / file);
    fs::copy(world / "good.replica", world / "r.replica");
    flip(world / "good.tree", world / "r.tree", 8 * 4200);
    world.good("unseal r.replica --out restored");
    EXPECT_TRUE(slurp(world / "restored") == slurp(world / "a"));
    expect_untouched(world, "register missing.replica --key alice.key", "missing.replica");
    expect_untouched(world, "inspect missing.replica", "missing.replica");
    expect_untouched(world, "unseal good.replica --out a", "a");
    expect_untouched(world, "unseal good.replica --out a/b", "a/b");
    expect_untouched(world, "unseal good.replica --out nowhere/b", "nowhere/b");
    expect_untouched(world, "unseal good.replica --out p --offset 300001", "--offset");
    expect_untouched(world, "unseal good.replica --out p --offset 5 --length 18446744073709551615",
                     "");
}

TEST(BadInput, RecordsAndRegistrations) {
    NodeWorld world;
    world.live({{"a", "alice.key"}});
    world.key("bob.key", 2);
    const std::string prove = "prove a.replica --key alice.key --height 20 --out p";
    const auto damaged = [&](const std::string& file, const Bytes& bytes) {
        const Bytes good = slurp(world / file);
        spill(world / file, bytes);
        expect_untouched(world, prove, file);
        spill(world / file, good);
    };
    const Bytes chain = slurp(world / "a.chain");
    Bytes bit = chain;
    bit[60] = static_cast<std::uint8_t>(bit[60] ^ 4);
    damaged("a.chain", bit);
    damaged("a.chain", garbage(1000));
    const Bytes registration = slurp(world / "a.registration");
    damaged("a.registration", {});
    damaged("a.registration", garbage(304));
    damaged("a.registration", Bytes(registration.begin(), registration.end() - 1));
    bit = registration;
    bit[200] = static_cast<std::uint8_t>(bit[200] ^ 4);
    spill(world / "a.registration", bit);
    expect_untouched(world, prove, "a.registration refused: signature");
    spill(world / "a.registration", registration);
    expect_untouched(world, "prove a.replica --key bob.key --height 20 --out p", "key");
    expect_untouched(world, "prove a.replica --key alice.key --height 2000 --out p", "2000");
    expect_untouched(world, "prove a.replica --key alice.key --height 18446744073709551615 --out p",
                     "18446744073709551615");
    expect_untouched(world, prove + "/q", "p/q");
    world.good(prove + " --format full");
    expect_untouched(world, prove + " --format full", "--force");
    world.good(prove + " --format full --force");
}

TEST(BadInput, NodeFiles) {
    NodeWorld world;
    world.live({{"a", "alice.key"}});
    const auto damaged = [&](const std::string& file, const std::string& line, const Bytes& bytes,
                             const std::string& words) {
        const Bytes good = slurp(world / file);
        spill(world / file, bytes);
        expect_untouched(world, line, words);
        EXPECT_TRUE(slurp(world / file) == bytes) << file << " was changed by a failed command";
        spill(world / file, good);
    };
    for (const std::string file :
         {"node/chain/chain.log", "node/registry/data.mdb", "node/ledger/data.mdb"}) {
        const std::string line = file.find("ledger") != std::string::npos ? "ledger show" : "stats";
        const std::string words = file.substr(0, file.rfind('/'));
        const Bytes good = slurp(world / file);
        damaged(file, line, garbage(good.size()), words);
        damaged(file, line, garbage(100), words);
        damaged(file, line,
                Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(good.size() / 2)),
                words);
    }
    const Bytes log = slurp(world / "node/chain/chain.log");
    Bytes flipped = log;
    flipped[500] = static_cast<std::uint8_t>(flipped[500] ^ 1);
    damaged("node/chain/chain.log", "chain status", flipped, "chain.log");
    damaged("node/chain/chain.log", "chain new-block", flipped, "chain.log");
    damaged("node/chain/network.params", "chain status", garbage(203), "network.params");
    damaged("node/chain/network.params", "chain status", {}, "network.params");
    damaged("node/evaluator.key", "block process", garbage(100), "evaluator.key");
    damaged("public/public.json", "verify seal.proof --public public", garbage(500), "public.json");
    damaged("public/public.json", "verify seal.proof --public public", {}, "public.json");
    damaged("public/network.params", "verify seal.proof --public public", garbage(50),
            "network.params");
    const Bytes record = slurp(world / "public/public.json");
    damaged("public/public.json", "verify seal.proof --public public",
            Bytes(record.begin(), record.begin() + static_cast<std::ptrdiff_t>(record.size() / 2)),
            "public.json");
    spill(world / "empty", {});
    expect_untouched(world, "verify empty --public public", "empty");
    expect_untouched(world, "inspect empty", "empty");
    expect_untouched(world, "verify missing --public public", "missing");
    expect_untouched(world, "verify node --public public", "node");
    expect_untouched(world, "inspect node", "node");
    expect_untouched(world, "vdf verify empty --public public", "empty");
    expect_untouched(world, "vectors check node", "");
    // Nothing above has hurt the node.
    EXPECT_EQ(world.json("stats")["totalChains"], 1);
}

TEST(BadInput, ASecondProcessIsToldThatTheNodeIsBusy) {
    NodeWorld world;
    // Blocks of a clock long enough to be caught at work.
    world.good(
        std::string("network init slow --preset dev --set vdf.arena_kib=1024 --set vdf.passes=1") +
        " --set vdf.steps_per_checkpoint=200000 --set vdf.checkpoints=64");
    world.good("chain new-block --dir slow --count 4");
    Command first(world.path(), words_of("block process --dir slow"));
    // Its first block needs no y; the next one keeps it busy.
    for (int i = 0; i < 1'000 && world.run("stats --dir slow").code != kExitOk; ++i) {
        ::usleep(10'000);
    }
    first.send(SIGSTOP);
    const Ran second = world.run("block process --dir slow");
    expect_failure(second, kExitEnvironment, "slow");
    EXPECT_TRUE(second.says("another process") || second.says("in use") || second.says("busy"))
        << second;
    EXPECT_EQ(world.json("stats --dir slow")["totalChains"], 0);
    // Readers are welcome, and an interrupted node goes on where it was.
    EXPECT_EQ(world.json("chain status --dir slow")["tip"], 4);
    first.send(SIGINT);
    first.send(SIGCONT);
    const Ran ended = first.wait();
    EXPECT_EQ(ended.code, kExitInterrupted) << ended;
    EXPECT_EQ(world.json("block process --dir slow")["behind"], 0);
    const auto known = world.json("public export --dir slow --out slow-public");
    EXPECT_EQ(known["heights"], 2);
    EXPECT_EQ(known["vdf_proofs"], 2);
}

}  // namespace
}  // namespace holdfast::test
