// One question to a node and what of its answer may be used.
//
// The transport is the caller's: a function that carries a message there and its answer back.
// Any thread, as that function. Spec: docs/spec.md section 14.
#pragma once

#include <functional>
#include <string_view>

#include "follow/messages.hpp"

namespace holdfast {

using FollowRequest = std::function<Result<Bytes>(ByteView message)>;

inline constexpr std::string_view kFollowedNode = "the node that is followed";

/// Errors of the request; kRefused for what is no answer; kBusy with the time to wait.
[[nodiscard]] Result<FollowAnswer> ask_node(const FollowRequest& request, ByteView message);

/// Why an answer is not the one that was asked for: kNotFound for kTooEarly and kTooLate (no such
/// final block yet, not kept any more), kRefused with the node's reason for its other refusals,
/// kRefused with kBadKind for an answer to another question.
[[nodiscard]] Error not_answered(const FollowAnswer& answer);

template <class T>
[[nodiscard]] Result<T> ask_node_for(const FollowRequest& request, const FollowQuestion& question) {
    Result<FollowAnswer> answer = ask_node(request, encode_question(question));
    if (!answer) return fail(answer.error());
    if (T* wanted = std::get_if<T>(&*answer)) return std::move(*wanted);
    return fail(not_answered(*answer));
}

}  // namespace holdfast
