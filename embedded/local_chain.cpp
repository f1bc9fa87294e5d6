#include "embedded/local_chain.hpp"

#include <algorithm>
#include <unordered_set>

#include "core/codec.hpp"
#include "core/hash.hpp"
#include "core/merkle.hpp"
#include "embedded/bond_ledger.hpp"
#include "embedded/local_chain_impl.hpp"
#include "storage/begun.hpp"

namespace holdfast {
namespace {

// Milliseconds since 1970 at the end of the year 9999. What lies beyond is another unit, or leaves
// no room for the blocks to come.
constexpr std::uint64_t kMaxTimeMs = 253'402'300'799'999;
constexpr std::uint64_t kMaxNetworkFileBytes = 4096;

// First byte of a record's body.
constexpr std::uint8_t kSubmissionRecord = 1;  // object
constexpr std::uint8_t kBlocksRecord = 2;      // u64 first || u32 n || n blocks
constexpr std::uint8_t kBranchRecord = 3;      // u32 branch: of the chain that this one repeats

// How many reorganisations may lie between two blocks that are repeated: their number stands in a
// block's hash and nowhere else, so it is looked for, at a hash each.
constexpr std::uint32_t kMostReplacements = 65'536;

/// Bond events stand among the objects as what no object of the protocol is (spec 15.4).
constexpr Kind kBondEvent{0};

Bytes wrap_event(const BondEvent& event) { return wrap_object(kBondEvent, event.encode()); }

bool is_event(ByteView object) {
    return object.size() == 2 + kBondEventBytes && object[0] == kProtocolVersion && object[1] == 0;
}

bool is_carried(Kind kind) {
    return kind != Kind::kReplicaFile && kind != Kind::kTreeFile && kind != Kind::kNetwork;
}

Status check_time(std::uint64_t time_ms) {
    if (time_ms <= kMaxTimeMs) return {};
    return fail(ErrorCode::kInvalidArgument,
                "a block's time is in milliseconds since 1970, at most " +
                    std::to_string(kMaxTimeMs) + ", not " + std::to_string(time_ms));
}

tl::unexpected<Error> read_only() {
    return fail(ErrorCode::kPermission, "the chain is open for reading only");
}

Result<NetworkParams> read_network(const std::filesystem::path& folder) {
    const std::filesystem::path path = folder / LocalChain::kNetworkFile;
    const Result<Bytes> found = read_stored_file(path, kMaxNetworkFileBytes);
    if (!found && found.error().code == ErrorCode::kNotFound) {
        HOLDFAST_ASSIGN(begun, has_begun(folder / LocalChain::kLogFile));
        if (begun) {
            return fail(ErrorCode::kCorrupt,
                        path.string() + " is missing beside a chain; restore it");
        }
    }
    HOLDFAST_ASSIGN(bytes, found);
    const Checked<ByteView> body = unwrap_object(Kind::kNetwork, bytes);
    if (!body) return fail_refused(body.error(), path.string());
    Checked<NetworkParams> params = NetworkParams::decode(*body);
    if (!params) return fail_refused(params.error(), path.string());
    return std::move(*params);
}

}  // namespace

BlockHash LocalChain::Impl::hash_of(Height height, const Block& block) const {
    std::vector<Digest> leaves;
    leaves.reserve(block.listed.size());
    for (const std::uint64_t number : block.listed) leaves.push_back(submissions_[number].leaf);
    return BlockHash(tagged_hash("local-chain/block", network_id_, height, block.parent,
                                 block.time_ms, branch_, merkle_root(leaves)));
}

/// The number of replacements under which the next block comes to this hash; empty: none.
std::optional<std::uint32_t> LocalChain::Impl::branch_of_next(
    const BlockHash& hash, std::uint64_t time_ms, std::span<const Digest> leaves) const {
    const Digest listed = merkle_root(leaves);
    const std::uint64_t end = std::min<std::uint64_t>(std::uint64_t{branch_} + kMostReplacements,
                                                      std::uint64_t{UINT32_MAX});
    for (std::uint64_t branch = branch_; branch <= end; ++branch) {
        const BlockHash found(tagged_hash("local-chain/block", network_id_, tip() + 1,
                                          blocks_.back().hash, time_ms,
                                          static_cast<std::uint32_t>(branch), listed));
        if (found == hash) return static_cast<std::uint32_t>(branch);
    }
    return std::nullopt;
}

Status LocalChain::Impl::apply(std::uint64_t offset, ByteView body) {
    Reader r(body);
    const std::uint8_t type = r.u8();
    if (type == kGenesisRecord) return apply_genesis(r);
    if (blocks_.empty()) return damaged("it does not begin with a genesis block");
    if (type == kSubmissionRecord) return apply_submission(offset + 1, body.subspan(1));
    if (type == kBlocksRecord) return apply_blocks(r);
    if (type == kBranchRecord) return apply_branch(r);
    return damaged("a record of unknown type " + std::to_string(type));
}

Status LocalChain::Impl::apply_genesis(Reader& r) {
    const auto network = r.fixed<NetworkId>();
    Block genesis_block;
    genesis_block.time_ms = r.u64();
    if (!r.finish() || !blocks_.empty()) return damaged("a genesis block out of place");
    if (network != network_id_) {
        return fail_refused(Reason::kWrongNetwork, (folder_ / kLogFile).string());
    }
    genesis_block.hash = hash_of(genesis(), genesis_block);
    blocks_.push_back(std::move(genesis_block));
    return {};
}

Status LocalChain::Impl::apply_submission(std::uint64_t offset, ByteView object) {
    const Checked<Kind> kind = is_event(object) ? kBondEvent : peek_kind(object);
    if (!kind || !is_carried(*kind)) return damaged("a submission of no kind");
    const std::uint64_t number = submissions_.size();
    submissions_.push_back({*kind, offset, object.size(), leaf_hash(object)});
    if (*kind == kBondEvent) {
        const Checked<BondEvent> event = BondEvent::decode(object.subspan(2));
        if (!event) return damaged("a malformed bond event");
        next_event_ = std::max(next_event_, event->number + 1);
    }
    if (!known_.emplace(submissions_.back().leaf, number).second)
        return damaged("a submission twice");
    pending_.insert(number);
    return {};
}

Status LocalChain::Impl::apply_branch(Reader& r) {
    const std::uint32_t branch = r.u32();
    if (!r.finish() || branch <= branch_) return damaged("a branch out of place");
    branch_ = branch;
    return {};
}

void LocalChain::Impl::drop_from(Height first) {
    while (tip() >= first) {
        pending_.insert(blocks_.back().listed.begin(), blocks_.back().listed.end());
        blocks_.pop_back();
    }
}

Status LocalChain::Impl::apply_blocks(Reader& r) {
    const Height first = r.height();
    const std::uint32_t count = r.u32();
    const std::uint64_t dropped = tip().since(first) + (first <= tip() ? 1 : 0);
    if (r.failed() || count == 0 || count < dropped || first <= genesis() || first > tip() + 1 ||
        (dropped > 0 && is_final(first))) {
        return damaged("blocks out of place");
    }
    if (dropped > 0) {
        drop_from(first);
        ++branch_;
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        Block next;
        next.parent = blocks_.back().hash;
        next.time_ms = r.u64();
        const std::uint32_t listed = r.u32();
        if (r.failed() || next.time_ms < tip_time() || listed > r.remaining() / 8) {
            return damaged("a malformed block");
        }
        for (std::uint32_t j = 0; j < listed; ++j) {
            next.listed.push_back(r.u64());
            if (pending_.erase(next.listed.back()) != 1)
                return damaged("a block lists what is not pending");
        }
        next.hash = hash_of(tip() + 1, next);
        blocks_.push_back(std::move(next));
    }
    if (!r.finish()) return damaged("bytes behind a block");
    return {};
}

Status LocalChain::Impl::submit(std::span<const SubmissionView> objects) {
    std::unordered_set<Digest, DigestHash> fresh;
    std::vector<Bytes> records;
    for (const SubmissionView& o : objects) {
        if (o.object.size() > kMaxSubmissionBytes)
            return fail_refused(Reason::kTooLarge, "submission");
        const Checked<ByteView> body = unwrap_object(o.kind, o.object);
        if (!body) return fail_refused(body.error(), "submission");
        if (!is_carried(o.kind)) return fail_refused(Reason::kBadKind, "submission");
        const Digest leaf = leaf_hash(o.object);
        if (known_.contains(leaf) || !fresh.insert(leaf).second) continue;
        Writer w(o.object.size() + 1);
        w.u8(kSubmissionRecord).raw(o.object);
        records.push_back(w.take());
    }
    if (records.empty()) return {};
    return write_all(std::vector<ByteView>(records.begin(), records.end()));
}

Status LocalChain::Impl::list_bond_events(std::span<const BondEvent> events) {
    std::vector<Bytes> records;
    for (const BondEvent& event : events) {
        const Bytes object = wrap_event(event);
        if (known_.contains(leaf_hash(object))) continue;
        Writer w(object.size() + 1);
        w.u8(kSubmissionRecord).raw(object);
        records.push_back(w.take());
    }
    if (records.empty()) return {};
    return write_all(std::vector<ByteView>(records.begin(), records.end()));
}

/// The block's bond events, or everything else that it lists, or all; in its order.
Result<std::vector<Submission>> LocalChain::Impl::listed_at(Height height,
                                                            std::optional<bool> events) {
    HOLDFAST_TRY(info(height));
    std::vector<Submission> out;
    for (const std::uint64_t number : block(height)->listed) {
        const Stored& stored = submissions_[number];
        if (events && (stored.kind == kBondEvent) != *events) continue;
        HOLDFAST_ASSIGN(object, follower_->read(stored.offset, stored.size));
        if (leaf_hash(object) != stored.leaf) return damaged("a submission has changed");
        out.push_back({stored.kind, std::move(object)});
    }
    return out;
}

/// Nothing is written unless the block comes to its hash.
Result<BlockInfo> LocalChain::Impl::repeat(const BlockHash& hash, std::uint64_t time_ms,
                                           std::span<const Bytes> listed) {
    const std::string what = "block " + std::to_string(tip().value + 1);
    std::unordered_map<Digest, std::uint64_t, DigestHash> fresh;
    std::vector<Digest> leaves;
    std::vector<Bytes> records;
    Writer block(64);
    block.u8(kBlocksRecord).height(tip() + 1).u32(1).u64(time_ms);
    block.u32(static_cast<std::uint32_t>(listed.size()));
    for (const Bytes& object : listed) {
        const Checked<Kind> kind = is_event(object) ? kBondEvent : peek_kind(object);
        const bool form = kind && (*kind == kBondEvent
                                       ? BondEvent::decode(ByteView(object).subspan(2)).has_value()
                                       : is_carried(*kind));
        if (!form || object.size() > kMaxSubmissionBytes) {
            return fail_refused(Reason::kBadKind, what + " lists no such thing");
        }
        leaves.push_back(leaf_hash(object));
        const auto known = known_.find(leaves.back());
        const std::uint64_t number =
            known == known_.end() ? submissions_.size() + records.size() : known->second;
        const bool waits = known == known_.end() || pending_.contains(number);
        if (!waits || !fresh.emplace(leaves.back(), number).second) {
            return fail_refused(Reason::kAlreadySettled, what + " lists something a second time");
        }
        block.u64(number);
        if (known != known_.end()) continue;
        records.push_back(Writer(object.size() + 1).u8(kSubmissionRecord).raw(object).take());
    }
    HOLDFAST_TRY(check_time(time_ms));
    const auto branch = time_ms < tip_time() ? std::nullopt : branch_of_next(hash, time_ms, leaves);
    if (!branch) return fail_refused(Reason::kWrongBlock, what + " does not come to its hash");
    if (*branch > branch_) {
        records.push_back(Writer(5).u8(kBranchRecord).u32(*branch).take());
    }
    records.push_back(block.take());
    HOLDFAST_TRY(write_all(std::vector<ByteView>(records.begin(), records.end())));
    return info(tip());
}

Result<BlockInfo> LocalChain::Impl::append(Height first, std::span<const NewBlock> blocks) {
    std::set<std::uint64_t> available = pending_;
    for (Height h = first; h <= tip(); ++h) {
        available.insert(block(h)->listed.begin(), block(h)->listed.end());
    }
    std::uint64_t time_ms = block(first - 1)->time_ms;
    Writer w(64);
    w.u8(kBlocksRecord).height(first).u32(static_cast<std::uint32_t>(blocks.size()));
    for (const NewBlock& b : blocks) {
        if (b.time_ms < time_ms) {
            return fail(ErrorCode::kInvalidArgument, "a block's time lies before its parent's");
        }
        HOLDFAST_TRY(check_time(b.time_ms));
        time_ms = b.time_ms;
        const std::size_t listed =
            b.with_submissions ? std::min(available.size(), kMaxSubmissionsPerBlock) : 0;
        w.u64(time_ms).u32(static_cast<std::uint32_t>(listed));
        for (std::size_t i = 0; i < listed; ++i) {
            w.u64(*available.begin());
            available.erase(available.begin());
        }
    }
    if (w.bytes().size() > kMaxBodyBytes) {
        return fail(ErrorCode::kInvalidArgument, "too many blocks in one step");
    }
    HOLDFAST_TRY(write(w.bytes()));
    return info(tip());
}

LocalChain::LocalChain(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LocalChain::~LocalChain() = default;

Result<std::unique_ptr<LocalChain>> LocalChain::create(const std::filesystem::path& folder,
                                                       const NetworkParams& params,
                                                       std::uint64_t genesis_time_ms) {
    if (const Verdict v = params.validate(); !v) return fail_refused(v, "network parameters");
    if (params.genesis_height.value > UINT64_MAX / 2) {
        return fail(ErrorCode::kInvalidArgument, "no room for blocks above this genesis height");
    }
    HOLDFAST_TRY(check_time(genesis_time_ms));
    std::error_code error;
    std::filesystem::create_directory(folder, error);
    if (error) return fail_errno(error.value(), "cannot make folder " + folder.string());

    auto impl = std::make_unique<Impl>(folder, params);
    HOLDFAST_TRY(impl->require_no_chain());
    HOLDFAST_TRY(impl->start_writing());
    HOLDFAST_TRY(impl->require_no_chain());  // now that nobody else can be creating it
    HOLDFAST_TRY(write_file(folder / kNetworkFile, wrap_object(Kind::kNetwork, params.encode()),
                            /*replace=*/true));
    HOLDFAST_TRY(impl->append_genesis(genesis_time_ms));
    HOLDFAST_TRY(sync_folder(folder));
    return std::unique_ptr<LocalChain>(new LocalChain(std::move(impl)));
}

Result<std::unique_ptr<LocalChain>> LocalChain::open(const std::filesystem::path& folder, Mode mode,
                                                     const std::optional<NetworkId>& expected) {
    HOLDFAST_ASSIGN(params, read_network(folder));
    auto impl = std::make_unique<Impl>(folder, std::move(params));
    if (expected && *expected != impl->network_id()) {
        return fail_refused(Reason::kWrongNetwork, (folder / kNetworkFile).string());
    }
    // Read first: damage is reported before the log is opened for writing, which would cut it.
    HOLDFAST_TRY(impl->start_reading());
    if (mode == Mode::kReadWrite) {
        HOLDFAST_TRY(impl->start_writing());
        HOLDFAST_TRY(impl->refresh());
    }
    return std::unique_ptr<LocalChain>(new LocalChain(std::move(impl)));
}

const NetworkParams& LocalChain::params() const { return impl_->params(); }
const NetworkId& LocalChain::network_id() const { return impl_->network_id(); }
std::uint64_t LocalChain::cut_bytes() const { return impl_->cut_bytes(); }

Result<Height> LocalChain::current_height() {
    const std::lock_guard lock(impl_->mutex);
    HOLDFAST_TRY(impl_->refresh());
    return impl_->tip();
}

Result<BlockInfo> LocalChain::block_by_height(Height height) {
    const std::lock_guard lock(impl_->mutex);
    HOLDFAST_TRY(impl_->refresh());
    return impl_->info(height);
}

Status LocalChain::submit(Kind kind, ByteView object) {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->writable()) return read_only();
    HOLDFAST_TRY(impl_->refresh());
    const Impl::SubmissionView one{kind, object};
    return impl_->submit({&one, 1});
}

Status LocalChain::submit_all(std::span<const Submission> objects) {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->writable()) return read_only();
    HOLDFAST_TRY(impl_->refresh());
    std::vector<Impl::SubmissionView> views;
    for (const Submission& s : objects) views.push_back({s.kind, s.object});
    return impl_->submit(views);
}

