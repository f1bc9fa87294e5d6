#include "json/param_fields.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace holdfast::json {
namespace {

struct Field {
    std::string_view name;
    std::uint32_t* (*of)(NetworkParams&);
};

#define HOLDFAST_FIELD(member)                              \
    Field {                                                 \
        #member, [](NetworkParams& p) { return &p.member; } \
    }
constexpr Field kFields[] = {
    HOLDFAST_FIELD(block_ms),          HOLDFAST_FIELD(finality_blocks),
    HOLDFAST_FIELD(beacon_period_s),   HOLDFAST_FIELD(beacon_delay_s),
    HOLDFAST_FIELD(vdf.arena_kib),     HOLDFAST_FIELD(vdf.passes),
    HOLDFAST_FIELD(vdf.lanes),         HOLDFAST_FIELD(vdf.checkpoints),
    HOLDFAST_FIELD(epoch_blocks),      HOLDFAST_FIELD(epoch_lag),
    HOLDFAST_FIELD(seal_delay),        HOLDFAST_FIELD(seal_deadline),
    HOLDFAST_FIELD(seal_windows),      HOLDFAST_FIELD(audit_windows),
    HOLDFAST_FIELD(seal_cells),        HOLDFAST_FIELD(audits_per_block),
    HOLDFAST_FIELD(link_lag),          HOLDFAST_FIELD(rate_window),
    HOLDFAST_FIELD(misses_late),       HOLDFAST_FIELD(misses_expired),
    HOLDFAST_FIELD(proof_deadline),    HOLDFAST_FIELD(availability_n),
    HOLDFAST_FIELD(availability_d),    HOLDFAST_FIELD(availability_chunks),
    HOLDFAST_FIELD(deadline_ms),       HOLDFAST_FIELD(quorum),
    HOLDFAST_FIELD(quorum_of),         HOLDFAST_FIELD(quorum_window),
    HOLDFAST_FIELD(group_slots),       HOLDFAST_FIELD(region_groups),
    HOLDFAST_FIELD(removal_delay),     HOLDFAST_FIELD(liability_blocks),
    HOLDFAST_FIELD(checkpoint_blocks), HOLDFAST_FIELD(min_chunks),
};
#undef HOLDFAST_FIELD

struct LeastPart {
    std::string_view name;
    std::uint64_t NetworkParams::* field;
};
/// Of version 2.
constexpr LeastPart kLeastParts[] = {
    {"least_chain_part", &NetworkParams::least_chain_part},
    {"least_challenger_part", &NetworkParams::least_challenger_part},
    {"least_submitter_part", &NetworkParams::least_submitter_part},
    {"least_evaluator_part", &NetworkParams::least_evaluator_part},
    {"least_operator_part", &NetworkParams::least_operator_part},
};
constexpr std::string_view kMaxChallengers = "max_challengers";
constexpr std::string_view kOperatorKey = "operator_key";

constexpr std::string_view kBounds[] = {
    "name: ASCII, at most 64 bytes",
    "block_ms >= 1",
    "beacon key: at most 256 bytes",
    "beacon fields: beacon_period_s >= 1 with a beacon, all zero without one",
    "vdf: arena_kib and lanes powers of two, 8 * lanes <= arena_kib <= 2^22, passes 1 to 64, "
    "checkpoints "
    "1 to 2^16, steps * checkpoints <= 2^36",
    "link_lag + finality_blocks + 1 < epoch_lag <= epoch_blocks",
    "1 to 16 seal presets",
    "seal presets: 16 <= window_chunks <= 2^20, 32 * window_chunks <= work_blocks <= 2^34",
    "seal_delay > finality_blocks + 1",
    "proof_deadline > link_lag + finality_blocks",
    "availability_n <= availability_d, availability_d >= 1",
    "quorum <= quorum_of",
    "16 <= min_chunks <= 2^20",
    "group_slots and region_groups >= 1",
    "checkpoint_blocks and availability_chunks >= 1",
    "seal_windows, audit_windows and seal_cells >= 1",
    "version 1 or 2; least parts, max_challengers and operator_key in version 2 alone",
    "version 2: quorum and liability_blocks >= 1",
    "version 2: least_challenger_part >= 1, 1 <= max_challengers <= 65536",
    "operator_key: canonical and not of small order, or zeros",
};

template <class T>
bool parse_number(std::string_view text, T& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size();
}

/// The fault of a value for a parameter of version 2, "" where it was set; nothing for other names.
std::optional<std::string> set_version_2(NetworkParams& params, std::string_view name,
                                         std::string_view value) {
    for (const LeastPart& part : kLeastParts) {
        if (part.name != name) continue;
        return parse_number(value, params.*part.field) ? "" : "not a number of 64 bits";
    }
    if (name == kMaxChallengers) {
        return parse_number(value, params.max_challengers) ? "" : "not a number of 32 bits";
    }
    if (name != kOperatorKey) return std::nullopt;
    return from_hex(value, MutByteView(params.operator_key.bytes)) ? "" : "not 64 digits of hex";
}

/// y in hundredths of a second, blocks of one, and every time that is counted in blocks short.
void make_quick(NetworkParams& params) {
    params.seal_presets = {kSealDev};
    params.block_ms = 1'000;
    params.vdf = {.arena_kib = 1'024,
                  .passes = 1,
                  .lanes = 1,
                  .steps_per_checkpoint = 1'024,
                  .checkpoints = 64};
    params.epoch_blocks = 64;
    params.rate_window = 120;
    params.misses_late = 6;
    params.misses_expired = 60;
    params.quorum_window = 60;
    params.removal_delay = 10;
    params.liability_blocks = 120;
    params.checkpoint_blocks = 10;
}

/// The fault of a value for a parameter that is not simply a number; nothing for other names.
std::optional<std::string> set_other(NetworkParams& params, std::string_view name,
                                     std::string_view value) {
    if (name == "name") {
        params.name = value;
        return "";
    }
    if (name == "genesis_height") {
        return parse_number(value, params.genesis_height.value) ? "" : "not a number of 64 bits";
    }
    if (name == "beacon_key") {
        params.beacon_key.resize(value.size() / 2);
        if (value.empty() || value.size() % 2 != 0 || !from_hex(value, params.beacon_key)) {
            return "not a key in hex";
        }
        params.has_beacon = true;
        if (params.beacon_period_s == 0) params.beacon_period_s = params.beacon_delay_s = 3;
        return "";
    }
    if (name == "beacon_genesis_s") {
        return parse_number(value, params.beacon_genesis_s) ? "" : "not a number of 64 bits";
    }
    if (name == "has_vdf") {
        if (value != "0") return "a preset has a VDF: only 0 changes it";
        params.has_vdf = false;
        params.epoch_blocks = params.epoch_lag = 0;
        return "";
    }
    if (name != "seal_presets") return std::nullopt;
    params.seal_presets.clear();
    for (std::size_t at = 0; at <= value.size();) {
        const std::size_t comma = std::min(value.find(',', at), value.size());
        const auto preset = seal_params_from(std::string(value.substr(at, comma - at)));
        if (!preset) return preset.error().message;
        params.seal_presets.push_back(*preset);
        at = comma + 1;
    }
    return "";
}

}  // namespace

