#include "api/light_output.hpp"

#include <algorithm>
#include <chrono>

#include "proofs/entropy.hpp"
#include "storage/parallel.hpp"
#include "storage/randomness.hpp"
#include "vdf/walk.hpp"

namespace holdfast {
namespace {

class Timer {
  public:
    explicit Timer(double& seconds) : seconds_(seconds) {}
    ~Timer() {
        seconds_ +=
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

  private:
    double& seconds_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// A node that has no proof cannot be held to anything.
tl::unexpected<Error> no_proof(Height height, const Error& why) {
    return fail(ErrorCode::kUnavailable,
                "y of height " + std::to_string(height.value) +
                    " cannot be checked, the node hands out no VDF proof of it: " + why.message);
}

bool is_missing(const Error& error) {
    return error.code == ErrorCode::kNotFound || error.code == ErrorCode::kUnavailable ||
           error.verdict.reason == Reason::kBadKind;
}

}  // namespace

std::string_view to_string(LightY how) {
    static constexpr std::string_view kNames[] = {"none", "spot", "full"};
    return kNames[static_cast<std::size_t>(how)];
}

std::optional<LightY> parse_light_y(std::string_view word) {
    for (const LightY how : {LightY::kNone, LightY::kSpot, LightY::kFull}) {
        if (word == to_string(how)) return how;
    }
    return std::nullopt;
}

LightOutputs::LightOutputs(const NetworkParams& params, LightOutputOptions options)
    : params_(params), network_id_(params.id()), options_(std::move(options)) {}

std::vector<CheckedOutput> LightOutputs::checked() const {
    std::vector<CheckedOutput> out;
    for (const auto& [key, segments] : checked_) {
        out.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), segments});
    }
    return out;
}

void LightOutputs::note(const CheckedOutput& one) {
    std::uint32_t& segments = checked_[{one.height, one.block_hash, one.y}];
    segments = std::max(segments, one.segments);
}

bool LightOutputs::is_checked(const PublicHeight& facts, std::uint32_t segments) const {
    const auto found = checked_.find({facts.block.height, facts.block.hash, *facts.y});
    return found != checked_.end() && found->second >= segments;
}

VdfVerifyOptions LightOutputs::verifying() const {
    VdfVerifyOptions out;
    out.parallel = pool_parallel(options_.threads);
    out.stop = options_.stop;
    if (options_.progress) {
        out.progress = [this](std::uint64_t done, std::uint64_t total) {
            options_.progress("verifying", done, total);
        };
    }
    return out;
}

