#include "keep/heal.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "storage/file.hpp"
#include "storage/randomness.hpp"

namespace holdfast {
namespace {

constexpr std::uint8_t kHealOrderVersion = 1;
constexpr std::size_t kMostOrderBytes = std::size_t{16} << 20;
constexpr std::size_t kQueuedPieces = 16;
constexpr unsigned kSenders = 4;
constexpr std::string_view kHealSuffix = ".heal";

void put_text(Writer& w, const std::string& text) {
    w.u8(static_cast<std::uint8_t>(text.size()));
    w.raw(view(text));
}

std::string take_text(Reader& r) {
    const ByteView bytes = r.raw(r.u8());
    return {bytes.begin(), bytes.end()};
}

/// Pieces of one deposit: put together from what arrives in any order, sent by a few threads. Who
/// adds waits while too many lie here.
class PieceSender {
  public:
    PieceSender(const DepositClient& client, const DepositOrder& order)
        : client_(client), order_(order) {
        for (unsigned i = 0; i < kSenders; ++i) threads_.emplace_back([this] { send_all(); });
    }
    ~PieceSender() { end(fail(ErrorCode::kInterrupted, "stopped on request")); }
    PieceSender(const PieceSender&) = delete;
    PieceSender& operator=(const PieceSender&) = delete;

    /// Bytes at an offset of the deposit.
    Status add(std::uint64_t at, ByteView bytes) {
        while (!bytes.empty()) {
            const std::uint64_t index = at / kPieceBytes;
            const std::uint64_t inside = at % kPieceBytes;
            Partial& piece = partial_[index];
            if (piece.bytes.empty()) piece.bytes.resize(piece_bytes(order_.bytes, index));
            const std::size_t n = std::min<std::size_t>(bytes.size(), piece.bytes.size() - inside);
            std::copy_n(bytes.begin(), n,
                        piece.bytes.begin() + static_cast<std::ptrdiff_t>(inside));
            piece.filled += n;
            at += n;
            bytes = bytes.subspan(n);
            if (piece.filled < piece.bytes.size()) continue;
            Bytes whole = std::move(piece.bytes);
            partial_.erase(index);
            HOLDFAST_TRY(queue(index, std::move(whole)));
        }
        return {};
    }

    /// Until everything that was added is with the prover.
    Status finish() {
        end({});
        return failure_;
    }
    [[nodiscard]] std::uint64_t sent() const { return sent_; }

  private:
    struct Partial {
        Bytes bytes;
        std::size_t filled = 0;
    };

    Status queue(std::uint64_t index, Bytes piece) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return queue_.size() < kQueuedPieces || !failure_; });
        if (!failure_) return failure_;
        queue_.emplace_back(index, std::move(piece));
        changed_.notify_all();
        return {};
    }

    void send_all() {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [&] { return !queue_.empty() || ended_ || !failure_; });
            if (!failure_ || queue_.empty()) return;
            const auto [index, piece] = std::move(queue_.front());
            queue_.pop_front();
            changed_.notify_all();
            lock.unlock();
            const Result<DepositState> state = client_.send_piece(order_, index, piece);
            lock.lock();
            if (state) {
                sent_ += piece.size();
            } else if (failure_) {
                failure_ = fail(state.error());
            }
            changed_.notify_all();
        }
    }

    void end(Status how) {
        {
            const std::lock_guard lock(mutex_);
            ended_ = true;
            if (failure_ && !how) failure_ = std::move(how);
            changed_.notify_all();
        }
        threads_.clear();
    }

    const DepositClient& client_;
    const DepositOrder& order_;
    std::map<std::uint64_t, Partial> partial_;  // the adding thread's own
    std::mutex mutex_;                          // guards what follows
    std::condition_variable changed_;
    std::deque<std::pair<std::uint64_t, Bytes>> queue_;
    bool ended_ = false;
    Status failure_;
    std::uint64_t sent_ = 0;
    std::vector<std::jthread> threads_;
};

