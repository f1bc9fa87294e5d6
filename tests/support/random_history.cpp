// What happens while a block is the tip of a random history: y, and everything that the journal
// brings.
#include "support/random_history.hpp"

#include "vdf/evaluate.hpp"

namespace holdfast::test {
namespace {

constexpr std::uint64_t kSpoiledOneIn = 14;

}  // namespace

NetworkParams history_network() {
    NetworkParams p = short_network();
    p.name = "random history";
    p.has_vdf = true;
    p.vdf = {64, 1, 4, 16, 5};
    p.epoch_blocks = 256;
    p.epoch_lag = 8;
    p.seal_presets = {{16, 512}};
    p.seal_deadline = 3;
    p.audits_per_block = 1;
    p.rate_window = 8;
    p.misses_late = 2;
    p.misses_expired = 12;
    p.availability_n = p.availability_d = 1;
    p.availability_chunks = 2;
    p.quorum = 1;
    p.quorum_of = 2;
    p.quorum_window = 6;
    p.group_slots = 3;
    p.region_groups = 2;
    p.removal_delay = 2;
    p.liability_blocks = 5;
    p.checkpoint_blocks = 4;
    p.least_challenger_part = 64;
    p.least_submitter_part = 7;
    p.least_evaluator_part = 5;
    p.least_operator_part = 9;
    p.max_challengers = 2;
    return p;
}

std::vector<Digest> history_checkpoints(const NetworkParams& params, Height height,
                                        const BlockHash& block_hash) {
    const NetworkId id = params.id();
    static const auto arena =
        VdfArena::fill(params.vdf, 0, epoch_seed(id, 0, genesis_output(id))).value();
    const Seed seed = make_seed(params, id, height, block_hash, std::nullopt).value();
    return evaluate(arena->view(), params.vdf, id, VdfJob{height, seed, {}}).value();
}

VdfOutput history_y(const NetworkParams& params, Height height, const BlockHash& block_hash) {
    return vdf_output(history_checkpoints(params, height, block_hash).back(), params.vdf);
}

SealCheck history_seal_check() {
    return [](const Registration&, const SealContext&, ByteView body) -> Result<Verdict> {
        return body.size() == ChainId::kSize + 8 ? Verdict::ok() : Verdict(Reason::kBadSealing);
    };
}

Result<std::vector<ObjectOutcome>> apply_input(Registry& registry, const HistoryInput& input) {
    if (const auto* block = std::get_if<FinalBlock>(&input)) {
        HOLDFAST_ASSIGN(outcome, registry.on_final_block(*block));
        return std::move(outcome.objects);
    }
    if (const auto* y = std::get_if<OutputEntry>(&input)) {
        std::vector<ObjectOutcome> out(1);
        HOLDFAST_ASSIGN(verdict, registry.note_y(y->height, y->y));
        out[0].verdict = verdict;
        return out;
    }
    const auto& objects = std::get<std::vector<Bytes>>(input);
    const std::vector<ByteView> views(objects.begin(), objects.end());
    return registry.accept(views, history_seal_check());
}

RandomHistory::RandomHistory(const NetworkParams& params, std::uint64_t seed, HistoryHost& host,
                             Node node, Apply apply)
    : params_(params),
      network_id_(params.id()),
      seed_(seed),
      host_(host),
      node_(std::move(node)),
      apply_(std::move(apply)),
      random_(seed) {
    holders_.emplace(BondPurpose::kOperator, Digest{params.operator_key.bytes});
}

std::vector<BondId> RandomHistory::honest_bonds() const {
    std::vector<BondId> out;
    for (const Chain& c : chains_) {
        if (c.honest) out.push_back(c.chain->registration().bond_id);
    }
    if (!challengers_.empty()) out.push_back(challengers_.front().bond);
    return out;
}

void RandomHistory::next_block() {
    const auto before = must(registry().tip());
    if (before) list_objects();
    const Height next = before ? *before + 1 : params_.genesis_height;
    do {
        host_.append();
        if (one_in(5)) host_.replace_newest();
    } while (!host_.newest_final() || *host_.newest_final() < next);
    if (before) bring_late_y();
    const FinalBlock block = final_block(host_, next).value();
    const auto closed_before = must(registry().closed());
    const std::vector<ObjectOutcome> outcomes = apply_(block);
    const auto closed = must(registry().closed());
    if (closed != closed_before) count_what_closed(*closed);
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        count(names_.at(sha256(block.listed.objects[i].object)), outcomes[i]);
    }
    if (one_in(4)) {
        without_y_.insert(next);
    } else {
        bring_y(next);
    }
    bring_late_y();
    bring_seal_proofs();
    bring_bundles();
    bring_proofs();
    bring_challenges();
    bring_outcomes();
    bring_responses();
    bring_rubbish();
}

