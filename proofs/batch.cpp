#include "proofs/batch.hpp"

#include "core/parallel.hpp"

namespace holdfast {
namespace {

template <class Verify>
std::vector<Verdict> verify_each(std::size_t count, unsigned threads, Verify&& verify) {
    std::vector<Verdict> out(count);
    for_each_parallel(count, threads, [&](std::size_t i) { out[i] = verify(i); });
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
