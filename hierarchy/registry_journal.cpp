// The journal's entries and the hashes of its tree.
//
// Of the tree every complete part has its node on disk, written once: an append costs about two
// hashes, a root or a proof a logarithm. Bytes of entries go when they are old enough, hashes
// never: whatever a node keeps, its roots and proofs are the same (spec 15.10).
#include <array>
#include <bit>

#include "core/merkle.hpp"
#include "hierarchy/registry_impl.hpp"
#include "proofs/journal.hpp"

namespace holdfast {
namespace {

Key size_key() { return Key().raw(view(std::string_view("journal"))); }
Key kept_key() { return Key().raw(view(std::string_view("journal kept"))); }
Key origin_key() { return Key().raw(view(std::string_view("origin"))); }
Key entry_key(std::uint64_t number) { return Key().u64(number); }
Key node_key(unsigned level, std::uint64_t index) {
    return Key().u8(static_cast<std::uint8_t>(level)).u64(index);
}

/// Heights whose bytes go with one block entry, at most: twice what one brings, so that a registry
/// that kept more before catches up.
constexpr int kForgottenAtOnce = 2;

Result<Digest> read_node(const Transaction& txn, unsigned level, std::uint64_t index) {
    HOLDFAST_ASSIGN(stored, txn.get(Table::kJournalNodes, node_key(level, index).bytes()));
    if (!stored) {
        HOLDFAST_ASSIGN(origin, load_origin(txn));
        if (index << level >= origin.entries) {
            return corrupt_registry("a node of the journal's tree is missing");
        }
        return fail(ErrorCode::kNotFound,
                    "hashes of journal entries before " + std::to_string(origin.entries) +
                        " are not here: this registry began with the state of height " +
                        std::to_string(origin.head.value));
    }
    Reader r(*stored);
    const auto node = r.fixed<Digest>();
    if (!r.finish()) return corrupt_registry("a node of the journal's tree does not decode");
    return node;
}

/// Bundles and proofs of links, which make up nearly all of a journal, are kept for less long.
Table table_of(ByteView entry) {
    constexpr std::uint8_t kObjectForm = 3;
    if (entry.empty() || entry[0] != kObjectForm) return Table::kJournal;
    const Checked<Kind> kind = peek_kind(entry.subspan(1));
    if (!kind) return Table::kJournal;
    switch (*kind) {
        case Kind::kBundle:
        case Kind::kCompact:
        case Kind::kFull:
        case Kind::kShortCompact:
        case Kind::kShortFull:
            return Table::kJournalProofs;
        default:
            return Table::kJournal;
    }
}

Result<std::optional<ByteView>> stored_entry(const Transaction& txn, std::uint64_t number) {
    for (const Table table : {Table::kJournalProofs, Table::kJournal}) {
        HOLDFAST_ASSIGN(stored, txn.get(table, entry_key(number).bytes()));
        if (stored) return stored;
    }
    return std::optional<ByteView>();
}

/// Number of the block entry of a height; the journal's size above the tip.
Result<std::uint64_t> first_of(const Transaction& txn, Height height) {
    HOLDFAST_ASSIGN(stored, txn.get(Table::kJournalHeights, height_key(height).bytes()));
    if (!stored) return next_entry(txn);
    Reader r(*stored);
    const std::uint64_t number = r.u64();
    if (!r.finish()) return corrupt_registry("the place of a block entry does not decode");
    return number;
}

Result<KeptEntries> load_kept(const Registry::Impl& impl, const Transaction& txn) {
    HOLDFAST_ASSIGN(kept, load<KeptEntries>(txn, Table::kMeta, kept_key()));
    const Height genesis = impl.params.genesis_height;
    return kept.value_or(KeptEntries{genesis, genesis});
}

/// Moves `from` on towards `until`, erasing the entries of the heights between in one table.
Status forget_heights(Transaction& txn, Table table, Height& from, Height until) {
    for (int n = 0; n < kForgottenAtOnce && from < until; ++n, ++from) {
        HOLDFAST_ASSIGN(first, first_of(txn, from));
        HOLDFAST_ASSIGN(end, first_of(txn, from + 1));
        HOLDFAST_TRY(txn.erase_range(table, entry_key(first).bytes(), entry_key(end).bytes()));
    }
    return {};
}

tl::unexpected<Error> not_kept(std::uint64_t entry, const JournalSize& size) {
    return fail(ErrorCode::kNotFound,
                "the bytes of journal entry " + std::to_string(entry) +
                    " are not kept here; all from entry " + std::to_string(size.first_kept) +
                    " on are. Begin with the state of a checkpoint height (registry import), or "
                    "ask somebody who keeps the whole journal");
}

/// The tree over the first entries, of which only complete parts are stored.
class StoredTree final : public NodeSource {
  public:
    StoredTree(const Transaction& txn, std::uint64_t leaves) : txn_(txn), leaves_(leaves) {}
    [[nodiscard]] std::uint64_t leaves() const override { return leaves_; }
    [[nodiscard]] Result<Digest> node(unsigned level, std::uint64_t index) const override {
        const std::uint64_t first = index << level;
        const std::uint64_t count = std::min(std::uint64_t{1} << level, leaves_ - first);
        return of_range(first, count);
    }
    [[nodiscard]] Result<Digest> root() const {
        return leaves_ == 0 ? Result<Digest>(empty_tree_root()) : of_range(0, leaves_);
    }