/// One segment of the shard, from what has not arrived on.
Status rebuild_segment(const KeptFile& file, const HealOrder& order, std::uint64_t segment,
                       const DepositClient& client, const KeyPair& owner, const AskProverOf& ask,
                       const HealOptions& options, HealReport& report) {
    const DepositOrder& deposit = order.segments[segment];
    HOLDFAST_ASSIGN(opened, client.open(deposit));
    if (opened.phase == DepositPhase::kFailed || opened.phase == DepositPhase::kEnded) {
        return fail(refusal_error(opened.reason));
    }
    report.resumed += opened.arrived;
    if (opened.phase != DepositPhase::kReceiving) return {};
    const std::uint64_t begin = segment * kMaxDataBytes;
    if (opened.arrived < deposit.bytes) {
        PieceSender sender(client, deposit);
        const ShardRange range{order.shard, begin + opened.arrived, begin + deposit.bytes};
        const unsigned avoid[] = {order.shard};
        std::uint64_t done = opened.arrived;
        const auto take = [&](unsigned, std::uint64_t at, ByteView bytes) -> Status {
            HOLDFAST_TRY(sender.add(at - begin, bytes));
            done += bytes.size();
            if (options.progress) options.progress(done, deposit.bytes);
            return {};
        };
        HOLDFAST_ASSIGN(read,
                        read_shards(file, owner, {&range, 1}, avoid, ask, take, options.reading));
        report.reading = std::move(read);
        HOLDFAST_TRY(sender.finish());
        report.sent += sender.sent();
    }
    HOLDFAST_TRY(client.finish(deposit, file.manifest.root(order.shard, segment)));
    return {};
}

Status check_order(const KeptFile& file, const HealOrder& order) {
    if (order.file != file.id() || order.shard >= file.manifest.shape.shards() ||
        order.segments.size() != file.manifest.segments_per_shard()) {
        return fail(ErrorCode::kInvalidArgument, "the order is of another file");
    }
    return {};
}

}  // namespace

Bytes HealOrder::encode() const {
    Writer w;
    w.u8(kHealOrderVersion).fixed(file).u64(counter).u8(static_cast<std::uint8_t>(shard));
    w.fixed(prover.key);
    put_text(w, prover.address);
    put_text(w, prover.place);
    w.u32(static_cast<std::uint32_t>(segments.size()));
    for (const DepositOrder& one : segments) {
        const Bytes terms = one.terms.encode();
        w.fixed(one.id).u64(one.bytes).u32(static_cast<std::uint32_t>(terms.size())).raw(terms);
    }
    return w.take();
}

Checked<HealOrder> HealOrder::decode(ByteView bytes) {
    Reader r(bytes);
    HealOrder out;
    if (r.u8() != kHealOrderVersion) r.refuse(Reason::kBadVersion);
    out.file = r.fixed<Digest>();
    out.counter = r.u64();
    out.shard = r.u8();
    out.prover.key = r.fixed<PublicKey>();
    out.prover.address = take_text(r);
    out.prover.place = take_text(r);
    const std::uint32_t count = r.u32();
    if (!r.failed() && (count == 0 || count > r.remaining())) r.refuse(Reason::kBadField);
    for (std::uint32_t i = 0; i < count && !r.failed(); ++i) {
        DepositOrder one;
        one.id = r.fixed<DepositId>();
        one.bytes = r.u64();
        const Checked<DepositTerms> terms = DepositTerms::decode(r.raw(r.u32()));
        if (r.failed()) return refuse(r.verdict());
        if (!terms) return refuse(terms.error());
        one.terms = *terms;
        if (one.bytes == 0 || one.bytes > one.terms.max_bytes) r.refuse(Reason::kBadField);
        out.segments.push_back(one);
    }
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

std::filesystem::path heal_order_path(const std::filesystem::path& folder, const Digest& file,
                                      unsigned shard) {
    return folder / (to_hex(file) + "-" + std::to_string(shard) + std::string(kHealSuffix));
}

Status write_heal_order(const std::filesystem::path& folder, const HealOrder& order) {
    return write_file(heal_order_path(folder, order.file, order.shard), order.encode(), true);
}

Result<std::vector<HealOrder>> read_heal_orders(const std::filesystem::path& folder) {
    std::vector<HealOrder> out;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
        if (entry.path().extension() != kHealSuffix) continue;
        HOLDFAST_ASSIGN(bytes, read_file(entry.path(), kMostOrderBytes));
        const Checked<HealOrder> order = HealOrder::decode(bytes);
        if (!order || heal_order_path(folder, order->file, order->shard) != entry.path()) {
            return fail(ErrorCode::kCorrupt, entry.path().string() + " is no order of a heal" +
                                                 (order ? "" : ": " + to_string(order.error())) +
                                                 "; move it away, the shard is then ordered anew");
        }
        out.push_back(*order);
    }
    std::sort(out.begin(), out.end(), [](const HealOrder& a, const HealOrder& b) {
        return std::tie(a.file, a.shard) < std::tie(b.file, b.shard);
    });
    return out;
}

