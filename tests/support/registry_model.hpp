// The rules of spec sections 10.1 to 10.5 written down a second time, naively: from the list of
// everything that happened, every digest from the first height on, with no state carried over but
// slots and leaves.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "core/merkle.hpp"
#include "hierarchy/lifecycle.hpp"
#include "proofs/digests.hpp"
#include "proofs/link.hpp"
#include "proofs/seal_proof.hpp"

namespace holdfast::test {

class RegistryModel {
  public:
    struct Chain {
        Height genesis;
        Retention retention = Retention::kDefault;
        Height accepted;
        std::optional<Height> sealed_at;
        std::optional<Height> removal_at;
        std::map<Height, Link> receipts;
        std::map<Height, LinkProof> proofs;
        std::vector<std::pair<Height, Height>> answers;  // height of y, tip
    };
    struct Closed {
        GlobalDigest global;
        std::map<std::uint64_t, ChainLeaf> leaves;
        std::set<ChainId> forfeited;  // by then
    };

    explicit RegistryModel(const NetworkParams& params) : params_(params), id_(params.id()) {}

    std::map<ChainId, Chain> chains;
    std::map<Height, BlockHash> blocks;
    std::map<Height, VdfOutput> ys;

    [[nodiscard]] std::vector<Closed> close_all(Height last) const {
        std::vector<Closed> out;
        Run run;
        for (Height h = params_.genesis_height; h <= last; ++h) out.push_back(close(h, run, out));
        return out;
    }

  private:
    struct Audit {
        ChainId chain;
        Height drawn;
        unsigned missed = 0;
    };
    struct Run {
        std::map<std::uint64_t, ChainLeaf> leaves;
        std::map<ChainId, Height> vacant_from;
        std::vector<Audit> audits;
        std::map<ChainId, std::map<Height, std::uint64_t>> audit_misses;
        std::set<ChainId> forfeited;
    };

    [[nodiscard]] std::optional<Height> first_y_from(Height from, Height limit) const {
        for (Height h = from; h <= limit; ++h) {
            if (ys.contains(h)) return h;
        }
        return std::nullopt;
    }

    [[nodiscard]] std::uint64_t misses(const Run& run, const ChainId& id, Height h) const {
        const Chain& chain = chains.at(id);
        std::uint64_t sum = 0;
        std::uint32_t heights = 0;
        const std::uint64_t back = params_.proof_deadline;
        if (h.since(params_.genesis_height) < back) return 0;
        for (Height at = h - back;; at = at - 1) {
            if (ys.contains(at)) {
                if (heights++ == params_.rate_window) break;
                const Height c = compact_draw_height(params_, at);
                if (at > *chain.sealed_at && ys.contains(c)) {
                    const auto proof = chain.proofs.find(at);
                    sum +=
                        link_misses(id_, ys.at(c), id,
                                    proof == chain.proofs.end() ? LinkProof::kNone : proof->second);
                    const auto missed = run.audit_misses.find(id);
                    if (missed != run.audit_misses.end() && missed->second.contains(at)) {
                        sum += missed->second.at(at);
                    }
                }
            }
            if (at == params_.genesis_height) break;
        }
        return sum;
    }

    [[nodiscard]] Closed close(Height h, Run& run, const std::vector<Closed>& before) const {
        // Ends first, then new chains by ascending id.
        SlotMap slots;
        for (const auto& [slot, leaf] : run.leaves) slots[slot] = leaf.chain_id;
        std::vector<ChainId> ended;
        for (const auto& [slot, id] : slots) {
            if (run.vacant_from.contains(id) && run.vacant_from.at(id) <= h) ended.push_back(id);
        }
        std::vector<ChainId> placed;
        for (const auto& [id, chain] : chains) {
            if (chain.removal_at == h) {
                const Height vacant = h + params_.removal_delay;
                const auto known = run.vacant_from.find(id);
                if (known == run.vacant_from.end() || vacant < known->second) {
                    run.vacant_from[id] = vacant;
                    if (vacant == h) ended.push_back(id);
                }
            }
            if (chain.sealed_at != h) continue;
            const auto gone = run.vacant_from.find(id);
            if (gone == run.vacant_from.end() || gone->second > h) placed.push_back(id);
        }
        slots = place_chains(slots, ended, placed);

        audit(h, slots, run, before);
        std::map<std::uint64_t, ChainLeaf> leaves;
        for (const auto& [slot, id] : slots) {
            const Chain& chain = chains.at(id);
            ChainLeaf leaf{id, Link(id), chain.genesis, ChainStatus::kActive};
            const auto old = run.leaves.find(slot);
            if (old != run.leaves.end() && old->second.chain_id == id) leaf = old->second;
            const auto receipt = chain.receipts.find(h);
            if (receipt != chain.receipts.end() && ys.contains(h)) {
                leaf.link = receipt->second;
                leaf.link_height = h;
            }
            const bool late = std::any_of(
                run.audits.begin(), run.audits.end(),
                [&, chain_id = id](const Audit& a) { return a.chain == chain_id && a.missed > 0; });
            const StatusFacts facts{h.since(chain.genesis),
                                    chain.retention,
                                    misses(run, id, h),
                                    chain.removal_at && *chain.removal_at <= h,
                                    late,
                                    run.forfeited.contains(id)};
            leaf.status = status_in_digest(params_, facts);
            if (leaf.status == ChainStatus::kExpired) run.vacant_from[id] = h + 1;
            leaves[slot] = leaf;
        }
        run.leaves = leaves;
        const GlobalDigest previous = before.empty() ? genesis_global(id_) : before.back().global;
        return {digest(h, leaves, previous), leaves, run.forfeited};
    }

