#include "node/replica_folder.hpp"

#include "api/closed_without_y.hpp"
#include "hierarchy/registry_state.hpp"
#include "node/history_source.hpp"
#include "proofs/entropy.hpp"
#include "storage/begun.hpp"

namespace holdfast::node {
namespace {

namespace fs = std::filesystem;

constexpr std::uint8_t kMarkForm = 1;
constexpr std::uint64_t kMostLedgerBytes = std::uint64_t{64} << 30;

Status make_folder(const fs::path& folder) {
    std::error_code failed;
    fs::create_directories(folder, failed);
    if (failed) return fail_errno(failed.value(), "cannot make the folder " + folder.string());
    return {};
}

/// The chain with its first block, whose time the followed node tells and whose hash follows.
Result<std::unique_ptr<LocalChain>> begin_chain(const NodePaths& paths, const NetworkParams& params,
                                                HistoryClient& history) {
    HOLDFAST_ASSIGN(page, history.blocks(params.genesis_height, 0, 1));
    if (page.blocks[0].total != 0) {
        return fail_refused(Reason::kWrongBlock, "the chain's first block, which lists something");
    }
    HOLDFAST_ASSIGN(chain, LocalChain::create(paths.chain(), params, page.blocks[0].time_ms));
    HOLDFAST_ASSIGN(first, chain->block_by_height(params.genesis_height));
    if (first.hash != page.blocks[0].hash) {
        return fail_refused(Reason::kWrongBlock, "the chain's first block");
    }
    return chain;
}

/// Fetches a file in pieces of which each is not empty until `bytes` are there.
Status fetch_pieces(const fs::path& to, std::uint64_t bytes, const StopCheck& stop,
                    const std::function<Result<Bytes>(std::uint64_t offset)>& piece,
                    const std::function<void(std::uint64_t, std::uint64_t)>& told) {
    HOLDFAST_ASSIGN(pending, PendingFile::create(to, /*replace=*/true));
    for (std::uint64_t at = 0; at < bytes;) {
        if (stop && stop()) return fail(ErrorCode::kInterrupted, "stopped while fetching");
        HOLDFAST_ASSIGN(got, piece(at));
        if (got.empty() || got.size() > bytes - at) {
            return fail_refused(Reason::kBadIndex, "a piece of " + to.filename().string());
        }
        HOLDFAST_TRY(pending.file().write_at(at, got));
        at += got.size();
        if (told) told(at, bytes);
    }
    return pending.publish();
}

/// A ledger of this network whose sums hold, in a folder of its own.
Result<bool> check_ledger(const fs::path& folder, const NetworkId& network, std::uint64_t events) {
    HOLDFAST_ASSIGN(ledger, BondLedger::open(folder, network));
    HOLDFAST_TRY(ledger->audit());
    return covers_events(*ledger, events);
}

}  // namespace

Result<BlockInfo> RepeatedChain::block_by_height(Height height) {
    HOLDFAST_ASSIGN(block, chain_.block_by_height(height));
    block.final = true;
    return block;
}

Status RepeatedChain::submit(Kind, ByteView) {
    return fail_refused(Reason::kNotOperator, "a replica takes nothing in");
}

/// The first block whose round is this one; times of blocks ascend.
Result<std::optional<Height>> FollowedBeacon::first_with(std::uint64_t round) {
    const auto round_of = [this](Height height) -> Result<std::uint64_t> {
        HOLDFAST_ASSIGN(block, chain_.block_by_height(height));
        const Checked<std::uint64_t> found = beacon_round(params_, block.time_ms / 1'000);
        if (!found) return fail_refused(found.error(), "the block's time");
        return *found;
    };
    HOLDFAST_ASSIGN(tip, chain_.current_height());
    Height low = params_.genesis_height;
    Height high = tip;
    while (low < high) {
        const Height middle = low + high.since(low) / 2;
        HOLDFAST_ASSIGN(found, round_of(middle));
        if (found < round) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    HOLDFAST_ASSIGN(found, round_of(low));
    return found == round ? std::optional(low) : std::nullopt;
}

Result<BeaconRound> FollowedBeacon::randomness(std::uint64_t round) {
    Result<BeaconRound> here = kept_.randomness(round);
    if (here || here.error().code != ErrorCode::kUnavailable) return here;
    HOLDFAST_ASSIGN(height, first_with(round));
    if (!height) return here;
    HOLDFAST_ASSIGN(said, client_.output(*height));
    if (!said.beacon) {
        return fail(ErrorCode::kUnavailable, "the followed node has no beacon round of height " +
                                                 std::to_string(height->value) + " (yet)");
    }
    if (said.beacon->round != round) return fail_refused(Reason::kBadBeacon, "the beacon round");
    HOLDFAST_TRY(kept_.keep(*said.beacon));
    return *said.beacon;
}

fs::path evidence_folder(const NodePaths& paths) { return paths.dir / "evidence"; }

Result<PeerEntry> followed_by(const NodePaths& paths) {
    HOLDFAST_ASSIGN(bytes, read_stored_file(paths.replica(), 4'096));
    Reader r(bytes);
    const std::uint8_t form = r.u8();
    PeerEntry out;
    out.key = r.fixed<PublicKey>();
    const ByteView address = r.raw(r.remaining());
    if (form != kMarkForm || !r.finish()) {
        return fail(ErrorCode::kCorrupt, paths.replica().string() + " names no node");
    }
    out.address.assign(address.begin(), address.end());
    return out;
}

Result<ReplicaStores> ReplicaStores::open(const fs::path& dir, const NetworkParams& params,
                                          const PeerEntry& followed, HistoryClient& history) {
    ReplicaStores out;
    out.paths = NodePaths{dir};
    HOLDFAST_ASSIGN(replica, is_replica(out.paths));
    std::error_code ignored;
    if (!replica && fs::exists(out.paths.chain(), ignored)) {
        return fail(ErrorCode::kAlreadyExists,
                    dir.string() +
                        " is a node's own folder, or one that a take-over has made so: "
                        "a replica begins in a new one");
    }
    HOLDFAST_TRY(make_folder(dir));
    HOLDFAST_TRY(make_folder(evidence_folder(out.paths)));
    const Bytes mark = Writer(128)
                           .u8(kMarkForm)
                           .fixed(followed.key)
                           .raw(view(std::string_view(followed.address)))
                           .take();
    HOLDFAST_TRY(write_file(out.paths.replica(), mark, /*replace=*/true));
    auto chain = LocalChain::open(out.paths.chain(), LocalChain::Mode::kReadWrite, params.id());
    if (!chain && chain.error().code == ErrorCode::kNotFound) {
        chain = begin_chain(out.paths, params, history);
    }
    if (!chain) return fail(chain.error());
    out.chain = std::move(*chain);
    out.repeated = std::make_unique<RepeatedChain>(*out.chain);
    HOLDFAST_ASSIGN(heads, HeadFile::open(out.paths.heads(), params));
    out.heads = std::move(heads);
    if (!params.has_beacon) return out;
    HOLDFAST_ASSIGN(beacon, LocalBeacon::keeper(out.paths.beacon(), params));
    out.beacon = std::move(beacon);
    return out;
}

Result<VdfProof> ReplicaStores::fetch_proof(Height height, FollowClient& client) {
    HOLDFAST_ASSIGN(said, client.output(height));
    if (said.proof.empty()) {
        return fail(ErrorCode::kUnavailable, "the followed node has no proof of y of height " +
                                                 std::to_string(height.value) + " (yet)");
    }
    const Checked<ByteView> body = unwrap_object(Kind::kVdfProof, said.proof);
    if (!body) return fail_refused(body.error(), "the followed node's VDF proof");
    Checked<VdfProof> proof = VdfProof::decode(*body);
    if (!proof) return fail_refused(proof.error(), "the followed node's VDF proof");
    if (proof->height != height) return fail_refused(Reason::kWrongHeight, "the VDF proof");
    return std::move(*proof);
}

Status ReplicaStores::open_registry(const RegistryOptions& options, unsigned threads,
                                    FollowClient& client) {
    HOLDFAST_ASSIGN(opened, Registry::open(paths.registry(), chain->params(), options));
    registry = std::move(opened);
    VdfClockOptions how;
    how.folder = paths.vdf();
    how.threads = threads;
    how.fill_ahead = false;
    how.proofs = [this, &client](Height height, const Seed&) {
        return fetch_proof(height, client);
    };
    how.closed_without_y = closed_without_y(*registry);
    if (beacon) {
        followed = std::make_unique<FollowedBeacon>(*beacon, *repeated, chain->params(), client);
    }
    HOLDFAST_ASSIGN(made,
                    VdfClock::open(chain->params(), *repeated, followed.get(), std::nullopt, how));
    clock = std::make_unique<VdfClock>(std::move(made));
    return {};
}

Status fetch_state(const NodePaths& paths, const NetworkParams& params, HistoryClient& history,
                   const StateFile& state, const JournalHead& head, const RegistryOptions& options,
                   const StopCheck& stop,
                   const std::function<void(std::uint64_t, std::uint64_t)>& told) {
    const fs::path file = paths.dir / "state.fetched";
    HOLDFAST_TRY(fetch_pieces(
        file, state.bytes, stop,
        [&](std::uint64_t at) { return history.state_piece(state.height, at); }, told));
    StateImport how;
    how.head = head;
    how.stop = stop;
    how.map_bytes = options.map_bytes;
    how.threads = options.threads;
    const auto taken = import_state(file, paths.registry(), params, how);
    std::error_code ignored;
    fs::remove(file, ignored);
    if (!taken) return fail(taken.error());
    return {};
}

Result<bool> covers_events(BondLedger& ledger, std::uint64_t events) {
    if (events == 0) return true;
    HOLDFAST_ASSIGN(last, ledger.events(events - 1, 1));
    return !last.empty();
}

fs::path ledger_file(const NodePaths& paths) { return paths.ledger() / "data.mdb"; }

Result<bool> fetch_ledger(const NodePaths& paths, const NetworkId& network, HistoryClient& history,
                          std::uint64_t events, const StopCheck& stop) {
    HOLDFAST_ASSIGN(copy, history.ledger());
    if (copy.bytes > kMostLedgerBytes) return fail_refused(Reason::kTooLarge, "the ledger's copy");
    const fs::path fresh = paths.dir / "ledger.fetched";
    std::error_code failed;
    fs::remove_all(fresh, failed);
    HOLDFAST_TRY(make_folder(fresh));
    const fs::path file = fresh / "data.mdb";
    HOLDFAST_TRY(fetch_pieces(file, copy.bytes, stop,
                              [&](std::uint64_t at) { return history.ledger_piece(copy.copy, at); },
                              {}));
    {
        HOLDFAST_ASSIGN(fetched, File::open(file, File::Mode::kRead));
        HOLDFAST_ASSIGN(hash, hash_of_file(fetched));
        if (hash != copy.copy) return fail_refused(Reason::kBadSum, "the ledger's copy");
    }
    HOLDFAST_ASSIGN(covers, check_ledger(fresh, network, events));
    HOLDFAST_TRY(make_folder(paths.ledger()));
    fs::rename(file, ledger_file(paths), failed);
    if (failed) return fail_errno(failed.value(), "cannot put the ledger's copy in its place");
    HOLDFAST_TRY(sync_folder(paths.ledger()));
    fs::remove_all(fresh, failed);
    return covers;
}

}  // namespace holdfast::node
