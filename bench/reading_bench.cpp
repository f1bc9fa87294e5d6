// P5/reading: a reader takes 16 MiB of raw data from a chunk server over TLS on loopback, every
// byte proved, beside the same bytes taken in the same pieces over the same connection without any
// proof. What comes out is compared with what was sealed before any time is reported. The server's
// budgets are out of the way.
#include <algorithm>
#include <atomic>

#include "availability/chunk_server.hpp"
#include "availability/range_reader.hpp"
#include "bench/result.hpp"
#include "bench/scratch.hpp"
#include "chunking/seal.hpp"
#include "core/hash.hpp"
#include "transport/tcp_network.hpp"

namespace {

using namespace holdfast;
using bench::expect;

constexpr std::uint64_t kDataBytes = std::uint64_t{16} << 20;
constexpr std::uint32_t kLimitMs = 10'000;
constexpr unsigned kAtOnce = 4;

std::uint64_t now_ns() {
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}
KeyPair key_of(std::uint8_t n) { return KeyPair::from_secret(Bytes(32, n)); }

/// A sealed replica with its raw data, served with proof and without by one node to another.
struct Served {
    bench::Folder folder;
    Bytes all = bench::source_bytes(kDataBytes);
    ReadSource source;
    std::unique_ptr<ChunkServer> chunks;
    std::unique_ptr<TcpNetwork> server;
    std::unique_ptr<TcpNetwork> client;
    std::atomic<bool> prove{true};

    Served() {
        expect(write_file(folder / "data", all));
        NetworkParams params;
        params.seal_presets = {kSealDev};
        SealRequest request;
        request.network = params;
        request.prover = key_of(1).public_key();
        request.seal = kSealDev;
        request.source = folder / "data";
        request.replica_path = folder / "x.replica";
        request.tree_path = folder / "x.tree";
        Registration registration;
        const SealedReplica sealed = expect(seal(request, {}));
        registration.header = sealed.header.replica;
        registration.sealed_root = sealed.header.sealed_root;
        source = ReadSource::of(params.id(), registration);
        ChunkServerOptions budgets;
        budgets.chunks = {.per_second = UINT32_MAX, .burst = UINT32_MAX};
        chunks = std::make_unique<ChunkServer>(now_ns, budgets);
        expect(chunks->add_chain(source.chain_id,
                                 std::make_shared<const Replica>(expect(Replica::open(
                                     folder / "x.replica", folder / "x.tree", params))),
                                 folder / "data"));
        connect(params);
    }

    void connect(const NetworkParams& params) {
        TcpNetworkOptions options;
        options.network = params.id();
        options.limits.frames_per_second = 10'000'000;
        options.limits.bytes_per_second = UINT32_MAX;
        client = expect(TcpNetwork::start(key_of(2), options));
        options.listen = "127.0.0.1:0";
        options.accept_anyone = true;
        options.handler = [this](const PublicKey& from, ByteView message) -> Result<Bytes> {
            if (prove.load()) return chunks->handle(from, message);
            const auto request = ReadRequest::decode(message);
            if (!request) return fail_refused(request.error(), "request");
            const auto at =
                all.begin() + static_cast<std::ptrdiff_t>(request->first.value * kChunkBytes);
            return Bytes(at, at + static_cast<std::ptrdiff_t>(request->count * kChunkBytes));
        };
        server = expect(TcpNetwork::start(key_of(1), options));
        expect(client->add_peer({key_of(1).public_key(), server->address()}));
        expect(client->wait_connected(key_of(1).public_key(), kLimitMs));
    }

    [[nodiscard]] Result<Bytes> ask(ByteView request) const {
        auto reply = client->request(key_of(1).public_key(), request, kLimitMs);
        if (!reply) return fail(reply.error());
        return std::move(reply->response);
    }
};

void reading(const bench::Options& options) {
    Served served;
    Bytes out(kDataBytes);
    const auto proved = [&] {
        served.prove = true;
        const auto report = read_range(
            served.source, {ReadWhat::kRaw, 0, kDataBytes},
            [&](ByteView request) { return served.ask(request); },
            [&](std::uint64_t at, ByteView bytes) -> Status {
                std::copy(bytes.begin(), bytes.end(),
                          out.begin() + static_cast<std::ptrdiff_t>(at));
                return {};
            },
            {.at_once = kAtOnce});
        bench::require(report && report->busy == 0, "the data are read");
    };
    const auto bare = [&] {
        served.prove = false;
        std::atomic<std::uint64_t> next = 0;
        std::vector<std::thread> threads;
        for (unsigned t = 0; t < kAtOnce; ++t) {
            threads.emplace_back([&] {
                constexpr std::uint64_t kStep = kMaxReadChunks * kChunkBytes;
                for (std::uint64_t at = 0; (at = next.fetch_add(kStep)) < kDataBytes;) {
                    const ReadRequest request{served.source.chain_id, ReadWhat::kRaw,
                                              ChunkIndex(at / kChunkBytes), kMaxReadChunks};
                    const auto bytes = served.ask(request.encode());
                    bench::require(bytes && bytes->size() == kStep, "the bytes arrive");
                    std::copy(bytes->begin(), bytes->end(),
                              out.begin() + static_cast<std::ptrdiff_t>(at));
                }
            });
        }
        for (std::thread& thread : threads) thread.join();
    };
    proved();
    bench::require(out == served.all, "what is read is what was sealed");
    const auto times = bench::interleave(options.rounds(5, 15), {proved, bare});
    const auto rate = [](const bench::Samples& s) {
        return static_cast<double>(kDataBytes >> 20) / s.median();
    };
    bench::report({.id = "P5/reading/raw",
                   .what = "16 MiB of raw data, each chunk proved, 4 requests at once, loopback",
                   .value = rate(times[0]),
                   .unit = "MiB/s",
                   .peer = "the same bytes and connection without proofs",
                   .peer_value = rate(times[1]),
                   .threads = options.threads,
                   .samples = times[0].size()});
}

}  // namespace

int main(int argc, char** argv) {
    return holdfast::bench::run(argc, argv, {{"P5/reading/raw", reading}});
}
