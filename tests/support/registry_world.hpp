// Small networks, chains with real keys and links, and a registry driven through final blocks.
//
// Replicas here are 16 chunks of made-up sealed data: a registry never sees what was sealed, so no
// fill is needed. Seal proofs are accepted by a check that the test gives.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/hash.hpp"
#include "core/keys.hpp"
#include "core/keystream.hpp"
#include "core/merkle.hpp"
#include "hierarchy/registry.hpp"
#include "proofs/bundle.hpp"
#include "proofs/entropy.hpp"
#include "proofs/evidence.hpp"
#include "proofs/link.hpp"
#include "proofs/registration.hpp"
#include "proofs/reveal.hpp"
#include "support/temp_folder.hpp"

namespace holdfast::test {

inline constexpr std::uint64_t kTestPart = 10;
inline KeyPair test_operator() { return KeyPair::from_secret(view(tagged_hash("test/operator"))); }

inline constexpr std::uint64_t kShortGenesis = 100;

/// Everything short, so that a chain's whole life fits into a few dozen blocks. No audits.
inline NetworkParams short_network() {
    NetworkParams p = NetworkParams::preset(kParamsVersion2);
    p.name = "registry test";
    p.least_chain_part = kTestPart;
    p.operator_key = test_operator().public_key();
    p.genesis_height = Height(kShortGenesis);
    p.block_ms = 64'800'000;  // retention: 40, 486 and 3,406 blocks
    p.finality_blocks = 1;
    p.has_vdf = false;
    p.epoch_blocks = p.epoch_lag = 0;
    p.seal_presets = {kSealDev};
    p.seal_delay = 3;
    p.seal_deadline = 4;
    p.seal_windows = p.audit_windows = p.seal_cells = 1;
    p.audits_per_block = 0;
    p.link_lag = 1;
    p.rate_window = 20;
    p.misses_late = 3;
    p.misses_expired = 8;
    p.proof_deadline = 4;
    p.group_slots = 4;
    p.region_groups = 3;
    p.removal_delay = 3;
    p.liability_blocks = 6;
    p.checkpoint_blocks = 5;
    return p;
}

/// In which silent chains stay as they are.
inline NetworkParams patient_network() {
    NetworkParams p = short_network();
    p.misses_late = p.misses_expired = 1'000;
    return p;
}

inline BlockHash test_hash(Height h) { return BlockHash(tagged_hash("test/block", h)); }
inline VdfOutput test_y(Height h) { return VdfOutput(tagged_hash("test/y", h)); }

/// What a TestChain may have otherwise than most.
struct TestChainOptions {
    Height genesis;
    std::optional<BlockHash> genesis_hash;  // empty: test_hash()
    Retention retention = Retention::kDefault;
    bool reveals = false;
    /// Its raw data are registered and were never sealed, but for cell 0.
    bool unsealed = false;
};

/// A prover with one replica of 16 chunks.
class TestChain {
  public:
    TestChain(const NetworkParams& params, std::uint64_t seed, Height genesis,
              Retention retention = Retention::kDefault, bool reveals = false)
        : TestChain(params, seed, TestChainOptions{genesis, {}, retention, reveals}) {}

    TestChain(const NetworkParams& params, std::uint64_t seed, const TestChainOptions& options)
        : network_id_(params.id()),
          key_(KeyPair::from_secret(view(tagged_hash("test/key", seed)))) {
        cells_.resize(kMinChunks * kCellsPerChunk);
        for (std::size_t i = 0; i < cells_.size(); ++i) {
            const Digest d = tagged_hash("test/cell", seed, std::uint64_t{i});
            for (std::size_t b = 0; b < kCellBytes; ++b) cells_[i][b] = d[b % kDigestBytes];
        }
        Registration r;
        r.header.prover = key_.public_key();
        r.header.raw_root = Root(tagged_hash("test/raw", seed));
        r.header.data_len = kMinChunks * kChunkBytes;
        r.header.chunks = ChunkCount(kMinChunks);
        r.header.seal = params.seal_presets.front();
        r.header.nonce = seed;
        if (options.unsealed) register_raw(r);
        tree_ = std::make_unique<MerkleTree>(cell_leaves());
        r.sealed_root = Root(tree_->root());
        r.genesis_height = options.genesis;
        r.genesis_block_hash = options.genesis_hash.value_or(test_hash(options.genesis));
        r.retention = options.retention;
        r.bond_id = BondId(tagged_hash("test/bond", seed));
        replica_ = r.replica_id(network_id_);
        if (options.reveals) r.local_commitment = reveals_at(options.genesis).commitment();
        registration_ = sign_registration(network_id_, r, key_).value();
        id_ = registration_.chain_id(network_id_);
    }

