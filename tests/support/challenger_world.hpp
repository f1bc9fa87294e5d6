// The rules of challengers and outcomes on a store of their own, entry by entry: blocks,
// challengers with real reveal chains (shorter than the protocol's), one prover with real chunks.
//
// Whatever would need a prover's disk or a host chain is made here. `restarts`: the store is closed
// and opened again before every entry, as by a node that is killed all the time.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>

#include "availability/exchange.hpp"
#include "core/hash.hpp"
#include "core/merkle.hpp"
#include "hierarchy/availability_state.hpp"
#include "support/temp_folder.hpp"

namespace holdfast::test {

/// Every chain is challenged at every height; windows of a few heights.
inline NetworkParams challenger_network() {
    NetworkParams p = NetworkParams::preset(kParamsVersion2);
    p.name = "challengers";
    p.has_vdf = false;
    p.availability_n = p.availability_d = 1;
    p.availability_chunks = 2;
    p.quorum_window = 20;
    p.quorum = 2;
    p.quorum_of = 3;
    p.max_challengers = 4;
    p.least_challenger_part = 1'000;
    return p;
}

inline Digest numbered(std::string_view what, std::uint64_t n) {
    Writer w;
    w.raw(view(what)).u64(n);
    return sha256(w.bytes());
}

/// A key whose reveal chain ends after `length` heights; the protocol's own takes 2^20 hashes.
struct TestChallenger {
    KeyPair key;
    BondId bond;
    Height base;
    std::vector<Reveal> reveals;  // a_0 …

    TestChallenger(const NetworkId& network_id, std::uint64_t n, Height begins,
                   std::uint64_t length = 64)
        : key(KeyPair::from_secret(view(numbered("challenger", n)))),
          bond(numbered("challenger's bond", n)) {
        begin_at(network_id, begins, length);
    }
    void begin_at(const NetworkId& network_id, Height begins, std::uint64_t length = 64) {
        base = begins;
        reveals.assign(length + 1, Reveal(numbered("end", begins.value)));
        for (std::uint64_t i = length; i > 0; --i) {
            reveals[i - 1] =
                Reveal(tagged_hash("reveal", network_id, key.public_key(), i, reveals[i]));
        }
    }
    [[nodiscard]] Challenger registration(const NetworkId& network_id) const {
        return make_challenger(network_id, reveals[0], base, bond, key).value();
    }
    [[nodiscard]] const Reveal& reveal(Height h) const { return reveals.at(h.since(base)); }
};

/// A prover with 16 chunks of data.
struct TestProver {
    KeyPair key;
    Bytes data;
    MerkleTree tree;
    ChainId chain_id;

    explicit TestProver(std::uint64_t n)
        : key(KeyPair::from_secret(view(numbered("prover", n)))),
          data(made(n)),
          tree(roots(data)),
          chain_id(numbered("chain", n)) {}
    [[nodiscard]] ChallengedChain chain() const {
        return {chain_id, key.public_key(), Root(tree.root()), ChunkCount(kChunks)};
    }
    [[nodiscard]] Response respond(const NetworkParams& params, const NetworkId& network_id,
                                   const Challenge2& c) const {
        auto chunks = challenged_chunks(params, network_id, c.y, c.chain_id, c.challenger, c.nonce,
                                        ChunkCount(kChunks));
        std::sort(chunks.begin(), chunks.end());
        Writer w;
        for (const std::uint64_t chunk : chunks) {
            w.raw(ByteView(data).subspan(chunk * kChunkBytes, kChunkBytes));
        }
        w.digests(tree.multiproof(chunks));
        return sign_response(c.id(network_id), w.take(), key).value();
    }

  private:
    static constexpr std::uint64_t kChunks = 16;
    static Bytes made(std::uint64_t n) {
        Bytes out;
        while (out.size() < kChunks * kChunkBytes) {
            const Digest d = numbered("data", n << 32 | out.size());
            out.insert(out.end(), d.bytes.begin(), d.bytes.end());
        }
        return out;
    }
    static std::vector<Digest> roots(const Bytes& bytes) {
        std::vector<Digest> out(kChunks);
        chunk_roots(bytes.data(), out);
        return out;
    }
};

class ChallengerWorld {
  public:
    using Entry = std::function<Result<Verdict>(AvailabilityState&)>;

