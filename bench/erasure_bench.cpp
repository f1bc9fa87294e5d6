// S7: shards of a file, beside ISA-L's coding of the same bytes in memory. S9: scrubbing, beside
// the tree over the same bytes.

#include <isa-l/erasure_code.h>

#include "bench/scratch.hpp"
#include "chunking/erasure.hpp"
#include "chunking/file_header.hpp"
#include "chunking/scrub.hpp"
#include "chunking/seal.hpp"
#include "core/keys.hpp"
#include "core/merkle.hpp"
#include "storage/file.hpp"

namespace holdfast::bench {
namespace {

constexpr std::uint64_t kDataBytes = std::uint64_t{128} << 20;
constexpr int kData = 4;
constexpr int kParity = 2;

double mib_per_second(const Samples& times) {
    return static_cast<double>(kDataBytes) / 1048576.0 / times.median();
}

/// ISA-L's own coding of the shape, with the matrix that the protocol fixes.
class PlainCode {
  public:
    explicit PlainCode(Bytes data)
        : data_(std::move(data)), tables_(32 * kData * kParity), parity_(kParity * kShard) {
        Bytes matrix = coding_matrix({kData, kParity});
        ec_init_tables(kData, kParity, matrix.data() + kData * kData, tables_.data());
    }
    void encode() {
        std::uint8_t* in[kData];
        std::uint8_t* out[kParity];
        // A piece at a time, so that what is coded stands in a cache.
        constexpr std::uint64_t kPiece = 32'768;
        for (std::uint64_t at = 0; at < kShard; at += kPiece) {
            for (int i = 0; i < kData; ++i) in[i] = data_.data() + i * kShard + at;
            for (int i = 0; i < kParity; ++i) out[i] = parity_.data() + i * kShard + at;
            ec_encode_data(kPiece, kData, kParity, tables_.data(), in, out);
        }
    }
    /// Data shards of `length` bytes one behind the other, then room for the parity.
    void encode(Bytes& shards, std::uint64_t length) {
        std::uint8_t* all[kData + kParity];
        for (int i = 0; i < kData + kParity; ++i) all[i] = shards.data() + i * length;
        ec_encode_data(static_cast<int>(length), kData, kParity, tables_.data(), all, all + kData);
    }
    [[nodiscard]] const Bytes& data() const { return data_; }
    [[nodiscard]] ByteView parity(int shard) const {
        return ByteView(parity_).subspan(shard * kShard, kShard);
    }

    static constexpr std::uint64_t kShard = kDataBytes / kData;

