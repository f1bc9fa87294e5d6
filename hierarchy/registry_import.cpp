// A registry out of a state file: every record decoded and held against the form that this build
// writes, then the whole against the head.
#include <algorithm>

#include "core/hash.hpp"
#include "hierarchy/registry_state_impl.hpp"
#include "storage/temporary_folder.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxKeyBytes = 64;
constexpr std::size_t kMaxValueBytes = std::size_t{8} << 20;  // of any record of any network
constexpr std::uint64_t kRecordsAsked = 1'024;                // between questions whether to stop
constexpr std::uint64_t kRecordsAtOnce = 65'536;              // of one write transaction

/// The bytes of the export, in order and hashed, with a bounded buffer.
class ExportReader {
  public:
    ExportReader(File file, std::uint64_t at, std::uint64_t end)
        : file_(std::move(file)), at_(at), end_(end) {}

    [[nodiscard]] std::uint64_t left() const { return end_ - at_ + buffer_.size() - used_; }
    [[nodiscard]] std::uint64_t end() const { return end_; }
    /// The next `n` bytes, valid until the next call; fewer at the end.
    Result<ByteView> take(std::size_t n) {
        if (buffer_.size() - used_ < n) HOLDFAST_TRY(fill(n));
        const ByteView out = ByteView(buffer_).subspan(used_, std::min(n, buffer_.size() - used_));
        used_ += out.size();
        hash_.update(out);
        return out;
    }
    Digest finish() { return hash_.finish(); }

  private:
    static constexpr std::size_t kAheadBytes = std::size_t{1} << 20;

    Status fill(std::size_t n) {
        buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(used_));
        used_ = 0;
        const std::size_t had = buffer_.size();
        const std::uint64_t more =
            std::min<std::uint64_t>(end_ - at_, std::max(n - had, kAheadBytes));
        buffer_.resize(had + static_cast<std::size_t>(more));
        HOLDFAST_TRY(file_.read_at(at_, std::span(buffer_).subspan(had)));
        at_ += more;
        return {};
    }

    File file_;
    std::uint64_t at_;
    std::uint64_t end_;
    Bytes buffer_;
    std::size_t used_ = 0;
    Sha256 hash_;
};

struct StateRecord {
    std::uint8_t table = 0;
    Bytes key;
    Bytes value;
};

Result<Checked<std::optional<StateRecord>>> next_record(ExportReader& in) {
    using Next = Checked<std::optional<StateRecord>>;
    const Next truncated = refuse(Reason::kTruncated);
    HOLDFAST_ASSIGN(table, in.take(1));
    if (table.empty()) return Next(std::nullopt);
    StateRecord out;
    out.table = table[0];
    for (Bytes* const part : {&out.key, &out.value}) {
        HOLDFAST_ASSIGN(length, in.take(4));
        if (length.size() < 4) return truncated;
        const std::uint32_t size = load_le32(length.data());
        if (size > (part == &out.key ? kMaxKeyBytes : kMaxValueBytes)) {
            return Next(refuse(Reason::kTooLarge));
        }
        if (size > in.left()) return truncated;
        HOLDFAST_ASSIGN(bytes, in.take(size));
        part->assign(bytes.begin(), bytes.end());
    }
    return Next(std::move(out));
}

/// Fills an empty registry.
class Importer {
  public:
    Importer(Registry::Impl& impl, const StateFileHead& from, ExportReader& in,
             const StateImport& how)
        : impl_(impl), from_(from), in_(in), how_(how), tree_(impl.shape()) {}

    Status run() {
        HOLDFAST_TRY(begin_transaction());
        HOLDFAST_TRY(take_prefix());
        HOLDFAST_TRY(take_records());
        HOLDFAST_TRY(finish_trees());
        if (in_.finish() != from_.head.state) {
            return fail_refused(Reason::kBadSum, "the state is not the one that the head names");
        }
        HOLDFAST_TRY(check_machine());
        HOLDFAST_TRY(save_origin(*txn_, {from_.head.size, machine_.decisions, from_.head.height,
                                         oldest_exported(impl_.params, from_.head.height)}));
        HOLDFAST_TRY(begin_journal(*txn_, from_.head.size, from_.parts, Height(machine_.tip)));
        const Bytes head = from_.head.encode();
        HOLDFAST_TRY(txn_->put(Table::kHeads, height_key(from_.head.height).bytes(),
                               ByteView(head).first(kHeadSignedBytes)));
        return txn_->commit();
    }

