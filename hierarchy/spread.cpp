#include "hierarchy/spread.hpp"

#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>

namespace holdfast {

void for_each_parallel(std::size_t count, unsigned threads,
                       const std::function<void(std::size_t)>& body) {
    if (count <= 1 || threads == 1) {
        for (std::size_t i = 0; i < count; ++i) body(i);
        return;
    }
    const auto spread = [&] { tbb::parallel_for(std::size_t{0}, count, body); };
    if (threads == 0) {
        spread();
    } else {
        // More than the machine has would only make the scheduler complain.
        const int most = tbb::info::default_concurrency();
        tbb::task_arena arena(std::min(most, static_cast<int>(threads)));
        arena.execute(spread);
    }
}

}  // namespace holdfast
