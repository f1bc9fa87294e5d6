// What a node answers about its network's history (follow/history_messages.hpp).
//
// Straight from the registry's journal, the heads that the node has seen signed, and the chain;
// each question costs its asker by what it reads. Threading: any, as the parts are; what the source
// names must outlive it. Spec: docs/spec.md section 14.
#pragma once

#include <functional>
#include <optional>

#include "callbacks/blockchain.hpp"
#include "follow/messages.hpp"
#include "hierarchy/registry.hpp"

namespace holdfast {

/// Everything that a final block lists, in the order of its hash.
struct WholeBlock {
    BlockInfo block;
    std::vector<Bytes> listed;
};

/// Where the answers come from. An empty function: this node answers no such question (kBadKind).
struct HistorySource {
    const Registry* registry = nullptr;  // null: nothing at all is answered
    /// The operator's head of a closed height; empty: this node has not seen it signed.
    std::function<Result<std::optional<JournalHead>>(Height)> head;
    /// A final block; kNotFound.
    std::function<Result<WholeBlock>(Height)> block;
    /// The newest copy of the ledger; makes one where that is too old.
    std::function<Result<LedgerCopy>()> ledger;
    /// kNotFound: another copy has taken its place.
    std::function<Result<Bytes>(const LedgerPieceQuestion&)> ledger_piece;
};

/// Of a peer's budget of questions.
[[nodiscard]] std::uint64_t history_cost(const HistoryQuestion& question);

/// FollowRefused: kBadKind (not answered here), kTooEarly, kTooLate (not kept any more), kBadIndex.
[[nodiscard]] Result<FollowAnswer> answer_history(const HistorySource& source,
                                                  const HistoryQuestion& question);

}  // namespace holdfast
