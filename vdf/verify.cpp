#include "vdf/verify.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <numeric>

#include "core/codec.hpp"
#include "core/hash.hpp"
#include "core/merkle.hpp"

namespace holdfast {
namespace {

// Steps between two looks at stop and at what other groups have found: a few ms for a full group.
constexpr std::uint64_t kVerifySliceSteps = std::uint64_t{1} << 12;
constexpr std::size_t kMaxGroup = 128;

/// What every object about one evaluation begins with. Spec 6, proof (1), (3) and (4).
template <class T>
Verdict check_head(const VdfContext& context, const T& object) {
    HOLDFAST_REQUIRE_OK(context.params.check_vdf(object.params));
    if (object.height != context.height) return Reason::kWrongHeight;
    if (object.input != context.input) return Reason::kVdfInput;
    return Verdict::ok();
}

Verdict check_signed(const VdfContext& context, const Digest& root, const VdfOutput& y,
                     const PublicKey& evaluator, const Signature& signature) {
    if (!key_is_canonical(evaluator)) return Reason::kBadKey;
    const Digest message =
        vdf_signing_digest(context.network_id, context.height, context.input, root, y);
    if (!verify_signature(evaluator, view(message), signature).accepted()) {
        return Reason::kVdfSignature;
    }
    return Verdict::ok();
}

Digest start_of(const VdfContext& context) {
    return vdf_start(context.network_id, context.params.vdf, context.epoch_seed, context.input);
}

std::uint64_t leaves_of(const VdfParams& params) { return std::uint64_t{params.checkpoints} + 1; }

Status check_arena(const VdfContext& context, const ArenaView& arena) {
    if (arena.serves(context.params.vdf, context.epoch, context.epoch_seed)) return {};
    return fail(ErrorCode::kInvalidArgument, "the arena is not that of the epoch and parameters");
}

/// Recomputes some segments, in groups that a kernel walks side by side.
class SegmentCheck {
  public:
    /// One segment to recompute: where it starts and what it must lead to.
    struct Item {
        std::uint32_t segment = 0;
        Digest from;
        Digest to;
    };

    /// `items` ascending by segment.
    SegmentCheck(const ArenaView& arena, const VdfParams& params, std::vector<Item> items,
                 const VdfVerifyOptions& options)
        : arena_(arena),
          params_(params),
          items_(std::move(items)),
          options_(options),
          kernel_(options.kernel != nullptr ? *options.kernel : best_walk_kernel()) {
        HOLDFAST_CHECK(kernel_.width >= 1 && kernel_.width <= kMaxGroup);
    }

    Result<Verdict> run();

  private:
    void run_group(std::size_t group);
    bool walk(std::span<WalkState> states, std::size_t first);

