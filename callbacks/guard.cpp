#include "callbacks/guard.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

namespace holdfast {
namespace {

using Clock = std::chrono::steady_clock;

struct Job {
    Interceptor::Next next;
    bool started = false;
    std::optional<Result<Bytes>> answer;
};

/// Shared by the guard and its threads; everything in it is under `mutex`.
struct Pool {
    std::mutex mutex;
    std::condition_variable work;      // for threads: a job, or the end
    std::condition_variable answered;  // for callers: an answer; for the guard: a thread less
    std::deque<std::shared_ptr<Job>> waiting;
    unsigned threads = 0;
    unsigned running = 0;  // of them, inside a host's function
    bool closing = false;
};

void serve(const std::shared_ptr<Pool>& pool) {
    std::unique_lock lock(pool->mutex);
    for (;;) {
        pool->work.wait(lock, [&] { return pool->closing || !pool->waiting.empty(); });
        if (pool->closing) break;
        const std::shared_ptr<Job> job = std::move(pool->waiting.front());
        pool->waiting.pop_front();
        job->started = true;
        ++pool->running;
        lock.unlock();
        Result<Bytes> answer = job->next();
        lock.lock();
        --pool->running;
        job->answer = std::move(answer);
        job->next = nullptr;
        pool->answered.notify_all();
    }
    --pool->threads;
    pool->answered.notify_all();
}

class Guard final : public Interceptor {
  public:
    explicit Guard(const GuardOptions& options) : options_(options) {}
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard() override {
        std::unique_lock lock(pool_->mutex);
        pool_->closing = true;
        pool_->work.notify_all();
        pool_->answered.wait(lock, [&] { return pool_->threads == pool_->running; });
    }

    Result<Bytes> around(const HostCall& call, const Next& next) override {
        const auto limit = std::chrono::milliseconds(call.own_limit_ms + options_.timeout_ms);
        const auto deadline = Clock::now() + limit;
        const auto job = std::make_shared<Job>();
        job->next = next;
        std::unique_lock lock(pool_->mutex);
        pool_->waiting.push_back(job);
        HOLDFAST_TRY(have_thread());
        pool_->work.notify_one();
        pool_->answered.wait_until(lock, deadline, [&] { return job->answer.has_value(); });
        if (job->answer) return std::move(*job->answer);
        return job->started ? late(call, limit.count()) : no_room(call, job);
    }

  private:
    /// Starts another thread when more is waiting than there are idle ones. Under the lock.
    Status have_thread() {
        const unsigned idle = pool_->threads - pool_->running;
        if (idle >= pool_->waiting.size() || pool_->threads >= options_.max_calls) return {};
        try {
            std::thread([pool = pool_] { serve(pool); }).detach();
            ++pool_->threads;
        } catch (const std::system_error& e) {
            if (pool_->threads > pool_->running) return {};
            pool_->waiting.pop_back();
            return fail(ErrorCode::kUnavailable,
                        std::string("no thread can be started for a host's callback: ") + e.what());
        }
        return {};
    }

    static tl::unexpected<Error> late(const HostCall& call, std::int64_t limit_ms) {
        return fail(ErrorCode::kTimeout, "the host has not answered " +
                                             std::string(to_string(call.function)) + " within " +
                                             std::to_string(limit_ms) + " ms");
    }
    /// Takes back a job that no thread was free for. Under the lock.
    tl::unexpected<Error> no_room(const HostCall& call, const std::shared_ptr<Job>& job) {
        std::erase(pool_->waiting, job);
        return fail(ErrorCode::kBusy, std::to_string(options_.max_calls) +
                                          " calls of the host have not returned; " +
                                          std::string(to_string(call.function)) + " was not made");
    }

    const GuardOptions options_;
    const std::shared_ptr<Pool> pool_ = std::make_shared<Pool>();
};

}  // namespace

Result<std::shared_ptr<Interceptor>> make_guard(const GuardOptions& options) {
    if (options.timeout_ms == 0 || options.max_calls == 0) {
        return fail(ErrorCode::kInvalidArgument,
                    "a guard needs a time-out and at least one call at a time");
    }
    return std::make_shared<Guard>(options);
}

}  // namespace holdfast
