// P1, P3, P4: making links, verifying receipts, compact and full proofs, and their sizes.

#include <openssl/sha.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

#include "api/link_prover.hpp"
#include "bench/result.hpp"
#include "chunking/seal.hpp"
#include "core/hash.hpp"
#include "hierarchy/proof_batch.hpp"
#include "hierarchy/tree.hpp"
#include "proofs/link_verify.hpp"

namespace holdfast::bench {
namespace {

constexpr std::uint64_t kChains = 100'000;
constexpr std::uint64_t kDataBytes = std::uint64_t{64} << 20;
constexpr unsigned kRepeats = 32;  // operations per sample

template <class T>
T expect(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    return std::move(*result);
}

/// A chain of the batch: the same replica under a registration of its own.
struct BatchChain {
    KnownChain chain;
    KnownHeight known;
    std::optional<SignedLink> link;
    std::uint64_t slot = 0;
    AnyProof proof;
};

/// Chains over one replica of 64 MiB, sealed with the dev preset, among 100,000 in a real tree.
class World {
  public:
    World() : key_(KeyPair::from_secret(Bytes(32, 1))) {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "holdfast-bench-XXXXXX").string();
        require(::mkdtemp(pattern.data()) != nullptr, "a temporary folder");
        folder_ = pattern;
        params_.seal_presets = {kSealDev};
        id_ = params_.id();
        std::ofstream(folder_ / "data", std::ios::binary).put('x');
        std::filesystem::resize_file(folder_ / "data", kDataBytes);
        SealRequest request{params_,          key_.public_key(),     kSealDev,          0, {},
                            folder_ / "data", folder_ / "r.replica", folder_ / "r.tree"};
        expect(seal(request));
        replica_ = std::make_unique<Replica>(
            expect(Replica::open(request.replica_path, request.tree_path, params_)));
        records_ = std::make_unique<LinkRecords>(expect(LinkRecords::open(folder_ / "r.chain")));
        chain_ = chain_from(Height(0));
        known_.height = Height(10);
        known_.block_hash = BlockHash(tagged_hash("bench/block"));
        known_.y = VdfOutput(tagged_hash("bench/y"));
        known_.anchor = GlobalDigest(tagged_hash("bench/anchor"));
        known_.previous_global = GlobalDigest(tagged_hash("bench/previous"));
        for (std::uint64_t i = 0;
             !known_.y_compact || full_required(id_, *known_.y_compact, chain_.id); ++i) {
            known_.y_compact = VdfOutput(tagged_hash("bench/y", i));
        }
        facts_ = {chain_.id, known_.height, known_.block_hash,
                  *known_.y, known_.anchor, Link(chain_.id),
                  {}};
        link_ = expect(make_link(id_, *replica_, facts_, key_, *records_));
        link_batch();
        build_tree();
        for (BatchChain& b : batch_) {
            b.known.global = known_.global;
            b.proof =
                expect(to_compact(id_, *replica_, *b.link, paths_.at(b.slot), *known_.y_compact));
        }
        compact_ = expect(to_compact(id_, *replica_, *link_, path_, *known_.y_compact));
        full_ = to_full(*link_);
    }
    ~World() { std::filesystem::remove_all(folder_); }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    /// Equal replicas make different chains from different genesis heights.
    KnownChain chain_from(Height genesis) {
        Registration registration;
        registration.header = replica_->header().replica;
        registration.sealed_root = replica_->header().sealed_root;
        registration.genesis_height = genesis;
        return KnownChain::of(id_, sign_registration(id_, registration, key_).value());
    }

