// P2: cells of links from a cold disk, by every way of reading, beside the disk's own rate. Cold:
// the file's pages are dropped with posix_fadvise(DONTNEED) after fsync, which needs no rights; the
// disk's own rate is measured with O_DIRECT, which has no cache, 32 requests in flight. A cache of
// the host below this machine, if there is one, serves both alike. H5, the whole block, is measured
// by `holdfast simulate`.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "bench/result.hpp"
#include "chunking/replica_batch.hpp"
#include "chunking/seal.hpp"
#include "core/hash.hpp"
#include "core/keys.hpp"
#include "proofs/link.hpp"

namespace holdfast::bench {
namespace {

constexpr std::uint64_t kDataBytes = std::uint64_t{512} << 20;
constexpr unsigned kDepth = 32;
constexpr std::size_t kLinksAtOnce = 32;  // as the block processor does
constexpr unsigned kBatches = 12;
constexpr std::size_t kDirectReads = 4'096;

template <class T>
T expect(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    return std::move(*result);
}

/// One replica of 512 MiB on the disk of TMPDIR.
class World {
  public:
    World() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "holdfast-bench-XXXXXX").string();
        require(::mkdtemp(pattern.data()) != nullptr, "a temporary folder");
        folder_ = pattern;
        NetworkParams params;
        params.seal_presets = {kSealDev};
        std::ofstream(folder_ / "data", std::ios::binary).put('x');
        std::filesystem::resize_file(folder_ / "data", kDataBytes);
        SealRequest request;
        request.network = params;
        request.prover = KeyPair::from_secret(Bytes(32, 1)).public_key();
        request.seal = kSealDev;
        request.source = folder_ / "data";
        request.replica_path = folder_ / "r.replica";
        request.tree_path = folder_ / "r.tree";
        header_ = expect(seal(request)).header;
        std::filesystem::remove(folder_ / "data");
    }
    ~World() { std::filesystem::remove_all(folder_); }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    [[nodiscard]] std::filesystem::path replica() const { return folder_ / "r.replica"; }
    /// Nothing of the replica or its tree is left in memory.
    void drop_pages() const {
        for (const char* name : {"r.replica", "r.tree"}) {
            const int fd = ::open((folder_ / name).c_str(), O_RDONLY | O_CLOEXEC);
            require(fd >= 0, "the replica opens");
            ::fsync(fd);
            require(::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0, "pages are dropped");
            ::close(fd);
        }
    }
    /// The cells of some links, drawn again each time.
    std::vector<CellsToOpen> links() {
        std::vector<CellsToOpen> out(kLinksAtOnce);
        for (CellsToOpen& c : out) {
            c.replica = replica();
            c.chunks = header_.replica.chunks;
            c.sealed_root = header_.sealed_root;
            const OpenedCells where =
                opened_cells(Entropy(tagged_hash("bench/entropy", drawn_++)), c.chunks);
            for (const OpenedCell& o : where) c.cells.push_back(o.index().value);
            std::sort(c.cells.begin(), c.cells.end());
        }
        return out;
    }
    /// Random 4 KiB reads a second of the device itself.
    double direct_reads() {
        const int fd = ::open(replica().c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC);
        if (fd < 0) return 0;
        std::atomic<std::size_t> next = 0;
        const std::uint64_t pages = kDataBytes / kChunkBytes;
        const auto start = std::chrono::steady_clock::now();
        std::vector<std::thread> threads;
        for (unsigned t = 0; t < kDepth; ++t) {
            threads.emplace_back([&, t] {
                std::mt19937_64 random(drawn_ * kDepth + t);
                void* page = nullptr;
                if (::posix_memalign(&page, kChunkBytes, kChunkBytes) != 0) return;
                while (next.fetch_add(1) < kDirectReads) {
                    const auto at = static_cast<off_t>((1 + random() % pages) * kChunkBytes);
                    if (::pread(fd, page, kChunkBytes, at) != kChunkBytes) break;
                }
                std::free(page);
            });
        }
        for (std::thread& t : threads) t.join();
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        ::close(fd);
        ++drawn_;
        return kDirectReads / took.count();
    }

  private:
    std::filesystem::path folder_;
    FileHeader header_;
    std::uint64_t drawn_ = 0;
};

/// Bytes that the device has delivered to this process.
double device_bytes() {
    std::ifstream io("/proc/self/io");
    for (std::string name; io >> name;) {
        double value = 0;
        io >> value;
        if (name == "read_bytes:") return value;
    }
    return 0;
}

struct ColdRate {
    double chunks = 0;  // a second
    double pages = 0;   // a second off the device, those of the tree included
};

/// Links through one reader, each chunk checked up to the root.
ColdRate cold_rate(World& world, BatchReader& reader) {
    OpenFiles files(4);
    world.drop_pages();
    double seconds = 0;
    double bytes = 0;
    for (unsigned b = 0; b < kBatches; ++b) {
        auto items = world.links();
        const double before = device_bytes();
        const auto start = std::chrono::steady_clock::now();
        open_cells(reader, files, items);
        seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        bytes += device_bytes() - before;
        for (const CellsToOpen& c : items) {
            require(c.opening.has_value(), "cells lead to the root");
        }
    }
    return {kBatches * kLinksAtOnce * kChunksPerLink / seconds, bytes / kChunkBytes / seconds};
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

void cold_links(const Options& options) {
    World world;
    struct Contender {
        std::unique_ptr<BatchReader> reader;
        std::vector<double> chunks;
        std::vector<double> pages;
    };
    std::vector<Contender> contenders;
    for (const auto way : {BatchReader::Way::kAdvised, BatchReader::Way::kMapped,
                           BatchReader::Way::kThreads, BatchReader::Way::kUring}) {
        auto reader = BatchReader::make(way, kDepth);
        if (reader) {
            contenders.push_back({std::move(*reader), {}, {}});
        } else {
            skip("P2/" + std::string(to_string(way)), reader.error().message);
        }
    }
    std::vector<double> disk;
    for (unsigned round = 0; round < options.rounds(3, 9); ++round) {
        disk.push_back(world.direct_reads());
        for (Contender& c : contenders) {
            const ColdRate rate = cold_rate(world, *c.reader);
            c.chunks.push_back(rate.chunks);
            c.pages.push_back(rate.pages);
        }
    }
    const auto best = BatchReader::best()->way();
    for (const Contender& c : contenders) {
        Entry entry;
        entry.kernel = std::string(to_string(c.reader->way()));
        entry.id = "P2/" + entry.kernel;
        entry.what = "pages off the device for links, trees included, cold, one core, all checked";
        entry.value = median(c.pages);
        entry.unit = "reads/s";
        entry.peer = "random 4 KiB reads with O_DIRECT, 32 in flight";
        entry.peer_value = median(disk);
        if (c.reader->way() == best) entry.target = Target::ratio_at_least(0.7);
        entry.samples = c.pages.size();
        report(entry);
        entry.id += "/chunks";
        entry.what = "of them, chunks of the replica";
        entry.value = median(c.chunks);
        entry.target = {};
        report(entry);
    }
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
    return holdfast::bench::run(argc, argv, {{"P2", holdfast::bench::cold_links}});
}