    const ArenaView& arena_;
    const VdfParams& params_;
    const std::vector<Item> items_;
    const VdfVerifyOptions& options_;
    const WalkKernel& kernel_;
    // Index into items_ of the lowest bad one so far. A group that lies wholly behind it need not
    // be walked; every group before it is, so that the result is the same for any order of groups.
    std::atomic<std::size_t> first_bad_{SIZE_MAX};
    std::atomic<std::uint64_t> done_{0};
    std::atomic<bool> stopped_{false};
};

Result<Verdict> SegmentCheck::run() {
    const std::size_t groups = (items_.size() + kernel_.width - 1) / kernel_.width;
    const auto body = [this](std::size_t group) { run_group(group); };
    if (options_.parallel) {
        options_.parallel(groups, body);
    } else {
        for (std::size_t group = 0; group < groups; ++group) body(group);
    }
    if (stopped_) return fail(ErrorCode::kInterrupted, "verification stopped");
    if (first_bad_ == SIZE_MAX) return Verdict::ok();
    return Verdict{Reason::kVdfSegment, items_[first_bad_].segment};
}

/// False when the walk was given up.
bool SegmentCheck::walk(std::span<WalkState> states, std::size_t first) {
    for (std::uint64_t left = params_.steps_per_checkpoint; left > 0;) {
        if (options_.stop && options_.stop()) stopped_ = true;
        if (stopped_ || first_bad_ < first) return false;
        const std::uint64_t steps = std::min(left, kVerifySliceSteps);
        walk_states(&kernel_, arena_, states, steps);
        left -= steps;
    }
    return true;
}

void SegmentCheck::run_group(std::size_t group) {
    const std::size_t first = group * kernel_.width;
    const std::size_t count = std::min(kernel_.width, items_.size() - first);
    std::array<WalkState, kMaxGroup> states;
    for (std::size_t s = 0; s < count; ++s) states[s] = vdf_expand(items_[first + s].from);
    if (!walk({states.data(), count}, first)) return;
    for (std::size_t s = 0; s < count; ++s) {
        const Item& item = items_[first + s];
        if (vdf_gate(states[s], std::uint64_t{item.segment} + 1) == item.to) continue;
        std::size_t lowest = first_bad_;
        while (first + s < lowest && !first_bad_.compare_exchange_weak(lowest, first + s)) {
        }
        break;
    }
    const std::uint64_t done = done_ += count;
    if (options_.progress) options_.progress(done, items_.size());
}

Result<Verdict> check_segments(const VdfContext& context, const VdfProof& proof,
                               std::span<const std::uint32_t> segments, const ArenaView& arena,
                               const VdfVerifyOptions& options) {
    std::vector<SegmentCheck::Item> items;
    items.reserve(segments.size());
    for (const std::uint32_t i : segments) {
        items.push_back({i, proof.checkpoints[i], proof.checkpoints[std::size_t{i} + 1]});
    }
    return SegmentCheck(arena, context.params.vdf, std::move(items), options).run();
}

/// Both paths of a segment, whose head has been checked, lead to one root: that root.
/// Spec 6, segment: both paths lead to one root.
Checked<Digest> segment_root(const VdfSegment& segment) {
    const std::uint64_t leaves = leaves_of(segment.params);
    const std::uint64_t i = segment.i;
    if (i >= segment.params.checkpoints) return refuse(Reason::kBadIndex);
    HOLDFAST_ASSIGN(root, root_from_path(leaves, i, leaf_hash(view(segment.d_i)), segment.path_i));
    HOLDFAST_ASSIGN(root_next,
                    root_from_path(leaves, i + 1, leaf_hash(view(segment.d_i1)), segment.path_i1));
    if (root != root_next) return refuse(Reason::kBadPath);
    return root;
}

Result<Verdict> check_one_segment(const VdfContext& context, const VdfSegment& segment,
                                  const ArenaView& arena, const VdfVerifyOptions& options) {
    return SegmentCheck(arena, context.params.vdf, {{segment.i, segment.d_i, segment.d_i1}},
                        options)
        .run();
}

}  // namespace

VdfContext make_vdf_context(const NetworkParams& params, const NetworkId& network_id, Height height,
                            const Seed& input, const VdfOutput& epoch_source) {
    const std::uint64_t epoch = epoch_of(params, height);
    return {params, network_id, height,
            input,  epoch,      holdfast::epoch_seed(network_id, epoch, epoch_source)};
}

// Spec 6, proof (1) to (8): what needs no arena.
Verdict verify_vdf_claim(const VdfContext& context, const VdfProof& proof) {
    HOLDFAST_REQUIRE_OK(check_head(context, proof));
    if (proof.checkpoints.size() != leaves_of(proof.params)) return Reason::kBadField;
    HOLDFAST_REQUIRE_OK(check_signed(context, checkpoints_root(proof.checkpoints), proof.y,
                                     proof.evaluator, proof.signature));
    if (proof.checkpoints.front() != start_of(context)) return Reason::kVdfStart;
    if (proof.y != vdf_output(proof.checkpoints.back(), proof.params)) {
        return Reason::kVdfOutputMismatch;
    }
    return Verdict::ok();
}

Result<Verdict> verify_vdf_full(const VdfContext& context, const VdfProof& proof,
                                const ArenaView& arena, const VdfVerifyOptions& options) {
    HOLDFAST_TRY(check_arena(context, arena));
    const Verdict claim = verify_vdf_claim(context, proof);
    if (!claim.accepted()) return claim;
    std::vector<std::uint32_t> all(proof.params.checkpoints);
    std::iota(all.begin(), all.end(), std::uint32_t{0});
    return check_segments(context, proof, all, arena, options);
}

Result<Verdict> verify_vdf_spot(const VdfContext& context, const VdfProof& proof,
                                std::span<const std::uint32_t> segments, const ArenaView& arena,
                                const VdfVerifyOptions& options) {
    HOLDFAST_TRY(check_arena(context, arena));
    std::vector<std::uint32_t> picked(segments.begin(), segments.end());
    std::sort(picked.begin(), picked.end());
    picked.erase(std::unique(picked.begin(), picked.end()), picked.end());
    if (picked.empty() || picked.back() >= context.params.vdf.checkpoints) {
        return fail(
            ErrorCode::kInvalidArgument,
            "a spot check needs at least one segment, each below the number of checkpoints");
    }
    const Verdict claim = verify_vdf_claim(context, proof);
    if (!claim.accepted()) return claim;
    return check_segments(context, proof, picked, arena, options);
}

std::vector<std::uint32_t> pick_spot_segments(const Digest& randomness, std::uint32_t checkpoints,
                                              std::uint32_t count) {
    HOLDFAST_CHECK(checkpoints >= 1 && checkpoints <= kMaxCheckpoints);
    std::vector<std::uint32_t> all(checkpoints);
    std::iota(all.begin(), all.end(), std::uint32_t{0});
    count = std::min(count, checkpoints);
    // A 64-bit word modulo at most 2^16 is uniform to within 2^-48: nothing that a sample of
    // segments could show. The first `count` places of a Fisher-Yates shuffle.
    for (std::uint32_t j = 0; j < count; ++j) {
        const Digest h = tagged_hash("vdf/spot", randomness, j);
        const auto r = static_cast<std::uint32_t>(load_le64(h.data()) % (checkpoints - j));
        std::swap(all[j], all[j + r]);
    }
    all.resize(count);
    std::sort(all.begin(), all.end());
    return all;
}

Verdict verify_segment_paths(const VdfContext& context, const VdfSegment& segment,
                             const Digest& root) {
    HOLDFAST_REQUIRE_OK(check_head(context, segment));
    const Checked<Digest> found = segment_root(segment);
    if (!found) return found.error();
    if (*found != root) return Reason::kBadPath;
    if (segment.i == 0 && segment.d_i != start_of(context)) return Reason::kVdfStart;
    return Verdict::ok();
}

Result<Verdict> verify_vdf_segment(const VdfContext& context, const VdfSegment& segment,
                                   const Digest& root, const ArenaView& arena,
                                   const VdfVerifyOptions& options) {
    HOLDFAST_TRY(check_arena(context, arena));
    const Verdict paths = verify_segment_paths(context, segment, root);
    if (!paths.accepted()) return paths;
    return check_one_segment(context, segment, arena, options);
}

// Spec 6, proof (1) to (8), of a proof whose ends alone are at hand.
Checked<Digest> check_vdf_ends(const VdfContext& context, const VdfEndEvidence& start,
                               const VdfEndEvidence& output) {
    std::array<Digest, 2> roots;
    for (const VdfEndEvidence* end : {&start, &output}) {
        const bool first = end == &start;
        HOLDFAST_CHECK(end->end ==
                       (first ? VdfEndEvidence::End::kStart : VdfEndEvidence::End::kOutput));
        const Verdict offence = verify_end_evidence(context, *end);
        if (offence.accepted()) {
            return refuse(first ? Reason::kVdfStart : Reason::kVdfOutputMismatch);
        }
        if (offence.reason != Reason::kNoOffence) return refuse(offence.reason);
        HOLDFAST_ASSIGN(root, root_from_path(leaves_of(end->params), end->leaf(),
                                             leaf_hash(view(end->d)), end->path));
        roots[first ? 0 : 1] = root;
    }
    if (roots[0] != roots[1] || start.y != output.y) return refuse(Reason::kBadPath);
    if (start.evaluator != output.evaluator) return refuse(Reason::kVdfSignature);
    return roots[0];
}

Result<Verdict> verify_vdf_segments(const VdfContext& context, std::span<const VdfSegment> segments,
                                    const Digest& root, const ArenaView& arena,
                                    const VdfVerifyOptions& options) {
    HOLDFAST_TRY(check_arena(context, arena));
    std::vector<SegmentCheck::Item> items;
    for (const VdfSegment& segment : segments) {
        if (!items.empty() && segment.i <= items.back().segment) return Verdict(Reason::kBadIndex);
        const Verdict paths = verify_segment_paths(context, segment, root);
        if (!paths.accepted()) return paths;
        items.push_back({segment.i, segment.d_i, segment.d_i1});
    }
    return SegmentCheck(arena, context.params.vdf, std::move(items), options).run();
}

// Spec 11, kind 4, but for the segment itself.
Verdict check_segment_evidence(const VdfContext& context, const VdfSegmentEvidence& evidence) {
    HOLDFAST_REQUIRE_OK(check_head(context, evidence.segment));
    const Checked<Digest> root = segment_root(evidence.segment);
    if (!root) return root.error();
    return check_signed(context, *root, evidence.y, evidence.evaluator, evidence.signature);
}

Result<Verdict> verify_segment_evidence(const VdfContext& context,
                                        const VdfSegmentEvidence& evidence, const ArenaView& arena,
                                        const VdfVerifyOptions& options) {
    HOLDFAST_TRY(check_arena(context, arena));
    const Verdict form = check_segment_evidence(context, evidence);
    if (!form.accepted()) return form;
    HOLDFAST_ASSIGN(walked, check_one_segment(context, evidence.segment, arena, options));
    return walked.accepted() ? Verdict(Reason::kNoOffence) : Verdict::ok();
}

// Spec 11, kinds 7 and 8.
Verdict verify_end_evidence(const VdfContext& context, const VdfEndEvidence& evidence) {
    HOLDFAST_REQUIRE_OK(check_head(context, evidence));
    const Checked<Digest> root = root_from_path(leaves_of(evidence.params), evidence.leaf(),
                                                leaf_hash(view(evidence.d)), evidence.path);
    if (!root) return root.error();
    HOLDFAST_REQUIRE_OK(
        check_signed(context, *root, evidence.y, evidence.evaluator, evidence.signature));
    const bool right = evidence.end == VdfEndEvidence::End::kStart
                           ? evidence.d == start_of(context)
                           : evidence.y == vdf_output(evidence.d, evidence.params);
    return right ? Verdict(Reason::kNoOffence) : Verdict::ok();
}

}  // namespace holdfast
