// A chain in its folder: what is in memory, and how it is kept up with the log on disk.
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/codec.hpp"
#include "embedded/chain_tip_impl.hpp"
#include "embedded/local_chain.hpp"
#include "embedded/record_follower.hpp"
#include "storage/begun.hpp"
#include "storage/record_log.hpp"

namespace holdfast {

/// Public calls hold `mutex` and begin with refresh().
class LocalChain::Impl {
  public:
    struct Stored {
        Kind kind{};
        std::uint64_t offset = 0;  // of the object in chain.log
        std::uint64_t size = 0;
        Digest leaf;
    };

    struct SubmissionView {
        Kind kind{};
        ByteView object;
    };

    struct Block {
        BlockHash hash;
        BlockHash parent;
        std::uint64_t time_ms = 0;
        std::vector<std::uint64_t> listed;  // numbers of submissions, in order of arrival
    };

    Impl(std::filesystem::path folder, NetworkParams params)
        : folder_(std::move(folder)), params_(std::move(params)), network_id_(params_.id()) {}

    Status start_reading() {
        HOLDFAST_ASSIGN(acknowledged, TipFile::read(folder_ / kTipFile));
        HOLDFAST_TRY(reload());
        if (follower_->good_bytes() < acknowledged)
            return damaged("acknowledged records are missing");
        if (blocks_.empty()) return damaged("it has no genesis block");
        return {};
    }
    Status start_writing() {
        RecordLog::Options options;
        options.max_body_bytes = kMaxBodyBytes;
        HOLDFAST_ASSIGN(log, RecordLog::open(folder_ / kLogFile, options));
        HOLDFAST_ASSIGN(tip, File::open(folder_ / kTipFile, File::Mode::kCreate));
        cut_bytes_ = log.recovery().cut_bytes;
        log_.emplace(std::move(log));
        tip_.emplace(std::move(tip));
        return {};
    }
    Status append_genesis(std::uint64_t time_ms) {
        Writer w(41);
        w.u8(kGenesisRecord).fixed(network_id_).u64(time_ms);
        HOLDFAST_TRY(log_->append(w.bytes()));
        HOLDFAST_TRY(reload());
        return TipFile::write(*tip_, log_->size_bytes());
    }
    /// kAlreadyExists where a chain is or was: looks before anything is opened for writing.
    Status require_no_chain() {
        HOLDFAST_TRY(check_not_vanished(folder_ / kLogFile));
        HOLDFAST_ASSIGN(acknowledged, TipFile::read(folder_ / kTipFile));
        Result<RecordFollower> log = RecordFollower::open(folder_ / kLogFile, kMaxBodyBytes);
        if (!log && log.error().code == ErrorCode::kNotFound && acknowledged == 0) return {};
        if (!log && acknowledged == 0) return fail(log.error());
        if (log) HOLDFAST_TRY(log->poll([](std::uint64_t, ByteView) { return Status{}; }));
        if (acknowledged == 0 && log->good_bytes() == 0) return {};
        return fail(ErrorCode::kAlreadyExists, folder_.string() + " holds a chain already");
    }

    /// Takes in what has been appended since. Every public call begins with it.
    Status refresh() {
        const Status polled = poll();
        // A writer whose append failed cuts its record off again: start over from what is there.
        if (!polled && polled.error().code == ErrorCode::kCorrupt && !log_) return reload();
        return polled;
    }
    Status reload() {
        HOLDFAST_ASSIGN(follower, RecordFollower::open(folder_ / kLogFile, kMaxBodyBytes));
        follower_.emplace(std::move(follower));
        blocks_.clear();
        submissions_.clear();
        known_.clear();
        pending_.clear();
        branch_ = 0;
        next_event_ = 0;
        return poll();
    }

    Status submit(std::span<const SubmissionView> objects);
    Status list_bond_events(std::span<const BondEvent> events);
    Result<std::vector<Submission>> listed_at(Height height, std::optional<bool> events);
    Result<BlockInfo> repeat(const BlockHash& hash, std::uint64_t time_ms,
                             std::span<const Bytes> listed);
    Result<BlockInfo> append(Height first, std::span<const NewBlock> blocks);

    [[nodiscard]] Height genesis() const { return params_.genesis_height; }
    [[nodiscard]] Height tip() const { return genesis() + (blocks_.size() - 1); }
    [[nodiscard]] bool is_final(Height h) const { return h + params_.finality_blocks <= tip(); }
    [[nodiscard]] const Block* block(Height h) const {
        if (h < genesis() || h > tip()) return nullptr;
        return &blocks_[h.since(genesis())];
    }
    [[nodiscard]] Result<BlockInfo> info(Height h) const {
        const Block* b = block(h);
        if (b == nullptr) {
            return fail(ErrorCode::kNotFound, "no block at height " + std::to_string(h.value));
        }
        return BlockInfo{h, b->hash, b->parent, b->time_ms, is_final(h)};
    }
    [[nodiscard]] std::uint64_t tip_time() const { return blocks_.back().time_ms; }

    std::mutex mutex;
    [[nodiscard]] const NetworkParams& params() const { return params_; }
    [[nodiscard]] const NetworkId& network_id() const { return network_id_; }
    [[nodiscard]] std::uint64_t cut_bytes() const { return cut_bytes_; }
    [[nodiscard]] std::uint64_t pending() const { return pending_.size(); }
    [[nodiscard]] std::uint64_t next_event() const { return next_event_; }
    [[nodiscard]] bool writable() const { return log_.has_value(); }

  private:
    static constexpr std::uint32_t kMaxBodyBytes = kMaxSubmissionBytes + 1;
    // First byte of a record's body, as its siblings in local_chain.cpp.
    static constexpr std::uint8_t kGenesisRecord = 0;  // network_id 32 || u64 time_ms

    [[nodiscard]] tl::unexpected<Error> damaged(const std::string& why) const {
        return fail(ErrorCode::kCorrupt, (folder_ / kLogFile).string() + " is damaged: " + why);
    }
    Status poll() {
        return follower_->poll(
            [this](std::uint64_t offset, ByteView body) { return apply(offset, body); });
    }
    Status write(ByteView body) { return write_all({&body, 1}); }
    Status write_all(std::span<const ByteView> bodies) {
        HOLDFAST_TRY(log_->append_all(bodies));
        HOLDFAST_TRY(refresh());
        return TipFile::write(*tip_, log_->size_bytes());
    }
    Status apply(std::uint64_t offset, ByteView body);
    Status apply_genesis(Reader& r);
    Status apply_submission(std::uint64_t offset, ByteView object);
    Status apply_blocks(Reader& r);
    Status apply_branch(Reader& r);
    void drop_from(Height first);
    [[nodiscard]] BlockHash hash_of(Height height, const Block& block) const;
    [[nodiscard]] std::optional<std::uint32_t> branch_of_next(const BlockHash& hash,
                                                              std::uint64_t time_ms,
                                                              std::span<const Digest> leaves) const;

    std::filesystem::path folder_;
    NetworkParams params_;
    NetworkId network_id_;
    std::optional<RecordFollower> follower_;
    std::optional<RecordLog> log_;
    std::optional<File> tip_;
    std::uint64_t cut_bytes_ = 0;

    std::vector<Block> blocks_;        // of the current branch, from the genesis block on
    std::vector<Stored> submissions_;  // in order of arrival
    std::unordered_map<Digest, std::uint64_t, DigestHash> known_;  // leaf hash to number
    std::set<std::uint64_t> pending_;
    std::uint32_t branch_ = 0;
    std::uint64_t next_event_ = 0;  // above the number of every bond event so far
};

}  // namespace holdfast