    explicit ChallengerWorld(NetworkParams network = challenger_network(), bool restarts = false)
        : params(std::move(network)), network_id(params.id()), restarts_(restarts) {
        open();
    }

    NetworkParams params;
    NetworkId network_id;
    MachineState machine;
    std::map<Height, BlockRecord> blocks;
    std::map<ChainId, ChallengedChain> chains;
    std::vector<ChainId> suspended;  // in the digest that closed last

    /// y is known unless it is told that a height stays without.
    [[nodiscard]] static VdfOutput y_of(Height h) { return VdfOutput(numbered("y", h.value)); }
    [[nodiscard]] static BlockHash block_of(Height h) { return BlockHash(numbered("b", h.value)); }
    [[nodiscard]] Height tip() const { return Height(machine.tip); }

    /// The next block: closes a digest, lists bonds and challengers, and brings y of its height.
    std::vector<Verdict> block(const std::vector<BondEvent>& events = {},
                               const std::vector<Challenger>& listed = {}, bool has_y = true) {
        std::vector<Verdict> verdicts;
        const Height next(machine.tip == kNever ? 1 : machine.tip + 1);
        in_entry([&](AvailabilityState& state, BondBook&) -> Status {
            if (next.value < 1 + params.closing_blocks()) return {};
            const Height g = next - params.closing_blocks();
            HOLDFAST_ASSIGN(found, state.close(g, blocks.at(g).y));
            suspended = std::move(found);
            return {};
        });
        machine.tip = next.value;
        BlockRecord record;
        record.height = next;
        record.hash = block_of(next);
        if (has_y) record.y = y_of(next);
        blocks[next] = record;
        in_entry([&](AvailabilityState& state, BondBook& bonds) -> Status {
            for (const BondEvent& e : events) HOLDFAST_TRY(bonds.take_event(e, next));
            for (const Challenger& c : listed) {
                HOLDFAST_ASSIGN(v, state.take_challenger(c, check_challenger(network_id, c)));
                verdicts.push_back(v);
            }
            return state.on_block();
        });
        return verdicts;
    }
    void blocks_until(Height h) {
        while (machine.tip == kNever || tip() < h) block();
    }
    /// With a bond that holds `amount`.
    Verdict join(const TestChallenger& c, std::uint64_t amount) {
        const auto event =
            BondEvent::created(c.bond, c.key.public_key(), amount, BondPurpose::kChallenger);
        return block({event}, {c.registration(network_id)}).at(0);
    }
    void leave(const TestChallenger& c, Height until) {
        in_entry([&](AvailabilityState& state, BondBook& bonds) -> Status {
            HOLDFAST_TRY(
                bonds.end_part(BondPurpose::kChallenger, Digest{c.key.public_key().bytes}, until));
            return state.end_challenger(c.key.public_key(), until);
        });
    }

    Verdict take(const Challenge2& c) {
        return in_entry_verdict(
            [&](AvailabilityState& s) { return s.take_challenge(judge_form(network_id, c)); });
    }
    Verdict take(const Outcome2& o) {
        return in_entry_verdict([&](AvailabilityState& s) -> Result<Verdict> {
            HOLDFAST_ASSIGN(judged, s.look_up(o));
            judge_signatures(network_id, judged);
            return s.take_outcome(judged);
        });
    }
    Verdict take(const Response& r) {
        return in_entry_verdict([&](AvailabilityState& s) { return s.take_response(r); });
    }

    /// What this challenger would list of this chain and height.
    [[nodiscard]] Challenge2 challenge(const TestChallenger& c, const TestProver& p,
                                       Height h) const {
        return make_challenge2(network_id, p.chain_id, h, block_of(h), y_of(h), c.reveal(h), c.key)
            .value();
    }
    [[nodiscard]] Outcome2 outcome(const TestChallenger& c, const TestProver& p, Height h,
                                   OutcomeKind kind) const {
        const Challenge2 asked = challenge(c, p, h);
        const Response response = p.respond(params, network_id, asked);
        const bool has = kind == OutcomeKind::kServed || kind == OutcomeKind::kInvalid;
        return make_outcome2(asked.id(network_id), c.reveal(h), kind, 1, 1,
                             has ? &response : nullptr, c.key)
            .value();
    }

