#include "keep/put_sender.hpp"

#include <thread>

#include "storage/parallel.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kRowBudget = std::uint64_t{96} << 20;  // bytes of rows in flight
constexpr std::uint64_t kMostRows = 16;
constexpr std::size_t kParityStep = std::size_t{64} << 10;  // of a row, coded while it is in cache

Error named(Error error, const PublicKey& prover) {
    error.message = "prover " + to_hex(prover) + ": " + error.message;
    return error;
}

}  // namespace

/// One piece of every shard.
struct PutSender::Row {
    std::uint64_t index = 0;
    std::size_t length = 0;
    Bytes bytes;
    std::size_t left = 0;  // shards that it has not been sent to; under the mutex
    [[nodiscard]] MutByteView shard(unsigned i) {
        return MutByteView(bytes).subspan(i * length, length);
    }
    [[nodiscard]] ByteView shard(unsigned i) const {
        return ByteView(bytes).subspan(i * length, length);
    }
};

/// Where one data shard's part of the file is read: the segment that was made last.
struct PutSender::Region {
    std::uint64_t segment = UINT64_MAX;
    Bytes cipher;
    Bytes plain;
};

PutSender::PutSender(const File& source, const PutPlan& plan, PutJournal& journal,
                     const KeyPair& owner, const NetworkId& network, const AskProverOf& ask,
                     const PutOptions& options)
    : source_(source),
      plan_(plan),
      journal_(journal),
      owner_(owner),
      options_(options),
      stream_(plan.stream()),
      cipher_len_(stream_.cipher_len()),
      shard_len_(shard_length(cipher_len_, plan.shape)),
      rows_((shard_len_ + kPieceBytes - 1) / kPieceBytes),
      segments_((shard_len_ + kMaxDataBytes - 1) / kMaxDataBytes),
      regions_(plan.shape.data),
      found_(plan.parts.size()),
      pieces_(plan.parts.size()) {
    DepositClientOptions client;
    client.patience_ms = options.patience_ms;
    client.stop = [this] {
        if (stopped()) return true;
        const std::lock_guard lock(mutex_);
        return failure_.has_value();
    };
    for (unsigned shard = 0; shard < plan.shape.shards(); ++shard) {
        const ProverAddress& prover = plan.parts[shard * segments_].prover;
        clients_.push_back(
            std::make_unique<DepositClient>(network, prover.key, owner, ask(prover), client));
    }
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        pieces_[i].resize(static_cast<std::size_t>(piece_count(plan.parts[i].order.bytes)));
    }
}

PutSender::~PutSender() = default;

tl::unexpected<Error> PutSender::set_back(PutSetback why, std::string message) {
    const std::lock_guard lock(mutex_);
    setback_ = why;
    return fail(ErrorCode::kCorrupt, std::move(message));
}

std::size_t PutSender::part_of(unsigned shard, std::uint64_t row) const {
    return static_cast<std::size_t>(shard * segments_ + row / kMostPieces);
}

Status PutSender::open_deposits() {
    const unsigned shards = plan_.shape.shards();
    const auto open_shard = [&](unsigned shard) -> Status {
        for (std::uint64_t s = 0; s < segments_; ++s) {
            const std::size_t part = static_cast<std::size_t>(shard * segments_ + s);
            const PutPart& p = plan_.parts[part];
            const Result<DepositState> state = clients_[shard]->open(p.order);
            if (!state) {
                const ErrorCode code = state.error().code;
                const Error why = named(state.error(), p.prover.key);
                const bool lost = code == ErrorCode::kInvalidArgument ||
                                  code == ErrorCode::kNotFound || code == ErrorCode::kAlreadyExists;
                if (lost) return set_back(PutSetback::kDepositLost, why.message);
                return fail(why);
            }
            if (state->phase == DepositPhase::kFailed || state->phase == DepositPhase::kEnded) {
                return set_back(PutSetback::kDepositLost,
                                "prover " + to_hex(p.prover.key) + " has given up a deposit: " +
                                    std::string(to_string(state->reason)));
            }
            found_[part] = *state;
        }
        return {};
    };
    // All at once: each is a wait for one prover and its disk.
    std::vector<std::thread> threads;
    for (unsigned shard = 0; shard < shards; ++shard) {
        threads.emplace_back([&, shard] {
            const Status opened = open_shard(shard);
            if (!opened) end_with(opened.error());
        });
    }
    for (std::thread& t : threads) t.join();
    if (failure_) return fail(*failure_);
    return {};
}

void PutSender::end_with(Error error) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(error);
    changed_.notify_all();
}

