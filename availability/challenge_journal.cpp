#include "availability/challenge_journal.hpp"

#include <functional>

#include "core/codec.hpp"
#include "storage/network_store.hpp"

namespace holdfast {
namespace {

constexpr std::uint32_t kJournalSchema = 2;  // 1: challenges that name no y

Key row(const ChallengeKey& key) { return Key().height(key.height).fixed(key.chain_id); }
Key floor_key() { return Key().u8(2); }

tl::unexpected<Error> journal_damaged(const char* what) {
    return fail(ErrorCode::kCorrupt,
                std::string("the challenges' journal is damaged: ") + what + "; restore a backup");
}

tl::unexpected<Error> wrong_state(const ChallengeKey& key, JournalState state) {
    return fail(ErrorCode::kInvalidArgument, "the challenge of chain " + to_hex(key.chain_id) +
                                                 " at height " + std::to_string(key.height.value) +
                                                 " is " + std::string(to_string(state)));
}

}  // namespace

std::string_view to_string(JournalState state) {
    switch (state) {
        case JournalState::kPlanned:
            return "planned";
        case JournalState::kSent:
            return "sent";
        case JournalState::kMeasured:
            return "measured";
        case JournalState::kPublished:
            return "published";
        case JournalState::kAbandoned:
            return "abandoned";
    }
    return "?";
}

Bytes JournalEntry::encode() const {
    Writer w(512);
    challenge.encode(w);
    w.fixed(prover).fixed(sealed_root).u64(chunks.value).u64(selected.size());
    for (const std::uint64_t chunk : selected) w.u64(chunk);
    w.u32(moment_ms).u8(static_cast<std::uint8_t>(state)).u8(answer_kept ? 1 : 0);
    w.u8(outcome ? 1 : 0);
    if (outcome) w.raw(outcome->encode());
    return w.take();
}

Checked<JournalEntry> JournalEntry::decode(ByteView bytes) {
    Reader r(bytes);
    JournalEntry e;
    e.challenge = Challenge2::decode(r);
    e.prover = r.fixed<PublicKey>();
    e.sealed_root = r.fixed<Root>();
    e.chunks = ChunkCount(r.u64());
    const std::uint64_t count = r.u64();
    if (count > r.remaining() / 8) return refuse(Reason::kTruncated);
    for (std::uint64_t i = 0; i < count; ++i) e.selected.push_back(r.u64());
    e.moment_ms = r.u32();
    e.state = static_cast<JournalState>(r.u8());
    const std::uint8_t answer_kept = r.u8();
    const std::uint8_t has_outcome = r.u8();
    if (e.state < JournalState::kPlanned || e.state > JournalState::kAbandoned || answer_kept > 1 ||
        has_outcome > 1) {
        r.refuse(Reason::kBadField);
    }
    e.answer_kept = answer_kept == 1;
    if (has_outcome == 1 && !r.failed()) {
        HOLDFAST_ASSIGN(outcome, Outcome2::decode(r.raw(kOutcome2Bytes)));
        e.outcome = outcome;
    }
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return e;
}

class ChallengeJournal::Impl {
  public:
    explicit Impl(std::unique_ptr<Store> store) : store_(std::move(store)) {}

    static Result<std::optional<JournalEntry>> load(const Transaction& txn,
                                                    const ChallengeKey& key) {
        HOLDFAST_ASSIGN(bytes, txn.get(JournalTable::kEntries, row(key).bytes()));
        if (!bytes) return std::optional<JournalEntry>();
        auto entry = JournalEntry::decode(*bytes);
        if (!entry) return journal_damaged("an entry does not decode");
        return std::optional(std::move(*entry));
    }
    static Status save(Transaction& txn, const JournalEntry& entry) {
        return txn.put(JournalTable::kEntries, row(key_of(entry.challenge)).bytes(),
                       entry.encode());
    }
    static Result<Height> floor(const Transaction& txn) {
        HOLDFAST_ASSIGN(bytes, txn.get(JournalTable::kMeta, floor_key().bytes()));
        if (!bytes) return Height(0);
        Reader r(*bytes);
        const Height floor = r.height();
        if (!r.finish()) return journal_damaged("its floor does not decode");
        return floor;
    }

