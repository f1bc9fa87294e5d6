// V1, V2, V3, V5, V6: the VDF beside the limits of this machine, measured in the same rounds: one
// dependent 64-byte read in the arena, many independent ones, and F by itself. Every time is that
// of a function whose answer has been checked.
#include <array>
#include <fstream>

#include "analysis/vdf_calibration.hpp"
#include "bench/result.hpp"
#include "core/hash.hpp"
#include "storage/parallel.hpp"
#include "vdf/arena.hpp"
#include "vdf/evaluate.hpp"
#include "vdf/proof.hpp"
#include "vdf/verify.hpp"

namespace {

using namespace holdfast;
using bench::require;

constexpr std::uint32_t kStepsPerSample = 1U << 14;  // about 2.5 ms of evaluation
// Beside verification: on a busy machine only samples of about one length can be compared.
constexpr std::uint32_t kLongSample = 1U << 18;
// Segments of the proof that V2 verifies: together they visit most of the arena, so that no cache
// holds what the round before has read.
constexpr std::uint32_t kVerified = 256;

/// A network with the default arena and its first epoch.
struct World {
    NetworkParams params;
    NetworkId network_id;
    std::shared_ptr<const VdfArena> arena;
    KeyPair key = KeyPair::from_secret(view(sha256({})));

