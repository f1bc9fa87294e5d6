// S1, S2: sealing one window on one core, beside the fill that it cannot do without.

#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "bench/result.hpp"
#include "chunking/keystream.hpp"
#include "chunking/seal.hpp"
#include "chunking/unseal.hpp"
#include "core/file.hpp"
#include "core/keys.hpp"

namespace holdfast::bench {
namespace {

constexpr std::uint64_t kDataBytes = std::uint64_t{64} << 20;

template <class T>
T expect(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    return std::move(*result);
}

void expect(const Status& status) {
    if (!status) throw std::runtime_error(status.error().message);
}

class Folder {
  public:
    Folder() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "holdfast-bench-XXXXXX").string();
        require(::mkdtemp(pattern.data()) != nullptr, "a temporary folder");
        path_ = pattern;
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] std::filesystem::path operator/(const char* name) const { return path_ / name; }

  private:
    std::filesystem::path path_;
};

/// Bytes that no file system and no kernel can treat as a special case.
Bytes source_bytes() {
    Bytes bytes(kDataBytes);
    std::uint64_t x = 1;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        x = x * 6364136223846793005U + 1442695040888963407U;
        bytes[i] = static_cast<std::uint8_t>(x >> 56);
    }
    return bytes;
}

void seal_preset_bench(const Options& options, const SealParams& preset, const std::string& name,
                       double share_of_fill, double mib_per_second) {
    const Folder folder;
    const Bytes data = source_bytes();
    expect(write_file(folder / "data", data));
    SealRequest request;
    request.network.seal_presets = {preset};
    request.prover = KeyPair::from_secret(Bytes(32, 1)).public_key();
    request.seal = preset;
    request.source = folder / "data";
    request.replica_path = folder / "r.replica";
    request.tree_path = folder / "r.tree";
    SealOptions sealing;
    sealing.workers = 1;
    const auto remove = [&] {
        std::filesystem::remove(request.replica_path);
        std::filesystem::remove(request.tree_path);
    };

    const SealedReplica sealed = expect(seal(request, sealing));
    const Replica replica =
        expect(Replica::open(request.replica_path, request.tree_path, request.network));
    Bytes back(kDataBytes);
    expect(unseal_range(replica, 0, back));
    require(back == data, "what was sealed unseals to the same bytes");
    remove();

    const WindowPlan plan(sealed.header.replica.chunks, preset);
    const Window window = plan.window(0);
    const FillMemory memory = expect(FillMemory::allocate(window.bytes()));
    const auto times =
        interleave(options.rounds(3, 11),
                   {[&] {
                        remove();
                        benchmark::DoNotOptimize(expect(seal(request, sealing)));
                    },
                    [&] {
                        for (std::uint64_t w = 0; w < plan.count(); ++w) {
                            expect(fill_keystream(sealed.header.replica_id, plan.window(w),
                                                  {memory.data(), plan.window(w).bytes()}));
                        }
                    }});
    const double mib = static_cast<double>(kDataBytes) / 1048576.0;
    const double rate = mib / times[0].median();
    const double limit = mib / times[1].median();
    report({.id = "S1/" + name,
            .what = "seal 64 MiB on one core: reading, both trees and writing beside the fill",
            .value = rate,
            .unit = "MiB/s",
            .peer = "the fill alone, same passes",
            .peer_value = limit,
            .target = Target::ratio_at_least(share_of_fill),
            .kernel = std::string(best_fill_kernel().name),
            .samples = times[0].size()});
    report({.id = "S2/" + name,
            .what = "seal, one core",
            .value = rate,
            .unit = "MiB/s",
            .peer = "the fill alone, same passes",
            .peer_value = limit,
            .target = Target::value_at_least(mib_per_second),
            .kernel = std::string(best_fill_kernel().name),
            .samples = times[0].size()});
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
    using namespace holdfast::bench;
    using holdfast::kSealEconomy;
    using holdfast::kSealStandard;
    const auto standard = [](const Options& o) {
        seal_preset_bench(o, kSealStandard, "standard", 0.9, 25);
    };
    const auto economy = [](const Options& o) {
        seal_preset_bench(o, kSealEconomy, "economy", 0.8, 120);
    };
    return run(argc, argv, {{"S2/standard", standard}, {"S2/economy", economy}});
}
