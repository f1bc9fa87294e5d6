// A node's folder with registered replicas and challengers, and the daemons over it as threads of
// the test, connected by loopback sockets.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "node/challenger.hpp"
#include "node/host.hpp"
#include "node/node_folder.hpp"
#include "node/prover.hpp"
#include "storage/file.hpp"
#include "storage/key_file.hpp"
#include "support/quiet_log.hpp"
#include "support/sealed_chain.hpp"

namespace holdfast::test {

/// One daemon on a thread of its own, from its start until stop().
class Daemon {
  public:
    using Json = node::Json;
    using Body =
        std::function<Result<Json>(std::function<void(const Json&)> ready, const StopCheck& stop)>;

    explicit Daemon(const Body& body)
        : thread_([this, body] {
              Result<Json> result = body(
                  [this](const Json& ready) {
                      const std::lock_guard lock(mutex_);
                      ready_ = ready;
                      changed_.notify_all();
                  },
                  [this] { return stop_.load(); });
              const std::lock_guard lock(mutex_);
              result_ = std::move(result);
              changed_.notify_all();
          }) {}
    ~Daemon() { stop_ = true; }

    /// What it said when it was ready; an empty object when it ended before.
    Json ready() {
        std::unique_lock lock(mutex_);
        (void)changed_.wait_for(lock, std::chrono::seconds(60),
                                [this] { return ready_ || result_; });
        EXPECT_TRUE(ready_) << (result_ && !*result_ ? result_->error().message : "not ready");
        return ready_.value_or(Json::object());
    }
    /// Its summary.
    Json stop() {
        stop_ = true;
        if (thread_.joinable()) thread_.join();
        EXPECT_TRUE(result_->has_value()) << result_->error().message;
        return result_->value_or(Json::object());
    }

  private:
    std::atomic<bool> stop_{false};
    std::mutex mutex_;  // guards the two below
    std::condition_variable changed_;
    std::optional<Json> ready_;
    std::optional<Result<Json>> result_;
    std::jthread thread_;  // last: it uses the rest
};

/// Every height challenges every chain; blocks of half a second.
inline NetworkParams daemon_network() {
    NetworkParams p = short_network();
    p.name = "daemons";
    p.block_ms = 500;
    p.seal_deadline = 6;
    p.rate_window = 4'000;  // links are not what is tested here
    p.misses_late = 3'000;
    p.misses_expired = 3'900;
    p.availability_n = p.availability_d = 1;
    p.availability_chunks = 4;
    p.least_chain_part = 1'000;
    p.least_challenger_part = 10'240;  // for what is paid below
    return p;
}

class DaemonWorld {
  public:
    static constexpr std::uint64_t kBond = 1'000;
    static constexpr std::uint64_t kPool = 1'000'000;
    static constexpr std::uint64_t kChallengerBond = 10'240;
    static constexpr PayTerms kTerms{7, 3};

    /// `one_file`: the provers' replicas are of the same data.
    DaemonWorld(std::size_t provers, std::size_t challengers, bool one_file = false)
        : params(daemon_network()), one_file_(one_file) {
        std::filesystem::create_directory(dir());
        {
            must(LocalChain::create(dir() / "chain", params, 1'700'000'000'000));
        }
        must(save_key_pair(test_operator(), node::NodePaths{dir()}.operator_key()));
        node::Node node = must(node::Node::open(dir()));
        must(node.ledger->fund_pool(kPool, idempotency(1)));
        blocks(node, params.finality_blocks + 1);
        for (std::size_t i = 0; i < provers; ++i) add_prover(node, i);
        for (std::size_t i = 0; i < challengers; ++i) add_challenger(node, i);
        save_key(host_key(), "host.key");
        // Until every chain has its slot and every challenger is in force.
        blocks(node, 12);
    }

    [[nodiscard]] std::filesystem::path dir() const { return folder / "node"; }
    static KeyPair host_key() { return KeyPair::from_secret(Bytes(32, 200)); }
    static KeyPair challenger_key(std::size_t i) {
        return KeyPair::from_secret(view(tagged_hash("test/challenger", std::uint64_t{i})));
    }
    [[nodiscard]] PublicKey prover(std::size_t i) const { return sealed[i]->key().public_key(); }

