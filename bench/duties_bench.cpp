// N1 to N3: a height of the chains of 10 keys between provers and a node, over TLS on loopback.
//
// N1, the node's side: bundles and short proofs come in, are verified, stand in the journal on the
// device and are acknowledged, and the block closes a digest in which every chain has linked. N2,
// the provers' side: what is due is asked for, cells are read and opened, links made, recorded on
// the device and signed in bundles, proofs made, and all of it is sent to a node that answers at
// once. N3: the bytes of all frames in both directions. full: 100,000 chains; quick: 10,000, with
// the targets in proportion.
//
// All chains share one sealed replica of 64 KiB, whose pages are in memory: what is read and opened
// is what as many replicas would cost warm, but for opening their files. Seal proofs are believed.
// Beside it the same height with a signature for each link, as receipts have: bundles of one member
// and compact proofs. Every acknowledgement is checked, and every link and proof stands at the end.
#include <tbb/parallel_for.h>

#include <fstream>
#include <future>
#include <mutex>

#include "api/link_prover.hpp"
#include "bench/scratch.hpp"
#include "chunking/replica_batch.hpp"
#include "chunking/seal.hpp"
#include "core/hash.hpp"
#include "follow/duty_client.hpp"
#include "follow/service.hpp"
#include "hierarchy/tree.hpp"
#include "node/journal_door.hpp"
#include "storage/link_set_records.hpp"
#include "transport/tcp_network.hpp"

