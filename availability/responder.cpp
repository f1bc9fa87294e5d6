#include "availability/responder.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kKeptHeights = 3;  // the tip, the one to be answered, and one that is late

/// The challenge inside a standing-alone object.
Checked<Challenge2> read_challenge(ByteView object) {
    HOLDFAST_ASSIGN(body, unwrap_object(Kind::kChallenge2, object));
    return Challenge2::decode(body);
}

}  // namespace

class AvailabilityResponder::Impl {
  public:
    struct Chain {
        std::shared_ptr<const Replica> replica;
        std::shared_ptr<const KeyPair> key;
    };

    Impl(const NetworkParams& params, MonotonicNs clock, const ResponderOptions& options)
        : params_(params),
          network_id_(params.id()),
          options_(options),
          bad_(options.bad, std::move(clock)) {}

    Status add(const ChainId& chain_id, Chain chain);
    Status remove(const ChainId& chain_id);
    void on_final_block(const ChallengeHeight& block);
    void note_y(Height height, const VdfOutput& y);
    Result<Bytes> respond(const PublicKey& from, ByteView object);
    ResponderStatistics statistics() const;

  private:
    using Name = std::pair<Height, ChainId>;
    struct Question {
        Chain chain;
        BlockHash block_hash;
        VdfOutput y;
        std::shared_ptr<const ChallengerDraw> challengers;
    };
    /// A height that may have to be answered. Its draw is made once.
    struct KnownHeight {
        BlockHash block_hash;
        std::optional<VdfOutput> y;
        std::shared_ptr<const ChallengerDraw> challengers;
    };
    /// What is known of the challenge, as long as it may be answered; nothing is verified yet.
    Checked<Question> look_up(const Challenge2& challenge) const;
    /// Takes the one place that a chain and height have, and one of those for answers in flight.
    Verdict begin(const Name& name);
    Result<Bytes> answer(const Question& question, const Challenge2& challenge) const;
    tl::unexpected<Error> ignore(const Verdict& verdict);

    const NetworkParams params_;
    const NetworkId network_id_;
    const ResponderOptions options_;
    PeerBudget bad_;

    mutable std::mutex mutex_;  // guards everything below
    std::map<ChainId, Chain> chains_;
    std::map<Height, KnownHeight> heights_;
    std::set<Name> begun_;
    std::size_t in_flight_ = 0;
    ResponderStatistics statistics_;
};

Status AvailabilityResponder::Impl::add(const ChainId& chain_id, Chain chain) {
    if (chain.replica->header().replica.prover != chain.key->public_key()) {
        return fail(ErrorCode::kInvalidArgument,
                    chain.replica->path().string() + " is sealed for another key");
    }
    const std::lock_guard lock(mutex_);
    if (!chains_.emplace(chain_id, std::move(chain)).second) {
        return fail(ErrorCode::kAlreadyExists, "chain " + to_hex(chain_id) + " is there already");
    }
    return {};
}

Status AvailabilityResponder::Impl::remove(const ChainId& chain_id) {
    const std::lock_guard lock(mutex_);
    if (chains_.erase(chain_id) == 0) {
        return fail(ErrorCode::kNotFound, "chain " + to_hex(chain_id) + " is not here");
    }
    return {};
}

void AvailabilityResponder::Impl::on_final_block(const ChallengeHeight& block) {
    const std::lock_guard lock(mutex_);
    heights_.insert_or_assign(
        block.height, KnownHeight{block.block_hash, block.y,
                                  std::make_shared<const ChallengerDraw>(block.challengers)});
    while (heights_.size() > kKeptHeights) heights_.erase(heights_.begin());
    begun_.erase(begun_.begin(), begun_.lower_bound({heights_.begin()->first, ChainId{}}));
}

void AvailabilityResponder::Impl::note_y(Height height, const VdfOutput& y) {
    const std::lock_guard lock(mutex_);
    const auto found = heights_.find(height);
    if (found != heights_.end()) found->second.y = y;
}

