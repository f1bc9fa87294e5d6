#include "callbacks/conformance_impl.hpp"

namespace holdfast {
namespace {

class BeaconChecks {
  public:
    BeaconChecks(const BeaconSubject& subject, const ConformanceOptions& options)
        : subject_(subject), options_(options) {}

    ConformanceReport run() {
        beacon_ = guarded(suite_, subject_.beacon, options_);
        if (!beacon_) return suite_.report();
        suite_.check("a published round holds", [&] { return holds(); });
        suite_.check("a round has one value", [&] { return one_value(); });
        suite_.check("a value of another round is refused", [&] { return other_round(); });
        suite_.check("a changed value is refused", [&] { return changed(); });
        suite_.check("there is no round 0", [&] { return no_round_zero(); });
        if (subject_.future != 0) {
            suite_.check("a future round is not known", [&] { return future(); });
        }
        suite_.check("the same is answered to several threads", [&] { return threads_agree(); });
        return suite_.report();
    }

  private:
    Finding with_value(const std::function<Finding(const BeaconRound&)>& body) {
        const auto value = beacon_->randomness(subject_.published);
        return value ? body(*value) : want_success("randomness", value);
    }
    Finding refused(const std::string& what, std::uint64_t round, const BeaconRound& value) {
        return want_error("verify of " + what, beacon_->verify(round, value), ErrorCode::kRefused);
    }

    Finding holds() {
        return with_value([&](const BeaconRound& value) {
            return want_success("verify", beacon_->verify(subject_.published, value));
        });
    }
    Finding one_value() {
        return with_value([&](const BeaconRound& value) {
            const auto again = beacon_->randomness(subject_.published);
            if (!again) return want_success("randomness", again);
            return want(*again == value, "the second call gave another value");
        });
    }
    Finding other_round() {
        return with_value([&](const BeaconRound& value) {
            BeaconRound renamed = value;
            ++renamed.round;
            return first_of(
                {[&] { return refused("the value of another round", value.round + 1, value); },
                 [&] {
                     return refused("a value under another number", value.round + 1, renamed);
                 }});
        });
    }
    Finding changed() {
        return with_value([&](const BeaconRound& value) {
            BeaconRound other = value;
            other.randomness.bytes[0] ^= 1;
            if (Finding f = refused("other randomness", value.round, other); !f.empty()) return f;
            if (value.proof.empty()) return Finding();
            for (const std::size_t at : {std::size_t{0}, value.proof.size() - 1}) {
                other = value;
                other.proof[at] ^= 1;
                Finding f = refused("a changed proof", value.round, other);
                if (!f.empty()) return f;
            }
            other = value;
            other.proof.pop_back();
            return refused("a shortened proof", value.round, other);
        });
    }
    Finding no_round_zero() {
        return want_error("round 0", beacon_->randomness(0), ErrorCode::kInvalidArgument);
    }
    Finding future() {
        return want_error("a future round", beacon_->randomness(subject_.future),
                          ErrorCode::kUnavailable);
    }
    Finding threads_agree() {
        return with_value([&](const BeaconRound& value) {
            std::atomic<unsigned> differing = 0;
            at_once(thread_count(options_), [&](unsigned) {
                const auto mine = beacon_->randomness(subject_.published);
                if (!mine || *mine != value || !beacon_->verify(value.round, *mine)) ++differing;
            });
            return want(differing == 0, std::to_string(differing) + " threads were told otherwise");
        });
    }

    const BeaconSubject& subject_;
    const ConformanceOptions& options_;
    Suite suite_{"beacon"};
    std::shared_ptr<Beacon> beacon_;
};

}  // namespace

ConformanceReport check_beacon(const BeaconSubject& subject, const ConformanceOptions& options) {
    return BeaconChecks(subject, options).run();
}

}  // namespace holdfast
