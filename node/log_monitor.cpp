#include "node/log_monitor.hpp"

#include <algorithm>
#include <numeric>

#include "core/hash.hpp"
#include "core/merkle.hpp"
#include "proofs/evidence.hpp"

namespace holdfast::node {
namespace {

std::string named(Height height) { return "height " + std::to_string(height.value); }

/// The hash of an entry of this object, or of none.
bool is_of(const Promise& promise, ByteView entry) {
    const Checked<HistoryEntry> decoded = decode_entry(entry);
    const auto* object = decoded ? std::get_if<ObjectEntry>(&*decoded) : nullptr;
    return object != nullptr && sha256(object->object) == promise.object;
}

constexpr std::uint64_t kNear = 256;  // entries between two whose hashes are fetched together

/// The multiproof of neighbouring leaves, out of the paths of the first and the last.
std::vector<Digest> siblings_of_run(std::uint64_t leaves, std::uint64_t first, std::uint64_t last,
                                    std::span<const Digest> path_first,
                                    std::span<const Digest> path_last) {
    std::vector<Digest> out;
    std::size_t from_first = 0;
    std::size_t from_last = 0;
    for (unsigned level = 0; level_nodes(leaves, level) > 1; ++level) {
        const std::uint64_t nodes = level_nodes(leaves, level);
        if ((first ^ 1) < nodes && from_first < path_first.size()) {
            const Digest& sibling = path_first[from_first++];
            if (first % 2 == 1) out.push_back(sibling);
        }
        if ((last ^ 1) < nodes && from_last < path_last.size()) {
            const Digest& sibling = path_last[from_last++];
            if (last % 2 == 0) out.push_back(sibling);
        }
        first /= 2;
        last /= 2;
    }
    return out;
}

}  // namespace

std::string_view to_string(PromiseState state) {
    switch (state) {
        case PromiseState::kKept:
            return "kept";
        case PromiseState::kWaiting:
            return "waiting";
        case PromiseState::kUnknown:
            return "unknown";
        case PromiseState::kBroken:
            return "broken";
    }
    return "unknown";
}

Digest Promise::leaf_of(ByteView object) {
    return entry_hash(encode_entry(ObjectEntry{Bytes(object.begin(), object.end())}));
}

LogMonitor::LogMonitor(const NetworkParams& params, std::unique_ptr<HeadFile> heads,
                       std::filesystem::path evidence)
    : params_(params),
      network_id_(params.id()),
      heads_(std::move(heads)),
      evidence_(std::move(evidence)) {}

Result<LogMonitor> LogMonitor::open(const NetworkParams& params, const std::filesystem::path& heads,
                                    std::filesystem::path evidence) {
    HOLDFAST_ASSIGN(file, HeadFile::open(heads, params));
    return LogMonitor(params, std::move(file), std::move(evidence));
}

Result<std::filesystem::path> LogMonitor::keep(const std::string& name, Kind kind,
                                               ByteView body) const {
    std::error_code failed;
    std::filesystem::create_directories(evidence_, failed);
    if (failed) return fail_errno(failed.value(), "cannot make " + evidence_.string());
    const std::filesystem::path file = evidence_ / name;
    HOLDFAST_TRY(write_file(file, wrap_object(kind, body), /*replace=*/true));
    return file;
}

// --- heads ---------------------------------------------------------------------------------------

Result<std::uint64_t> LogMonitor::follow(HistoryClient& node, Height from) {
    std::uint64_t taken = 0;
    for (;;) {
        const std::optional<JournalHead> newest = heads_->newest();
        const Height first = newest ? newest->height : std::max(from, params_.genesis_height);
        HOLDFAST_ASSIGN(page, node.heads(first));
        std::uint64_t fresh = 0;
        for (const JournalHead& head : page.heads) {
            HOLDFAST_ASSIGN(seen, heads_->head(head.height));
            if (seen && *seen == head) continue;
            HOLDFAST_TRY(take_head(node, head));
            ++fresh;
        }
        if (fresh == 0) break;
        taken += fresh;
    }
    if (taken > 0) HOLDFAST_TRY(heads_->sync());
    return taken;
}

Status LogMonitor::take_head(HistoryClient& node, const JournalHead& head) {
    const std::string what = "the head of " + named(head.height);
    if (const Verdict v = check_head(params_, network_id_, head); !v) return fail_refused(v, what);
    const std::string number = std::to_string(head.height.value);
    HOLDFAST_ASSIGN(seen, heads_->head(head.height));
    if (seen) {
        HOLDFAST_TRY(keep("seen-" + number + ".head", Kind::kHead, seen->encode()));
        HOLDFAST_TRY(keep("told-" + number + ".head", Kind::kHead, head.encode()));
        two_heads_ = head.height;
        if (seen->block_hash == head.block_hash) {
            const Evidence evidence = make_head_conflict(*seen, head);
            HOLDFAST_TRY(
                keep("two-heads-" + number + ".evidence", Kind::kEvidence, evidence.encode()));
        }
        return fail_refused(
            Reason::kBadPath,
            what + ", of which another one was seen; both are in " + evidence_.string());
    }
    const std::optional<JournalHead> newest = heads_->newest();
    if (newest && newest->height < head.height) {
        const auto path = node.consistency(newest->size, head.size);
        if (!path && path.error().code != ErrorCode::kRefused) return fail(path.error());
        const Verdict v = path ? check_extension(*newest, head, *path) : path.error().verdict;
        if (!v) {
            HOLDFAST_TRY(keep("before-" + std::to_string(newest->height.value) + ".head",
                              Kind::kHead, newest->encode()));
            HOLDFAST_TRY(keep("told-" + number + ".head", Kind::kHead, head.encode()));
            return fail_refused(v, what + ", whose journal does not begin with that of " +
                                       named(newest->height) + "; both are in " +
                                       evidence_.string());
        }
    }
    return heads_->keep(head);
}

Result<std::optional<JournalHead>> LogMonitor::nearest(Height from, bool upwards) const {
    const std::optional<JournalHead> newest = heads_->newest();
    Height at = from;
    while (newest && at >= params_.genesis_height && at <= newest->height) {
        HOLDFAST_ASSIGN(head, heads_->head(at));
        if (head) return head;
        if (!upwards && at == params_.genesis_height) break;
        at = upwards ? at + 1 : at - 1;
    }
    return std::optional<JournalHead>();
}

// Spec 13: behind block entry x, which closed x - 1 - link_lag, and before that which closes x. In
// place of heads that are missing stand the next ones that were seen.
Result<std::optional<LogMonitor::Range>> LogMonitor::range_of(Height height) const {
    const std::optional<JournalHead> newest = heads_->newest();
    if (!newest) return std::optional<Range>();
    HOLDFAST_ASSIGN(after, nearest(std::max(height, params_.genesis_height), true));
    Range out;
    out.complete = after.has_value();
    out.after = after.value_or(*newest);
    out.end = out.after.size;
    const std::uint64_t back = params_.link_lag + std::uint64_t{1};
    if (height >= params_.genesis_height && height.since(params_.genesis_height) >= back) {
        HOLDFAST_ASSIGN(before, nearest(std::min(height - back, newest->height), false));
        out.before = before;
    }
    out.first = out.before ? std::min(out.before->size, out.end) : 0;
    return std::optional(out);
}

// --- promises ------------------------------------------------------------------------------------

/// By hashes where the object is at hand, otherwise by the entries themselves. kNotFound: they are
/// not kept.
Result<std::optional<std::uint64_t>> LogMonitor::look(HistoryClient& node, const Promise& promise,
                                                      std::uint64_t first,
                                                      std::uint64_t end) const {
    for (std::uint64_t at = first; at < end;) {
        if (promise.leaf) {
            const auto most = std::min<std::uint64_t>(end - at, kMaxHistoryHashes);
            HOLDFAST_ASSIGN(page, node.entry_hashes(at, static_cast<std::uint32_t>(most)));
            const auto found = std::find(page.hashes.begin(), page.hashes.end(), *promise.leaf);
            if (found != page.hashes.end()) {
                return std::optional(at + static_cast<std::uint64_t>(found - page.hashes.begin()));
            }
            if (page.hashes.empty()) break;
            at += page.hashes.size();
            continue;
        }
        HOLDFAST_ASSIGN(page, node.entries(at));
        for (std::size_t i = 0; i < page.entries.size() && at + i < end; ++i) {
            if (is_of(promise, page.entries[i])) return std::optional(at + i);
        }
        if (page.entries.empty()) break;
        at += page.entries.size();
    }
    return std::optional<std::uint64_t>();
}

/// That this entry is the object's and stands under the head. kNotFound: it cannot be told, since
/// neither the object nor the entry's bytes are to be had.
Result<Verdict> LogMonitor::show(HistoryClient& node, const Promise& promise, std::uint64_t entry,
                                 const JournalHead& head) const {
    HOLDFAST_ASSIGN(path, node.inclusion(entry, head.size));
    Digest leaf;
    if (promise.leaf) {
        leaf = *promise.leaf;
    } else {
        HOLDFAST_ASSIGN(page, node.entries(entry, 1));
        if (page.entries.empty() || !is_of(promise, page.entries[0])) {
            return Verdict(Reason::kWrongObject);
        }
        leaf = entry_hash(page.entries[0]);
    }
    const auto root = root_from_path(head.size, entry, leaf, path.path);
    if (!root) return root.error();
    return Verdict(*root == head.root ? Reason::kOk : Reason::kBadPath);
}

Result<PromiseResult> LogMonitor::check_entry_of(HistoryClient& node, const Promise& promise,
                                                 std::uint64_t entry) {
    PromiseResult out;
    const std::optional<JournalHead> newest = heads_->newest();
    if (!newest || newest->size <= entry) return out;
    const Result<Verdict> shown = show(node, promise, entry, *newest);
    if (!shown && shown.error().code == ErrorCode::kNotFound) {
        out.state = PromiseState::kUnknown;
        out.why = "entry " + std::to_string(entry) + " is not kept any more: give the object";
        return out;
    }
    if (!shown && shown.error().code != ErrorCode::kRefused) return fail(shown.error());
    const Verdict v = shown ? *shown : shown.error().verdict;
    out.state = v ? PromiseState::kKept : PromiseState::kBroken;
    out.entry = entry;
    out.head = newest->height;
    if (!v) out.why = "entry " + std::to_string(entry) + ": " + to_string(v);
    return out;
}

/// Of neighbouring entries; what lies between them is fetched with them.
Result<bool> LogMonitor::run_stands(HistoryClient& node, std::span<const PlacedEntry> run) const {
    const JournalHead head = heads_->newest().value_or(JournalHead{});
    const std::uint64_t first = run.front().entry;
    const std::uint64_t last = run.back().entry;
    const auto count = static_cast<std::uint32_t>(last - first + 1);
    HOLDFAST_ASSIGN(page, node.entry_hashes(first, count));
    if (page.hashes.size() != count) return false;
    for (const PlacedEntry& one : run) {
        if (page.hashes[one.entry - first] != one.leaf) return false;
    }
    HOLDFAST_ASSIGN(path_first, node.inclusion(first, head.size));
    HOLDFAST_ASSIGN(path_last, node.inclusion(last, head.size));
    std::vector<std::uint64_t> indices(count);
    std::iota(indices.begin(), indices.end(), first);
    const auto siblings = siblings_of_run(head.size, first, last, path_first.path, path_last.path);
    const auto root = root_from_multiproof(head.size, indices, page.hashes, siblings);
    return root && *root == head.root;
}

Result<bool> LogMonitor::stand(HistoryClient& node, std::span<const PlacedEntry> entries) const {
    const std::optional<JournalHead> newest = heads_->newest();
    if (!newest || entries.empty() || newest->size <= entries.back().entry) return false;
    for (std::size_t at = 0; at < entries.size();) {
        std::size_t end = at + 1;
        while (end < entries.size() && entries[end].entry > entries[end - 1].entry &&
               entries[end].entry - entries[end - 1].entry <= kNear &&
               entries[end].entry - entries[at].entry < kMaxHistoryHashes) {
            ++end;
        }
        const auto stands = run_stands(node, entries.subspan(at, end - at));
        if (!stands && stands.error().code == ErrorCode::kRefused) return false;
        if (!stands || !*stands) return stands;
        at = end;
    }
    return true;
}

Result<PromiseResult> LogMonitor::check(HistoryClient& node, const Promise& promise) {
    if (promise.entry) {
        HOLDFAST_ASSIGN(out, check_entry_of(node, promise, *promise.entry));
        if (out.state != PromiseState::kBroken) return out;
    }
    PromiseResult out;
    HOLDFAST_ASSIGN(range, range_of(promise.acknowledgement.height));
    if (!range) return out;
    Result<std::optional<std::uint64_t>> found = look(node, promise, range->first, range->end);
    if (found && !*found && !range->complete) return out;
    if (found && !*found) {
        const Height height = promise.acknowledgement.height;
        const std::uint64_t since = height.since(params_.genesis_height);
        HOLDFAST_ASSIGN(earlier, nearest(height - std::min(since, kLookBack), true));
        const std::uint64_t first = since <= kLookBack || !earlier ? 0 : earlier->size;
        auto repeated = look(node, promise, std::min(first, range->first), range->first);
        // What is not kept any more cannot hold it against anybody.
        if (repeated || repeated.error().code != ErrorCode::kNotFound) found = std::move(repeated);
    }
    if (!found && found.error().code == ErrorCode::kNotFound) {
        out.state = PromiseState::kUnknown;
        out.why = "the entries of its height are not kept any more: give the object";
        return out;
    }
    if (!found) return fail(found.error());
    if (!*found) return broken(promise, *range);
    HOLDFAST_ASSIGN(out_of_entry, check_entry_of(node, promise, **found));
    if (out_of_entry.state == PromiseState::kBroken) return broken(promise, *range);
    return out_of_entry;
}

Result<PromiseResult> LogMonitor::broken(const Promise& promise, const Range& range) {
    PromiseResult out;
    out.state = PromiseState::kBroken;
    out.head = range.after.height;
    out.why = "acknowledged at " + named(promise.acknowledgement.height) +
              ", and not among entries " + std::to_string(range.first) + " to " +
              std::to_string(range.end - 1) + " nor before them, under the head of " +
              named(range.after.height);
    HOLDFAST_ASSIGN(kept, keep("broken-" + to_hex(view(promise.object)).substr(0, 16) + ".ack",
                               Kind::kAcknowledgement, promise.acknowledgement.encode()));
    out.files.push_back(kept);
    if (range.before) {
        HOLDFAST_ASSIGN(file, keep("head-" + std::to_string(range.before->height.value) + ".head",
                                   Kind::kHead, range.before->encode()));
        out.files.push_back(file);
    }
    HOLDFAST_ASSIGN(file, keep("head-" + std::to_string(range.after.height.value) + ".head",
                               Kind::kHead, range.after.encode()));
    out.files.push_back(file);
    return out;
}

}  // namespace holdfast::node
