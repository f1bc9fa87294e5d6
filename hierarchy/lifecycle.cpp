#include "hierarchy/lifecycle.hpp"

#include <algorithm>

#include "proofs/link.hpp"

namespace holdfast {

// --- status --------------------------------------------------------------------------------------

// Spec 10.4: the first that applies.
ChainStatus status_in_digest(const NetworkParams& params, const StatusFacts& facts) {
    if (facts.part_taken || facts.misses > params.misses_expired ||
        facts.age >= retention_blocks(params, facts.retention)) {
        return ChainStatus::kExpired;
    }
    if (facts.removal_requested) return ChainStatus::kRemoving;
    if (facts.misses > params.misses_late || facts.suspended) return ChainStatus::kLate;
    return ChainStatus::kActive;
}

// --- misses --------------------------------------------------------------------------------------

// Spec 10.4, misses.
std::uint32_t link_misses(const NetworkId& network_id, const VdfOutput& y_c,
                          const ChainId& chain_id, LinkProof seen) {
    constexpr std::uint32_t kFullAbsent = 16;
    if (seen == LinkProof::kFull) return 0;
    if (full_required(network_id, y_c, chain_id)) return kFullAbsent;
    return seen == LinkProof::kCompact ? 0 : 1;
}

MissWindow::MissWindow(std::vector<Entry> entries) : entries_(std::move(entries)) {
    for (const Entry& e : entries_) sum_ += e.misses;
}

// Spec 10.4: the rate_window newest heights that have y.
void MissWindow::add(std::uint64_t ordinal, std::uint64_t misses, std::uint32_t rate_window) {
    HOLDFAST_CHECK(entries_.empty() || entries_.back().ordinal < ordinal);
    const auto inside = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) {
        return ordinal - e.ordinal < rate_window;
    });
    for (auto e = entries_.begin(); e != inside; ++e) sum_ -= e->misses;
    entries_.erase(entries_.begin(), inside);
    if (misses == 0 || rate_window == 0) return;
    entries_.push_back({ordinal, misses});
    sum_ += misses;
}

bool MissWindow::would_drop(std::uint64_t ordinal, std::uint32_t rate_window) const {
    return !entries_.empty() && ordinal - entries_.front().ordinal >= rate_window;
}

// --- slots ---------------------------------------------------------------------------------------

void SlotAllocator::mark_used(std::uint64_t slot) {
    for (; end_ <= slot; ++end_) holes_.insert(holes_.end(), end_);
    HOLDFAST_CHECK(holes_.erase(slot) == 1);
}

std::uint64_t SlotAllocator::take_lowest() {
    if (holes_.empty()) return end_++;
    const std::uint64_t slot = *holes_.begin();
    holes_.erase(holes_.begin());
    return slot;
}

void SlotAllocator::free(std::uint64_t slot) {
    HOLDFAST_CHECK(slot < end_ && holes_.insert(slot).second);
}

// Spec 10.1: ends first, then ascending by chain_id into the lowest free slots.
SlotMap place_chains(SlotMap slots, std::span<const ChainId> ended, std::vector<ChainId> placed) {
    const std::set<ChainId> ends(ended.begin(), ended.end());
    std::erase_if(slots, [&](const auto& entry) { return ends.contains(entry.second); });
    SlotAllocator allocator;
    for (const auto& [slot, chain] : slots) allocator.mark_used(slot);
    std::sort(placed.begin(), placed.end());
    for (const ChainId& chain : placed) slots.emplace(allocator.take_lowest(), chain);
    return slots;
}

// --- updates -------------------------------------------------------------------------------------

// Spec 5: the newest one with base <= h.
Commitment commitment_in_force(std::span<const Commitment> commitments, Height height) {
    HOLDFAST_CHECK(!commitments.empty());
    Commitment found = commitments.front();
    for (const Commitment& c : commitments.subspan(1)) {
        if (c.base <= height) found = c;
    }
    return found;
}

// --- merging -------------------------------------------------------------------------------------

namespace {

/// Whether `a` stands before `b` in the same slot. Total, so that the winner of any number of
/// leaves depends neither on their order nor on their grouping. Spec 10.7, (1) to (4).
bool stands_before(const ChainLeaf& a, const ChainLeaf& b) {
    if (a.link_height != b.link_height) return a.link_height > b.link_height;
    if (a.link != b.link) return a.link < b.link;
    return a.encode() < b.encode();
}

/// The smaller bytes stand; notes that there were two.
template <class T>
void merge_field(T& into, const T& other, bool& disagreement) {
    if (other == into) return;
    disagreement = true;
    into = std::min(into, other);
}

void merge_y(VdfOutput& into, const VdfOutput& other, bool& disagreement) {
    if (into.is_zero()) into = other;
    if (!other.is_zero()) merge_field(into, other, disagreement);
}

void merge_into(RegistrySlots& into, const RegistrySlots& other) {
    if (other.digest_height != into.digest_height) {
        if (other.digest_height > into.digest_height) into = other;
        return;
    }
    RegistrySlots::Disagreement& d = into.disagreement;
    d.block = d.block || other.disagreement.block;
    d.y = d.y || other.disagreement.y;
    d.previous = d.previous || other.disagreement.previous;
    merge_field(into.block_hash, other.block_hash, d.block);
    merge_y(into.y, other.y, d.y);
    merge_field(into.previous, other.previous, d.previous);
    for (const auto& [slot, leaf] : other.slots) {
        const auto [at, fresh] = into.slots.emplace(slot, leaf);
        if (!fresh && stands_before(leaf, at->second)) at->second = leaf;
    }
}

}  // namespace

// Spec 10.7.
Checked<RegistrySlots> merge_registries(std::span<const RegistrySlots> registries) {
    HOLDFAST_CHECK(!registries.empty());
    RegistrySlots merged = registries.front();
    for (const RegistrySlots& other : registries.subspan(1)) {
        if (other.network_id != merged.network_id) return refuse(Reason::kWrongNetwork);
        merge_into(merged, other);
    }
    return merged;
}

// Spec 10.7: no chain in two slots.
Verdict check_merged(const RegistrySlots& merged) {
    if (merged.disagreement.block) return Reason::kWrongBlock;
    if (merged.disagreement.y) return Reason::kVdfOutputMismatch;
    std::set<ChainId> seen;
    for (const auto& [slot, leaf] : merged.slots) {
        if (!seen.insert(leaf.chain_id).second) return {Reason::kDuplicateSlot, slot};
    }
    return Verdict::ok();
}

}  // namespace holdfast
