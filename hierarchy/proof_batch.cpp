#include "hierarchy/proof_batch.hpp"

#include <algorithm>
#include <atomic>
#include <tuple>

#include "storage/parallel.hpp"

namespace holdfast {
namespace {

/// Numbers 0 to n-1 in runs of those that `key` says are equal. The order of the runs means
/// nothing.
class Runs {
  public:
    template <class Key>
    Runs(std::vector<std::size_t> items, const Key& key) : items_(std::move(items)) {
        std::sort(items_.begin(), items_.end(),
                  [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
        for (std::size_t i = 0; i < items_.size(); ++i) {
            if (i == 0 || key(items_[i - 1]) < key(items_[i])) starts_.push_back(i);
        }
        starts_.push_back(items_.size());
    }
    [[nodiscard]] std::size_t count() const { return starts_.size() - 1; }
    [[nodiscard]] std::span<const std::size_t> operator[](std::size_t run) const {
        return std::span(items_).subspan(starts_[run], starts_[run + 1] - starts_[run]);
    }

  private:
    std::vector<std::size_t> items_;
    std::vector<std::size_t> starts_;
};

std::vector<std::size_t> accepted_of(std::span<const Verdict> verdicts) {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        if (verdicts[i]) out.push_back(i);
    }
    return out;
}

/// Whose signature over what; the pointers are the items'.
struct Claim {
    const KnownChain* chain;
    const KnownHeight* height;
    const Receipt* receipt;

    [[nodiscard]] auto key() const {
        return std::tie(chain->prover, chain->id, height->height, height->block_hash,
                        height->anchor, receipt->link, receipt->signature);
    }
};

/// Takes the signatures of these items to their verdicts, equal ones once.
void check_signatures(const NetworkId& network_id, std::vector<std::size_t> items,
                      std::span<const Claim> claims, unsigned threads, std::span<Verdict> verdicts,
                      BatchWork& work) {
    const Runs runs(std::move(items), [&](std::size_t i) { return claims[i].key(); });
    for_each_parallel(runs.count(), threads, [&](std::size_t run) {
        const Claim& one = claims[runs[run].front()];
        const Verdict v =
            check_receipt_signature(network_id, *one.chain, one.height->block_hash, *one.receipt);
        for (const std::size_t i : runs[run]) verdicts[i] = v;
    });
    work.signatures += runs.count();
}

/// The verification of many proofs, step by step; each step looks at what is still accepted.
class ProofBatch {
  public:
    ProofBatch(const NetworkParams& params, const NetworkId& network_id,
               std::span<const ProofItem> items, unsigned threads)
        : params_(params),
          network_id_(network_id),
          items_(items),
          threads_(threads),
          verdicts_(items.size()) {}

    std::vector<Verdict> run() {
        each(accepted_of(verdicts_), [&](std::size_t i) {
            const ProofItem& item = items_[i];
            return check_claim(*item.chain, *item.height, *item.proof);
        });
        signatures();
        reveals();
        each(accepted_of(verdicts_), [&](std::size_t i) {
            const ProofItem& item = items_[i];
            return check_openings(network_id_, *item.chain, *item.height, *item.proof);
        });
        paths();
        each(accepted_of(verdicts_), [&](std::size_t i) {
            const ProofItem& item = items_[i];
            return check_counts(network_id_, *item.chain, *item.height, *item.proof);
        });
        return std::move(verdicts_);
    }
    [[nodiscard]] const BatchWork& work() const { return work_; }

  private:
    template <class Check>
    void each(const std::vector<std::size_t>& items, const Check& check) {
        for_each_parallel(items.size(), threads_,
                          [&](std::size_t k) { verdicts_[items[k]] = check(items[k]); });
    }

    void signatures() {
        std::vector<Claim> claims;
        for (const ProofItem& item : items_) {
            claims.push_back({item.chain, item.height, &receipt_of(*item.proof)});
        }
        std::vector<std::size_t> unsure = accepted_of(verdicts_);
        std::erase_if(unsure, [&](std::size_t i) {
            return items_[i].accepted && *items_[i].accepted == *claims[i].receipt;
        });
        check_signatures(network_id_, std::move(unsure), claims, threads_, verdicts_, work_);
    }

