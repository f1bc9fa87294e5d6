// The keeper at work: a real node with real chains, which it verifies as a light client over TCP;
// provers that hold the data in memory and fail as the test likes. About ten seconds.
#include "node/keeper_work.hpp"

#include "node/connect.hpp"
#include "node/light_nodes.hpp"
#include "support/daemon_world.hpp"
#include "support/memory_prover.hpp"

namespace holdfast::test {
namespace {

/// A file of one shard and one copy of it (1+1), with two of three provers.
class KeeperWorld {
  public:
    KeeperWorld()
        : world(3, 0, true), host([this](auto ready, const StopCheck& stop) {
              return node::run_host(world.host_config(), *log, {ready}, stop);
          }) {
        const std::string address = host.ready()["address"].get<std::string>();
        node::LightNodesOptions asking;
        asking.nodes = {{DaemonWorld::host_key().public_key(), address}};
        nodes = must(node::LightNodes::start(world.params.id(), owner, asking));
        light = must(LightClient::open(world.params, nodes->nodes(), {}));
        const Bytes data = must(read_file(world.sealed[0]->folder() / "source", 1 << 20));
        for (std::size_t i = 0; i < 3; ++i) {
            const Registration r = must(
                node::read_registration(node::registration_file(world.sealed[i]->replica_file())));
            chains.push_back(r.chain_id(world.params.id()));
            root = r.header.raw_root;
            provers.push_back(
                std::make_unique<MemoryProver>(world.params.id(), SealedChain::prover_key(i)));
            provers[i]->chain = chains[i];
        }
        file.network = world.params.id();
        file.plain_len = data.size();
        file.scheme = KeptScheme::kPlain;
        file.salt = tagged_hash("test/kept-salt", std::uint64_t{2});
        file.manifest.shape = {1, 1};
        file.manifest.shard_len = file.manifest.data_len = data.size();
        file.manifest.roots = {root, root};
        for (unsigned i = 0; i < 2; ++i) file.shards.push_back(provers[i]->hold(data, i));
        must(file.sign(owner));
        catalogue = must(Catalogue::open(world.folder / "catalogue", owner.public_key()));
        EXPECT_TRUE(must(catalogue->take(file)));
        DepositClientOptions depositing;
        depositing.patience_ms = 50;
        look = std::make_unique<node::KeptLook>(*light, nodes->nodes(), owner, ask(),
                                                node::machine_clock(), depositing);
        options.provers = {provers[2]->address()};
        options.folder = world.folder / "keeper";
        options.policy.unreachable_ms = 0;
        options.policy.expiring_heights = 0;
        options.policy.retry_ms = 100;
        options.probes = 8;
        options.reading.patience_ms = 200;
        options.reading.slow_ms = 100;
        open();
    }

    void open() {
        work.reset();
        work = must(node::KeeperWork::open(*catalogue, *look, owner, ask(), options, *log));
    }
    KeptFile current() { return std::get<KeptFile>(*must(catalogue->find(file.id()))); }
    node::KeptSight sight(const KeptFile& of, bool links = false) {
        must(look->begin_round());
        return must(look->look(of, {links}));
    }
    /// Rounds until it is so, thirty seconds at most.
    bool rounds_until(const std::function<bool()>& so) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (std::chrono::steady_clock::now() < end) {
            must(work->round());
            if (so()) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        return false;
    }
    AskProverOf ask() {
        return [this](const ProverAddress& prover) -> AskProver {
            for (const auto& one : provers) {
                if (one->key.public_key() != prover.key) continue;
                return [this, p = one.get()](ByteView message) {
                    return p->answer(owner.public_key(), message);
                };
            }
            return [](ByteView) -> Result<Bytes> {
                return fail(ErrorCode::kUnavailable, "no such prover");
            };
        };
    }

