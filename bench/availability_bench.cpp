// P5/availability: 100 challenges of 10 chunks a second, answered by the engine behind the
// transport on loopback from a cold disk: an AvailabilityResponder and 32 sealed replicas (1 GiB)
// at one end, the signed challenge and the check of its response at the other. Challenges leave at
// fixed moments, whether the ones before have been answered or not. Beside it: ten plain reads of
// the same chunks, as cold.
//
// Cold: before each challenge the pages of replica and tree are thrown out of memory, and those of
// the chunks that it asks for are looked up (mincore) and must not be there. A cache below this
// machine (of a virtual disk's host, or the disk's own) cannot be emptied from here; the plain
// reads meet the same one.
//
// P5/latency: how often measure_peer() hints at a relay where there is none, over the same sockets,
// with the chunks in memory, on a cold disk, and on a cold disk beside a busy loop for every core.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <mutex>
#include <random>
#include <sstream>

#include "availability/latency_meter.hpp"
#include "availability/peer_service.hpp"
#include "bench/scratch.hpp"
#include "chunking/seal.hpp"
#include "core/hash.hpp"
#include "storage/file.hpp"
#include "transport/tcp_network.hpp"

namespace holdfast::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Challenged in turns, so that none is made cold while an answer of before is being read.
constexpr std::uint64_t kReplicas = 32;
constexpr std::uint64_t kReplicaBytes = std::uint64_t{32} << 20;
constexpr auto kBetween = std::chrono::milliseconds(10);  // 100 a second
constexpr std::uint64_t kHeights = 4;                     // each with a challenge of every chain
constexpr unsigned kSenders = 16;
constexpr double kTargetUs = 50'000;

KeyPair key_of(std::uint8_t n) { return KeyPair::from_secret(Bytes(32, n)); }
template <class T>
T numbered(const char* what, std::uint64_t n) {
    return T(tagged_hash(what, n));
}

/// A file whose pages can be thrown out of memory, and asked for.
class Evictable {
  public:
    explicit Evictable(std::filesystem::path path)
        : path_(std::move(path)), descriptor_(::open(path_.c_str(), O_RDONLY)) {
        struct stat about{};
        require(descriptor_ >= 0 && ::fstat(descriptor_, &about) == 0, "the file opens");
        bytes_ = static_cast<std::size_t>(about.st_size);
        ::fsync(descriptor_);  // dirty pages cannot be thrown out
        void* const map = ::mmap(nullptr, bytes_, PROT_READ, MAP_SHARED, descriptor_, 0);
        require(map != MAP_FAILED, "the file can be mapped");
        map_ = static_cast<std::uint8_t*>(map);
        find_maps();
    }
    ~Evictable() {
        ::munmap(map_, bytes_);
        ::close(descriptor_);
    }
    Evictable(const Evictable&) = delete;
    Evictable& operator=(const Evictable&) = delete;

    /// Pages that a map of this process still refers to are not thrown out: all maps let go first.
    void evict() const {
        for (const auto& [begin, bytes] : maps_) ::madvise(begin, bytes, MADV_DONTNEED);
        ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_DONTNEED);
    }
    /// Whether any page of the range is in memory.
    [[nodiscard]] bool holds(std::uint64_t offset, std::uint64_t length) const {
        const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        const std::uint64_t from = offset / page * page;
        std::vector<unsigned char> there((offset + length - from + page - 1) / page);
        require(::mincore(map_ + from, offset + length - from, there.data()) == 0, "mincore");
        return std::any_of(there.begin(), there.end(),
                           [](unsigned char b) { return (b & 1) != 0; });
    }
    void read(std::uint64_t offset, MutByteView into) const {
        const ssize_t got =
            ::pread(descriptor_, into.data(), into.size(), static_cast<off_t>(offset));
        require(got == static_cast<ssize_t>(into.size()), "the chunk can be read");
    }

  private:
    void find_maps() {
        std::ifstream maps("/proc/self/maps");
        for (std::string line; std::getline(maps, line);) {
            if (!line.ends_with(path_.string())) continue;
            std::uintptr_t begin = 0;
            std::uintptr_t end = 0;
            char dash = 0;
            std::istringstream(line) >> std::hex >> begin >> dash >> end;
            // NOLINTNEXTLINE(performance-no-int-to-ptr): what the system says of its maps
            maps_.emplace_back(reinterpret_cast<void*>(begin), end - begin);
        }
        require(maps_.size() >= 2, "the engine's map of the file is found, and ours");
    }

    std::filesystem::path path_;
    int descriptor_;
    std::size_t bytes_ = 0;
    std::uint8_t* map_ = nullptr;
    std::vector<std::pair<void*, std::size_t>> maps_;
};

