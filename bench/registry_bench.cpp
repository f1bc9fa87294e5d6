// H5/registry: the registry on disk. 100,000 chains with real keys and signatures are registered,
// sealed (by a check that believes them: a registry never sees what was sealed) and linked; what is
// timed is handing in a height's receipts, durable when the call returns, and the block that closes
// it. Then opening, and a backup. Digests are compared with those that the plain rules give before
// any time is reported.
//
// H6: what strangers can make dear. Half of 100,000 registrations come to nothing at one height;
// 7,500 updates of one chain in a block; drawing one of 10,000 challengers for each of 100,000
// chains.
#include <sys/resource.h>
#include <tbb/parallel_for.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>

#include "bench/result.hpp"
#include "core/hash.hpp"
#include "core/keys.hpp"
#include "core/selection.hpp"
#include "hierarchy/plain_digests.hpp"
#include "hierarchy/registry.hpp"
#include "hierarchy/registry_backup.hpp"
#include "proofs/bundle.hpp"
#include "storage/file.hpp"

namespace {

using namespace holdfast;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kChains = 100'000;

template <class T>
T must(Result<T> result) {
    bench::require(result.has_value(), result ? "" : result.error().message);
    return std::move(*result);
}

/// The default network, but for y, which comes with each block, and a short wait for seal proofs.
NetworkParams network() {
    NetworkParams p = NetworkParams::preset();
    p.name = "registry bench";
    p.finality_blocks = 1;
    p.seal_delay = 3;
    p.audits_per_block = 8;
    p.operator_key = KeyPair::from_secret(view(tagged_hash("bench/operator"))).public_key();
    return p;
}

BlockHash hash_of(Height h) { return BlockHash(tagged_hash("bench/block", h)); }
VdfOutput y_of(Height h) { return VdfOutput(tagged_hash("bench/y", h)); }

/// Gone with everything in it.
class Folder {
  public:
    Folder() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "holdfast-bench-XXXXXX").string();
        bench::require(::mkdtemp(pattern.data()) != nullptr, "a temporary folder");
        path_ = pattern;
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] std::filesystem::path operator/(const char* name) const { return path_ / name; }

  private:
    std::filesystem::path path_;
};

/// Bytes that this process has had written to devices.
double written_bytes() {
    std::ifstream io("/proc/self/io");
    std::string name;
    double value = 0;
    while (io >> name >> value) {
        if (name == "write_bytes:") return value;
    }
    return 0;
}

double resident_bytes() {
    std::ifstream status("/proc/self/statm");
    double pages = 0;
    double resident = 0;
    status >> pages >> resident;
    return resident * 4096;
}

double timed(const std::function<void()>& work) {
    const auto start = Clock::now();
    work();
    return std::chrono::duration<double>(Clock::now() - start).count();
}