    const KeyPair owner = KeyPair::from_secret(Bytes(32, 78));
    DaemonWorld world;
    std::unique_ptr<node::Log> log = quiet_log();
    Daemon host;
    std::unique_ptr<node::LightNodes> nodes;
    std::unique_ptr<LightClient> light;
    std::vector<std::unique_ptr<MemoryProver>> provers;
    std::vector<ChainId> chains;
    Root root;
    KeptFile file;
    std::unique_ptr<Catalogue> catalogue;
    std::unique_ptr<node::KeptLook> look;
    node::KeeperOptions options;
    std::unique_ptr<node::KeeperWork> work;
};

TEST(KeeperAtWork, BelievesChainsAndRootsAndNoProversWord) {
    KeeperWorld w;
    node::KeptSight seen = w.sight(w.file);
    EXPECT_EQ(node::health_word(seen), "whole");
    EXPECT_EQ(margin_of(seen.view).text(), "1 of 2 needed, 2 proven, 1 may fail");
    const json::Json shown = node::to_json(w.file, seen);
    EXPECT_EQ(shown["shards"][0]["segments"][0]["chain"], "proven");
    // A chain of other data, and one of another prover, whatever the provers say.
    KeptFile other = w.file;
    other.manifest.roots[0].bytes[0] ^= 1;
    EXPECT_EQ(w.sight(other).view.shards[0].chain, ChainSight::kAnother);
    other = w.file;
    other.shards[0].chain = w.chains[1];
    EXPECT_EQ(w.sight(other).view.shards[0].chain, ChainSight::kAnother);
    other = w.file;
    other.shards[0].chain.bytes[0] ^= 1;
    EXPECT_EQ(w.sight(other).view.shards[0].chain, ChainSight::kNotYet);
    // A prover that is silent, and one that has lost it.
    w.provers[0]->silent = true;
    w.provers[1]->deposits.clear();
    seen = w.sight(w.file);
    EXPECT_FALSE(seen.view.shards[0].readable());
    EXPECT_TRUE(seen.view.shards[0].proven());
    EXPECT_TRUE(seen.view.shards[1].failed);
    EXPECT_EQ(margin_of(seen.view).text(), "1 of 2 needed, 1 proven, 0 may fail");
    EXPECT_EQ(node::health_word(seen), "degraded");
}

TEST(KeeperAtWork, AProverThatIsGoneIsReplacedAndLetGoOfWhenItComesBack) {
    KeeperWorld w;
    must(w.work->round());
    EXPECT_TRUE(w.work->problems().empty());
    w.provers[0]->silent = true;
    ASSERT_TRUE(w.rounds_until([&] { return w.current().counter == 2; }))
        << w.work->status().dump(1);
    EXPECT_EQ(w.current().at(0, 0).prover, w.provers[2]->key.public_key());
    EXPECT_EQ(w.current().at(0, 0).chain, w.chains[2]);
    EXPECT_EQ(w.current().at(1, 0), w.file.at(1, 0));
    ASSERT_TRUE(w.rounds_until([&] { return w.work->problems().empty(); }));
    EXPECT_EQ(w.provers[0]->deposits.size(), 1U);
    w.provers[0]->silent = false;
    EXPECT_TRUE(w.rounds_until([&] { return w.provers[0]->deposits.empty(); }));
    EXPECT_EQ(w.work->status()["heals_done"], 1);
    EXPECT_EQ(w.work->status()["heals_failed"], 0);
}

TEST(KeeperAtWork, AProverThatLiesOnReadsIsFoundAndReplaced) {
    KeeperWorld w;
    w.provers[1]->lies = true;
    ASSERT_TRUE(w.rounds_until([&] { return w.current().counter == 2; }))
        << w.work->status().dump(1);
    EXPECT_EQ(w.current().at(1, 0).prover, w.provers[2]->key.public_key());
    EXPECT_GE(w.work->status()["lies"].get<int>(), 1);
    EXPECT_FALSE(std::filesystem::is_empty(w.options.folder / "evidence"));
}

TEST(KeeperAtWork, BeyondRepairForAWhileItWaitsAndThenMends) {
    KeeperWorld w;
    w.provers[0]->silent = true;
    w.provers[1]->deposits.begin()->second.phase = DepositPhase::kFailed;
    for (int i = 0; i < 3; ++i) must(w.work->round());
    EXPECT_EQ(w.work->status()["heals_begun"], 0);
    ASSERT_FALSE(w.work->problems().empty());
    EXPECT_NE(w.work->problems()[0].find("can be read"), std::string::npos)
        << w.work->problems()[0];
    w.provers[0]->silent = false;
    EXPECT_TRUE(w.rounds_until([&] { return w.current().counter == 2; }));
}

TEST(KeeperAtWork, GoesOnWithAnOrderAfterAnEndInTheMiddleAndDepositsOnce) {
    KeeperWorld w;
    w.provers[0]->silent = true;
    w.provers[2]->silent_after = w.provers[2]->requests + 5;  // it goes away during the upload
    ASSERT_TRUE(w.rounds_until([&] { return w.work->status()["heals_begun"] == 1; }));
    w.open();
    w.provers[2]->silent_after.reset();
    ASSERT_TRUE(w.rounds_until([&] { return w.current().counter == 2; }))
        << w.work->status().dump(1);
    EXPECT_EQ(w.provers[2]->deposits.size(), 1U);
    EXPECT_TRUE(must(read_heal_orders(w.options.folder)).empty());
}

TEST(KeeperAtWork, WithoutANodeNobodyIsBlamed) {
    KeeperWorld w;
    must(w.work->round());
    (void)w.host.stop();
    w.provers[0]->silent = true;
    must(w.work->round());
    EXPECT_EQ(w.work->status()["heals_begun"], 0);
}

}  // namespace
}  // namespace holdfast::test
