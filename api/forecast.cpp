#include "api/forecast.hpp"

#include <cstdio>

namespace holdfast {
namespace {

constexpr double kNewest = 0.3;   // weight of the newest block in a running mean
constexpr double kTooFull = 0.8;  // of a block's time
constexpr double kMostChains = 1e15;

void follow(std::optional<double>& mean, double value) {
    mean = mean ? *mean + kNewest * (value - *mean) : value;
}

std::string seconds(double value) {
    char text[32];
    std::snprintf(text, sizeof text, value < 10 ? "%.1f s" : "%.0f s", value);
    return text;
}

}  // namespace

void BlockForecaster::note(std::uint64_t chains, double fixed_s, double chains_s) {
    follow(fixed_s_, fixed_s);
    if (chains > 0) follow(chain_s_, chains_s / static_cast<double>(chains));
}

std::optional<BlockForecast> BlockForecaster::forecast(std::uint64_t chains) const {
    if (!fixed_s_ || !chain_s_) return std::nullopt;
    BlockForecast out;
    out.chains = chains;
    out.block_s = block_s_;
    out.expected_s = *fixed_s_ + *chain_s_ * static_cast<double>(chains);
    const double room = block_s_ - *fixed_s_;
    if (room > 0 && *chain_s_ > 0) {
        const double fits = room / *chain_s_;
        out.capacity = static_cast<std::uint64_t>(fits < kMostChains ? fits : kMostChains);
    }
    out.warning = out.expected_s > kTooFull * block_s_;
    return out;
}

std::string BlockForecast::text() const {
    return "the next block closes in " + seconds(expected_s) + " of " + seconds(block_s) +
           "; capacity " + with_commas(capacity) + " chains";
}

std::string with_commas(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
    return text;
}

}  // namespace holdfast