  private:
    /// `first` is a multiple of the least power of two that is not below `count`.
    [[nodiscard]] Result<Digest> of_range(std::uint64_t first, std::uint64_t count) const {
        if (std::has_single_bit(count)) {
            const auto level = static_cast<unsigned>(std::countr_zero(count));
            return read_node(txn_, level, first >> level);
        }
        const std::uint64_t left = std::bit_floor(count);
        HOLDFAST_ASSIGN(a, of_range(first, left));
        HOLDFAST_ASSIGN(b, of_range(first + left, count - left));
        return node_hash(a, b);
    }

    const Transaction& txn_;
    std::uint64_t leaves_;
};

tl::unexpected<Error> beyond(std::uint64_t entry) {
    return fail(ErrorCode::kNotFound,
                "the journal has no entry " + std::to_string(entry) + " under that size");
}

}  // namespace

Result<std::uint64_t> next_entry(const Transaction& txn) {
    HOLDFAST_ASSIGN(stored, txn.get(Table::kMeta, size_key().bytes()));
    if (!stored) return std::uint64_t{0};
    Reader r(*stored);
    const std::uint64_t size = r.u64();
    if (!r.finish()) return corrupt_registry("the journal's size does not decode");
    return size;
}

Status append_entries(Transaction& txn, std::span<const Bytes> entries,
                      std::span<const Digest> hashes) {
    HOLDFAST_ASSIGN(number, next_entry(txn));
    // Of each level the last node with an even index, where it was written here: its neighbour's
    // other half.
    std::array<std::optional<Digest>, 64> left;
    for (std::size_t i = 0; i < entries.size(); ++i, ++number) {
        HOLDFAST_TRY(txn.put(table_of(entries[i]), entry_key(number).bytes(), entries[i]));
        Digest node = hashes[i];
        std::uint64_t index = number;
        for (unsigned level = 0;; ++level) {
            HOLDFAST_TRY(txn.put(Table::kJournalNodes, node_key(level, index).bytes(), view(node)));
            if ((index & 1) == 0) {
                left[level] = node;
                break;
            }
            if (!left[level]) {
                HOLDFAST_ASSIGN(stored, read_node(txn, level, index - 1));
                left[level] = stored;
            }
            node = node_hash(*left[level], node);
            index >>= 1;
        }
    }
    return txn.put(Table::kMeta, size_key().bytes(), Writer(8).u64(number).bytes());
}

Status append_entry(Transaction& txn, const Bytes& entry) {
    const Digest hash = entry_hash(entry);
    return append_entries(txn, {&entry, 1}, {&hash, 1});
}

Status append_block(Transaction& txn, const BlockEntry& entry) {
    HOLDFAST_ASSIGN(number, next_entry(txn));
    HOLDFAST_TRY(txn.put(Table::kJournalHeights, height_key(entry.height).bytes(),
                         Writer(8).u64(number).bytes()));
    return append_entry(txn, encode_entry(entry));
}

/// Spec 15.10, kept. Proofs stay long enough that the journal goes on behind the two newest states
/// of checkpoint heights.
Status forget_entries(const Registry::Impl& impl, Transaction& txn, Height tip) {
    const NetworkParams& p = impl.params;
    const std::uint64_t wanted = impl.options.journal_heights;
    if (wanted == UINT64_MAX) return {};
    const std::uint64_t all = std::max(wanted, 2 * std::uint64_t{p.liability_blocks});
    const std::uint64_t proofs =
        std::max({wanted, std::uint64_t{p.rate_window},
                  2 * std::uint64_t{p.checkpoint_blocks} + p.closing_blocks()});
    HOLDFAST_ASSIGN(before, load_kept(impl, txn));
    KeptEntries kept = before;
    HOLDFAST_TRY(forget_heights(txn, Table::kJournal, kept.all, tip - all));
    HOLDFAST_TRY(forget_heights(txn, Table::kJournalProofs, kept.proofs, tip - proofs));
    const bool moved = kept.all != before.all || kept.proofs != before.proofs;
    return moved ? save(txn, Table::kMeta, kept_key(), kept) : Status{};
}

Result<JournalSize> journal_size(const Registry::Impl& impl, const Transaction& txn) {
    HOLDFAST_ASSIGN(size, next_entry(txn));
    HOLDFAST_ASSIGN(root, StoredTree(txn, size).root());
    HOLDFAST_ASSIGN(kept, load_kept(impl, txn));
    HOLDFAST_ASSIGN(first, first_of(txn, std::max(kept.all, kept.proofs)));
    const std::uint64_t origin = impl.origin.entries;
    return JournalSize{size, root, std::max(first, origin), origin};
}

// --- where it began ------------------------------------------------------------------------------

Status save_origin(Transaction& txn, const Origin& origin) {
    return save(txn, Table::kMeta, origin_key(), origin);
}

Result<Origin> load_origin(const Transaction& txn) {
    HOLDFAST_ASSIGN(origin, load<Origin>(txn, Table::kMeta, origin_key()));
    return origin.value_or(Origin{});
}

Result<std::vector<Digest>> journal_frontier(const Transaction& txn, std::uint64_t size) {
    std::vector<Digest> out;
    std::uint64_t first = 0;
    while (first < size) {
        const std::uint64_t part = std::bit_floor(size - first);
        const auto level = static_cast<unsigned>(std::countr_zero(part));
        HOLDFAST_ASSIGN(node, read_node(txn, level, first >> level));
        out.push_back(node);
        first += part;
    }
    return out;
}

Status begin_journal(Transaction& txn, std::uint64_t size, std::span<const Digest> frontier,
                     Height tip) {
    std::uint64_t first = 0;
    for (const Digest& node : frontier) {
        const std::uint64_t part = std::bit_floor(size - first);
        const auto level = static_cast<unsigned>(std::countr_zero(part));
        HOLDFAST_TRY(
            txn.put(Table::kJournalNodes, node_key(level, first >> level).bytes(), view(node)));
        first += part;
    }
    HOLDFAST_TRY(
        txn.put(Table::kJournalHeights, height_key(tip).bytes(), Writer(8).u64(size - 1).bytes()));
    HOLDFAST_TRY(save(txn, Table::kMeta, kept_key(), KeptEntries{tip, tip}));
    return txn.put(Table::kMeta, size_key().bytes(), Writer(8).u64(size).bytes());
}

// --- queries -------------------------------------------------------------------------------------

Result<JournalSize> Registry::journal() const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    return journal_size(*impl_, txn);
}