    /// Chains whose next reveals are counted from one known reveal are walked together.
    void reveals() {
        std::vector<std::size_t> walked;
        for (const std::size_t i : accepted_of(verdicts_)) {
            const ProofItem& item = items_[i];
            const bool on_chain =
                item.chain->reveals && reveal_index(item.chain->reveals->base, item.height->height);
            if (on_chain) {
                walked.push_back(i);
            } else {
                verdicts_[i] = check_chain_reveal(params_, network_id_, *item.chain,
                                                  item.height->height, reveal_of(*item.proof));
            }
        }
        const Runs runs(std::move(walked), [&](std::size_t i) {
            const KnownChain& chain = *items_[i].chain;
            return std::tie(chain.replica_id, chain.reveals->base, chain.reveals->known.i,
                            chain.reveals->known.a);
        });
        std::atomic<std::uint64_t> hashes{0};
        for_each_parallel(runs.count(), threads_,
                          [&](std::size_t run) { hashes += reveals_of(runs[run]); });
        work_.reveal_hashes += hashes;
    }

    std::uint64_t reveals_of(std::span<const std::size_t> run) {
        const KnownChain& chain = *items_[run.front()].chain;
        std::vector<KnownReveal> elements;
        for (const std::size_t i : run) {
            elements.push_back(
                {items_[i].height->height.since(chain.reveals->base), reveal_of(*items_[i].proof)});
        }
        std::uint64_t hashes = 0;
        const std::vector<Verdict> checked =
            check_reveals(network_id_, view(chain.replica_id), chain.reveals->known, elements,
                          reveal_limit(params_), hashes);
        for (std::size_t k = 0; k < run.size(); ++k) verdicts_[run[k]] = checked[k];
        return hashes;
    }

    /// Of compact proofs: each slot path for itself, then what is above a group once for all that
    /// say the same of it.
    void paths() {
        std::vector<std::size_t> compact = accepted_of(verdicts_);
        std::erase_if(compact, [&](std::size_t i) { return !compact_at(i); });
        std::vector<Digest> groups(items_.size());
        each(compact, [&](std::size_t i) {
            const auto group = group_from_path(params_, *items_[i].height, leaf_of(*compact_at(i)),
                                               compact_at(i)->path);
            if (!group) return group.error();
            groups[i] = *group;
            return Verdict::ok();
        });
        std::erase_if(compact, [&](std::size_t i) { return !verdicts_[i]; });
        const Runs runs(std::move(compact), [&](std::size_t i) {
            const KnownHeight& h = *items_[i].height;
            const HierarchyPath& p = compact_at(i)->path;
            return std::tie(groups[i], h.height, h.block_hash, h.y, h.previous_global, h.global,
                            p.region, p.group, p.groups, p.region_active, p.regions, p.total_chains,
                            p.group_path, p.region_path);
        });
        for_each_parallel(runs.count(), threads_, [&](std::size_t run) {
            const std::size_t one = runs[run].front();
            const Verdict v =
                check_group(network_id_, *items_[one].height, compact_at(one)->path, groups[one]);
            for (const std::size_t i : runs[run]) verdicts_[i] = v;
        });
        work_.groups += runs.count();
    }

    [[nodiscard]] const Compact* compact_at(std::size_t i) const {
        return std::get_if<Compact>(items_[i].proof);
    }

    const NetworkParams& params_;
    const NetworkId& network_id_;
    std::span<const ProofItem> items_;
    unsigned threads_;
    std::vector<Verdict> verdicts_;
    BatchWork work_;
};

}  // namespace

std::vector<Verdict> verify_receipts(const NetworkId& network_id,
                                     std::span<const ReceiptItem> items, unsigned threads,
                                     BatchWork* work) {
    std::vector<Verdict> out(items.size());
    std::vector<Claim> claims;
    for (std::size_t i = 0; i < items.size(); ++i) {
        claims.push_back({items[i].chain, items[i].height, items[i].receipt});
        out[i] = check_receipt_place(*items[i].height, *items[i].receipt);
    }
    BatchWork own;
    check_signatures(network_id, accepted_of(out), claims, threads, out, own);
    if (work != nullptr) *work = own;
    return out;
}

std::vector<Verdict> verify_proofs(const NetworkParams& params, const NetworkId& network_id,
                                   std::span<const ProofItem> items, unsigned threads,
                                   BatchWork* work) {
    ProofBatch batch(params, network_id, items, threads);
    std::vector<Verdict> out = batch.run();
    if (work != nullptr) *work = batch.work();
    return out;
}

}  // namespace holdfast