    /// Links of kRepeats more chains, for which a compact proof counts; their slots are neighbours.
    void link_batch() {
        for (std::uint64_t genesis = 1; batch_.size() < kRepeats; ++genesis) {
            BatchChain b;
            b.chain = chain_from(Height(genesis));
            if (full_required(id_, *known_.y_compact, b.chain.id)) continue;
            b.known = known_;
            b.known.link_before = Link(b.chain.id);
            b.slot = kChains / 2 + batch_.size();
            const auto file = folder_ / ("batch" + std::to_string(genesis) + ".chain");
            LinkRecords records = expect(LinkRecords::open(file));
            LinkFacts facts = facts_;
            facts.chain_id = b.chain.id;
            facts.link_before = *b.known.link_before;
            b.link = expect(make_link(id_, *replica_, facts, key_, records));
            batch_.push_back(std::move(b));
        }
    }

    void build_tree() {
        HierarchyTree tree(HierarchyShape::of(params_));
        for (std::uint64_t s = 0; s < kChains; ++s) {
            tree.set(s, {ChainId(tagged_hash("bench/chain", s)), Link(tagged_hash("bench/link", s)),
                         Height(9)});
        }
        tree.set(kChains / 3, {chain_.id, link_->receipt.link, known_.height});
        for (const BatchChain& b : batch_) {
            tree.set(b.slot, {b.chain.id, b.link->receipt.link, known_.height});
        }
        tree.rehash();
        GlobalHeader header{
            known_.height, known_.block_hash, *known_.y, *known_.previous_global, 0, 0};
        known_.global = tree.global(id_, header);
        path_ = *tree.path(kChains / 3);
        for (const BatchChain& b : batch_) paths_[b.slot] = *tree.path(b.slot);
    }

