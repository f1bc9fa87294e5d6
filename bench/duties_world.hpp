// The world of N1 to N3: ten keys and their chains, a node, and a node that answers at once, all of
// it over TLS on loopback.
//
// The provers' side is that of the daemon: ProverSet and BlockProcessor over node::FollowDuties,
// with replicas of 64 KiB in files of their own, whose bytes after the header are those of one that
// was sealed once; they are in memory after the first height. Seal proofs are believed, and so is
// y. What provers hand to the node that answers at once is kept and goes to the node itself, which
// takes it as any: verified, in the journal on the device, acknowledged.
#pragma once

#include <tbb/parallel_for.h>

#include <ctime>
#include <fstream>
#include <future>
#include <mutex>

#include "api/block_processor.hpp"
#include "bench/scratch.hpp"
#include "chunking/replica_batch.hpp"
#include "chunking/seal.hpp"
#include "core/hash.hpp"
#include "follow/duty_client.hpp"
#include "follow/service.hpp"
#include "node/follow_duties.hpp"
#include "node/journal_door.hpp"
#include "simulation/singles.hpp"
#include "storage/file.hpp"
#include "transport/tcp_network.hpp"

namespace holdfast::bench {

inline constexpr std::size_t kKeys = 10;
inline constexpr std::uint64_t kReplicaBytes = 65'536;
inline constexpr std::size_t kReplicasAFolder = 1'000;
inline constexpr std::uint32_t kLimitMs = 300'000;

/// Seconds of a clock, and of all processors.
struct Spent {
    double seconds = 0;
    double processors = 0;
};

inline double processor_seconds() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

inline Spent spent_on(const std::function<void()>& work) {
    const double processors = processor_seconds();
    const auto start = std::chrono::steady_clock::now();
    work();
    return {std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
            processor_seconds() - processors};
}

inline KeyPair key_of(std::string_view what, std::uint64_t n = 0) {
    return KeyPair::from_secret(view(tagged_hash("bench/" + std::string(what), n)));
}

inline NetworkParams duties_network() {
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

inline BlockHash hash_of(Height h) { return BlockHash(tagged_hash("bench/block", h)); }
inline VdfOutput y_of(Height h) { return VdfOutput(tagged_hash("bench/y", h)); }

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

inline TcpNetworkOptions transport(const NetworkId& network_id) {
    TcpNetworkOptions options;
    options.network = network_id;
    options.limits.frames_per_second = 10'000'000;
    options.limits.bytes_per_second = UINT32_MAX;
    return options;
}

/// What one prover has to hand over at a height.
struct Made {
    std::vector<Bytes> links;
    std::vector<Bytes> proofs;  // of an earlier height
};

/// One key's chains, and its way to both nodes.
struct Prover {
    Prover(const NetworkParams& params, std::uint64_t n, const std::filesystem::path& folder)
        : key(key_of("prover", n)),
          set(expect(ProverSet::open(params, key_of("prover", n),
                                     folder / ("links" + std::to_string(n)), set_options()))),
          acknowledged(expect(Acknowledgements::open(folder / ("acks" + std::to_string(n)),
                                                     params.id(), key.public_key()))),
          tcp(expect(TcpNetwork::start(key, transport(params.id())))) {}

    static ProverSetOptions set_options() {
        ProverSetOptions options;
        options.open_files = 64;  // of ten in one process, which may have 1,024
        return options;
    }
    /// A client of the node behind this key.
    void follow(const NetworkParams& params, const PublicKey& node, const PublicKey& quick) {
        const auto request_to = [this](const PublicKey& host) {
            return [this, host](ByteView message) -> Result<Bytes> {
                HOLDFAST_ASSIGN(reply, tcp->request(host, message, kLimitMs));
                return std::move(reply.response);
            };
        };
        client.emplace(request_to(node));
        duties.emplace(*client, params.id(), node);
        quick_client.emplace(request_to(quick));
        quick_duties.emplace(*quick_client, params.id(), quick);
        const auto verified = [](Height h) { return Result<VdfOutput>(y_of(h)); };
        source.emplace(params, key.public_key(),
                       std::vector<node::DutyNode>{{quick, &*quick_client, &*quick_duties}},
                       verified, acknowledged);
        BlockProcessorOptions options;
        options.threads = 1;          // of ten that work at the same time
        options.seal_proofs = false;  // audits are another's work, as in the daemon
        processor.emplace(expect(BlockProcessor::make(params, *source, options)));
    }

    KeyPair key;
    ProverSet set;
    Acknowledgements acknowledged;
    std::unique_ptr<TcpNetwork> tcp;
    std::optional<FollowClient> client;
    std::optional<DutyClient> duties;  // of the node
    std::optional<FollowClient> quick_client;
    std::optional<DutyClient> quick_duties;
    std::optional<node::FollowDuties> source;
    std::optional<BlockProcessor> processor;
};

class DutiesWorld {
  public:
    explicit DutiesWorld(std::size_t chains) : count_(chains) {
        seal_one();
        registry_ = expect(Registry::open(folder_ / "registry", params_));
        feed();
        const std::filesystem::path records = folder_ / "provers";
        std::filesystem::create_directory(records);
        for (std::uint64_t k = 0; k < kKeys; ++k) {
            provers_.push_back(std::make_unique<Prover>(params_, k, records));
        }
        register_and_seal();
        start_nodes();
        for (std::uint32_t i = 0; i < params_.closing_blocks(); ++i) feed();
        first_linked_ = tip_;
    }
    ~DutiesWorld() {
        for (auto& prover : provers_) (void)prover->tcp->stop(0);
        (void)node_->stop(0);
        (void)quick_->stop(0);
    }
    DutiesWorld(const DutiesWorld&) = delete;
    DutiesWorld& operator=(const DutiesWorld&) = delete;

    /// The height whose proofs are due at the tip, where there is one.
    [[nodiscard]] std::optional<Height> proven() const {
        if (tip_ < first_linked_ + heights_to_steady()) return std::nullopt;
        return tip_ - heights_to_steady();
    }
    [[nodiscard]] std::uint64_t heights_to_steady() const {
        return compact_draw_height(params_, Height(0)).value;
    }

    /// N2: everything that the provers owe at the tip, made and handed to the node that answers at
    /// once.
    std::vector<Made> make() {
        collected_.assign(kKeys, {});
        each_prover([&](std::size_t k) {
            Prover& p = *provers_[k];
            require(p.source->begin_pass().has_value(), "what is due is told");
            const SetReport report = expect(p.processor->process(p.set, tip_));
            if (report.fault_count > 0) throw std::runtime_error(report.faults[0].error.message);
            // At first more than one height is open.
            const bool all =
                report.links == report.links_due && report.links >= p.set.members().size();
            require(all, "every link is taken");
            require(report.compact_proofs + report.full_proofs == report.proofs_due,
                    "every proof is taken");
        });
        return std::move(collected_);
    }
    /// The same with a signature for each link, and proofs that light clients read.
    std::vector<Made> singly(const std::vector<Made>& made) {
        const KnownHeight known = expect(registry_->known_height(tip_));
        std::optional<simulation::WholeProofs> proofs;
        if (const auto h = proven()) {
            proofs.emplace(network_id_, expect(registry_->known_height(*h)),
                           expect(registry_->tree(*h)));
            proofs->note(expect(registry_->due_proofs(*h)));
        }
        std::vector<Made> out(kKeys);
        for (std::size_t k = 0; k < kKeys; ++k) {
            const KeyPair& key = provers_[k]->key;
            for (const Bytes& object : made[k].links) {
                const Bundle bundle =
                    Bundle::decode(unwrap_object(Kind::kBundle, object).value()).value();
                auto singles = simulation::one_by_one(network_id_, known, bundle, key);
                std::move(singles.begin(), singles.end(), std::back_inserter(out[k].links));
            }
            out[k].proofs.resize(made[k].proofs.size());
            tbb::parallel_for(std::size_t{0}, out[k].proofs.size(), [&](std::size_t i) {
                out[k].proofs[i] = expect(proofs->of(made[k].proofs[i], key));
            });
        }
        return out;
    }
    /// By the node that answers at once: sending alone.
    void send_quick(const std::vector<Made>& made) {
        collected_.assign(kKeys, {});
        each_prover([&](std::size_t k) { send(*provers_[k]->quick_duties, made[k]); });
        collected_.clear();
    }
    /// N1: by the node; everything is acknowledged.
    void hand_over(const std::vector<Made>& made) {
        each_prover([&](std::size_t k) { send(*provers_[k]->duties, made[k]); });
    }
    /// The next block.
    void feed(ListedBlock listed = {}) {
        tip_ = next_;
        next_ = next_ + 1;
        const BlockOutcome out = expect(registry_->on_final_block(
            {tip_, hash_of(tip_), tip_.value * 52'000, std::move(listed)}));
        for (const ObjectOutcome& o : out.objects) require(o.verdict.accepted(), "every object");
        require(expect(registry_->note_y(tip_, y_of(tip_))).accepted(), "every y");
        if (service_) expect(service_->refresh());
        if (quick_service_) expect(quick_service_->refresh());
    }
    /// Every link of the height stands and is proven.
    void check_proven(Height h) const {
        require(expect(registry_->due_proofs(h)).empty(), "every link is proven");
        std::uint64_t links = 0;
        for (const auto& p : provers_) {
            for (const auto& [id, _] : p->set.by_chain()) {
                links += expect(registry_->link(id, h)) ? 1 : 0;
            }
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
    [[nodiscard]] Height tip() const { return tip_; }
    [[nodiscard]] std::size_t count() const { return count_; }

  private:
    template <class Body>
    void each_prover(const Body& body) {
        std::vector<std::future<void>> running;
        for (std::size_t k = 0; k < kKeys; ++k) {
            running.push_back(std::async(std::launch::async, [&body, k] { body(k); }));
        }
        for (auto& one : running) one.get();
    }
    /// In messages as large as provers make them.
    static void send(DutyClient& node, const Made& made) {
        for (const auto* list : {&made.links, &made.proofs}) {
            const std::vector<ByteView> views(list->begin(), list->end());
            for (std::size_t at = 0; at < views.size();) {
                const HandedBatch batch = expect(node.hand_over(std::span(views).subspan(at)));
                require(batch.acknowledgement.has_value(), "everything is acknowledged");
                at += batch.objects.size();
            }
        }
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
        request.replica_path = folder_ / "r.replica";
        request.tree_path = folder_ / "r.tree";
        header_ = expect(seal(request)).header;
        replica_ = expect(read_file(request.replica_path, 2 * kReplicaBytes));
        tree_ = expect(read_file(request.tree_path, 2 * kReplicaBytes));
    }
    ReplicaHeader header_of(std::uint64_t n) const {
        ReplicaHeader out = header_.replica;
        out.prover = provers_[n % kKeys]->key.public_key();
        out.nonce = n;
        return out;
    }
    Registration registration(std::uint64_t n) const {
        Registration r;
        r.header = header_of(n);
        r.sealed_root = header_.sealed_root;
        r.genesis_height = params_.genesis_height;
        r.genesis_block_hash = hash_of(params_.genesis_height);
        r.bond_id = BondId(tagged_hash("bench/bond", n));
        return expect(sign_registration(network_id_, r, provers_[n % kKeys]->key));
    }
    /// The sealed bytes behind another header; a folder's replicas share their tree.
    void write_replica(std::uint64_t n) const {
        const std::filesystem::path folder =
            folder_ / ("replicas" + std::to_string(n / kReplicasAFolder));
        const std::filesystem::path tree = folder / "tree";
        if (n % kReplicasAFolder == 0) {
            std::filesystem::create_directory(folder);
            expect(write_file(tree, tree_));
        }
        Bytes bytes = encode_file_header(
            Kind::kReplicaFile, make_file_header(header_of(n), header_.sealed_root, network_id_));
        bytes.insert(bytes.end(), replica_.begin() + kFileHeaderBytes, replica_.end());
        const std::filesystem::path replica = folder / (std::to_string(n) + ".replica");
        std::ofstream(replica, std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
        std::filesystem::create_hard_link(tree, tree_beside(replica));
        expect(provers_[n % kKeys]->set.add(replica));
    }
    void register_and_seal() {
        std::vector<Registration> registrations(count_);
        tbb::parallel_for(std::size_t{0}, count_,
                          [&](std::size_t i) { registrations[i] = registration(i); });
        ListedBlock listed;
        std::vector<ChainId> chains;
        for (std::size_t i = 0; i < count_; ++i) {
            const Registration& r = registrations[i];
            listed.bonds.push_back(BondEvent::created(
                r.bond_id, r.header.prover, params_.least_chain_part, BondPurpose::kStorage));
            listed.objects.push_back(
                {Kind::kRegistration, wrap_object(Kind::kRegistration, r.encode())});
            chains.push_back(r.chain_id(network_id_));
            write_replica(i);
        }
        feed(std::move(listed));
        for (std::uint32_t i = 0; i < params_.seal_delay; ++i) feed();
        std::vector<Bytes> proofs;
        for (const ChainId& id : chains) {
            proofs.push_back(
                wrap_object(Kind::kSealProof, Writer(40).fixed(id).height(tip_).bytes()));
        }
        const SealCheck believes = [](const Registration&, const SealContext&,
                                      ByteView) -> Result<Verdict> { return Verdict::ok(); };
        const std::vector<ByteView> views(proofs.begin(), proofs.end());
        for (const ObjectOutcome& o : expect(registry_->accept(views, believes))) {
            require(o.verdict.accepted(), "every seal proof");
        }
    }
    FollowSource source() {
        FollowSource source;
        source.tip = [this] { return registry_->tip(); };
        source.facts = [](Height h) -> Result<FollowFacts> {
            FollowFacts facts;
            facts.block = {h, hash_of(h), hash_of(h - 1), h.value * 52'000, true};
            return facts;
        };
        source.chains = [](Height) { return Result<std::vector<ChallengedChain>>(); };
        source.duties = registry_.get();
        return source;
    }
    /// Keeps what comes and says that it stands.
    HandedOvers collect(const PublicKey& from, ByteView message,
                        std::span<const ByteView> objects) {
        std::size_t k = 0;
        while (provers_[k]->key.public_key() != from) ++k;
        HandedOvers out;
        for (const ByteView object : objects) {
            const bool link = peek_kind(object) == Kind::kBundle;
            auto& list = link ? collected_[k].links : collected_[k].proofs;
            list.emplace_back(object.begin(), object.end());
            out.objects.emplace_back().entry = 0;
        }
        out.acknowledgement =
            expect(make_acknowledgement(network_id_, message, tip_, hash_of(tip_), quick_key_));
        return out;
    }
    void start_nodes() {
        door_.emplace(*registry_, host_key_, node::JournalDoor::Submit());
        FollowSource whole = source();
        whole.hand_over = [this](const PublicKey& from, ByteView message,
                                 std::span<const ByteView> objects) -> Result<HandedOvers> {
            HOLDFAST_ASSIGN(taken, door_->take(from, message, objects));
            return std::move(taken.answer);
        };
        FollowSource quick = source();
        quick.hand_over = [this](const PublicKey& from, ByteView message,
                                 std::span<const ByteView> objects) -> Result<HandedOvers> {
            return collect(from, message, objects);
        };
        FollowServiceOptions unbounded;
        unbounded.questions.burst = unbounded.submissions.burst = 1'000'000'000;
        const MonotonicNs no_time = [] { return std::uint64_t{0}; };
        service_.emplace(std::move(whole), chain_, no_time, unbounded);
        quick_service_.emplace(std::move(quick), chain_, no_time, unbounded);
        expect(service_->refresh());
        expect(quick_service_->refresh());
        node_ = listen(host_key_, *service_);
        quick_ = listen(quick_key_, *quick_service_);
        for (auto& p : provers_) connect(*p);
    }
    std::unique_ptr<TcpNetwork> listen(const KeyPair& key, FollowService& service) {
        TcpNetworkOptions options = transport(network_id_);
        options.listen = "127.0.0.1:0";
        options.accept_anyone = true;
        options.handler = [&service](const PublicKey& from, ByteView message) {
            return service.handle(from, message);
        };
        return expect(TcpNetwork::start(key, options));
    }
    void connect(Prover& p) {
        const PublicKey host = host_key_.public_key();
        const PublicKey quick = quick_key_.public_key();
        expect(p.tcp->add_peer({host, node_->address()}));
        expect(p.tcp->add_peer({quick, quick_->address()}));
        expect(p.tcp->wait_connected(host, kLimitMs));
        expect(p.tcp->wait_connected(quick, kLimitMs));
        p.follow(params_, host, quick);
    }

    const std::size_t count_;
    const NetworkParams params_ = duties_network();
    const NetworkId network_id_ = params_.id();
    const KeyPair host_key_ = key_of("host");
    const KeyPair quick_key_ = key_of("quick");
    Folder folder_;
    FileHeader header_;
    Bytes replica_;
    Bytes tree_;
    std::unique_ptr<Registry> registry_;
    SilentChain chain_;
    std::optional<node::JournalDoor> door_;
    std::optional<FollowService> service_;
    std::optional<FollowService> quick_service_;
    std::unique_ptr<TcpNetwork> node_;
    std::unique_ptr<TcpNetwork> quick_;
    std::vector<std::unique_ptr<Prover>> provers_;
    std::vector<Made> collected_;  // a prover's by its own messages, one at a time
    Height next_ = params_.genesis_height;
    Height tip_ = params_.genesis_height;
    Height first_linked_{UINT64_MAX / 2};
};

}  // namespace holdfast::bench
