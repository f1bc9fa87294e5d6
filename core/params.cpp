#include "core/params.hpp"

#include <algorithm>
#include <bit>

#include "core/hash.hpp"
#include "core/keys.hpp"

namespace holdfast {

// Spec 3, seal parameters.
void SealParams::encode(Writer& w) const {
    w.u8(kProtocolVersion).u32(window_chunks).u64(work_blocks);
}

SealParams SealParams::decode(Reader& r) {
    if (r.u8() != kProtocolVersion) r.refuse(Reason::kBadVersion);
    SealParams p;
    p.window_chunks = r.u32();
    p.work_blocks = r.u64();
    return p;
}

// Spec 1, bounds.
Verdict SealParams::validate() const {
    if (window_chunks < kMinWindowChunks || window_chunks > kMaxWindowChunks) {
        return Reason::kSealPolicy;
    }
    const std::uint64_t least_work = std::uint64_t{32} * window_chunks;
    if (work_blocks < least_work || work_blocks > kMaxWorkBlocks) return Reason::kSealPolicy;
    return Verdict::ok();
}

std::string_view seal_preset_name(const SealParams& params) {
    if (params == kSealStandard) return "standard";
    if (params == kSealHardened) return "hardened";
    if (params == kSealEconomy) return "economy";
    if (params == kSealDev) return "dev";
    return "";
}

std::optional<SealParams> seal_preset(std::string_view name) {
    for (const SealParams& p : {kSealStandard, kSealHardened, kSealEconomy, kSealDev}) {
        if (seal_preset_name(p) == name) return p;
    }
    return std::nullopt;
}

// Spec 6.
void VdfParams::encode(Writer& w) const {
    w.u8(kProtocolVersion).u32(arena_kib).u32(passes).u32(lanes);
    w.u64(steps_per_checkpoint).u32(checkpoints);
}

VdfParams VdfParams::decode(Reader& r) {
    if (r.u8() != kProtocolVersion) r.refuse(Reason::kBadVersion);
    VdfParams p;
    p.arena_kib = r.u32();
    p.passes = r.u32();
    p.lanes = r.u32();
    p.steps_per_checkpoint = r.u64();
    p.checkpoints = r.u32();
    return p;
}

// Spec 1, bounds.
Verdict VdfParams::validate() const {
    if (!std::has_single_bit(arena_kib) || !std::has_single_bit(lanes)) return Reason::kVdfPolicy;
    if (passes < 1 || passes > kMaxVdfPasses) return Reason::kVdfPolicy;
    if (std::uint64_t{8} * lanes > arena_kib || arena_kib > kMaxArenaKib) return Reason::kVdfPolicy;
    if (checkpoints < 1 || checkpoints > kMaxCheckpoints) return Reason::kVdfPolicy;
    if (steps_per_checkpoint < 1 || steps_per_checkpoint > kMaxVdfSteps / checkpoints) {
        return Reason::kVdfPolicy;
    }
    return Verdict::ok();
}

NetworkParams NetworkParams::preset(std::uint8_t version) {
    NetworkParams p;
    p.version = version;
    if (version == kParamsVersion1) return p;
    // A replica of which a quarter is sealed passes a draw of two windows once in 18 tries, a draw
    // of four once in 514 (spec 1).
    p.seal_windows = 4;
    // Liars with a third of what challengers have at stake suspend an honest chain in under 1% of
    // heights (docs/security.md).
    p.quorum = 7;
    p.quorum_of = 9;
    // Amounts relative to one another: one chain or challenger can harm its own rewards alone; a
    // checkpoint or a y misleads everybody who believes it; the operator orders everything.
    p.least_chain_part = 1'000;
    p.least_challenger_part = 1'000;
    p.least_submitter_part = 10'000;
    p.least_evaluator_part = 10'000;
    p.least_operator_part = 100'000;
    p.max_challengers = 4'096;
    return p;
}

// Spec 1, network parameters (kind 19).
Bytes NetworkParams::encode() const {
    Writer w(512);
    w.u8(version).u64(name.size()).raw(view(name));
    w.height(genesis_height).u32(block_ms).u32(finality_blocks);
    w.u8(static_cast<std::uint8_t>((has_beacon ? 1 : 0) | (has_vdf ? 2 : 0)));
    w.u64(beacon_key.size()).raw(beacon_key);
    w.u64(beacon_genesis_s).u32(beacon_period_s).u32(beacon_delay_s);
    if (has_vdf) {
        vdf.encode(w);
        w.u32(epoch_blocks).u32(epoch_lag);
    } else {
        w.raw(std::array<std::uint8_t, kVdfParamsBytes + 8>{});
    }
    w.u32(static_cast<std::uint32_t>(seal_presets.size()));
    for (const SealParams& p : seal_presets) p.encode(w);
    w.u32(seal_delay).u32(seal_deadline).u32(seal_windows).u32(audit_windows);
    w.u32(seal_cells).u32(audits_per_block);
    w.u32(link_lag).u32(rate_window).u32(misses_late).u32(misses_expired).u32(proof_deadline);
    w.u32(availability_n).u32(availability_d).u32(availability_chunks).u32(deadline_ms);
    w.u32(quorum).u32(quorum_of).u32(quorum_window);
    w.u32(group_slots).u32(region_groups).u32(removal_delay).u32(liability_blocks);
    w.u32(checkpoint_blocks).u32(min_chunks);
    if (version == kParamsVersion2) {
        w.u64(least_chain_part).u64(least_challenger_part).u64(least_submitter_part);
        w.u64(least_evaluator_part).u64(least_operator_part);
        w.u32(max_challengers).fixed(operator_key);
    }
    return w.take();
}

Checked<NetworkParams> NetworkParams::decode(ByteView body) {
    Reader r(body);
    NetworkParams p;
    p.version = r.u8();
    if (p.version != kParamsVersion1 && p.version != kParamsVersion2) {
        r.refuse(Reason::kBadVersion);
    }
    const std::uint64_t name_bytes = r.u64();
    if (name_bytes > kMaxNameBytes) r.refuse(Reason::kTooLarge);
    const ByteView name = r.raw(name_bytes);
    p.name.assign(name.begin(), name.end());
    p.genesis_height = r.height();
    p.block_ms = r.u32();
    p.finality_blocks = r.u32();
    const std::uint8_t flags = r.u8();
    if ((flags & ~3U) != 0) r.refuse(Reason::kBadField);
    p.has_beacon = (flags & 1U) != 0;
    p.has_vdf = (flags & 2U) != 0;
    const std::uint64_t key_bytes = r.u64();
    if (key_bytes > kMaxBeaconKeyBytes) r.refuse(Reason::kTooLarge);
    const ByteView key = r.raw(key_bytes);
    p.beacon_key.assign(key.begin(), key.end());
    p.beacon_genesis_s = r.u64();
    p.beacon_period_s = r.u32();
    p.beacon_delay_s = r.u32();
    if (p.has_vdf) {
        p.vdf = VdfParams::decode(r);
        p.epoch_blocks = r.u32();
        p.epoch_lag = r.u32();
    } else {
        const ByteView zeros = r.raw(kVdfParamsBytes + 8);
        if (!std::all_of(zeros.begin(), zeros.end(), [](auto b) { return b == 0; })) {
            r.refuse(Reason::kNotCanonical);
        }
        p.epoch_blocks = p.epoch_lag = 0;
    }
    const std::uint32_t presets = r.u32();
    if (presets > kMaxSealPresets) r.refuse(Reason::kTooLarge);
    p.seal_presets.clear();
    for (std::uint32_t i = 0; i < presets && !r.failed(); ++i) {
        p.seal_presets.push_back(SealParams::decode(r));
    }
    for (std::uint32_t* field :
         {&p.seal_delay,     &p.seal_deadline,       &p.seal_windows,      &p.audit_windows,
          &p.seal_cells,     &p.audits_per_block,    &p.link_lag,          &p.rate_window,
          &p.misses_late,    &p.misses_expired,      &p.proof_deadline,    &p.availability_n,
          &p.availability_d, &p.availability_chunks, &p.deadline_ms,       &p.quorum,
          &p.quorum_of,      &p.quorum_window,       &p.group_slots,       &p.region_groups,
          &p.removal_delay,  &p.liability_blocks,    &p.checkpoint_blocks, &p.min_chunks}) {
        *field = r.u32();
    }
    if (p.version == kParamsVersion2) {
        for (std::uint64_t* field :
             {&p.least_chain_part, &p.least_challenger_part, &p.least_submitter_part,
              &p.least_evaluator_part, &p.least_operator_part}) {
            *field = r.u64();
        }
        p.max_challengers = r.u32();
        p.operator_key = r.fixed<PublicKey>();
    }
    if (const Verdict v = r.finish(); !v) return refuse(v);
    if (const Verdict v = p.validate(); !v) return refuse(v);
    return p;
}

namespace {

/// Bytes of `count` opened parts of `width` each with the hashes beside their paths, at most, in a
/// tree of that depth.
std::uint64_t most_opened_bytes(std::uint64_t count, std::uint64_t width, std::uint64_t depth) {
    const std::uint64_t shared = std::min<std::uint64_t>(depth, std::bit_width(count) - 1);
    return count * (width + kDigestBytes * (depth - shared));
}

// Spec 1, bounds: what these parameters can produce has room in a message (spec 13).
bool objects_travel(const NetworkParams& p) {
    constexpr std::uint64_t kMost = std::uint64_t{1} << 16;  // above it nothing fits anyway
    const std::uint64_t windows = std::max(p.seal_windows, p.audit_windows);
    if (windows > kMost || p.seal_cells > kMost || p.availability_chunks > kMost) return false;
    constexpr std::uint64_t kSealProofFixed = 32 + 8 + 64;
    constexpr std::uint64_t kResponseFixed = 32 + 64;
    const std::uint64_t seal_proof =
        kSealProofFixed + 2 * most_opened_bytes(windows * p.seal_cells, kCellBytes, kMaxCellPath);
    const std::uint64_t response =
        kResponseFixed +
        most_opened_bytes(p.availability_chunks, kChunkBytes, kMaxCellPath - kChunkTreeLevel);
    constexpr std::uint64_t kMostSealProof = 512 * 1024 - 2;  // version and kind are in front
    constexpr std::uint64_t kMostResponse = 64 * 1024 - 2;
    return seal_proof <= kMostSealProof && response <= kMostResponse;
}

}  // namespace

// Spec 1, bounds.
Verdict NetworkParams::validate() const {
    const auto ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    const std::uint64_t lag_and_finality = std::uint64_t{link_lag} + finality_blocks;
    const bool bounds[] = {
        /* 0 */ name.size() <= kMaxNameBytes && std::all_of(name.begin(), name.end(), ascii),
        /* 1 */ block_ms >= 1,
        /* 2 */ beacon_key.size() <= kMaxBeaconKeyBytes,
        /* 3 */
        has_beacon ? beacon_period_s >= 1
                   : beacon_key.empty() && beacon_genesis_s == 0 && beacon_period_s == 0 &&
                         beacon_delay_s == 0,
        /* 4 */ !has_vdf || vdf.validate().accepted(),
        /* 5 */ !has_vdf || (lag_and_finality + 1 < epoch_lag && epoch_lag <= epoch_blocks),
        /* 6 */ !seal_presets.empty() && seal_presets.size() <= kMaxSealPresets,
        /* 7 */
        std::all_of(seal_presets.begin(), seal_presets.end(),
                    [](const SealParams& p) { return p.validate().accepted(); }),
        /* 8 */ seal_delay > std::uint64_t{finality_blocks} + 1,
        /* 9 */ proof_deadline > lag_and_finality,
        /* 10 */ availability_d >= 1 && availability_n <= availability_d,
        /* 11 */ quorum <= quorum_of,
        /* 12 */ min_chunks >= kMinChunks && min_chunks <= kMaxChunks,
        /* 13 */ group_slots >= 1 && region_groups >= 1,
        /* 14 */ checkpoint_blocks >= 1 && availability_chunks >= 1,
        /* 15 */ seal_windows >= 1 && audit_windows >= 1 && seal_cells >= 1,
        /* 16 */ version_fields_fit(),
        /* 17 */ version != kParamsVersion2 || (quorum >= 1 && liability_blocks >= 1),
        /* 18 */
        version != kParamsVersion2 || (least_challenger_part >= 1 && max_challengers >= 1 &&
                                       max_challengers <= kMostChallengersInForce),
        /* 19 */ !has_operator() || check_registrable_key(operator_key).accepted(),
        /* 20 */ version != kParamsVersion2 || objects_travel(*this),
    };
    for (std::size_t i = 0; i < std::size(bounds); ++i) {
        if (!bounds[i]) return {Reason::kBadParameters, i};
    }
    return Verdict::ok();
}

/// A known version, and nothing of version 2 in version 1, where it would not be encoded.
bool NetworkParams::version_fields_fit() const {
    if (version == kParamsVersion2) return true;
    const bool nothing_more = least_chain_part == 0 && least_challenger_part == 0 &&
                              least_submitter_part == 0 && least_evaluator_part == 0 &&
                              least_operator_part == 0 && max_challengers == 0 && !has_operator();
    return version == kParamsVersion1 && nothing_more;
}

// Spec 1.
NetworkId NetworkParams::id() const {
    return NetworkId(tagged_hash("network", ByteView(encode())));
}

// Spec 3, registration (2).
Verdict NetworkParams::check_seal(const SealParams& params) const {
    const bool known =
        std::find(seal_presets.begin(), seal_presets.end(), params) != seal_presets.end();
    return known ? Reason::kOk : Reason::kSealPolicy;
}

// Spec 1, bounds: what a foreign object carries.
Verdict NetworkParams::check_vdf(const VdfParams& params) const {
    return has_vdf && params == vdf ? Reason::kOk : Reason::kVdfPolicy;
}

}  // namespace holdfast
