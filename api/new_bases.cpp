#include "api/new_bases.hpp"

#include <vector>

#include "api/prover_set.hpp"
#include "storage/parallel.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kSlack = 8;  // blocks that the host chain may take to list an update

struct NewBase {
    DueUpdate due;
    RevealChain* reveals = nullptr;
    Reveal commitment;
};

}  // namespace

Result<std::uint64_t> NewBases::make(const NetworkParams& params, DutySource& source,
                                     ProverSet& set, Height height, unsigned threads,
                                     const StopCheck& stop, const Fault& fault) {
    if (next_ && height < *next_) return 0;
    HOLDFAST_ASSIGN(
        due, source.due_updates([&](const ChainId& id) { return set.member_of(id).has_value(); }));
    std::vector<NewBase> made;
    for (const DueUpdate& update : due) {
        const auto member = set.member_of(update.chain_id);
        const auto waits = waits_.find(update.chain_id);
        const bool may_be_listed = waits != waits_.end() && waits->second >= update.effective;
        if (!member || may_be_listed) continue;
        const Height base = update.effective + (params.finality_blocks + kSlack);
        HOLDFAST_ASSIGN(reveals, set.reveals(*member, base));
        made.push_back({update, reveals, {}});
    }
    HOLDFAST_TRY(run_workers(threads, made.size(), stop, [&](unsigned, std::uint64_t i) -> Status {
        made[i].commitment = made[i].reveals->commitment();
        return {};
    }));
    std::uint64_t listed = 0;
    for (NewBase& base : made) {
        const Height effective = base.reveals->base();
        HOLDFAST_ASSIGN(update, make_update(set.network_id(), base.due.chain_id, base.due.sequence,
                                            effective, base.commitment, set.key()));
        const Status taken =
            source.list(Kind::kUpdate, wrap_object(Kind::kUpdate, update.encode()));
        if (taken) {
            waits_[base.due.chain_id] = effective;
            ++listed;
        } else {
            fault(base.due.chain_id, taken.error());
        }
    }
    if (due.empty()) waits_.clear();
    next_ = height + (due.empty() ? kEveryHeights : 1);
    return listed;
}

}  // namespace holdfast