    World(std::uint64_t steps, std::uint32_t checkpoints, std::uint32_t arena_kib) {
        params.vdf.steps_per_checkpoint = steps;
        params.vdf.checkpoints = checkpoints;
        params.vdf.arena_kib = arena_kib;
        params.vdf.lanes = 1;
        params.vdf.passes = 1;
        network_id = params.id();
        const VdfContext c = context();
        auto filled = VdfArena::fill(params.vdf, c.epoch, c.epoch_seed);
        require(filled.has_value(), "the arena is filled");
        arena = *filled;
    }
    [[nodiscard]] VdfContext context() const {
        return make_vdf_context(params, network_id, Height(0), Seed{sha256({})},
                                genesis_output(network_id));
    }
    [[nodiscard]] std::vector<Digest> checkpoints() const {
        auto d = evaluate(arena->view(), params.vdf, network_id, {Height(0), context().input, {}});
        require(d.has_value(), "the evaluation ends");
        return *d;
    }
    [[nodiscard]] VdfProof sign(std::vector<Digest> d) const {
        return make_vdf_proof(params.vdf, network_id, Height(0), context().input, std::move(d), key)
            .value();
    }
};

std::uint32_t line_word(const ArenaView& arena, std::uint64_t at) {
    const std::uint64_t line = at & (arena.params.lines() - 1);
    std::uint32_t word;
    __builtin_memcpy(&word, arena.bytes + line * kVdfLineBytes, sizeof(word));
    return word;
}

constexpr std::size_t kStreams = 64;
using Streams = std::array<std::uint64_t, kStreams>;

void independent_reads(const ArenaView& arena, std::uint32_t rounds, Streams& x) {
    for (std::uint32_t i = 0; i < rounds; ++i) {
        // Each stream adds its own number: two that meet part again.
        for (std::size_t s = 0; s < kStreams; ++s) {
            x[s] = line_word(arena, x[s]) + i + s;
            const std::uint64_t line = x[s] & (arena.params.lines() - 1);
            __builtin_prefetch(arena.bytes + line * kVdfLineBytes);
        }
    }
}

/// Walks states that have never walked before: the lines of an earlier sample would be cached.
void walk_fresh(const WalkKernel& kernel, const ArenaView& arena, std::size_t count,
                std::uint64_t steps) {
    static std::uint64_t number = 0;
    std::vector<WalkState> states;
    for (std::size_t s = 0; s < count; ++s) {
        states.push_back(vdf_expand(tagged_hash("bench", ++number)));
    }
    walk_states(&kernel, arena, states, steps);
    benchmark::DoNotOptimize(states.front());
}

void require_kernel(const WalkKernel& kernel) {
    require(walk_self_test(kernel), "the kernel gives the bytes of the plain walk");
}

double nanoseconds(const bench::Samples& samples, double steps) {
    return samples.median() / steps * 1e9;
}

void entry_ns(const std::string& id, const std::string& what, double ns, std::size_t samples,
              const WalkKernel* kernel = nullptr) {
    bench::Entry e;
    e.id = id;
    e.what = what;
    e.value = ns;
    e.unit = "ns";
    e.kernel = kernel != nullptr ? std::string(kernel->name) : "none";
    e.samples = samples;
    bench::report(e);
}

void evaluate_latency(const bench::Options& options) {
    const World world(kStepsPerSample, 1, 262'144);
    const World small(kStepsPerSample, 1, 8);  // an arena within the first-level cache
    const ArenaView arena = world.arena->view();
    const ArenaView cached = small.arena->view();
    const unsigned rounds = options.rounds(25, 101);
    for (const WalkKernel& kernel : walk_kernels()) {
        if (!kernel.usable()) continue;
        require_kernel(kernel);
        std::uint64_t x = 1;
        std::uint64_t y = 1;
        const auto times =
            bench::interleave(rounds, {[&] { walk_fresh(kernel, arena, 1, kStepsPerSample); },
                                       [&] { vdf_dependent_reads(arena, kStepsPerSample, x); },
                                       [&] { walk_fresh(kernel, cached, 1, kStepsPerSample); },
                                       [&] { vdf_dependent_reads(cached, kStepsPerSample, y); }});
        benchmark::DoNotOptimize(x + y);
        const double step = nanoseconds(times[0], kStepsPerSample);
        const double read = nanoseconds(times[1], kStepsPerSample);
        const double f =
            nanoseconds(times[2], kStepsPerSample) - nanoseconds(times[3], kStepsPerSample);
        const std::string name(kernel.name);
        bench::Entry e;
        e.id = "V1/" + name;
        e.what = "evaluate: one step, one input";
        e.value = step;
        e.unit = "ns";
        e.peer = "dependent 64-byte read + latency of F";
        e.peer_value = read + f;
        e.kernel = name;
        e.samples = rounds;
        if (&kernel == &best_walk_kernel()) e.target = bench::Target::ratio_at_least(1 / 1.15);
        bench::report(e);
        entry_ns("V1/" + name + "/read", "limit: one dependent 64-byte read in 256 MiB", read,
                 rounds);
        entry_ns("V1/" + name + "/F", "limit: latency of F", f, rounds, &kernel);
    }
}

void evaluate_side_by_side(const bench::Options& options) {
    const World world(kStepsPerSample, 1, 262'144);
    const WalkKernel& kernel = best_walk_kernel();
    require_kernel(kernel);
    constexpr std::uint32_t kSteps = kStepsPerSample / 8;
    const std::vector<std::size_t> counts{1, 2, 4, 8, 16};
    std::vector<std::function<void()>> functions;
    for (const std::size_t count : counts) {
        functions.emplace_back(
            [&, count] { walk_fresh(kernel, world.arena->view(), count, kSteps); });
    }
    const unsigned rounds = options.rounds(25, 101);
    const auto times = bench::interleave(rounds, functions);
    for (std::size_t i = 0; i < counts.size(); ++i) {
        bench::Entry e;
        e.id = "V1/inputs/" + std::to_string(counts[i]);
        e.what = "evaluate: one step of each of several inputs";
        e.value = nanoseconds(times[i], kSteps);
        e.unit = "ns";
        e.peer = "one input alone";
        e.peer_value = nanoseconds(times[0], kSteps);
        e.kernel = std::string(kernel.name);
        e.samples = rounds;
        bench::report(e);
    }
}

void verify_full(const bench::Options& options) {
    const World world(kStepsPerSample, kVerified, 262'144);
    const VdfProof proof = world.sign(world.checkpoints());
    const ArenaView arena = world.arena->view();
    std::vector<const WalkKernel*> kernels;
    std::vector<std::function<void()>> functions;
    Streams streams{};
    for (std::size_t s = 0; s < kStreams; ++s) streams[s] = s;
    const auto verify = [&](const WalkKernel& kernel, const ParallelFor& parallel) {
        VdfVerifyOptions o;
        o.kernel = &kernel;
        o.parallel = parallel;
        const auto verdict = verify_vdf_full(world.context(), proof, arena, o);
        require(verdict.has_value() && verdict->accepted(), "the honest proof is accepted");
    };
    const WalkKernel& best = best_walk_kernel();
    functions.emplace_back([&] { walk_fresh(best, arena, 1, kLongSample); });
    functions.emplace_back([&] { independent_reads(arena, kStepsPerSample, streams); });
    functions.emplace_back([&] { verify(best, pool_parallel(options.threads)); });
    for (const WalkKernel& kernel : walk_kernels()) {
        if (!kernel.usable()) continue;
        VdfProof bad = proof;
        bad.checkpoints[kVerified / 2].bytes[0] ^= 1;
        bad = world.sign(bad.checkpoints);
        VdfVerifyOptions o;
        o.kernel = &kernel;
        const auto verdict = verify_vdf_full(world.context(), bad, arena, o);
        require(verdict.has_value() && *verdict == Verdict(Reason::kVdfSegment, kVerified / 2 - 1),
                "a bad segment is named");
        kernels.push_back(&kernel);
        functions.emplace_back([&] { verify(kernel, {}); });
    }
    const unsigned rounds = options.rounds(9, 41);
    const auto times = bench::interleave(rounds, functions);
    benchmark::DoNotOptimize(streams);
    const double steps = double{kStepsPerSample} * kVerified;
    const double evaluated = nanoseconds(times[0], kLongSample);
    entry_ns("V2/limit", "limit: one of 64 independent streams of 64-byte reads, one core",
             nanoseconds(times[1], double{kStepsPerSample} * kStreams), rounds);
    const auto entry = [&](const std::string& id, const WalkKernel& kernel, double ns) {
        bench::Entry e;
        e.id = id;
        e.what = "full verification: one step";
        e.value = ns;
        e.unit = "ns";
        e.peer = "evaluation: one step";
        e.peer_value = evaluated;
        e.kernel = std::string(kernel.name);
        e.samples = rounds;
        return e;
    };
    for (std::size_t i = 0; i < kernels.size(); ++i) {
        const std::string name(kernels[i]->name);
        bench::Entry e = entry("V2/" + name, *kernels[i], nanoseconds(times[3 + i], steps));
        const double bound = name == "avx512" ? 12 : name == "avx2" ? 6 : 3;
        e.target = bench::Target::ratio_at_least(bound);
        bench::report(e);
    }
    bench::Entry e = entry("V2/all-cores", best, nanoseconds(times[2], steps));
    e.threads = options.threads;
    bench::report(e);
}

/// A signed proof of the default size that holds in `picked` and nowhere else: what a spot check
/// looks at is real, and the rest need not be evaluated for 40 seconds first.
VdfProof spotted_proof(const World& world, const std::vector<std::uint32_t>& picked) {
    const VdfContext context = world.context();
    const VdfParams& vdf = world.params.vdf;
    std::vector<Digest> d;
    for (std::uint32_t i = 0; i <= vdf.checkpoints; ++i) d.push_back(tagged_hash("bench", i));
    d[0] = vdf_start(context.network_id, vdf, context.epoch_seed, context.input);
    for (const std::uint32_t i : picked) {
        std::vector<WalkState> x{vdf_expand(d[i])};
        walk_states(nullptr, world.arena->view(), x, vdf.steps_per_checkpoint);
        d[std::size_t{i} + 1] = vdf_gate(x[0], std::uint64_t{i} + 1);
    }
    return world.sign(d);
}

void verify_spot(const bench::Options& options) {
    const VdfParams defaults;
    const World world(defaults.steps_per_checkpoint, defaults.checkpoints, defaults.arena_kib);
    const auto picked = pick_spot_segments(sha256({}), defaults.checkpoints, 16);
    const VdfProof proof = spotted_proof(world, picked);
    const ArenaView arena = world.arena->view();
    const WalkKernel& best = best_walk_kernel();
    const auto spot = [&](const ParallelFor& parallel) {
        VdfVerifyOptions o;
        o.parallel = parallel;
        const auto verdict = verify_vdf_spot(world.context(), proof, picked, arena, o);
        require(verdict.has_value() && verdict->accepted(), "the true segments are not refuted");
    };
    const unsigned rounds = options.rounds(7, 31);
    const auto times = bench::interleave(
        rounds, {[&] { walk_fresh(best, arena, 1, kLongSample); }, [&] { spot({}); }});
    const double steps = static_cast<double>(defaults.total_steps());
    bench::Entry e;
    e.id = "V3";
    e.what = "spot check of 16 segments of the default proof, arena ready";
    e.value = times[1].median() * 1e3;
    e.unit = "ms";
    e.peer = "the evaluation: measured step * 2^28";
    e.peer_value = times[0].median() / kLongSample * steps * 1e3;
    e.target = bench::Target::ratio_at_least(500);
    e.kernel = std::string(best.name);
    e.samples = rounds;
    bench::report(e);

    bench::Entry size;
    size.id = "V5/proof";
    size.what = "proof of 1,024 checkpoints";
    size.value = static_cast<double>(proof.encode().size());
    size.unit = "bytes";
    size.target = bench::Target::value_at_most(33 * 1024);
    size.kernel = "none";
    bench::report(size);
}

/// The most memory that this process has held since the last call of forget_peak(), in KiB.
double peak_kib() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmHWM:")) return std::strtod(line.c_str() + 6, nullptr);
    }
    return 0;
}

bool forget_peak() {
    std::ofstream clear("/proc/self/clear_refs");
    clear << "5" << std::flush;
    return clear.good();
}

void memory(const bench::Options&) {
    if (!forget_peak()) return bench::skip("V5/memory", "no /proc/self/clear_refs");
    {
        const World world(kStepsPerSample, kVerified, 262'144);
        const VdfProof proof = world.sign(world.checkpoints());
        const auto verdict = verify_vdf_full(world.context(), proof, world.arena->view());
        require(verdict.has_value() && verdict->accepted(), "the honest proof is accepted");
    }
    bench::Entry e;
    e.id = "V5/memory";
    e.what = "evaluate and verify: whole process beside the arena";
    e.value = peak_kib() / 1024 - 256;
    e.unit = "MiB";
    e.target = bench::Target::value_at_most(16);
    e.kernel = std::string(best_walk_kernel().name);
    bench::report(e);
}

void hash_chain(const bench::Options& options) {
    const World world(kStepsPerSample, 1, 262'144);
    std::array<std::uint8_t, 1024> block{};
    constexpr std::uint32_t kHashes = 2'000;
    const auto chain = [&] {
        for (std::uint32_t i = 0; i < kHashes; ++i) {
            const Digest d = sha256(block);
            std::copy(d.begin(), d.end(), block.begin());
        }
    };
    const WalkKernel& best = best_walk_kernel();
    const unsigned rounds = options.rounds(25, 101);
    const auto times = bench::interleave(
        rounds, {[&] { walk_fresh(best, world.arena->view(), 1, kStepsPerSample); }, chain});
    bench::Entry e;
    e.id = "V6";
    e.what = "evaluate: steps a second beside SHA-256 over 1 KiB as a step";
    e.value = kStepsPerSample / times[0].median() / 1e6;
    e.unit = "M/s";
    e.peer = "SHA-256 over 1 KiB, OpenSSL";
    e.peer_value = kHashes / times[1].median() / 1e6;
    e.kernel = std::string(best.name);
    e.samples = rounds;
    bench::report(e);
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run(argc, argv,
                      {{"V5/memory", memory},
                       {"V1", evaluate_latency},
                       {"V1/inputs", evaluate_side_by_side},
                       {"V2", verify_full},
                       {"V3", verify_spot},
                       {"V6", hash_chain}});
}
