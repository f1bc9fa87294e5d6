#include "capi/network.hpp"

#include <filesystem>

#include "clock/public_record.hpp"
#include "json/param_fields.hpp"
#include "proofs/link.hpp"
#include "storage/file.hpp"

namespace holdfast::capi {
namespace {

constexpr std::uint64_t kMostNetworkBytes = 4096;

Result<NetworkParams> params_from(ByteView object, const std::string& what) {
    const Checked<ByteView> body = unwrap_object(Kind::kNetwork, object);
    if (!body) return fail_refused(body.error(), what);
    Checked<NetworkParams> params = NetworkParams::decode(*body);
    if (!params) return fail_refused(params.error(), what);
    return std::move(*params);
}

}  // namespace
}  // namespace holdfast::capi

using namespace holdfast;
using namespace holdfast::capi;

holdfast_status holdfast_network_load(const char* path, holdfast_network** out) {
    return run([&]() -> Done {
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(name, text_of(path, "path"));
        std::filesystem::path file(name);
        std::error_code ignored;  // what cannot be looked at is told by reading it
        if (std::filesystem::is_directory(file, ignored)) file /= PublicRecord::kNetworkFile;
        HOLDFAST_ASSIGN(object, read_stored_file(file, kMostNetworkBytes));
        HOLDFAST_ASSIGN(params, params_from(object, file.string()));
        *out = new holdfast_network(params);
        return {};
    });
}

holdfast_status holdfast_network_from_object(const uint8_t* object, size_t object_bytes,
                                             holdfast_network** out) {
    return run([&]() -> Done {
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(bytes, view_of(object, object_bytes, "object"));
        HOLDFAST_ASSIGN(params, params_from(bytes, "the network"));
        *out = new holdfast_network(params);
        return {};
    });
}

holdfast_status holdfast_network_from_preset(const char* preset, const char* const* settings,
                                             size_t settings_count, holdfast_network** out) {
    return run([&]() -> Done {
        if (out == nullptr) return missing("out");
        if (settings == nullptr && settings_count > 0) return missing("settings");
        HOLDFAST_ASSIGN(params, json::network_preset(preset == nullptr ? "default" : preset));
        std::vector<std::string> given;
        for (std::size_t i = 0; i < settings_count; ++i) {
            HOLDFAST_ASSIGN(setting, text_of(settings[i], "a setting"));
            given.push_back(setting);
        }
        HOLDFAST_TRY(json::apply_settings(params, given));
        *out = new holdfast_network(params);
        return {};
    });
}

void holdfast_network_free(holdfast_network* network) { free_handle(network); }

holdfast_status holdfast_network_id(const holdfast_network* network, uint8_t out[32]) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(network, "network"));
        if (out == nullptr) return missing("out");
        put_fixed(out, network->id);
        return {};
    });
}

holdfast_status holdfast_network_object(const holdfast_network* network, uint8_t* out,
                                        size_t* out_bytes) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(network, "network"));
        return put_bytes(wrap_object(Kind::kNetwork, network->params.encode()), out, out_bytes);
    });
}

holdfast_status holdfast_network_compact_height(const holdfast_network* network, uint64_t height,
                                                uint64_t* out) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(network, "network"));
        if (out == nullptr) return missing("out");
        *out = compact_draw_height(network->params, Height(height)).value;
        return {};
    });
}

holdfast_status holdfast_network_to_json(const holdfast_network* network, char* out,
                                         size_t* out_bytes) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(network, "network"));
        return put_text(json::dump(json::params_json(network->params)), out, out_bytes);
    });
}

holdfast_status holdfast_network_save(const holdfast_network* network, const char* path) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(network, "network"));
        HOLDFAST_ASSIGN(name, text_of(path, "path"));
        HOLDFAST_TRY(write_file(name, wrap_object(Kind::kNetwork, network->params.encode())));
        return {};
    });
}
