// S1, S2: sealing on one core, beside the fill that it cannot do without, by the clock and by the
// time that the processor spent. S4: one chunk and the whole file back. S5: two workers beside one.
// S6: what a cheater spends on one challenged chunk.

#include <sys/resource.h>

#include "bench/scratch.hpp"
#include "chunking/seal.hpp"
#include "chunking/unseal.hpp"
#include "core/keys.hpp"
#include "core/keystream.hpp"
#include "storage/file.hpp"

namespace holdfast::bench {
namespace {

constexpr std::uint64_t kMib = std::uint64_t{1} << 20;

/// A source file, what it is sealed with, and its first sealing, whose answer has been checked.
class Sealing {
  public:
    Sealing(const SealParams& preset, std::uint64_t data_bytes) : data_bytes_(data_bytes) {
        const Bytes data = source_bytes(data_bytes);
        expect(write_file(folder_ / "data", data));
        request_.network.seal_presets = {preset};
        request_.prover = KeyPair::from_secret(Bytes(32, 1)).public_key();
        request_.seal = preset;
        request_.source = folder_ / "data";
        request_.replica_path = folder_ / "r.replica";
        request_.tree_path = folder_ / "r.tree";
        header_ = again(0).header;
        Bytes back(data_bytes);
        expect(unseal_range(open(), 0, back));
        require(back == data, "what was sealed unseals to the same bytes");
    }
    /// Seals again.
    SealedReplica again(unsigned workers) const {
        std::filesystem::remove(request_.replica_path);
        std::filesystem::remove(request_.tree_path);
        SealOptions sealing;
        sealing.workers = workers;
        return expect(seal(request_, sealing));
    }
    [[nodiscard]] Replica open() const {
        return expect(Replica::open(request_.replica_path, request_.tree_path, request_.network));
    }
    [[nodiscard]] std::filesystem::path path(const char* name) const { return folder_ / name; }
    [[nodiscard]] WindowPlan plan() const { return {header_.replica.chunks, request_.seal}; }
    [[nodiscard]] const ReplicaId& replica_id() const { return header_.replica_id; }
    [[nodiscard]] double mib() const { return static_cast<double>(data_bytes_) / kMib; }

  private:
    Folder folder_;
    std::uint64_t data_bytes_;
    SealRequest request_;
    FileHeader header_;
};

/// Seconds that all threads of this process have spent on processors.
double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void seal_preset_bench(const Options& options, const SealParams& preset, const std::string& name,
                       std::uint64_t data_bytes, double share_of_fill, double mib_per_second) {
    const Sealing sealing(preset, data_bytes);
    const WindowPlan plan = sealing.plan();
    const FillMemory memory = expect(FillMemory::allocate(plan.largest_bytes()));
    std::vector<double> on_cpu;
    const auto times = interleave(
        options.rounds(2, 7),
        {[&] {
             const double before = cpu_seconds();
             benchmark::DoNotOptimize(sealing.again(1));
             on_cpu.push_back(cpu_seconds() - before);
         },
         [&] {
             for (std::uint64_t w = 0; w < plan.count(); ++w) {
                 const Window window = plan.window(w);
                 expect(fill_keystream(sealing.replica_id(), window,
                                       {memory.data(), static_cast<std::size_t>(window.bytes())}));
             }
         }});
    std::ranges::sort(on_cpu);
    const double limit = sealing.mib() / times[1].median();
    Entry entry{.id = "S1/" + name,
                .what = "seal " + std::to_string(plan.count()) +
                        " windows with one worker: reading, both trees and writing beside the fill",
                .value = sealing.mib() / times[0].median(),
                .unit = "MiB/s",
                .peer = "the fill alone, same passes",
                .peer_value = limit,
                .target = Target::ratio_at_least(share_of_fill),
                .kernel = std::string(best_fill_kernel().name),
                .samples = times[0].size()};
    report(entry);
    entry.id = "S2/" + name;
    entry.what = "seal, one core";
    entry.target = Target::value_at_least(mib_per_second);
    report(entry);
    entry.id = "S1/" + name + "/processor";
    entry.what = "the same for each second of processor time, all threads: no wait for the disk";
    entry.value = sealing.mib() / on_cpu[on_cpu.size() / 2];
    entry.target = {};
    report(entry);
    report({.id = "S6/" + name,
            .what = "one challenged chunk from the raw copy: a fill of " +
                    std::to_string(plan.largest_bytes() / kMib) + " MiB, one thread",
            .value = times[1].median() / static_cast<double>(plan.count()),
            .unit = "s",
            .peer = "the deadline of a response",
            .peer_value = 0.5,
            .kernel = std::string(best_fill_kernel().name),
            .samples = times[1].size()});
}

void unseal_bench(const Options& options) {
    const Sealing sealing(kSealEconomy, 256 * kMib);
    const Replica replica = sealing.open();
    const Window window = sealing.plan().window(0);
    const FillMemory memory = expect(FillMemory::allocate(window.bytes()));
    Bytes chunk(kChunkBytes);
    UnsealOptions alone;
    alone.workers = 1;
    const auto times = interleave(
        options.rounds(2, 7),
        {[&] { expect(unseal_range(replica, 5 * kChunkBytes, chunk)); },
         [&] {
             expect(fill_keystream(sealing.replica_id(), window,
                                   {memory.data(), static_cast<std::size_t>(window.bytes())}));
         },
         [&] {
             std::filesystem::remove(sealing.path("back"));
             expect(unseal(replica, sealing.path("back"), alone));
         },
         [&] { benchmark::DoNotOptimize(sealing.again(1)); }});
    const std::string kernel(best_fill_kernel().name);
    report({.id = "S4/chunk",
            .what = "one chunk of the original back, window of 256 MiB",
            .value = times[0].median(),
            .unit = "s",
            .peer = "one window's fill",
            .peer_value = times[1].median(),
            .target = Target::ratio_at_least(0.9),
            .kernel = kernel,
            .samples = times[0].size()});
    report({.id = "S4/bulk",
            .what = "unseal a file at economy, one core",
            .value = sealing.mib() / times[2].median(),
            .unit = "MiB/s",
            .peer = "sealing it",
            .peer_value = sealing.mib() / times[3].median(),
            .target = Target::ratio_at_least(1),
            .kernel = kernel,
            .samples = times[2].size()});
}

void scaling_bench(const Options& options) {
    const Sealing sealing(kSealStandard, 256 * kMib);
    const auto times =
        interleave(options.rounds(1, 5), {[&] { benchmark::DoNotOptimize(sealing.again(2)); },
                                          [&] { benchmark::DoNotOptimize(sealing.again(1)); }});
    report({.id = "S5/standard",
            .what = "seal two windows with two workers",
            .value = sealing.mib() / times[0].median(),
            .unit = "MiB/s",
            .peer = "with one worker",
            .peer_value = sealing.mib() / times[1].median(),
            .target = Target::ratio_at_least(1.8),
            .kernel = std::string(best_fill_kernel().name),
            .threads = 2,
            .samples = times[0].size()});
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
    using namespace holdfast::bench;
    using holdfast::kSealEconomy;
    using holdfast::kSealStandard;
    const auto standard = [](const Options& o) {
        seal_preset_bench(o, kSealStandard, "standard", 256 * kMib, 0.9, 25);
    };
    const auto economy = [](const Options& o) {
        seal_preset_bench(o, kSealEconomy, "economy", 512 * kMib, 0.8, 120);
    };
    return run(argc, argv,
               {{"S2/standard", standard},
                {"S2/economy", economy},
                {"S4/economy", unseal_bench},
                {"S5/standard", scaling_bench}});
}
