// F1, F2, F4: a file put with six provers on loopback and read from four of them, beside the
// slowest of what it consists of, each alone on the same bytes in the same run. What is read back
// is compared before any time is reported.
#include <atomic>
#include <fstream>
#include <mutex>
#include <thread>

#include "bench/scratch.hpp"
#include "core/merkle.hpp"
#include "keep/get.hpp"
#include "keep/put.hpp"
#include "storage/file.hpp"
#include "storage/parallel.hpp"
#include "tests/support/loopback_provers.hpp"

namespace holdfast::bench {
namespace {

constexpr unsigned kProvers = 6;
constexpr std::uint64_t kPiece = kPieceBytes;
constexpr std::uint8_t kStageKind = 68;  // may be as large as a piece

std::uint64_t file_bytes(const Options& options) {
    return (options.full ? std::uint64_t{512} : std::uint64_t{64}) << 20;
}

/// Bytes of this process that are no file's, the six provers counted.
std::uint64_t anonymous_bytes() {
    std::ifstream status("/proc/self/status");
    std::string line;
    while (std::getline(status, line)) {
        if (line.starts_with("RssAnon:")) return std::stoull(line.substr(8)) << 10;
    }
    return 0;
}

/// The most of them while it lives, above what there were before.
class PeakMemory {
  public:
    PeakMemory() : before_(anonymous_bytes()), thread_([this] { watch(); }) {}
    ~PeakMemory() {
        done_ = true;
        thread_.join();
    }
    PeakMemory(const PeakMemory&) = delete;
    PeakMemory& operator=(const PeakMemory&) = delete;
    [[nodiscard]] double mib() const {
        const std::uint64_t most = most_;
        return static_cast<double>(most - std::min(most, before_)) / 1048576.0;
    }

  private:
    void watch() {
        while (!done_) {
            most_ = std::max<std::uint64_t>(most_, anonymous_bytes());
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }
    std::uint64_t before_;
    std::atomic<std::uint64_t> most_{0};
    std::atomic<bool> done_{false};
    std::thread thread_;
};

struct KeepWorld {
    explicit KeepWorld(std::uint64_t bytes) : data(source_bytes(bytes)) {
        params.seal_presets = {kSealDev};
        for (std::uint8_t i = 0; i < kProvers; ++i) {
            provers.push_back(std::make_unique<test::LoopbackProver>(
                folder / ("prover" + std::to_string(i)), params, owner.public_key(),
                static_cast<std::uint8_t>(100 + i)));
            addresses.push_back(provers.back()->address());
        }
        links = expect(TcpProvers::start(owner, params.id()));
        expect(write_file(folder / "file", data));
        catalogue = expect(Catalogue::open(folder / "catalogue", owner.public_key()));
    }
    KeptFile put(bool wait) {
        PutOptions options;
        options.wait = wait;
        options.poll_ms = 50;
        return expect(put_file(folder / "file", owner, params.id(), addresses, links->asker(),
                               *catalogue, folder / "puts", options))
            .file;
    }
    void get(const KeptFile& file) {
        std::filesystem::remove(folder / "back");
        (void)expect(get_file(file, owner, {0, file.plain_len}, folder / "back", links->asker()));
    }

