#include "api/replay.hpp"

#include "api/final_block.hpp"
#include "api/journal_file.hpp"
#include "proofs/entropy.hpp"

namespace holdfast {
namespace {

constexpr std::size_t kHeldAtMost = 512;  // objects that are judged together

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

Replay::Replay(Registry& registry, Blockchain& chain, ReplayOptions options)
    : registry_(registry), chain_(chain), options_(std::move(options)) {}

Status Replay::take(std::uint64_t number, const HistoryEntry& entry) {
    if (!stands_) {
        HOLDFAST_ASSIGN(size, registry_.journal());
        stands_ = size.entries;
    }
    if (number < *stands_) {
        HOLDFAST_ASSIGN(own, registry_.entries(number, 1));
        if (own.size() == 1 && own[0] == encode_entry(entry)) {
            ++report_.known;
            return {};
        }
        return fail(ErrorCode::kCorrupt,
                    named(number) + " is not the one that this registry took: the journal forks");
    }
    if (const auto* object = std::get_if<ObjectEntry>(&entry)) {
        if (held_.empty()) first_held_ = number;
        held_.push_back(object->object);
        return held_.size() < kHeldAtMost ? Status{} : take_objects();
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
    HOLDFAST_ASSIGN(block, final_block(chain_, entry.height));
    if (block.hash != entry.block_hash || block.time_ms != entry.time_ms) {
        return fail_refused(Reason::kWrongBlock,
                            "block " + std::to_string(entry.height.value) + " of the chain");
    }
    HOLDFAST_ASSIGN(outcome, registry_.on_final_block(block));
    return outcome.already_known ? fail_refused(Reason::kWrongHeight, "a block a second time")
                                 : Status{};
}

Status Replay::take_output(const OutputEntry& entry) {
    HOLDFAST_ASSIGN(holds, options_.check_y ? options_.check_y(entry.height, entry.y)
                                            : check_seed(registry_, entry.height, entry.y));
    const std::string what = "y of height " + std::to_string(entry.height.value);
    if (!holds) return fail_refused(holds, what);
    HOLDFAST_ASSIGN(taken, registry_.note_y(entry.height, entry.y));
    if (!taken) return fail_refused(taken, what);
    return {};
}

/// Each must be taken, and change the state, as it did for the operator.
Status Replay::take_objects() {
    if (held_.empty()) return {};
    const std::vector<ByteView> views(held_.begin(), held_.end());
    HOLDFAST_ASSIGN(outcomes, registry_.accept(views, options_.check_seal));
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        const std::uint64_t number = first_held_ + i;
        if (!outcomes[i].verdict) return fail_refused(outcomes[i].verdict, named(number));
        if (outcomes[i].entry != number) {
            return fail_refused(Reason::kAlreadySettled,
                                named(number) + " changes nothing, so no operator appends it");
        }
    }
    report_.entries += held_.size();
    held_.clear();
    return {};
}

Status Replay::finish() { return take_objects(); }

Status Replay::compare(const JournalHead& head) {
    HOLDFAST_TRY(take_objects());
    const Verdict signed_by = check_head(registry_.params(), registry_.network_id(), head);
    if (!signed_by) return fail_refused(signed_by, named(head.height));
    HOLDFAST_ASSIGN(own_bytes, registry_.head_of(head.height));
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

Result<ReplayReport> replay_journal(Registry& registry, Blockchain& chain,
                                    const std::filesystem::path& journal,
                                    const ReplayOptions& options) {
    Replay replay(registry, chain, options);
    JournalVisitor visitor;
    visitor.entry = [&](std::uint64_t number, HistoryEntry entry) {
        return replay.take(number, entry);
    };
    visitor.head = [&](const JournalHead& head) { return replay.compare(head); };
    HOLDFAST_TRY(read_journal(journal, registry.params(), visitor));
    HOLDFAST_TRY(replay.finish());
    return replay.report();
}

}  // namespace holdfast
