#include "node/node_folder.hpp"

#include <ctime>

#include "api/closed_without_y.hpp"
#include "storage/begun.hpp"
#include "storage/file.hpp"
#include "storage/key_file.hpp"

namespace holdfast::node {
namespace {

/// The body of the one object that a file holds.
template <class T>
Result<T> read_as(Kind kind, const std::filesystem::path& file) {
    HOLDFAST_ASSIGN(object, read_object(file));
    const Checked<ByteView> body = unwrap_object(kind, object);
    if (!body) return fail_refused(body.error(), file.string());
    Checked<T> decoded = T::decode(*body);
    if (!decoded) return fail_refused(decoded.error(), file.string());
    return std::move(*decoded);
}

/// The stores of a node that has processed, or is about to, but for chain and ledger.
std::vector<std::filesystem::path> stores_of(const NodePaths& paths, const NetworkParams& params) {
    std::vector<std::filesystem::path> out = {paths.registry(), paths.settlement(),
                                              paths.statements(), paths.vdf()};
    if (params.has_beacon) out.push_back(paths.beacon());
    return out;
}

}  // namespace

Result<bool> is_replica(const NodePaths& paths) {
    std::error_code failed;
    const bool there = std::filesystem::exists(paths.replica(), failed);
    if (failed) return fail_errno(failed.value(), "cannot look at " + paths.replica().string());
    return there;
}

Result<std::unique_ptr<LocalChain>> open_chain(const NodePaths& paths, LocalChain::Mode mode) {
    auto chain = LocalChain::open(paths.chain(), mode);
    if (!chain && chain.error().code == ErrorCode::kNotFound) {
        return fail(ErrorCode::kNotFound,
                    paths.dir.string() + " holds no node; make one with: holdfast network init " +
                        paths.dir.string());
    }
    return chain;
}

Result<std::unique_ptr<BondLedger>> open_ledger(const NodePaths& paths, const NetworkId& network) {
    HOLDFAST_TRY(check_not_vanished(paths.ledger()));
    HOLDFAST_ASSIGN(ledger, BondLedger::open(paths.ledger(), network));
    HOLDFAST_TRY(mark_begun(paths.ledger()));
    return ledger;
}

Result<BlockInfo> newest_final(LocalChain& chain) {
    HOLDFAST_ASSIGN(tip, chain.current_height());
    const NetworkParams& params = chain.params();
    if (tip.since(params.genesis_height) < params.finality_blocks) {
        return fail(ErrorCode::kUnavailable,
                    "no block is final yet; append some: holdfast chain new-block --count " +
                        std::to_string(params.finality_blocks + 1));
    }
    return chain.block_by_height(tip - params.finality_blocks);
}

Result<Node> Node::open(const std::filesystem::path& dir, AggregatorOptions options) {
    Node node;
    node.paths = NodePaths{dir};
    HOLDFAST_ASSIGN(replica, is_replica(node.paths));
    if (replica) {
        return fail(ErrorCode::kPermission,
                    dir.string() +
                        " is a replica's folder: go on with --replica-of, or make it the "
                        "operator's with --take-over once the first node is gone for good");
    }
    HOLDFAST_ASSIGN(chain, open_chain(node.paths, LocalChain::Mode::kReadWrite));
    node.chain = std::move(chain);
    const NetworkParams& params = node.chain->params();
    const std::vector<std::filesystem::path> stores = stores_of(node.paths, params);
    for (const std::filesystem::path& store : stores) HOLDFAST_TRY(check_not_vanished(store));
    if (params.has_beacon) {
        HOLDFAST_ASSIGN(key, load_key_pair(node.paths.beacon_key()));
        HOLDFAST_ASSIGN(beacon,
                        LocalBeacon::publisher(node.paths.beacon(), params, std::move(key), [] {
                            return static_cast<std::uint64_t>(std::time(nullptr));
                        }));
        node.beacon = std::move(beacon);
    }
    HOLDFAST_ASSIGN(ledger, open_ledger(node.paths, node.network_id()));
    node.ledger = std::move(ledger);
    std::optional<KeyPair> evaluator;
    if (params.has_vdf) {
        HOLDFAST_ASSIGN(key, load_key_pair(node.paths.evaluator_key()));
        evaluator = std::move(key);
    }
    HOLDFAST_ASSIGN(clock, VdfClock::open(params, *node.chain, node.beacon.get(),
                                          std::move(evaluator), {node.paths.vdf(), 0}));
    node.clock = std::make_unique<VdfClock>(std::move(clock));
    options.registry = node.paths.registry();
    options.settlement = node.paths.settlement();
    options.statements = node.paths.statements();
    if (params.has_operator()) {
        Result<KeyPair> operator_key = load_key_pair(node.paths.operator_key());
        if (!operator_key) {
            Error error = operator_key.error();
            error.message +=
                "; the network's operator key belongs there: restore it from where you "
                "keep it, nobody else can go on with this journal";
            return fail(std::move(error));
        }
        node.operator_key = std::make_unique<KeyPair>(std::move(*operator_key));
        options.operator_key = node.operator_key.get();
    }
    HOLDFAST_TRY(list_bond_events(*node.chain, *node.ledger));
    HOLDFAST_ASSIGN(aggregator, Aggregator::open(params, *node.chain, *node.clock,
                                                 node.ledger.get(), nullptr, options));
    node.aggregator = std::make_unique<Aggregator>(std::move(aggregator));
    for (const std::filesystem::path& store : stores) HOLDFAST_TRY(mark_begun(store));
    node.clock->set_closed_without_y(closed_without_y(node.aggregator->registry()));
    return node;
}

Result<Bytes> read_object(const std::filesystem::path& file) {
    return read_stored_file(file, kMaxObjectFileBytes);
}

Result<NetworkParams> read_network(const std::filesystem::path& where) {
    std::filesystem::path path = where;
    std::error_code ignored;  // what cannot be looked at is told by reading it
    if (std::filesystem::is_directory(path / "chain", ignored)) path /= "chain";
    if (std::filesystem::is_directory(path, ignored)) path /= LocalChain::kNetworkFile;
    return read_as<NetworkParams>(Kind::kNetwork, path);
}

std::filesystem::path registration_file(const std::filesystem::path& replica) {
    std::filesystem::path out = replica;
    return out.replace_extension(".registration");
}

Result<Registration> read_registration(const std::filesystem::path& file) {
    return read_as<Registration>(Kind::kRegistration, file);
}

Result<Registration> registration_beside(const NetworkParams& params,
                                         const std::filesystem::path& replica) {
    Result<Registration> registration = read_registration(registration_file(replica));
    if (!registration && registration.error().code == ErrorCode::kNotFound) {
        return fail(ErrorCode::kNotFound, registration.error().message +
                                              "; register the replica first: holdfast register " +
                                              replica.string());
    }
    if (!registration) return registration;
    if (const Verdict v = check_registration(params, params.id(), *registration); !v) {
        return fail_refused(v, registration_file(replica).string());
    }
    return registration;
}

Result<Prover> open_prover(const NetworkParams& params, const std::filesystem::path& replica,
                           const std::filesystem::path& key_file) {
    HOLDFAST_ASSIGN(registration, registration_beside(params, replica));
    HOLDFAST_ASSIGN(key, load_key_pair(key_file));
    return Prover::open(params, ProverFiles::beside(replica), registration, std::move(key));
}

}  // namespace holdfast::node