  private:
    Bytes data_;
    Bytes tables_;
    Bytes parity_;
};

/// What a plain program does with ISA-L and files: a piece of every shard read, coded, written; all
/// durable at the end. No root, so nobody could tell a good shard from a bad one.
void stream_plainly(const Folder& folder, PlainCode& plain) {
    constexpr std::uint64_t kPiece = 1 << 20;
    const File source = expect(File::open(folder / "data", File::Mode::kRead));
    std::vector<File> out;
    for (int i = 0; i < kData + kParity; ++i) {
        const auto path = folder / ("plain" + std::to_string(i));
        std::filesystem::remove(path);
        out.push_back(expect(File::open(path, File::Mode::kCreateNew)));
    }
    Bytes buffer((kData + kParity) * kPiece);
    const auto piece = [&](int shard) {
        return MutByteView(buffer).subspan(shard * kPiece, kPiece);
    };
    for (std::uint64_t at = 0; at < PlainCode::kShard; at += kPiece) {
        for (int i = 0; i < kData; ++i) {
            expect(source.read_at(i * PlainCode::kShard + at, piece(i)));
        }
        plain.encode(buffer, kPiece);
        for (int i = 0; i < kData + kParity; ++i) expect(out[i].write_at(at, piece(i)));
    }
    for (File& file : out) expect(file.sync());
}

void shard_bench(const Options& options) {
    const Folder folder;
    PlainCode plain(source_bytes(kDataBytes));
    expect(write_file(folder / "data", plain.data()));
    std::vector<std::filesystem::path> paths;
    for (int i = 0; i < kData + kParity; ++i) paths.push_back(folder / std::to_string(i));
    ErasureOptions alone;
    alone.workers = 1;
    const auto code_file = [&] {
        for (const auto& path : paths) std::filesystem::remove(path);
        return expect(shard_file(folder / "data", {kData, kParity}, paths, alone));
    };
    code_file();
    plain.encode();
    for (int i = 0; i < kParity; ++i) {
        const Bytes made = expect(read_file(paths[kData + i], PlainCode::kShard));
        require(std::ranges::equal(made, plain.parity(i)), "parity equals ISA-L's");
    }
    stream_plainly(folder, plain);
    for (int i = 0; i < kParity; ++i) {
        const Bytes made =
            expect(read_file(folder / ("plain" + std::to_string(kData + i)), PlainCode::kShard));
        require(std::ranges::equal(made, plain.parity(i)), "parity streamed plainly is the same");
    }
    std::vector<Digest> roots(kDataBytes / kChunkBytes);
    const auto times =
        interleave(options.rounds(3, 11),
                   {[&] { benchmark::DoNotOptimize(code_file()); }, [&] { plain.encode(); },
                    [&] {
                        plain.encode();
                        const std::size_t each = PlainCode::kShard / kChunkBytes;
                        chunk_roots(plain.data().data(), roots);
                        for (int i = 0; i < kParity; ++i) {
                            chunk_roots(plain.parity(i).data(), std::span(roots).first(each));
                        }
                    },
                    [&] { stream_plainly(folder, plain); }});
    report({.id = "S7/streamed",
            .what = "a file into 4+2 shards on one core, with a root for every shard",
            .value = mib_per_second(times[0]),
            .unit = "MiB/s",
            .peer = "ISA-L, the same files read and written durably, no roots",
            .peer_value = mib_per_second(times[3]),
            .target = Target::ratio_at_least(0.8),
            .samples = times[0].size()});
    report({.id = "S7/isal",
            .what = "a file into 4+2 shards on one core: reading, coding, a root for every shard, "
                    "writing, durable",
            .value = mib_per_second(times[0]),
            .unit = "MiB/s",
            .peer = "ISA-L's coding in memory",
            .peer_value = mib_per_second(times[1]),
            .samples = times[0].size()});
    report({.id = "S7/roots",
            .what = "the same",
            .value = mib_per_second(times[0]),
            .unit = "MiB/s",
            .peer = "ISA-L's coding and the six trees, in memory",
            .peer_value = mib_per_second(times[2]),
            .samples = times[0].size()});
}

void scrub_bench(const Options& options) {
    const Folder folder;
    const Bytes data = source_bytes(kDataBytes);
    expect(write_file(folder / "x", data));
    SealRequest request;
    request.network.seal_presets = {kSealDev};
    request.prover = KeyPair::from_secret(Bytes(32, 1)).public_key();
    request.seal = kSealDev;
    request.source = folder / "x";
    request.replica_path = folder / "x.replica";
    request.tree_path = folder / "x.tree";
    expect(seal(request));
    ReplicaFiles files;
    files.replica = request.replica_path;
    files.tree = request.tree_path;
    files.log = folder / "x.scrub";
    ScrubOptions scrubbing;
    scrubbing.workers = 1;
    scrubbing.afresh = true;
    const auto scrub_all = [&] { return expect(scrub(files, request.network, scrubbing)); };
    require(scrub_all().clean(), "a sealed replica is clean");
    std::vector<Digest> roots(kDataBytes / kChunkBytes);
    Bytes piece(std::size_t{1} << 20);
    const File cold = expect(File::open(request.replica_path, File::Mode::kRead));
    const auto times = interleave(
        options.rounds(5, 15),
        {[&] { benchmark::DoNotOptimize(scrub_all()); }, [&] { chunk_roots(data.data(), roots); },
         [&] {
             cold.forget_cached(0, kDataBytes + kFileHeaderBytes);
             for (std::uint64_t at = 0; at < kDataBytes; at += piece.size()) {
                 cold.start_read(at + 4 * piece.size(), piece.size());
                 expect(cold.read_at(at, piece));
             }
         }});
    const double tree = mib_per_second(times[1]);
    const double device = mib_per_second(times[2]);
    report({.id = "S9/scrub",
            .what = "scrub a replica from the device on one core",
            .value = mib_per_second(times[0]),
            .unit = "MiB/s",
            .peer = tree < device ? "the tree over the same bytes in memory (the device is faster)"
                                  : "the device, read in order (the tree is faster)",
            .peer_value = std::min(tree, device),
            .target = Target::ratio_at_least(0.9),
            .samples = times[0].size()});
    const double both = 1 / (1 / tree + 1 / device);
    report({.id = "S9/sum",
            .what = "the same",
            .value = mib_per_second(times[0]),
            .unit = "MiB/s",
            .peer = "reading and the tree one after the other",
            .peer_value = both,
            .samples = times[0].size()});
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
    using namespace holdfast::bench;
    return run(argc, argv, {{"S7/shard", shard_bench}, {"S9/scrub", scrub_bench}});
}
