// Challengers: registrations, who is in force, and the challenges that they list (spec 15.7, 15.8).
// Outcomes are in availability_settle.cpp.
#include "hierarchy/availability_state.hpp"

#include <algorithm>

#include "core/hash.hpp"
#include "hierarchy/registry_impl.hpp"

namespace holdfast {
namespace {

Digest as_digest(const PublicKey& key) { return Digest{key.bytes}; }

Key challenge_key(const ListedChallenge& listed) {
    return height_chain_key(listed.challenge.height, listed.challenge.chain_id);
}

}  // namespace

JudgedChallenge judge_form(const NetworkId& network_id, const Challenge2& challenge) {
    return {challenge, challenge.id(network_id), check_challenge_signature(network_id, challenge)};
}

Verdict check_listing_height(const NetworkParams& params, Height height, Height tip) {
    if (tip < height + kListedAfter) return Reason::kTooEarly;
    if (tip > height + kListedAfter + params.proof_deadline) return Reason::kTooLate;
    return Verdict::ok();
}

Result<std::vector<ChallengerPart>> load_in_force(const Transaction& txn, Height h) {
    HOLDFAST_ASSIGN(row, txn.last_at_most(Table::kInForce, {}, height_key(h).bytes()));
    if (!row) return std::vector<ChallengerPart>();
    return decode_in_force(row->second);
}

Result<std::optional<ChallengerRecord>> load_challenger(const Transaction& txn,
                                                        const PublicKey& key) {
    return load<ChallengerRecord>(txn, Table::kChallengers, Key().fixed(key));
}

// --- challengers ---------------------------------------------------------------------------------

Result<ChallengerRecord> AvailabilityState::challenger(const PublicKey& key) const {
    HOLDFAST_ASSIGN(record, load_challenger(facts_.txn, key));
    if (!record) return corrupt_registry("a challenger is missing");
    return *record;
}

Status AvailabilityState::due(Height height, ChallengerItem item, const Digest& whom) {
    return facts_.txn.put(Table::kChallengerDue, challenger_due_key(height, item, whom).bytes(),
                          {});
}

Status AvailabilityState::store(const PublicKey& key, ChallengerRecord& record) {
    HOLDFAST_ASSIGN(part, facts_.bonds.part(BondPurpose::kChallenger, as_digest(key)));
    const bool could = part && record.now.base != kNever && !record.lapsed &&
                       record.until > facts_.tip.value &&
                       part->amount >= facts_.params.least_challenger_part;
    const std::uint64_t rank = could ? part->amount : 0;
    if (rank != record.ranked) {
        if (record.ranked != 0) {
            const Key old = rank_key(record.ranked, key);
            HOLDFAST_TRY(facts_.txn.erase(Table::kRanks, old.bytes()));
        }
        if (rank != 0) {
            HOLDFAST_TRY(facts_.txn.put(Table::kRanks, rank_key(rank, key).bytes(), {}));
        }
        record.ranked = rank;
    }
    const Key row = Key().fixed(key);
    const bool gone = record.lapsed && !part && record.next_base == kNever;
    if (gone) return facts_.txn.erase(Table::kChallengers, row.bytes());
    return save(facts_.txn, Table::kChallengers, row, record);
}

Result<Verdict> AvailabilityState::take_challenger(const Challenger& challenger,
                                                   const Verdict& form) {
    if (!form) return form;
    HOLDFAST_ASSIGN(known, load_challenger(facts_.txn, challenger.key));
    ChallengerRecord record = known.value_or(ChallengerRecord{});
    if (record.next_base != kNever) return Verdict(Reason::kTooEarly);
    const auto newest =
        record.now.base == kNever ? std::nullopt : std::optional(Height(record.now.base));
    const Verdict when = check_challenger_base(facts_.params, challenger, facts_.tip, newest);
    if (!when) return when;
    HOLDFAST_ASSIGN(claimed, facts_.bonds.claim(BondPurpose::kChallenger, as_digest(challenger.key),
                                                challenger.key, challenger.bond_id,
                                                BondBook::Claim::kEverything, facts_.tip));
    if (!claimed) return claimed;
    record.next_base = challenger.base.value;
    record.next_commitment = challenger.commitment;
    HOLDFAST_TRY(due(challenger.base, ChallengerItem::kBegins, as_digest(challenger.key)));
    HOLDFAST_TRY(store(challenger.key, record));
    return Verdict::ok();
}

Status AvailabilityState::end_challenger(const PublicKey& key, Height until) {
    HOLDFAST_ASSIGN(record, challenger(key));
    record.until = until.value;
    HOLDFAST_TRY(due(until, ChallengerItem::kEnds, as_digest(key)));
    return store(key, record);
}

// --- what a block brings -------------------------------------------------------------------------

Status AvailabilityState::on_block() {
    HOLDFAST_TRY(run_due(ChallengerItem::kBegins, &AvailabilityState::begin));
    HOLDFAST_TRY(run_due(ChallengerItem::kEnds, &AvailabilityState::end));
    HOLDFAST_TRY(run_due(ChallengerItem::kMayLapse, &AvailabilityState::may_lapse));
    HOLDFAST_TRY(run_due(ChallengerItem::kForgotten, &AvailabilityState::forget));
    HOLDFAST_TRY(set_in_force());
    return forget_challenges();
}

Status AvailabilityState::run_due(ChallengerItem item,
                                  Status (AvailabilityState::*run)(const PublicKey&)) {
    const Key prefix = Key().height(facts_.tip).u8(static_cast<std::uint8_t>(item));
    std::vector<PublicKey> keys;
    HOLDFAST_TRY(facts_.txn.for_each(Table::kChallengerDue, prefix.bytes(),
                                     [&](ByteView key, ByteView) -> Result<bool> {
                                         KeyReader r(key);
                                         (void)r.height();
                                         (void)r.u8();
                                         keys.push_back(r.fixed<PublicKey>());
                                         return true;
                                     }));
    for (const PublicKey& key : keys) {
        const Key entry = challenger_due_key(facts_.tip, item, as_digest(key));
        HOLDFAST_TRY(facts_.txn.erase(Table::kChallengerDue, entry.bytes()));
        HOLDFAST_TRY((this->*run)(key));
    }
    return {};
}

Status AvailabilityState::begin(const PublicKey& key) {
    HOLDFAST_ASSIGN(found, load_challenger(facts_.txn, key));
    if (!found || found->next_base != facts_.tip.value) return {};  // it left before it began
    ChallengerRecord& record = *found;
    record.before = record.now;
    record.now = {record.next_base, {0, record.next_commitment}};
    record.next_base = kNever;
    record.next_commitment = {};
    record.counted = record.now.base;
    record.lapsed = false;
    // Whoever has left and whose part was given back since begins anew.
    if (record.until < facts_.tip.value) record.until = kNever;
    HOLDFAST_TRY(due(facts_.tip + facts_.params.quorum_window + 1, ChallengerItem::kMayLapse,
                     as_digest(key)));
    return store(key, record);
}

Status AvailabilityState::end(const PublicKey& key) {
    HOLDFAST_ASSIGN(found, load_challenger(facts_.txn, key));
    if (!found || found->until != facts_.tip.value) return {};
    ChallengerRecord& record = *found;
    record.next_base = kNever;
    record.next_commitment = {};
    // Outcomes of heights before may still come.
    HOLDFAST_TRY(due(facts_.tip + (kListedAfter + 1 + std::uint64_t{facts_.params.proof_deadline}),
                     ChallengerItem::kForgotten, as_digest(key)));
    return store(key, record);
}

Status AvailabilityState::may_lapse(const PublicKey& key) {
    HOLDFAST_ASSIGN(found, load_challenger(facts_.txn, key));
    if (!found || found->lapsed) return {};
    ChallengerRecord& record = *found;
    const std::uint64_t window = facts_.params.quorum_window;
    if (facts_.tip.value - record.counted <= window) {
        return due(Height(record.counted) + window + 1, ChallengerItem::kMayLapse, as_digest(key));
    }
    record.lapsed = true;
    return store(key, record);
}

Status AvailabilityState::forget(const PublicKey& key) {
    HOLDFAST_ASSIGN(found, load_challenger(facts_.txn, key));
    if (!found || found->until >= facts_.tip.value) return {};  // it has begun anew
    if (found->next_base != kNever) return {};                  // or is about to
    return facts_.txn.erase(Table::kChallengers, Key().fixed(key).bytes());
}

/// Those with the largest parts; stored where the set differs from the one before.
Status AvailabilityState::set_in_force() {
    std::vector<ChallengerPart> parts;
    HOLDFAST_TRY(
        facts_.txn.for_each(Table::kRanks, {}, [&](ByteView key, ByteView) -> Result<bool> {
            if (parts.size() == facts_.params.max_challengers) return false;
            KeyReader r(key);
            const std::uint64_t part = ~r.u64();
            parts.push_back({r.fixed<PublicKey>(), part});
            return true;
        }));
    std::sort(parts.begin(), parts.end(),
              [](const ChallengerPart& a, const ChallengerPart& b) { return a.key < b.key; });
    HOLDFAST_ASSIGN(before, load_in_force(facts_.txn, facts_.tip));
    if (parts == before) return {};
    return facts_.txn.put(Table::kInForce, height_key(facts_.tip).bytes(), encode_in_force(parts));
}

/// Challenges whose outcome cannot come any more, and the sets that none needs.
Status AvailabilityState::forget_challenges() {
    const std::uint64_t open = kListedAfter + std::uint64_t{facts_.params.proof_deadline};
    if (facts_.tip.value <= open) return {};
    const Height oldest = facts_.tip - open;
    std::vector<ChallengeId> ids;
    const auto gone = [&](ByteView key, ByteView value) -> Result<bool> {
        if (KeyReader(key).height() >= oldest) return false;
        HOLDFAST_ASSIGN(listed, ListedChallenge::decode(value));
        ids.push_back(listed.challenge.id(facts_.network_id));
        return true;
    };
    HOLDFAST_TRY(facts_.txn.for_each(Table::kChallenges, {}, gone));
    for (const ChallengeId& id : ids) {
        HOLDFAST_TRY(facts_.txn.erase(Table::kChallengeIds, Key().fixed(id).bytes()));
    }
    const Key none = height_key(Height(0));
    HOLDFAST_TRY(
        facts_.txn.erase_range(Table::kChallenges, none.bytes(), height_key(oldest).bytes()));
    HOLDFAST_ASSIGN(needed,
                    facts_.txn.last_at_most(Table::kInForce, {}, height_key(oldest).bytes()));
    if (!needed) return {};
    const Bytes keep = needed->first;
    return facts_.txn.erase_range(Table::kInForce, none.bytes(), keep);
}

// --- challenges ----------------------------------------------------------------------------------

Result<const ChallengerDraw*> ChallengerDraws::at(const Transaction& txn, Height h) {
    const auto known = draws_.find(h);
    if (known != draws_.end()) return &known->second;
    HOLDFAST_ASSIGN(parts, load_in_force(txn, h));
    // Challenges of the lowest height are the first that come no more.
    if (draws_.size() == kMost) draws_.erase(draws_.begin());
    return &draws_.emplace(h, ChallengerDraw(std::move(parts))).first->second;
}

Result<Verdict> AvailabilityState::take_challenge(const JudgedChallenge& judged) {
    if (!judged.form) return judged.form;
    const Challenge2& challenge = judged.challenge;
    const Verdict when = check_listing_height(facts_.params, challenge.height, facts_.tip);
    if (!when) return when;
    HOLDFAST_ASSIGN(chain, facts_.chain(challenge.chain_id, challenge.height));
    if (!chain) return chain.error();
    HOLDFAST_ASSIGN(block, facts_.block(challenge.height));
    if (!block) return Verdict(Reason::kWrongHeight);
    if (!block->y) return Verdict(Reason::kNoEntropy);
    HOLDFAST_ASSIGN(draw, draws_->at(facts_.txn, challenge.height));
    const Challenge2Context context{facts_.params,
                                    facts_.network_id,
                                    challenge.chain_id,
                                    challenge.height,
                                    block->hash,
                                    *block->y,
                                    *draw};
    const Verdict drawn = check_challenge_unsigned(context, challenge);
    if (!drawn) return drawn;
    const ListedChallenge listed{challenge, chain->prover, chain->sealed_root, chain->chunks};
    const Key key = challenge_key(listed);
    HOLDFAST_ASSIGN(stands, facts_.txn.contains(Table::kChallenges, key.bytes()));
    if (stands) return Verdict(Reason::kDuplicateChallenge);
    HOLDFAST_TRY(save(facts_.txn, Table::kChallenges, key, listed));
    HOLDFAST_TRY(facts_.txn.put(Table::kChallengeIds, Key().fixed(judged.id).bytes(), key.bytes()));
    return Verdict::ok();
}

}  // namespace holdfast