Result<NetworkParams> network_preset(std::string_view name) {
    NetworkParams params = NetworkParams::preset();
    if (name == "default") return params;
    if (name == "dev") {
        make_quick(params);
        return params;
    }
    return fail(ErrorCode::kNotFound,
                "there is no network '" + std::string(name) + "': default or dev");
}

Json params_json(const NetworkParams& params) {
    NetworkParams copy = params;
    Json out = {{"version", params.version},
                {"name", params.name},
                {"genesis_height", params.genesis_height.value},
                {"has_beacon", params.has_beacon},
                {"has_vdf", params.has_vdf},
                {"beacon_key", to_hex(params.beacon_key)},
                {"beacon_genesis_s", params.beacon_genesis_s}};
    Json presets = Json::array();
    for (const SealParams& p : params.seal_presets) {
        presets.push_back({{"name", seal_preset_name(p)},
                           {"window_chunks", p.window_chunks},
                           {"work_blocks", p.work_blocks}});
    }
    out["seal_presets"] = presets;
    for (const Field& field : kFields) {
        const bool vdf_field = field.name.starts_with("vdf.") || field.name.starts_with("epoch_");
        if (vdf_field && !params.has_vdf) continue;
        out[std::string(field.name)] = *field.of(copy);
    }
    if (params.has_vdf) out["vdf.steps_per_checkpoint"] = params.vdf.steps_per_checkpoint;
    if (params.version != kParamsVersion2) return out;
    for (const LeastPart& part : kLeastParts) out[std::string(part.name)] = params.*part.field;
    out[std::string(kMaxChallengers)] = params.max_challengers;
    out[std::string(kOperatorKey)] =
        params.has_operator() ? Json(to_hex(params.operator_key)) : Json(nullptr);
    return out;
}

Status apply_setting(NetworkParams& params, const std::string& setting) {
    const std::size_t equals = setting.find('=');
    const auto wrong = [&](const std::string& why) {
        return fail(ErrorCode::kInvalidArgument, "--set " + setting + ": " + why);
    };
    if (equals == std::string::npos) return wrong("expected NAME=VALUE");
    const std::string name = setting.substr(0, equals);
    const std::string value = setting.substr(equals + 1);
    if (name == "vdf.steps_per_checkpoint") {
        if (!parse_number(value, params.vdf.steps_per_checkpoint))
            return wrong("not a number of 64 bits");
        return {};
    }
    for (const Field& field : kFields) {
        if (field.name != name) continue;
        if (!parse_number(value, *field.of(params))) return wrong("not a number of 32 bits");
        return {};
    }
    for (const auto set : {set_version_2, set_other}) {
        const std::optional<std::string> fault = set(params, name, value);
        if (!fault) continue;
        if (!fault->empty()) return wrong(*fault);
        return {};
    }
    return wrong("no such parameter; 'holdfast params' lists them");
}

Status apply_settings(NetworkParams& params, const std::vector<std::string>& settings) {
    for (const std::string& setting : settings) HOLDFAST_TRY(apply_setting(params, setting));
    const Verdict v = params.validate();
    if (v) return {};
    const std::uint64_t bound = v.index.value_or(0);
    return fail(ErrorCode::kInvalidArgument, "these parameters break bound " +
                                                 std::to_string(bound) + ": " +
                                                 std::string(bound_text(bound)));
}

Result<SealParams> seal_params_from(const std::string& text) {
    if (const std::optional<SealParams> preset = seal_preset(text)) return *preset;
    SealParams params;
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos || !parse_number(text.substr(0, colon), params.window_chunks) ||
        !parse_number(text.substr(colon + 1), params.work_blocks) || !params.validate()) {
        return fail(
            ErrorCode::kInvalidArgument,
            "seal parameters are standard, hardened, economy, dev or WINDOW_CHUNKS:WORK_BLOCKS "
            "(16 to 2^20 chunks, 32 blocks of work a chunk to 2^34), not '" +
                text + "'");
    }
    return params;
}

std::string_view bound_text(std::uint64_t index) {
    return index < std::size(kBounds) ? kBounds[index] : std::string_view("unknown");
}

}  // namespace holdfast::json
