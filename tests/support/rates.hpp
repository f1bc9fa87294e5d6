// How often an attack was seen, beside the formula that bounds it. Seeds are fixed, so that a rate
// that lies within three standard deviations once lies there always.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdio>

namespace holdfast::test {

/// A sum of independent draws, each of its own probability.
struct ExpectedRate {
    double mean = 0;
    double variance = 0;
    void add(double p) {
        mean += p;
        variance += p * (1 - p);
    }
};

inline void expect_within_3_sigma(const char* name, double seen, double mean, double sigma) {
    std::printf("%s: %.1f, expected %.1f +- %.1f\n", name, seen, mean, sigma);
    EXPECT_NEAR(seen, mean, 3 * sigma + 1e-9) << name;
}
inline void expect_rate(const char* name, std::uint64_t seen, const ExpectedRate& expected) {
    expect_within_3_sigma(name, static_cast<double>(seen), expected.mean,
                          std::sqrt(expected.variance));
}
inline void expect_rate(const char* name, std::uint64_t seen, std::uint64_t trials, double p) {
    const double n = static_cast<double>(trials);
    expect_rate(name, seen, ExpectedRate{n * p, n * p * (1 - p)});
}

}  // namespace holdfast::test
