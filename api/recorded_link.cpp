#include "api/recorded_link.hpp"

#include "api/link_prover.hpp"

namespace holdfast {
namespace {

tl::unexpected<Error> not_on_record(const RecordedLink& link) {
    return fail_refused(
        Reason::kTooLate,
        "a link of height " + std::to_string(link.request.height.value) + " that is not on record");
}

bool wants_compact(const NetworkId& network_id, const RecordedLink& link) {
    return link.y_compact && link.path &&
           !full_required(network_id, *link.y_compact, link.chain_id);
}

}  // namespace

// Spec 7: the link is on record, so that signing it again makes no second one.
Result<AnyProof> prove_recorded(Prover& prover, const RecordedLink& link) {
    if (link.chain_id != prover.chain_id()) {
        return fail_refused(Reason::kUnknownChain, "another prover's chain");
    }
    const LinkRequest& request = link.request;
    if (!prover.records().find(request.height, request.block_hash, request.anchor)) {
        return not_on_record(link);
    }
    HOLDFAST_ASSIGN(again, prover.link(request));
    if (!wants_compact(prover.network_id(), link)) return AnyProof(prover.full(again));
    HOLDFAST_ASSIGN(compact, prover.compact(again, *link.path, *link.y_compact));
    return AnyProof(std::move(compact));
}

Result<Reveal> RecordedLinks::reveal(const ReplicaId& replica, Height base, Height height) {
    const std::lock_guard lock(mutex_);
    const auto key = std::pair(replica, base);
    auto found = reveals_.find(key);
    if (found == reveals_.end()) {
        HOLDFAST_ASSIGN(chain, RevealChain::make(set_.network_id(), replica, base, set_.key()));
        if (reveals_.size() >= kKeptReveals) reveals_.clear();
        found = reveals_.emplace(key, std::move(chain)).first;
    }
    const Checked<Reveal> known = found->second.at_height(height);
    if (!known) return fail_refused(known.error(), "the reveal of this height");
    return *known;
}

Result<AnyProof> RecordedLinks::prove(const RecordedLink& link) {
    const auto held = set_.held(link.chain_id);
    if (!held) return fail_refused(Reason::kUnknownChain, "a chain of nobody in the set");
    const LinkRequest& request = link.request;
    const LinkPlace place{request.height, request.block_hash, request.anchor};
    const std::optional<Link> recorded = set_.records().find(place, link.chain_id);
    if (!recorded) return not_on_record(link);
    LinkFacts facts{link.chain_id, request.height, request.block_hash,
                    request.y,     request.anchor, request.link_before,
                    Reveal{}};
    if (request.reveal_base) {
        HOLDFAST_ASSIGN(known, reveal(held->replica_id, *request.reveal_base, request.height));
        facts.reveal = known;
    }
    const ProverFiles files = ProverFiles::beside(held->replica);
    HOLDFAST_ASSIGN(replica, Replica::open(files.replica, files.tree, params_));
    HOLDFAST_ASSIGN(opening, open_link(set_.network_id(), replica, facts));
    if (opening.link != *recorded) {
        return fail_refused(Reason::kBadLink, "facts that are not those of the recorded link");
    }
    HOLDFAST_ASSIGN(receipt, set_.records().sign(place, {link.chain_id, *recorded}, set_.key()));
    const SignedLink again{std::move(opening), receipt};
    if (!wants_compact(set_.network_id(), link)) return AnyProof(to_full(again));
    HOLDFAST_ASSIGN(compact,
                    to_compact(set_.network_id(), replica, again, *link.path, *link.y_compact));
    return AnyProof(std::move(compact));
}

}  // namespace holdfast
