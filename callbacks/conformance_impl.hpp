// What the four parts of the conformance suite share. Internal to this room.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "callbacks/conformance.hpp"
#include "callbacks/guard.hpp"

namespace holdfast {

/// What a check has seen instead of what it must see; empty when all is well.
using Finding = std::string;

template <class T>
std::string seen(const Result<T>& answer) {
    if (answer) return "it succeeded";
    return std::string(to_string(answer.error().code)) + ": " + answer.error().message;
}

/// A finding unless the answer is a success.
template <class T>
Finding want_success(const std::string& what, const Result<T>& answer) {
    return answer ? Finding() : what + " failed with " + seen(answer);
}

/// A finding unless the answer is this error.
template <class T>
Finding want_error(const std::string& what, const Result<T>& answer, ErrorCode code) {
    if (!answer && answer.error().code == code) return {};
    return what + " must give " + std::string(to_string(code)) + ", but " + seen(answer);
}

inline Finding want(bool condition, const std::string& what) {
    return condition ? Finding() : what;
}

/// The first finding of several, asked one after another.
inline Finding first_of(std::initializer_list<std::function<Finding()>> steps) {
    for (const auto& step : steps) {
        if (Finding finding = step(); !finding.empty()) return finding;
    }
    return {};
}

/// Runs checks and keeps their outcomes.
class Suite {
  public:
    explicit Suite(std::string subject) : subject_(std::move(subject)) {}

    void check(const std::string& name, const std::function<Finding()>& body) {
        Finding finding;
        try {
            finding = body();
        } catch (const std::exception& e) {
            finding = std::string("it threw: ") + e.what();
        } catch (...) {
            finding = "it threw something that is no exception";
        }
        report_.checks.push_back({subject_ + "/" + name, finding.empty(), std::move(finding)});
    }
    [[nodiscard]] ConformanceReport report() { return std::move(report_); }

  private:
    std::string subject_;
    ConformanceReport report_;
};

/// The subject behind a guard; null (and a failed check) when there is no subject.
template <class Interface>
std::shared_ptr<Interface> guarded(Suite& suite, const std::shared_ptr<Interface>& subject,
                                   const ConformanceOptions& options) {
    std::shared_ptr<Interface> out;
    suite.check("is there", [&]() -> Finding {
        const auto guard = make_guard({.timeout_ms = options.timeout_ms});
        if (!guard) return seen(guard);
        const auto wrapped = intercept(subject, *guard);
        if (!wrapped) return seen(wrapped);
        out = *wrapped;
        return {};
    });
    return out;
}

/// Runs body(i) for i < threads on threads of its own, all at once.
inline void at_once(unsigned threads, const std::function<void(unsigned)>& body) {
    std::atomic<bool> go = false;
    std::vector<std::thread> started;
    started.reserve(threads);
    for (unsigned i = 0; i < threads; ++i) {
        started.emplace_back([&, i] {
            while (!go.load()) std::this_thread::yield();
            body(i);
        });
    }
    go = true;
    for (std::thread& t : started) t.join();
}

inline unsigned thread_count(const ConformanceOptions& options) {
    return options.threads < 1 ? 1U : options.threads > 16 ? 16U : options.threads;
}

}  // namespace holdfast