    // Reading.
    [[nodiscard]] std::vector<ChallengerPart> in_force(Height h) {
        return *load_in_force(*store_->read(), h);
    }
    [[nodiscard]] std::vector<OutcomeRecord> outcomes(const ChainId& chain_id) {
        return *load_outcomes(*store_->read(), chain_id);
    }
    [[nodiscard]] std::vector<OutcomeAudit> open_audits() {
        return *load_outcome_audits(*store_->read());
    }
    [[nodiscard]] std::uint64_t part(const TestChallenger& c) {
        std::uint64_t amount = 0;
        in_entry([&](AvailabilityState&, BondBook& bonds) -> Status {
            HOLDFAST_ASSIGN(found,
                            bonds.part(BondPurpose::kChallenger, Digest{c.key.public_key().bytes}));
            if (found) amount = found->amount;
            return {};
        });
        return amount;
    }
    [[nodiscard]] std::vector<Decision> decisions() {
        std::vector<Decision> out;
        EXPECT_TRUE(store_->read()->for_each(Table::kDecisions, {},
                                             [&](ByteView, ByteView value) -> Result<bool> {
                                                 out.push_back(*Decision::decode(value));
                                                 return true;
                                             }));
        return out;
    }
    /// Everything of every table of availability and of bonds.
    [[nodiscard]] Bytes dump() {
        Writer w;
        const auto txn = store_->read();
        for (auto t = Table::kBonds; t <= Table::kUnpaid;
             t = static_cast<Table>(static_cast<int>(t) + 1)) {
            EXPECT_TRUE(txn->for_each(t, {}, [&](ByteView key, ByteView value) -> Result<bool> {
                w.u8(static_cast<std::uint8_t>(t)).u64(key.size()).raw(key);
                w.u64(value.size()).raw(value);
                return true;
            }));
        }
        return w.take();
    }
    [[nodiscard]] std::uint64_t records(Table table) {
        std::uint64_t count = 0;
        EXPECT_TRUE(store_->read()->for_each(table, {}, [&](ByteView, ByteView) -> Result<bool> {
            ++count;
            return true;
        }));
        return count;
    }
    void add_chain(const TestProver& p) { chains[p.chain_id] = p.chain(); }

    void in_entry(const std::function<Status(AvailabilityState&, BondBook&)>& run) {
        if (restarts_) open();
        auto txn = store_->write();
        ASSERT_TRUE(txn.has_value());
        BondBook bonds(params, network_id, *txn, machine);
        AvailabilityState state(
            {params, network_id, *txn, bonds, Height(machine.tip == kNever ? 0 : machine.tip),
             [this](Height h) -> Result<std::optional<BlockRecord>> {
                 const auto at = blocks.find(h);
                 if (at == blocks.end()) return std::nullopt;
                 return at->second;
             },
             [this](const ChainId& id, Height) -> Result<Checked<ChallengedChain>> {
                 const auto at = chains.find(id);
                 if (at == chains.end()) {
                     return Checked<ChallengedChain>(refuse(Reason::kUnknownChain));
                 }
                 return Checked<ChallengedChain>(at->second);
             }});
        const Status done = run(state, bonds);
        ASSERT_TRUE(done.has_value()) << done.error().message;
        ASSERT_TRUE(txn->commit().has_value());
    }

  private:
    Verdict in_entry_verdict(const Entry& entry) {
        Verdict verdict;
        in_entry([&](AvailabilityState& state, BondBook&) -> Status {
            HOLDFAST_ASSIGN(v, entry(state));
            verdict = v;
            return {};
        });
        return verdict;
    }
    void open() {
        store_.reset();
        Store::Options options;
        options.map_bytes = std::uint64_t{4} << 30;
        auto opened = Store::open(folder_.path(), options, true);
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        store_ = std::move(*opened);
    }

    TempFolder folder_;
    std::unique_ptr<Store> store_;
    bool restarts_;
};

}  // namespace holdfast::test