NetworkParams bench_network() {
    NetworkParams p;
    p.name = "availability bench";
    p.seal_presets = {kSealDev};
    p.availability_n = p.availability_d = 1;
    return p;
}

/// The prover's node and the challenger's.
class World {
  public:
    explicit World(std::uint64_t chains) : params_(bench_network()), network_id_(params_.id()) {
        for (std::uint64_t n = 0; n < kReplicas; ++n) seal_replica(n);
        std::filesystem::remove(folder_ / "data");
        responder_ = std::make_unique<AvailabilityResponder>(params_, [] { return now_ns(); });
        for (std::uint64_t i = 0; i < chains; ++i) {
            expect(responder_->add_chain(chain(i), of(i).replica,
                                         std::make_shared<KeyPair>(key_of(1))));
        }
        chunks_ = std::make_unique<ChunkServer>([] { return now_ns(); });
        expect(chunks_->add_chain(chain(0), of(0).replica));
        service_ = std::make_unique<PeerService>(responder_.get(), chunks_.get());
        start_nodes();
    }

    /// One challenge, what its response must be, and where that lies.
    struct Question {
        Challenge2 challenge;
        ResponseContext context;
        std::uint64_t number;
    };
    [[nodiscard]] Question question(Height h, std::uint64_t i) const {
        const Challenge2 c =
            make_challenge2(network_id_, chain(i), h, numbered<BlockHash>("bench/block", h.value),
                            y(h), numbered<Reveal>("bench/reveal", h.value), challenger_)
                .value();
        const Replica& replica = *of(i).replica;
        return {c,
                {c.id(network_id_), prover_.public_key(), replica.header().sealed_root,
                 replica.chunks(),
                 challenged_chunks(params_, network_id_, y(h), c.chain_id, c.challenger, c.nonce,
                                   replica.chunks())},
                i};
    }
    /// The prover hears that challenges of this height are to be answered.
    void open_height(Height h) {
        for (const Height final_one : {h, h + 1}) {
            responder_->on_final_block({final_one,
                                        numbered<BlockHash>("bench/block", final_one.value),
                                        y(final_one),
                                        {{challenger_.public_key(), 1}}});
        }
    }
    /// Throws everything out, and makes sure that what is asked for is out.
    void make_cold(const Question& q) {
        evict(q.number);
        for (const std::uint64_t i : q.context.selected) {
            if (of(q.number).file->holds(offset(i), kChunkBytes)) ++warm_;
        }
    }
    /// Sends, waits, checks; microseconds of service, of a late one those of the deadline.
    double ask(const Question& q) {
        const auto reply = client_->send_challenge(
            prover_.public_key(), wrap_object(Kind::kChallenge2, q.challenge.encode()),
            params_.deadline_ms);
        if (!reply && reply.error().code == ErrorCode::kTimeout) {
            ++late_;
            return params_.deadline_ms * 1e3;
        }
        require(reply.has_value(), reply ? "" : reply.error().message);
        const auto body = unwrap_object(Kind::kResponse, reply->response);
        require(body.has_value(), "a response comes back");
        const auto response = Response::decode(*body);
        require(response && check_response(q.context, *response).accepted(), "a right response");
        return reply->service_us;
    }
    /// Chunks are drawn from `random`; nothing is made cold.
    LatencyMeasurement measure(const std::function<std::uint64_t()>& random) {
        const Replica& replica = *of(0).replica;
        const LatencyPlan plan{chain(0), {replica.header().sealed_root, replica.chunks()}};
        return expect(measure_peer(*client_, prover_.public_key(), plan, random));
    }
    void evict(std::uint64_t i) const {
        of(i).file->evict();
        of(i).tree->evict();
    }
    double read_plainly(const Question& q) const {
        std::array<std::uint8_t, kChunkBytes> chunk;
        const auto start = Clock::now();
        for (const std::uint64_t i : q.context.selected) of(q.number).file->read(offset(i), chunk);
        return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
    }
    /// Chunks that were still in memory when they were asked for.
    [[nodiscard]] std::uint64_t warm() const { return warm_; }
    [[nodiscard]] std::uint64_t late() const { return late_; }

