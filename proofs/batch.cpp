#include "proofs/batch.hpp"

#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>

namespace holdfast {
namespace {

template <class Verify>
std::vector<Verdict> verify_each(std::size_t count, unsigned threads, Verify&& verify) {
    std::vector<Verdict> out(count);
    // TBB prints a warning when it is asked for more threads than it may start.
    const std::size_t allowed =
        tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism);
    const std::size_t wanted = threads == 0 ? allowed : std::min<std::size_t>(threads, allowed);
    tbb::task_arena(static_cast<int>(wanted)).execute([&] {
        tbb::parallel_for(tbb::blocked_range<std::size_t>(0, count, 4),
                          [&](const tbb::blocked_range<std::size_t>& range) {
                              for (std::size_t i = range.begin(); i < range.end(); ++i) {
                                  out[i] = verify(i);
                              }
                          });
    });
    return out;
}

}  // namespace

std::vector<Verdict> verify_receipts(const NetworkId& network_id,
                                     std::span<const ReceiptItem> items, unsigned threads) {
    return verify_each(items.size(), threads, [&](std::size_t i) {
        return verify_receipt(network_id, *items[i].chain, *items[i].height, *items[i].receipt);
    });
}

std::vector<Verdict> verify_proofs(const NetworkParams& params, const NetworkId& network_id,
                                   std::span<const ProofItem> items, unsigned threads) {
    return verify_each(items.size(), threads, [&](std::size_t i) {
        return verify_proof(params, network_id, *items[i].chain, *items[i].height, *items[i].proof);
    });
}

}  // namespace holdfast
