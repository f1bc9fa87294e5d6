#include "node/output_source.hpp"

#include <algorithm>

#include "proofs/digests.hpp"
#include "proofs/entropy.hpp"
#include "proofs/journal.hpp"
#include "storage/signed_statements.hpp"

namespace holdfast::node {
namespace {

constexpr std::size_t kEntriesLookedAt = 4'096;  // y comes soon after its block

/// How many entries the head of a closed height covers; empty: it has not closed.
Result<std::optional<std::uint64_t>> covered_by(const Registry& registry, Height height) {
    const Result<Bytes> head = registry.head_of(height);
    if (!head && head.error().code == ErrorCode::kNotFound) return std::optional<std::uint64_t>();
    if (!head) return fail(head.error());
    constexpr std::size_t kSizeAt = 32 + 8 + 32 + 32 + 32;
    return std::optional(load_le64(head->data() + kSizeAt));
}

/// Number of the height's y entry, looked for from where its block's entry stands.
Result<std::optional<std::uint64_t>> find_entry(const Registry& registry,
                                                const NetworkParams& params, Height height,
                                                const VdfOutput& y) {
    std::uint64_t from = 0;
    if (const std::optional<Height> anchored = anchor_height(params, height)) {
        // The block's entry is the last that the head of that digest covers.
        HOLDFAST_ASSIGN(size, covered_by(registry, *anchored));
        from = size.value_or(0);
    }
    const Result<std::vector<Bytes>> entries = registry.entries(from, kEntriesLookedAt);
    if (!entries && entries.error().code != ErrorCode::kNotFound) return fail(entries.error());
    if (!entries) return std::optional<std::uint64_t>();
    const auto found =
        std::find(entries->begin(), entries->end(), encode_entry(OutputEntry{height, y}));
    if (found == entries->end()) return std::optional<std::uint64_t>();
    return std::optional(from + static_cast<std::uint64_t>(found - entries->begin()));
}

}  // namespace

/// The first head that covers the y entry. Spec 15.3: it stands before its own digest closes.
Result<std::optional<OutputCover>> OutputSource::cover_of(Height height, const VdfOutput& y) {
    const Registry& registry = parts_.registry;
    const NetworkParams& params = registry.params();
    HOLDFAST_ASSIGN(entry, find_entry(registry, params, height, y));
    if (!entry) return std::optional<OutputCover>();
    for (Height g = std::max(height - params.link_lag, params.genesis_height); g <= height; ++g) {
        HOLDFAST_ASSIGN(size, covered_by(registry, g));
        if (!size) break;
        if (*size <= *entry) continue;
        HOLDFAST_ASSIGN(head, parts_.heads.head(g));
        if (!head) continue;
        HOLDFAST_ASSIGN(path, registry.inclusion(*entry, *size));
        return std::optional(OutputCover{*head, *entry, std::move(path)});
    }
    return std::optional<OutputCover>();
}

/// From the newest that is kept on, or as far back as the key's owner remembers.
Status OutputSource::keep_heads() {
    const NetworkParams& params = parts_.registry.params();
    HOLDFAST_ASSIGN(closed, parts_.registry.closed());
    if (!parts_.sign || !params.has_operator() || !closed) return {};
    const std::optional<JournalHead> newest = parts_.heads.newest();
    if (newest && newest->height >= *closed) return {};
    const std::uint64_t remembered = SignedStatements::kRemembered;
    const Height lowest = closed->value > remembered ? *closed - remembered : params.genesis_height;
    Height from = std::max(lowest, params.genesis_height);
    if (newest) from = std::max(from, newest->height + 1);
    for (Height h = from; h <= *closed; h = h + 1) {
        const Result<JournalHead> head = parts_.sign(h);
        if (!head && head.error().code == ErrorCode::kNotFound) continue;
        if (!head) return fail(head.error());
        HOLDFAST_TRY(parts_.heads.keep(*head));
    }
    return {};
}

Status OutputSource::refresh() {
    HOLDFAST_TRY(keep_heads());
    const NetworkParams& params = parts_.registry.params();
    if (!params.has_operator() || !params.has_vdf) return {};
    HOLDFAST_ASSIGN(tip, parts_.registry.tip());
    if (!tip) return {};
    for (Height h = std::max(*tip - params.link_lag - 1, params.genesis_height); h <= *tip; ++h) {
        {
            const std::lock_guard lock(mutex_);
            if (covers_.contains(h)) continue;
        }
        HOLDFAST_ASSIGN(record, parts_.registry.block(h));
        if (!record || !record->y) continue;
        HOLDFAST_ASSIGN(cover, cover_of(h, *record->y));
        if (!cover) continue;
        const std::lock_guard lock(mutex_);
        covers_.emplace(h, std::move(*cover));
        while (covers_.size() > kKeptCovers) covers_.erase(covers_.begin());
    }
    return {};
}

Result<FollowOutput> OutputSource::output(Height height) const {
    const NetworkParams& params = parts_.registry.params();
    HOLDFAST_ASSIGN(record, parts_.registry.block(height));
    if (!record) {
        return fail(ErrorCode::kNotFound,
                    "no final block of height " + std::to_string(height.value) + " is known");
    }
    FollowOutput out;
    HOLDFAST_ASSIGN(block, parts_.chain.block_by_height(height));
    if (block.hash != record->hash) return fail_refused(Reason::kWrongBlock, "the host chain");
    out.block = block;
    if (params.has_beacon) {
        const Checked<std::uint64_t> round = beacon_round(params, block.time_ms / 1000);
        if (!round) return fail_refused(round.error(), "the block's time");
        const Result<BeaconRound> value = parts_.beacon->randomness(*round);
        if (value) out.beacon = *value;  // otherwise it is not published yet
    }
    if (!record->y) return out;
    if (params.has_vdf) {
        const Result<VdfProof> proof = parts_.clock->proof(height);
        if (!proof && proof.error().code != ErrorCode::kNotFound) return fail(proof.error());
        if (proof) out.proof = wrap_object(Kind::kVdfProof, proof->encode());
    }
    const std::lock_guard lock(mutex_);
    const auto cover = covers_.find(height);
    if (cover != covers_.end()) out.cover = cover->second;
    return out;
}

}  // namespace holdfast::node
