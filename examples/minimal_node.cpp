// The whole path with a host's own callbacks: a chain and a token kept in memory, a file sealed,
// registered, proven block after block, aggregated, and verified by somebody with public data only.

#include <unistd.h>
#include <cstdio>
#include <map>

#include "api/aggregator.hpp"
#include "api/prover.hpp"
#include "api/verifier.hpp"
#include "chunking/seal.hpp"
#include "core/hash.hpp"
#include "storage/file.hpp"
#include "storage/key_file.hpp"

using namespace holdfast;

/// A host chain: every block lists what was submitted before it.
class MemoryChain final : public Blockchain {
  public:
    explicit MemoryChain(const NetworkParams& params) : params_(params) {}
    Result<Height> current_height() override { return tip(); }
    Result<BlockInfo> block_by_height(Height h) override {
        if (h < params_.genesis_height || h > tip())
            return fail(ErrorCode::kNotFound, "no such block");
        return BlockInfo{h, hash(h), hash(h - 1), h.value * params_.block_ms,
                         tip().since(h) >= params_.finality_blocks};
    }
    Status submit(Kind kind, ByteView object) override {
        blocks_[tip() + 1].push_back({kind, Bytes(object.begin(), object.end())});
        return {};
    }
    Result<std::vector<Submission>> submissions_at(Height h) override { return blocks_[h]; }
    /// What happens to bonds stands in blocks too: registries believe nothing else about them.
    Result<std::vector<BondEvent>> bond_events_at(Height h) override { return bonds_[h]; }
    void list(BondEvent event) {
        event.number = events_++;
        bonds_[tip() + 1].push_back(event);
    }
    void new_block() { ++count_; }

  private:
    Height tip() const { return params_.genesis_height + count_; }
    BlockHash hash(Height h) const { return BlockHash(tagged_hash("example", h)); }
    NetworkParams params_;
    std::uint64_t count_ = 0;
    std::map<Height, std::vector<Submission>> blocks_;
    std::map<Height, std::vector<BondEvent>> bonds_;
    std::uint64_t events_ = 0;
};

/// A token: bonds in a map, every call answered once for each key.
class MemoryToken final : public Token {
  public:
    explicit MemoryToken(MemoryChain& chain) : chain_(chain) {}
    Result<BondId> create_bond(const PublicKey& owner, std::uint64_t amount, BondPurpose purpose,
                               const IdempotencyKey& key) override {
        const BondId id(tagged_hash("example/bond", owner, key));
        const BondInfo made{id, owner, purpose, BondState::kHeld, amount, amount, 0};
        if (bonds_.try_emplace(id, made).second) {
            chain_.list(BondEvent::created(id, owner, amount, purpose));
        }
        return id;
    }
    Result<std::uint64_t> release_bond(const BondId& bond, std::uint64_t amount,
                                       const IdempotencyKey& key) override {
        return take(bond, amount, key, BondEventKind::kReleased);
    }
    Result<std::uint64_t> slash_bond(const BondId& bond, std::uint64_t amount, const OffenceId&,
                                     const IdempotencyKey& key) override {
        const std::uint64_t taken = take(bond, amount, key, BondEventKind::kSlashed);
        bonds_[bond].slashed_amount += taken;
        return taken;
    }
    Status pay_reward(const PublicKey&, std::uint64_t, const Digest&,
                      const IdempotencyKey&) override {
        return {};
    }
    Result<BondInfo> bond_info(const BondId& bond) override {
        if (!bonds_.contains(bond)) return fail(ErrorCode::kNotFound, "no such bond");
        return bonds_[bond];
    }

  private:
    std::uint64_t take(const BondId& bond, std::uint64_t amount, const IdempotencyKey& key,
                       BondEventKind what) {
        const auto [answer, fresh] = answers_.try_emplace(key, 0);
        if (!fresh) return answer->second;
        BondInfo& info = bonds_[bond];
        answer->second = std::min(amount, info.held_amount);
        info.held_amount -= answer->second;
        if (info.held_amount == 0) info.state = BondState::kReleased;
        chain_.list({what, {}, bond, {}, answer->second, 0, {}});
        return answer->second;
    }

