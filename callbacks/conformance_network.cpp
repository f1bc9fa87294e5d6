#include <algorithm>

#include "callbacks/conformance_impl.hpp"

namespace holdfast {
namespace {

class NetworkChecks {
  public:
    NetworkChecks(const NetworkSubject& subject, const ConformanceOptions& options)
        : subject_(subject), options_(options) {}

    ConformanceReport run() {
        network_ = guarded(suite_, subject_.network, options_);
        if (!network_) return suite_.report();
        suite_.check("the peer is listed once", [&] { return listed(); });
        suite_.check("round trips are measured, as many as asked for", [&] { return latency(); });
        suite_.check("a challenge is answered in time", [&] { return answered(); });
        suite_.check("somebody unknown is not found", [&] { return unknown(); });
        suite_.check("numbers without sense are refused", [&] { return senseless(); });
        if (!subject_.slow.is_zero()) {
            suite_.check("a late answer is a time-out", [&] { return late(); });
        }
        suite_.check("several threads are served at once", [&] { return served_at_once(); });
        return suite_.report();
    }

  private:
    Finding listed() {
        const auto peers = network_->peers();
        if (!peers) return want_success("peers", peers);
        const auto times = std::count_if(peers->begin(), peers->end(),
                                         [&](const Peer& p) { return p.key == subject_.peer; });
        return want(times == 1, "it is listed " + std::to_string(times) + " times");
    }
    Finding latency() {
        for (const std::uint32_t samples : {1U, 5U}) {
            const auto times =
                network_->measure_latency(subject_.peer, samples, options_.timeout_ms);
            if (!times) return want_success("measure_latency", times);
            if (times->size() != samples) {
                return std::to_string(times->size()) + " samples instead of " +
                       std::to_string(samples);
            }
        }
        return {};
    }
    Finding answered() {
        const auto reply =
            network_->send_challenge(subject_.peer, subject_.challenge, options_.timeout_ms);
        if (!reply) return want_success("send_challenge", reply);
        if (reply->response.empty()) return "the response is empty";
        return want(reply->service_us <= std::uint64_t{1'000} * options_.timeout_ms,
                    "it took longer than its deadline and was not called late");
    }
    Finding unknown() {
        const auto limit = options_.timeout_ms;
        return first_of(
            {[&] {
                 return want_error(
                     "send_challenge",
                     network_->send_challenge(subject_.unknown, subject_.challenge, limit),
                     ErrorCode::kNotFound);
             },
             [&] {
                 return want_error("measure_latency",
                                   network_->measure_latency(subject_.unknown, 5, limit),
                                   ErrorCode::kNotFound);
             }});
    }
    Finding senseless() {
        const auto limit = options_.timeout_ms;
        return first_of(
            {[&] {
                 return want_error("0 samples", network_->measure_latency(subject_.peer, 0, limit),
                                   ErrorCode::kInvalidArgument);
             },
             [&] {
                 return want_error("1,001 samples",
                                   network_->measure_latency(subject_.peer, 1'001, limit),
                                   ErrorCode::kInvalidArgument);
             },
             [&] {
                 const Place nowhere{90'000'001, 0};
                 return want_error("a place that is not on Earth",
                                   network_->verify_place(subject_.peer, nowhere, limit),
                                   ErrorCode::kInvalidArgument);
             }});
    }
    Finding late() {
        return want_error(
            "send_challenge to a slow peer",
            network_->send_challenge(subject_.slow, subject_.challenge, options_.timeout_ms),
            ErrorCode::kTimeout);
    }
    Finding served_at_once() {
        std::atomic<unsigned> failed = 0;
        at_once(thread_count(options_), [&](unsigned) {
            const auto reply =
                network_->send_challenge(subject_.peer, subject_.challenge, options_.timeout_ms);
            if (!reply || reply->response.empty()) ++failed;
        });
        return want(failed == 0, std::to_string(failed) + " threads were not answered");
    }

    const NetworkSubject& subject_;
    const ConformanceOptions& options_;
    Suite suite_{"network"};
    std::shared_ptr<Network> network_;
};

}  // namespace

ConformanceReport check_network(const NetworkSubject& subject, const ConformanceOptions& options) {
    return NetworkChecks(subject, options).run();
}

}  // namespace holdfast
