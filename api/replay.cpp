#include "api/replay.hpp"

#include <algorithm>
#include <functional>
#include <iterator>

#include "api/final_block.hpp"
#include "api/journal_file.hpp"
#include "core/hash.hpp"
#include "proofs/entropy.hpp"
#include "proofs/evidence.hpp"
#include "proofs/seal_proof_verify.hpp"

namespace holdfast {
namespace {

// Objects that are judged together, and wait for the device together.
constexpr std::size_t kHeldAtMost = 16'384;
constexpr std::size_t kHeldBytes = std::size_t{8} << 20;

std::string named(std::uint64_t number) { return "entry " + std::to_string(number); }

std::string named(Height height) { return "the head of height " + std::to_string(height.value); }

/// y of networks whose y follows from the block.
Result<Verdict> check_seed(const Registry& registry, Height height, const VdfOutput& y) {
    const NetworkParams& params = registry.params();
    if (params.has_vdf || params.has_beacon) {
        return fail(ErrorCode::kInvalidArgument, "this network's y needs somebody who verifies it");
    }
    HOLDFAST_ASSIGN(block, registry.block(height));
    if (!block) return Verdict(Reason::kTooEarly);
    const Checked<Seed> seed =
        make_seed(params, registry.network_id(), height, block->hash, std::nullopt);
    if (!seed) return seed.error();
    return Verdict(y == seed_as_output(*seed) ? Reason::kOk : Reason::kWrongOutput);
}

}  // namespace

bool FillSample::draws(std::uint64_t entry) const {
    constexpr double kOne = 18446744073709551616.0;  // 2^64
    const Digest drawn = tagged_hash("replay/fill", seed, entry);
    return static_cast<double>(load_le64(drawn.data())) / kOne < share;
}

Replay::Replay(Registry& registry, Blockchain& chain, ReplayOptions options)
    : registry_(registry), chain_(chain), options_(std::move(options)) {}

/// With the first entry, or the head right before it: the registry must reach to there.
Status Replay::begin(std::uint64_t number) {
    if (stands_) return {};
    HOLDFAST_ASSIGN(size, registry_.journal());
    if (number > size.entries) {
        return fail(ErrorCode::kNotFound,
                    "the journal begins with " + named(number) + ", this registry needs " +
                        named(size.entries) +
                        " first: take a journal from there on, or begin with the state of a "
                        "checkpoint height");
    }
    stands_ = size;
    return {};
}

Status Replay::take(std::uint64_t number, const HistoryEntry& entry) {
    HOLDFAST_TRY(begin(number));
    if (number < stands_->origin) {
        ++report_.passed;
        return {};
    }
    if (number < stands_->entries) {
        HOLDFAST_ASSIGN(own, registry_.entry_digest(number));
        if (own == entry_hash(encode_entry(entry))) {
            ++report_.known;
            return {};
        }
        return fail(ErrorCode::kCorrupt,
                    named(number) + " is not the one that this registry took: the journal forks");
    }
    if (const auto* object = std::get_if<ObjectEntry>(&entry)) {
        if (held_.empty()) first_held_ = number;
        held_.push_back(object->object);
        held_bytes_ += object->object.size();
        const bool more = held_.size() < kHeldAtMost && held_bytes_ < kHeldBytes;
        return more ? Status{} : take_objects();
    }
    HOLDFAST_TRY(take_objects());
    const Status taken = std::holds_alternative<BlockEntry>(entry)
                             ? take_block(std::get<BlockEntry>(entry))
                             : take_output(std::get<OutputEntry>(entry));
    if (!taken) {
        Error error = taken.error();
        error.message = named(number) + ": " + error.message;
        return fail(std::move(error));
    }
    ++report_.entries;
    return {};
}

Status Replay::take_block(const BlockEntry& entry) {
    HOLDFAST_ASSIGN(tip, registry_.tip());
    const Height next = tip ? *tip + 1 : registry_.params().genesis_height;
    if (entry.height != next) {
        return fail_refused(Reason::kWrongHeight, "block " + std::to_string(entry.height.value) +
                                                      ", where " + std::to_string(next.value) +
                                                      " comes next");
    }
    HOLDFAST_ASSIGN(block, final_block(chain_, entry.height));
    if (block.hash != entry.block_hash || block.time_ms != entry.time_ms) {
        return fail_refused(Reason::kWrongBlock,
                            "block " + std::to_string(entry.height.value) + " of the chain");
    }
    HOLDFAST_ASSIGN(outputs, listed_outputs(registry_, block, [&](const VdfProof& proof) {
                        return options_.check_y ? options_.check_y(proof.height, proof.y)
                                                : check_seed(registry_, proof.height, proof.y);
                    }));
    block.outputs = std::move(outputs);
    HOLDFAST_ASSIGN(outcome, registry_.on_final_block(block, options_.check_seal));
    (void)outcome;
    return {};
}

Status Replay::take_output(const OutputEntry& entry) {
    const std::string what = "y of height " + std::to_string(entry.height.value);
    HOLDFAST_ASSIGN(block, registry_.block(entry.height));
    if (!block) return fail_refused(Reason::kTooEarly, what);
    if (block->y) return fail_refused(Reason::kAlreadySettled, what + ", a second time");
    if (block->closed) return fail_refused(Reason::kTooLate, what);
    HOLDFAST_ASSIGN(holds, options_.check_y ? options_.check_y(entry.height, entry.y)
                                            : check_seed(registry_, entry.height, entry.y));
    if (!holds) return fail_refused(holds, what);
    HOLDFAST_ASSIGN(taken, registry_.note_y(entry.height, entry.y));
    if (!taken) return fail_refused(taken, what);
    return {};
}

/// The body lies in one of the objects that are held.
Result<Verdict> Replay::check_seal(const Registration& registration, const SealContext& known,
                                   ByteView body) {
    std::uint64_t number = first_held_;
    for (const Bytes& object : held_) {
        if (!std::less<>()(body.data(), object.data()) &&
            std::less<>()(body.data(), object.data() + object.size())) {
            break;
        }
        ++number;
    }
    const bool fills = !options_.fills || options_.fills->draws(number);
    const std::lock_guard lock(filling_);
    ++report_.seal_proofs;
    if (!fills) {
        const auto pending =
            check_seal_proof(registry_.params(), registry_.network_id(), registration, known, body);
        return pending ? Verdict::ok() : pending.error();
    }
    report_.filled.insert(std::upper_bound(report_.filled.begin(), report_.filled.end(), number),
                          number);
    return options_.check_seal ? options_.check_seal(registration, known, body)
                               : make_fill(registration, known, body);
}

/// A false cell under the prover's signature is an offence that the journal itself shows.
Result<Verdict> Replay::make_fill(const Registration& registration, const SealContext& known,
                                  ByteView body) {
    const NetworkParams& params = registry_.params();
    const NetworkId& network_id = registry_.network_id();
    HOLDFAST_ASSIGN(verdict, verify_seal_proof(params, network_id, registration, known, body));
    if (verdict.reason != Reason::kBadSealing || !verdict.index) return verdict;
    const auto pending = check_seal_proof(params, network_id, registration, known, body);
    if (!pending) return pending.error();
    const auto evidence = make_bad_seal(registration, *pending, CellIndex(*verdict.index));
    if (evidence) report_.evidence = wrap_object(Kind::kEvidence, evidence->encode());
    return verdict;
}

/// Each must be taken, and change the state, as it did for the operator.
Status Replay::take_objects() {
    if (held_.empty()) return {};
    held_bytes_ = 0;
    const ReplayReport before = report_;
    std::size_t taken = 0;
    Status together = take_held(taken);
    if (together || together.error().code != ErrorCode::kRefused) {
        if (together) held_.clear();
        return together;
    }
    // Those before the one that is refused are taken, and nothing behind it.
    report_ = before;
    std::vector<Bytes> objects = std::exchange(held_, {});
    const auto refused = objects.begin() + static_cast<std::ptrdiff_t>(taken);
    std::size_t ignored = 0;
    held_.assign(std::make_move_iterator(objects.begin()), std::make_move_iterator(refused));
    if (!held_.empty()) HOLDFAST_TRY(take_held(ignored));
    first_held_ += taken;
    held_.assign(1, std::move(*refused));
    const Status alone = take_held(ignored);
    held_.clear();
    // What was refused among the others holds by itself: nothing that Registry::accept() does.
    return alone ? together : alone;
}

/// All that are held or none. `holding`: so many, before the first that is refused.
Status Replay::take_held(std::size_t& holding) {
    const std::vector<ByteView> views(held_.begin(), held_.end());
    const SealCheck check = [this](const Registration& registration, const SealContext& known,
                                   ByteView body) { return check_seal(registration, known, body); };
    HOLDFAST_ASSIGN(outcomes, registry_.accept_all(views, check));
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        holding = i;
        if (outcomes[i].verdict && outcomes[i].entry) continue;
        const std::string what = named(first_held_ + i);
        if (!outcomes[i].verdict) return fail_refused(outcomes[i].verdict, what);
        return fail_refused(Reason::kAlreadySettled,
                            what + " changes nothing, so no operator appends it");
    }
    report_.entries += held_.size();
    return {};
}