Result<std::vector<Submission>> LocalChain::submissions_at(Height height) {
    const std::lock_guard lock(impl_->mutex);
    HOLDFAST_TRY(impl_->refresh());
    return impl_->listed_at(height, false);
}

Status LocalChain::list_bond_events(std::span<const BondEvent> events) {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->writable()) return read_only();
    HOLDFAST_TRY(impl_->refresh());
    return impl_->list_bond_events(events);
}

Result<std::vector<BondEvent>> LocalChain::bond_events_at(Height height) {
    const std::lock_guard lock(impl_->mutex);
    HOLDFAST_TRY(impl_->refresh());
    HOLDFAST_ASSIGN(listed, impl_->listed_at(height, true));
    std::vector<BondEvent> out;
    for (const Submission& s : listed) {
        const Checked<BondEvent> event = BondEvent::decode(ByteView(s.object).subspan(2));
        if (!event) return fail_refused(event.error(), "a bond event");
        out.push_back(*event);
    }
    return out;
}

Result<std::uint64_t> LocalChain::next_bond_event() {
    const std::lock_guard lock(impl_->mutex);
    HOLDFAST_TRY(impl_->refresh());
    return impl_->next_event();
}

Status list_bond_events(LocalChain& chain, BondLedger& ledger) {
    constexpr std::size_t kAtOnce = 1'024;
    for (;;) {
        HOLDFAST_ASSIGN(next, chain.next_bond_event());
        HOLDFAST_ASSIGN(events, ledger.events(next, kAtOnce));
        if (events.empty()) return {};
        HOLDFAST_TRY(chain.list_bond_events(events));
    }
}