  private:
    tl::unexpected<Error> refused(const Verdict& verdict) const {
        return fail_refused(verdict, "record " + std::to_string(records_) + " of the state");
    }
    Status begin_transaction() {
        HOLDFAST_ASSIGN(txn, impl_.store->write());
        txn_.emplace(std::move(txn));
        return {};
    }
    Status take_prefix() {
        HOLDFAST_ASSIGN(prefix, in_.take(1 + kDigestBytes));
        Reader r(prefix);
        const std::uint8_t form = r.u8();
        const auto network = r.fixed<NetworkId>();
        if (r.failed()) return fail_refused(r.verdict(), "the state");
        if (form != kExportForm) return fail_refused(Reason::kBadVersion, "the state");
        if (network != impl_.network_id) return fail_refused(Reason::kWrongNetwork, "the state");
        return {};
    }
    Status take_records() {
        for (;; ++records_) {
            const bool asks = records_ % kRecordsAsked == 0 && how_.stop;
            if (asks && how_.stop()) return fail(ErrorCode::kInterrupted, "the import");
            HOLDFAST_ASSIGN(next, next_record(in_));
            if (!next) return refused(next.error());
            if (!*next) return {};
            const StateRecord& record = **next;
            if (records_ > 0 &&
                std::tie(last_.table, last_.key) >= std::tie(record.table, record.key)) {
                return refused(Reason::kEvidenceOrder);
            }
            HOLDFAST_TRY(take(record));
            last_ = std::move(**next);
            if (records_ % kRecordsAtOnce == kRecordsAtOnce - 1) HOLDFAST_TRY(between());
        }
    }
    Status between() {
        if (how_.progress) how_.progress(in_.end() - in_.left(), in_.end());
        HOLDFAST_TRY(txn_->commit());
        return begin_transaction();
    }
    Status take(const StateRecord& record) {
        if (record.table == kMachineNumber) return take_machine(record);
        if (record.table == kLeavesNumber) return take_leaf(record);
        const auto tables = state_tables();
        const auto found = std::find_if(tables.begin(), tables.end(), [&](const StateTable& t) {
            return t.number == record.table;
        });
        if (found == tables.end()) return refused(Reason::kBadField);
        if (record.key.size() != found->key_bytes ||
            !found->holds(impl_.network_id, record.key, record.value)) {
            return refused(Reason::kBadField);
        }
        if (found->table == Table::kChains) HOLDFAST_TRY(take_owner(record));
        return txn_->put(found->table, record.key, record.value);
    }
    /// The export does not say twice whose a chain is.
    Status take_owner(const StateRecord& record) {
        HOLDFAST_ASSIGN(chain, ChainRecord::decode(record.value));
        return save_owner(*txn_, chain.registration.header.prover,
                          KeyReader(record.key).fixed<ChainId>());
    }
    Status take_machine(const StateRecord& record) {
        const Result<MachineState> machine = MachineState::decode(record.value);
        if (!record.key.empty() || !machine) return refused(Reason::kBadField);
        machine_ = *machine;
        return save_machine(*txn_, machine_);
    }

    // --- trees: the leaves of a height ascend by slot, and every height has its own tree ---------

