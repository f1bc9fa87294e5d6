// A prover in memory that takes deposits and serves them, over the real messages: its deposits
// "stand" as soon as they are finished. What it does wrong is the test's choice.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <stdexcept>

#include "chunking/erasure.hpp"
#include "core/geometry.hpp"
#include "core/hash.hpp"
#include "core/merkle.hpp"
#include "deposit/client.hpp"
#include "keep/kept_file.hpp"
#include "keep/provers.hpp"
#include "proofs/reading_verify.hpp"

namespace holdfast::test {

/// What a Result or Checked holds.
template <class R>
typename R::value_type got(R result) {
    if (!result) {
        if constexpr (std::is_same_v<typename R::error_type, Error>) {
            throw std::runtime_error(result.error().message);
        } else {
            throw std::runtime_error(to_string(result.error()));
        }
    }
    return std::move(*result);
}

class MemoryProver {
  public:
    MemoryProver(const NetworkId& network, unsigned number)
        : MemoryProver(network, KeyPair::from_secret(view(
                                    tagged_hash("test/memory-prover", std::uint64_t{number})))) {}
    MemoryProver(const NetworkId& network, KeyPair prover_key)
        : network_(network), key(std::move(prover_key)) {}

    struct Held {
        DepositOrder order;
        std::map<std::uint64_t, Bytes> pieces;
        DepositPhase phase = DepositPhase::kReceiving;
        ChainId chain;
        Bytes data;  // with padding to whole chunks; once it is finished
        std::unique_ptr<MerkleTree> tree;
    };

    [[nodiscard]] ProverAddress address() const {
        return {key.public_key(), "prover.example:9000", {}};
    }
    /// Something that is there from the beginning.
    KeptShard hold(ByteView bytes, unsigned number) {
        const std::lock_guard lock(mutex_);
        DepositId id;
        id.bytes = tagged_hash("test/held", key.public_key(), std::uint64_t{number}).bytes;
        Held& held = deposits[id];
        held.order = {id, terms({}, bytes.size()), bytes.size()};
        keep(held, Bytes(bytes.begin(), bytes.end()));
        return {key.public_key(), address().address, id, {}, held.chain};
    }

    Result<Bytes> answer(const PublicKey& from, ByteView message) {
        const std::lock_guard lock(mutex_);
        if (silent || (silent_after && requests >= *silent_after)) {
            return fail(ErrorCode::kUnavailable, "connection refused");
        }
        ++requests;
        if (const Checked<ReadRequest> read = ReadRequest::decode(message)) {
            return serve(*read).encode();
        }
        const Checked<DepositQuestion> question = decode_deposit_question(message);
        if (!question) return encode_answer(DepositRefused{DepositReason::kMalformed});
        return encode_answer(std::visit([&](const auto& q) { return take(from, q); }, *question));
    }

    const NetworkId network_;
    const KeyPair key;
    std::map<DepositId, Held> deposits;
    std::atomic<bool> silent{false};
    std::atomic<bool> lies{false};              // sends other bytes than it holds
    std::optional<std::uint64_t> silent_after;  // requests
    std::uint64_t requests = 0;
    std::uint64_t pieces_taken = 0;
    bool hot = true;
    std::optional<ChainId> chain;  // of what it holds; none: made up

  private:
    DepositTerms terms(const PublicKey& client, std::uint64_t) const {
        DepositTerms out;
        out.network = network_;
        out.prover = key.public_key();
        out.client = client;
        out.max_bytes = std::uint64_t{1} << 32;
        out.seal = {16, 512};
        out.hot = hot;
        out.until = Height(1'000'000);
        out.upload_s = 3'600;
        out.valid_until_ms = UINT64_MAX / 2;
        out.signature = got(key.sign(view(out.digest())));
        return out;
    }
    void keep(Held& held, Bytes bytes) const {
        const ChunkCount chunks = chunk_count(bytes.size());
        held.chain.bytes = tagged_hash("test/chain-of", held.order.id).bytes;
        if (chain) held.chain = *chain;
        bytes.resize(chunks.value * kChunkBytes);
        std::vector<Digest> roots(chunks.value);
        chunk_roots(bytes.data(), roots);
        held.tree = std::make_unique<MerkleTree>(std::move(roots));
        held.data = std::move(bytes);
        held.phase = DepositPhase::kProven;
    }
    DepositState state_of(const Held& held) const {
        DepositState out;
        out.id = held.order.id;
        out.phase = held.phase;
        out.bytes = held.order.bytes;
        out.terms = held.order.terms.digest();
        out.until = held.order.terms.until;
        std::vector<Digest> roots;
        for (const auto& [index, piece] : held.pieces) {
            if (index != roots.size()) break;
            roots.push_back(piece_root(held.order.bytes, index, piece));
            out.arrived += piece.size();
        }
        out.arrived_root = root_of_pieces(roots);
        if (held.phase != DepositPhase::kReceiving) {
            out.arrived = held.order.bytes;
            out.replica.bytes = tagged_hash("test/replica-of", held.order.id).bytes;
            out.chain = held.chain;
            out.arrived_root = Root(held.tree->root());
        }
        return out;
    }
    Held* find(const DepositId& id) {
        const auto found = deposits.find(id);
        return found == deposits.end() ? nullptr : &found->second;
    }

