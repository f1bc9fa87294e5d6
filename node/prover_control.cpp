#include "node/prover_control.hpp"

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
                             std::function<void()> trust, std::function<Json()> status, Log& log)
    : identity_(identity),
      stock_(stock),
      client_(client),
      source_(source),
      chains_(chains),
      work_(work),
      trust_(std::move(trust)),
      status_(std::move(status)),
      log_(log) {}

Result<Json> ProverControl::add(const Json& arguments) {
    HOLDFAST_ASSIGN(path, path_of(arguments));
    HOLDFAST_TRY(stock_.add(path));
    log_.info("prover.added", {{"path", path}});
    work_.wake();
    return Json{{"added", path.string()}, {"replicas", stock_.replicas().size()}};
}

/// Asks for the end of a chain: it counts from the block that lists it.
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

Result<Json> ProverControl::handle(const std::string& command, const Json& arguments) {
    if (command == "status") return status_();
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
    if (command == "stop") {
        stop_wanted_ = true;
        return Json{{"stopping", true}};
    }
    return fail(ErrorCode::kInvalidArgument,
                "there is no command " + command +
                    "; there are status, list, add, remove, rescan, trust and stop");
}

}  // namespace holdfast::node
