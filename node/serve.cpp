#include "node/serve.hpp"

#include <algorithm>
#include <thread>

#include "availability/peer_service.hpp"
#include "node/connect.hpp"
#include "node/host_follower.hpp"
#include "node/metrics.hpp"
#include "node/served_replicas.hpp"
#include "node/status.hpp"
#include "node/unserved_chains.hpp"
#include "node/verified_output.hpp"

namespace holdfast::node {
namespace {

Json chains_json(const ServedReplicas& replicas) {
    Json out = Json::array();
    for (const ChainId& id : replicas.chains()) out.push_back(to_hex(id));
    return out;
}

Json missing_json(const ServedReplicas& replicas) {
    Json out = Json::array();
    for (const ServedReplicas::Missing& one : replicas.missing()) {
        out.push_back({{"replica", one.replica}, {"error", one.error}});
    }
    return out;
}

Json unserved_json(std::span<const ChainId> unserved) {
    constexpr std::size_t kToldChains = 100;
    Json out = Json::array();
    for (const ChainId& id : unserved.first(std::min(unserved.size(), kToldChains))) {
        out.push_back(to_hex(id));
    }
    return out;
}

std::vector<std::string> missing_problems(const ServedReplicas& replicas) {
    std::vector<std::string> out;
    for (const ServedReplicas::Missing& one : replicas.missing()) {
        out.push_back("replica " + one.replica + " is not served: " + one.error);
    }
    return out;
}

constexpr std::uint64_t kMissedInRow = 3;  // something is wrong

Json to_json(const VerifiedOutputStatus& s, OutputTrust trust) {
    Json out = {{"trust", to_string(trust)},
                {"verified", s.verified},
                {"missed", s.missed},
                {"false_told", s.false_told},
                {"newest", s.newest ? Json(s.newest->value) : Json(nullptr)}};
    if (!s.error.empty()) out["error"] = s.error;
    return out;
}

std::vector<std::string> output_problems(const VerifiedOutputStatus& s) {
    std::vector<std::string> out;
    if (s.false_told > 0) {
        out.push_back("the followed node told a false y of " + std::to_string(s.false_told) +
                      " heights; nothing was signed from it");
    }
    if (s.missed_in_row >= kMissedInRow) {
        out.push_back("y of " + std::to_string(s.missed_in_row) +
                      " heights in a row was not verified in time: " + s.error);
    }
    return out;
}

/// y of this node's own, for the responder; the settings' folder, or one beside the key.
Result<std::unique_ptr<VerifiedOutput>> open_output(const Config& config,
                                                    const NetworkParams& params,
                                                    FollowClient& client, Log& log,
                                                    VerifiedOutput::OnOutput on_y) {
    VerifiedOutputOptions options = config.output;
    if (options.folder.empty()) options.folder = std::filesystem::path(config.key) += ".y";
    return VerifiedOutput::open(params, client, options, log, std::move(on_y));
}

/// Log lines for what peers ask, around the handler that answers.
TcpHandler logged(TcpHandler inner, Log& log) {
    return
        [inner = std::move(inner), &log](const PublicKey& from, ByteView message) -> Result<Bytes> {
            Result<Bytes> answer = inner(from, message);
            const bool challenge =
                message.size() > 1 && message[1] == static_cast<std::uint8_t>(Kind::kChallenge2);
            if (!challenge) return answer;
            const bool failed = !answer && answer.error().code != ErrorCode::kRefused;
            if (failed) {
                log.error("challenge.failed", {{"peer", from}, {"error", answer.error().message}});
            } else if (answer) {
                log.info("challenge.answered", {{"challenger", from}, {"bytes", answer->size()}});
            } else {
                log.info("challenge.ignored", {{"peer", from}, {"why", answer.error().message}});
            }
            return answer;
        };
}

}  // namespace

Result<Json> run_serve(const Config& config, Log& log, const ServeHooks& hooks,
                       const StopCheck& stop) {
    HOLDFAST_TRY(require_setting(!config.listen.empty(), "[transport] listen", "--listen"));
    HOLDFAST_TRY(require_setting(config.host.has_value(), "[host]", "--host KEY@ADDRESS"));
    HOLDFAST_TRY(require_setting(!config.replicas.empty(), "[[replicas]]", "--replica"));
    HOLDFAST_ASSIGN(identity, open_identity(config));
    const NetworkParams& params = identity.params;
    AvailabilityResponder responder(params, machine_clock(), config.responding);
    ChunkServer chunks(machine_clock(), config.reading,
                       [&log](const ChainId& id, const Error& why) {
                           log.error("reading.failed", {{"chain", id}, {"error", why.message}});
                       });
    ServedReplicas replicas(config.replicas, identity, responder, chunks, log);
    HOLDFAST_TRY(replicas.open_missing());
    PeerService service(&responder, &chunks);
    TcpHandler handler = [&service](const PublicKey& from, ByteView message) {
        return service.handle(from, message);
    };
    if (hooks.handler) handler = hooks.handler(std::move(handler));
    HOLDFAST_ASSIGN(network, start_network(config, params.id(), *identity.key, kRoleProver,
                                           logged(std::move(handler), log), log));
    HOLDFAST_ASSIGN(client, follow_host(config, *network));
    HOLDFAST_ASSIGN(
        output, open_output(config, params, *client, log, [&](Height height, const VdfOutput& y) {
            responder.note_y(height, y);
            if (hooks.y) hooks.y(height, y);
        }));
    UnservedChains of_key(*client, identity.key->public_key());
    const auto unserved = [&] { return of_key.but(replicas.chains()); };
    HostFollower follower(
        params, *client, machine_clock(), log,
        {[&](const FollowHeight& height, bool) {
             ChallengeHeight known = height;
             known.y.reset();  // the followed node's word; nothing is signed from it
             responder.on_final_block(known);
             output->want(height.height, height.y);
             of_key.look(height);
             log.debug("block.final", {{"height", height.height}, {"has_y", height.y.has_value()}});
         },
         [&](Height height, const VdfOutput& y) { output->want(height, y); }});
    const auto status = [&] {
        return Json{{"role", "serve"},
                    {"address", network->address()},
                    {"key", to_hex(identity.key->public_key())},
                    {"chains", chains_json(replicas)},
                    {"missing", missing_json(replicas)},
                    {"unserved_chains", unserved().size()},
                    {"unserved", unserved_json(unserved())},  // the first of them
                    {"host", to_json(follower.status())},
                    {"output", to_json(output->status(), config.output.trust)},
                    {"challenges", to_json(responder.statistics())},
                    {"readers", to_json(chunks.statistics())},
                    {"network", to_json(network->statistics())},
                    {"peers", peers_json(*network)},
                    {"log", to_json(log)}};
    };
    const auto metrics = [&] {
        std::vector<Metric> out;
        append_metrics(out, follower.status());
        append_metrics(out, replicas);
        append_unserved(out, unserved().size());
        append_metrics(out, responder.statistics());
        append_metrics(out, chunks.statistics());
        append_metrics(out, network->statistics());
        append_metrics(out, log);
        append_process_metrics(out);
        return out;
    };
    const auto health = [&] {
        Health out{follower_problems(follower.status(), params.block_ms)};
        for (std::string& problem : missing_problems(replicas)) {
            out.problems.push_back(std::move(problem));
        }
        if (const auto problem = unserved_problem(unserved())) out.problems.push_back(*problem);
        for (std::string& problem : output_problems(output->status())) {
            out.problems.push_back(std::move(problem));
        }
        const std::uint64_t failed = responder.statistics().failed + chunks.statistics().failed;
        if (failed > 0) {
            out.problems.push_back(std::to_string(failed) +
                                   " answers failed: a replica cannot be read, or is damaged "
                                   "(holdfast scrub)");
        }
        return out;
    };
    HOLDFAST_ASSIGN(monitor, start_monitor(config, {metrics, health, status}));
    const Json ready = {{"event", "ready"},
                        {"role", "serve"},
                        {"address", network->address()},
                        {"key", to_hex(identity.key->public_key())},
                        {"chains", chains_json(replicas)},
                        {"missing", missing_json(replicas)},
                        {"monitor", address_of(monitor)}};
    log.info("ready", {{"address", network->address()},
                       {"chains", replicas.chains().size()},
                       {"missing", replicas.missing().size()}});
    if (hooks.ready) hooks.ready(ready);
    {
        const std::jthread retrying([&] { replicas.run(stop); });
        const std::jthread verifying([&] { output->run(stop); });
        follower.run(stop);
    }
    log.info("stopping", {});
    stop_network(*network, config, log);
    return status();
}

}  // namespace holdfast::node