    [[nodiscard]] Store& store() { return *store_; }
    [[nodiscard]] Result<std::vector<JournalEntry>> entries(
        std::optional<JournalState> state) const;
    /// Applies `change` to every entry named by `keys` that is there; commits once. How many it
    /// changed.
    Result<std::uint64_t> change(std::span<const ChallengeKey> keys,
                                 const std::function<Result<bool>(JournalEntry&)>& change);

    std::uint64_t abandoned_at_open = 0;

  private:
    std::unique_ptr<Store> store_;
};

Result<std::vector<JournalEntry>> ChallengeJournal::Impl::entries(
    std::optional<JournalState> state) const {
    HOLDFAST_ASSIGN(txn, store_->read());
    std::vector<JournalEntry> out;
    HOLDFAST_TRY(
        txn.for_each(JournalTable::kEntries, {}, [&](ByteView, ByteView value) -> Result<bool> {
            auto entry = JournalEntry::decode(value);
            if (!entry) return journal_damaged("an entry does not decode");
            if (!state || entry->state == *state) {
                out.push_back(std::move(*entry));
            }
            return true;
        }));
    return out;
}

Result<std::uint64_t> ChallengeJournal::Impl::change(
    std::span<const ChallengeKey> keys, const std::function<Result<bool>(JournalEntry&)>& change) {
    HOLDFAST_ASSIGN(txn, store_->write());
    std::uint64_t changed = 0;
    for (const ChallengeKey& key : keys) {
        HOLDFAST_ASSIGN(entry, load(txn, key));
        if (!entry) continue;
        HOLDFAST_ASSIGN(done, change(*entry));
        if (!done) continue;
        HOLDFAST_TRY(save(txn, *entry));
        ++changed;
    }
    if (changed > 0) HOLDFAST_TRY(txn.commit());
    return changed;
}

ChallengeJournal::ChallengeJournal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ChallengeJournal::~ChallengeJournal() = default;

Result<std::unique_ptr<ChallengeJournal>> ChallengeJournal::open(
    const std::filesystem::path& folder, const NetworkId& network, const Options& options) {
    HOLDFAST_ASSIGN(store, open_network_store(folder, network, journal_schema(), kJournalSchema,
                                              options.map_bytes));
    auto impl = std::make_unique<Impl>(std::move(store));
    HOLDFAST_ASSIGN(sent, impl->entries(JournalState::kSent));
    std::unique_ptr<ChallengeJournal> journal(new ChallengeJournal(std::move(impl)));
    std::vector<ChallengeKey> keys;
    for (const JournalEntry& entry : sent) keys.push_back(key_of(entry.challenge));
    HOLDFAST_ASSIGN(abandoned, journal->abandon(keys));
    journal->impl_->abandoned_at_open = abandoned;
    return journal;
}

std::uint64_t ChallengeJournal::abandoned_at_open() const { return impl_->abandoned_at_open; }

Result<std::uint64_t> ChallengeJournal::plan(Height height, std::span<const JournalEntry> drawn) {
    HOLDFAST_ASSIGN(txn, impl_->store().write());
    HOLDFAST_ASSIGN(floor, Impl::floor(txn));
    if (height < floor) {
        return fail(ErrorCode::kInvalidArgument,
                    "height " + std::to_string(height.value) + " has been forgotten");
    }
    std::uint64_t fresh = 0;
    for (const JournalEntry& entry : drawn) {
        HOLDFAST_CHECK(entry.challenge.height == height);
        const ChallengeKey key = key_of(entry.challenge);
        HOLDFAST_ASSIGN(known, txn.contains(JournalTable::kEntries, row(key).bytes()));
        if (known) continue;
        HOLDFAST_TRY(Impl::save(txn, entry));
        ++fresh;
    }
    if (fresh > 0) HOLDFAST_TRY(txn.commit());
    return fresh;
}

Result<std::vector<JournalEntry>> ChallengeJournal::begin_sending(
    std::span<const ChallengeKey> keys) {
    std::vector<JournalEntry> out;
    HOLDFAST_TRY(impl_->change(keys, [&](JournalEntry& entry) -> Result<bool> {
        if (entry.state != JournalState::kPlanned) return false;
        entry.state = JournalState::kSent;
        out.push_back(entry);
        return true;
    }));
    return out;
}

Status ChallengeJournal::note_outcome(const ChallengeKey& key, const Outcome2& outcome,
                                      const std::optional<Bytes>& answer) {
    HOLDFAST_ASSIGN(txn, impl_->store().write());
    HOLDFAST_ASSIGN(entry, Impl::load(txn, key));
    if (!entry) return fail(ErrorCode::kNotFound, "no such challenge was planned");
    if (entry->state != JournalState::kSent) return wrong_state(key, entry->state);
    entry->state = JournalState::kMeasured;
    entry->outcome = outcome;
    entry->answer_kept = answer.has_value();
    HOLDFAST_TRY(Impl::save(txn, *entry));
    if (answer) HOLDFAST_TRY(txn.put(JournalTable::kAnswers, row(key).bytes(), *answer));
    return txn.commit();
}

Status ChallengeJournal::mark_published(std::span<const ChallengeKey> keys) {
    HOLDFAST_TRY(impl_->change(keys, [](JournalEntry& entry) -> Result<bool> {
        if (entry.state != JournalState::kMeasured) return false;
        entry.state = JournalState::kPublished;
        return true;
    }));
    return {};
}

Result<std::uint64_t> ChallengeJournal::abandon(std::span<const ChallengeKey> keys) {
    return impl_->change(keys, [](JournalEntry& entry) -> Result<bool> {
        if (entry.state != JournalState::kPlanned && entry.state != JournalState::kSent) {
            return false;
        }
        entry.state = JournalState::kAbandoned;
        return true;
    });
}

Result<std::optional<JournalEntry>> ChallengeJournal::find(const ChallengeKey& key) const {
    HOLDFAST_ASSIGN(txn, impl_->store().read());
    return Impl::load(txn, key);
}

Result<std::vector<JournalEntry>> ChallengeJournal::entries(
    std::optional<JournalState> state) const {
    return impl_->entries(state);
}

Result<Bytes> ChallengeJournal::answer(const ChallengeKey& key) const {
    HOLDFAST_ASSIGN(txn, impl_->store().read());
    HOLDFAST_ASSIGN(bytes, txn.get(JournalTable::kAnswers, row(key).bytes()));
    if (!bytes) return fail(ErrorCode::kNotFound, "no answer was kept for this challenge");
    return Bytes(bytes->begin(), bytes->end());
}

Status ChallengeJournal::forget(Height floor) {
    HOLDFAST_ASSIGN(txn, impl_->store().write());
    HOLDFAST_ASSIGN(before, Impl::floor(txn));
    if (floor <= before) return {};
    std::vector<Bytes> old;
    HOLDFAST_TRY(
        txn.for_each(JournalTable::kEntries, {}, [&](ByteView key, ByteView value) -> Result<bool> {
            if (KeyReader(key).height() >= floor) return false;
            const auto entry = JournalEntry::decode(value);
            if (!entry) return journal_damaged("an entry does not decode");
            if (entry->state != JournalState::kMeasured) {
                old.emplace_back(key.begin(), key.end());
            }
            return true;
        }));
    for (const Bytes& key : old) {
        HOLDFAST_TRY(txn.erase(JournalTable::kEntries, key));
        HOLDFAST_TRY(txn.erase(JournalTable::kAnswers, key));
    }
    Writer w(8);
    w.height(floor);
    HOLDFAST_TRY(txn.put(JournalTable::kMeta, floor_key().bytes(), w.bytes()));
    return txn.commit();
}

}  // namespace holdfast
