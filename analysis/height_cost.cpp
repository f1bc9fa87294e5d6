#include "analysis/height_cost.hpp"

#include <algorithm>
#include <chrono>

#include "analysis/vdf_calibration.hpp"
#include "core/constants.hpp"
#include "core/hash.hpp"
#include "core/keys.hpp"

namespace holdfast {
namespace {

constexpr unsigned kRounds = 3;
constexpr int kSamples = 16;
constexpr double kNs = 1e-9;

/// The least of a few times that `work` takes.
template <class Work>
double least_seconds(const Work& work) {
    double least = 1e9;
    for (int i = 0; i < kSamples; ++i) {
        const auto start = std::chrono::steady_clock::now();
        work();
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        least = std::min(least, took.count());
    }
    return least;
}

}  // namespace

Result<HeightCost> measure_height(const NetworkParams& params, const StopCheck& stop) {
    HeightCost out;
    if (params.has_vdf) {
        VdfMeasureOptions options;
        options.rounds = kRounds;
        options.stop = stop;
        HOLDFAST_ASSIGN(speed, measure_vdf(params.vdf, options));
        const auto steps = static_cast<double>(params.vdf.total_steps());
        out.arena_seconds = speed.fill_seconds;
        out.y_seconds = steps * speed.best().evaluate_ns * kNs;
        out.check_seconds = steps * speed.threads.back().verify_ns * kNs;
    }
    const Bytes cells(kChunksPerLink * kCellBytes, 0x5a);
    Digest hashed;
    out.link_seconds = least_seconds([&] { hashed = sha256(cells); });
    const KeyPair key = KeyPair::from_secret(Bytes(32, 1));
    Signature signature;
    out.sign_seconds = least_seconds([&] { signature = key.sign(view(hashed)).value(); });
    bool holds = true;
    out.verify_seconds = least_seconds(
        [&] { holds = holds && verify_signature(key.public_key(), view(hashed), signature); });
    HOLDFAST_CHECK(holds);
    return out;
}

}  // namespace holdfast
