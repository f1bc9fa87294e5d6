#include "follow/ask.hpp"

namespace holdfast {

Result<FollowAnswer> ask_node(const FollowRequest& request, ByteView message) {
    HOLDFAST_ASSIGN(bytes, request(message));
    Checked<FollowAnswer> answer = decode_answer(bytes);
    if (!answer) return fail_refused(answer.error(), kFollowedNode);
    if (const auto* busy = std::get_if<FollowBusy>(&*answer)) {
        return fail(ErrorCode::kBusy, std::string(kFollowedNode) + " is busy; ask again in " +
                                          std::to_string(busy->retry_ms) + " ms");
    }
    return std::move(*answer);
}

Error not_answered(const FollowAnswer& answer) {
    const auto* refused = std::get_if<FollowRefused>(&answer);
    const Reason reason = refused == nullptr ? Reason::kBadKind : refused->reason;
    const std::string who(kFollowedNode);
    if (refused != nullptr && reason == Reason::kTooEarly) {
        return {ErrorCode::kNotFound, who + " has no such final block yet", {}};
    }
    if (refused != nullptr && reason == Reason::kTooLate) {
        return {ErrorCode::kNotFound, who + " does not keep this height any more", {}};
    }
    return {ErrorCode::kRefused, fail_refused(reason, kFollowedNode).value().message, reason};
}

}  // namespace holdfast