    Folder folder;
    Bytes data;
    NetworkParams params = NetworkParams::preset(kParamsVersion2);
    KeyPair owner = KeyPair::from_secret(Bytes(32, 1));
    std::vector<std::unique_ptr<test::LoopbackProver>> provers;
    std::vector<ProverAddress> addresses;
    std::unique_ptr<TcpProvers> links;
    std::unique_ptr<Catalogue> catalogue;
};

// --- what a put and a get consist of, each alone -------------------------------------------------

void encrypt_alone(const Bytes& data) {
    const StreamShape shape{data.size(), true};
    StreamHeader header;
    header.prefix.fill(1);
    const StreamCipher cipher(StreamKey(Bytes(32, 7)), header, shape);
    std::vector<Bytes> out(worker_count(0, shape.segments()));
    expect(run_workers(
        worker_count(0, shape.segments()), shape.segments(), {},
        [&](unsigned worker, std::uint64_t s) -> Status {
            out[worker].resize(shape.cipher_bytes(s));
            cipher.encrypt(s, ByteView(data).subspan(shape.plain_begin(s), shape.plain_bytes(s)),
                           out[worker]);
            return {};
        }));
}

/// Rows of one piece a shard: parity, and the roots of all six.
void code_alone(const Bytes& data) {
    const std::uint64_t rows = data.size() / (4 * kPiece);
    const unsigned workers = worker_count(0, rows);
    std::vector<Bytes> parity(workers, Bytes(2 * kPiece));
    expect(run_workers(workers, rows, {}, [&](unsigned worker, std::uint64_t row) -> Status {
        constexpr std::size_t kStep = std::size_t{64} << 10;
        std::vector<ByteView> pieces;
        for (std::uint64_t i = 0; i < 4; ++i) {
            pieces.push_back(ByteView(data).subspan((i * rows + row) * kPiece, kPiece));
        }
        for (std::size_t at = 0; at < kPiece; at += kStep) {
            std::vector<ByteView> in;
            for (const ByteView piece : pieces) in.push_back(piece.subspan(at, kStep));
            const std::vector<MutByteView> out = {
                MutByteView(parity[worker]).subspan(at, kStep),
                MutByteView(parity[worker]).subspan(kPiece + at, kStep)};
            encode_parity({4, 2}, in, out);
        }
        for (std::size_t i = 0; i < 2; ++i) {
            pieces.push_back(ByteView(parity[worker]).subspan(i * kPiece, kPiece));
        }
        for (const ByteView piece : pieces) {
            benchmark::DoNotOptimize(piece_root(kMaxDataBytes, 0, piece));
        }
        return {};
    }));
}

void write_alone(const Folder& folder, const Bytes& data, unsigned shards, std::uint64_t each) {
    std::vector<File> files;
    for (unsigned i = 0; i < shards; ++i) {
        const auto path = folder / ("plain" + std::to_string(i));
        std::filesystem::remove(path);
        files.push_back(expect(File::open(path, File::Mode::kCreateNew)));
    }
    for (std::uint64_t at = 0; at < each; at += kPiece) {
        for (File& file : files) {
            expect(file.write_at(at, ByteView(data).subspan(at, std::min(kPiece, each - at))));
        }
    }
    for (File& file : files) expect(file.sync());
}

/// Six networks that answer at once, and one that asks: nothing is kept, checked or read.
class Wire {
  public:
    Wire() {
        for (std::uint8_t i = 0; i < kProvers; ++i) {
            TcpNetworkOptions options = limits();
            options.listen = "127.0.0.1:0";
            options.accept_anyone = true;
            options.handler = [](const PublicKey&, ByteView message) -> Result<Bytes> {
                return Bytes(message[2] == 1 ? 1 : 256 << 10);
            };
            const KeyPair key = KeyPair::from_secret(Bytes(32, static_cast<std::uint8_t>(150 + i)));
            keys_.push_back(key.public_key());
            servers_.push_back(expect(TcpNetwork::start(key, std::move(options))));
        }
        client_ = expect(TcpNetwork::start(KeyPair::from_secret(Bytes(32, 149)), limits()));
        for (unsigned i = 0; i < kProvers; ++i) {
            expect(client_->add_peer({keys_[i], servers_[i]->address()}));
            expect(client_->wait_connected(keys_[i], 5'000));
        }
    }
    /// `requests` of `bytes` to each of the first `servers`; answers of a byte or of 256 KiB.
    void ask(unsigned servers, std::uint64_t requests, std::size_t bytes, bool upload,
             unsigned at_once) {
        Bytes message(bytes);
        message[0] = 1;
        message[1] = kStageKind;
        message[2] = upload ? 1 : 2;
        std::vector<std::thread> threads;
        std::vector<std::atomic<std::uint64_t>> left(servers);
        for (auto& n : left) n = requests;
        std::atomic<bool> failed{false};
        for (unsigned t = 0; t < servers * at_once; ++t) {
            threads.emplace_back([&, server = t % servers] {
                while (left[server].fetch_sub(1) - 1 < requests) {
                    if (!client_->request(keys_[server], message, 20'000)) failed = true;
                }
            });
        }
        for (std::thread& t : threads) t.join();
        require(!failed, "every request is answered");
    }

  private:
    static TcpNetworkOptions limits() {
        TcpNetworkOptions options;
        options.limits.bytes_per_second = std::uint32_t{1} << 31;
        options.limits.frames_per_second = 1U << 20;
        return options;
    }
    std::vector<PublicKey> keys_;
    std::vector<std::unique_ptr<TcpNetwork>> servers_;
    std::unique_ptr<TcpNetwork> client_;
};

void report_against(const std::string& id, const std::string& what, std::uint64_t bytes,
                    const Samples& whole, const std::vector<std::string>& names,
                    const std::vector<Samples>& stages, unsigned threads) {
    std::size_t slowest = 0;
    for (std::size_t i = 0; i < stages.size(); ++i) {
        std::printf("%s: %s alone %.3f s\n", id.c_str(), names[i].c_str(), stages[i].median());
        if (stages[i].median() > stages[slowest].median()) slowest = i;
    }
    const double mib = static_cast<double>(bytes) / 1048576.0;
    report({.id = id,
            .what = what,
            .value = mib / whole.median(),
            .unit = "MiB/s",
            .peer = "the slowest stage alone: " + names[slowest],
            .peer_value = mib / stages[slowest].median(),
            .target = Target::ratio_at_least(0.7),
            .kernel = std::string(best_sha256_kernel().name),
            .threads = threads,
            .samples = whole.size()});
}

void report_memory(const char* id, const char* what, double mib) {
    report({.id = id,
            .what = what,
            .value = mib,
            .unit = "MiB",
            .target = Target::value_at_most(256),
            .kernel = std::string(best_sha256_kernel().name)});
}

void put_bench(const Options& options) {
    const std::uint64_t bytes = file_bytes(options);
    KeepWorld world(bytes);
    Wire wire;
    double memory = 0;
    const auto times =
        interleave(options.rounds(3, 5),
                   {[&] {
                        const PeakMemory peak;
                        (void)world.put(false);
                        memory = std::max(memory, peak.mib());
                    },
                    [&] { encrypt_alone(world.data); }, [&] { code_alone(world.data); },
                    [&] { wire.ask(kProvers, bytes / 4 / kPiece, kPiece, true, 1); },
                    [&] { write_alone(world.folder, world.data, kProvers, bytes / 4); }});
    report_against("F1", "put, 4+2, six provers on loopback, durable", bytes, times[0],
                   {"AES-256-GCM", "parity and roots", "TLS to six", "disk"},
                   {times.begin() + 1, times.end()}, options.threads);
    report_memory("F4/put", "memory of put and of six provers", memory);
}

void get_bench(const Options& options) {
    const std::uint64_t bytes = file_bytes(options);
    KeepWorld world(bytes);
    Wire wire;
    for (auto& prover : world.provers) prover->start_sealing();
    const KeptFile file = world.put(true);
    for (auto& prover : world.provers) prover->stop_sealing();
    for (const std::size_t gone : {1U, 4U}) world.provers[gone]->leave();
    world.get(file);
    require(expect(read_file(world.folder / "back", bytes)) == world.data,
            "what is read back is what was put");
    double memory = 0;
    std::vector<Digest> roots(bytes / kChunkBytes);
    const auto times = interleave(
        options.rounds(3, 5), {[&] {
                                   const PeakMemory peak;
                                   world.get(file);
                                   memory = std::max(memory, peak.mib());
                               },
                               [&] { encrypt_alone(world.data); },
                               [&] {
                                   // By the prover, who sends nothing unproved, and by the reader.
                                   for (int side = 0; side < 2; ++side) {
                                       for_each_parallel(roots.size() / 64, 0, [&](std::size_t i) {
                                           chunk_roots(world.data.data() + i * 64 * kChunkBytes,
                                                       std::span(roots).subspan(i * 64, 64));
                                       });
                                   }
                               },
                               [&] { wire.ask(4, bytes / 4 / (256 << 10), 64, false, 2); },
                               [&] { write_alone(world.folder, world.data, 1, bytes); }});
    report_against("F2", "get from four of six, checked and decrypted", bytes, times[0],
                   {"AES-256-GCM", "hashing on both sides", "TLS from four", "disk"},
                   {times.begin() + 1, times.end()}, options.threads);
    report_memory("F4/get", "memory of get and of four provers", memory);
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
    using namespace holdfast::bench;
    return run(argc, argv, {{"F1", put_bench}, {"F2", get_bench}});
}
