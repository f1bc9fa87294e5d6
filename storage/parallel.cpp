#include "storage/parallel.hpp"

#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <new>

namespace holdfast {
namespace {

unsigned cores() { return static_cast<unsigned>(tbb::info::default_concurrency()); }

/// TBB answers a wish for more threads than the machine has with a warning on the standard error
/// output and nothing else.
tbb::task_arena arena_of(unsigned threads) {
    return tbb::task_arena(static_cast<int>(threads == 0 ? cores() : std::min(threads, cores())));
}

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
    return static_cast<unsigned>(std::clamp<std::uint64_t>(wanted == 0 ? cores() : wanted, 1,
                                                           std::max<std::uint64_t>(items, 1)));
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
    // Workers beyond the number of threads wait their turn and find nothing left to do.
    arena_of(workers).execute([&] {
        tbb::task_group group;
        for (unsigned worker = 1; worker < workers; ++worker)
            group.run([&, worker] { work(worker); });
        work(0);
        group.wait();
    });
    return first.take();
}

ParallelFor pool_parallel(unsigned max_threads) {
    return [max_threads](std::size_t count, const std::function<void(std::size_t)>& body) {
        if (max_threads == 1) {
            for (std::size_t i = 0; i < count; ++i) body(i);
            return;
        }
        // One item a task: items are long, and their number small.
        arena_of(max_threads).execute([&] {
            tbb::parallel_for(
                tbb::blocked_range<std::size_t>(0, count, 1),
                [&](const tbb::blocked_range<std::size_t>& range) {
                    for (std::size_t i = range.begin(); i < range.end(); ++i) body(i);
                },
                tbb::simple_partitioner());
        });
    };
}

void for_each_parallel(std::size_t count, unsigned threads,
                       const std::function<void(std::size_t)>& body) {
    if (count <= 1 || threads == 1) {
        for (std::size_t i = 0; i < count; ++i) body(i);
        return;
    }
    const auto spread = [&] { tbb::parallel_for(std::size_t{0}, count, body); };
    if (threads == 0) {
        spread();  // the pool that is there anyway: no arena to set up
    } else {
        arena_of(threads).execute(spread);
    }
}

}  // namespace holdfast
