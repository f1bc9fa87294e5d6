#include "adapters/drand/beacon.hpp"

#include <map>
#include <mutex>
#include <optional>

#include "adapters/drand/fetch.hpp"

namespace holdfast {

class DrandBeacon::Impl {
  public:
    Impl(DrandChain chain, DrandOptions options)
        : chain_(std::move(chain)),
          prefix_("/" + to_hex(view(chain_.chain_hash())) + "/public/"),
          limits_{options.timeout_ms, FetchLimits{}.max_bytes},
          kept_rounds_(options.kept_rounds) {
        for (std::string& server : options.servers) {
            while (server.ends_with('/')) server.pop_back();
            servers_.push_back({std::move(server), 0, 0, 0, {}});
        }
        count_ = servers_.size();
    }

    Result<BeaconRound> randomness(std::uint64_t round) {
        if (round == 0) return fail(ErrorCode::kInvalidArgument, "there is no round 0");
        if (const auto kept = recall(round)) return *kept;
        const std::size_t first = preferred();
        bool late = true;
        std::string said;
        for (std::size_t i = 0; i < count_; ++i) {
            const std::size_t at = (first + i) % count_;
            auto answer = ask(at, round);
            if (answer) {
                remember(at, *answer);
                return answer;
            }
            late = late && answer.error().code == ErrorCode::kTimeout;
            said += (i == 0 ? "" : "; ") + answer.error().message;
        }
        return fail(late ? ErrorCode::kTimeout : ErrorCode::kUnavailable,
                    "round " + std::to_string(round) + " of drand: " + said);
    }

    const DrandChain& chain() const { return chain_; }

    std::vector<DrandServerState> servers() const {
        const std::lock_guard lock(mutex_);
        return servers_;
    }

  private:
    std::size_t preferred() const {
        const std::lock_guard lock(mutex_);
        return preferred_;
    }

    std::optional<BeaconRound> recall(std::uint64_t round) const {
        const std::lock_guard lock(mutex_);
        const auto found = kept_.find(round);
        return found == kept_.end() ? std::nullopt : std::optional(found->second);
    }

    void remember(std::size_t at, const BeaconRound& value) {
        const std::lock_guard lock(mutex_);
        ++servers_[at].good;
        preferred_ = at;
        kept_.emplace(value.round, value);
        // Old heights are asked for least.
        while (kept_.size() > kept_rounds_) kept_.erase(kept_.begin());
    }

    /// A verified round of one server; notes what became of the request.
    Result<BeaconRound> ask(std::size_t at, std::uint64_t round) {
        const std::string server = name(at);
        const auto body = fetch(server + prefix_ + std::to_string(round), limits_);
        if (!body) return noted(at, body.error(), &DrandServerState::absent);
        auto value = drand_round(chain_, *body);
        if (!value) return noted(at, value.error(), &DrandServerState::wrong);
        if (const Status holds = verify_drand(chain_, round, *value); !holds) {
            return noted(at, holds.error(), &DrandServerState::wrong);
        }
        return value;
    }

    std::string name(std::size_t at) const {
        const std::lock_guard lock(mutex_);
        return servers_[at].server;
    }

    tl::unexpected<Error> noted(std::size_t at, const Error& error,
                                std::uint64_t DrandServerState::* count) {
        const std::lock_guard lock(mutex_);
        DrandServerState& state = servers_[at];
        ++(state.*count);
        state.last_error = error.message;
        return fail(error.code, state.server + ": " + error.message);
    }

    const DrandChain chain_;
    const std::string prefix_;
    const FetchLimits limits_;
    const std::size_t kept_rounds_;
    std::size_t count_ = 0;  // of servers_, which never grows or shrinks
    mutable std::mutex mutex_;
    std::vector<DrandServerState> servers_;
    std::size_t preferred_ = 0;
    std::map<std::uint64_t, BeaconRound> kept_;
};

DrandBeacon::DrandBeacon(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DrandBeacon::~DrandBeacon() = default;

Result<std::unique_ptr<DrandBeacon>> DrandBeacon::create(const NetworkParams& params,
                                                         DrandOptions options) {
    auto chain = DrandChain::from_params(params);
    if (!chain) return fail(chain.error());
    if (options.servers.empty()) {
        return fail(ErrorCode::kInvalidArgument, "no server of drand is named");
    }
    return std::unique_ptr<DrandBeacon>(
        new DrandBeacon(std::make_unique<Impl>(std::move(*chain), std::move(options))));
}

Result<BeaconRound> DrandBeacon::randomness(std::uint64_t round) {
    return impl_->randomness(round);
}

Status DrandBeacon::verify(std::uint64_t round, const BeaconRound& value) {
    return verify_drand(impl_->chain(), round, value);
}

std::vector<DrandServerState> DrandBeacon::servers() const { return impl_->servers(); }

}  // namespace holdfast
