// A prover that has lost part of its replica and signs links all the same.
//
//   cheating_prover PUBLIC REPLICA KEY FRACTION
//
// Overwrites FRACTION of the chunks of REPLICA (in place: give it a copy; X.tree and X.registration
// beside it), then makes a full proof for every height of the PUBLIC record from what is left, and
// hands each to the verifier, which has public data only. Prints how many links it took until one
// was refused, beside the expected number 1 / (1 - (1 - d)^16). Exit code 0 when it was caught.

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "api/prover.hpp"
#include "api/verifier.hpp"
#include "proofs/entropy.hpp"
#include "storage/file.hpp"
#include "storage/key_file.hpp"

using namespace holdfast;

namespace {

/// The sealed tree as the cheater has it: the tree file from the chunks upward, and whatever bytes
/// the damaged replica holds below.
class DamagedTree final : public NodeSource {
  public:
    DamagedTree(const File& replica, const TreeFile& tree) : replica_(replica), tree_(tree) {}
    std::uint64_t leaves() const override { return tree_.header().replica.cells(); }
    Result<Digest> node(unsigned level, std::uint64_t index) const override {
        Digest out;
        if (level >= kChunkTreeLevel) {
            HOLDFAST_TRY(
                tree_.read_nodes(TreeKind::kSealed, level - kChunkTreeLevel, index, {&out, 1}));
            return out;
        }
        const std::uint64_t per_chunk = kCellsPerChunk >> level;
        HOLDFAST_ASSIGN(bytes, chunk(index / per_chunk));
        std::vector<Digest> cells(kCellsPerChunk);
        chunk_leaf_hashes(ByteView(bytes).first<kChunkBytes>(),
                          std::span<Digest, kCellsPerChunk>(cells));
        return MerkleTree(std::move(cells)).node(level, index % per_chunk);
    }
    Result<Bytes> chunk(std::uint64_t index) const {
        Bytes bytes(kChunkBytes);
        HOLDFAST_TRY(replica_.read_at(kFileHeaderBytes + index * kChunkBytes, bytes));
        return bytes;
    }

  private:
    const File& replica_;
    const TreeFile& tree_;
};

Status overwrite(File& replica, std::uint64_t chunks, double fraction, std::uint64_t& lost) {
    std::mt19937_64 random(20'260'101);
    const Bytes garbage(kChunkBytes, 0xee);
    for (std::uint64_t c = 0; c < chunks; ++c) {
        if (std::generate_canonical<double, 53>(random) >= fraction) continue;
        HOLDFAST_TRY(replica.write_at(kFileHeaderBytes + c * kChunkBytes, garbage));
        ++lost;
    }
    return {};
}

/// A full proof of the height from the damaged file, signed without a look at the tree.
Result<Full> cheat(const PublicRecord& record, const KnownChain& chain, const KnownHeight& known,
                   const DamagedTree& tree, const KeyPair& key, RevealChain& reveals) {
    const NetworkId& network_id = record.network_id();
    Full full;
    full.chain_id = chain.id;
    full.link_before = Link(chain.id);
    if (chain.reveals) full.reveal = reveals.at_height(known.height).value_or(Reveal{});
    const Entropy e = chain_entropy(network_id, *known.y, chain.id, full.reveal);
    const OpenedCells where = opened_cells(e, chain.chunks);
    const auto order = ascending_order(where);
    std::array<Digest, kChunksPerLink> openings;
    std::vector<std::uint64_t> indices;
    for (std::size_t at = 0; at < order.size(); ++at) {
        const OpenedCell& opened = where[order[at]];
        HOLDFAST_ASSIGN(chunk, tree.chunk(opened.chunk.value));
        std::copy_n(chunk.begin() + opened.cell * std::ptrdiff_t{kCellBytes}, kCellBytes,
                    full.cells[at].bytes.begin());
        openings[order[at]] = opening_hash(e, opened, full.cells[at]);
        indices.push_back(opened.index().value);
    }
    HOLDFAST_ASSIGN(siblings, make_multiproof(tree, indices));
    full.siblings = std::move(siblings);
    const Link link = link_hash(network_id, {chain.id, known.height, known.block_hash, known.anchor,
                                             full.link_before, e, opening_root(openings)});
    const Digest signed_digest =
        receipt_digest(network_id, chain.id, known.height, known.block_hash, known.anchor, link);
    HOLDFAST_ASSIGN(signature, key.sign(signed_digest));
    full.receipt = {link, known.height, known.anchor, signature};
    return full;
}

Status run(char** arguments) {
    const double fraction = std::atof(arguments[4]);
    HOLDFAST_ASSIGN(record, PublicRecord::load(arguments[1]));
    HOLDFAST_ASSIGN(key, load_key_pair(arguments[3]));
    const ProverFiles files = ProverFiles::beside(arguments[2]);
    HOLDFAST_ASSIGN(tree, TreeFile::open(files.tree, record.params()));
    HOLDFAST_ASSIGN(replica, File::open(files.replica, File::Mode::kReadWrite));
    const FileHeader& header = tree.header();
    std::uint64_t lost = 0;
    HOLDFAST_TRY(overwrite(replica, header.replica.chunks.value, fraction, lost));
    const double d = static_cast<double>(lost) / static_cast<double>(header.replica.chunks.value);

    ChainId chain_id;
    Height genesis;
    for (const auto& [id, chain] : record.chains()) {
        if (chain.registration.replica_id(record.network_id()) != header.replica_id) continue;
        chain_id = id;
        genesis = chain.registration.genesis_height;
    }
    HOLDFAST_ASSIGN(reveals,
                    RevealChain::make(record.network_id(), header.replica_id, genesis, key));
    const DamagedTree damaged(replica, tree);
    const Verifier verifier(record);
    std::uint64_t links = 0, refused = 0, first = 0;
    for (const auto& [height, facts] : record.heights()) {
        const Result<KnownHeight> known = record.known_height(height);
        const Result<KnownChain> chain = record.known_chain(chain_id, height);
        if (!known || !known->y || !chain || height <= genesis) continue;
        HOLDFAST_ASSIGN(full, cheat(record, *chain, *known, damaged, key, reveals));
        HOLDFAST_ASSIGN(report, verifier.verify(wrap_object(Kind::kFull, full.encode())));
        ++links;
        if (report.verdict) continue;
        ++refused;
        if (first == 0) {
            first = links;
            std::printf(
                "link %llu (height %llu) REFUSED, %s\n", static_cast<unsigned long long>(links),
                static_cast<unsigned long long>(height.value), to_string(report.verdict).c_str());
        }
    }
    const double caught = 1 - std::pow(1 - d, 16);
    std::printf(
        "%.2f%% of the chunks overwritten; caught at link %llu, expected on average at link %.2f\n",
        100 * d, static_cast<unsigned long long>(first), 1 / caught);
    std::printf("over %llu links: %llu refused (%.1f%%), expected %.1f%%\n",
                static_cast<unsigned long long>(links), static_cast<unsigned long long>(refused),
                100.0 * static_cast<double>(refused) / static_cast<double>(links), 100 * caught);
    return first != 0 ? Status{} : fail(ErrorCode::kCorrupt, "the cheater was not caught");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fprintf(stderr, "usage: cheating_prover PUBLIC REPLICA KEY FRACTION\n");
        return 2;
    }
    const Status done = run(argv);
    if (!done) std::fprintf(stderr, "cheating_prover: %s\n", done.error().message.c_str());
    return done && std::fflush(stdout) == 0 ? 0 : 1;
}
