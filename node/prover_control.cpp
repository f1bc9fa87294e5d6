#include "node/prover_control.hpp"

#include <algorithm>

#include "node/prover_status.hpp"

namespace holdfast::node {
namespace {

Result<std::filesystem::path> path_of(const Json& arguments) {
    const auto found = arguments.find("path");
    if (found == arguments.end() || !found->is_string()) {
        return fail(ErrorCode::kInvalidArgument, "a path is needed");
    }
    const std::filesystem::path path = found->get<std::string>();
    if (!path.is_absolute()) {
        return fail(ErrorCode::kInvalidArgument, path.string() + " is not an absolute path");
    }
    return path.lexically_normal();
}

}  // namespace

ProverControl::ProverControl(const Identity& identity, ReplicaStock& stock, FollowClient& client,
                             GuardedDuties& source, OwnChains& chains, ProverWork& work,
                             Scrubber& scrubber, DaemonControl& daemon, std::function<void()> trust,
                             Log& log)
    : identity_(identity),
      stock_(stock),
      client_(client),
      source_(source),
      chains_(chains),
      work_(work),
      scrubber_(scrubber),
      daemon_(daemon),
      trust_(std::move(trust)),
      log_(log) {}

Result<Json> ProverControl::add(const Json& arguments) {
    HOLDFAST_ASSIGN(path, path_of(arguments));
    HOLDFAST_TRY(stock_.add(path));
    log_.info("prover.added", {{"path", path}});
    work_.wake();
    return Json{{"added", path.string()}, {"replicas", stock_.replicas().size()}};
}

Status ProverControl::end(const ChainId& chain) {
    HOLDFAST_ASSIGN(list, source_.followed_chains());
    chains_.take(list);
    const auto known = chains_.of_chain(chain);
    if (!known) {
        return fail(ErrorCode::kNotFound, "the followed node does not know chain " + to_hex(chain));
    }
    HOLDFAST_ASSIGN(tip, client_.tip());
    HOLDFAST_ASSIGN(removal, make_removal(identity_.params.id(), chain, known->last_sequence + 1,
                                          tip.height, *identity_.key));
    return source_.list(Kind::kRemoval, wrap_object(Kind::kRemoval, removal.encode()));
}

/// The removals first: a chain whose end could not be asked for is kept.
Result<Json> ProverControl::remove(const Json& arguments) {
    HOLDFAST_ASSIGN(path, path_of(arguments));
    Json ended = Json::array();
    if (arguments.value("end", false)) {
        for (const StockedReplica& one : stock_.replicas()) {
            if (!one.chain || (one.replica != path && one.folder != path)) continue;
            HOLDFAST_TRY(end(*one.chain));
            ended.push_back(to_hex(*one.chain));
        }
    }
    HOLDFAST_ASSIGN(chains, stock_.remove(path));
    log_.info("prover.removed", {{"path", path}, {"chains", chains.size()}});
    work_.wake();
    Json out = {{"removed", path.string()}, {"chains", Json::array()}, {"ended", ended}};
    for (const ChainId& chain : chains) out["chains"].push_back(to_hex(chain));
    return out;
}

Result<Json> ProverControl::pause(bool paused) {
    work_.pause(paused);
    scrubber_.pause(paused);
    log_.info(paused ? "prover.paused" : "prover.resumed");
    return Json{{"paused", paused}};
}

Result<Json> ProverControl::scrub(const Json& arguments) {
    std::optional<std::filesystem::path> path;
    if (arguments.contains("path")) {
        HOLDFAST_ASSIGN(given, path_of(arguments));
        path = given;
    }
    const std::uint64_t due = scrubber_.begin(path);
    if (path && due == 0) {
        return fail(ErrorCode::kNotFound,
                    path->string() + " is no replica or folder of this prover");
    }
    log_.info("scrub.asked", {{"replicas", due}});
    return Json{{"due", due}};
}

std::optional<std::chrono::seconds> ProverControl::drain_wanted() const {
    const std::int64_t seconds = drain_s_.load();
    return seconds < 0 ? std::nullopt : std::optional(std::chrono::seconds(seconds));
}

std::vector<ApiRoute> ProverControl::routes() {
    std::vector<ApiRoute> out = DaemonControl::routes();
    const ApiArgument path{"path", "string", true, "An absolute path: a replica, or a folder."};
    const ApiArgument some{"path", "string", false, "A replica or folder; without it, all."};
    const ApiArgument end{"end", "boolean", false, "Ask the network for the chains' end as well."};
    const ApiArgument paused{"paused", "boolean", true, ""};
    const std::vector<ApiRoute> own = {
        {"GET",
         "/replicas",
         "list",
         "Its replicas, and how their chains stand.",
         {},
         {{"replicas", "array", true, ""}}},
        {"GET",
         "/deposits",
         "deposits",
         "What it has taken in for others, and how far each is.",
         {},
         {{"deposits", "array", true, ""}}},
        {"POST",
         "/replicas",
         "add",
         "Take a replica, or a folder of them, in.",
         {path},
         {{"added", "string", true, ""}, {"replicas", "integer", true, ""}}},
        {"DELETE",
         "/replicas",
         "remove",
         "Take a replica or folder out.",
         {path, end},
         {{"removed", "string", true, ""},
          {"chains", "array", true, "That were answered for."},
          {"ended", "array", true, "Whose end was asked for."}}},
        {"POST",
         "/rescan",
         "rescan",
         "Look at its folders again, now.",
         {},
         {{"replicas", "integer", true, ""}}},
        {"POST",
         "/trust",
         "trust",
         "Believe its nodes again.",
         {},
         {{"trusted", "boolean", true, ""}}},
        {"POST",
         "/scrub",
         "scrub",
         "Read replicas whole for damage, now.",
         {some},
         {{"due", "integer", true, "Replicas."}}},
        {"POST", "/pause", "pause", "Begin nothing, until it is resumed.", {}, {paused}},
        {"POST", "/resume", "resume", "Go on after a pause.", {}, {paused}},
        {"POST",
         "/drain",
         "drain",
         "Hand over what is begun, then end.",
         {{"wait_s", "integer", false, "Seconds at most; 600 without it."}},
         {{"draining", "boolean", true, ""}}},
    };
    out.insert(out.end(), own.begin(), own.end());
    return out;
}

Result<Json> ProverControl::handle(const std::string& command, const Json& arguments) {
    if (DaemonControl::has(command)) return daemon_.handle(command, arguments);
    if (command == "list") {
        return Json{{"replicas", list_json(StockView::of(stock_, chains_), chains_)}};
    }
    if (command == "add") return add(arguments);
    if (command == "remove") return remove(arguments);
    if (command == "rescan") {
        stock_.look();
        work_.wake();
        return Json{{"replicas", stock_.replicas().size()}};
    }
    if (command == "trust") {
        trust_();
        work_.wake();
        return Json{{"trusted", true}};
    }
    if (command == "scrub") return scrub(arguments);
    if (command == "pause") return pause(true);
    if (command == "resume") return pause(false);
    if (command == "drain") {
        constexpr std::int64_t kDrainSeconds = 600;
        constexpr std::int64_t kMostDrainSeconds = 86'400;
        drain_s_ = std::min(arguments.value("wait_s", kDrainSeconds), kMostDrainSeconds);
        return Json{{"draining", true}};
    }
    return fail(
        ErrorCode::kInvalidArgument,
        "there is no command " + command +
            "; there are status, health, list, deposits, add, remove, rescan, trust, scrub, pause, "
            "resume, drain, log-level, reload and stop");
}

}  // namespace holdfast::node
