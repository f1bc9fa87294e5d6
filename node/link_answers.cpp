#include "node/link_answers.hpp"

#include <algorithm>
#include <memory>
#include <mutex>

#include "follow/messages.hpp"

namespace holdfast::node {
namespace {

constexpr std::uint32_t kRetryMs = 250;

struct Answers {
    Answers(ProveRecorded prove_links, const LinkAnswerOptions& options)
        : prove(std::move(prove_links)),
          hosts(options.hosts),
          budget(options.budget, options.clock) {}

    FollowAnswer answer(const PublicKey& from, const RecordedLinkQuestion& q) {
        if (std::find(hosts.begin(), hosts.end(), from) == hosts.end()) {
            return FollowRefused{Reason::kWrongHost};
        }
        if (const std::uint32_t wait = budget.take(from, 1)) return FollowBusy{wait};
        const RecordedLink link{
            q.chain_id,
            {q.height, q.block_hash, q.y, q.anchor, q.link_before, q.reveal_base},
            q.y_compact,
            q.path};
        const std::unique_lock lock(mutex, std::try_to_lock);
        if (!lock.owns_lock()) return FollowBusy{kRetryMs};
        Result<AnyProof> proof = prove(link);
        if (proof) return PublicAnswer(PublicLinkProof{std::move(*proof)});
        if (proof.error().code == ErrorCode::kBusy) return FollowBusy{kRetryMs};
        const bool refused = proof.error().code == ErrorCode::kRefused;
        return FollowRefused{refused ? proof.error().verdict.reason : Reason::kBusy};
    }

    const ProveRecorded prove;
    const std::vector<PublicKey> hosts;
    PeerBudget budget;
    std::mutex mutex;  // held while a replica is read
};

}  // namespace

TcpHandler answering_links(TcpHandler inner, ProveRecorded prove,
                           const LinkAnswerOptions& options) {
    const auto answers = std::make_shared<Answers>(std::move(prove), options);
    return [inner = std::move(inner), answers](const PublicKey& from,
                                               ByteView message) -> Result<Bytes> {
        if (message.size() < 2 || message[1] != kFollowRequestKind) return inner(from, message);
        const Checked<FollowQuestion> question = decode_question(message);
        if (!question) return fail_refused(question.error(), "question");
        const auto* data = std::get_if<PublicQuestion>(&*question);
        const auto* asked = data ? std::get_if<RecordedLinkQuestion>(data) : nullptr;
        if (asked == nullptr) return inner(from, message);
        return encode_answer(answers->answer(from, *asked));
    };
}

}  // namespace holdfast::node
