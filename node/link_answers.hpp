// A prover's side of proofs on demand: the question that a node relays (section 14, question 38),
// in front of a handler that answers everything else.
//
// Only nodes that the prover follows may ask, and only so often: an answer reads sixteen cells.
//
// Threading: the handler from any thread; `prove` is called by one at a time, and a second question
// meanwhile is busy: challenges do not wait behind proofs. Ownership: what
// `prove` uses must outlive the handler. Spec: docs/spec.md section 14.
#pragma once

#include <functional>
#include <vector>

#include "api/recorded_link.hpp"
#include "availability/peer_budget.hpp"
#include "transport/tcp_network.hpp"

namespace holdfast::node {

struct LinkAnswerOptions {
    std::vector<PublicKey> hosts;  // who may ask
    BudgetLimits budget{.per_second = 20, .burst = 200};
    MonotonicNs clock;
};

/// A proof of a link on record; kRefused where there is none (api/recorded_link.hpp), kBusy: ask
/// again soon.
using ProveRecorded = std::function<Result<AnyProof>(const RecordedLink& link)>;

[[nodiscard]] TcpHandler answering_links(TcpHandler inner, ProveRecorded prove,
                                         const LinkAnswerOptions& options);

}  // namespace holdfast::node
