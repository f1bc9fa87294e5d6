// Losing a file: against closed forms, against exact values of another method (Taylor's
// series of the generator in decimal arithmetic of 90 digits), against simulated histories.
#include "analysis/durability.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "analysis/bounds.hpp"

namespace holdfast {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

double loss(const DurabilityModel& model, double years) {
    const Result<double> log2_p = log2_loss_within(model, years);
    EXPECT_TRUE(log2_p);
    return log2_p ? std::exp2(*log2_p) : -1;
}

TEST(Durability, WithoutParityTheFirstFailureLosesTheFile) {
    const DurabilityModel model{5, 0, 0.2, 0.01, 1};
    EXPECT_NEAR(loss(model, 1), -std::expm1(-1.0), 1e-15);
    EXPECT_NEAR(loss(model, 1e-9) / 1e-9, 1.0, 1e-9);
    EXPECT_NEAR(*mean_years_to_loss(model), 1.0, 1e-15);
}

TEST(Durability, WithoutRepairItIsTheBinomialTailOfFailedShards) {
    for (const std::uint32_t parity : {1U, 2U, 10U, 100U}) {
        for (const double years : {1e-6, 0.01, 1.0, 30.0}) {
            const DurabilityModel model{4, parity, 0.1, kNever, 1};
            const double failed = -std::expm1(-0.1 * years);
            const double expected = log2_file_loss(4, parity, failed);
            EXPECT_NEAR(*log2_loss_within(model, years), expected,
                        1e-9 * std::max(1.0, std::fabs(expected)))
                << parity << " " << years;
        }
    }
}

TEST(Durability, OneParityShardAgreesWithTheTwoEigenvaluesOfItsChain) {
    const double f = 0.5;
    const double r = 0.05;
    const DurabilityModel model{2, 1, f, r, 1};
    const double a = 3 * f;
    const double b = 2 * f;
    const double middle = (a + b + 1 / r) / 2;
    const double root = std::sqrt(middle * middle - a * b);
    const double fast = middle + root;
    const double slow = a * b / fast;
    for (const double years : {0.1, 1.0, 20.0}) {
        const double kept =
            (fast * std::exp(-slow * years) - slow * std::exp(-fast * years)) / (fast - slow);
        EXPECT_NEAR(loss(model, years), 1 - kept, 1e-13) << years;
    }
    // Two disks in a mirror: (3f + 1/r) / 2f^2 (Patterson, Gibson, Katz 1988, exact form).
    const DurabilityModel mirror{1, 1, f, r, 1};
    EXPECT_NEAR(*mean_years_to_loss(mirror), (3 * f + 1 / r) / (2 * f * f), 1e-12);
}

TEST(Durability, AgreesWithArithmeticOfNinetyDigits) {
    const double day = 1.0 / 365.25;
    const struct {
        DurabilityModel model;
        double years;
        double log2_p;
    } rows[] = {
        {{4, 2, 0.1, day, 1}, 1.0, -20.0962437275389505},
        {{4, 2, 0.1, day, 2}, 1.0, -21.0934675112006442},
        {{10, 4, 0.25, 0.02, 1}, 1.0, -15.0017574111427732},
        {{8, 8, 0.05, 0.001, 1}, 5.0, -84.3548093952722598},
        {{3, 1, 2.0, 0.25, 1}, 0.125, -2.39176843641075953},
    };
    for (const auto& row : rows) {
        EXPECT_NEAR(*log2_loss_within(row.model, row.years), row.log2_p,
                    1e-11 * std::fabs(row.log2_p))
            << row.model.data << "+" << row.model.parity;
    }
}

TEST(Durability, SimulatedHistoriesAreLostAsOften) {
    std::mt19937_64 random(7);
    for (const std::uint32_t at_once : {1U, 3U}) {
        const DurabilityModel model{4, 2, 1.0, 0.1, at_once};
        constexpr int kHistories = 40'000;
        int lost_files = 0;
        for (int i = 0; i < kHistories; ++i) {
            double now = 0;
            std::uint32_t lost = 0;
            while (lost <= model.parity) {
                const double fails = (6 - lost) * model.failures_a_year;
                const double mends = std::min(lost, at_once) / model.repair_years;
                now += std::exponential_distribution<double>(fails + mends)(random);
                if (now > 1) break;
                const double which =
                    std::uniform_real_distribution<double>(0, fails + mends)(random);
                which < fails ? ++lost : --lost;
            }
            lost_files += lost > model.parity ? 1 : 0;
        }
        const double p = loss(model, 1);
        EXPECT_NEAR(double(lost_files) / kHistories, p, 3 * std::sqrt(p * (1 - p) / kHistories));
    }
}

TEST(Durability, MoreParityQuickerRepairAndFewerFailuresNeverHurt) {
    const DurabilityModel base{4, 2, 0.1, 0.01, 1};
    const double p = *log2_loss_within(base, 1);
    DurabilityModel other = base;
    other.parity = 3;
    EXPECT_LT(*log2_loss_within(other, 1), p);
    other = base;
    other.repair_years = 0.005;
    EXPECT_LT(*log2_loss_within(other, 1), p);
    other = base;
    other.failures_a_year = 0.05;
    EXPECT_LT(*log2_loss_within(other, 1), p);
    other = base;
    other.repairs_at_once = 2;
    EXPECT_LT(*log2_loss_within(other, 1), p);
    EXPECT_LT(p, *log2_loss_within(base, 2));
}

TEST(Durability, LargeCodesNeitherUnderflowNorTakeLong) {
    const double log2_p = *log2_loss_within({55, 200, 0.1, 1e-3, 1}, 1);
    EXPECT_TRUE(std::isfinite(log2_p));
    EXPECT_LT(log2_p, -800);
}

TEST(Durability, RefusesWhatIsNoModel) {
    const DurabilityModel good;
    const auto refused = [](const DurabilityModel& model, double years = 1) {
        return log2_loss_within(model, years).error().code == ErrorCode::kInvalidArgument;
    };
    DurabilityModel m = good;
    m.data = 0;
    EXPECT_TRUE(refused(m));
    m.data = 250;
    m.parity = 6;
    EXPECT_TRUE(refused(m));
    for (const double bad : {0.0, -1.0, std::nan(""), kNever}) {
        m = good;
        m.failures_a_year = bad;
        EXPECT_TRUE(refused(m)) << bad;
        if (bad == kNever) continue;
        m = good;
        m.repair_years = bad;
        EXPECT_TRUE(refused(m)) << bad;
    }
    m = good;
    m.repairs_at_once = 0;
    EXPECT_TRUE(refused(m));
    EXPECT_TRUE(refused(good, 0));
    EXPECT_FALSE(mean_years_to_loss(m));
}

}  // namespace
}  // namespace holdfast
