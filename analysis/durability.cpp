#include "analysis/durability.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace holdfast {
namespace {

// Where it is 80 bits wide or wider, its exponent reaches 2^-16000.
using Real = long double;

constexpr double kLargest = 1e6;
constexpr double kShortestRepair = 1e-9;

Real failing(const DurabilityModel& model, std::uint32_t lost) {
    return Real(model.data + model.parity - lost) * Real(model.failures_a_year);
}

Real mending(const DurabilityModel& model, std::uint32_t lost) {
    if (std::isinf(model.repair_years)) return 0;
    return Real(std::min(lost, model.repairs_at_once)) / Real(model.repair_years);
}

/// A square matrix of probabilities; each row adds up to one.
class Transitions {
  public:
    explicit Transitions(std::size_t size) : size_(size), cells_(size * size) {}

    Real& at(std::size_t row, std::size_t column) { return cells_[row * size_ + column]; }
    [[nodiscard]] Real at(std::size_t row, std::size_t column) const {
        return cells_[row * size_ + column];
    }

    [[nodiscard]] Transitions times(const Transitions& other) const {
        Transitions out(size_);
        for (std::size_t i = 0; i < size_; ++i) {
            for (std::size_t k = 0; k < size_; ++k) {
                const Real factor = at(i, k);
                if (factor == 0) continue;
                for (std::size_t j = 0; j < size_; ++j) out.at(i, j) += factor * other.at(k, j);
            }
        }
        return out;
    }

    void add(const Transitions& other, Real weight) {
        for (std::size_t i = 0; i < cells_.size(); ++i) cells_[i] += weight * other.cells_[i];
    }

    /// Rounding would otherwise double with every squaring.
    void make_rows_whole() {
        for (std::size_t i = 0; i < size_; ++i) {
            Real sum = 0;
            for (std::size_t j = 0; j < size_; ++j) sum += at(i, j);
            for (std::size_t j = 0; j < size_; ++j) at(i, j) /= sum;
        }
    }

  private:
    std::size_t size_;
    std::vector<Real> cells_;
};

/// One step of the chain when `rate`, no less than any state's own, makes the steps.
Transitions uniformised(const DurabilityModel& model, Real rate) {
    const std::size_t gone = model.parity + 1;
    Transitions step(gone + 1);
    for (std::uint32_t lost = 0; lost < gone; ++lost) {
        const Real up = failing(model, lost);
        const Real down = mending(model, lost);
        step.at(lost, lost + 1) = up / rate;
        if (lost > 0) step.at(lost, lost - 1) = down / rate;
        step.at(lost, lost) = (rate - up - down) / rate;
    }
    step.at(gone, gone) = 1;
    return step;
}

/// exp(x (step - 1)), x at most 1: the steps of a Poisson process in its time.
Transitions poisson_sum(const Transitions& step, std::size_t size, Real x) {
    Transitions power(size);
    for (std::size_t i = 0; i < size; ++i) power.at(i, i) = 1;
    Transitions sum(size);
    // The first way to the last state has size - 1 steps; 30 more terms are worth less than 2^-100
    // of it.
    Real weight = std::exp(-x);
    for (std::size_t n = 0; n < size + 30; ++n) {
        sum.add(power, weight);
        power = step.times(power);  // the same; `step` is nearly empty
        weight *= x / Real(n + 1);
    }
    sum.make_rows_whole();
    return sum;
}

}  // namespace

Status check_durability_model(const DurabilityModel& model) {
    if (model.data < 1 || model.data > kMostDurabilityShards ||
        model.parity > kMostDurabilityShards - model.data) {
        return fail(ErrorCode::kInvalidArgument, "k is at least 1 and k + m at most 255");
    }
    if (!(model.failures_a_year > 0 && model.failures_a_year <= kLargest)) {
        return fail(ErrorCode::kInvalidArgument,
                    "failures a year of one shard: above 0, at most 10^6");
    }
    const bool never = std::isinf(model.repair_years) && model.repair_years > 0;
    if (!never && !(model.repair_years >= kShortestRepair && model.repair_years <= kLargest)) {
        return fail(ErrorCode::kInvalidArgument,
                    "the time of a repair: from 10^-9 to 10^6 years, or infinite");
    }
    if (model.repairs_at_once < 1) {
        return fail(ErrorCode::kInvalidArgument, "at least one repair at once");
    }
    return {};
}

Result<double> log2_loss_within(const DurabilityModel& model, double years) {
    HOLDFAST_TRY(check_durability_model(model));
    if (!(years > 0 && years <= kLargest)) {
        return fail(ErrorCode::kInvalidArgument, "the time: above 0, at most 10^6 years");
    }
    Real rate = 0;
    for (std::uint32_t lost = 0; lost <= model.parity; ++lost) {
        rate = std::max(rate, failing(model, lost) + mending(model, lost));
    }
    Real x = rate * Real(years);
    int squarings = 0;
    for (; x > 1; x /= 2) ++squarings;
    const std::size_t size = std::size_t{model.parity} + 2;
    Transitions all = poisson_sum(uniformised(model, rate), size, x);
    for (; squarings > 0; --squarings) {
        all = all.times(all);
        all.make_rows_whole();
    }
    return static_cast<double>(std::min(Real(0), std::log2(all.at(0, size - 1))));
}

Result<double> mean_years_to_loss(const DurabilityModel& model) {
    HOLDFAST_TRY(check_durability_model(model));
    Real sum = 0;
    Real one_more = 0;  // from `lost` to lost + 1
    for (std::uint32_t lost = 0; lost <= model.parity; ++lost) {
        one_more = (1 + mending(model, lost) * one_more) / failing(model, lost);
        sum += one_more;
    }
    return static_cast<double>(sum);
}

}  // namespace holdfast
