#include "proofs/latency.hpp"

#include <vector>

namespace holdfast {
namespace {

__extension__ using U128 = unsigned __int128;

/// 256 bits, enough for 109 * sum^2 of 2^20 samples of 64 bits (175 bits).
struct Wide {
    std::array<std::uint64_t, 4> limbs{};  // least significant first

    void add_product(std::uint64_t a, std::uint64_t b, std::size_t at) {
        U128 carry = static_cast<U128>(a) * b;
        for (std::size_t i = at; i < limbs.size(); ++i) {
            carry += limbs[i];
            limbs[i] = static_cast<std::uint64_t>(carry);
            carry >>= 64;
        }
    }
    [[nodiscard]] Wide times(std::uint64_t factor) const {
        Wide out;
        for (std::size_t i = 0; i < limbs.size(); ++i) out.add_product(limbs[i], factor, i);
        return out;
    }
    [[nodiscard]] bool at_most(const Wide& other) const {
        return !std::lexicographical_compare(other.limbs.rbegin(), other.limbs.rend(),
                                             limbs.rbegin(), limbs.rend());
    }
};

/// 100 * (m * sum(x^2) - sum(x)^2) <= 9 * sum(x)^2, without the subtraction.
bool spread_within(std::span<const std::uint64_t> samples) {
    Wide squares;
    U128 sum = 0;
    for (const std::uint64_t x : samples) {
        squares.add_product(x, x, 0);
        sum += x;
    }
    const auto low = static_cast<std::uint64_t>(sum);
    const auto high = static_cast<std::uint64_t>(sum >> 64);
    Wide square_of_sum;
    square_of_sum.add_product(low, low, 0);
    square_of_sum.add_product(low, high, 1);
    square_of_sum.add_product(low, high, 1);
    square_of_sum.add_product(high, high, 2);
    return squares.times(100 * samples.size()).at_most(square_of_sum.times(109));
}

}  // namespace

// Spec 8, latency: minimum, lower median, spread.
Checked<LatencySummary> summarize_latency(std::span<const std::uint64_t> samples) {
    if (samples.size() < kMinLatencySamples) return refuse(Reason::kTooFewSamples);
    if (samples.size() > kMaxLatencySamples) return refuse(Reason::kTooLarge);
    std::vector<std::uint64_t> ascending(samples.begin(), samples.end());
    std::sort(ascending.begin(), ascending.end());
    return LatencySummary{ascending.front(), ascending[(ascending.size() - 1) / 2],
                          spread_within(samples)};
}

// Spec 8, latency: light is not outrun.
bool place_possible(std::uint64_t rtt_ns, std::uint64_t distance_m) {
    constexpr std::uint64_t kLightMetresPerSecond = 299'792'458;
    constexpr std::uint64_t kTwiceNsPerSecond = 2'000'000'000;
    return static_cast<U128>(rtt_ns) * kLightMetresPerSecond >=
           static_cast<U128>(distance_m) * kTwiceNsPerSecond;
}

Verdict check_place(std::span<const PlaceMeasurement> vantages) {
    for (std::size_t i = 0; i < vantages.size(); ++i) {
        if (!place_possible(vantages[i].rtt_ns, vantages[i].distance_m)) {
            return {Reason::kImpossiblePlace, i};
        }
    }
    return Verdict::ok();
}

}  // namespace holdfast