  private:
    static std::uint64_t now_ns() {
        return static_cast<std::uint64_t>(Clock::now().time_since_epoch().count());
    }
    static std::uint64_t offset(std::uint64_t chunk) {
        return kFileHeaderBytes + chunk * kChunkBytes;
    }
    static VdfOutput y(Height h) { return numbered<VdfOutput>("bench/y", h.value); }
    static ChainId chain(std::uint64_t i) { return numbered<ChainId>("bench/chain", i); }

    struct Stored {
        std::shared_ptr<const Replica> replica;
        std::unique_ptr<Evictable> file;
        std::unique_ptr<Evictable> tree;
    };
    /// Where chain i lies.
    [[nodiscard]] const Stored& of(std::uint64_t i) const { return stored_[i % kReplicas]; }

    void seal_replica(std::uint64_t n) {
        if (n == 0) expect(write_file(folder_ / "data", source_bytes(kReplicaBytes)));
        SealRequest request;
        request.network = params_;
        request.prover = prover_.public_key();
        request.seal = kSealDev;
        request.nonce = n;
        request.source = folder_ / "data";
        request.replica_path = folder_ / (std::to_string(n) + ".replica");
        request.tree_path = folder_ / (std::to_string(n) + ".tree");
        expect(seal(request));
        Stored stored;
        stored.replica = std::make_shared<Replica>(
            expect(Replica::open(request.replica_path, request.tree_path, params_)));
        stored.file = std::make_unique<Evictable>(request.replica_path);
        stored.tree = std::make_unique<Evictable>(request.tree_path);
        stored_.push_back(std::move(stored));
    }
    void start_nodes() {
        TcpNetworkOptions options;
        options.network = network_id_;
        client_ = expect(TcpNetwork::start(challenger_, options));
        options.listen = "127.0.0.1:0";
        options.workers = 4;
        options.handler = [this](const PublicKey& from, ByteView object) {
            return service_->handle(from, object);
        };
        server_ = expect(TcpNetwork::start(prover_, options));
        expect(server_->add_peer({challenger_.public_key(), ""}));
        expect(client_->add_peer({prover_.public_key(), server_->address()}));
        expect(client_->wait_connected(prover_.public_key(), 10'000));
    }

    const NetworkParams params_;
    const NetworkId network_id_;
    const KeyPair prover_ = key_of(1);
    const KeyPair challenger_ = key_of(2);
    Folder folder_;
    std::vector<Stored> stored_;
    std::unique_ptr<AvailabilityResponder> responder_;
    std::unique_ptr<ChunkServer> chunks_;
    std::unique_ptr<PeerService> service_;
    std::unique_ptr<TcpNetwork> server_;
    std::unique_ptr<TcpNetwork> client_;
    std::atomic<std::uint64_t> warm_ = 0;
    std::atomic<std::uint64_t> late_ = 0;
};

/// Calls `body` for `count` numbers, 100 a second, on as many threads as it takes; the times.
Samples paced(std::uint64_t count, const std::function<double(std::uint64_t)>& body) {
    std::atomic<std::uint64_t> next = 0;
    std::mutex adding;
    Samples out;
    const auto start = Clock::now() + kBetween;
    std::vector<std::thread> senders;
    for (unsigned t = 0; t < kSenders; ++t) {
        senders.emplace_back([&] {
            for (std::uint64_t i = next++; i < count; i = next++) {
                std::this_thread::sleep_until(start + i * kBetween);
                const double us = body(i);
                const std::lock_guard lock(adding);
                out.seconds.push_back(us * 1e-6);
            }
        });
    }
    for (std::thread& sender : senders) sender.join();
    const std::chrono::duration<double> took = Clock::now() - start;
    const double rate = static_cast<double>(count) / took.count();
    require(rate > 90, "the machine keeps up with 100 challenges a second");
    return out;
}

void serve_cold(const Options& options) {
    const std::uint64_t chains = options.full ? 500 : 150;
    const std::uint64_t count = kHeights * chains;
    World world(chains);
    Samples ours;
    Samples plain;
    const auto add = [](Samples& to, const Samples& from) {
        to.seconds.insert(to.seconds.end(), from.seconds.begin(), from.seconds.end());
    };
    for (Height h(100); h < Height(100 + kHeights); ++h) {
        world.open_height(h);
        add(ours, paced(chains, [&](std::uint64_t i) {
                const World::Question q = world.question(h, i);
                world.make_cold(q);
                return world.ask(q);
            }));
        add(plain, paced(chains, [&](std::uint64_t i) {
                const World::Question q = world.question(h, i);
                world.make_cold(q);
                return world.read_plainly(q);
            }));
    }
    std::printf("%llu of %llu chunks were in memory when they were asked for, %llu answers late\n",
                static_cast<unsigned long long>(world.warm()),
                static_cast<unsigned long long>(2 * count * 10),
                static_cast<unsigned long long>(world.late()));
    require(world.warm() * 100 <= 2 * count * 10, "the chunks are cold");
    const auto entry = [&](const char* name, double q) {
        return Entry{.id = std::string("P5/availability/") + name,
                     .what = "service of a challenge of 10 chunks, cold, 100 a second, loopback",
                     .value = ours.quantile(q) * 1e6,
                     .unit = "us",
                     .peer = "10 plain cold reads, one after another",
                     .peer_value = plain.quantile(q) * 1e6,
                     .threads = options.threads,
                     .samples = ours.size()};
    };
    report(entry("p50", 0.5));
    Entry p99 = entry("p99", 0.99);
    p99.target = Target::value_at_most(kTargetUs);
    report(p99);
    report(entry("max", 1));
}

/// A busy loop for every core, for as long as it lives.
class Load {
  public:
    explicit Load(unsigned threads) {
        for (unsigned i = 0; i < threads; ++i) {
            threads_.emplace_back([this] {
                while (!over_) {
                }
            });
        }
    }
    ~Load() {
        over_ = true;
        for (std::thread& thread : threads_) thread.join();
    }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

  private:
    std::atomic<bool> over_ = false;
    std::vector<std::thread> threads_;
};

void hint_falsely(const Options& options) {
    World world(1);
    const unsigned rounds = options.rounds(100, 1'000);
    const auto measure = [&](const std::string& name, const std::string& what, bool cold) {
        unsigned hints = 0;
        unsigned unstable = 0;
        Samples beyond;
        std::mt19937_64 random(3);
        for (unsigned i = 0; i < rounds; ++i) {
            const LatencyMeasurement m = world.measure([&] {
                if (cold) world.evict(0);
                return random();
            });
            hints += m.relay_hint ? 1 : 0;
            unstable += m.unstable ? 1 : 0;
            beyond.seconds.push_back(static_cast<double>(m.beyond_ping_us) * 1e-6);
        }
        std::printf("%s: %u of %u hinted at, %u unstable\n", name.c_str(), hints, rounds, unstable);
        const std::string how = "21 pings and verified chunks in turn over loopback, " + what;
        report({.id = "P5/latency/" + name + "/false_hints",
                .what = "measurements that hint at a relay where there is none: " + how,
                .value = 100.0 * hints / rounds,
                .unit = "%",
                .threads = options.threads,
                .samples = rounds});
        for (const auto& [part, q] : {std::pair{"p50", 0.5}, {"max", 1.0}}) {
            report({.id = "P5/latency/" + name + "/beyond_ping_" + part,
                    .what = "median service less median ping: " + how,
                    .value = beyond.quantile(q) * 1e6,
                    .unit = "us",
                    .threads = options.threads,
                    .samples = rounds});
        }
    };
    measure("warm", "in memory", false);
    measure("cold", "cold disk", true);
    const Load load(options.threads);
    measure("loaded", "cold disk, a busy loop on every core", true);
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
    return holdfast::bench::run(argc, argv,
                                {{"P5/availability", holdfast::bench::serve_cold},
                                 {"P5/latency", holdfast::bench::hint_falsely}});
}
