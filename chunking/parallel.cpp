#include "chunking/parallel.hpp"

#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <new>

namespace holdfast {
namespace {

/// The first error of several threads, and the flag that tells the others.
class FirstError {
  public:
    void report(Error error) {
        const std::scoped_lock lock(mutex_);
        if (failed_.exchange(true)) return;
        error_ = std::move(error);
    }
    [[nodiscard]] bool any() const { return failed_.load(std::memory_order_relaxed); }
    [[nodiscard]] Status take() {
        const std::scoped_lock lock(mutex_);
        if (failed_.load()) return fail(std::move(error_));
        return {};
    }

  private:
    std::mutex mutex_;
    std::atomic<bool> failed_ = false;
    Error error_;
};

Status guarded(const std::function<Status(unsigned, std::uint64_t)>& body, unsigned worker,
               std::uint64_t item) {
    try {
        return body(worker, item);
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::kOutOfMemory, "not enough memory");
    } catch (const std::exception& e) {
        return fail(ErrorCode::kIo, e.what());
    }
}

}  // namespace

unsigned worker_count(unsigned wanted, std::uint64_t items) {
    const auto cores = static_cast<unsigned>(tbb::info::default_concurrency());
    const unsigned workers = wanted == 0 ? cores : wanted;
    return static_cast<unsigned>(
        std::clamp<std::uint64_t>(workers, 1, std::max<std::uint64_t>(items, 1)));
}

tl::unexpected<Error> interrupted() { return fail(ErrorCode::kInterrupted, "stopped on request"); }

Status run_workers(unsigned workers, std::uint64_t items, const StopCheck& stop,
                   const std::function<Status(unsigned, std::uint64_t)>& body) {
    FirstError first;
    std::atomic<std::uint64_t> next = 0;
    const auto work = [&](unsigned worker) {
        while (!first.any()) {
            const std::uint64_t item = next.fetch_add(1);
            if (item >= items) return;
            Status done = stop && stop() ? Status(interrupted()) : guarded(body, worker, item);
            if (!done) first.report(std::move(done).error());
        }
    };
    if (workers <= 1) {
        work(0);
        return first.take();
    }
    // Not more threads than TBB has: it would complain on the terminal. The other workers wait
    // their turn and find nothing left to do.
    const auto threads =
        tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism);
    tbb::task_arena arena(
        static_cast<int>(std::min<std::size_t>(workers, std::max<std::size_t>(threads, 1))));
    arena.execute([&] {
        tbb::task_group group;
        for (unsigned worker = 1; worker < workers; ++worker)
            group.run([&, worker] { work(worker); });
        work(0);
        group.wait();
    });
    return first.take();
}

}  // namespace holdfast