    node::Config host_config() const {
        node::Config c = common("host.key");
        c.dir = dir();
        c.terms = kTerms;
        return c;
    }
    node::Config prover_config(std::size_t i, const std::string& host) const {
        node::Config c = common("prover" + std::to_string(i) + ".key");
        c.params = dir();
        c.hosts = {node::PeerEntry{host_key().public_key(), host}};
        c.replicas = {{sealed[i]->replica_file(), sealed[i]->folder() / "source"}};
        return c;
    }
    /// `provers`: where each of them listens.
    node::Config challenger_config(std::size_t i, const std::string& host,
                                   const std::vector<std::string>& provers) const {
        node::Config c = common("challenger" + std::to_string(i) + ".key");
        c.params = dir();
        c.listen.clear();
        c.hosts = {node::PeerEntry{host_key().public_key(), host}};
        c.journal = folder / ("journal" + std::to_string(i));
        for (std::size_t p = 0; p < provers.size(); ++p) c.peers.push_back({prover(p), provers[p]});
        return c;
    }
    static IdempotencyKey idempotency(std::uint64_t n) {
        return IdempotencyKey(tagged_hash("test/idempotency", n));
    }

    TempFolder folder;
    NetworkParams params;
    std::vector<std::unique_ptr<SealedChain>> sealed;
    std::vector<std::unique_ptr<Prover>> drivers;

  private:
    const bool one_file_;

    node::Config common(const std::string& key) const {
        node::Config c;
        c.key = folder / key;
        c.listen = "127.0.0.1:0";
        c.accept_anyone = true;
        c.limits.backoff_first_ms = 50;
        c.limits.backoff_max_ms = 200;
        return c;
    }
    void save_key(const KeyPair& key, const std::string& name) {
        must(save_key_pair(key, folder / name));
    }
    BondId bond(node::Node& node, const PublicKey& owner, std::uint64_t amount, BondPurpose purpose,
                std::uint64_t n) {
        must(node.ledger->issue(owner, amount, idempotency(1'000 + 2 * n)));
        const BondId made =
            must(node.ledger->create_bond(owner, amount, purpose, idempotency(1'001 + 2 * n)));
        must(list_bond_events(*node.chain, *node.ledger));
        return made;
    }
    void add_prover(node::Node& node, std::size_t i) {
        SealedChainOptions options;
        options.chunks = 16;
        options.key = i;
        sealed.push_back(std::make_unique<SealedChain>(params, one_file_ ? 0 : i, options));
        const SealedChain& chain = *sealed.back();
        RegistrationTerms terms;
        const BlockInfo genesis = must(node::newest_final(*node.chain));
        terms.genesis_height = genesis.height;
        terms.genesis_block_hash = genesis.hash;
        terms.bond_id = bond(node, chain.key().public_key(), kBond, BondPurpose::kStorage, i);
        terms.with_commitment = false;
        const Registration registration =
            must(make_registration(params, chain.replica().header(), terms, chain.key()));
        const Bytes object = wrap_object(Kind::kRegistration, registration.encode());
        must(write_file(node::registration_file(chain.replica_file()), object));
        must(node.chain->submit_registration(object));
        save_key(chain.key(), "prover" + std::to_string(i) + ".key");
        drivers.push_back(std::make_unique<Prover>(must(node::open_prover(
            params, chain.replica_file(), folder / ("prover" + std::to_string(i) + ".key")))));
    }
    void add_challenger(node::Node& node, std::size_t i) {
        const KeyPair key = challenger_key(i);
        const Height base = must(node.chain->current_height()) + 2 + params.seal_delay;
        const Challenger registration =
            make_challenger(
                params.id(), challenger_commitment(params.id(), key, base).value(), base,
                bond(node, key.public_key(), kChallengerBond, BondPurpose::kChallenger, 100 + i),
                key)
                .value();
        const Bytes object = wrap_object(Kind::kChallenger, registration.encode());
        const std::string name = "challenger" + std::to_string(i);
        save_key(key, name + ".key");
        must(write_file(node::challenger_file(folder / (name + ".key")), object));
        must(node.chain->submit(Kind::kChallenger, object));
    }
    void blocks(node::Node& node, std::uint64_t count) {
        std::vector<Prover*> provers;
        for (const auto& p : drivers) provers.push_back(p.get());
        for (std::uint64_t i = 0; i < count; ++i) {
            must(node.chain->append_block());
            while (must(node.aggregator->advance(provers))) {
            }
        }
    }
};

}  // namespace holdfast::test
