#include "analysis/seal_cost.hpp"

#include <cmath>

#include "analysis/bounds.hpp"

namespace holdfast {
namespace {

constexpr double kMonthMs = 30.0 * 86'400'000.0;
constexpr double kTerabyte = 1e12;

RefillBill bill(double windows_a_link, double links_a_month, double seconds_a_window,
                double storing, const SealPrices& prices) {
    RefillBill b;
    b.windows_a_link = windows_a_link;
    b.core_seconds_a_link = windows_a_link * seconds_a_window;
    b.core_hours_a_month = links_a_month * b.core_seconds_a_link / 3'600;
    const double attacker_hours = b.core_hours_a_month / prices.attacker_speed;
    b.rent_a_month = attacker_hours * prices.core_hour;
    b.energy_a_month = attacker_hours * prices.watts / 1'000 * prices.kwh;
    b.rent_ratio = b.rent_a_month / storing;
    b.energy_ratio = b.energy_a_month / storing;
    return b;
}

}  // namespace

double windows_touched(const WindowPlan& plan, std::uint64_t heights,
                       std::uint32_t chunks_per_link) {
    const std::uint64_t chunks = plan.chunks().value;
    const auto chance = [&](const Window& window) {
        const double untouched = log2_all_good(chunks, window.chunks.value, chunks_per_link);
        return 1 - std::exp2(untouched * static_cast<double>(heights));
    };
    // The first windows may have a chunk more than the others.
    const Window larger = plan.window(0);
    const Window smaller = plan.window(plan.count() - 1);
    const std::uint64_t rest = chunks - plan.count() * smaller.chunks.value;
    return static_cast<double>(rest) * chance(larger) +
           static_cast<double>(plan.count() - rest) * chance(smaller);
}

std::uint64_t links_in_a_batch(const NetworkParams& params) {
    return params.closing_blocks() + params.finality_blocks;
}

SealEconomy seal_economy(const NetworkParams& params, const WindowPlan& plan,
                         double seconds_a_window, const SealPrices& prices) {
    SealEconomy e;
    e.links_a_month = kMonthMs / params.block_ms;
    const double bytes = static_cast<double>(plan.chunks().value) * kChunkBytes;
    e.storing_a_month = bytes / kTerabyte * prices.disk_tb / prices.disk_months;
    const std::uint64_t batch = links_in_a_batch(params);
    e.one_by_one = bill(windows_touched(plan, 1), e.links_a_month, seconds_a_window,
                        e.storing_a_month, prices);
    e.batched = bill(windows_touched(plan, batch) / static_cast<double>(batch), e.links_a_month,
                     seconds_a_window, e.storing_a_month, prices);
    return e;
}

}  // namespace holdfast