// --- y -------------------------------------------------------------------------------------------

void RandomHistory::bring_y(Height height) {
    const BlockHash hash = must(registry().block(height))->hash;
    count("y", apply_(OutputEntry{height, history_y(params_, height, hash)}).at(0));
}

/// Sources that were away come back, or do not before the digest has closed.
void RandomHistory::bring_late_y() {
    const auto closed = must(registry().closed());
    for (const Height h : std::set<Height>(without_y_)) {
        const bool over = closed && h <= *closed;
        if (!one_in(over ? 2 : 4)) continue;
        without_y_.erase(h);
        bring_y(h);
    }
    if (one_in(12)) {
        const Height h = tip() + below(2);
        if (h > tip() || must(registry().block(h))->y) {
            count("y", apply_(OutputEntry{h, VdfOutput(tagged_hash("another y", h))}).at(0));
        }
    }
}

// --- helpers -------------------------------------------------------------------------------------

void RandomHistory::count(const std::string& name, const ObjectOutcome& outcome) {
    HistoryCount& c = tally_[name];
    bool refused = !outcome.verdict;
    if (refused) c.reasons.insert(outcome.verdict.reason);
    for (const Verdict& member : outcome.members) {
        if (member) continue;
        refused = true;
        c.reasons.insert(member.reason);
    }
    if (refused) ++c.refused;
    if (outcome.verdict) ++c.accepted;
}

/// What no object says: ends, audits, statuses, decisions.
void RandomHistory::count_what_closed(Height height) {
    for (const Effect& e : must(registry().effects(height))) {
        ++tally_["effect " + std::string(to_string(e.kind))].accepted;
    }
    const StatusCounts counts = must(registry().block(height))->counts;
    tally_["status active"].accepted += counts.active;
    tally_["status late"].accepted += counts.late;
    tally_["status removing"].accepted += counts.removing;
    tally_["status expired"].accepted += counts.expired;
    for (const Decision& d : must(registry().decisions(decisions_, SIZE_MAX / 2))) {
        ++decisions_;
        for (const DecidedStep& step : d.steps) {
            const bool slash = step.kind == DecidedStep::Kind::kSlash;
            const bool release = step.kind == DecidedStep::Kind::kRelease;
            const std::string what = slash ? "slash" : release ? "release" : "pay";
            ++tally_["decision " + std::string(to_string(d.kind)) + " " + what].accepted;
        }
    }
}

Bytes RandomHistory::named(const std::string& name, Kind kind, Bytes body, bool may_spoil) {
    Bytes object = wrap_object(kind, body);
    if (may_spoil && one_in(kSpoiledOneIn)) {
        object[2 + below(object.size() - 2)] ^= static_cast<std::uint8_t>(1U << below(8));
    }
    names_[sha256(object)] = name;
    return object;
}

/// One after another or together, as it comes; now and then one of them twice.
void RandomHistory::give(std::vector<Bytes> objects) {
    if (!objects.empty() && one_in(4)) {
        const std::size_t at = below(objects.size());
        const Bytes again = objects[at];
        objects.insert(objects.begin() + static_cast<std::ptrdiff_t>(at), again);
    }
    for (std::size_t at = 0; at < objects.size();) {
        const std::size_t many = std::min<std::size_t>(1 + below(6), objects.size() - at);
        const std::vector<Bytes> some(objects.begin() + static_cast<std::ptrdiff_t>(at),
                                      objects.begin() + static_cast<std::ptrdiff_t>(at + many));
        at += many;
        const std::vector<ObjectOutcome> outcomes = apply_(some);
        for (std::size_t i = 0; i < some.size(); ++i) {
            count(names_.at(sha256(some[i])), outcomes.at(i));
            if (one_in(8)) given_.push_back(some[i]);
        }
    }
}

bool RandomHistory::is_sealed(const Chain& chain) const {
    const auto info = must(registry().chain(chain.chain->id()));
    return info && info->phase == ChainPhase::kSealed;
}

Reveal RandomHistory::reveal_of(const Chain& chain, Height height) const {
    const auto known = must(registry().known_chain(chain.chain->id(), height)).reveals;
    if (!known) return {};
    const auto made = chain.reveals.find(known->base);
    const std::uint64_t i = height.since(known->base);
    return made == chain.reveals.end() || i >= made->second.size() ? Reveal{} : made->second[i];
}

RandomHistory::Chain* RandomHistory::random_cheat() {
    if (chains_.size() < 2) return nullptr;
    Chain& chain = chains_[1 + below(chains_.size() - 1)];
    return must(registry().chain(chain.chain->id())) ? &chain : nullptr;
}

// --- seal proofs, links, proofs of links ---------------------------------------------------------