Status Replay::finish() { return take_objects(); }

Status Replay::compare(const JournalHead& head) {
    HOLDFAST_TRY(take_objects());
    const Verdict signed_by = check_head(registry_.params(), registry_.network_id(), head);
    if (!signed_by) return fail_refused(signed_by, named(head.height));
    HOLDFAST_TRY(begin(head.size));
    if (head.size < stands_->origin) return {};
    Result<Bytes> found = registry_.head_of(head.height);
    if (!found && found.error().code == ErrorCode::kNotFound) {
        return fail_refused(Reason::kTooEarly, named(head.height));
    }
    HOLDFAST_ASSIGN(own_bytes, std::move(found));
    own_bytes.resize(kHeadBytes);
    const Checked<JournalHead> own = JournalHead::decode(own_bytes);
    if (!own) return fail_refused(own.error(), named(head.height));
    if (own->block_hash != head.block_hash) {
        return fail_refused(Reason::kWrongBlock, named(head.height));
    }
    if (own->size != head.size || own->root != head.root) {
        return fail_refused(Reason::kBadPath, named(head.height) + ", of another journal");
    }
    if (own->global != head.global) {
        return fail_refused(Reason::kGlobalMismatch, named(head.height));
    }
    if (own->state != head.state) {
        return fail_refused(Reason::kBadSum, named(head.height) + ": another state");
    }
    ++report_.heads;
    return {};
}

Status replay_journal(Registry& registry, Blockchain& chain, const std::filesystem::path& journal,
                      const ReplayOptions& options, ReplayReport& report) {
    Replay replay(registry, chain, options);
    JournalVisitor visitor;
    visitor.entry = [&](std::uint64_t number, HistoryEntry entry) {
        return replay.take(number, entry);
    };
    visitor.head = [&](const JournalHead& head) { return replay.compare(head); };
    visitor.step = options.step;
    Status done = read_journal(journal, registry.params(), visitor);
    if (done) done = replay.finish();
    report = replay.report();
    return done;
}

Result<ReplayReport> replay_journal(Registry& registry, Blockchain& chain,
                                    const std::filesystem::path& journal,
                                    const ReplayOptions& options) {
    ReplayReport report;
    HOLDFAST_TRY(replay_journal(registry, chain, journal, options, report));
    return report;
}

}  // namespace holdfast
