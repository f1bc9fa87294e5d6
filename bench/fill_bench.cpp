// V4 and S3: the memory-hard fill, every kernel beside libargon2 in the same rounds; one lane, one
// core. Every tag is compared with libargon2's before anything is timed.
#include <argon2.h>

#include "bench/result.hpp"
#include "core/fill.hpp"

namespace {

using namespace holdfast;

struct Size {
    std::string name;
    std::uint32_t kib;
    std::uint32_t passes;
};

FillSpec spec_of(const Size& size) {
    FillSpec spec;
    spec.passes = size.passes;
    spec.blocks = size.kib;
    spec.password = view("a password, as long as a digest.");
    spec.salt = view("holdfast-seal-v1");
    return spec;
}

Digest fill_once(const FillKernel& kernel, const Size& size, const FillMemory& memory) {
    FillOptions options;
    options.kernel = &kernel;
    const FillSpec spec = spec_of(size);
    const MutByteView bytes{memory.data(), static_cast<std::size_t>(memory.size())};
    bench::require(fill(spec, bytes, options).has_value(), "the fill ends");
    return argon2d_tag(spec, bytes);
}

Digest libargon2_once(const Size& size) {
    const FillSpec spec = spec_of(size);
    Digest tag;
    const int code =
        argon2d_hash_raw(spec.passes, size.kib, 1, spec.password.data(), spec.password.size(),
                         spec.salt.data(), spec.salt.size(), tag.data(), tag.size());
    bench::require(code == ARGON2_OK, "libargon2 ends");
    return tag;
}

struct Measured {
    std::string kernel;
    double seconds;  // one fill, all passes
};

/// Every usable kernel, then libargon2, round by round.
std::vector<Measured> measure(const Size& size, unsigned rounds) {
    Result<FillMemory> memory = FillMemory::allocate(std::uint64_t{size.kib} * 1024);
    bench::require(memory.has_value(), "memory for the fill");
    const Digest expected = libargon2_once(size);
    std::vector<Measured> out;
    std::vector<std::function<void()>> functions;
    for (const FillKernel& kernel : fill_kernels()) {
        if (!kernel.usable()) continue;
        bench::require(fill_once(kernel, size, *memory) == expected, "the tag equals libargon2's");
        functions.emplace_back([&] { (void)fill_once(kernel, size, *memory); });
        out.push_back({std::string(kernel.name), 0});
    }
    functions.emplace_back([&] { (void)libargon2_once(size); });
    out.push_back({"libargon2", 0});
    const std::vector<bench::Samples> samples = bench::interleave(rounds, functions);
    for (std::size_t i = 0; i < out.size(); ++i) out[i].seconds = samples[i].median();
    return out;
}

void per_pass(const bench::Options& options) {
    const Size size{"256 MiB", 262'144, 2};
    const unsigned rounds = options.rounds(5, 15);
    const std::vector<Measured> all = measure(size, rounds);
    const double peer = all.back().seconds / size.passes;
    for (const Measured& m : all) {
        if (m.kernel == "libargon2") continue;
        bench::Entry entry;
        entry.id = "V4/" + m.kernel;
        entry.what = "fill: one pass over 256 MiB, one lane";
        entry.value = m.seconds / size.passes * 1e3;
        entry.unit = "ms";
        entry.peer = "libargon2, same inputs";
        entry.peer_value = peer * 1e3;
        if (m.kernel == "avx512") entry.target = bench::Target::ratio_at_least(3);
        if (m.kernel == "avx2") entry.target = bench::Target::ratio_at_least(2);
        entry.kernel = m.kernel;
        entry.samples = rounds;
        bench::report(entry);
    }
}

void per_block(const bench::Options& options, const Size& size, double most_ns) {
    const unsigned rounds = options.rounds(5, 25);
    const std::vector<Measured> all = measure(size, rounds);
    const double blocks = static_cast<double>(size.kib) * size.passes;
    for (const Measured& m : all) {
        if (m.kernel == "libargon2") continue;
        bench::Entry entry;
        entry.id = "S3/" + size.name + "/" + m.kernel;
        entry.what = "fill: one block of one pass";
        entry.value = m.seconds / blocks * 1e9;
        entry.unit = "ns";
        entry.peer = "libargon2, same inputs";
        entry.peer_value = all.back().seconds / blocks * 1e9;
        if (m.kernel == "avx512") entry.target = bench::Target::value_at_most(most_ns);
        entry.kernel = m.kernel;
        entry.samples = rounds;
        bench::report(entry);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const auto large = [](const bench::Options& o) { per_block(o, {"128MiB", 131'072, 2}, 480); };
    const auto small = [](const bench::Options& o) { per_block(o, {"64KiB", 64, 256}, 220); };
    return bench::run(argc, argv, {{"V4", per_pass}, {"S3/128MiB", large}, {"S3/64KiB", small}});
}