struct World {
    /// `sealed`: how many of them, the first, answer their seal challenge.
    World(std::size_t chains, std::size_t sealed) : count(chains) {
        registry = must(Registry::open(folder / "registry", params));
        feed();
        std::vector<Registration> registrations(count);
        keys.resize(count);
        ids.resize(count);
        tbb::parallel_for(std::size_t{0}, count, [&](std::size_t i) {
            keys[i].emplace(KeyPair::from_secret(view(tagged_hash("bench/key", std::uint64_t{i}))));
            Registration r;
            r.header.prover = keys[i]->public_key();
            r.header.raw_root = Root(tagged_hash("bench/raw", std::uint64_t{i}));
            r.header.data_len = kMinChunks * kChunkBytes;
            r.header.chunks = ChunkCount(kMinChunks);
            r.header.seal = params.seal_presets.front();
            r.header.nonce = i;
            r.sealed_root = Root(tagged_hash("bench/sealed", std::uint64_t{i}));
            r.genesis_height = params.genesis_height;
            r.genesis_block_hash = hash_of(params.genesis_height);
            r.bond_id = BondId(tagged_hash("bench/bond", std::uint64_t{i}));
            registrations[i] = sign_registration(network_id, r, *keys[i]).value();
            ids[i] = registrations[i].chain_id(network_id);
        });
        ListedBlock listed;
        for (const Registration& r : registrations) {
            listed.bonds.push_back(BondEvent::created(
                r.bond_id, r.header.prover, params.least_chain_part, BondPurpose::kStorage));
            listed.objects.push_back(
                {Kind::kRegistration, wrap_object(Kind::kRegistration, r.encode())});
        }
        register_seconds = timed([&] {
            for (const ObjectOutcome& o : feed(std::move(listed)).objects) {
                bench::require(o.verdict.accepted(), "every registration");
            }
        });
        for (std::uint32_t i = 0; i < params.seal_delay; ++i) feed();
        std::vector<Bytes> proofs;
        const SealCheck believes = [](const Registration&, const SealContext&,
                                      ByteView) -> Result<Verdict> { return Verdict::ok(); };
        for (const ChainId& id : std::span(ids).first(sealed)) {
            proofs.push_back(
                wrap_object(Kind::kSealProof, Writer(40).fixed(id).height(tip).bytes()));
        }
        seal_seconds = timed([&] { accept_all(proofs, believes, "every seal proof"); });
    }

