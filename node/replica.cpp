#include "node/replica.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include "node/api.hpp"
#include "node/connect.hpp"
#include "node/daemon_control.hpp"
#include "node/gateway.hpp"
#include "node/history_source.hpp"
#include "node/metrics.hpp"
#include "node/output_source.hpp"
#include "node/public_data.hpp"
#include "node/status.hpp"
#include "node/take_over.hpp"
#include "storage/begun.hpp"
#include "storage/key_file.hpp"

namespace holdfast::node {
namespace {

constexpr std::uint32_t kRetryMs = 1'000;
constexpr std::uint32_t kPauseMs = 20;
constexpr std::uint64_t kLongBehindBlocks = 8;  // of which no head came

void wait(std::uint32_t ms, const StopCheck& stop) {
    for (std::uint32_t waited = 0; waited < ms && !stop(); waited += kPauseMs) {
        std::this_thread::sleep_for(std::chrono::milliseconds(kPauseMs));
    }
}

bool is_transient(const Error& error) {
    return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kTimeout ||
           error.code == ErrorCode::kBusy || error.code == ErrorCode::kNotFound;
}

/// Tries again while the followed node is away.
template <class Work>
auto until_it_works(const Work& work, Log& log, const StopCheck& stop) -> decltype(work()) {
    for (bool told = false;;) {
        auto done = work();
        if (done || !is_transient(done.error()) || stop()) return done;
        if (!told) log.warn("replica.waits", {{"error", done.error().message}});
        told = true;
        wait(kRetryMs, stop);
    }
}

RegistryOptions registry_options(const Config& config) {
    RegistryOptions out;
    out.map_bytes = config.map_bytes;
    if (config.journal_heights > 0) out.journal_heights = config.journal_heights;
    return out;
}

Json to_json(const ReaderCounts& c) {
    const auto height = [](const std::optional<Height>& h) {
        return h ? Json(h->value) : Json(nullptr);
    };
    Json out = {{"tip", height(c.tip)},
                {"closed", height(c.closed)},
                {"chain", height(c.chain)},
                {"entries", c.entries},
                {"behind_entries", c.total > c.entries ? c.total - c.entries : 0},
                {"heads_compared", c.heads},
                {"newest_head", height(c.head)},
                {"heights_without_head", c.without_head},
                {"ledger_copies", c.ledger_copies}};
    if (!c.ledger_error.empty()) out["ledger_error"] = c.ledger_error;
    if (!c.error.empty()) out["error"] = c.error;
    if (c.disagreement) out["disagreement"] = c.disagreement->what;
    return out;
}

std::vector<std::string> problems_of(const ReaderCounts& c) {
    std::vector<std::string> out;
    if (c.disagreement) out.push_back(c.disagreement->what);
    if (!c.error.empty()) out.push_back("the followed node's history does not come: " + c.error);
    const std::uint64_t covered = c.head ? c.head->value : 0;
    if (c.closed && c.closed->value > covered + kLongBehindBlocks) {
        out.push_back("no head of the operator covers the newest heights (closed " +
                      std::to_string(c.closed->value) + ", newest head " + std::to_string(covered) +
                      ")");
    }
    return out;
}

ReaderOptions reader_options(const Config& config, const ReplicaSettings& settings) {
    ReaderOptions out;
    out.trust = config.output.trust;
    out.spot_segments = config.output.spot_segments;
    out.fills = settings.fills;
    return out;
}

/// As the operator signed it and this replica has seen it.
Result<JournalHead> head_of(const ReplicaStores& stores, Height height) {
    HOLDFAST_ASSIGN(head, stores.heads->head(height));
    if (head) return *head;
    return fail(ErrorCode::kNotFound, "no head of height " + std::to_string(height.value));
}

FollowSource source_of(ReplicaStores& stores, const OutputSource& outputs, PublicSource& data,
                       LedgerCopies& ledger) {
    FollowSource source = follow_source(*stores.registry, *stores.repeated);
    source.hand_over = [](const PublicKey&, ByteView, std::span<const ByteView> objects) {
        HandedOvers out;
        for (std::size_t i = 0; i < objects.size(); ++i) {
            out.objects.emplace_back().reason = Reason::kNotOperator;
        }
        return out;
    };
    source.output = [&outputs](Height height) { return outputs.output(height); };
    source.public_data = [&data](const PublicQuestion& question) { return data.answer(question); };
    source.history = history_source(*stores.registry, *stores.chain, *stores.heads, &ledger);
    return source;
}

/// One step after another; tells followers what is new.
void follow_the_other(ReplicaReader& reader, FollowService& follow, OutputSource& outputs,
                      std::uint32_t poll_ms, Log& log, const StopCheck& stop) {
    bool said = false;
    while (!stop()) {
        const Result<bool> more = reader.step(stop);
        if (stop()) return;
        Status told = follow.refresh();
        if (told) told = outputs.refresh();
        if (!told && !said) log.error("followers.not_told", {{"error", told.error().message}});
        said = !told;
        if (reader.counts().disagreement) {
            while (!stop()) wait(kRetryMs, stop);
            return;
        }
        if (!more) {
            wait(kRetryMs, stop);
        } else if (!*more) {
            wait(poll_ms, stop);
        }
    }
}

}  // namespace

Result<Json> run_replica(const Config& config, const ReplicaSettings& settings, Log& log,
                         const HostHooks& hooks, const StopCheck& stop) {
    HOLDFAST_TRY(require_setting(!config.dir.empty(), "[node] dir", "--dir"));
    HOLDFAST_TRY(require_setting(!config.listen.empty(), "[transport] listen", "--listen"));
    HOLDFAST_TRY(require_no_take_over(NodePaths{config.dir}));
    Config with_host = config;
    with_host.hosts = {settings.followed};
    std::error_code ignored;
    if (with_host.params.empty() && std::filesystem::exists(config.dir / "chain", ignored)) {
        with_host.params = config.dir;
    }
    HOLDFAST_ASSIGN(identity, open_identity(with_host));
    const NetworkParams& params = identity.params;
    if (!params.has_operator()) {
        return fail(ErrorCode::kInvalidArgument,
                    "a network without an operator has no journal to repeat: each of its nodes "
                    "reads the host's blocks");
    }
    std::atomic<FollowService*> serving{nullptr};
    HOLDFAST_ASSIGN(
        network, start_network(
                     with_host, params.id(), *identity.key, kAllRoles,
                     [&serving](const PublicKey& from, ByteView message) {
                         FollowService* const service = serving.load();
                         if (service != nullptr) return service->handle(from, message);
                         return Result<Bytes>(fail(ErrorCode::kBusy, "the replica is beginning"));
                     },
                     log));
    HOLDFAST_ASSIGN(follow_client, follow_host(with_host, *network));
    HistoryClient history(requests_to(*network, settings.followed.key));
    HOLDFAST_ASSIGN(
        stores,
        until_it_works(
            [&] { return ReplicaStores::open(config.dir, params, settings.followed, history); },
            log, stop));
    HOLDFAST_TRY(until_it_works(
        [&] {
            return begin_registry(stores, history, *follow_client, registry_options(config), log,
                                  stop);
        },
        log, stop));
    HOLDFAST_TRY(
        stores.open_registry(registry_options(config), config.output.threads, *follow_client));
    HOLDFAST_TRY(mark_begun(stores.paths.registry()));
    OutputSource outputs({*stores.registry, *stores.repeated, stores.beacon.get(),
                          stores.clock.get(), *stores.heads});
    PublicSource data(*stores.registry, *stores.repeated,
                      public_hooks({params, [&stores](Height h) { return head_of(stores, h); },
                                    stores.beacon.get(), stores.clock.get()},
                                   [&network] { return network.get(); }));
    LedgerCopies ledger(ledger_file(stores.paths), machine_clock());
    FollowService follow(source_of(stores, outputs, data, ledger), *stores.repeated,
                         machine_clock());
    ReplicaReader reader(stores, history, *follow_client, reader_options(config, settings), log);
    HOLDFAST_TRY(follow.refresh());
    serving = &follow;
    const auto status = [&]() -> Json {
        return {{"role", "replica"},
                {"address", network->address()},
                {"key", to_hex(identity.key->public_key())},
                {"replica_of", to_hex(settings.followed.key)},
                {"replica", to_json(reader.counts())},
                {"followers", to_json(follow.statistics())},
                {"network", to_json(network->statistics())},
                {"peers", peers_json(*network)},
                {"log", to_json(log)}};
    };
    const auto metrics = [&] {
        std::vector<Metric> out;
        append_metrics(out, follow.statistics());
        append_metrics(out, network->statistics());
        append_metrics(out, log);
        append_process_metrics(out);
        return out;
    };
    const auto health = [&] { return Health{problems_of(reader.counts())}; };
    DaemonControl daemon(config, {status, health}, log);
    const Api api(
        "replica", DaemonControl::routes(),
        [&](const std::string& command, const Json& arguments) {
            return daemon.handle(command, arguments);
        },
        log);
    MonitorSources sources{metrics, health, status, {}};
    sources.mounts.push_back(
        {"/api/", [&api](const HttpRequest& request) { return api.answer(request); }});
    Gateway gateway(*stores.registry, data);
    sources.mounts.push_back(gateway_mount(gateway));
    HOLDFAST_ASSIGN(monitor, start_monitor(config, std::move(sources), network.get(), log));
    HOLDFAST_ASSIGN(gateway_server, start_gateway(config, gateway));
    const StopCheck ends = [&] { return stop() || daemon.stop_wanted(); };
    log.info("ready", {{"address", network->address()}});
    if (hooks.ready) {
        hooks.ready({{"event", "ready"},
                     {"role", "replica"},
                     {"address", network->address()},
                     {"key", to_hex(identity.key->public_key())},
                     {"network_id", to_hex(params.id())},
                     {"monitor", monitor.address()},
                     {"public", gateway_address(gateway_server)}});
    }
    const std::uint32_t poll_ms = std::clamp(params.block_ms / 8, 10U, 500U);
    {
        const std::jthread reloading([&] { watch_hangups(daemon, ends); });
        follow_the_other(reader, follow, outputs, poll_ms, log, ends);
    }
    log.info("stopping", {});
    stop_network(*network, config, log);
    if (const auto found = reader.counts().disagreement) {
        return fail_refused(found->verdict, found->what);
    }
    return status();
}

}  // namespace holdfast::node
