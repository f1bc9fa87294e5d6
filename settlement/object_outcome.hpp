// What became of one object that a block listed or a prover made. Plain value.
#pragma once

#include <optional>

#include "callbacks/blockchain.hpp"
#include "core/codec.hpp"
#include "core/constants.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

struct ObjectOutcome {
    Kind kind{};
    std::optional<ChainId> chain_id;
    std::optional<Height> height;
    Verdict verdict;
};

/// The object that a block lists; the verdict when it is not one of its kind.
template <class T>
Checked<T> decode_listed(const Submission& submission) {
    HOLDFAST_ASSIGN(body, unwrap_object(submission.kind, submission.object));
    return T::decode(body);
}

}  // namespace holdfast
