#include "node/replica_reader.hpp"

#include <algorithm>

#include "json/json.hpp"
#include "proofs/evidence.hpp"
#include "storage/begun.hpp"
#include "storage/randomness.hpp"

namespace holdfast::node {
namespace {

constexpr std::uint64_t kMostBlockBytes = std::uint64_t{256} << 20;
constexpr std::uint64_t kLedgerEvery = 32;  // heights between two copies, also without bond events

std::string named(Height height) { return "height " + std::to_string(height.value); }

/// Bytes of the operator's head as this registry has it, without a signature.
Result<JournalHead> own_head(const Registry& registry, Height height) {
    HOLDFAST_ASSIGN(body, registry.head_of(height));
    body.resize(kHeadBytes);
    return JournalHead::decode(body).value();
}

/// The lowest state behind which the followed node keeps the whole journal, with its head.
Result<std::pair<StateFile, JournalHead>> state_to_begin_with(const NetworkParams& params,
                                                              HistoryClient& history) {
    HOLDFAST_ASSIGN(list, history.states());
    for (const StateFile& state : list.states) {
        HOLDFAST_ASSIGN(page, history.heads(state.height, 1));
        if (page.heads.empty() || page.heads[0].height != state.height) continue;
        const JournalHead& head = page.heads[0];
        if (const Verdict v = check_head(params, params.id(), head); !v) {
            return fail_refused(v, "the head of height " + std::to_string(head.height.value));
        }
        const auto kept = history.entries(head.size, 1);
        if (kept) return std::pair(state, head);
        if (kept.error().code != ErrorCode::kNotFound) return fail(kept.error());
    }
    return fail(ErrorCode::kUnavailable,
                "the followed node keeps neither its journal from the first entry on nor a state "
                "behind which it keeps all of it");
}

}  // namespace

Status begin_registry(ReplicaStores& stores, HistoryClient& history, FollowClient& follow,
                      const RegistryOptions& options, Log& log, const StopCheck& stop) {
    HOLDFAST_TRY(check_not_vanished(stores.paths.registry()));
    std::error_code ignored;
    if (std::filesystem::exists(stores.paths.registry(), ignored)) return {};
    const NetworkParams& params = stores.chain->params();
    const auto first = history.entries(0, 1);
    if (first) return {};
    if (first.error().code != ErrorCode::kNotFound) return fail(first.error());
    HOLDFAST_ASSIGN(found, state_to_begin_with(params, history));
    const auto& [state, head] = found;
    ReplicaReader blocks(stores, history, follow, {}, log);
    HOLDFAST_TRY(blocks.repeat_through(state.height, stop));
    HOLDFAST_ASSIGN(block, stores.chain->block_by_height(state.height));
    if (block.hash != head.block_hash) {
        return fail_refused(Reason::kWrongBlock,
                            "the head of the state that this would begin with");
    }
    log.info("replica.begins", {{"state", state.height}, {"bytes", state.bytes}});
    HOLDFAST_TRY(fetch_state(stores.paths, params, history, state, head, options, stop, {}));
    return stores.heads->keep(head);
}

ReplicaReader::ReplicaReader(ReplicaStores& stores, HistoryClient& history, FollowClient& follow,
                             ReaderOptions options, Log& log)
    : stores_(stores), history_(history), follow_(follow), options_(std::move(options)), log_(log) {
    if (stores_.registry) note_counts();
}

ReaderCounts ReplicaReader::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

void ReplicaReader::note_counts() {
    const auto tip = stores_.registry->tip();
    const auto closed = stores_.registry->closed();
    const auto chain = stores_.chain->current_height();
    const auto size = stores_.registry->journal();
    const std::lock_guard lock(mutex_);
    if (tip) counts_.tip = *tip;
    if (closed) counts_.closed = *closed;
    if (chain) counts_.chain = *chain;
    if (size) counts_.entries = size->entries;
    if (const auto newest = stores_.heads->newest()) counts_.head = newest->height;
}

Result<bool> ReplicaReader::step(const StopCheck& stop) {
    {
        const std::lock_guard lock(mutex_);
        if (counts_.disagreement) {
            return fail_refused(counts_.disagreement->verdict, counts_.disagreement->what);
        }
    }
    Result<bool> done = work(stop);
    note_counts();
    const std::lock_guard lock(mutex_);
    const bool interrupted = !done && done.error().code == ErrorCode::kInterrupted;
    if (!done && !interrupted && counts_.error.empty()) {
        log_.warn("replica.waits", {{"error", done.error().message}});
    }
    if (!interrupted) counts_.error = done ? "" : done.error().message;
    return done;
}

Result<bool> ReplicaReader::work(const StopCheck& stop) {
    HOLDFAST_ASSIGN(blocks, repeat_blocks(stop));
    HOLDFAST_ASSIGN(entries, take_entries(stop));
    HOLDFAST_TRY(check_heads());
    if (!blocks && !entries && options_.copy_ledger) copy_ledger(stop);
    return blocks || entries;
}

// --- blocks --------------------------------------------------------------------------------------

Result<bool> ReplicaReader::repeat_blocks(const StopCheck& stop) {
    HOLDFAST_ASSIGN(tip, stores_.chain->current_height());
    const auto page = history_.blocks(tip + 1, static_cast<std::uint32_t>(part_.size()));
    if (!page && page.error().code == ErrorCode::kNotFound) return false;  // none yet
    if (!page) {
        part_.clear();
        return fail(page.error());
    }
    Height height = tip + 1;
    for (const ListedPage& block : page->blocks) {
        if (stop && stop()) return fail(ErrorCode::kInterrupted, "stopped while repeating blocks");
        part_.insert(part_.end(), block.listed.begin(), block.listed.end());
        std::uint64_t bytes = 0;
        for (const Bytes& one : part_) bytes += one.size();
        if (bytes > kMostBlockBytes) return fail_refused(Reason::kTooLarge, named(height));
        if (part_.size() < block.total) break;  // the rest comes with the next page
        HOLDFAST_TRY(repeat(height, block));
        part_.clear();
        height = height + 1;
    }
    return true;
}

Status ReplicaReader::repeat(Height height, const ListedPage& block) {
    const auto repeated = stores_.chain->repeat_block(block.hash, block.time_ms, part_);
    if (repeated) return {};
    if (repeated.error().code != ErrorCode::kRefused) return fail(repeated.error());
    Disagreement found;
    found.height = height;
    for (std::size_t i = 0; i < part_.size(); ++i) {
        keep("block-" + std::to_string(height.value) + "-" + std::to_string(i) + ".listed",
             part_[i]);
    }
    return disagree(std::move(found), fail(repeated.error()));
}

Status ReplicaReader::repeat_through(Height height, const StopCheck& stop) {
    for (;;) {
        HOLDFAST_ASSIGN(tip, stores_.chain->current_height());
        if (tip >= height) return {};
        HOLDFAST_ASSIGN(more, repeat_blocks(stop));
        if (!more) {
            return fail(ErrorCode::kUnavailable,
                        "the followed node does not have the block of " + named(height));
        }
    }
}

// --- entries -------------------------------------------------------------------------------------

/// Spec 15.2: y was verified by whoever takes the entry.
Result<Verdict> ReplicaReader::check_y(Height height, const VdfOutput& y, const StopCheck& stop) {
    if (options_.check_y) return options_.check_y(height, y);
    VdfClockWork work;
    work.stop = stop;
    if (!stores_.chain->params().has_vdf) {
        HOLDFAST_ASSIGN(entropy, stores_.clock->at(height, work));
        return Verdict(entropy.y == y ? Reason::kOk : Reason::kWrongOutput);
    }
    HOLDFAST_ASSIGN(proof, stores_.fetch_proof(height, follow_));
    if (proof.y != y) return Verdict(Reason::kWrongOutput);
    if (options_.trust == OutputTrust::kFull) return stores_.clock->import(proof, work);
    Digest randomness;
    HOLDFAST_TRY(random_bytes(randomness.bytes));
    return stores_.clock->spot_check(proof, options_.spot_segments, randomness, work);
}

ReplayOptions ReplicaReader::replaying(const StopCheck& stop) {
    ReplayOptions out;
    const NetworkParams& params = stores_.chain->params();
    if (options_.check_y || params.has_vdf || params.has_beacon) {
        out.check_y = [this, stop](Height height, const VdfOutput& y) {
            return check_y(height, y, stop);
        };
    }
    out.fills = options_.fills;
    out.check_seal = options_.check_seal;
    return out;
}

Result<bool> ReplicaReader::take_entries(const StopCheck& stop) {
    HOLDFAST_ASSIGN(before, stores_.registry->journal());
    const auto page = history_.entries(before.entries);
    if (!page && page.error().code == ErrorCode::kNotFound) {
        return fail(ErrorCode::kUnavailable,
                    "the followed node does not keep entry " + std::to_string(before.entries) +
                        " any more, at which this replica stands: begin again in a new folder");
    }
    if (!page) return fail(page.error());
    {
        const std::lock_guard lock(mutex_);
        counts_.total = page->total;
    }
    if (page->entries.empty()) return false;
    Replay replay(*stores_.registry, *stores_.repeated, replaying(stop));
    Status taken = take(replay, *page);
    if (taken) taken = replay.finish();
    if (!taken && taken.error().code == ErrorCode::kRefused) {
        HOLDFAST_ASSIGN(after, stores_.registry->journal());
        Disagreement found;
        found.entry = after.entries;  // all before it are taken
        HOLDFAST_ASSIGN(tip, stores_.registry->tip());
        found.height = tip;
        if (after.entries - before.entries < page->entries.size()) {
            const Bytes& refused = page->entries[after.entries - before.entries];
            keep_entry(after.entries, refused);
            const Checked<HistoryEntry> entry = decode_entry(refused);
            const auto* block = entry ? std::get_if<BlockEntry>(&*entry) : nullptr;
            if (block != nullptr) found.height = block->height;
        }
        if (replay.report().evidence) keep("false-seal.evidence", *replay.report().evidence);
        return disagree(std::move(found), taken).map([] { return true; });
    }
    if (!taken) return fail(taken.error());
    HOLDFAST_ASSIGN(after, stores_.registry->journal());
    return after.entries > before.entries;
}

/// As far as there are blocks for them.
Status ReplicaReader::take(Replay& replay, const EntriesPage& page) {
    HOLDFAST_ASSIGN(chain_tip, stores_.chain->current_height());
    std::uint64_t number = page.first;
    for (const Bytes& bytes : page.entries) {
        const Checked<HistoryEntry> entry = decode_entry(bytes);
        if (!entry) {
            HOLDFAST_TRY(replay.finish());
            return fail_refused(entry.error(), "entry " + std::to_string(number));
        }
        const auto* block = std::get_if<BlockEntry>(&*entry);
        if (block != nullptr && block->height > chain_tip) return {};
        HOLDFAST_TRY(replay.take(number++, *entry));
    }
    return {};
}

// --- heads ---------------------------------------------------------------------------------------

/// One that this node has seen before is asked for again, so that a second one is noticed.
Status ReplicaReader::check_heads() {
    HOLDFAST_ASSIGN(closed, stores_.registry->closed());
    HOLDFAST_ASSIGN(size, stores_.registry->journal());
    if (!closed) return {};
    const std::optional<JournalHead> newest = stores_.heads->newest();
    const Height genesis = stores_.chain->params().genesis_height;
    const Height from = newest ? newest->height : genesis;
    if (from > *closed) return {};
    const std::uint64_t wanted = std::min<std::uint64_t>(closed->since(from) + 1, kMaxHistoryHeads);
    HOLDFAST_ASSIGN(page, history_.heads(from, static_cast<std::uint32_t>(wanted)));
    Replay replay(*stores_.registry, *stores_.repeated, {});
    std::uint64_t compared = 0;
    std::uint64_t skipped = 0;
    Height last = from;
    for (const JournalHead& head : page.heads) {
        if (head.height > *closed) break;
        if (newest && head.height == newest->height) {
            HOLDFAST_TRY(check_known_head(*newest, head));
            continue;
        }
        const Status held = replay.compare(head);
        if (!held && held.error().code == ErrorCode::kRefused) {
            Disagreement found;
            found.height = head.height;
            keep_head("head-" + std::to_string(head.height.value) + ".head", head);
            if (newest)
                keep_head("before-" + std::to_string(newest->height.value) + ".head", *newest);
            const auto own = own_head(*stores_.registry, head.height);
            if (own) keep_head("own-" + std::to_string(head.height.value) + ".head", *own);
            return disagree(std::move(found), held);
        }
        if (!held) return held;
        if (head.size < size.origin) continue;  // from before the state that this began with
        HOLDFAST_TRY(stores_.heads->keep(head));
        if (compared + (newest ? 1 : 0) > 0) skipped += head.height.since(last) - 1;
        last = head.height;
        ++compared;
    }
    if (compared == 0) return {};
    HOLDFAST_TRY(stores_.heads->sync());
    const std::lock_guard lock(mutex_);
    counts_.heads += compared;
    counts_.without_head += skipped;
    return {};
}

Status ReplicaReader::check_known_head(const JournalHead& known, const JournalHead& told) {
    if (known == told) return {};
    const NetworkParams& params = stores_.chain->params();
    const Verdict signed_by = check_head(params, stores_.chain->network_id(), told);
    Disagreement found;
    found.height = told.height;
    keep_head("head-" + std::to_string(told.height.value) + ".head", told);
    keep_head("before-" + std::to_string(known.height.value) + ".head", known);
    if (signed_by && known.block_hash == told.block_hash) {
        const Evidence evidence = make_head_conflict(known, told);
        keep("two-heads.evidence", wrap_object(Kind::kEvidence, evidence.encode()));
    }
    const Verdict why = signed_by ? Verdict(Reason::kBadPath) : signed_by;
    return disagree(std::move(found),
                    fail_refused(why, "another head of " + named(told.height) + " than before"));
}

// --- the ledger ----------------------------------------------------------------------------------

void ReplicaReader::copy_ledger(const StopCheck& stop) {
    const auto tip = stores_.chain->current_height();
    const auto events = stores_.chain->next_bond_event();
    if (!tip || !events) return;
    const bool old = !ledger_at_ || tip->since(*ledger_at_) >= kLedgerEvery;
    if ((!old && *events == ledger_events_) || ledger_missing_at_ == *tip) return;
    const auto covers =
        fetch_ledger(stores_.paths, stores_.chain->network_id(), history_, *events, stop);
    const std::lock_guard lock(mutex_);
    if (!covers) {
        counts_.ledger_error = covers.error().message;
        if (covers.error().code == ErrorCode::kRefused) ledger_at_ = *tip;  // not before long
        if (covers.error().code == ErrorCode::kNotFound) ledger_missing_at_ = *tip;
        return;
    }
    ++counts_.ledger_copies;
    counts_.ledger_error.clear();
    ledger_at_ = *tip;
    if (*covers) ledger_events_ = *events;
}

// --- what shows a disagreement -------------------------------------------------------------------

void ReplicaReader::keep(const std::string& name, ByteView bytes) {
    const Status kept = write_file(evidence_folder(stores_.paths) / name, bytes, /*replace=*/true);
    if (!kept) log_.error("evidence.not_kept", {{"file", name}, {"error", kept.error().message}});
}

void ReplicaReader::keep_entry(std::uint64_t number, ByteView entry) {
    const std::string name = "entry-" + std::to_string(number);
    keep(name + ".entry", entry);
    const Checked<HistoryEntry> decoded = decode_entry(entry);
    if (!decoded) return;
    if (const auto* object = std::get_if<ObjectEntry>(&*decoded)) {
        keep(name + ".object", object->object);
    }
}

void ReplicaReader::keep_head(const std::string& name, const JournalHead& head) {
    keep(name, wrap_object(Kind::kHead, head.encode()));
}

Status ReplicaReader::disagree(Disagreement found, const Status& why) {
    found.verdict = why.error().verdict;
    found.kept = evidence_folder(stores_.paths);
    found.what = "the followed node is not believed any more: " + why.error().message;
    if (found.height) found.what += "; at " + named(*found.height);
    if (found.entry) found.what += "; entry " + std::to_string(*found.entry);
    found.what += "; what shows it is in " + found.kept.string();
    json::Json said = {{"what", found.what},
                       {"reason", std::string(describe(found.verdict.reason).name)},
                       {"height", found.height ? json::Json(found.height->value) : json::Json()},
                       {"entry", found.entry ? json::Json(*found.entry) : json::Json()}};
    if (found.entry) {
        const auto newest = stores_.heads->newest();
        const auto path = newest && *found.entry < newest->size
                              ? history_.inclusion(*found.entry, newest->size)
                              : Result<InclusionPath>(fail(ErrorCode::kNotFound, "no head covers"));
        if (newest) keep_head("before-" + std::to_string(newest->height.value) + ".head", *newest);
        if (path) {
            said["path"] = json::Json::array();
            for (const Digest& hash : path->path) said["path"].push_back(to_hex(hash));
        }
    }
    const std::string text = json::dump(said, 2) + "\n";
    keep("disagreement.json", view(std::string_view(text)));
    log_.error("replica.disagrees", {{"error", found.what}});
    const Verdict verdict = found.verdict;
    const std::string what = found.what;
    const std::lock_guard lock(mutex_);
    counts_.disagreement = std::move(found);
    return fail_refused(verdict, what);
}

}  // namespace holdfast::node