    DepositAnswer take(const PublicKey& from, const AskTerms& q) { return terms(from, q.bytes); }
    DepositAnswer take(const PublicKey&, const OpenDeposit& q) {
        Held& held = deposits[q.id];
        if (held.order.bytes == 0) held.order = {q.id, q.terms, q.bytes};
        return state_of(held);
    }
    DepositAnswer take(const PublicKey&, const SendPiece& q) {
        Held* held = find(q.id);
        if (held == nullptr) return DepositRefused{DepositReason::kUnknown};
        ++pieces_taken;
        held->pieces[q.index] = q.bytes;
        return state_of(*held);
    }
    DepositAnswer take(const PublicKey&, const AskState& q) {
        Held* held = find(q.id);
        if (held == nullptr) return DepositRefused{DepositReason::kUnknown};
        return state_of(*held);
    }
    DepositAnswer take(const PublicKey& from, const FinishDeposit& q) {
        Held* held = find(q.id);
        if (held == nullptr) return DepositRefused{DepositReason::kUnknown};
        if (held->phase != DepositPhase::kReceiving) return state_of(*held);
        const DepositState state = state_of(*held);
        if (state.arrived != held->order.bytes) return DepositRefused{DepositReason::kIncomplete};
        if (state.arrived_root != q.raw_root) return DepositRefused{DepositReason::kWrongRoot};
        const Digest message =
            finish_message(network_, key.public_key(), q.id, held->order.bytes, q.raw_root);
        EXPECT_TRUE(verify_signature(from, view(message), q.signature));
        Bytes bytes;
        for (const auto& [index, piece] : held->pieces) {
            bytes.insert(bytes.end(), piece.begin(), piece.end());
        }
        keep(*held, std::move(bytes));
        return state_of(*held);
    }
    DepositAnswer take(const PublicKey&, const RemoveDeposit& q) {
        if (deposits.erase(q.id) == 0) return DepositRefused{DepositReason::kUnknown};
        return DepositRefused{DepositReason::kRemoved};
    }
    DepositAnswer take(const PublicKey&, const ListDeposits&) {
        DepositList out;
        for (const auto& [id, held] : deposits) out.deposits.push_back(state_of(held));
        return out;
    }
    ReadAnswer serve(const ReadRequest& request) const {
        ReadAnswer out;
        for (const auto& [id, held] : deposits) {
            if (held.tree == nullptr || held.chain != request.chain_id) continue;
            out.status = ReadStatus::kData;
            const auto at =
                held.data.begin() + static_cast<std::ptrdiff_t>(request.first.value * kChunkBytes);
            out.chunks_and_siblings.assign(
                at, at + static_cast<std::ptrdiff_t>(request.count * kChunkBytes));
            if (lies) out.chunks_and_siblings[7] ^= 1;
            for (const Digest& sibling : held.tree->multiproof(read_indices(request))) {
                const ByteView bytes = view(sibling);
                out.chunks_and_siblings.insert(out.chunks_and_siblings.end(), bytes.begin(),
                                               bytes.end());
            }
            return out;
        }
        out.status = ReadStatus::kRefused;
        out.reason = Reason::kUnknownChain;
        return out;
    }

    std::mutex mutex_;
};

/// A file of k + m shards, each with a prover, and provers that have none.
struct KeptWorld {
    KeptWorld(CodeShape shape, std::uint64_t shard_len, unsigned spares)
        : network(NetworkId(tagged_hash("test/kept-network", std::uint64_t{1}))),
          owner(KeyPair::from_secret(Bytes(32, 77))) {
        for (unsigned i = 0; i < shape.shards() + spares; ++i) {
            provers.push_back(std::make_unique<MemoryProver>(network, i));
        }
        Manifest& manifest = file.manifest;
        manifest.shape = shape;
        manifest.shard_len = shard_len;
        manifest.data_len = shard_len * shape.data;
        for (unsigned i = 0; i < shape.shards(); ++i) {
            Bytes shard(shard_len);
            std::uint64_t x = i + 1;
            for (std::uint8_t& byte : shard) {
                x = x * 6364136223846793005ULL + 1442695040888963407ULL;
                byte = static_cast<std::uint8_t>(x >> 56U);
            }
            shards.push_back(std::move(shard));
        }
        std::vector<ByteView> data(shards.begin(), shards.begin() + shape.data);
        std::vector<MutByteView> parity(shards.begin() + shape.data, shards.end());
        encode_parity(shape, data, parity);
        file.network = network;
        file.plain_len = manifest.data_len;
        file.scheme = KeptScheme::kPlain;
        file.salt = tagged_hash("test/kept-salt", std::uint64_t{1});
        for (unsigned i = 0; i < shape.shards(); ++i) {
            file.shards.push_back(provers[i]->hold(shards[i], i));
            const auto& held = provers[i]->deposits.begin()->second;
            manifest.roots.push_back(Root(held.tree->root()));
        }
        EXPECT_TRUE(file.sign(owner));
    }

    AskProverOf ask() {
        return [this](const ProverAddress& prover) -> AskProver {
            for (const auto& one : provers) {
                if (one->key.public_key() != prover.key) continue;
                return [this, p = one.get()](ByteView message) {
                    return p->answer(owner.public_key(), message);
                };
            }
            return [](ByteView) -> Result<Bytes> {
                return fail(ErrorCode::kUnavailable, "no such prover");
            };
        };
    }

    const NetworkId network;
    const KeyPair owner;
    std::vector<std::unique_ptr<MemoryProver>> provers;
    std::vector<Bytes> shards;
    KeptFile file;
};

}  // namespace holdfast::test
