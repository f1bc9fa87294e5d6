#include "vdf/parallel.hpp"

#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>

namespace holdfast {

ParallelFor pool_parallel(unsigned max_threads) {
    return [max_threads](std::size_t count, const std::function<void(std::size_t)>& body) {
        if (max_threads == 1) {
            for (std::size_t i = 0; i < count; ++i) body(i);
            return;
        }
        // More than the machine has is nothing but a warning on the standard error output.
        const int most = tbb::info::default_concurrency();
        const int wanted = max_threads == 0 ? most : static_cast<int>(std::min(max_threads, 4096U));
        tbb::task_arena workers(std::min(wanted, most));
        // One item a task: items are long, and their number small.
        workers.execute([&] {
            tbb::parallel_for(
                tbb::blocked_range<std::size_t>(0, count, 1),
                [&](const tbb::blocked_range<std::size_t>& range) {
                    for (std::size_t i = range.begin(); i < range.end(); ++i) body(i);
                },
                tbb::simple_partitioner());
        });
    };
}

}  // namespace holdfast