Result<std::vector<Bytes>> Registry::entries(std::uint64_t first, std::size_t most,
                                             std::uint64_t most_bytes) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(size, next_entry(txn));
    std::vector<Bytes> out;
    std::uint64_t bytes = 0;
    for (std::uint64_t n = first; n < size && out.size() < most; ++n) {
        HOLDFAST_ASSIGN(stored, stored_entry(txn, n));
        if (!stored) {
            HOLDFAST_ASSIGN(now, journal_size(*impl_, txn));
            if (n >= now.first_kept) return corrupt_registry("a journal entry is missing");
            return not_kept(n, now);
        }
        bytes += stored->size();
        if (bytes > most_bytes && !out.empty()) break;
        out.emplace_back(stored->begin(), stored->end());
    }
    return out;
}

Result<std::vector<Digest>> Registry::entry_digests(std::uint64_t first, std::size_t most) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(all, next_entry(txn));
    if (first > all) return beyond(first);
    std::vector<Digest> out;
    for (std::uint64_t n = first; n < all && out.size() < most; ++n) {
        HOLDFAST_ASSIGN(digest, read_node(txn, 0, n));
        out.push_back(digest);
    }
    return out;
}

Result<Digest> Registry::entry_digest(std::uint64_t entry) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(all, next_entry(txn));
    if (entry >= all) return beyond(entry);
    return read_node(txn, 0, entry);
}

Result<std::vector<Digest>> Registry::inclusion(std::uint64_t entry, std::uint64_t size) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(all, next_entry(txn));
    if (entry >= size || size > all) return beyond(entry);
    const std::uint64_t indices[] = {entry};
    return make_multiproof(StoredTree(txn, size), indices);
}

Result<std::vector<Digest>> Registry::consistency(std::uint64_t older, std::uint64_t size) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(all, next_entry(txn));
    if (older > size || size > all) return beyond(size);
    return make_consistency(StoredTree(txn, size), older);
}

Result<std::vector<Decision>> Registry::decisions(std::uint64_t first, std::size_t most) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    if (first < impl_->origin.decisions) {
        return fail(ErrorCode::kNotFound,
                    "decisions before number " + std::to_string(impl_->origin.decisions) +
                        " are not here: this registry began with the state of height " +
                        std::to_string(impl_->origin.head.value));
    }
    std::vector<Decision> out;
    for (std::uint64_t n = first; n < machine.decisions && out.size() < most; ++n) {
        HOLDFAST_ASSIGN(stored, txn.get(Table::kDecisions, Key().u64(n).bytes()));
        if (!stored) return corrupt_registry("a decision is missing");
        const Checked<Decision> decision = Decision::decode(*stored);
        if (!decision) return corrupt_registry("a decision does not decode");
        out.push_back(*decision);
    }
    return out;
}

std::uint64_t Registry::first_decision() const { return impl_->origin.decisions; }

Result<Bytes> Registry::head_of(Height height) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(stored, txn.get(Table::kHeads, height_key(height).bytes()));
    if (!stored) {
        const bool before = height < impl_->origin.head;
        return fail(
            ErrorCode::kNotFound,
            "height " + std::to_string(height.value) +
                (before ? " has no head here: this registry began with the state of height " +
                              std::to_string(impl_->origin.head.value)
                        : " has no head: it has not closed"));
    }
    return Bytes(stored->begin(), stored->end());
}

}  // namespace holdfast
