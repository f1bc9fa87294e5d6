// Provers of a test: what they take in lies in a folder, so that it outlives the process that put
// it; they serve raw ranges, and lie, hang or vanish as a test wants.
#pragma once

#include <atomic>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "core/geometry.hpp"
#include "core/merkle.hpp"
#include "deposit/messages.hpp"
#include "keep/provers.hpp"
#include "proofs/reading_verify.hpp"
#include "storage/file.hpp"

namespace holdfast::test {

struct FakeFaults {
    std::atomic<bool> dead{false};     // no connection
    std::atomic<bool> hangs{false};    // on reads, until it does not
    std::atomic<bool> lies{false};     // on reads: one byte is another
    std::atomic<bool> changes{false};  // answers with the digest of other terms
    std::atomic<bool> full{false};     // takes no more pieces: out of space
    std::atomic<bool> hot{true};
};

class FakeProver {
  public:
    FakeProver(std::filesystem::path folder, const NetworkId& network, std::uint8_t number)
        : folder_(std::move(folder)),
          network_(network),
          key_(KeyPair::from_secret(Bytes(32, number))) {
        std::filesystem::create_directories(folder_);
    }
    FakeFaults faults;
    [[nodiscard]] const PublicKey& key() const { return key_.public_key(); }
    [[nodiscard]] ProverAddress address() const { return {key(), "127.0.0.1:9", {}}; }
    [[nodiscard]] std::uint64_t pieces() const { return pieces_; }
    [[nodiscard]] std::uint64_t opened() const { return opened_; }
    [[nodiscard]] std::uint64_t reads() const { return reads_; }
    /// Deposits that are there now.
    [[nodiscard]] std::size_t deposits() const {
        std::size_t n = 0;
        for (const auto& e : std::filesystem::directory_iterator(folder_)) {
            n += e.path().extension() == ".order" ? 1U : 0U;
        }
        return n;
    }
    /// All bytes of data that ever arrived here.
    [[nodiscard]] Bytes all_data() const {
        Bytes out;
        for (const auto& e : std::filesystem::directory_iterator(folder_)) {
            if (e.path().extension() != ".data") continue;
            const Bytes data = read_file(e.path(), UINT64_MAX).value();
            out.insert(out.end(), data.begin(), data.end());
        }
        return out;
    }

    Result<Bytes> ask(const PublicKey& client, ByteView request) {
        if (faults.dead) return fail(ErrorCode::kUnavailable, "nobody is there");
        if (request.size() > 1 && request[1] == kReadRequestKind) return read(request);
        const std::lock_guard lock(mutex_);
        const auto question = decode_deposit_question(request);
        if (!question) return fail_refused(question.error(), "the question");
        return encode_answer(
            std::visit([&](const auto& q) { return answer(client, q); }, *question));
    }

  private:
    using Path = std::filesystem::path;
    [[nodiscard]] Path file(const DepositId& id, const char* what) const {
        return folder_ / (to_hex(id) + what);
    }
    static ChainId chain_of(const DepositId& id) { return ChainId(tagged_hash("test/chain", id)); }
    [[nodiscard]] bool has(const DepositId& id) const {
        return std::filesystem::exists(file(id, ".order"));
    }
    /// Whole pieces: what a kill left of one more is nothing.
    [[nodiscard]] Bytes data(const DepositId& id) const {
        Bytes out = read_file(file(id, ".data"), UINT64_MAX).value_or(Bytes{});
        if (out.size() != order(id).bytes) out.resize(out.size() / kPieceBytes * kPieceBytes);
        return out;
    }
    [[nodiscard]] OpenDeposit order(const DepositId& id) const {
        const Bytes stored = read_file(file(id, ".order"), UINT64_MAX).value();
        return std::get<OpenDeposit>(decode_deposit_question(stored).value());
    }
    DepositAnswer state(const DepositId& id) const {
        if (!has(id)) return DepositRefused{DepositReason::kUnknown};
        const OpenDeposit o = order(id);
        DepositState s;
        s.id = id;
        s.bytes = o.bytes;
        s.terms = faults.changes ? sha256(view(std::string_view("other"))) : o.terms.digest();
        s.until = o.terms.until;
        const Bytes there = data(id);
        s.arrived = there.size();
        std::vector<Digest> roots;
        for (std::uint64_t at = 0, i = 0; at < there.size(); at += kPieceBytes, ++i) {
            const std::uint64_t n = piece_bytes(o.bytes, i);
            roots.push_back(piece_root(o.bytes, i, ByteView(there).subspan(at, n)));
        }
        s.arrived_root = root_of_pieces(roots);
        if (std::filesystem::exists(file(id, ".done"))) {
            s.phase = DepositPhase::kProven;
            s.replica = ReplicaId(tagged_hash("test/replica", id));
            s.chain = chain_of(id);
            s.accepted = Height(5);
            s.linked = Height(9);
            s.tip = Height(9);
        }
        return s;
    }

