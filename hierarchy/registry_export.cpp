// The canonical export of the state, its digest, and heads (spec 15.5).
#include "core/hash.hpp"
#include "hierarchy/checkpoints.hpp"
#include "hierarchy/registry_state_impl.hpp"
#include "proofs/journal.hpp"

namespace holdfast {
namespace {

/// Hashes what it is given and hands it on in pieces.
class Export {
  public:
    explicit Export(const std::function<Status(ByteView)>& sink) : sink_(sink) {}

    Status begin(const NetworkId& network_id) {
        piece_.u8(kExportForm).fixed(network_id);
        return {};
    }
    Status record(std::uint8_t table, ByteView key, ByteView value) {
        piece_.u8(table).u32(static_cast<std::uint32_t>(key.size())).raw(key);
        piece_.u32(static_cast<std::uint32_t>(value.size())).raw(value);
        return piece_.bytes().size() < kPieceBytes ? Status{} : flush();
    }
    Result<Digest> finish() {
        HOLDFAST_TRY(flush());
        return hash_.finish();
    }

  private:
    static constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

    Status flush() {
        const Bytes bytes = piece_.take();
        piece_ = Writer(kPieceBytes + 4096);
        hash_.update(bytes);
        return sink_ ? sink_(bytes) : Status{};
    }

    const std::function<Status(ByteView)>& sink_;
    Sha256 hash_;
    Writer piece_;
};

/// The leaves of one closed height, ascending by slot.
Status export_leaves(const Registry::Impl& impl, const Transaction& txn, Height height,
                     Export& out) {
    HOLDFAST_ASSIGN(value, txn.get(Table::kRegions, height_key(height).bytes()));
    if (!value) return corrupt_registry("the regions of a height are missing");
    HOLDFAST_ASSIGN(regions, decode_regions(*value));
    StoredLeaves leaves(txn, impl.shape(), height);
    for (std::uint32_t r = 0; r < regions.size(); ++r) {
        for (std::uint32_t g = 0; g < regions[r].groups.size(); ++g) {
            HOLDFAST_ASSIGN(group, leaves.group({r, g}));
            for (std::uint32_t s = 0; s * kLeafBytes < group.leaves.size(); ++s) {
                const ByteView leaf = group.leaves.subspan(s * kLeafBytes, kLeafBytes);
                if (leaf.back() == 0) continue;  // vacant
                const Key key = Key().height(height).u64(impl.shape().slot({r, g, s}));
                HOLDFAST_TRY(out.record(kLeavesNumber, key.bytes(), leaf));
            }
        }
    }
    return {};
}

/// The digest of the state, which also becomes a file where files are kept.
Result<Digest> state_of(const Working& w, const JournalHead& head, std::optional<Error>& fault) {
    const std::size_t most = w.impl.options.state_files;
    if (most == 0) return export_state(w.impl, w.txn, {});
    HOLDFAST_ASSIGN(parts, journal_frontier(w.txn, head.size));
    StateFileWriter file(w.impl.home, w.network_id, head, std::move(parts));
    HOLDFAST_ASSIGN(state, export_state(w.impl, w.txn, [&](ByteView piece) {
                        file.add(piece);
                        return Status{};
                    }));
    Status done = file.finish(state);
    if (done) done = forget_state_files(w.impl.home, most, head.height);
    if (!done) fault = done.error();
    return state;
}

}  // namespace

Result<Digest> export_state(const Registry::Impl& impl, const Transaction& txn,
                            const std::function<Status(ByteView)>& sink) {
    Export out(sink);
    HOLDFAST_TRY(out.begin(impl.network_id));
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    HOLDFAST_TRY(out.record(kMachineNumber, {}, machine.encode()));
    for (const StateTable& exported : state_tables()) {
        const auto visit = [&](ByteView key, ByteView value) -> Result<bool> {
            HOLDFAST_TRY(out.record(exported.number, key, value));
            return true;
        };
        HOLDFAST_TRY(txn.for_each(exported.table, {}, visit));
    }
    if (machine.closed != kNever) {
        const Height newest(machine.closed);
        Height h = oldest_exported(impl.params, newest);
        for (; h <= newest; ++h) HOLDFAST_TRY(export_leaves(impl, txn, h, out));
    }
    return out.finish();
}

Result<Digest> Registry::export_state(const std::function<Status(ByteView)>& sink) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    return holdfast::export_state(*impl_, txn, sink);
}

Status store_head(const Working& w, ClosedHeight& closed) {
    JournalHead head;
    head.operator_key = w.params.operator_key;
    head.height = closed.block.height;
    head.block_hash = closed.block.hash;
    head.global = closed.block.global;
    HOLDFAST_ASSIGN(journal, journal_size(w.impl, w.txn));
    head.size = journal.entries;
    head.root = Root(journal.root);
    if (checkpoint_due(w.params, head.height)) {
        HOLDFAST_ASSIGN(state, state_of(w, head, closed.state_file_fault));
        head.state = state;
    }
    const Bytes body = head.encode();
    return w.txn.put(Table::kHeads, height_key(head.height).bytes(),
                     ByteView(body).first(kHeadSignedBytes));
}

}  // namespace holdfast