    [[nodiscard]] const ChainId& id() const { return id_; }
    [[nodiscard]] const ReplicaId& replica() const { return replica_; }
    [[nodiscard]] const KeyPair& key() const { return key_; }
    [[nodiscard]] const Registration& registration() const { return registration_; }
    RevealChain& reveals_at(Height base) {
        const auto known = reveals_.find(base);
        if (known != reveals_.end()) return known->second;
        return reveals_.emplace(base, RevealChain::make(network_id_, replica_, base, key_).value())
            .first->second;
    }

    /// The link of a height with all its openings, as the registry says the height stands.
    Full full(const KnownHeight& known, const std::optional<RevealState>& force = std::nullopt) {
        return full_with(
            known, force ? reveals_at(force->base).at_height(known.height).value() : Reveal{});
    }
    Full full_with(const KnownHeight& known, const Reveal& reveal) {
        Full proof;
        proof.chain_id = id_;
        proof.link_before = known.link_before.value();
        proof.reveal = reveal;
        const Entropy e = chain_entropy(network_id_, known.y.value(), id_, proof.reveal);
        const OpenedCells where = opened_cells(e, ChunkCount(kMinChunks));
        std::array<Digest, kChunksPerLink> openings;
        std::vector<std::uint64_t> ascending;
        for (std::size_t j = 0; j < where.size(); ++j) {
            openings[j] = opening_hash(e, where[j], cell(where[j]));
            ascending.push_back(where[j].index().value);
        }
        std::sort(ascending.begin(), ascending.end());
        for (std::size_t j = 0; j < ascending.size(); ++j) proof.cells[j] = cells_[ascending[j]];
        proof.siblings = tree_->multiproof(ascending);
        const Link link = link_hash(network_id_, {id_, known.height, known.block_hash, known.anchor,
                                                  proof.link_before, e, opening_root(openings)});
        proof.receipt = sign(known, link);
        openings_ = openings;
        where_ = where;
        return proof;
    }
    /// A bundle of this one link, standing alone.
    [[nodiscard]] Bytes bundle(const KnownHeight& known, const Link& link) const {
        const auto made = make_bundle(network_id_, known.block_hash, known.height, known.anchor,
                                      {{id_, link}}, key_);
        return wrap_object(Kind::kBundle, made.value().encode());
    }
    /// The bond that its registration names, as the host chain lists it.
    [[nodiscard]] BondEvent bond(std::uint64_t amount = kTestPart) const {
        return BondEvent::created(registration_.bond_id, key_.public_key(), amount,
                                  BondPurpose::kStorage);
    }
    /// Any link, signed: what a prover without data could send.
    Receipt sign(const KnownHeight& known, const Link& link) const {
        const Digest d =
            receipt_digest(network_id_, id_, known.height, known.block_hash, known.anchor, link);
        return {link, known.height, known.anchor, key_.sign(view(d)).value()};
    }
    Compact compact(const KnownHeight& known, const PathProof& path,
                    const std::optional<RevealState>& force = std::nullopt) {
        return compact_of(known, path, full(known, force));
    }
    /// Of the height whose full proof was the last that was made.
    Compact compact_of(const KnownHeight& known, const PathProof& path, const Full& whole) const {
        const std::uint8_t j = compact_index(network_id_, known.y_compact.value(), id_);
        Compact proof;
        proof.receipt = whole.receipt;
        proof.chain_id = id_;
        proof.link_before = whole.link_before;
        proof.reveal = whole.reveal;
        proof.status = path.leaf.status;
        proof.path = path.path;
        proof.cell = cell(where_[j]);
        proof.cell_path = tree_->path(where_[j].index().value);
        const std::vector<Digest> up = opening_path(openings_, j);
        std::copy(up.begin(), up.end(), proof.opening_path.begin());
        return proof;
    }

