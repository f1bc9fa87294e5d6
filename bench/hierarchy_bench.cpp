// H1 to H4: aggregation in memory. 100,000 and 1,000,000 chains with every link changed, one chain
// changed, path proofs, bytes a chain. Digests are compared with a tree built hash by hash, and
// paths with the trusted rooms, before anything is timed.
#include <benchmark/benchmark.h>

#include <memory>

#include "bench/result.hpp"
#include "core/hash.hpp"
#include "core/merkle.hpp"
#include "hierarchy/tree.hpp"
#include "proofs/link_verify.hpp"

namespace {

using namespace holdfast;

constexpr std::uint64_t kChains = 100'000;
constexpr std::uint64_t kManyChains = 1'000'000;

NetworkParams network() { return NetworkParams{}; }

ChainLeaf leaf_of(std::uint64_t slot, std::uint64_t version) {
    ChainLeaf leaf;
    leaf.chain_id = ChainId(tagged_hash("bench/chain", slot));
    leaf.link = Link(tagged_hash("bench/link", slot, version));
    leaf.link_height = Height(1'000 + version);
    return leaf;
}

std::vector<ChainLeaf> leaves_of(std::uint64_t chains, std::uint64_t version) {
    std::vector<ChainLeaf> out;
    out.reserve(chains);
    for (std::uint64_t s = 0; s < chains; ++s) out.push_back(leaf_of(s, version));
    return out;
}

/// All chains of one height, and the next.
struct Aggregation {
    explicit Aggregation(std::uint64_t chains)
        : versions{leaves_of(chains, 0), leaves_of(chains, 1)},
          tree(HierarchyShape::of(network())) {
        change_all(0);
    }
    GlobalDigest change_all(unsigned threads) {
        const std::vector<ChainLeaf>& leaves = versions[turn++ % 2];
        for (std::uint64_t s = 0; s < leaves.size(); ++s) tree.set(s, leaves[s]);
        (void)tree.rehash(threads);
        return digest();
    }
    GlobalDigest change_one() {
        const std::uint64_t slot = turn * 7'919 % versions[0].size();
        tree.set(slot, versions[turn++ % 2][slot]);
        (void)tree.rehash();
        return digest();
    }
    [[nodiscard]] GlobalDigest digest() const { return tree.global(id, header); }

    NetworkId id = network().id();
    GlobalHeader header;
    std::vector<ChainLeaf> versions[2];
    HierarchyTree tree;
    std::uint64_t turn = 0;
};

/// The same digest one hash after another on one core, with OpenSSL's single-buffer SHA-256.
GlobalDigest hash_by_hash(const Aggregation& a, const std::vector<ChainLeaf>& leaves) {
    const auto root = [](std::vector<Digest> level) {
        while (level.size() > 1) {
            std::vector<Digest> above;
            for (std::size_t i = 0; i + 1 < level.size(); i += 2) {
                above.push_back(node_hash(level[i], level[i + 1]));
            }
            if (level.size() % 2 != 0) above.push_back(level.back());
            level = std::move(above);
        }
        return level.empty() ? empty_tree_root() : level[0];
    };
    const NetworkParams params = network();
    const std::uint64_t per_group = params.group_slots;
    std::vector<Digest> regions;
    std::uint64_t done = 0;
    while (done < leaves.size()) {
        const auto r = static_cast<std::uint32_t>(regions.size());
        std::vector<Digest> groups;
        std::uint64_t active = 0;
        for (std::uint32_t g = 0; g < params.region_groups && done < leaves.size(); ++g) {
            const std::uint64_t end = std::min<std::uint64_t>(done + per_group, leaves.size());
            const auto slots = static_cast<std::uint32_t>(end - done);
            std::vector<Digest> hashes;
            for (; done < end; ++done) hashes.push_back(leaves[done].hash());
            active += slots;
            groups.push_back(leaf_hash(view(group_digest(r, g, slots, slots, root(hashes)))));
        }
        const auto count = static_cast<std::uint32_t>(groups.size());
        regions.push_back(leaf_hash(view(region_digest(r, count, active, root(groups)))));
    }
    GlobalHeader header = a.header;
    header.regions = static_cast<std::uint32_t>(regions.size());
    header.total_chains = leaves.size();
    return global_digest(a.id, header, root(regions));
}

Aggregation& shared() {
    static Aggregation a(kChains);
    return a;
}

void close_all(const bench::Options& options, const std::string& id, std::uint64_t chains,
               double target_ms) {
    auto a = std::make_unique<Aggregation>(chains);
    const GlobalDigest expected[2] = {hash_by_hash(*a, a->versions[0]),
                                      hash_by_hash(*a, a->versions[1])};
    bench::require(a->digest() == expected[0], "the digest of the first height");
    bench::require(a->change_all(1) == expected[1], "the digest with one thread");
    bench::require(a->change_all(0) == expected[0], "the digest with all threads");
    const auto samples =
        bench::interleave(options.rounds(7, 31),
                          {
                              [&] { (void)a->change_all(0); },
                              [&] { (void)a->change_all(1); },
                              [&] { benchmark::DoNotOptimize(hash_by_hash(*a, a->versions[0])); },
                          });
    const char* what[] = {"all links changed, aggregated", "the same on one core"};
    for (int i = 0; i < 2; ++i) {
        bench::Entry entry;
        entry.id = i == 0 ? id : id + "/one-core";
        entry.what = std::to_string(chains) + " chains: " + what[i];
        entry.value = samples[i].median() * 1e3;
        entry.unit = "ms";
        entry.peer = "hash by hash, one core, OpenSSL";
        entry.peer_value = samples[2].median() * 1e3;
        if (i == 0) entry.target = bench::Target::value_at_most(target_ms);
        entry.kernel = "batch";
        entry.threads = i == 0 ? options.threads : 1;
        entry.samples = samples[i].size();
        bench::report(entry);
    }
}

void one_chain(const bench::Options& options) {
    Aggregation& a = shared();
    (void)a.change_one();
    HierarchyTree whole(HierarchyShape::of(network()));
    for (std::uint64_t s = 0; s < kChains; ++s) whole.set(s, a.tree.leaf(s).value());
    (void)whole.rehash();
    bench::require(whole.global(a.id, a.header) == a.digest(), "the digest after one change");
    constexpr unsigned kBatch = 1'000;
    const auto samples = bench::interleave(options.rounds(9, 51), {[&] {
                                               for (unsigned i = 0; i < kBatch; ++i) {
                                                   benchmark::DoNotOptimize(a.change_one());
                                               }
                                           }});
    bench::Entry entry;
    entry.id = "H2";
    entry.what = "100,000 chains: one chain changed, new global digest";
    entry.value = samples[0].median() / kBatch * 1e6;
    entry.unit = "us";
    entry.target = bench::Target::value_at_most(20);
    entry.samples = samples[0].size();
    bench::report(entry);
}

void paths(const bench::Options& options) {
    Aggregation& a = shared();
    const NetworkParams params = network();
    KnownHeight known;
    known.height = a.header.height;
    known.block_hash = a.header.block_hash;
    known.y = a.header.y;
    known.previous_global = a.header.previous;
    known.global = a.digest();
    std::vector<PathProof> proofs;
    for (std::uint64_t s = 0; s < kChains; s += 101) {
        proofs.push_back(a.tree.path(s).value());
        bench::require(verify_path(params, a.id, known, proofs.back()).accepted(), "every path");
        PathProof wrong = proofs.back();
        wrong.path.active ^= 1;
        bench::require(!verify_path(params, a.id, known, wrong), "a path with another count");
    }
    const auto samples =
        bench::interleave(options.rounds(9, 51),
                          {[&] {
                               for (std::uint64_t s = 0; s < kChains; s += 101) {
                                   benchmark::DoNotOptimize(a.tree.path(s).value());
                               }
                           },
                           [&] {
                               for (const PathProof& p : proofs) {
                                   benchmark::DoNotOptimize(verify_path(params, a.id, known, p));
                               }
                           }});
    const char* ids[] = {"H3/make", "H3/verify"};
    const char* what[] = {"path proof under the newest digest, made", "path proof verified"};
    const double targets[] = {50, 20};
    for (int i = 0; i < 2; ++i) {
        bench::Entry entry;
        entry.id = ids[i];
        entry.what = std::string("100,000 chains: ") + what[i];
        entry.value = samples[i].median() / static_cast<double>(proofs.size()) * 1e6;
        entry.unit = "us";
        entry.target = bench::Target::value_at_most(targets[i]);
        entry.samples = samples[i].size();
        bench::report(entry);
    }
}

void memory(const bench::Options&) {
    constexpr double kIdAndLinkBytes = 64;
    bench::Entry entry;
    entry.id = "H4";
    entry.what = "100,000 chains: memory of the tree beside ids and links, a chain";
    entry.value = static_cast<double>(shared().tree.memory_bytes()) / kChains - kIdAndLinkBytes;
    entry.unit = "bytes";
    entry.target = bench::Target::value_at_most(200);
    bench::report(entry);
}

void aggregate_all(benchmark::State& state) {
    Aggregation& a = shared();
    for (auto _ : state) benchmark::DoNotOptimize(a.change_all(0));
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kChains));
}
BENCHMARK(aggregate_all)->Unit(benchmark::kMillisecond)->UseRealTime();

void aggregate_one(benchmark::State& state) {
    Aggregation& a = shared();
    for (auto _ : state) benchmark::DoNotOptimize(a.change_one());
}
BENCHMARK(aggregate_one)->Unit(benchmark::kMicrosecond);

void make_path(benchmark::State& state) {
    Aggregation& a = shared();
    std::uint64_t slot = 0;
    for (auto _ : state) benchmark::DoNotOptimize(a.tree.path(slot = (slot + 7'919) % kChains));
}
BENCHMARK(make_path)->Unit(benchmark::kMicrosecond);

}  // namespace

int main(int argc, char** argv) {
    return bench::run(
        argc, argv,
        {{"H1", [](const auto& o) { close_all(o, "H1", kChains, 50); }},
         {"H1/million", [](const auto& o) { close_all(o, "H1/million", kManyChains, 600); }},
         {"H2", one_chain},
         {"H3", paths},
         {"H4", memory}});
}
