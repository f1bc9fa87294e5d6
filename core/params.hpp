// Network parameters: every consensus parameter, their canonical encoding, their bounds,
// network_id.
//
// Plain values. decode() and validate() are pure and part of the trusted rooms.
// Spec: docs/spec.md section 1.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/codec.hpp"
#include "core/constants.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// What sealing costs: one preset (spec 3).
struct SealParams {
    std::uint32_t window_chunks = 32'768;
    std::uint64_t work_blocks = 10'485'760;
    friend bool operator==(const SealParams&, const SealParams&) = default;

    void encode(Writer& w) const;
    /// Refuses kBadVersion only; bounds are validate()'s, policy is NetworkParams::check_seal's.
    static SealParams decode(Reader& r);
    /// kSealPolicy outside the bounds of every build.
    [[nodiscard]] Verdict validate() const;
};

inline constexpr SealParams kSealStandard{32'768, 10'485'760};
inline constexpr SealParams kSealHardened{32'768, 41'943'040};
inline constexpr SealParams kSealEconomy{65'536, 2'621'440};
inline constexpr SealParams kSealDev{256, 8'192};

/// "standard", "hardened", "economy" or "dev"; empty for parameters without a name.
std::string_view seal_preset_name(const SealParams& params);
std::optional<SealParams> seal_preset(std::string_view name);

/// The arena and the walk of the sequential function (spec 6).
struct VdfParams {
    std::uint32_t arena_kib = 262'144;
    std::uint32_t passes = 3;
    std::uint32_t lanes = 4;
    std::uint64_t steps_per_checkpoint = std::uint64_t{1} << 18;
    std::uint32_t checkpoints = 1'024;
    friend bool operator==(const VdfParams&, const VdfParams&) = default;

    void encode(Writer& w) const;
    static VdfParams decode(Reader& r);
    /// kVdfPolicy outside the bounds of every build.
    [[nodiscard]] Verdict validate() const;
    [[nodiscard]] std::uint64_t arena_bytes() const { return std::uint64_t{arena_kib} * 1024; }
    [[nodiscard]] std::uint64_t lines() const { return std::uint64_t{arena_kib} * kVdfLinesPerKib; }
    [[nodiscard]] std::uint64_t total_steps() const { return steps_per_checkpoint * checkpoints; }
};

/// Version of the parameters (kind 19). Under version 2 the registry's state is a function of the
/// host's final blocks and the operator's journal alone (spec "One history").
inline constexpr std::uint8_t kParamsVersion1 = 1;
inline constexpr std::uint8_t kParamsVersion2 = 2;
/// The version of the networks that are made now.
inline constexpr std::uint8_t kNewNetworkVersion = kParamsVersion2;

/// The parameters of a network (kind 19); their hash is its id.
struct NetworkParams {
    std::uint8_t version = kParamsVersion1;
    std::string name = "holdfast";
    Height genesis_height{0};
    std::uint32_t block_ms = 52'000;
    std::uint32_t finality_blocks = 3;
    bool has_beacon = false;
    bool has_vdf = true;
    Bytes beacon_key;
    std::uint64_t beacon_genesis_s = 0;
    std::uint32_t beacon_period_s = 0;
    std::uint32_t beacon_delay_s = 0;
    VdfParams vdf;  // meaningless without has_vdf
    std::uint32_t epoch_blocks = 256;
    std::uint32_t epoch_lag = 8;
    std::vector<SealParams> seal_presets{kSealStandard, kSealHardened};
    std::uint32_t seal_delay = 5;
    std::uint32_t seal_deadline = 20;
    std::uint32_t seal_windows = 2;
    std::uint32_t audit_windows = 1;
    std::uint32_t seal_cells = 64;
    std::uint32_t audits_per_block = 8;
    std::uint32_t link_lag = 2;
    std::uint32_t rate_window = 2'070;
    std::uint32_t misses_late = 103;
    std::uint32_t misses_expired = 1'035;
    std::uint32_t proof_deadline = 8;
    std::uint32_t availability_n = 1;
    std::uint32_t availability_d = 10;
    std::uint32_t availability_chunks = 10;
    std::uint32_t deadline_ms = 500;
    std::uint32_t quorum = 3;
    std::uint32_t quorum_of = 5;
    std::uint32_t quorum_window = 500;
    std::uint32_t group_slots = 1'000;
    std::uint32_t region_groups = 10;
    std::uint32_t removal_delay = 20;
    std::uint32_t liability_blocks = 2'070;
    std::uint32_t checkpoint_blocks = 69;
    std::uint32_t min_chunks = 16;
    // Version 2 alone; zeros in version 1. Least parts are amounts of the host's token that one
    // chain, challenger, … must hold of its bond, for itself alone.
    std::uint64_t least_chain_part = 0;
    std::uint64_t least_challenger_part = 0;
    std::uint64_t least_submitter_part = 0;
    std::uint64_t least_evaluator_part = 0;
    std::uint64_t least_operator_part = 0;
    std::uint32_t max_challengers = 0;  // in force at once
    PublicKey operator_key;             // zeros: the host's own blocks are the journal
    friend bool operator==(const NetworkParams&, const NetworkParams&) = default;

    /// What a new network starts from; version 1 or 2.
    static NetworkParams preset(std::uint8_t version = kNewNetworkVersion);

    [[nodiscard]] Bytes encode() const;
    /// Decodes and validates; kBadParameters, kBadVersion, kTruncated, kTrailingBytes,
    /// kNotCanonical. Versions 1 and 2.
    static Checked<NetworkParams> decode(ByteView body);
    /// kBadParameters where a bound of spec section 1 is broken; index: the number of the bound.
    [[nodiscard]] Verdict validate() const;
    [[nodiscard]] NetworkId id() const;
    [[nodiscard]] bool has_operator() const { return !operator_key.is_zero(); }

    /// kSealPolicy unless `params` is one of the presets.
    [[nodiscard]] Verdict check_seal(const SealParams& params) const;
    /// kVdfPolicy unless the network has a VDF and `params` are its parameters.
    [[nodiscard]] Verdict check_vdf(const VdfParams& params) const;
    /// Blocks between a digest's height and the first block at which it closes: 1 + link_lag.
    [[nodiscard]] std::uint64_t closing_blocks() const { return 1 + std::uint64_t{link_lag}; }

  private:
    [[nodiscard]] bool version_fields_fit() const;
};

}  // namespace holdfast