    [[nodiscard]] const Cell& cell(const OpenedCell& at) const { return cells_[at.index().value]; }
    [[nodiscard]] const MerkleTree& tree() const { return *tree_; }
    /// That this cell is not what the raw cell seals to: true of an unsealed chain, but for cell 0.
    [[nodiscard]] Evidence accuse_cell(std::uint64_t cell) const {
        return make_bad_seal(registration_, CellIndex(cell), raw_cells_.at(cell),
                             raw_tree_->path(cell), cells_[cell], tree_->path(cell));
    }
    /// Answers a challenge for these chunks, in any order.
    [[nodiscard]] Bytes payload(std::vector<std::uint64_t> chunks) const {
        std::sort(chunks.begin(), chunks.end());
        Writer w;
        std::vector<std::uint64_t> opened;
        for (const std::uint64_t chunk : chunks) {
            for (std::uint64_t i = 0; i < kCellsPerChunk; ++i) {
                opened.push_back(chunk * kCellsPerChunk + i);
                w.raw(view(cells_[opened.back()]));
            }
        }
        w.digests(tree_->multiproof(opened));
        return w.take();
    }

  private:
    [[nodiscard]] std::vector<Digest> cell_leaves() const {
        std::vector<Digest> leaves;
        for (const Cell& c : cells_) leaves.push_back(leaf_hash(view(c)));
        return leaves;
    }
    void register_raw(Registration& r) {
        raw_cells_ = cells_;
        raw_tree_ = std::make_unique<MerkleTree>(cell_leaves());
        r.header.raw_root = Root(raw_tree_->root());
        const WindowPlan plan(r.header.chunks, r.header.seal);
        const FillMemory memory = FillMemory::allocate(plan.window(0).bytes()).value();
        const MutByteView stream{memory.data(), static_cast<std::size_t>(memory.size())};
        EXPECT_TRUE(fill_keystream(r.replica_id(network_id_), plan.window(0), stream));
        xor_bytes({cells_[0].bytes.data(), kCellBytes}, stream.first(kCellBytes));
    }

    NetworkId network_id_;
    KeyPair key_;
    Registration registration_;
    ChainId id_;
    ReplicaId replica_;
    std::vector<Cell> cells_;
    std::unique_ptr<MerkleTree> tree_;
    std::vector<Cell> raw_cells_;  // of an unsealed chain
    std::unique_ptr<MerkleTree> raw_tree_;
    std::map<Height, RevealChain> reveals_;
    std::array<Digest, kChunksPerLink> openings_;
    OpenedCells where_;
};

template <class T>
T must(Result<T> result) {
    if (!result) {
        ADD_FAILURE() << result.error().message;
        std::abort();
    }
    return std::move(*result);
}
inline void must(const Status& status) { ASSERT_TRUE(status) << status.error().message; }

inline SealCheck seal_passes() {
    return [](const Registration&, const SealContext&, ByteView) -> Result<Verdict> {
        return Verdict::ok();
    };
}
/// The head of a seal proof and nothing behind it, for checks that look no further.
inline Bytes seal_object(const ChainId& id, Height y_height) {
    return wrap_object(Kind::kSealProof, Writer(40).fixed(id).height(y_height).bytes());
}

/// A registry in a folder of its own, fed with made-up blocks. What is add()ed at the tip stands in
/// the tip's own block: a block is held back until somebody looks at what came of it.
class RegistryWorld {
  public:
    explicit RegistryWorld(const NetworkParams& params, const RegistryOptions& options = {})
        : params_(params), options_(options) {
        options_.map_bytes = std::uint64_t{1} << 30;
        open();
    }

