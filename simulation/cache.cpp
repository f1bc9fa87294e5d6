#include "simulation/cache.hpp"

#include <atomic>
#include <mutex>

#include "core/constants.hpp"
#include "core/hash.hpp"
#include "storage/file.hpp"
#include "storage/parallel.hpp"

namespace holdfast::simulation {
namespace {

constexpr std::uint64_t kPerFolder = 1'000;

/// Bytes that nobody could store more shortly than by their seed: enough for a simulation, which
/// reads what lies on the disk.
Bytes replica_data(const Fleet& fleet, std::uint64_t number) {
    Bytes out;
    out.reserve(kSimulationReplicaBytes);
    for (std::uint64_t i = 0; out.size() < kSimulationReplicaBytes; ++i) {
        const Digest d = tagged_hash("simulation/data", fleet.seed,
                                     tagged_hash("simulation/fleet", view(fleet.name)), number, i);
        out.insert(out.end(), d.begin(), d.end());
    }
    return out;
}

std::string padded(std::uint64_t number, std::size_t width) {
    std::string text = std::to_string(number);
    return std::string(width - std::min(width, text.size()), '0') + text;
}

}  // namespace

KeyPair simulation_operator() {
    return KeyPair::from_secret(view(tagged_hash("simulation/operator")));
}

NetworkParams simulation_network() {
    NetworkParams params = NetworkParams::preset(kParamsVersion2);
    params.name = "simulation";
    params.operator_key = simulation_operator().public_key();
    params.seal_windows = 2;
    params.finality_blocks = 1;
    params.vdf = {256, 1, 4, 16, 4};
    params.seal_presets = {kSealDev};
    params.seal_delay = 3;
    params.seal_deadline = 8;
    params.link_lag = 1;
    params.rate_window = 6;
    params.misses_late = 1;
    params.misses_expired = 4;
    params.proof_deadline = 4;
    params.removal_delay = 2;
    params.liability_blocks = 4;
    return params;
}

Fleet::Fleet(const std::filesystem::path& cache, std::string fleet_name, std::uint64_t fleet_seed)
    : name(std::move(fleet_name)), seed(fleet_seed), folder(cache / name) {}

KeyPair Fleet::key() const {
    const Digest secret =
        tagged_hash("simulation/key", seed, tagged_hash("simulation/fleet", view(name)));
    return KeyPair::from_secret(view(secret));
}

std::filesystem::path Fleet::replica(std::uint64_t number) const {
    return folder / padded(number / kPerFolder, 3) / (padded(number, 6) + ".replica");
}

std::uint64_t Fleet::missing(std::uint64_t count) const {
    std::uint64_t out = 0;
    for (std::uint64_t i = 0; i < count; ++i) out += std::filesystem::exists(replica(i)) ? 0 : 1;
    return out;
}

Status Fleet::make(
    const NetworkParams& params, std::uint64_t count, unsigned threads, const StopCheck& stop,
    const std::function<void(std::uint64_t done, std::uint64_t total)>& progress) const {
    std::vector<std::uint64_t> todo;
    for (std::uint64_t i = 0; i < count; ++i) {
        if (!std::filesystem::exists(replica(i))) todo.push_back(i);
    }
    for (const std::uint64_t number : todo) {
        std::error_code error;
        std::filesystem::create_directories(replica(number).parent_path(), error);
        if (error) return fail_errno(error.value(), replica(number).parent_path().string());
    }
    const PublicKey prover = key().public_key();
    std::mutex mutex;
    std::uint64_t done = 0;
    return run_workers(
        worker_count(threads, todo.size()), todo.size(), stop,
        [&](unsigned worker, std::uint64_t item) -> Status {
            const std::uint64_t number = todo[item];
            SealRequest request;
            request.network = params;
            request.prover = prover;
            request.seal = kSealDev;
            request.nonce = number;
            request.source = folder / ("source-" + std::to_string(worker));
            request.replica_path = replica(number);
            request.tree_path = request.replica_path;
            request.tree_path.replace_extension(".tree");
            std::error_code ignored;  // a tree without its replica: a run that was killed
            std::filesystem::remove(request.tree_path, ignored);
            HOLDFAST_ASSIGN(source, File::open(request.source, File::Mode::kCreate));
            HOLDFAST_TRY(source.write_at(0, replica_data(*this, number)));
            SealOptions options;
            options.workers = 1;
            options.stop = stop;
            HOLDFAST_TRY(seal(request, options));
            const std::lock_guard lock(mutex);
            if (progress) progress(++done, todo.size());
            return {};
        });
}

}  // namespace holdfast::simulation
