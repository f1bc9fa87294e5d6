// S8: Merkle trees and batches of equal messages, every SHA-256 kernel beside OpenSSL's single
// buffer in the same rounds, one core. All digests are compared with OpenSSL's before anything is
// timed.
#include "bench/result.hpp"
#include "core/cpu.hpp"
#include "core/hash.hpp"
#include "core/merkle.hpp"

namespace {

using namespace holdfast;

const Bytes& data() {
    static const Bytes bytes = [] {
        Bytes b(4 << 20);
        for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<std::uint8_t>(i * i + i / 7);
        return b;
    }();
    return bytes;
}

/// The tree over the cells of data(), leaves and nodes by one kernel alone.
Digest root_by(const Sha256Kernel& kernel) {
    std::vector<Digest> level(data().size() / kCellBytes);
    const auto* nodes = reinterpret_cast<const std::uint8_t*>(level.data());
    sha256_batch(kernel, {data().data(), kCellBytes, kCellBytes, level.size(), std::uint8_t{0}},
                 level);
    for (std::size_t n = level.size() / 2; n >= 1; n /= 2) {
        sha256_batch(kernel, {nodes, 64, 64, n, std::uint8_t{1}}, std::span(level).first(n));
    }
    return level[0];
}

Digest root_by_library() {
    std::vector<Digest> roots(data().size() / kChunkBytes);
    chunk_roots(data().data(), roots);
    return merkle_root(roots);
}

void trees(const bench::Options& options) {
    const Sha256Kernel& openssl = sha256_kernels().front();
    const Digest expected = root_by(openssl);
    std::vector<std::string> names;
    std::vector<std::function<void()>> functions;
    for (const Sha256Kernel& kernel : sha256_kernels()) {
        if (!kernel.usable()) continue;
        bench::require(root_by(kernel) == expected, "the root equals OpenSSL's");
        functions.emplace_back([&kernel] { (void)root_by(kernel); });
        names.emplace_back(kernel.name);
    }
    bench::require(root_by_library() == expected, "the library's root equals OpenSSL's");
    functions.emplace_back([] { (void)root_by_library(); });
    names.emplace_back("library");
    const unsigned rounds = options.rounds(15, 101);
    const std::vector<bench::Samples> samples = bench::interleave(rounds, functions);
    const double mib = static_cast<double>(data().size()) / (1 << 20);
    for (std::size_t i = 1; i < names.size(); ++i) {
        bench::Entry entry;
        entry.id = "S8/tree/" + names[i];
        entry.what = "Merkle tree over cells of 256 bytes";
        entry.value = mib / samples[i].median();
        entry.unit = "MiB/s";
        entry.peer = "OpenSSL, one message at a time";
        entry.peer_value = mib / samples[0].median();
        entry.kernel = names[i];
        entry.samples = rounds;
        if (names[i] == "library") {
            entry.target = bench::Target::ratio_at_least(cpu_has_shani() ? 1 : 5);
            entry.kernel = best_sha256_kernel().name;
        }
        bench::report(entry);
    }
}

struct Shape {
    std::string name;
    std::size_t bytes;
    std::optional<std::uint8_t> prefix;
};

void batches(const bench::Options& options, const Shape& shape) {
    constexpr std::size_t kCount = 256;
    const HashBatch batch{data().data(), shape.bytes, shape.bytes, kCount, shape.prefix};
    std::vector<Digest> expected(kCount);
    std::vector<Digest> out(kCount);
    sha256_batch(sha256_kernels().front(), batch, expected);
    std::vector<std::string> names;
    std::vector<std::function<void()>> functions;
    for (const Sha256Kernel& kernel : sha256_kernels()) {
        if (!kernel.usable()) continue;
        sha256_batch(kernel, batch, out);
        bench::require(out == expected, "the digests equal OpenSSL's");
        functions.emplace_back([&] { sha256_batch(kernel, batch, out); });
        names.emplace_back(kernel.name);
    }
    const unsigned rounds = options.rounds(101, 1'001);
    const std::vector<bench::Samples> samples = bench::interleave(rounds, functions);
    for (std::size_t i = 1; i < names.size(); ++i) {
        bench::Entry entry;
        entry.id = "S8/" + shape.name + "/" + names[i];
        entry.what = "SHA-256 of 256 messages of " + std::to_string(shape.bytes) + " bytes";
        entry.value = kCount / samples[i].median() / 1e6;
        entry.unit = "M/s";
        entry.peer = "OpenSSL, one message at a time";
        entry.peer_value = kCount / samples[0].median() / 1e6;
        entry.kernel = names[i];
        entry.samples = rounds;
        bench::report(entry);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const auto shape = [](std::string name, std::size_t bytes, std::optional<std::uint8_t> prefix) {
        return bench::Case{"S8/" + name,
                           [=](const bench::Options& o) { batches(o, {name, bytes, prefix}); }};
    };
    return bench::run(argc, argv,
                      {{"S8/tree", trees},
                       shape("node", 64, std::uint8_t{1}),
                       shape("message_64", 64, {}),
                       shape("message_4096", 4'096, {})});
}
