// The journal's entries and the hashes of its tree.
//
// Of the tree every complete part has its node on disk, written once: an append costs about two
// hashes, a root or a proof a logarithm.
#include <bit>

#include "core/merkle.hpp"
#include "hierarchy/registry_impl.hpp"
#include "proofs/journal.hpp"

namespace holdfast {
namespace {

Key size_key() { return Key().raw(view(std::string_view("journal"))); }
Key entry_key(std::uint64_t number) { return Key().u64(number); }
Key node_key(unsigned level, std::uint64_t index) {
    return Key().u8(static_cast<std::uint8_t>(level)).u64(index);
}

Result<Digest> read_node(const Transaction& txn, unsigned level, std::uint64_t index) {
    HOLDFAST_ASSIGN(stored, txn.get(Table::kJournalNodes, node_key(level, index).bytes()));
    if (!stored) return corrupt_registry("a node of the journal's tree is missing");
    Reader r(*stored);
    const auto node = r.fixed<Digest>();
    if (!r.finish()) return corrupt_registry("a node of the journal's tree does not decode");
    return node;
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

Status append_entry(Transaction& txn, ByteView entry) {
    HOLDFAST_ASSIGN(number, next_entry(txn));
    HOLDFAST_TRY(txn.put(Table::kJournal, entry_key(number).bytes(), entry));
    Digest node = entry_hash(entry);
    std::uint64_t index = number;
    for (unsigned level = 0;; ++level) {
        HOLDFAST_TRY(txn.put(Table::kJournalNodes, node_key(level, index).bytes(), view(node)));
        if ((index & 1) == 0) break;
        HOLDFAST_ASSIGN(left, read_node(txn, level, index - 1));
        node = node_hash(left, node);
        index >>= 1;
    }
    return txn.put(Table::kMeta, size_key().bytes(), Writer(8).u64(number + 1).bytes());
}

Result<JournalSize> journal_size(const Transaction& txn) {
    HOLDFAST_ASSIGN(size, next_entry(txn));
    HOLDFAST_ASSIGN(root, StoredTree(txn, size).root());
    return JournalSize{size, root};
}

Result<JournalSize> Registry::journal() const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    return journal_size(txn);
}

Result<std::vector<Bytes>> Registry::entries(std::uint64_t first, std::size_t most) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(size, next_entry(txn));
    std::vector<Bytes> out;
    for (std::uint64_t n = first; n < size && out.size() < most; ++n) {
        HOLDFAST_ASSIGN(stored, txn.get(Table::kJournal, entry_key(n).bytes()));
        if (!stored) {
            return fail(ErrorCode::kNotFound,
                        "the bytes of journal entry " + std::to_string(n) + " are not kept");
        }
        out.emplace_back(stored->begin(), stored->end());
    }
    return out;
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

Result<Bytes> Registry::head_of(Height height) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(stored, txn.get(Table::kHeads, height_key(height).bytes()));
    if (!stored) {
        return fail(ErrorCode::kNotFound,
                    "height " + std::to_string(height.value) + " has no head: it has not closed");
    }
    return Bytes(stored->begin(), stored->end());
}

}  // namespace holdfast