    Status take_leaf(const StateRecord& record) {
        if (record.key.size() != kLeavesKeyBytes) return refused(Reason::kBadField);
        KeyReader key(record.key);
        const Height height = key.height();
        const std::uint64_t slot = key.u64();
        const Checked<ChainLeaf> leaf = ChainLeaf::decode(record.value);
        if (!leaf) return refused(leaf.error());
        // No slot lies above all registrations that there ever were.
        if (slot >= machine_.registrations || height > from_.head.height ||
            height < oldest_exported(impl_.params, from_.head.height)) {
            return refused(Reason::kBadIndex);
        }
        HOLDFAST_TRY(trees_up_to(height));
        tree_.set(slot, *leaf);
        return {};
    }
    Status finish_trees() {
        HOLDFAST_TRY(trees_up_to(from_.head.height));
        return store_tree();
    }
    /// Those of lower heights are complete.
    Status trees_up_to(Height height) {
        if (!tree_height_) {
            tree_height_ = oldest_exported(impl_.params, from_.head.height);
        }
        while (*tree_height_ < height) {
            HOLDFAST_TRY(store_tree());
            ++*tree_height_;
            before_ = std::exchange(tree_, HierarchyTree(impl_.shape()));
        }
        return {};
    }
    /// As closing the height stored it, but that every group stands with every height.
    Status store_tree() {
        const Height height = *tree_height_;
        (void)tree_.rehash(how_.threads);
        HOLDFAST_ASSIGN(block, load<StoredBlock>(*txn_, Table::kBlocks, height_key(height)));
        if (!block || !block->info.closed) return refused(Reason::kWrongBlock);
        HOLDFAST_ASSIGN(previous, impl_.global_before(*txn_, height));
        const GlobalHeader header{
            height, block->info.hash, block->info.y.value_or(VdfOutput{}), previous, 0, 0};
        if (tree_.global(impl_.network_id, header) != block->info.global) {
            return fail_refused(Reason::kGlobalMismatch,
                                "the leaves of height " + std::to_string(height.value));
        }
        const std::vector<RegionSummary> regions = summaries(tree_);
        HOLDFAST_TRY(
            txn_->put(Table::kRegions, height_key(height).bytes(), encode_regions(regions)));
        const std::uint32_t most = std::max(before_ ? before_->regions() : 0, tree_.regions());
        for (std::uint32_t r = 0; r < most; ++r) HOLDFAST_TRY(store_groups(height, r));
        return {};
    }
    /// Also, empty, those that end with this height.
    Status store_groups(Height height, std::uint32_t region) {
        const auto groups = [region](const HierarchyTree& tree) {
            return region < tree.regions() ? tree.region(region).groups : 0;
        };
        const std::uint32_t here = groups(tree_);
        const std::uint32_t most = std::max(here, before_ ? groups(*before_) : 0);
        for (std::uint32_t g = 0; g < most; ++g) {
            const HierarchyTree::GroupPlace place{region, g};
            GroupRecord record;
            if (g < here) {
                const HierarchyTree::GroupView group = tree_.group(place);
                record = {group.active, group.leaves};
            }
            HOLDFAST_TRY(save(*txn_, Table::kLeaves, group_height_key(place, height), record));
        }
        return {};
    }

    /// That the state is the one behind the block entry that closed the head's height.
    Status check_machine() const {
        const JournalHead& head = from_.head;
        const bool stands = machine_.closed == head.height.value &&
                            machine_.tip == (head.height + impl_.params.closing_blocks()).value;
        if (!stands) return fail_refused(Reason::kWrongHeight, "the state");
        for (Height h = impl_.params.genesis_height; h.value <= machine_.tip; ++h) {
            HOLDFAST_ASSIGN(found, txn_->contains(Table::kBlocks, height_key(h).bytes()));
            if (!found) {
                return fail_refused(Reason::kWrongBlock,
                                    "the state lacks block " + std::to_string(h.value));
            }
        }
        HOLDFAST_ASSIGN(block, load<StoredBlock>(*txn_, Table::kBlocks, height_key(head.height)));
        if (!block || block->info.hash != head.block_hash) {
            return fail_refused(Reason::kWrongBlock, "the state");
        }
        if (block->info.global != head.global) {
            return fail_refused(Reason::kGlobalMismatch, "the state");
        }
        return {};
    }