    BlockOutcome feed(ListedBlock listed = {}) {
        tip = next;
        next = next + 1;
        BlockOutcome out = must(
            registry->on_final_block({tip, hash_of(tip), tip.value * 52'000, std::move(listed)}));
        bench::require(must(registry->note_y(tip, y_of(tip))).accepted(), "every y");
        return out;
    }
    void accept_all(const std::vector<Bytes>& objects, const SealCheck& check, const char* what) {
        const std::vector<ByteView> views(objects.begin(), objects.end());
        for (const ObjectOutcome& o : must(registry->accept(views, check))) {
            bench::require(o.verdict.accepted(), what);
        }
    }
    /// Each chain's link in a bundle of its own: as many signatures as chains.
    std::vector<Bytes> links_of_tip() const {
        const KnownHeight known = must(registry->known_height(tip));
        std::vector<Bytes> out(count);
        tbb::parallel_for(std::size_t{0}, count, [&](std::size_t i) {
            const Link link(tagged_hash("bench/link", tip, std::uint64_t{i}));
            const auto bundle = make_bundle(network_id, known.block_hash, tip, known.anchor,
                                            {{ids[i], link}}, *keys[i]);
            out[i] = wrap_object(Kind::kBundle, bundle.value().encode());
        });
        return out;
    }

    NetworkParams params = network();
    NetworkId network_id = params.id();
    std::size_t count;
    Folder folder;
    std::unique_ptr<Registry> registry;
    Height next = params.genesis_height;
    Height tip = params.genesis_height;
    std::vector<std::optional<KeyPair>> keys;
    std::vector<ChainId> ids;
    double register_seconds = 0;
    double seal_seconds = 0;
};

void check_digest(const World& world, Height height) {
    const RegistrySlots slots = must(world.registry->slots(height));
    bench::require(slots.slots.size() == world.count, "every chain holds a slot");
    const auto plain = plain_digests(HierarchyShape::of(world.params), slots);
    bench::require(plain && plain->global == must(world.registry->block(height))->global,
                   "the digest of the height, hash by hash");
}

void report(const std::string& id, const std::string& what, double value, const std::string& unit,
            unsigned threads, std::size_t samples, bench::Target target = {}) {
    bench::Entry entry;
    entry.id = id;
    entry.what = "100,000 chains on disk: " + what;
    entry.value = value;
    entry.unit = unit;
    entry.kernel = "batch";
    entry.threads = threads;
    entry.samples = samples;
    entry.target = target;
    bench::report(entry);
}

void registry_on_disk(const bench::Options& options) {
    World world(kChains, kChains);
    for (std::uint32_t i = 0; i <= world.params.link_lag; ++i) world.feed();
    bench::Samples accept;
    bench::Samples close;
    double written = 0;
    const unsigned heights = options.rounds(2, 5);
    // Until every block closes a digest that all chains have linked in, twice over.
    const unsigned before_that = world.params.link_lag + 3;
    for (unsigned i = 0; i < before_that + heights; ++i) {
        const std::vector<Bytes> links = world.links_of_tip();
        const double before = written_bytes();
        const double accepting = timed([&] { world.accept_all(links, {}, "every link"); });
        const double closing = timed([&] { (void)world.feed(); });
        if (i < before_that) continue;
        accept.seconds.push_back(accepting);
        close.seconds.push_back(closing);
        written += written_bytes() - before;
    }
    for (std::uint32_t i = 0; i <= world.params.link_lag; ++i) world.feed();
    check_digest(world, world.tip - world.params.link_lag - 2);
    const unsigned t = options.threads;
    report("H5/registry", "a height's receipts verified and durable, its digest closed",
           accept.median() + close.median(), "s", t, accept.size(),
           bench::Target::value_at_most(16));
    report("H5/registry/close", "the block that closes a digest, every chain linked",
           close.median(), "s", t, close.size());
    report("H5/registry/written", "bytes written for one height", written / heights / 1e6, "MB", t,
           heights);
    report("H5/registry/register", "registrations verified and durable, in one call",
           world.register_seconds, "s", t, 1);
    report("H5/registry/seal", "seal proofs settled in one call, without their checks",
           world.seal_seconds, "s", t, 1);
    const GlobalDigest newest =
        must(world.registry->block(*must(world.registry->closed())))->global;
    const double resident = resident_bytes();
    const double bytes = static_cast<double>(must(world.registry->statistics()).file_bytes);
    report("H5/registry/file", "its file after these heights", bytes / 1e6, "MB", 1, 1);
    report("H5/registry/resident", "resident memory of the process, mapped pages included",
           resident / 1e6, "MB", 1, 1);
    const double copied =
        timed([&] { (void)must(world.registry->backup(world.folder / "backup")); });
    report("H5/registry/backup", "copied, checked and published", copied, "s", t, 1);
    world.registry.reset();
    const double opened = timed(
        [&] { world.registry = must(Registry::open(world.folder / "registry", world.params)); });
    bench::require(must(world.registry->block(*must(world.registry->closed())))->global == newest,
                   "the digest after opening");
    report("H5/registry/open", "opened, with every checksum and the tree checked", opened, "s", t,
           1);
    world.registry.reset();
    RegistryOptions quick;
    quick.check_on_open = false;
    const double trusting = timed([&] {
        world.registry = must(Registry::open(world.folder / "registry", world.params, quick));
    });
    report("H5/registry/open-structure", "opened, with its structure and the tree checked",
           trusting, "s", t, 1);
}

// --- what strangers can make dear ----------------------------------------------------------------

void half_of_them_void(const bench::Options& options) {
    World world(kChains, kChains / 2);
    const auto voided = [&] { return must(world.registry->statistics()).voided; };
    double slowest = 0;
    double voiding = 0;
    while (voided() == 0) {
        voiding = timed([&] { (void)world.feed(); });
        slowest = std::max(slowest, voiding);
    }
    bench::require(voided() == kChains / 2, "half of them void, in one block");
    bench::Samples later;
    for (unsigned i = 0; i < options.rounds(5, 20); ++i) {
        later.seconds.push_back(timed([&] { (void)world.feed(); }));
    }
    bench::require(must(world.registry->decisions(0, kChains)).size() == kChains / 2,
                   "a decision for each");
    const unsigned t = options.threads;
    report("H6/void", "50,000 registrations fall void in one block", voiding, "s", t, 1,
           bench::Target::value_at_most(4));
    report("H6/void/later", "a block after that, 50,000 chains sealed and silent", later.median(),
           "s", t, later.size());
    report("H6/void/register", "100,000 registrations in one block, each with its bond",
           world.register_seconds, "s", t, 1);
}

void updates_of_one_chain(const bench::Options& options) {
    constexpr std::uint32_t kUpdates = 7'500;
    World world(1, 1);
    for (std::uint32_t i = 0; i <= world.params.link_lag; ++i) world.feed();
    bench::Samples empty;
    for (unsigned i = 0; i < options.rounds(5, 20); ++i) {
        empty.seconds.push_back(timed([&] { (void)world.feed(); }));
    }
    ListedBlock listed;
    for (std::uint32_t n = 1; n <= kUpdates; ++n) {
        const Update u = make_update(world.network_id, world.ids[0], n, world.tip + 1'000 + n,
                                     Reveal(tagged_hash("bench/reveal")), *world.keys[0])
                             .value();
        listed.objects.push_back({Kind::kUpdate, wrap_object(Kind::kUpdate, u.encode())});
    }
    BlockOutcome out;
    const double took = timed([&] { out = world.feed(std::move(listed)); });
    std::size_t taken = 0;
    for (const ObjectOutcome& o : out.objects) taken += o.verdict ? 1 : 0;
    bench::require(taken == 1, "one update a seal_delay");
    bench::Entry entry;
    entry.id = "H6/updates";
    entry.what = "a block with 7,500 updates of one chain";
    entry.value = took * 1e3;
    entry.unit = "ms";
    entry.peer = "a block that lists nothing";
    entry.peer_value = empty.median() * 1e3;
    bench::report(entry);
}

void draw_challengers(const bench::Options& options) {
    constexpr std::uint64_t kKnown = 10'000;
    std::vector<ChallengerPart> in_force;
    for (std::uint64_t n = 0; n < kKnown; ++n) {
        ChallengerPart c;
        c.key.bytes = tagged_hash("bench/challenger", n).bytes;
        c.part = 1'000 + n % 977;
        in_force.push_back(c);
    }
    const NetworkParams params = network();
    const NetworkId id = params.id();
    const VdfOutput y = y_of(Height(1));
    std::vector<ChainId> chains;
    for (std::uint64_t n = 0; n < kChains; ++n) {
        chains.emplace_back(tagged_hash("bench/chain", n));
    }
    // The same as a walk over the running sum.
    const auto plain = [&](const ChainId& chain) {
        std::vector<ChallengerPart> sorted = in_force;
        std::sort(sorted.begin(), sorted.end(),
                  [](const auto& a, const auto& b) { return a.key < b.key; });
        std::uint64_t sum = 0;
        for (const ChallengerPart& c : sorted) sum += c.part;
        const Digest e = tagged_hash("availability/assign", id, y, chain);
        std::uint64_t left = select_v2(e, sum, 1)->front();
        for (const ChallengerPart& c : sorted) {
            if (left < c.part) return c.key;
            left -= c.part;
        }
        return PublicKey{};
    };
    const ChallengerDraw draw(in_force);
    for (std::uint64_t n = 0; n < kChains; n += kChains / 16) {
        bench::require(draw.assigned(id, y, chains[n]) == plain(chains[n]), "who is drawn");
    }
    const auto samples =
        bench::interleave(options.rounds(5, 20), {[&] {
                              const ChallengerDraw made(in_force);
                              for (const ChainId& chain : chains) {
                                  benchmark::DoNotOptimize(made.assigned(id, y, chain));
                              }
                          }});
    bench::Entry entry;
    entry.id = "H6/draw";
    entry.what = "one of 10,000 challengers drawn for each of 100,000 chains, one core";
    entry.value = samples[0].median();
    entry.unit = "s";
    entry.samples = samples[0].size();
    entry.target = bench::Target::value_at_most(1);
    bench::report(entry);
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run(argc, argv,
                      {{"H5/registry", registry_on_disk},
                       {"H6/void", half_of_them_void},
                       {"H6/updates", updates_of_one_chain},
                       {"H6/draw", draw_challengers}});
}