Result<std::vector<Root>> PutSender::run() {
    if (plan_.encrypted) {
        HOLDFAST_ASSIGN(key, kept_file_key(owner_, plan_.salt));
        cipher_.emplace(key, plan_.header, stream_);
    }
    HOLDFAST_TRY(open_deposits());
    std::vector<std::thread> senders;
    for (unsigned shard = 0; shard < plan_.shape.shards(); ++shard) {
        senders.emplace_back([this, shard] { send_shard(shard); });
    }
    Status made = produce();
    if (!made) end_with(std::move(made).error());
    {
        const std::lock_guard lock(mutex_);
        all_made_ = true;
        changed_.notify_all();
    }
    for (std::thread& sender : senders) sender.join();
    if (stopped()) return interrupted();
    if (failure_) return fail(*failure_);
    std::vector<Root> roots;
    for (const std::vector<Digest>& part : pieces_) roots.push_back(root_of_pieces(part));
    return roots;
}

// --- making rows ---------------------------------------------------------------------------------

Status PutSender::produce() {
    if (plan_.encrypted) {
        HOLDFAST_TRY(journal_.open_tags(stream_.segments()));
    }
    const std::uint64_t width = plan_.shape.shards() * std::min(kPieceBytes, shard_len_);
    const std::uint64_t most = std::clamp<std::uint64_t>(kRowBudget / width, 1, kMostRows);
    const std::uint64_t group = std::max<std::uint64_t>(1, most / 3);
    for (std::uint64_t first = 0; first < rows_; first += group) {
        {
            std::unique_lock lock(mutex_);
            while (!failure_ && queue_.size() + group > most && !queue_.empty()) {
                changed_.wait_for(lock, std::chrono::milliseconds(100));
                if (stopped()) return interrupted();
            }
            if (failure_) return {};
        }
        if (stopped()) return interrupted();
        std::vector<std::shared_ptr<Row>> rows(
            static_cast<std::size_t>(std::min(group, rows_ - first)));
        HOLDFAST_TRY(fill_group(first, rows));
        // From here on bytes may leave: their tags must not be forgotten.
        if (plan_.encrypted) HOLDFAST_TRY(journal_.sync_tags());
        const std::lock_guard lock(mutex_);
        queue_.insert(queue_.end(), rows.begin(), rows.end());
        changed_.notify_all();
    }
    return {};
}

Status PutSender::fill_group(std::uint64_t first, std::vector<std::shared_ptr<Row>>& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i] = std::make_shared<Row>();
        rows[i]->index = first + i;
        rows[i]->length =
            static_cast<std::size_t>(std::min(kPieceBytes, shard_len_ - (first + i) * kPieceBytes));
        rows[i]->bytes.resize(rows[i]->length * plan_.shape.shards());
        rows[i]->left = plan_.shape.shards();
    }
    const unsigned k = plan_.shape.data;
    // A region is read by one thread, so that a segment that lies across two rows is made once.
    const auto fill_region = [&](unsigned, std::uint64_t shard) -> Status {
        const auto i = static_cast<unsigned>(shard);
        for (const auto& row : rows) {
            HOLDFAST_TRY(fill(i, row->index * kPieceBytes, row->shard(i)));
        }
        return {};
    };
    const Status filled =
        run_workers(worker_count(options_.workers, k), k, options_.stop, fill_region);
    if (!filled) return filled;
    return run_workers(
        worker_count(options_.workers, rows.size()), rows.size(), options_.stop,
        [&](unsigned, std::uint64_t i) { return code_row(*rows[static_cast<std::size_t>(i)]); });
}

/// Spec 9: bytes from shard * shard_len on of what is coded, zeros behind its end.
Status PutSender::fill(unsigned shard, std::uint64_t at, MutByteView out) {
    std::uint64_t from = shard * shard_len_ + at;
    while (!out.empty()) {
        if (from >= cipher_len_) {
            std::fill(out.begin(), out.end(), std::uint8_t{0});
            return {};
        }
        const std::uint64_t segment = from / kCipherSegmentBytes;
        Region& region = regions_[shard];
        if (region.segment != segment) HOLDFAST_TRY(load_segment(region, segment));
        const auto skip = static_cast<std::size_t>(from - segment * kCipherSegmentBytes);
        const std::size_t length = std::min(out.size(), region.cipher.size() - skip);
        std::copy_n(region.cipher.begin() + static_cast<std::ptrdiff_t>(skip), length, out.begin());
        out = out.subspan(length);
        from += length;
    }
    return {};
}

