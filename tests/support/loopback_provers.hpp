// Provers of one process that are real but for their chain: DepositService and ChunkServer behind a
// TcpNetwork on loopback, each in a folder of its own. Every sealed replica counts as proven.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "availability/chunk_server.hpp"
#include "core/hash.hpp"
#include "deposit/service.hpp"
#include "keep/provers.hpp"
#include "transport/tcp_network.hpp"

namespace holdfast::test {

class LoopbackProver {
  public:
    LoopbackProver(const std::filesystem::path& folder, const NetworkParams& params,
                   const PublicKey& client, std::uint8_t number)
        : folder_(folder),
          params_(params),
          key_(KeyPair::from_secret(Bytes(32, number))),
          chunks_(now_ns, unlimited()) {
        std::filesystem::create_directories(folder_);
        DepositSettings settings;
        settings.folder = folder_;
        settings.clients = {{client, std::uint64_t{1} << 40, 1'000}};
        settings.reserve_bytes = 0;
        settings.limit_bytes = std::uint64_t{1} << 40;
        settings.seal = "dev";
        settings.bytes_per_second = std::uint64_t{1} << 31;
        settings.seal_bytes_per_second = std::uint64_t{1} << 31;
        service_ = must(DepositService::open(settings, params_, key_, host()));
        TcpNetworkOptions tcp;
        tcp.network = params_.id();
        tcp.roles = kRoleProver;
        tcp.listen = "127.0.0.1:0";
        tcp.accept_anyone = true;
        tcp.limits.bytes_per_second = std::uint32_t{1} << 31;
        tcp.limits.frames_per_second = 1U << 20;
        tcp.handler = [this](const PublicKey& from, ByteView message) -> Result<Bytes> {
            if (message[1] == kReadRequestKind) return chunks_.handle(from, message);
            return service_->handle(from, message);
        };
        network_ = must(TcpNetwork::start(key_, std::move(tcp)));
    }
    ~LoopbackProver() {
        (void)network_->stop(0);
        stop_sealing();
    }
    LoopbackProver(const LoopbackProver&) = delete;
    LoopbackProver& operator=(const LoopbackProver&) = delete;

    [[nodiscard]] ProverAddress address() const {
        return {key_.public_key(), network_->address(), {}};
    }
    /// In the background, until stop_sealing().
    void start_sealing() {
        sealer_ = std::thread([this] { service_->run([this] { return stop_.load(); }); });
    }
    void stop_sealing() {
        stop_ = true;
        if (sealer_.joinable()) sealer_.join();
    }
    /// As a machine that is switched off.
    void leave() { (void)network_->stop(0); }

  private:
    template <class T>
    static T must(Result<T> result) {
        if (!result) throw std::runtime_error(result.error().message);
        return std::move(*result);
    }
    static std::uint64_t now_ns() {
        return static_cast<std::uint64_t>(
            std::chrono::steady_clock::now().time_since_epoch().count());
    }
    static ChunkServerOptions unlimited() {
        ChunkServerOptions options;
        options.chunks = {.per_second = 1U << 20, .burst = 1U << 20};
        options.bytes_in_flight = std::uint64_t{64} << 20;
        return options;
    }
    static ChainId chain_of(const ReplicaId& id) { return ChainId(tagged_hash("test/chain", id)); }

    DepositHost host() {
        DepositHost h;
        h.now_ms = [] { return now_ns() / 1'000'000; };
        h.clock = now_ns;
        h.tip = [] { return std::optional(Height(10)); };
        h.chain = [this](const ReplicaId& id) -> std::optional<DepositChain> {
            const std::lock_guard lock(mutex_);
            if (!served_.contains(id)) return std::nullopt;
            return DepositChain{chain_of(id), Height(5), Height(9), true, false};
        };
        h.end_chain = [](const ChainId&) { return Status{}; };
        h.look = [this] { serve(); };
        h.leave = [](const std::filesystem::path&) {};
        h.tell = [](const char*, const DepositId&, const std::string&, bool) {};
        return h;
    }
    void serve() {
        for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
            if (entry.path().extension() != ".replica") continue;
            std::filesystem::path tree = entry.path();
            std::filesystem::path raw = entry.path();
            tree.replace_extension(".tree");
            raw.replace_extension(".raw");
            auto replica =
                std::make_shared<const Replica>(must(Replica::open(entry.path(), tree, params_)));
            const ReplicaId id = replica->id();
            const std::lock_guard lock(mutex_);
            if (served_.contains(id)) continue;
            if (chunks_.add_chain(chain_of(id), replica, raw)) served_.insert(id);
        }
    }

    const std::filesystem::path folder_;
    const NetworkParams params_;
    const KeyPair key_;
    ChunkServer chunks_;
    std::mutex mutex_;
    std::set<ReplicaId> served_;
    std::unique_ptr<DepositService> service_;
    std::unique_ptr<TcpNetwork> network_;
    std::atomic<bool> stop_{false};
    std::thread sealer_;
};

}  // namespace holdfast::test