    void open() {
        if (registry_) flush();
        registry_.reset();
        registry_ = must(Registry::open(folder_.path() / "registry", params_, options_));
    }
    Registry& registry() {
        flush();
        return *registry_;
    }
    Registry* operator->() { return &registry(); }
    [[nodiscard]] std::filesystem::path folder() const { return folder_.path() / "registry"; }
    [[nodiscard]] const NetworkParams& params() const { return params_; }
    RegistryOptions& options() { return options_; }
    [[nodiscard]] Height tip() const {
        return staged_ ? staged_->height : must(registry_->tip()).value();
    }
    [[nodiscard]] Height closed() { return must(registry().closed()).value(); }

    /// Feeds the next block; `with_y` false leaves the height without y unless note_y follows.
    BlockOutcome feed(bool with_y = true, ListedBlock listed = {}) {
        flush();
        stage(with_y);
        staged_->listed = std::move(listed);
        return flush();
    }
    /// The block at this height may still list something.
    void feed_to(Height tip_wanted) {
        while (!started() || tip() < tip_wanted) {
            flush();
            stage(true);
        }
    }
    /// Every block that was handed over.
    [[nodiscard]] const std::vector<FinalBlock>& fed() const { return fed_; }
    /// Hands the block over that is held back.
    BlockOutcome flush() {
        if (!staged_) return {};
        const FinalBlock block = std::move(*staged_);
        staged_.reset();
        BlockOutcome outcome = must(registry_->on_final_block(block));
        fed_.push_back(block);
        if (staged_y_) {
            EXPECT_EQ(must(registry_->note_y(block.height, test_y(block.height))), Verdict::ok());
        }
        newest_ = outcome.objects;
        for (const ObjectOutcome& o : newest_) {
            if (must_hold_) {
                EXPECT_EQ(o.verdict, Verdict::ok());
            }
        }
        must_hold_ = false;
        for (const ChainId& chain : diligent_) (void)answer_duties(chain);
        return outcome;
    }
    /// For the block at the tip, where it is held back, or else the next one.
    void list(const BondEvent& event) { open_block().bonds.push_back(event); }
    void list(Kind kind, Bytes object) {
        open_block().objects.push_back({kind, std::move(object)});
    }
    template <class T>
    void list(Kind kind, const T& object) {
        list(kind, wrap_object(kind, object.encode()));
    }
    /// Lists it and says what came of it.
    template <class T>
    Verdict judge(Kind kind, const T& object) {
        list(kind, object);
        flush();
        return newest_.back().verdict;
    }
    /// What came of everything that the block at the tip lists.
    std::vector<Verdict> listed() {
        flush();
        std::vector<Verdict> out;
        for (const ObjectOutcome& o : newest_) out.push_back(o.verdict);
        return out;
    }
    /// With its bond, as the host chain lists it.
    void list_registration(const Registration& registration) {
        list(BondEvent::created(registration.bond_id, registration.header.prover, kTestPart,
                                BondPurpose::kStorage));
        list(Kind::kRegistration, registration);
    }
    Verdict judge_registration(const Registration& registration) {
        list_registration(registration);
        flush();
        return newest_.back().verdict;
    }
    Verdict judge_registration(const TestChain& chain) {
        return judge_registration(chain.registration());
    }
    /// Registers the chain in the block at the tip, or else in the next one.
    void add(const TestChain& chain) {
        list(chain.bond());
        list(Kind::kRegistration, chain.registration());
        must_hold_ = true;
    }
    /// Its seal duties are answered with every block from now on, whatever it holds.
    void keep(const ChainId& chain) { diligent_.push_back(chain); }
    void keep(const TestChain& chain) { keep(chain.id()); }
    /// Answers whatever seal duties have their y.
    std::size_t answer_duties(const TestChain& chain) { return answer_duties(chain.id()); }
    std::size_t answer_duties(const ChainId& chain) {
        std::size_t answered = 0;
        for (const SealDuty& duty : must(registry().seal_duties(chain))) {
            if (!duty.y_height) continue;
            if (answer(chain, *duty.y_height)) ++answered;
        }
        return answered;
    }
    Verdict answer(const TestChain& chain, Height y_height) { return answer(chain.id(), y_height); }
    Verdict answer(const ChainId& chain, Height y_height) {
        const Bytes object = seal_object(chain, y_height);
        return must(registry().accept(ByteView(object), seal_passes())).verdict;
    }
    /// Registered at the tip, sealed as soon as that can be.
    void add_and_seal(const TestChain& chain) {
        add(chain);
        flush();
        feed_to(tip() + params_.seal_delay);
        EXPECT_EQ(answer_duties(chain), 1U);
    }
    KnownHeight known(const TestChain& chain, Height h) {
        return must(registry().known_height(h, chain.id()));
    }
    std::optional<RevealState> reveals(const TestChain& chain, Height h) {
        return must(registry().known_chain(chain.id(), h)).reveals;
    }
    ObjectOutcome accept(const Bytes& object) { return must(registry().accept(ByteView(object))); }
    /// The verdict on the one member of the chain's bundle, or on the bundle.
    Verdict link_as(const TestChain& chain, Height h, const Link& link) {
        const ObjectOutcome out = accept(chain.bundle(known(chain, h), link));
        return out.verdict && !out.members.empty() ? out.members[0] : out.verdict;
    }
    /// The honest link of a height.
    Verdict link(TestChain& chain, Height h) {
        return link_as(chain, h, chain.full(known(chain, h), reveals(chain, h)).receipt.link);
    }
    /// A seal proof's body.
    Verdict prove_sealing(const Bytes& body) {
        return accept(wrap_object(Kind::kSealProof, body)).verdict;
    }
    Verdict prove(const AnyProof& proof) {
        return accept(wrap_object(kind_of(proof), encode_body(proof))).verdict;
    }
    Verdict prove_full(TestChain& chain, Height h) {
        return prove(chain.full(known(chain, h), reveals(chain, h)));
    }
    Verdict prove_compact(TestChain& chain, Height h) {
        const PathProof path = must(registry().path(chain.id(), h));
        return prove(chain.compact(known(chain, h), path, reveals(chain, h)));
    }
    ChainInfo info(const TestChain& chain) { return must(registry().chain(chain.id())).value(); }
    std::optional<ChainStatus> status_at(const TestChain& chain, Height h) {
        const auto leaf = must(registry().leaf(chain.id(), h));
        return leaf ? std::optional(leaf->status) : std::nullopt;
    }

  private:
    [[nodiscard]] bool started() const { return staged_ || must(registry_->tip()).has_value(); }
    void stage(bool with_y) {
        const auto before = must(registry_->tip());
        const Height h = before ? *before + 1 : params_.genesis_height;
        staged_ = FinalBlock{h, test_hash(h), h.value * 60'000, {}};
        staged_y_ = with_y;
    }
    ListedBlock& open_block() {
        if (!staged_) stage(true);
        return staged_->listed;
    }

    TempFolder folder_;
    NetworkParams params_;
    RegistryOptions options_;
    std::unique_ptr<Registry> registry_;
    std::optional<FinalBlock> staged_;
    bool staged_y_ = true;
    bool must_hold_ = false;
    std::vector<FinalBlock> fed_;
    std::vector<ChainId> diligent_;
    std::vector<ObjectOutcome> newest_;
};

/// What one closed height did to a chain, by kind.
inline std::size_t count_effects(const std::vector<Effect>& effects, EffectKind kind,
                                 const ChainId& chain) {
    return static_cast<std::size_t>(
        std::count_if(effects.begin(), effects.end(),
                      [&](const Effect& e) { return e.kind == kind && e.chain_id == chain; }));
}

}  // namespace holdfast::test