    DepositAnswer answer(const PublicKey& client, const AskTerms& q) {
        DepositTerms t;
        t.network = network_;
        t.prover = key();
        t.client = client;
        t.max_bytes = std::max<std::uint64_t>(q.bytes, 1);
        t.price = 7;
        t.seal = kSealDev;
        t.hot = faults.hot;
        t.until = Height(1'000'000);
        t.upload_s = 3'600;
        t.valid_until_ms = UINT64_MAX;
        t.signature = key_.sign(view(t.digest())).value();
        return t;
    }
    DepositAnswer answer(const PublicKey&, const OpenDeposit& q) {
        if (!has(q.id)) {
            ++opened_;
            if (!write_file(file(q.id, ".order"), encode_question(q))) {
                return DepositRefused{DepositReason::kProverFailed};
            }
        }
        return state(q.id);
    }
    DepositAnswer answer(const PublicKey&, const SendPiece& q) {
        if (!has(q.id)) return DepositRefused{DepositReason::kUnknown};
        if (faults.full) return DepositRefused{DepositReason::kNoSpace};
        const std::uint64_t there = data(q.id).size();
        if (there == 0) std::filesystem::remove(file(q.id, ".data"));
        if (q.index * kPieceBytes > there) return DepositRefused{DepositReason::kWrongPiece};
        if (q.index * kPieceBytes < there) {
            const ByteView known = view_of(q.id, q.index * kPieceBytes, q.bytes.size());
            if (!std::ranges::equal(known, q.bytes)) {
                return DepositRefused{DepositReason::kWrongPiece};
            }
            return state(q.id);
        }
        if (there > 0) std::filesystem::resize_file(file(q.id, ".data"), there);
        std::ofstream(file(q.id, ".data"), std::ios::app | std::ios::binary)
            .write(reinterpret_cast<const char*>(q.bytes.data()),
                   static_cast<std::streamsize>(q.bytes.size()));
        ++pieces_;
        return state(q.id);
    }
    ByteView view_of(const DepositId& id, std::uint64_t at, std::size_t length) {
        kept_ = data(id);
        return ByteView(kept_).subspan(at, std::min(length, kept_.size() - at));
    }
    DepositAnswer answer(const PublicKey&, const AskState& q) { return state(q.id); }
    DepositAnswer answer(const PublicKey& client, const FinishDeposit& q) {
        if (!has(q.id)) return DepositRefused{DepositReason::kUnknown};
        const auto now = std::get<DepositState>(state(q.id));
        if (now.arrived != now.bytes) return DepositRefused{DepositReason::kIncomplete};
        if (now.arrived_root != q.raw_root) return DepositRefused{DepositReason::kWrongRoot};
        const Digest message = finish_message(network_, key(), q.id, now.bytes, q.raw_root);
        if (!verify_signature(client, view(message), q.signature)) {
            return DepositRefused{DepositReason::kBadSignature};
        }
        (void)write_file(file(q.id, ".done"), view(std::string_view("done")), true);
        return state(q.id);
    }
    DepositAnswer answer(const PublicKey& client, const RemoveDeposit& q) {
        if (!has(q.id)) return DepositRefused{DepositReason::kUnknown};
        const Digest message = remove_message(network_, key(), q.id, q.counter);
        if (!verify_signature(client, view(message), q.signature)) {
            return DepositRefused{DepositReason::kBadSignature};
        }
        auto now = std::get<DepositState>(state(q.id));
        now.phase = DepositPhase::kEnded;
        now.reason = DepositReason::kRemoved;
        now.counter = q.counter;
        for (const char* what : {".order", ".data", ".done"}) {
            std::filesystem::remove(file(q.id, what));
        }
        return now;
    }
    DepositAnswer answer(const PublicKey&, const ListDeposits&) { return DepositList{}; }