    Registry::Impl& impl_;
    const StateFileHead& from_;
    ExportReader& in_;
    const StateImport& how_;
    std::optional<Transaction> txn_;
    MachineState machine_;
    StateRecord last_;
    std::uint64_t records_ = 0;
    HierarchyTree tree_;
    std::optional<HierarchyTree> before_;
    std::optional<Height> tree_height_;
};

/// What the file says of itself, against the head that it must belong to.
Status check_state_head(const NetworkParams& params, StateFileHead& file, const StateImport& how) {
    const std::optional<JournalHead>& wanted = how.head;
    const NetworkId network_id = params.id();
    if (file.network_id != network_id) return fail_refused(Reason::kWrongNetwork, "the state");
    if (wanted) {
        JournalHead same = file.head;
        same.signature = wanted->signature;
        if (same != *wanted) {
            return fail_refused(Reason::kWrongBlock, "the state is of another head");
        }
        file.head = *wanted;
    }
    const std::string what = "the head of height " + std::to_string(file.head.height.value);
    const bool own = wanted && how.own_head;
    if (!own && !params.has_operator()) {
        return fail_refused(Reason::kNotOperator,
                            "no operator signs heads of this network, so that nobody vouches for a "
                            "state: replay its blocks");
    }
    if (!own && file.head.signature.is_zero()) {
        return fail_refused(Reason::kBadSignature,
                            what + " is not signed; give the operator's head of this height");
    }
    if (const Verdict v = check_head(params, network_id, file.head); !own && !v) {
        return fail_refused(v, what);
    }
    if (file.head.state.is_zero()) return fail_refused(Reason::kNotCheckpointHeight, what);
    return {};
}

/// Everything that a registry's folder holds, checked as one is when it is opened.
Result<RegistryStatistics> fill_folder(const fs::path& folder, const NetworkParams& params,
                                       const StateFileHead& from, ExportReader& in,
                                       const StateImport& how) {
    RegistryOptions options;
    options.map_bytes = how.map_bytes;
    options.threads = how.threads;
    {
        Registry::Impl impl;
        impl.params = params;
        impl.network_id = params.id();
        impl.options = options;
        HOLDFAST_TRY(impl.prepare(folder));
        HOLDFAST_TRY(Importer(impl, from, in, how).run());
    }
    RegistryStatistics found;
    {
        HOLDFAST_ASSIGN(registry, Registry::open(folder, params, options));
        HOLDFAST_ASSIGN(state, registry->export_state());
        if (state != from.head.state) {
            return fail_refused(Reason::kBadSum, "what was taken is not the state");
        }
        HOLDFAST_ASSIGN(statistics, registry->statistics());
        found = statistics;
    }
    for (const std::string_view lock : {kRegistryLockFile, kStoreLockFile}) {
        std::error_code failed;
        fs::remove(folder / lock, failed);
        if (failed) return fail_errno(failed.value(), "cannot remove a lock file");
    }
    return found;
}

}  // namespace

Result<RegistryStatistics> import_state(const fs::path& file, const fs::path& wanted,
                                        const NetworkParams& params, const StateImport& how) {
    const fs::path to = named_path(wanted);
    std::error_code failed;
    if (fs::exists(fs::symlink_status(to, failed))) {
        return fail(ErrorCode::kAlreadyExists, to.string() + " exists already");
    }
    HOLDFAST_ASSIGN(from, read_state_head(file));
    HOLDFAST_TRY(check_state_head(params, from, how));
    HOLDFAST_ASSIGN(opened, File::open(file, File::Mode::kRead));
    HOLDFAST_ASSIGN(size, opened.size());
    ExportReader in(std::move(opened), from.export_at, size);
    HOLDFAST_ASSIGN(temporary, TemporaryFolder::make(parent_of(to), to.filename().string()));
    HOLDFAST_ASSIGN(found, fill_folder(temporary.path(), params, from, in, how));
    HOLDFAST_TRY(keep_state_file(file, temporary.path(), from.head.height));
    HOLDFAST_TRY(temporary.publish(to));
    return found;
}

}  // namespace holdfast
