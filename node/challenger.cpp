#include "node/challenger.hpp"

#include <thread>

#include "node/api.hpp"
#include "node/challenge_loop.hpp"
#include "node/connect.hpp"
#include "node/daemon_control.hpp"
#include "node/metrics.hpp"
#include "node/node_folder.hpp"
#include "node/status.hpp"

namespace holdfast::node {
namespace {

constexpr std::uint64_t kAnsweredLatelyMs = 2'000;

/// The registration beside the key; its base is where the reveal chain begins.
Result<Challenger> registration_of(const Identity& identity, const std::filesystem::path& key) {
    const std::filesystem::path file = challenger_file(key);
    Result<Bytes> object = read_object(file);
    if (!object && object.error().code == ErrorCode::kNotFound) {
        return fail(ErrorCode::kNotFound,
                    object.error().message +
                        "; register first: holdfast challenger register --key " + key.string());
    }
    if (!object) return fail(object.error());
    const Checked<ByteView> body = unwrap_object(Kind::kChallenger, *object);
    if (!body) return fail_refused(body.error(), file.string());
    const Checked<Challenger> challenger = Challenger::decode(*body);
    if (!challenger) return fail_refused(challenger.error(), file.string());
    if (const Verdict v = check_challenger(identity.params.id(), *challenger); !v) {
        return fail_refused(v, file.string());
    }
    if (challenger->key != identity.key->public_key()) {
        return fail(ErrorCode::kInvalidArgument,
                    file.string() + " is of another key than " + key.string());
    }
    return *challenger;
}

Json to_json(const ChallengeCounts& c, std::uint64_t unknown) {
    Json out = {{"in_force", c.in_force},
                {"rounds", c.rounds},
                {"skipped", c.skipped},
                {"planned", c.planned},
                {"sent", c.report.sent},
                {"served", c.report.served},
                {"late", c.report.late},
                {"invalid", c.report.invalid},
                {"unreachable", c.report.unreachable},
                {"abandoned", c.report.abandoned},
                {"unknown_provers", unknown},
                {"published", c.published},
                {"publish_refused", c.publish_refused}};
    out["service_times"] = Json::array();
    for (std::size_t i = 0; i < c.report.times.counts.size(); ++i) {
        const bool longer = i == ServiceTimes::kBoundsMs.size();
        out["service_times"].push_back(
            {{"up_to_ms", longer ? Json(nullptr) : Json(ServiceTimes::kBoundsMs.at(i))},
             {"count", c.report.times.counts[i]}});
    }
    out["recent_rounds"] = Json::array();
    for (const ChallengeCounts::Round& round : c.recent) {
        out["recent_rounds"].push_back({{"height", round.height.value},
                                        {"chains", round.chains},
                                        {"challenges", round.challenges}});
    }
    if (!c.error.empty()) out["error"] = c.error;
    return out;
}

}  // namespace

std::filesystem::path challenger_file(const std::filesystem::path& key) {
    std::filesystem::path out = key;
    return out.replace_extension(".challenger");
}

Result<Json> run_challenger(const Config& config, Log& log, const ChallengerHooks& hooks,
                            const StopCheck& stop) {
    HOLDFAST_TRY(require_setting(!config.hosts.empty(), "[[hosts]]", "--host KEY@ADDRESS"));
    HOLDFAST_TRY(require_setting(!config.journal.empty(), "[challenger] journal", "--journal"));
    HOLDFAST_ASSIGN(identity, open_identity(config));
    const NetworkParams& params = identity.params;
    const PublicKey key = identity.key->public_key();
    HOLDFAST_ASSIGN(registration, registration_of(identity, config.key));
    HOLDFAST_ASSIGN(journal, ChallengeJournal::open(config.journal, params.id()));
    if (const std::uint64_t left = journal->abandoned_at_open(); left > 0) {
        log.warn("journal.abandoned", {{"challenges", left}});
    }
    HOLDFAST_ASSIGN(network,
                    start_network(config, params.id(), *identity.key, kRoleChallenger, {}, log));
    HOLDFAST_ASSIGN(client, follow_host(config, *network));
    const HostFollower* followed = nullptr;
    CautiousNetwork cautious(
        *network,
        [&followed] {
            const FollowerStatus s = followed->status();
            return s.reachable && s.answered_age_ms <= kAnsweredLatelyMs;
        },
        log);
    AvailabilityChallenger engine(params, *identity.key, registration.base, *journal, cautious,
                                  machine_clock(), config.challenging);
    (void)engine.commitment();  // the long way through the reveal chain, before it is in a hurry
    ChallengeLoop loop(engine, *client, key, log);
    HostFollower follower(params, *client, machine_clock(), log,
                          {[&loop](const FollowHeight& h, bool seen) { loop.on_height(h, seen); },
                           [&loop](Height h, const VdfOutput& y) { loop.on_y(h, y); }});
    followed = &follower;
    const auto status = [&] {
        return Json{{"role", "challenger"},
                    {"key", to_hex(key)},
                    {"base", registration.base.value},
                    {"host", to_json(follower.status())},
                    {"challenges", to_json(loop.counts(), cautious.unknown())},
                    {"network", to_json(network->statistics())},
                    {"peers", peers_json(*network)},
                    {"log", to_json(log)}};
    };
    const auto metrics = [&] {
        std::vector<Metric> out;
        append_metrics(out, follower.status());
        append_metrics(out, loop.counts().report);
        append_metrics(out, network->statistics());
        append_metrics(out, log);
        append_process_metrics(out);
        return out;
    };
    const auto health = [&] {
        Health out{follower_problems(follower.status(), params.block_ms)};
        const ChallengeCounts counts = loop.counts();
        if (!counts.in_force) out.problems.emplace_back("this key is no challenger in force");
        if (!counts.error.empty()) out.problems.push_back(counts.error);
        return out;
    };
    DaemonControl daemon(config, {status, health}, log);
    const Api api(
        "challenger", DaemonControl::routes(),
        [&](const std::string& command, const Json& arguments) {
            return daemon.handle(command, arguments);
        },
        log);
    MonitorSources sources{metrics, health, status, {}};
    sources.mounts.push_back(
        {"/api/", [&api](const HttpRequest& request) { return api.answer(request); }});
    HOLDFAST_ASSIGN(monitor, start_monitor(config, std::move(sources), network.get(), log));
    const StopCheck ends = [&] { return stop() || daemon.stop_wanted(); };
    const Json ready = {{"event", "ready"},
                        {"role", "challenger"},
                        {"key", to_hex(key)},
                        {"base", registration.base.value},
                        {"provers", config.peers.size()},
                        {"monitor", monitor.address()}};
    log.info("ready", {{"key", key}, {"base", registration.base}});
    if (hooks.ready) hooks.ready(ready);
    {
        const std::jthread following([&] { follower.run(ends); });
        const std::jthread reloading([&] { watch_hangups(daemon, ends); });
        loop.run(ends);
    }
    log.info("stopping", {});
    stop_network(*network, config, log);
    return status();
}

}  // namespace holdfast::node
