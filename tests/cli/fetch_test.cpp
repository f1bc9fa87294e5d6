// fetch, latency and config as a user runs them, against servers of this process that are honest,
// busy, slow, silent or liars.
#include <atomic>
#include <chrono>
#include <thread>

#include "availability/chunk_server.hpp"
#include "node_world.hpp"
#include "support/registry_world.hpp"
#include "transport/tcp_network.hpp"

namespace holdfast::test {
namespace {

constexpr std::uint64_t kDataBytes = 300'000;  // of NodeWorld's "a"

std::uint64_t now_ns() {
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

/// A node with one registered chain over "a", and its prover's server.
class Fetch : public ::testing::Test {
  protected:
    struct Served {
        NodeWorld world;
        std::string chain;
        NetworkParams params;
        std::shared_ptr<const Replica> replica;

        Served() {
            world.good("chain new-block --count 4");
            chain = world.enlist("a", "alice.key");
            world.good("chain new-block --count 9");
            world.good("block process");
            world.good("public export --out public");
            world.key("bob.key", 2);
            const Bytes object = slurp(world / "public/network.params");
            params = *NetworkParams::decode(*unwrap_object(Kind::kNetwork, object));
            replica = std::make_shared<const Replica>(
                must(Replica::open(world / "a.replica", world / "a.tree", params)));
        }
        [[nodiscard]] ChainId chain_id() const {
            ChainId id;
            EXPECT_TRUE(from_hex(chain, MutByteView(id.bytes)));
            return id;
        }
    };
    static Served& served() {
        static Served shared;
        return shared;
    }

    Fetch() : before(names_below(s.world.path())) {
        must(chunks.add_chain(s.chain_id(), s.replica, s.world / "a"));
    }
    ~Fetch() override {
        release = true;
        network.reset();
        for (const std::string& name : names_below(s.world.path())) {
            if (std::find(before.begin(), before.end(), name) == before.end()) {
                std::filesystem::remove_all(s.world / name);
            }
        }
    }

    Result<Bytes> honest(const PublicKey& from, ByteView message) {
        ++asked;
        return chunks.handle(from, message);
    }
    /// `handler` behind the prover's key; what it is asked by default is answered honestly.
    std::string start(TcpHandler handler = {}, bool accept_anyone = true) {
        TcpNetworkOptions options;
        options.network = s.params.id();
        options.listen = "127.0.0.1:0";
        options.accept_anyone = accept_anyone;
        options.workers = 4;
        options.handler = handler ? std::move(handler)
                                  : [this](const PublicKey& k, ByteView m) { return honest(k, m); };
        network = must(TcpNetwork::start(KeyPair::from_secret(Bytes(32, 1)), std::move(options)));
        return network->address();
    }
    Ran fetch(const std::string& address, const std::string& more) {
        return s.world.run("fetch a.registration --public node --from " + address + " " + more);
    }
    /// Of the bytes of a file in the world.
    void expect_bytes(const std::string& name, std::uint64_t offset, std::uint64_t length) {
        const Bytes all = slurp(s.world / "a");
        const auto first = all.begin() + static_cast<std::ptrdiff_t>(offset);
        EXPECT_EQ(slurp(s.world / name), Bytes(first, first + static_cast<std::ptrdiff_t>(length)));
    }
    void expect_nothing_left() { EXPECT_EQ(names_below(s.world.path()), before); }

    Served& s = served();
    std::vector<std::string> before;
    ChunkServer chunks{now_ns};
    std::atomic<unsigned> asked{0};
    std::atomic<bool> release{false};
    std::unique_ptr<TcpNetwork> network;
};

TEST_F(Fetch, WholeFilesAndRangesComeExactly) {
    const std::string address = start();
    const Ran whole = fetch(address, "--out whole --json");
    ASSERT_EQ(whole.code, kExitOk) << whole;
    EXPECT_EQ(whole.json()["bytes"], kDataBytes);
    EXPECT_EQ(whole.json()["what"], "raw");
    EXPECT_EQ(whole.json()["chain_id"], s.chain);
    EXPECT_EQ(whole.json()["key"], "made for this run");
    expect_bytes("whole", 0, kDataBytes);

    // By the chain's id from public data, with the server's key said and a key of one's own.
    const std::string key = to_hex(KeyPair::from_secret(Bytes(32, 1)).public_key());
    const Ran range = s.world.run("fetch " + s.chain + " --public public --from " + key + "@" +
                                  address + " --key bob.key --offset 4095 --length 8194 --out r");
    ASSERT_EQ(range.code, kExitOk) << range;
    EXPECT_TRUE(range.says("every byte proved"));
    expect_bytes("r", 4'095, 8'194);
    ASSERT_EQ(fetch(address, "--offset 299999 --out last").code, kExitOk);
    expect_bytes("last", kDataBytes - 1, 1);
    // Chunks: the last one of the data is cut where the data end.
    ASSERT_EQ(fetch(address, "--first 73 --count 1 --out chunk").code, kExitOk);
    expect_bytes("chunk", 73 * 4'096, kDataBytes - 73 * 4'096);
    ASSERT_EQ(fetch(address, "--sealed --first 2 --count 3 --out sealed").code, kExitOk);
    Bytes sealed(3 * 4'096);
    must(s.replica->read_sealed(ChunkIndex(2), sealed));
    EXPECT_EQ(slurp(s.world / "sealed"), sealed);
}

TEST_F(Fetch, WrongWordsAndFilesThatExistAskNobody) {
    const std::string address = start();
    expect_failure(fetch(address, "--offset 300000 --out x"), kExitUsage, "range");
    expect_failure(fetch(address, "--length 300001 --out x"), kExitUsage, "range");
    expect_failure(fetch(address, "--length 0 --out x"), kExitUsage, "range");
    expect_failure(fetch(address, "--offset 1 --first 1 --out x"), kExitUsage, "one pair");
    expect_failure(fetch(address, "--first 100000 --out x"), kExitUsage, "chunks 0 to");
    expect_failure(fetch("127.0.0.1", "--out x"), kExitUsage, "HOST:PORT");
    expect_failure(fetch("abc@" + address, "--out x"), kExitUsage, "hexadecimal");
    expect_failure(fetch(address, "--out a"), kExitEnvironment, "--force");
    expect_failure(s.world.run("fetch " + std::string(64, '0') + " --public public --from " +
                               address + " --out x"),
                   kExitEnvironment, "know no chain");
    expect_failure(s.world.run("fetch a.replica --public node --from " + address + " --out x"),
                   kExitRefused, "a.replica");
    EXPECT_EQ(asked.load(), 0U);
    expect_nothing_left();
}

TEST_F(Fetch, WhoIsNotThereOrDoesNotServeUs) {
    std::string address = start();
    network.reset();
    expect_failure(fetch(address, "--timeout 0.3 --out x"), kExitEnvironment, "no connection to");
    address = start({}, false);
    expect_failure(fetch(address, "--out x"), kExitEnvironment, "--key");
    must(network->add_peer({KeyPair::from_secret(Bytes(32, 2)).public_key(), ""}));
    EXPECT_EQ(fetch(address, "--key bob.key --out y").code, kExitOk);
    expect_bytes("y", 0, kDataBytes);
    // Another key at that address.
    const std::string other = to_hex(KeyPair::from_secret(Bytes(32, 3)).public_key());
    expect_failure(fetch(other + "@" + address, "--key bob.key --timeout 1 --out x"), kExitRefused,
                   "key");
    EXPECT_FALSE(std::filesystem::exists(s.world / "x"));
}

TEST_F(Fetch, ReasonOfAFailedConnectionIsSaidAtOnce) {
    const std::string address = start();
    const std::string other = to_hex(KeyPair::from_secret(Bytes(32, 3)).public_key());
    const auto began = std::chrono::steady_clock::now();
    for (const std::string command : {"fetch", "latency"}) {
        const std::string out = command == "fetch" ? " --out x" : "";
        const auto ask = [&](const std::string& from) {
            return s.world.run(command + " a.registration --public node --from " + from + out);
        };
        expect_failure(ask(other + "@" + address), kExitRefused, "another key");
        expect_failure(ask("no-such-host.invalid:9001"), kExitEnvironment, "cannot be looked up");
        expect_failure(ask("127.0.0.1:1"), kExitEnvironment, "connection refused");
    }
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(9));
    // Another network's server, at last.
    network.reset();
    TcpNetworkOptions options;
    options.network = NetworkId(tagged_hash("test/other"));
    options.listen = "127.0.0.1:0";
    options.accept_anyone = true;
    network = must(TcpNetwork::start(KeyPair::from_secret(Bytes(32, 1)), std::move(options)));
    expect_failure(fetch(network->address(), "--out x"), kExitRefused, "another network");
    expect_nothing_left();
}

TEST_F(Fetch, TruncatedReplicaIsNamedAndNotBusy) {
    // A copy that is cut off under the server's map.
    std::filesystem::copy_file(s.world / "a.replica", s.world / "cut.replica");
    std::filesystem::copy_file(s.world / "a.tree", s.world / "cut.tree");
    std::vector<std::string> told;
    ChunkServer cut_off(now_ns, {}, [&](const ChainId& id, const Error& why) {
        EXPECT_EQ(id, s.chain_id());
        told.push_back(why.message);
    });
    must(cut_off.add_chain(s.chain_id(),
                           std::make_shared<const Replica>(must(Replica::open(
                               s.world / "cut.replica", s.world / "cut.tree", s.params)))));
    const std::string address = start(
        [&](const PublicKey& from, ByteView message) { return cut_off.handle(from, message); });
    cut(s.world / "cut.replica", 5'000);
    const Ran ran = fetch(address, "--sealed --out x --at-once 1");
    expect_failure(ran, kExitRefused, "root: Data do not hash");
    EXPECT_FALSE(ran.says("busy")) << ran;
    ASSERT_EQ(told.size(), 1U);
    EXPECT_NE(told[0].find("cut.replica"), std::string::npos) << told[0];
    EXPECT_GE(cut_off.statistics().failed, 1U);
}

TEST_F(Fetch, ABusyProverIsWaitedForAndALiarIsRefused) {
    std::atomic<unsigned> busy{3};
    std::string address = start([&](const PublicKey& from, ByteView m) -> Result<Bytes> {
        if (busy.load() > 0) {
            --busy;
            ReadAnswer answer;
            answer.status = ReadStatus::kBusy;
            answer.retry_ms = 20;
            return answer.encode();
        }
        return honest(from, m);
    });
    const Ran waited = fetch(address, "--out w --at-once 1 --json");
    ASSERT_EQ(waited.code, kExitOk) << waited;
    EXPECT_EQ(waited.json()["busy"], 3);
    expect_bytes("w", 0, kDataBytes);
    std::filesystem::remove(s.world / "w");

    busy = UINT32_MAX;
    expect_failure(fetch(address, "--out x --patience 0.3"), kExitEnvironment, "busy");
    expect_nothing_left();

    // The first piece is right, a later one false: nothing is left of either.
    address = start([&](const PublicKey& from, ByteView m) -> Result<Bytes> {
        Result<Bytes> answer = honest(from, m);
        if (answer && asked.load() > 1) (*answer)[100] ^= 1;
        return answer;
    });
    asked = 0;
    const Ran lied = fetch(address, "--out x --at-once 1");
    expect_failure(lied, kExitRefused, "what the prover sent");
    EXPECT_GT(asked.load(), 1U);
    expect_nothing_left();
    const Ran json = fetch(address, "--out x --json");
    EXPECT_EQ(json.code, kExitRefused);
    EXPECT_EQ(json.json()["error"]["reason"], "multiproof");
}

TEST_F(Fetch, CtrlCLeavesNoHalfFile) {
    const std::string address = start([&](const PublicKey& from, ByteView m) -> Result<Bytes> {
        if (asked.load() < 1) return honest(from, m);
        ++asked;
        while (!release.load()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return fail(ErrorCode::kBusy, "released");
    });
    for (const int signal : {SIGINT, SIGTERM}) {
        asked = 0;
        Command command(s.world.path(), words_of("fetch a.registration --public node --from " +
                                                 address + " --out x --at-once 1"));
        for (int i = 0; i < 4'000 && asked.load() < 2; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        ASSERT_EQ(asked.load(), 2U);  // one piece has been taken, the second is waited for
        const auto start = std::chrono::steady_clock::now();
        command.send(signal);
        EXPECT_EQ(command.wait().code, kExitInterrupted);
        EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(8));
        expect_nothing_left();
    }
}

TEST_F(Fetch, LatencyMeasuresAndHints) {
    const std::string near = start();
    const nlohmann::json quick = s.world.json(
        "latency a.registration --public node --samples 5 "
        "--hint-ms 5000 --limit-ms 5000 --from " +
        near);
    EXPECT_EQ(quick["answered"], 5);
    EXPECT_EQ(quick["relay_hint"], false);
    EXPECT_EQ(quick["far"], false);
    EXPECT_GT(quick["ping"]["median_us"], 0);
    EXPECT_GE(quick["service"]["median_us"], quick["service"]["minimum_us"]);
    EXPECT_TRUE(s.world.good("latency a.registration --public node --samples 5 --from " + near)
                    .says("not seen: a store within 20 ms"));

    // It fetches its data from elsewhere, 60 ms away.
    const std::string relay = start([&](const PublicKey& from, ByteView m) {
        std::this_thread::sleep_for(std::chrono::milliseconds(60));
        return honest(from, m);
    });
    const nlohmann::json hinted = s.world.json(
        "latency a.registration --public node --samples 5 "
        "--from " +
        relay);
    EXPECT_EQ(hinted["relay_hint"], true);
    EXPECT_GE(hinted["service"]["minimum_us"], 60'000);

    // Too slow for the deadline: nothing can be said.
    expect_failure(s.world.run("latency a.registration --public node --samples 5 --deadline-ms 20 "
                               "--from " +
                               relay),
                   kExitRefused, "latency");
}

TEST_F(Fetch, PlacesAreRefusedWhereLightIsTooSlow) {
    const std::string command =
        "latency a.registration --public node --samples 5 --from " + start();
    const Ran here = s.world.run(command +
                                 " --place 47.3769,8.5417 --vantage here=47.3769,8.5417 "
                                 "--json");
    ASSERT_EQ(here.code, kExitOk) << here;
    EXPECT_EQ(here.json()["accepted"], true);
    EXPECT_EQ(here.json()["vantages"][0]["distance_m"], 0);
    EXPECT_EQ(here.json()["claimed"]["longitude_udeg"], 8'541'700);
    // A loopback connection is no 19,000 km long.
    const Ran far =
        s.world.run(command + " --place -40,-170.5 --vantage here=47.3769,8.5417 --json");
    EXPECT_EQ(far.code, kExitRefused) << far;
    EXPECT_EQ(far.json()["reason"], "place");
    EXPECT_EQ(far.json()["index"], 0);

    // Several vantages: what was measured elsewhere is judged with it.
    spill(s.world / "other.json", view(here.out));
    const std::string two =
        command + " --place 47.3769,8.5417 --vantage there=47.3769,8.5417 --least 2";
    expect_failure(s.world.run(two), kExitRefused, "");
    const Ran both = s.world.run(two + " --with other.json --json");
    EXPECT_EQ(both.code, kExitOk) << both;
    EXPECT_EQ(both.json()["vantages"].size(), 2U);
    nlohmann::json forged = here.json();
    forged["vantages"][0]["distance_m"] = 19'000'000;
    spill(s.world / "other.json", view(forged.dump()));
    const Ran refused = s.world.run(two + " --with other.json --json");
    EXPECT_EQ(refused.code, kExitRefused);
    EXPECT_EQ(refused.json()["index"], 1);

    expect_failure(s.world.run(command + " --place 1,1 --vantage x=1,1 --with other.json"),
                   kExitUsage, "another peer or place");
    expect_failure(s.world.run(command + " --place 1,1 --vantage x=1,1 --with a"), kExitUsage,
                   "not what");
    for (const char* const place :
         {"91,0", "0,181", "1", "1,", ",1", "1.1234567,0", "1.,0", "--1,0", "a,b", "1e1,0"}) {
        expect_failure(s.world.run(command + " --vantage x=1,1 --place=" + place), kExitUsage,
                       "--place");
    }
    expect_failure(s.world.run(command + " --place 1,1"), kExitUsage, "belong together");
    expect_failure(s.world.run(command + " --place 1,1 --vantage 1,1"), kExitUsage, "NAME=");
}

TEST(Config, TheExampleIsCheckedAndWhatIsWrongIsNamed) {
    const TempFolder folder;
    const Ran example = holdfast_command(folder.path(), words_of("config example"));
    ASSERT_EQ(example.code, kExitOk);
    spill(folder / "node.toml", view(example.out));
    const Ran checked = holdfast_command(folder.path(), words_of("config check node.toml --json"));
    ASSERT_EQ(checked.code, kExitOk) << checked;
    EXPECT_EQ(checked.json()["in_force"]["transport"]["limits"]["max_peers"], 8'192);
    EXPECT_TRUE(holdfast_command(folder.path(), words_of("config check node.toml"))
                    .says("transport.limits.max_peers = 8192\n"));
    spill(folder / "bad.toml", view("[transport]\nworkers = 2\nmax_peers = 3\n"));
    expect_failure(holdfast_command(folder.path(), words_of("config check bad.toml")), kExitUsage,
                   "bad.toml:3: there is no key \"max_peers\" in [transport]; it has listen");
    expect_failure(holdfast_command(folder.path(), words_of("config check none.toml")),
                   kExitEnvironment, "none.toml");
}

}  // namespace
}  // namespace holdfast::test