Result<std::uint64_t> LocalChain::pending_count() {
    const std::lock_guard lock(impl_->mutex);
    HOLDFAST_TRY(impl_->refresh());
    return impl_->pending();
}

Result<BlockInfo> LocalChain::append_block(std::optional<std::uint64_t> time_ms) {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->writable()) return read_only();
    HOLDFAST_TRY(impl_->refresh());
    const std::uint64_t parent_ms = impl_->tip_time();
    const NewBlock next{time_ms.value_or(parent_ms + impl_->params().block_ms), true};
    return impl_->append(impl_->tip() + 1, {&next, 1});
}

Result<std::vector<Bytes>> LocalChain::listed_at(Height height) {
    const std::lock_guard lock(impl_->mutex);
    HOLDFAST_TRY(impl_->refresh());
    HOLDFAST_ASSIGN(listed, impl_->listed_at(height, std::nullopt));
    std::vector<Bytes> out;
    for (Submission& s : listed) out.push_back(std::move(s.object));
    return out;
}

Result<BlockInfo> LocalChain::repeat_block(const BlockHash& hash, std::uint64_t time_ms,
                                           std::span<const Bytes> listed) {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->writable()) return read_only();
    HOLDFAST_TRY(impl_->refresh());
    return impl_->repeat(hash, time_ms, listed);
}

Result<BlockInfo> LocalChain::replace_branch(Height first, std::span<const NewBlock> blocks) {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->writable()) return read_only();
    HOLDFAST_TRY(impl_->refresh());
    if (first <= impl_->genesis() || first > impl_->tip()) {
        return fail(ErrorCode::kInvalidArgument, "no block to replace at this height");
    }
    if (impl_->is_final(first)) {
        return fail(ErrorCode::kInvalidArgument, "a final block is never replaced");
    }
    if (blocks.size() <= impl_->tip().since(first)) {
        return fail(ErrorCode::kInvalidArgument, "the new branch is shorter than the old one");
    }
    return impl_->append(first, blocks);
}

}  // namespace holdfast
