#include "node/take_over.hpp"

#include <algorithm>

#include "core/codec.hpp"
#include "node/connect.hpp"
#include "node/replica_folder.hpp"
#include "proofs/digests.hpp"
#include "settlement/settlement_ledger.hpp"
#include "storage/begun.hpp"
#include "storage/key_file.hpp"
#include "storage/randomness.hpp"
#include "storage/signed_statements.hpp"

namespace holdfast::node {
namespace {

namespace fs = std::filesystem;

constexpr std::uint8_t kForm = 1;

fs::path record_path(const NodePaths& paths) { return paths.dir / "take-over"; }

/// What a take-over has settled before it began.
struct Begun {
    Height through;  // the newest block of the chain then
    BondId name;     // of the bond that the first new block tells of
};

Result<std::optional<Begun>> read_begun(const NodePaths& paths) {
    const auto bytes = read_stored_file(record_path(paths), 1'024);
    if (!bytes && bytes.error().code == ErrorCode::kNotFound) return std::optional<Begun>();
    if (!bytes) return fail(bytes.error());
    Reader r(*bytes);
    const std::uint8_t form = r.u8();
    Begun out;
    out.through = r.height();
    out.name = r.fixed<BondId>();
    if (form != kForm || !r.finish()) {
        return fail(ErrorCode::kCorrupt, record_path(paths).string() + " is malformed");
    }
    return std::optional(out);
}

Result<Begun> begin(const NodePaths& paths, LocalChain& chain) {
    HOLDFAST_ASSIGN(begun, read_begun(paths));
    if (begun) return *begun;
    Begun out;
    HOLDFAST_ASSIGN(tip, chain.current_height());
    out.through = tip;
    HOLDFAST_TRY(random_bytes(out.name.bytes));
    HOLDFAST_TRY(write_file(record_path(paths),
                            Writer(41).u8(kForm).height(out.through).fixed(out.name).bytes()));
    return out;
}

Result<KeyPair> operator_key(const NetworkParams& params, const TakeOver& how) {
    HOLDFAST_TRY(
        require_setting(!how.operator_key.empty(), "the operator's key file", "--operator-key"));
    HOLDFAST_ASSIGN(key, load_key_pair(how.operator_key));
    if (key.public_key() != params.operator_key) {
        return fail_refused(Reason::kNotOperator, how.operator_key.string());
    }
    return key;
}

/// Into the folder, unless it lies there already.
Status put_key(const fs::path& from, const fs::path& to) {
    HOLDFAST_ASSIGN(key, load_key_pair(from));
    const auto stands = load_key_pair(to);
    if (stands && stands->public_key() == key.public_key()) return {};
    if (stands) {
        return fail(ErrorCode::kAlreadyExists, to.string() + " is another key: take it away first");
    }
    if (stands.error().code != ErrorCode::kNotFound) return fail(stands.error());
    return save_key_pair(key, to);
}

/// Spec 15.5: what was seen signed is signed again, and nothing else up to the chain's newest
/// block.
Status settle_statements(const NodePaths& paths, const NetworkParams& params, Height through) {
    std::error_code failed;
    fs::create_directories(paths.statements(), failed);
    if (failed) return fail_errno(failed.value(), "cannot make " + paths.statements().string());
    HOLDFAST_ASSIGN(
        statements,
        SignedStatements::open(paths.statements() / (to_hex(view(params.operator_key)) + ".signed"),
                               params.id(), params.operator_key));
    HOLDFAST_ASSIGN(heads, HeadFile::open(paths.heads(), params));
    const std::optional<JournalHead> newest = heads->newest();
    std::uint64_t known = newest ? newest->height.since(params.genesis_height) + 1 : 0;
    known = std::min(known, SignedStatements::kRemembered);
    for (std::uint64_t back = known; back > 0; --back) {
        HOLDFAST_ASSIGN(head, heads->head(newest->height - (back - 1)));
        if (!head) continue;
        const Bytes body = head->encode();
        HOLDFAST_ASSIGN(verdict, statements.record(Kind::kHead, head->height, head->block_hash,
                                                   ByteView(body).first(kHeadSignedBytes)));
        // One that is withheld already was unseen when this began.
        if (!verdict && verdict.reason != Reason::kTooLate) {
            return fail_refused(verdict, "a head that this node has seen");
        }
    }
    return statements.withhold(through);
}

/// The settlements go on behind the decisions that the state had before which this registry knows.
Status begin_settlements(const NodePaths& paths, const NetworkParams& params) {
    RegistryOptions look;
    look.read_only = true;
    look.check_on_open = false;
    look.threads = 1;
    HOLDFAST_ASSIGN(registry, Registry::open(paths.registry(), params, look));
    HOLDFAST_ASSIGN(settlement, SettlementLedger::open(paths.settlement(), params.id()));
    HOLDFAST_TRY(settlement->begin_at(registry->first_decision()));
    return mark_begun(paths.settlement());
}

struct Parts {
    NodePaths paths;
    std::unique_ptr<LocalChain> chain;
};

Result<Parts> open_parts(const fs::path& dir, LocalChain::Mode mode) {
    Parts out{NodePaths{dir}, nullptr};
    HOLDFAST_ASSIGN(replica, is_replica(out.paths));
    if (!replica) {
        return fail(ErrorCode::kNotFound,
                    dir.string() + " is no replica's folder (or is an operator's node already)");
    }
    HOLDFAST_ASSIGN(chain, open_chain(out.paths, mode));
    out.chain = std::move(chain);
    return out;
}

/// Every bond that the chain lists must be in the copy of the ledger.
Status check_ledger_copy(const NodePaths& paths, LocalChain& chain) {
    std::error_code failed;
    if (!fs::exists(ledger_file(paths), failed)) {
        return fail(ErrorCode::kUnavailable,
                    "this replica has no copy of the ledger: it had not caught up with its node");
    }
    HOLDFAST_ASSIGN(ledger, open_ledger(paths, chain.network_id()));
    HOLDFAST_TRY(ledger->audit());
    HOLDFAST_ASSIGN(events, chain.next_bond_event());
    HOLDFAST_ASSIGN(covers, covers_events(*ledger, events));
    if (covers) return {};
    return fail(ErrorCode::kUnavailable,
                "the copy of the ledger is older than the chain: it lacks bond events that blocks "
                "list");
}

}  // namespace

Status require_no_take_over(const NodePaths& paths) {
    HOLDFAST_ASSIGN(begun, read_begun(paths));
    HOLDFAST_ASSIGN(replica, is_replica(paths));
    if (!begun || !replica) return {};
    return fail_refused(Reason::kNetworkPolicy, "a take-over of " + paths.dir.string() +
                                                    " has begun: finish it with --take-over");
}

Result<std::vector<std::string>> describe_take_over(const fs::path& dir, const TakeOver& how) {
    HOLDFAST_ASSIGN(parts, open_parts(dir, LocalChain::Mode::kRead));
    const NetworkParams& params = parts.chain->params();
    HOLDFAST_TRY(operator_key(params, how));
    if (params.has_vdf) {
        HOLDFAST_TRY(
            require_setting(!how.evaluator_key.empty(), "the evaluator's key", "--evaluator-key"));
    }
    if (params.has_beacon) {
        HOLDFAST_TRY(require_setting(!how.beacon_key.empty(), "the beacon's key", "--beacon-key"));
    }
    HOLDFAST_TRY(check_ledger_copy(parts.paths, *parts.chain));
    HOLDFAST_ASSIGN(heads, HeadFile::open(parts.paths.heads(), params));
    HOLDFAST_ASSIGN(tip, parts.chain->current_height());
    HOLDFAST_ASSIGN(begun, read_begun(parts.paths));
    const std::string through = std::to_string((begun ? begun->through : tip).value);
    const std::optional<JournalHead> newest = heads->newest();
    return std::vector<std::string>{
        "this folder becomes the node of the operator " + to_hex(view(params.operator_key)) +
            " of network \"" + params.name + "\"; it is no replica any more",
        "the first node must never run again: two nodes with one key would be two histories, and "
        "its bond is taken for that",
        "the newest head that this replica has seen is " +
            (newest ? "that of height " + std::to_string(newest->height.value) : "none") +
            "; of the other heights up to " + through + " none will ever be signed here",
        "blocks go on above height " + through +
            "; what the first node had beyond that, in blocks or in its journal, is lost, and what "
            "it acknowledged of it is a promise that it broke",
        "settlements are repeated over the copy of the ledger; issues and funds that were made "
        "after that copy are not in it"};
}

Status take_over(const fs::path& dir, const TakeOver& how, Log& log) {
    HOLDFAST_ASSIGN(parts, open_parts(dir, LocalChain::Mode::kReadWrite));
    const NodePaths& paths = parts.paths;
    const NetworkParams& params = parts.chain->params();
    HOLDFAST_TRY(operator_key(params, how));
    HOLDFAST_TRY(check_ledger_copy(paths, *parts.chain));
    HOLDFAST_ASSIGN(begun, begin(paths, *parts.chain));
    log.info("take_over.begins", {{"through", begun.through}});
    HOLDFAST_TRY(settle_statements(paths, params, begun.through));
    HOLDFAST_TRY(begin_settlements(paths, params));
    BondEvent unique;
    unique.what = BondEventKind::kAdded;
    unique.bond = begun.name;
    unique.number = UINT64_MAX;  // none of the ledger's
    HOLDFAST_TRY(parts.chain->list_bond_events({&unique, 1}));
    if (params.has_vdf) HOLDFAST_TRY(put_key(how.evaluator_key, paths.evaluator_key()));
    if (params.has_beacon) HOLDFAST_TRY(put_key(how.beacon_key, paths.beacon_key()));
    HOLDFAST_TRY(put_key(how.operator_key, paths.operator_key()));
    std::error_code failed;
    fs::remove(paths.replica(), failed);
    if (failed) return fail_errno(failed.value(), "cannot remove " + paths.replica().string());
    HOLDFAST_TRY(sync_folder(dir));
    log.info("take_over.done", {{"through", begun.through}});
    return {};
}

Result<bool> still_answers(const Config& config, const NetworkParams& params,
                           const PeerEntry& followed, std::uint32_t wait_ms, Log& log) {
    Config dialling = config;
    dialling.listen.clear();
    dialling.hosts = {followed};
    HOLDFAST_ASSIGN(key, load_key_pair(config.key));
    HOLDFAST_ASSIGN(network, start_network(dialling, params.id(), key, kAllRoles, {}, log));
    const Status connected = network->wait_connected(followed.key, wait_ms);
    stop_network(*network, dialling, log);
    return connected.has_value();
}

}  // namespace holdfast::node