Status PutSender::load_segment(Region& region, std::uint64_t segment) {
    region.segment = UINT64_MAX;
    region.cipher.resize(stream_.cipher_bytes(segment));
    if (!plan_.encrypted) {
        HOLDFAST_TRY(source_.read_at(stream_.plain_begin(segment), region.cipher));
        region.segment = segment;
        return {};
    }
    region.plain.resize(stream_.plain_bytes(segment));
    HOLDFAST_TRY(source_.read_at(stream_.plain_begin(segment), region.plain));
    cipher_->encrypt(segment, region.plain, region.cipher);
    const ByteView tag = ByteView(region.cipher).last(kCipherTagBytes);
    if (!journal_.note_tag(segment, tag)) {
        return set_back(PutSetback::kFileChanged,
                        "'" + source_.path().string() + "' has changed since this put began");
    }
    region.segment = segment;
    return {};
}

Status PutSender::code_row(Row& row) {
    const CodeShape shape = plan_.shape;
    for (std::size_t at = 0; at < row.length && shape.parity > 0; at += kParityStep) {
        const std::size_t length = std::min(kParityStep, row.length - at);
        std::vector<ByteView> data;
        std::vector<MutByteView> parity;
        for (unsigned i = 0; i < shape.shards(); ++i) {
            const MutByteView part = row.shard(i).subspan(at, length);
            if (i < shape.data) data.emplace_back(part);
            if (i >= shape.data) parity.push_back(part);
        }
        encode_parity(shape, data, parity);
    }
    for (unsigned i = 0; i < shape.shards(); ++i) {
        const std::size_t part = part_of(i, row.index);
        const std::uint64_t piece = row.index % kMostPieces;
        pieces_[part][static_cast<std::size_t>(piece)] =
            piece_root(plan_.parts[part].order.bytes, piece, row.shard(i));
    }
    return {};
}

// --- sending rows --------------------------------------------------------------------------------

std::shared_ptr<PutSender::Row> PutSender::next_row(std::uint64_t index) {
    std::unique_lock lock(mutex_);
    while (true) {
        if (failure_ || index >= rows_) return nullptr;
        if (index < first_queued_ + queue_.size()) {
            return queue_[static_cast<std::size_t>(index - first_queued_)];
        }
        if (all_made_) return nullptr;
        changed_.wait(lock);
    }
}

void PutSender::release(const Row& row) {
    const std::lock_guard lock(mutex_);
    done_bytes_ += row.length;
    --queue_[static_cast<std::size_t>(row.index - first_queued_)]->left;
    while (!queue_.empty() && queue_.front()->left == 0) {
        queue_.pop_front();
        ++first_queued_;
    }
    if (options_.progress) {
        options_.progress("sending", done_bytes_, shard_len_ * plan_.shape.shards());
    }
    changed_.notify_all();
}

void PutSender::send_shard(unsigned shard) {
    for (std::uint64_t index = 0; const auto row = next_row(index); ++index) {
        Status sent = send_piece(shard, *row);
        if (!sent) {
            const PublicKey& prover = plan_.parts[part_of(shard, index)].prover.key;
            return end_with(named(std::move(sent).error(), prover));
        }
        release(*row);
    }
}

Status PutSender::send_piece(unsigned shard, const Row& row) {
    const std::size_t part = part_of(shard, row.index);
    const PutPart& p = plan_.parts[part];
    const std::uint64_t piece = row.index % kMostPieces;
    const std::uint64_t end = std::min(p.order.bytes, (piece + 1) * kPieceBytes);
    const DepositState& found = found_[part];
    if (found.arrived >= end) {
        return found.arrived == end ? check_arrived(part, piece + 1) : Status{};
    }
    if (found.phase != DepositPhase::kReceiving) {
        return fail(ErrorCode::kRefused,
                    "it takes no more pieces, and has not acknowledged all: its deposit is " +
                        std::string(to_string(found.phase)));
    }
    HOLDFAST_TRY(clients_[shard]->send_piece(p.order, piece, row.shard(shard)));
    const std::lock_guard lock(mutex_);
    sent_bytes_ += row.length;
    return {};
}

/// What a prover says arrived in an earlier run is held against what is sent in this one.
Status PutSender::check_arrived(std::size_t at, std::uint64_t pieces) {
    const Root root = root_of_pieces(
        std::span<const Digest>(pieces_[at]).first(static_cast<std::size_t>(pieces)));
    if (root == found_[at].arrived_root) return {};
    if (!plan_.encrypted) {
        return set_back(PutSetback::kFileChanged,
                        "'" + source_.path().string() + "' has changed since this put began");
    }
    return fail(ErrorCode::kRefused, "what it says has arrived is not what was sent to it");
}

}  // namespace holdfast
