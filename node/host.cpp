#include "node/host.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <thread>

#include "clock/vdf_clock_service.hpp"
#include "node/api.hpp"
#include "node/block_maker.hpp"
#include "node/connect.hpp"
#include "node/control.hpp"
#include "node/daemon_control.hpp"
#include "node/gateway.hpp"
#include "node/history_source.hpp"
#include "node/host_work.hpp"
#include "node/metrics.hpp"
#include "node/node_commands.hpp"
#include "node/public_data.hpp"
#include "node/status.hpp"
#include "storage/key_file.hpp"
#include "storage/parallel.hpp"
#include "storage/process_limits.hpp"

namespace holdfast::node {
namespace {

constexpr std::uint32_t kLookMs = 50;  // for cancellation, and for blocks that became final
constexpr std::uint32_t kFollowAfterErrorMs = 1'000;
constexpr std::size_t kToldChains = 100;  // by name, in the status
constexpr std::uint32_t kMostClockWaitMs = 1'000;

std::uint64_t wall_clock_ms() {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                          std::chrono::system_clock::now().time_since_epoch())
                                          .count());
}

/// Wakes whoever processes blocks.
class Bell {
  public:
    void ring() {
        {
            const std::lock_guard lock(mutex_);
            rung_ = true;
        }
        changed_.notify_all();
    }
    void wait(std::uint32_t ms) {
        std::unique_lock lock(mutex_);
        (void)changed_.wait_for(lock, std::chrono::milliseconds(ms), [this] { return rung_; });
        rung_ = false;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool rung_ = false;
};

Json to_json(const HostCounts& c) {
    Json objects = Json::object();
    for (const auto& [kind, one] : c.objects) {
        Json refused = Json::object();
        for (const auto& [reason, count] : one.refused) {
            refused[std::string(describe(reason).name)] = count;
        }
        objects[std::string(to_string(kind))] = {{"accepted", one.accepted}, {"refused", refused}};
    }
    Json suspended = Json::array();
    for (const ChainId& id :
         std::span(c.suspended).first(std::min(c.suspended.size(), kToldChains))) {
        suspended.push_back(to_hex(id));
    }
    Json out = {{"blocks", c.blocks},
                {"tip", c.tip ? Json(c.tip->value) : Json(nullptr)},
                {"closed", c.closed ? Json(c.closed->value) : Json(nullptr)},
                {"behind", c.behind},
                {"objects", objects},
                {"suspended_chains", c.suspended.size()},
                {"suspended", suspended},  // the first of them
                {"slashed", c.slashed},
                {"seconds", c.seconds},
                {"handed_over",
                 {{"messages", c.door.messages},
                  {"objects", c.door.objects},
                  {"transactions", c.door.transactions},
                  {"acknowledged", c.door.acknowledged},
                  {"repeated", c.door.repeated},
                  {"left", c.door.left}}}};
    if (!c.error.empty()) out["error"] = c.error;
    return out;
}

Json to_json(const BlockMakerStatus& s) {
    Json out = {{"made", s.made},
                {"newest", s.newest ? Json(s.newest->value) : Json(nullptr)},
                {"age_ms", s.age_ms}};
    if (!s.error.empty()) out["error"] = s.error;
    return out;
}

std::vector<std::string> problems_of(const BlockMakerStatus& maker, const HostCounts& counts,
                                     std::uint32_t block_ms) {
    std::vector<std::string> out;
    if (!maker.error.empty()) out.push_back("no block can be made: " + maker.error);
    if (maker.age_ms > kStaleBlocks * block_ms) {
        out.push_back("no new block for " + std::to_string(maker.age_ms / 1'000) + " s");
    }
    if (!counts.error.empty()) out.push_back("a block cannot be processed: " + counts.error);
    if (counts.behind >= FollowService::kKeptHeights) {
        out.push_back(std::to_string(counts.behind) + " final blocks are not processed yet");
    }
    return out;
}

Result<Json> ledger_json(BondLedger& ledger) {
    HOLDFAST_ASSIGN(totals, ledger.totals());
    return Json{{"issued", totals.issued},
                {"in_accounts", totals.in_accounts},
                {"in_bonds", totals.in_bonds},
                {"in_pool", totals.in_pool}};
}

/// Of the newest closed height; null: none yet.
Json digest_json(const Registry& registry) {
    const Result<std::optional<Height>> closed = registry.closed();
    if (!closed || !*closed) return nullptr;
    const auto record = registry.block(**closed);
    if (!record || !*record) return nullptr;
    const StatusCounts& counts = (*record)->counts;
    return {{"height", (*record)->height.value},
            {"global", to_hex((*record)->global)},
            {"regions", (*record)->regions},
            {"active", counts.active},
            {"late", counts.late},
            {"removing", counts.removing},
            {"expired", counts.expired}};
}

/// A core is left for y, whose walk no other core can do a part of.
unsigned threads_beside_the_clock() {
    const unsigned cores = worker_count(0, UINT64_MAX);
    return cores > 1 ? cores - 1 : 1;
}

Result<Node> open_node(const Config& config) {
    AggregatorOptions options;
    options.pay = config.terms;
    options.registry_options.map_bytes = config.map_bytes;
    options.registry_options.threads = threads_beside_the_clock();
    options.sets.threads = threads_beside_the_clock();
    if (config.journal_heights > 0) {
        options.registry_options.journal_heights = config.journal_heights;
    }
    return Node::open(config.dir, std::move(options));
}

/// What followers and strangers ask for comes after the clock and after blocks.
void come_after_the_clock() {
    thread_local const bool once = [] {
        lower_thread_priority();
        return true;
    }();
    (void)once;
}

/// Blocks that are final, one after another, until `stop`.
void process_blocks(HostWork& work, Bell& bell, const StopCheck& stop) {
    while (!stop()) {
        const Result<bool> more = work.advance(stop);
        if (stop()) return;
        if (!more) {
            bell.wait(kFollowAfterErrorMs);
        } else if (!*more) {
            bell.wait(kLookMs);
        }
    }
}

}  // namespace

Result<Json> run_host(const Config& config, Log& log, const HostHooks& hooks,
                      const StopCheck& stop) {
    HOLDFAST_TRY(require_setting(!config.dir.empty(), "[node] dir", "--dir"));
    HOLDFAST_TRY(require_setting(!config.key.empty(), "[identity] key", "--key"));
    HOLDFAST_TRY(require_setting(!config.listen.empty(), "[transport] listen", "--listen"));
    HOLDFAST_ASSIGN(key, load_key_pair(config.key));
    HOLDFAST_ASSIGN(node, open_node(config));
    const NetworkParams& params = node.params();
    const std::uint32_t block_ms = config.block_ms == 0 ? params.block_ms : config.block_ms;
    if (block_ms != params.block_ms) {
        log.warn("block.time", {{"block_ms", block_ms}, {"network_block_ms", params.block_ms}});
    }
    std::optional<HostWork> work_after_follow;
    FollowSource source = follow_source(node.registry(), *node.chain);
    source.hand_over = [&work_after_follow](const PublicKey& from, ByteView message,
                                            std::span<const ByteView> objects) {
        return work_after_follow->hand_over(from, message, objects);
    };
    HOLDFAST_ASSIGN(heads, HeadFile::open(node.paths.heads(), params));
    OutputSource outputs({node.registry(), *node.chain, node.beacon.get(), node.clock.get(), *heads,
                          [&node](Height height) { return node.aggregator->head(height); }});
    LedgerCopies ledger_copies(*node.ledger, node.paths.ledger_copy(), machine_clock());
    source.history = history_source(node.registry(), *node.chain, *heads, &ledger_copies);
    source.output = [&outputs](Height height) { return outputs.output(height); };
    std::atomic<TcpNetwork*> provers{nullptr};
    PublicSource data(
        node.registry(), *node.chain,
        public_hooks({params, [&node](Height height) { return node.aggregator->head(height); },
                      node.beacon.get(), node.clock.get()},
                     [&provers] { return provers.load(); }));
    source.public_data = [&data](const PublicQuestion& question) { return data.answer(question); };
    FollowService follow(std::move(source), *node.chain, machine_clock());
    HostWork& work = work_after_follow.emplace(node, follow, outputs, key, log);
    Bell bell;
    std::unique_ptr<VdfClockService> clock;
    if (params.has_vdf) {
        ClockServiceOptions options;
        options.wait_ms = std::clamp(block_ms / 4, 1U, kMostClockWaitMs);
        HOLDFAST_ASSIGN(started, VdfClockService::start(*node.clock, options));
        clock = std::move(started);
    }
    BlockMaker maker(*node.chain, block_ms, machine_clock(), wall_clock_ms, log, [&] {
        if (clock) clock->wake();
        bell.ring();
    });
    HOLDFAST_TRY(follow.refresh());
    HOLDFAST_ASSIGN(network, start_network(
                                 config, params.id(), key, kAllRoles,
                                 [&follow](const PublicKey& from, ByteView message) {
                                     come_after_the_clock();
                                     return follow.handle(from, message);
                                 },
                                 log));
    provers = network.get();
    const auto status = [&]() -> Json {
        Json out = {{"role", "node"},
                    {"address", network->address()},
                    {"key", to_hex(key.public_key())},
                    {"chain", to_json(maker.status())},
                    {"processed", to_json(work.counts())},
                    {"followers", to_json(follow.statistics())},
                    {"network", to_json(network->statistics())},
                    {"peers", peers_json(*network)},
                    {"log", to_json(log)}};
        out["digest"] = digest_json(node.registry());
        const Result<Json> ledger = ledger_json(*node.ledger);
        out["ledger"] = ledger ? *ledger : Json{{"error", ledger.error().message}};
        return out;
    };
    const auto metrics = [&] {
        std::vector<Metric> out;
        append_metrics(out, work.counts());
        append_metrics(out, follow.statistics());
        append_metrics(out, network->statistics());
        append_metrics(out, log);
        append_process_metrics(out);
        return out;
    };
    const auto health = [&] {
        return Health{problems_of(maker.status(), work.counts(), block_ms)};
    };
    DaemonControl daemon(config, {status, health}, log);
    const ApiCommands handle = [&](const std::string& command, const Json& arguments) {
        if (DaemonControl::has(command)) return daemon.handle(command, arguments);
        const NodeStores stores{node.chain.get(), node.ledger.get(), node.aggregator.get()};
        Result<Json> done = carry_out(stores, command, arguments);
        log.info("control", {{"command", command}, {"done", done.has_value()}});
        bell.ring();
        return done;
    };
    const Api api("node", DaemonControl::routes(), handle, log);
    MonitorSources sources{metrics, health, status, {}};
    sources.mounts.push_back(
        {"/api/", [&api](const HttpRequest& request) { return api.answer(request); }});
    Gateway gateway(node.registry(), data);
    sources.mounts.push_back(gateway_mount(gateway));
    HOLDFAST_ASSIGN(monitor, start_monitor(config, std::move(sources), network.get(), log));
    HOLDFAST_ASSIGN(gateway_server, start_gateway(config, gateway));
    HOLDFAST_ASSIGN(control, ControlServer::start(control_socket(node.paths.dir), handle));
    const StopCheck ends = [&] { return stop() || daemon.stop_wanted(); };
    const Json ready = {{"event", "ready"},
                        {"role", "node"},
                        {"address", network->address()},
                        {"key", to_hex(key.public_key())},
                        {"network_id", to_hex(params.id())},
                        {"monitor", monitor.address()},
                        {"public", gateway_address(gateway_server)}};
    log.info("ready", {{"address", network->address()}, {"block_ms", block_ms}});
    if (hooks.ready) hooks.ready(ready);
    {
        const std::jthread making([&] { maker.run(ends); });
        const std::jthread reloading([&] { watch_hangups(daemon, ends); });
        process_blocks(work, bell, ends);
    }
    log.info("stopping", {});
    control.reset();  // nothing is written any more
    if (clock) clock->stop();
    stop_network(*network, config, log);
    return status();
}

}  // namespace holdfast::node