void RandomHistory::bring_seal_proofs() {
    std::vector<Bytes> out;
    for (const Chain& chain : chains_) {
        const ChainId& id = chain.chain->id();
        std::set<Height> answered;
        for (const SealDuty& duty : must(registry().seal_duties(id))) {
            if (!duty.y_height || !answered.insert(*duty.y_height).second) continue;
            const bool audit = duty.kind == SealProofKind::kAudit;
            if (audit && chain.lazy) continue;
            const std::string name = audit ? "audit proof" : "seal proof";
            Bytes body = Writer(41).fixed(id).height(*duty.y_height).bytes();
            if (!chain.honest && one_in(6)) {
                Bytes false_one = body;
                false_one.push_back(0);
                out.push_back(named(name, Kind::kSealProof, false_one, false));
            }
            if (chain.honest || !one_in(3)) {
                out.push_back(named(name, Kind::kSealProof, body, !chain.honest));
            }
        }
    }
    give(std::move(out));
}

void RandomHistory::bring_bundles() {
    std::vector<Bytes> out;
    for (const Height h : must(registry().open_heights())) {
        for (Chain& chain : chains_) {
            const auto info = must(registry().chain(chain.chain->id()));
            if (!info || info->phase != ChainPhase::kSealed || *info->sealed_at > h) continue;
            const KnownHeight known = must(registry().known_height(h, chain.chain->id()));
            const bool stands = must(registry().link(chain.chain->id(), h)).has_value();
            if (!known.y || !known.link_before || (stands && (chain.honest || !one_in(6)))) {
                continue;
            }
            if (!chain.honest && one_in(3)) continue;
            const bool is_false = !chain.honest && one_in(8);
            const Link link = is_false
                                  ? Link(tagged_hash("false link", below(4)))
                                  : chain.chain->full_with(known, reveal_of(chain, h)).receipt.link;
            // Who keeps to the rules signs one link of a height, whatever happens.
            if (chain.honest && !chain.links.emplace(h, link).second) {
                EXPECT_EQ(chain.links.at(h), link) << "an honest prover would sign twice";
            }
            std::vector<BundleEntry> members{{chain.chain->id(), link}};
            if (!chain.honest && one_in(5)) {
                members.push_back({ChainId(tagged_hash("nobody", below(9))), link});
            }
            const Bundle bundle = make_bundle(network_id_, known.block_hash, h, known.anchor,
                                              std::move(members), chain.chain->key())
                                      .value();
            out.push_back(named("bundle", Kind::kBundle, bundle.encode(), !chain.honest));
        }
    }
    give(std::move(out));
}

void RandomHistory::bring_proofs() {
    std::vector<Bytes> out;
    for (const Height h : must(registry().proof_heights())) {
        for (Chain& chain : chains_) {
            const auto stands = must(registry().link(chain.chain->id(), h));
            const bool proven = !stands || stands->proof != LinkProof::kNone;
            if (proven && !one_in(10)) continue;
            if (!stands && (chain.honest || !must(registry().chain(chain.chain->id())))) continue;
            if (!chain.honest && one_in(3)) continue;
            bring_proof(chain, h, out);
        }
    }
    give(std::move(out));
}

void RandomHistory::bring_proof(Chain& chain, Height height, std::vector<Bytes>& out) {
    const ChainId& id = chain.chain->id();
    const KnownHeight known = must(registry().known_height(height, id));
    if (!known.y || !known.link_before) return;
    const bool counts = known.y_compact && !full_required(network_id_, *known.y_compact, id);
    // y_c may still come.
    if (!known.y_compact && tip() < height + 4 && one_in(2)) return;
    const Full full = chain.chain->full_with(known, reveal_of(chain, height));
    const auto path = registry().path(id, height);
    const bool compact = path && known.y_compact && (counts || !chain.honest) && !one_in(3);
    const bool brief = one_in(2);
    if (compact) {
        const Compact c = chain.chain->compact_of(known, *path, full);
        const ShortCompact s{id, height, c.reveal, c.cell, c.cell_path, c.opening_path};
        out.push_back(
            brief ? named("short compact proof", Kind::kShortCompact, s.encode(), !chain.honest)
                  : named("compact proof", Kind::kCompact, c.encode(), !chain.honest));
        return;
    }
    const ShortFull s{id, height, full.reveal, full.cells, full.siblings};
    out.push_back(brief ? named("short full proof", Kind::kShortFull, s.encode(), !chain.honest)
                        : named("full proof", Kind::kFull, full.encode(), !chain.honest));
}

// --- availability --------------------------------------------------------------------------------