    NetworkParams params_;
    NetworkId id_;
    KeyPair key_;
    std::filesystem::path folder_;
    std::unique_ptr<Replica> replica_;
    std::unique_ptr<LinkRecords> records_;
    KnownChain chain_;
    KnownHeight known_;
    LinkFacts facts_;
    std::optional<SignedLink> link_;
    PathProof path_;
    std::vector<BatchChain> batch_;
    std::map<std::uint64_t, PathProof> paths_;
    Compact compact_;
    Full full_;
};

World& world() {
    static World instance;
    return instance;
}

double per_operation_us(const Samples& samples) { return samples.median() / kRepeats * 1e6; }

void link_warm(const Options& options) {
    World& w = world();
    require(expect(open_link(w.id_, *w.replica_, w.facts_)).link == w.link_->receipt.link,
            "the link made again is the same");
    const auto link = [&] {
        for (unsigned i = 0; i < kRepeats; ++i) {
            const LinkOpening opening = expect(open_link(w.id_, *w.replica_, w.facts_));
            const Digest digest =
                receipt_digest(w.id_, w.chain_.id, w.known_.height, w.known_.block_hash,
                               w.known_.anchor, opening.link);
            benchmark::DoNotOptimize(w.key_.sign(digest).value());
        }
    };
    const auto sign = [&] {
        for (unsigned i = 0; i < kRepeats; ++i)
            benchmark::DoNotOptimize(w.key_.sign(w.known_.anchor).value());
    };
    const auto times = interleave(options.rounds(15, 101), {link, sign});
    report(
        {.id = "P1",
         .what =
             "one chain's link from a 64 MiB replica in cache, signed (without the record's fsync)",
         .value = per_operation_us(times[0]),
         .unit = "us",
         .peer = "its Ed25519 signature alone (OpenSSL)",
         .peer_value = per_operation_us(times[1]),
         .target = Target::value_at_most(150),
         .kernel = std::string(best_sha256_kernel().name),
         .samples = times[0].size()});
}

void verify_all(const Options& options) {
    World& w = world();
    const Receipt& receipt = w.link_->receipt;
    const auto check = [&](Verdict v) { require(v.accepted(), "the proof is accepted"); };
    check(verify_receipt(w.id_, w.chain_, w.known_, receipt));
    check(verify_compact(w.params_, w.id_, w.chain_, w.known_, w.compact_));
    check(verify_full(w.params_, w.id_, w.chain_, w.known_, w.full_));
    Full bad = w.full_;
    bad.cells[3][7] ^= 1;
    require(!verify_full(w.params_, w.id_, w.chain_, w.known_, bad).accepted(),
            "a wrong cell is refused");

    const auto repeat = [](auto&& body) {
        return [body] {
            for (unsigned i = 0; i < kRepeats; ++i) body();
        };
    };
    const auto times = interleave(
        options.rounds(15, 101),
        {repeat(
             [&] { benchmark::DoNotOptimize(verify_receipt(w.id_, w.chain_, w.known_, receipt)); }),
         repeat([&] {
             benchmark::DoNotOptimize(
                 verify_compact(w.params_, w.id_, w.chain_, w.known_, w.compact_));
         }),
         repeat([&] {
             benchmark::DoNotOptimize(verify_full(w.params_, w.id_, w.chain_, w.known_, w.full_));
         }),
         repeat([&] {
             benchmark::DoNotOptimize(
                 verify_signature(w.chain_.prover, w.known_.anchor, receipt.signature));
         })});
    const double signature = per_operation_us(times[3]);
    const auto entry = [&](const char* id, const char* what, std::size_t at, double bound) {
        report({.id = id,
                .what = what,
                .value = per_operation_us(times[at]),
                .unit = "us",
                .peer = "one Ed25519 verification alone (OpenSSL)",
                .peer_value = signature,
                .target = Target::value_at_most(bound),
                .kernel = std::string(best_sha256_kernel().name),
                .samples = times[at].size()});
    };
    entry("P3/receipt", "verify a receipt", 0, 200);
    entry("P3/compact", "verify a compact proof, 100,000 chains", 1, 300);
    entry("P3/full", "verify a full proof", 2, 600);
}

/// Compact proofs of as many chains, one by one and in a batch.
void verify_batch(const Options& options) {
    World& w = world();
    std::vector<ProofItem> items;
    for (const BatchChain& b : w.batch_) items.push_back({&b.chain, &b.known, &b.proof});
    std::vector<ProofItem> with_receipts = items;
    for (std::size_t i = 0; i < items.size(); ++i) {
        with_receipts[i].accepted = &w.batch_[i].link->receipt;
    }
    const auto one_by_one = [&] {
        for (const ProofItem& i : items) {
            const Verdict v = verify_proof(w.params_, w.id_, *i.chain, *i.height, *i.proof);
            require(v.accepted(), "a proof is accepted");
        }
    };
    const auto batch = [&](const std::vector<ProofItem>& of, unsigned threads) {
        BatchWork work;
        for (const Verdict& v : verify_proofs(w.params_, w.id_, of, threads, &work)) {
            require(v.accepted(), "a proof of the batch is accepted");
        }
        require(work.groups == 1, "neighbours share their group");
    };
    const auto times = interleave(options.rounds(15, 101),
                                  {one_by_one, [&] { batch(items, 1); }, [&] { batch(items, 0); },
                                   [&] { batch(with_receipts, 1); }});
    const auto entry = [&](const char* id, const char* what, std::size_t at, unsigned threads) {
        report({.id = id,
                .what = what,
                .value = per_operation_us(times[at]),
                .unit = "us",
                .peer = "the same proofs one by one, one core",
                .peer_value = per_operation_us(times[0]),
                .target = Target::value_at_most(300),
                .kernel = std::string(best_sha256_kernel().name),
                .threads = threads,
                .samples = times[at].size()});
    };
    entry("P3/compact-batch", "verify a compact proof within a batch of 32 chains, all cores", 2,
          options.threads);
    entry("P3/compact-batch-1", "verify a compact proof within a batch of 32 chains, one core", 1,
          1);
    entry("P3/compact-known",
          "the same where the receipts are known already, as a registry has them, one core", 3, 1);
}

/// The Merkle part of one opening at 2^20 chunks: the hash of the cell and 24 nodes above it.
void merkle_path(const Options& options) {
    constexpr std::uint64_t kLeaves = kMaxChunks * kCellsPerChunk;
    constexpr std::uint64_t kIndex = kLeaves / 3;
    Cell cell;
    for (std::size_t i = 0; i < kCellBytes; ++i) cell[i] = static_cast<std::uint8_t>(i * 7);
    std::vector<Digest> path(path_length(kLeaves, kIndex));
    for (std::size_t i = 0; i < path.size(); ++i) path[i] = tagged_hash("bench/node", i);
    const auto ours = [&] { return *root_from_path(kLeaves, kIndex, leaf_hash(view(cell)), path); };
    // The same by the letter of RFC 9162, in a tree whose size is a power of two.
    const auto openssl = [&] {
        std::array<std::uint8_t, 1 + kCellBytes> leaf{};
        std::copy(cell.begin(), cell.end(), leaf.begin() + 1);
        Digest at;
        SHA256(leaf.data(), leaf.size(), at.data());
        std::array<std::uint8_t, 65> node{1};
        for (std::size_t level = 0; level < path.size(); ++level) {
            const bool right = (kIndex >> level & 1) != 0;
            const Digest& first = right ? path[level] : at;
            const Digest& second = right ? at : path[level];
            std::copy(first.begin(), first.end(), node.begin() + 1);
            std::copy(second.begin(), second.end(), node.begin() + 33);
            SHA256(node.data(), node.size(), at.data());
        }
        return at;
    };
    require(ours() == openssl(), "the path leads to the same root by OpenSSL");
    const auto repeat = [](auto&& body) {
        return [body] {
            for (unsigned i = 0; i < kRepeats; ++i) benchmark::DoNotOptimize(body());
        };
    };
    const auto times = interleave(options.rounds(15, 101), {repeat(ours), repeat(openssl)});
    report({.id = "P3/merkle",
            .what = "Merkle part of one opening, 2^20 chunks: a cell's hash and 24 nodes",
            .value = per_operation_us(times[0]),
            .unit = "us",
            .peer = "the same hashes by OpenSSL's SHA256()",
            .peer_value = per_operation_us(times[1]),
            .target = Target::value_at_most(10),
            .kernel = std::string(best_sha256_kernel().name),
            .samples = times[0].size()});
}

/// Sizes at 2^20 chunks and 100,000 chains: the paths have the lengths that those sizes give.
void sizes(const Options&) {
    World& w = world();
    Compact compact = w.compact_;
    compact.cell_path.resize(path_length(kMaxChunks * kCellsPerChunk, 0));
    const std::size_t hashes = w.path_.path.slot_path.size() + w.path_.path.group_path.size() +
                               w.path_.path.region_path.size();
    require(hashes == 18, "100,000 chains take 18 hashes");
    Full full = w.full_;
    // Sixteen cells in sixteen parts of the tree that share no more than the top four levels.
    std::vector<std::uint64_t> apart;
    for (std::uint64_t i = 0; i < kChunksPerLink; ++i) apart.push_back(i * kMaxChunks);
    full.siblings.resize(multiproof_length(kMaxChunks * kCellsPerChunk, apart));
    const auto entry = [](const char* id, const char* what, std::size_t bytes, double bound) {
        report({.id = id,
                .what = what,
                .value = static_cast<double>(bytes),
                .unit = "bytes",
                .target = Target::value_at_most(bound)});
    };
    entry("P4/receipt", "receipt", w.link_->receipt.encode().size(), 136);
    entry("P4/compact", "compact, 2^20 chunks, 100,000 chains", compact.encode().size(), 2046);
    entry("P4/full", "full, 2^20 chunks, the worst case", full.encode().size(), 16384);
    entry("P4/path", "path, 100,000 chains", w.path_.encode().size(), 1024);
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
    using namespace holdfast::bench;
    return run(argc, argv,
               {{"P1", link_warm},
                {"P3", verify_all},
                {"P3/batch", verify_batch},
                {"P3/merkle", merkle_path},
                {"P4", sizes}});
}