    MemoryChain& chain_;
    std::map<BondId, BondInfo> bonds_;
    std::map<IdempotencyKey, std::uint64_t> answers_;
};

NetworkParams example_network(const PublicKey& operator_key) {
    NetworkParams params = NetworkParams::preset();
    params.name = "example";
    params.operator_key = operator_key;
    params.seal_presets = {kSealDev};
    params.vdf = {1'024, 1, 4, 256, 8};  // a toy clock: 1 MiB, 2,048 steps
    return params;
}

Status run(const std::filesystem::path& folder) {
    HOLDFAST_ASSIGN(operator_key, generate_key_pair());
    const NetworkParams params = example_network(operator_key.public_key());
    MemoryChain chain(params);
    MemoryToken token(chain);
    for (std::uint32_t i = 0; i <= params.finality_blocks; ++i) chain.new_block();

    // Seal a file and register the replica.
    HOLDFAST_TRY(write_file(folder / "data", Bytes(200'000, 'h')));
    HOLDFAST_ASSIGN(key, generate_key_pair());
    const ProverFiles files = ProverFiles::beside(folder / "data.replica");
    SealRequest request{params, key.public_key(), kSealDev,      0,
                        {},     folder / "data",  files.replica, files.tree};
    HOLDFAST_ASSIGN(sealed, seal(request));
    HOLDFAST_ASSIGN(bond, token.create_bond(key.public_key(), 1'000, BondPurpose::kStorage, {}));
    HOLDFAST_ASSIGN(genesis, chain.block_by_height(Height(1)));
    HOLDFAST_ASSIGN(
        registration,
        make_registration(params, sealed.header,
                          {genesis.height, genesis.hash, Retention::kDefault, bond, true}, key));
    HOLDFAST_TRY(
        chain.submit_registration(wrap_object(Kind::kRegistration, registration.encode())));

    // Follow the chain: seal proof, links, digests, compact and full proofs.
    HOLDFAST_ASSIGN(evaluator, generate_key_pair());
    HOLDFAST_ASSIGN(
        clock, VdfClock::open(params, chain, nullptr, std::move(evaluator), {folder / "vdf", 0}));
    AggregatorOptions options;
    options.registry = folder / "registry";
    options.operator_key = &operator_key;
    HOLDFAST_ASSIGN(aggregator, Aggregator::open(params, chain, clock, &token, nullptr, options));
    HOLDFAST_ASSIGN(prover, Prover::open(params, files, registration, std::move(key)));
    Prover* const provers[] = {&prover};
    std::vector<MadeProof> proofs;
    for (int i = 0; i < 24; ++i) {
        chain.new_block();
        for (;;) {
            HOLDFAST_ASSIGN(report, aggregator.advance(provers));
            if (!report) break;
            if (!report->faults.empty()) return fail(report->faults.front().error);
            proofs.insert(proofs.end(), report->proofs.begin(), report->proofs.end());
        }
    }

    // Verify with public data alone.
    HOLDFAST_ASSIGN(record, aggregator.public_record());
    const Verifier verifier(std::move(record));
    for (const MadeProof& proof : proofs) {
        HOLDFAST_ASSIGN(report, verifier.verify(proof.object));
        if (!report.verdict) return fail_refused(report.verdict, "a proof");
        std::printf("height %llu: %zu bytes, %s\n",
                    static_cast<unsigned long long>(proof.height.value), proof.object.size() - 2,
                    to_string(report.verdict).c_str());
    }
    return proofs.size() >= 8 ? Status{} : fail(ErrorCode::kCorrupt, "too few proofs were made");
}

int main() {
    auto folder = (std::filesystem::temp_directory_path() / "holdfast-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) return 1;
    const Status done = run(folder);
    std::filesystem::remove_all(folder);
    if (!done) std::fprintf(stderr, "minimal_node: %s\n", done.error().message.c_str());
    return done && std::fflush(stdout) == 0 ? 0 : 1;
}