void RandomHistory::bring_challenges() {
    std::vector<Bytes> out;
    std::vector<Asked> made;
    const std::uint64_t back = one_in(6) ? 1 + below(7) : 2;
    if (tip().since(params_.genesis_height) < back) return;
    const Height h = tip() - back;
    const BlockRecord block = must(registry().block(h)).value();
    const ChallengerDraw draw(must(registry().challengers_in_force(h)));
    const VdfOutput y = block.y.value_or(VdfOutput(tagged_hash("no y", h)));
    for (std::size_t i = 0; i < chains_.size(); ++i) {
        const ChainId& id = chains_[i].chain->id();
        if (!must(registry().chain(id))) continue;
        const auto assigned = draw.assigned(network_id_, y, id);
        for (std::size_t k = 0; k < challengers_.size(); ++k) {
            const TestChallenger& c = challengers_[k];
            if (h < c.base || h.since(c.base) >= c.reveals.size()) continue;
            const bool its = assigned == c.key.public_key();
            if (k == 0 ? !its || !block.y : !its && !one_in(8)) continue;
            const VdfOutput told = k != 0 && one_in(10) ? VdfOutput(tagged_hash("lie")) : y;
            const Challenge2 asked =
                make_challenge2(network_id_, id, h, block.hash, told, c.reveal(h), c.key).value();
            out.push_back(named("challenge", Kind::kChallenge2, asked.encode(), k != 0));
            made.push_back({asked, k, i});
        }
    }
    give(std::move(out));
    asked_.insert(asked_.end(), made.begin(), made.end());
}

void RandomHistory::bring_outcomes() {
    std::vector<Bytes> out;
    std::vector<Asked> later;
    for (const Asked& asked : asked_) {
        const Challenge2& c = asked.challenge;
        const bool honest = asked.challenger == 0;
        if (!honest && one_in(4)) {
            if (tip() < c.height + 8) later.push_back(asked);
            continue;
        }
        const TestChallenger& by = challengers_[asked.challenger];
        if (c.height < by.base) continue;  // began anew since
        const Chain& chain = chains_[asked.chain];
        const ChallengeId id = c.id(network_id_);
        // Of an exchange that took place once an honest challenger keeps the one response.
        if (honest && responses_.contains(id)) continue;
        Bytes payload = chain.chain->payload(challenged_chunks(
            params_, network_id_, c.y, c.chain_id, c.challenger, c.nonce, ChunkCount(kMinChunks)));
        // An honest prover answers what is true of its y, and an honest challenger says what came.
        const bool spoiled = !chain.honest && one_in(4);
        if (spoiled) payload[below(payload.size())] ^= 1;
        const Response response = sign_response(id, std::move(payload), chain.chain->key()).value();
        const OutcomeKind truth = spoiled ? OutcomeKind::kInvalid : OutcomeKind::kServed;
        const OutcomeKind kind =
            honest || one_in(2) ? truth : static_cast<OutcomeKind>(1 + below(4));
        const bool has = kind == OutcomeKind::kServed || kind == OutcomeKind::kInvalid;
        const Outcome2 outcome =
            make_outcome2(id, by.reveal(c.height), kind, 1, 1, has ? &response : nullptr, by.key)
                .value();
        if (has) responses_.emplace(id, response);
        out.push_back(named("outcome", Kind::kOutcome2, outcome.encode(), !honest));
        if (!honest && one_in(8)) later.push_back(asked);
    }
    asked_ = std::move(later);
    give(std::move(out));
}

void RandomHistory::bring_responses() {
    std::vector<Bytes> out;
    for (std::size_t k = 0; k < challengers_.size(); ++k) {
        for (const OutcomeAudit& audit :
             must(registry().outcome_audits(challengers_[k].key.public_key()))) {
            const auto known = responses_.find(audit.challenge.id(network_id_));
            // Every second challenger never shows what it was served.
            if (known == responses_.end() || k % 2 == 1) continue;
            out.push_back(named("response", Kind::kResponse, known->second.encode(), k != 0));
        }
    }
    if (!responses_.empty() && one_in(8)) {
        auto any = responses_.begin();
        std::advance(any, below(responses_.size()));
        out.push_back(named("response", Kind::kResponse, any->second.encode(), false));
    }
    give(std::move(out));
}

/// What was handed over before, what has another door, and bytes that are nothing.
void RandomHistory::bring_rubbish() {
    std::vector<Bytes> out;
    if (!given_.empty() && one_in(2)) out.push_back(given_[below(given_.size())]);
    if (one_in(4)) {
        Bytes noise(below(80), 0);
        for (std::uint8_t& b : noise) b = static_cast<std::uint8_t>(below(256));
        names_[sha256(noise)] = "noise";
        out.push_back(std::move(noise));
    }
    if (!chains_.empty() && one_in(6)) {
        const Registration& r = chains_[below(chains_.size())].chain->registration();
        const Bytes object = wrap_object(Kind::kRegistration, r.encode());
        const ObjectOutcome outcome = apply_(std::vector<Bytes>{object}).at(0);
        count("at the wrong door", outcome);
    }
    give(std::move(out));
}

}  // namespace holdfast::test
