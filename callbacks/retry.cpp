#include "callbacks/retry.hpp"

#include <algorithm>
#include <atomic>
#include <string>

#include "core/hash.hpp"

namespace holdfast {
namespace {

bool may_pass(ErrorCode code) {
    return code == ErrorCode::kUnavailable || code == ErrorCode::kTimeout ||
           code == ErrorCode::kBusy || code == ErrorCode::kIo;
}

class Retry final : public Interceptor {
  public:
    explicit Retry(const RetryOptions& options) : options_(options) {}

    Result<Bytes> around(const HostCall& call, const Next& next) override {
        std::uint32_t wait_ms = options_.first_wait_ms;
        for (unsigned attempt = 1;; ++attempt) {
            Result<Bytes> answer = next();
            if (answer || !may_pass(answer.error().code)) return answer;
            const std::string often = " (" + std::to_string(attempt) + " of " +
                                      std::to_string(options_.attempts) + " attempts)";
            if (call.function == HostFunction::kSendChallenge) return answer;
            if (attempt == options_.attempts) {
                answer.error().message += often;
                return answer;
            }
            if (!options_.wait(jittered(wait_ms))) {
                return fail(ErrorCode::kInterrupted, "stopped while waiting to ask again: " +
                                                         answer.error().message + often);
            }
            wait_ms = wait_ms > options_.max_wait_ms / 2 ? options_.max_wait_ms : 2 * wait_ms;
        }
    }

  private:
    std::uint32_t jittered(std::uint32_t wait_ms) {
        const Digest random =
            tagged_hash("callbacks/retry", options_.jitter_seed, waits_.fetch_add(1));
        const std::uint64_t most =
            std::uint64_t{std::min(wait_ms, options_.max_wait_ms)} * options_.jitter_percent / 100;
        const std::uint64_t less =
            (std::uint64_t{random.bytes[0]} << 8 | random.bytes[1]) % (most + 1);
        return std::min(wait_ms, options_.max_wait_ms) - static_cast<std::uint32_t>(less);
    }

    const RetryOptions options_;
    std::atomic<std::uint64_t> waits_ = 0;
};

}  // namespace

Result<std::shared_ptr<Interceptor>> make_retry(const RetryOptions& options) {
    if (!options.wait || options.attempts == 0 || options.jitter_percent > 100) {
        return fail(ErrorCode::kInvalidArgument,
                    "a retry needs a way to wait, at least one attempt and 0 to 100% of jitter");
    }
    return std::make_shared<Retry>(options);
}

}  // namespace holdfast