Result<HealOrder> order_heal(const KeptFile& file, unsigned shard, const ProverAddress& prover,
                             const KeyPair& owner, const AskProverOf& ask,
                             const HealOptions& options) {
    const std::uint64_t segments = file.manifest.segments_per_shard();
    for (std::uint64_t i = 0; i < file.shards.size(); ++i) {
        if (file.shards[i].prover == prover.key) {
            return fail(ErrorCode::kInvalidArgument,
                        "prover " + to_hex(prover.key) + " has shard " +
                            std::to_string(i / segments) + " of the file already");
        }
    }
    HealOrder out{file.id(), file.counter, shard, prover, {}};
    const DepositClient client(file.network, prover.key, owner, ask(prover), options.depositing);
    for (std::uint64_t segment = 0; segment < segments; ++segment) {
        DepositOrder one;
        one.bytes = file.segment_bytes(segment);
        HOLDFAST_ASSIGN(terms, client.terms(one.bytes));
        if (terms.max_bytes < one.bytes || (options.need_hot && !terms.hot)) {
            return fail(ErrorCode::kRefused, "prover " + to_hex(prover.key) +
                                                 (terms.hot ? " takes less than the shard"
                                                            : " does not keep data readable"));
        }
        HOLDFAST_TRY(random_bytes(MutByteView(one.id.bytes)));
        one.terms = terms;
        out.segments.push_back(one);
    }
    return out;
}

Result<HealReport> carry_out_heal(const KeptFile& file, const HealOrder& order,
                                  const KeyPair& owner, const AskProverOf& ask,
                                  const HealOptions& options) {
    HOLDFAST_TRY(check_order(file, order));
    const DepositClient client(file.network, order.prover.key, owner, ask(order.prover),
                               options.depositing);
    HealReport report;
    for (std::uint64_t segment = 0; segment < order.segments.size(); ++segment) {
        HOLDFAST_TRY(rebuild_segment(file, order, segment, client, owner, ask, options, report));
    }
    return report;
}

Result<KeptFile> healed_file(const KeptFile& file, const HealOrder& order,
                             std::span<const DepositState> states, const KeyPair& owner) {
    HOLDFAST_TRY(check_order(file, order));
    if (states.size() != order.segments.size()) {
        return fail(ErrorCode::kInvalidArgument, "one state for each segment");
    }
    KeptFile out = file;
    ++out.counter;
    for (std::size_t segment = 0; segment < states.size(); ++segment) {
        out.shards[order.shard * states.size() + segment] = {
            order.prover.key, order.prover.address, order.segments[segment].id,
            states[segment].replica, states[segment].chain};
    }
    HOLDFAST_TRY(out.sign(owner));
    return out;
}

}  // namespace holdfast