    struct Served {
        Bytes data;
        std::unique_ptr<MerkleTree> tree;
    };
    std::shared_ptr<const Served> served(const ChainId& chain) {
        const std::lock_guard lock(mutex_);
        auto& found = served_[chain];
        if (found) return found;
        for (const auto& e : std::filesystem::directory_iterator(folder_)) {
            if (e.path().extension() != ".done") continue;
            DepositId id;
            if (!from_hex(e.path().stem().string(), MutByteView(id.bytes))) continue;
            if (chain_of(id) != chain) continue;
            auto made = std::make_shared<Served>();
            made->data = data(id);
            made->data.resize(chunk_count(made->data.size()).value * kChunkBytes);
            std::vector<Digest> leaves;
            for (std::size_t at = 0; at < made->data.size(); at += kCellBytes) {
                leaves.push_back(leaf_hash(ByteView(made->data).subspan(at, kCellBytes)));
            }
            made->tree = std::make_unique<MerkleTree>(std::move(leaves));
            found = made;
        }
        return found;
    }
    Result<Bytes> read(ByteView message) {
        ++reads_;
        const bool hung = faults.hangs;
        while (faults.hangs) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        if (hung) return fail(ErrorCode::kTimeout, "no answer in time");
        const ReadRequest request = ReadRequest::decode(message).value();
        ReadAnswer out;
        const auto found = served(request.chain_id);
        if (!found) {
            out.reason = Reason::kUnknownChain;
            return out.encode();
        }
        out.status = ReadStatus::kData;
        const auto chunks =
            ByteView(found->data)
                .subspan(request.first.value * kChunkBytes, request.count * kChunkBytes);
        out.chunks_and_siblings.assign(chunks.begin(), chunks.end());
        std::vector<std::uint64_t> cells;
        for (std::uint64_t c = request.first.value * kCellsPerChunk;
             c < (request.first.value + request.count) * kCellsPerChunk; ++c) {
            cells.push_back(c);
        }
        for (const Digest& d : found->tree->multiproof(cells)) {
            out.chunks_and_siblings.insert(out.chunks_and_siblings.end(), d.begin(), d.end());
        }
        if (faults.lies) out.chunks_and_siblings[100] ^= 1;
        return out.encode();
    }

    const Path folder_;
    const NetworkId network_;
    const KeyPair key_;
    std::mutex mutex_;
    std::map<ChainId, std::shared_ptr<const Served>> served_;
    Bytes kept_;
    std::atomic<std::uint64_t> pieces_{0};
    std::atomic<std::uint64_t> opened_{0};
    std::atomic<std::uint64_t> reads_{0};
};

/// Some of them, in one folder.
class FakeProvers {
  public:
    FakeProvers(const std::filesystem::path& folder, const NetworkId& network,
                const PublicKey& client, std::size_t count)
        : client_(client) {
        for (std::size_t i = 0; i < count; ++i) {
            provers_.push_back(std::make_unique<FakeProver>(folder / std::to_string(i), network,
                                                            static_cast<std::uint8_t>(100 + i)));
        }
    }
    FakeProver& operator[](std::size_t i) { return *provers_[i]; }
    [[nodiscard]] std::vector<ProverAddress> addresses() const {
        std::vector<ProverAddress> out;
        for (const auto& p : provers_) out.push_back(p->address());
        return out;
    }
    [[nodiscard]] std::uint64_t pieces() const {
        std::uint64_t n = 0;
        for (const auto& p : provers_) n += p->pieces();
        return n;
    }
    /// Called before every request; an error is the answer.
    std::function<Status(ByteView request)> before = {};
    AskProverOf asker() {
        return [this](const ProverAddress& prover) -> AskProver {
            return [this, key = prover.key](ByteView request) -> Result<Bytes> {
                if (before) HOLDFAST_TRY(before(request));
                for (const auto& p : provers_) {
                    if (p->key() == key) return p->ask(client_, request);
                }
                return fail(ErrorCode::kUnavailable, "unknown to this test");
            };
        };
    }

  private:
    PublicKey client_;
    std::vector<std::unique_ptr<FakeProver>> provers_;
};

}  // namespace holdfast::test