namespace holdfast::bench {
namespace {

constexpr std::size_t kKeys = 10;
constexpr std::uint64_t kReplicaBytes = 65'536;
constexpr std::uint32_t kLimitMs = 300'000;
constexpr std::size_t kChainsAtOnce = 32;  // whose cells are read together

using SteadyClock = std::chrono::steady_clock;

double seconds_of(const std::function<void()>& work) {
    const auto start = SteadyClock::now();
    work();
    return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

KeyPair key_of(std::string_view what, std::uint64_t n = 0) {
    return KeyPair::from_secret(view(tagged_hash("bench/" + std::string(what), n)));
}

NetworkParams network() {
    NetworkParams p = NetworkParams::preset(kParamsVersion2);
    p.name = "duties bench";
    p.finality_blocks = 1;
    p.seal_presets = {kSealDev};
    p.seal_delay = 3;
    p.audits_per_block = 0;
    p.has_vdf = false;
    p.epoch_blocks = p.epoch_lag = 0;
    p.operator_key = key_of("operator").public_key();
    return p;
}

BlockHash hash_of(Height h) { return BlockHash(tagged_hash("bench/block", h)); }
VdfOutput y_of(Height h) { return VdfOutput(tagged_hash("bench/y", h)); }

/// Where nothing else is listed.
class SilentChain final : public Blockchain {
  public:
    Result<Height> current_height() override { return fail(ErrorCode::kUnsupported, ""); }
    Result<BlockInfo> block_by_height(Height) override { return fail(ErrorCode::kUnsupported, ""); }
    Status submit(Kind, ByteView) override { return fail(ErrorCode::kUnsupported, ""); }
    Result<std::vector<Submission>> submissions_at(Height) override {
        return fail(ErrorCode::kUnsupported, "");
    }
    Result<std::vector<BondEvent>> bond_events_at(Height) override {
        return fail(ErrorCode::kUnsupported, "");
    }
};

TcpNetworkOptions transport(const NetworkId& network_id) {
    TcpNetworkOptions options;
    options.network = network_id;
    options.limits.frames_per_second = 10'000'000;
    options.limits.bytes_per_second = UINT32_MAX;
    return options;
}

/// One key's chains and its way to two nodes: the real one, and one that answers at once.
struct Prover {
    Prover(const NetworkId& network_id, std::uint64_t n, const std::filesystem::path& records_at)
        : key(key_of("prover", n)),
          records(expect(LinkSetRecords::open(records_at, network_id, key.public_key()))),
          tcp(expect(TcpNetwork::start(key, transport(network_id)))),
          reader(BatchReader::best()) {}

    KeyPair key;
    std::vector<ChainId> chains;
    LinkSetRecords records;
    std::unique_ptr<TcpNetwork> tcp;
    std::unique_ptr<BatchReader> reader;
    OpenFiles files{4};
    std::optional<FollowClient> node;
    std::optional<DutyClient> duties;
};

/// What one prover has to hand over at a height.
struct Made {
    std::vector<Bytes> links;   // bundles
    std::vector<Bytes> proofs;  // of an earlier height
};

class World {
  public:
    explicit World(std::size_t chains) : count_(chains) {
        seal_one();
        registry_ = expect(Registry::open(folder_ / "registry", params_));
        feed();
        for (std::uint64_t k = 0; k < kKeys; ++k) {
            provers_.push_back(
                std::make_unique<Prover>(network_id_, k, folder_ / ("links" + std::to_string(k))));
        }
        register_and_seal();
        start_nodes();
        for (std::uint32_t i = 0; i < params_.closing_blocks(); ++i) feed();
    }
    ~World() {
        for (auto& prover : provers_) (void)prover->tcp->stop(0);
        (void)node_->stop(0);
        (void)sink_->stop(0);
    }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    /// The height whose proofs are due at the tip, where there is one.
    [[nodiscard]] std::optional<Height> proven() const {
        const std::uint64_t back = compact_draw_height(params_, Height(0)).value;
        const Height first = first_linked_;
        if (tip_ < first + back) return std::nullopt;
        return tip_ - back;
    }

    /// N2 but for sending: everything that the provers make at the tip.
    std::vector<Made> make() {
        std::vector<Made> out(kKeys);
        tbb::parallel_for(std::size_t{0}, kKeys, [&](std::size_t k) {
            Prover& p = *provers_[k];
            out[k].links = bundles(p, links(p));
            if (const auto h = proven()) out[k].proofs = short_proofs(p, *h);
        });
        return out;
    }
    /// The same with a signature for each link, and proofs that light clients read, too.
    std::vector<Made> make_single() {
        std::optional<HierarchyTree> tree;
        if (proven()) tree.emplace(expect(registry_->tree(*proven())));
        std::vector<Made> out(kKeys);
        tbb::parallel_for(std::size_t{0}, kKeys, [&](std::size_t k) {
            Prover& p = *provers_[k];
            for (const ChainLink& l : links(p)) out[k].links.push_back(bundle(p, {&l, 1}));
            if (tree) out[k].proofs = whole_proofs(p, *proven(), *tree);
        });
        return out;
    }
    /// By the sink: sending alone.
    void send_to_sink(const std::vector<Made>& made) {
        each_prover([&](std::size_t k) {
            Prover& p = *provers_[k];
            for (const auto* list : {&made[k].links, &made[k].proofs}) {
                send(*list, [&](ByteView message) {
                    return p.tcp->request(sink_key_, message, kLimitMs).has_value();
                });
            }
        });
    }
    /// By the node; everything is acknowledged.
    void hand_over(const std::vector<Made>& made) {
        each_prover([&](std::size_t k) {
            for (const auto* list : {&made[k].links, &made[k].proofs}) {
                const std::vector<ByteView> views(list->begin(), list->end());
                for (std::size_t at = 0; at < views.size();) {
                    const HandedBatch batch =
                        expect(provers_[k]->duties->hand_over(std::span(views).subspan(at)));
                    require(batch.acknowledgement.has_value(), "everything is acknowledged");
                    at += batch.objects.size();
                }
            }
        });
    }
    void feed(ListedBlock listed = {}) {
        tip_ = next_;
        next_ = next_ + 1;
        const BlockOutcome out = expect(registry_->on_final_block(
            {tip_, hash_of(tip_), tip_.value * 52'000, std::move(listed)}));
        for (const ObjectOutcome& o : out.objects) require(o.verdict.accepted(), "every object");
        require(expect(registry_->note_y(tip_, y_of(tip_))).accepted(), "every y");
        if (service_) expect(service_->refresh());
    }
    /// Every link of the height stands and is proven.
    void check_proven(Height h) const {
        require(expect(registry_->due_proofs(h)).empty(), "every link is proven");
        std::uint64_t links = 0;
        for (const auto& p : provers_) {
            for (const ChainId& id : p->chains) links += expect(registry_->link(id, h)) ? 1 : 0;
        }
        require(links == count_, "every chain has linked");
    }
    [[nodiscard]] std::uint64_t bytes() const {
        std::uint64_t sum = 0;
        for (const auto& p : provers_) {
            const TcpStatistics s = p->tcp->statistics();
            sum += s.bytes_in + s.bytes_out;
        }
        return sum;
    }
    void linked() {
        if (first_linked_ == Height(UINT64_MAX / 2)) first_linked_ = tip_;
    }
    [[nodiscard]] Height tip() const { return tip_; }
    [[nodiscard]] std::size_t count() const { return count_; }
    [[nodiscard]] std::uint64_t heights_to_steady() const {
        return compact_draw_height(params_, Height(0)).value;
    }

  private:
    template <class Body>
    void each_prover(const Body& body) {
        std::vector<std::future<void>> running;
        for (std::size_t k = 0; k < kKeys; ++k) {
            running.push_back(std::async(std::launch::async, [&body, k] { body(k); }));
        }
        for (auto& one : running) one.get();
    }
    /// In messages as large as DutyClient makes them.
    template <class Send>
    static void send(const std::vector<Bytes>& objects, const Send& to) {
        HandOver batch;
        std::size_t bytes = 0;
        const auto flush = [&] {
            if (batch.objects.empty()) return;
            require(to(batch.objects.size() == 1 ? batch.objects[0] : encode_question(batch)),
                    "it is sent");
            batch.objects.clear();
            bytes = 0;
        };
        for (const Bytes& object : objects) {
            const bool full = bytes + object.size() + 16 > kMaxBatchBytes;
            if (full || batch.objects.size() == kMaxBatchObjects) flush();
            bytes += object.size() + 4;
            batch.objects.push_back(object);
        }
        flush();
    }

    void seal_one() {
        const std::filesystem::path source = folder_ / "data";
        const Bytes data = source_bytes(kReplicaBytes);
        std::ofstream(source, std::ios::binary)
            .write(reinterpret_cast<const char*>(data.data()),
                   static_cast<std::streamsize>(data.size()));
        SealRequest request;
        request.network = params_;
        request.prover = key_of("prover").public_key();
        request.seal = kSealDev;
        request.source = source;
        request.replica_path = replica_ = folder_ / "r.replica";
        request.tree_path = folder_ / "r.tree";
        header_ = expect(seal(request)).header;
    }
    Registration registration(const KeyPair& key, std::uint64_t n) const {
        Registration r;
        r.header = header_.replica;
        r.header.prover = key.public_key();
        r.header.nonce = n;
        r.sealed_root = header_.sealed_root;
        r.genesis_height = params_.genesis_height;
        r.genesis_block_hash = hash_of(params_.genesis_height);
        r.bond_id = BondId(tagged_hash("bench/bond", n));
        return sign_registration(network_id_, r, key).value();
    }
    void register_and_seal() {
        std::vector<Registration> registrations(count_);
        tbb::parallel_for(std::size_t{0}, count_, [&](std::size_t i) {
            registrations[i] = registration(provers_[i % kKeys]->key, i);
        });
        ListedBlock listed;
        for (std::size_t i = 0; i < count_; ++i) {
            const Registration& r = registrations[i];
            listed.bonds.push_back(BondEvent::created(
                r.bond_id, r.header.prover, params_.least_chain_part, BondPurpose::kStorage));
            listed.objects.push_back(
                {Kind::kRegistration, wrap_object(Kind::kRegistration, r.encode())});
            provers_[i % kKeys]->chains.push_back(r.chain_id(network_id_));
        }
        feed(std::move(listed));
        for (std::uint32_t i = 0; i < params_.seal_delay; ++i) feed();
        std::vector<Bytes> proofs;
        for (auto& p : provers_) {
            std::sort(p->chains.begin(), p->chains.end());
            for (const ChainId& id : p->chains) {
                proofs.push_back(
                    wrap_object(Kind::kSealProof, Writer(40).fixed(id).height(tip_).bytes()));
            }
        }
        const SealCheck believes = [](const Registration&, const SealContext&,
                                      ByteView) -> Result<Verdict> { return Verdict::ok(); };
        const std::vector<ByteView> views(proofs.begin(), proofs.end());
        for (const ObjectOutcome& o : expect(registry_->accept(views, believes))) {
            require(o.verdict.accepted(), "every seal proof");
        }
    }
    void start_nodes() {
        FollowSource source;
        source.tip = [this] { return registry_->tip(); };
        source.facts = [](Height h) -> Result<FollowFacts> {
            FollowFacts facts;
            facts.block = {h, hash_of(h), hash_of(h - 1), h.value * 52'000, true};
            return facts;
        };
        source.chains = [](Height) { return Result<std::vector<ChallengedChain>>(); };
        source.duties = registry_.get();
        door_.emplace(*registry_, host_key_, node::JournalDoor::Submit());
        source.hand_over = [this](const PublicKey& from, ByteView message,
                                  std::span<const ByteView> objects) -> Result<HandedOvers> {
            HOLDFAST_ASSIGN(taken, door_->take(from, message, objects));
            return std::move(taken.answer);
        };
        FollowServiceOptions unbounded;
        unbounded.questions.burst = unbounded.submissions.burst = 1'000'000'000;
        service_.emplace(std::move(source), chain_, [] { return std::uint64_t{0}; }, unbounded);
        TcpNetworkOptions options = transport(network_id_);
        options.listen = "127.0.0.1:0";
        options.accept_anyone = true;
        options.handler = [this](const PublicKey& from, ByteView message) {
            return service_->handle(from, message);
        };
        node_ = expect(TcpNetwork::start(host_key_, options));
        options.handler = [](const PublicKey&, ByteView) -> Result<Bytes> {
            return encode_answer(FollowTaken{});
        };
        sink_ = expect(TcpNetwork::start(key_of("sink"), options));
        for (auto& p : provers_) connect(*p);
    }
    void connect(Prover& p) {
        const PublicKey host = host_key_.public_key();
        expect(p.tcp->add_peer({host, node_->address()}));
        expect(p.tcp->add_peer({sink_key_, sink_->address()}));
        expect(p.tcp->wait_connected(host, kLimitMs));
        expect(p.tcp->wait_connected(sink_key_, kLimitMs));
        p.node.emplace([&p, host](ByteView message) -> Result<Bytes> {
            HOLDFAST_ASSIGN(reply, p.tcp->request(host, message, kLimitMs));
            return std::move(reply.response);
        });
        p.duties.emplace(*p.node, network_id_, host);
    }

    // --- what provers make -----------------------------------------------------------------------

    CellsToOpen cells_of(const LinkDraw& draw) const {
        CellsToOpen out;
        out.replica = replica_;
        out.chunks = header_.replica.chunks;
        out.sealed_root = header_.sealed_root;
        out.cells.assign(draw.cells.begin(), draw.cells.end());
        return out;
    }
    template <class Due>
    LinkDraw draw(const KnownHeight& known, const Due& due) const {
        const LinkFacts facts{due.chain_id, known.height,    known.block_hash, *known.y,
                              known.anchor, due.link_before, Reveal{}};
        return draw_link(network_id_, facts, header_.replica.chunks);
    }
    /// The links of all that is due, each opened from the replica; body(i, opening, cell).
    template <class Due, class Body>
    void open(Prover& p, const KnownHeight& known, const std::vector<Due>& due, bool one_cell,
              const Body& body) const {
        for (std::size_t at = 0; at < due.size(); at += kChainsAtOnce) {
            const std::size_t end = std::min(due.size(), at + kChainsAtOnce);
            std::vector<LinkDraw> draws;
            std::vector<CellsToOpen> cells;
            for (std::size_t i = at; i < end; ++i) {
                draws.push_back(draw(known, due[i]));
                cells.push_back(cells_of(draws.back()));
            }
            for (std::size_t i = at; one_cell && i < end; ++i) {
                const auto j = compact_index(network_id_, *known.y_compact, due[i].chain_id);
                cells.push_back(cells_of(draws[i - at]));
                cells.back().cells = {draws[i - at].where[j].index().value};
            }
            open_cells(*p.reader, p.files, cells);
            for (std::size_t i = at; i < end; ++i) {
                CellsToOpen& whole = cells[i - at];
                require(whole.opening.has_value(), "cells lead to the root");
                CellsToOpen* const cell = one_cell ? &cells[end - at + i - at] : nullptr;
                body(i, assemble_link(network_id_, draws[i - at], std::move(*whole.opening)), cell);
            }
        }
    }
    /// Asked for, made, and on the device.
    std::vector<ChainLink> links(Prover& p) {
        const KnownHeight known = expect(registry_->known_height(tip_));
        const auto due = expect(p.duties->due_links(p.key.public_key(), tip_));
        require(due.size() == p.chains.size(), "every link is due");
        std::vector<ChainLink> out;
        out.reserve(due.size());
        open(p, known, due, false, [&](std::size_t i, const LinkOpening& opening, CellsToOpen*) {
            out.push_back({due[i].chain_id, opening.link});
        });
        const LinkPlace place{tip_, known.block_hash, known.anchor};
        for (const Verdict& v : expect(p.records.record(place, out))) {
            require(v.accepted(), "every link is recorded");
        }
        return out;
    }
    Bytes bundle(const Prover& p, std::span<const ChainLink> links) const {
        const KnownHeight known = expect(registry_->known_height(tip_));
        std::vector<BundleEntry> members;
        for (const ChainLink& l : links) members.push_back({l.chain_id, l.link});
        const auto made = make_bundle(network_id_, known.block_hash, tip_, known.anchor,
                                      std::move(members), p.key);
        return wrap_object(Kind::kBundle, made.value().encode());
    }
    std::vector<Bytes> bundles(const Prover& p, const std::vector<ChainLink>& links) const {
        std::vector<Bytes> out;
        for (std::size_t at = 0; at < links.size(); at += kBundleMaxMembers) {
            const std::size_t n = std::min(kBundleMaxMembers + std::size_t{0}, links.size() - at);
            out.push_back(bundle(p, std::span(links).subspan(at, n)));
        }
        return out;
    }
    std::vector<Bytes> short_proofs(Prover& p, Height h) const {
        const KnownHeight known = expect(registry_->known_height(h));
        const auto due = expect(p.duties->due_proofs(p.key.public_key(), h));
        require(due.size() == p.chains.size(), "every proof is due");
        std::vector<Bytes> out;
        open(p, known, due, true,
             [&](std::size_t i, const LinkOpening& opening, CellsToOpen* cell) {
                 require(opening.link == due[i].link, "the link that stands");
                 if (full_required(network_id_, *known.y_compact, due[i].chain_id)) {
                     out.push_back(wrap_object(Kind::kShortFull, to_short_full(opening).encode()));
                     return;
                 }
                 require(cell->opening.has_value(), "a cell leads to the root");
                 out.push_back(wrap_object(Kind::kShortCompact,
                                           to_short_compact(network_id_, opening, *known.y_compact,
                                                            std::move(cell->opening->siblings))
                                               .encode()));
             });
        return out;
    }
    /// B and C, with receipts and paths.
    std::vector<Bytes> whole_proofs(Prover& p, Height h, const HierarchyTree& tree) const {
        const KnownHeight known = expect(registry_->known_height(h));
        const auto due = expect(p.duties->due_proofs(p.key.public_key(), h));
        const LinkPlace place{h, known.block_hash, known.anchor};
        std::vector<Bytes> out;
        open(p, known, due, true,
             [&](std::size_t i, const LinkOpening& opening, CellsToOpen* cell) {
                 const SignedLink link{
                     opening, expect(p.records.sign(place, {due[i].chain_id, due[i].link}, p.key))};
                 if (full_required(network_id_, *known.y_compact, due[i].chain_id)) {
                     out.push_back(wrap_object(Kind::kFull, to_full(link).encode()));
                     return;
                 }
                 const auto info = expect(registry_->chain(due[i].chain_id));
                 const PathProof path = tree.path(*info->slot).value();
                 out.push_back(wrap_object(
                     Kind::kCompact, expect(to_compact(network_id_, link, path, *known.y_compact,
                                                       std::move(cell->opening->siblings)))
                                         .encode()));
             });
        return out;
    }

    const std::size_t count_;
    const NetworkParams params_ = network();
    const NetworkId network_id_ = params_.id();
    const KeyPair host_key_ = key_of("host");
    const PublicKey sink_key_ = key_of("sink").public_key();
    Folder folder_;
    std::filesystem::path replica_;
    FileHeader header_;
    std::unique_ptr<Registry> registry_;
    SilentChain chain_;
    std::optional<node::JournalDoor> door_;
    std::optional<FollowService> service_;
    std::unique_ptr<TcpNetwork> node_;
    std::unique_ptr<TcpNetwork> sink_;
    std::vector<std::unique_ptr<Prover>> provers_;
    Height next_ = params_.genesis_height;
    Height tip_ = params_.genesis_height;
    Height first_linked_{UINT64_MAX / 2};
};

struct Measured {
    Samples node;
    Samples provers;
    double bytes = 0;  // a chain and height
};

/// Heights in steady state: every link made, every proof of the height whose turn it is.
Measured live(World& world, unsigned heights, bool single) {
    Measured out;
    for (unsigned i = 0; i < heights; ++i) {
        const std::uint64_t before = world.bytes();
        std::vector<Made> made;
        const double making =
            seconds_of([&] { made = single ? world.make_single() : world.make(); });
        const std::uint64_t asked = world.bytes();
        const double sending = seconds_of([&] { world.send_to_sink(made); });
        const std::uint64_t sunk = world.bytes();
        const std::optional<Height> proven = world.proven();
        const double taking = seconds_of([&] {
            world.hand_over(made);
            world.feed();
        });
        out.node.seconds.push_back(taking);
        out.provers.seconds.push_back(making + sending);
        out.bytes += static_cast<double>(world.bytes() - sunk + asked - before) /
                     static_cast<double>(world.count() * heights);
        if (proven) world.check_proven(*proven);
    }
    return out;
}

struct Figures {
    std::size_t chains = 0;
    Measured ours;
    Measured single;
};

/// Measured once, for all three.
const Figures& figures(const Options& options) {
    static const Figures kFigures = [&] {
        Figures out;
        out.chains = options.full ? 100'000 : 10'000;
        World world(out.chains);
        world.linked();
        (void)live(world, static_cast<unsigned>(world.heights_to_steady()) + 1, false);
        out.ours = live(world, 3, false);
        out.single = live(world, 1, true);
        return out;
    }();
    return kFigures;
}

void entry(const std::string& id, const std::string& what, double value, const std::string& unit,
           double single, double most, const Options& options) {
    const Figures& all = figures(options);
    Entry e;
    e.id = id;
    e.what = "a height of " + std::to_string(all.chains) + " chains of 10 keys: " + what;
    e.value = value;
    e.unit = unit;
    e.peer = "the same with a signature for each link, and compact proofs";
    e.peer_value = single;
    e.ratio = single / value;
    e.target = Target::value_at_most(most);
    e.threads = options.threads;
    e.samples = all.ours.node.size();
    report(e);
}

double in_proportion(const Options& options, double most) {
    return most * static_cast<double>(figures(options).chains) / 100'000;
}

void node_side(const Options& options) {
    const Figures& all = figures(options);
    entry("N1", "taken, verified, durable, acknowledged, a digest closed", all.ours.node.median(),
          "s", all.single.node.median(), in_proportion(options, 4), options);
}

void provers_side(const Options& options) {
    const Figures& all = figures(options);
    entry("N2", "asked for, read, linked, recorded, signed, proven, sent; warm",
          all.ours.provers.median(), "s", all.single.provers.median(), in_proportion(options, 6),
          options);
}

void bytes_sent(const Options& options) {
    const Figures& all = figures(options);
    entry("N3", "bytes of all frames both ways, a chain", all.ours.bytes, "bytes", all.single.bytes,
          1'400, options);
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
    return holdfast::bench::run(argc, argv,
                                {{"N1", holdfast::bench::node_side},
                                 {"N2", holdfast::bench::provers_side},
                                 {"N3", holdfast::bench::bytes_sent}});
}
