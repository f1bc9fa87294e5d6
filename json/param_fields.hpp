// Network parameters by name, for --set and for printing.
#pragma once

#include <string>
#include <string_view>

#include "core/params.hpp"
#include "json/json.hpp"

namespace holdfast::json {

Json params_json(const NetworkParams& params);
/// What a new network starts from: "default", or "dev", in which a day passes in minutes on one
/// core beside other work, and which protects nobody. kNotFound.
Result<NetworkParams> network_preset(std::string_view name);
/// "NAME=VALUE"; kInvalidArgument names what is wrong. Beside what params_json() shows as a number
/// or key: name, genesis_height, has_vdf=0, seal_presets=NAME,NAME.
Status apply_setting(NetworkParams& params, const std::string& setting);
/// All of them; kInvalidArgument also where the result breaks a bound of spec section 1.
Status apply_settings(NetworkParams& params, const std::vector<std::string>& settings);
/// A preset's name or "WINDOW_CHUNKS:WORK_BLOCKS".
Result<SealParams> seal_params_from(const std::string& text);
/// What bound number `index` of NetworkParams::validate asks for.
std::string_view bound_text(std::uint64_t index);

}  // namespace holdfast::json