Checked<AvailabilityResponder::Impl::Question> AvailabilityResponder::Impl::look_up(
    const Challenge2& challenge) const {
    const std::lock_guard lock(mutex_);
    const auto chain = chains_.find(challenge.chain_id);
    if (chain == chains_.end()) return refuse(Reason::kUnknownChain);
    if (heights_.empty()) return refuse(Reason::kTooEarly);
    if (const Verdict v = check_challenge_arrival(challenge.height, heights_.rbegin()->first); !v) {
        return refuse(v);
    }
    const auto height = heights_.find(challenge.height);
    if (height == heights_.end() || !height->second.y) return refuse(Reason::kNoEntropy);
    if (begun_.contains({challenge.height, challenge.chain_id})) {
        return refuse(Reason::kDuplicateChallenge);
    }
    const KnownHeight& known = height->second;
    return Question{chain->second, known.block_hash, *known.y, known.challengers};
}

Verdict AvailabilityResponder::Impl::begin(const Name& name) {
    const std::lock_guard lock(mutex_);
    if (in_flight_ >= options_.answers_at_once) return Reason::kBusy;
    if (!begun_.insert(name).second) return Reason::kDuplicateChallenge;
    ++in_flight_;
    return Verdict::ok();
}

tl::unexpected<Error> AvailabilityResponder::Impl::ignore(const Verdict& verdict) {
    {
        const std::lock_guard lock(mutex_);
        ++statistics_.ignored[verdict.reason];
    }
    return fail_refused(verdict, "challenge");
}

Result<Bytes> AvailabilityResponder::Impl::answer(const Question& question,
                                                  const Challenge2& challenge) const {
    const FileHeader& header = question.chain.replica->header();
    const ResponseContext context{
        challenge.id(network_id_), header.replica.prover, header.sealed_root, header.replica.chunks,
        challenged_chunks(params_, network_id_, question.y, challenge.chain_id,
                          challenge.challenger, challenge.nonce, header.replica.chunks)};
    HOLDFAST_ASSIGN(response, make_response(context, *question.chain.replica, *question.chain.key));
    return wrap_object(Kind::kResponse, response.encode());
}

// Spec 8, challenge: the checks by the prover.
Result<Bytes> AvailabilityResponder::Impl::respond(const PublicKey& from, ByteView object) {
    if (!bad_.has(from, 1)) return ignore(Reason::kBusy);
    const auto challenge = read_challenge(object);
    const auto judged = [&]() -> Checked<Question> {
        if (!challenge) return refuse(challenge.error());
        HOLDFAST_ASSIGN(question, look_up(*challenge));
        const Challenge2Context context{params_,
                                        network_id_,
                                        challenge->chain_id,
                                        challenge->height,
                                        question.block_hash,
                                        question.y,
                                        *question.challengers};
        if (const Verdict v = check_challenge(context, *challenge); !v) return refuse(v);
        return question;
    }();
    if (!judged) {
        (void)bad_.take(from, 1);
        return ignore(judged.error());
    }
    if (const Verdict v = begin({challenge->height, challenge->chain_id}); !v) return ignore(v);
    Result<Bytes> response = answer(*judged, *challenge);
    const std::lock_guard lock(mutex_);
    --in_flight_;
    ++(response ? statistics_.answered : statistics_.failed);
    return response;
}

ResponderStatistics AvailabilityResponder::Impl::statistics() const {
    const std::lock_guard lock(mutex_);
    return statistics_;
}

AvailabilityResponder::AvailabilityResponder(const NetworkParams& params, MonotonicNs clock,
                                             const ResponderOptions& options)
    : impl_(std::make_unique<Impl>(params, std::move(clock), options)) {}
AvailabilityResponder::~AvailabilityResponder() = default;

Status AvailabilityResponder::add_chain(const ChainId& chain_id,
                                        std::shared_ptr<const Replica> replica,
                                        std::shared_ptr<const KeyPair> key) {
    return impl_->add(chain_id, {std::move(replica), std::move(key)});
}
Status AvailabilityResponder::remove_chain(const ChainId& chain_id) {
    return impl_->remove(chain_id);
}
void AvailabilityResponder::on_final_block(const ChallengeHeight& block) {
    impl_->on_final_block(block);
}
void AvailabilityResponder::note_y(Height height, const VdfOutput& y) { impl_->note_y(height, y); }
Result<Bytes> AvailabilityResponder::respond(const PublicKey& from, ByteView object) {
    return impl_->respond(from, object);
}
ResponderStatistics AvailabilityResponder::statistics() const { return impl_->statistics(); }

}  // namespace holdfast