    /// Whether the audit is still open after the digest of h.
    bool settle(Height h, Audit& a, bool holds, Run& run) const {
        const auto y = first_y_from(a.drawn + params_.seal_delay, h);
        if (!y) return true;
        for (const auto& [for_y, tip] : chains.at(a.chain).answers) {
            if (for_y == *y && tip <= h + params_.link_lag) return false;
        }
        if (h != *y + (a.missed + 1) * std::uint64_t{params_.seal_deadline}) return true;
        ++a.missed;
        if (holds) run.audit_misses[a.chain][h] += std::uint64_t{params_.misses_late} + 1;
        if (a.missed < 3) return true;
        run.forfeited.insert(a.chain);
        return false;
    }

    void audit(Height h, const SlotMap& slots, Run& run, const std::vector<Closed>& before) const {
        std::set<ChainId> holders;
        for (const auto& [slot, id] : slots) holders.insert(id);
        std::vector<Audit> open;
        for (Audit a : run.audits) {
            if (settle(h, a, holders.contains(a.chain), run)) open.push_back(a);
        }
        run.audits = open;
        // The last one, when liability ends.
        for (const auto& [id, vacant] : run.vacant_from) {
            const bool ends = vacant + params_.liability_blocks == h && !holders.contains(id);
            if (ends && chains.at(id).sealed_at && !run.forfeited.contains(id)) {
                run.audits.push_back({id, h});
            }
        }
        if (!ys.contains(h)) return;
        std::uint64_t total = 0;
        if (const auto at = anchor_height(params_, h)) {
            total = before[at->since(params_.genesis_height)].leaves.size();
        }
        for (const auto& [id, chain] : chains) {
            const auto gone = run.vacant_from.find(id);
            const bool liable = chain.sealed_at && *chain.sealed_at <= h && !holders.contains(id) &&
                                gone != run.vacant_from.end() && gone->second <= h &&
                                h < gone->second + params_.liability_blocks &&
                                !run.forfeited.contains(id);
            if ((holders.contains(id) || liable) && is_audited(params_, id_, ys.at(h), id, total)) {
                run.audits.push_back({id, h});
            }
        }
    }

    [[nodiscard]] GlobalDigest digest(Height h, const std::map<std::uint64_t, ChainLeaf>& leaves,
                                      const GlobalDigest& previous) const {
        GlobalHeader header{h, blocks.at(h), {}, previous, 0, leaves.size()};
        if (ys.contains(h)) header.y = ys.at(h);
        const std::uint64_t per_region = std::uint64_t{params_.group_slots} * params_.region_groups;
        const std::uint64_t end = leaves.empty() ? 0 : leaves.rbegin()->first + 1;
        std::vector<Digest> regions;
        for (std::uint64_t first = 0; first < end; first += per_region) {
            const auto number = static_cast<std::uint32_t>(first / per_region);
            regions.push_back(leaf_hash(view(region(number, leaves))));
        }
        header.regions = static_cast<std::uint32_t>(regions.size());
        return global_digest(id_, header, merkle_root(regions));
    }

    [[nodiscard]] Digest region(std::uint32_t number,
                                const std::map<std::uint64_t, ChainLeaf>& leaves) const {
        const std::uint64_t per_region = std::uint64_t{params_.group_slots} * params_.region_groups;
        std::vector<Digest> groups;
        std::uint64_t all_active = 0;
        std::uint32_t used_groups = 0;
        for (std::uint32_t g = 0; g < params_.region_groups; ++g) {
            const std::uint64_t first =
                number * per_region + std::uint64_t{g} * params_.group_slots;
            std::vector<Digest> hashes;
            std::uint32_t used = 0;
            std::uint32_t active = 0;
            for (std::uint32_t s = 0; s < params_.group_slots; ++s) {
                const auto at = leaves.find(first + s);
                hashes.push_back(at == leaves.end() ? leaf_hash({}) : at->second.hash());
                if (at == leaves.end()) continue;
                used = s + 1;
                active += at->second.status == ChainStatus::kActive ? 1 : 0;
            }
            hashes.resize(used);
            if (used > 0) used_groups = g + 1;
            all_active += active;
            groups.push_back(
                leaf_hash(view(group_digest(number, g, used, active, merkle_root(hashes)))));
        }
        groups.resize(used_groups);
        return region_digest(number, used_groups, all_active, merkle_root(groups));
    }

    NetworkParams params_;
    NetworkId id_;
};

}  // namespace holdfast::test