// Spec 5: the one beacon round of the block's time, accepted by the beacon's own check.
Checked<Seed> LightOutputs::seed_of(const PublicHeight& facts) const {
    std::optional<BeaconRandomness> beacon;
    if (params_.has_beacon) {
        if (!facts.beacon) return refuse(Reason::kBadBeacon);
        HOLDFAST_ASSIGN(round, beacon_round(params_, facts.block.time_ms / 1'000));
        const PublicRecord nothing(params_);
        const Status holds = PublicBeacon(nothing).verify(round, *facts.beacon);
        if (!holds || facts.beacon->round != round) return refuse(Reason::kBadBeacon);
        beacon = BeaconRandomness{round, facts.beacon->randomness};
    }
    return make_seed(params_, network_id_, facts.block.height, facts.block.hash, beacon);
}

Result<std::optional<Height>> LightOutputs::source_of(const Fetch& fetch, Height height) const {
    return epoch_source_with_y(params_, epoch_of(params_, height),
                               [&](Height source) -> Result<bool> {
                                   HOLDFAST_ASSIGN(facts, fetch(source));
                                   return facts.y.has_value();
                               });
}

Result<std::shared_ptr<const VdfArena>> LightOutputs::arena(const VdfContext& context) {
    if (arena_ && arena_->epoch() == context.epoch && arena_->epoch_seed() == context.epoch_seed) {
        return arena_;
    }
    arena_.reset();
    FillOptions fill;
    fill.parallel = pool_parallel(options_.threads);
    fill.stop = options_.stop;
    if (options_.progress) {
        fill.progress = [this](std::uint64_t done, std::uint64_t total) {
            options_.progress("filling the arena", done, total);
        };
    }
    HOLDFAST_ASSIGN(filled, VdfArena::fill(params_.vdf, context.epoch, context.epoch_seed, fill));
    arena_ = std::move(filled);
    return arena_;
}

/// Segments are drawn when the root is fixed, and nobody knows which before.
Result<Verdict> LightOutputs::spot(const PublicClient& node, const VdfContext& context,
                                   const VdfOutput& y) {
    const Result<PublicSegments> ends = node.segments(context.height, {});
    if (!ends && is_missing(ends.error())) return no_proof(context.height, ends.error());
    if (!ends) return fail(ends.error());
    const Checked<Digest> root = check_vdf_ends(context, ends->start, ends->output);
    if (!root) return Verdict(root.error());
    if (ends->output.y != y) return Verdict(Reason::kVdfOutputMismatch);
    Digest randomness;
    HOLDFAST_TRY(random_bytes(randomness.bytes));
    const std::vector<std::uint32_t> drawn =
        pick_spot_segments(randomness, params_.vdf.checkpoints, options_.segments);
    HOLDFAST_ASSIGN(opened, node.segments(context.height, drawn));
    if (opened.start != ends->start || opened.output != ends->output) {
        return Verdict(Reason::kBadPath);
    }
    const Timer timer(seconds_);
    HOLDFAST_ASSIGN(filled, arena(context));
    return verify_vdf_segments(context, opened.segments, *root, filled->view(), verifying());
}

Result<Verdict> LightOutputs::full(const PublicClient& node, const VdfContext& context,
                                   const VdfOutput& y) {
    const Result<FollowOutput> said = node.output(context.height);
    if (!said && is_missing(said.error())) return no_proof(context.height, said.error());
    if (!said) return fail(said.error());
    if (said->proof.empty()) return no_proof(context.height, {ErrorCode::kNotFound, "not kept"});
    const Checked<ByteView> body = unwrap_object(Kind::kVdfProof, said->proof);
    if (!body) return Verdict(body.error());
    const Checked<VdfProof> proof = VdfProof::decode(*body);
    if (!proof) return Verdict(proof.error());
    if (proof->y != y) return Verdict(Reason::kVdfOutputMismatch);
    const Timer timer(seconds_);
    const Verdict claim = verify_vdf_claim(context, *proof);
    if (!claim) return claim;
    HOLDFAST_ASSIGN(filled, arena(context));
    return verify_vdf_full(context, *proof, filled->view(), verifying());
}

Result<Verdict> LightOutputs::check_one(const PublicClient& node, const PublicHeight& facts,
                                        const Seed& seed, const VdfOutput& source, LightY how) {
    const VdfContext context =
        make_vdf_context(params_, network_id_, facts.block.height, seed, source);
    const bool all = how == LightY::kFull || options_.segments >= params_.vdf.checkpoints;
    HOLDFAST_ASSIGN(verdict, all ? full(node, context, *facts.y) : spot(node, context, *facts.y));
    if (verdict) {
        note({facts.block.height, facts.block.hash, *facts.y,
              all ? params_.vdf.checkpoints : options_.segments});
    }
    return verdict;
}

Result<Verdict> LightOutputs::check(const PublicClient& node, const Fetch& fetch, Height height) {
    // From the height down to an epoch that needs no other; checked from the lowest up.
    std::vector<PublicHeight> chain;
    VdfOutput source = genesis_output(network_id_);
    const std::uint32_t wanted = options_.how == LightY::kFull
                                     ? params_.vdf.checkpoints
                                     : std::min(options_.segments, params_.vdf.checkpoints);
    for (std::optional<Height> next = height; next;) {
        HOLDFAST_ASSIGN(facts, fetch(*next));
        if (!facts.y) return Verdict(Reason::kNoEntropy);
        if (params_.has_vdf && options_.how == LightY::kNone) return Verdict::ok();
        if (is_checked(facts, wanted)) {
            source = *facts.y;
            break;
        }
        // Of the source a spot check takes the digest's word (light_client.hpp).
        if (!chain.empty() && options_.how != LightY::kFull) {
            source = *facts.y;
            break;
        }
        chain.push_back(std::move(facts));
        if (!params_.has_vdf) break;
        HOLDFAST_ASSIGN(below, source_of(fetch, *next));
        next = below;
    }
    for (auto at = chain.rbegin(); at != chain.rend(); ++at) {
        const Checked<Seed> seed = seed_of(*at);
        if (!seed) return Verdict(seed.error());
        if (!params_.has_vdf) {
            return Verdict(*at->y == seed_as_output(*seed) ? Reason::kOk : Reason::kWrongOutput);
        }
        HOLDFAST_ASSIGN(verdict, check_one(node, *at, *seed, source, options_.how));
        if (!verdict) return verdict;
        source = *at->y;
    }
    return Verdict::ok();
}

}  // namespace holdfast
