// The canonical export of the state, its digest, and heads (spec 15.5).
#include "core/hash.hpp"
#include "hierarchy/checkpoints.hpp"
#include "hierarchy/registry_impl.hpp"
#include "proofs/journal.hpp"

namespace holdfast {
namespace {

/// The tables of the state, in their order there. What is missing is this node's own.
struct ExportedTable {
    std::uint8_t number;
    Table table;
};
constexpr std::uint8_t kMachineNumber = 1;
constexpr std::uint8_t kLeavesNumber = 28;
constexpr ExportedTable kExported[] = {
    {2, Table::kBlocks},        {3, Table::kChains},       {4, Table::kReplicas},
    {5, Table::kStates},        {6, Table::kAgenda},       {7, Table::kAudits},
    {8, Table::kCommitments},   {9, Table::kReveals},      {10, Table::kLinks},
    {11, Table::kMisses},       {12, Table::kBonds},       {13, Table::kParts},
    {14, Table::kOffences},     {15, Table::kDeposits},    {16, Table::kCheckpoints},
    {17, Table::kWaiting},      {18, Table::kChallengers}, {19, Table::kChallengerDue},
    {20, Table::kRanks},        {21, Table::kInForce},     {22, Table::kChallenges},
    {23, Table::kChallengeIds}, {24, Table::kOutcomes},    {25, Table::kSuspended},
    {26, Table::kUnpaid},
};

/// Hashes what it is given and hands it on in pieces.
class Export {
  public:
    explicit Export(const std::function<Status(ByteView)>& sink) : sink_(sink) {}

    Status begin(const NetworkId& network_id) {
        constexpr std::uint8_t kForm = 1;
        piece_.u8(kForm).fixed(network_id);
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

}  // namespace

Result<Digest> export_state(const Registry::Impl& impl, const Transaction& txn,
                            const std::function<Status(ByteView)>& sink) {
    Export out(sink);
    HOLDFAST_TRY(out.begin(impl.network_id));
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    HOLDFAST_TRY(out.record(kMachineNumber, {}, machine.encode()));
    for (const ExportedTable& exported : kExported) {
        const auto visit = [&](ByteView key, ByteView value) -> Result<bool> {
            HOLDFAST_TRY(out.record(exported.number, key, value));
            return true;
        };
        HOLDFAST_TRY(txn.for_each(exported.table, {}, visit));
    }
    if (machine.closed != kNever) {
        const Height newest(machine.closed);
        Height h = std::max(impl.params.genesis_height, newest - impl.params.link_lag);
        for (; h <= newest; ++h) HOLDFAST_TRY(export_leaves(impl, txn, h, out));
    }
    return out.finish();
}

Result<Digest> Registry::export_state(const std::function<Status(ByteView)>& sink) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    return holdfast::export_state(*impl_, txn, sink);
}

/// With everything of the entry done and its number given.
Status store_head(const Working& w, const BlockRecord& closed) {
    JournalHead head;
    head.operator_key = w.params.operator_key;
    head.height = closed.height;
    head.block_hash = closed.hash;
    head.global = closed.global;
    if (checkpoint_due(w.params, closed.height)) {
        HOLDFAST_ASSIGN(state, export_state(w.impl, w.txn, {}));
        head.state = state;
    }
    HOLDFAST_ASSIGN(journal, journal_size(w.txn));
    head.size = journal.entries;
    head.root = Root(journal.root);
    const Bytes body = head.encode();
    return w.txn.put(Table::kHeads, height_key(closed.height).bytes(),
                     ByteView(body).first(kHeadSignedBytes));
}

}  // namespace holdfast
