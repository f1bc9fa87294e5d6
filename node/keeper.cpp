#include "node/keeper.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "node/connect.hpp"
#include "node/keeper_work.hpp"
#include "node/light_nodes.hpp"
#include "node/metrics.hpp"
#include "node/status.hpp"

namespace holdfast::node {
namespace {

using json::Json;

constexpr std::uint32_t kLeastRoundMs = 100;
constexpr std::uint32_t kMostRoundMs = 30'000;
constexpr std::chrono::milliseconds kStopLook{50};
constexpr std::uint32_t kProverPatienceMs = 3'000;

std::filesystem::path beside_key(const Config& config, const std::filesystem::path& set,
                                 const char* suffix) {
    if (!set.empty()) return set;
    std::filesystem::path out = config.key;
    return out += suffix;
}

KeeperOptions keeper_options(const Config& config, const StopCheck& stop) {
    const KeeperSettings& s = config.keeping;
    KeeperOptions out;
    out.policy.unreachable_ms = std::uint64_t{s.unreachable_s} * 1'000;
    out.policy.late_ms = std::uint64_t{s.late_s} * 1'000;
    out.policy.proving_ms = std::uint64_t{s.proving_s} * 1'000;
    out.policy.expiring_heights = s.expiring_heights;
    out.policy.retry_ms = std::uint64_t{s.retry_s} * 1'000;
    out.policy.at_once = s.file_heals_at_once;
    out.heals_at_once = s.heals_at_once;
    out.probes = s.probes;
    out.folder = beside_key(config, s.folder, ".keeper");
    out.reading.stop = stop;
    for (const PeerEntry& peer : config.peers) {
        if (!peer.address.empty()) out.provers.push_back({peer.key, peer.address, {}});
    }
    return out;
}

void wait_for(std::uint32_t ms, const StopCheck& stop) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
    while (std::chrono::steady_clock::now() < until && !stop()) {
        std::this_thread::sleep_for(kStopLook);
    }
}

/// Rounds, one a block; an error of the disk ends it.
Status keep_rounds(KeeperWork& work, std::uint32_t block_ms, Log& log, const StopCheck& stop) {
    const std::uint32_t pause = std::clamp(block_ms / 2, kLeastRoundMs, kMostRoundMs);
    while (!stop()) {
        const Status done = work.round();
        if (!done && done.error().code == ErrorCode::kInterrupted) return {};
        if (!done) {
            log.error("keeper.round_failed", {{"why", done.error().message}});
            return done;
        }
        wait_for(pause, stop);
    }
    return {};
}

}  // namespace

Result<Json> run_keeper(const Config& config, Log& log, const KeeperHooks& hooks,
                        const StopCheck& stop) {
    HOLDFAST_TRY(require_setting(!config.hosts.empty(), "[[hosts]]", "--host KEY@ADDRESS"));
    HOLDFAST_ASSIGN(identity, open_identity(config));
    const NetworkParams& params = identity.params;
    const KeyPair& owner = *identity.key;
    const std::filesystem::path folder = beside_key(config, config.keeping.catalogue, ".catalogue");
    HOLDFAST_ASSIGN(catalogue, Catalogue::open(folder, owner.public_key()));
    LightNodesOptions asking;
    asking.nodes = config.hosts;
    asking.busy_ms = params.block_ms;
    asking.stop = stop;
    HOLDFAST_ASSIGN(nodes, LightNodes::start(params.id(), owner, std::move(asking)));
    LightOptions light_options;
    light_options.outputs.stop = stop;
    HOLDFAST_ASSIGN(light, LightClient::open(params, nodes->nodes(), light_options));
    TcpProversOptions connecting;
    connecting.connect_ms = kProverPatienceMs;
    connecting.stop = stop;
    HOLDFAST_ASSIGN(provers, TcpProvers::start(owner, params.id(), connecting));
    DepositClientOptions depositing;
    depositing.patience_ms = kProverPatienceMs;
    depositing.stop = stop;
    KeptLook look(*light, nodes->nodes(), owner, provers->asker(), machine_clock(), depositing);
    HOLDFAST_ASSIGN(work, KeeperWork::open(*catalogue, look, owner, provers->asker(),
                                           keeper_options(config, stop), log));
    const auto status = [&] {
        Json out = work->status();
        out["role"] = "keeper";
        out["key"] = to_hex(owner.public_key());
        out["log"] = to_json(log);
        return out;
    };
    const auto metrics = [&] {
        std::vector<Metric> out;
        work->append_metrics(out);
        append_metrics(out, log);
        append_process_metrics(out);
        return out;
    };
    const auto health = [&] { return Health{work->problems()}; };
    HOLDFAST_ASSIGN(monitor,
                    start_monitor(config, {metrics, health, status, {}, {}}, nullptr, log));
    log.info("ready", {{"key", owner.public_key()}, {"provers", config.peers.size()}});
    if (hooks.ready) {
        hooks.ready({{"event", "ready"},
                     {"role", "keeper"},
                     {"key", to_hex(owner.public_key())},
                     {"provers", config.peers.size()},
                     {"monitor", monitor.address()}});
    }
    HOLDFAST_TRY(keep_rounds(*work, params.block_ms, log, stop));
    log.info("stopping", {});
    return status();
}

}  // namespace holdfast::node
