// What there is, by name: versions, features, statuses, reasons, kinds; objects in themselves.
#include <array>

#include "capi/border.hpp"
#include "core/codec.hpp"
#include "core/hash.hpp"
#include "json/object_reader.hpp"
#include "json/objects.hpp"
#include "vdf/walk_kernel.hpp"

namespace holdfast::capi {
namespace {

constexpr std::array<std::string_view, 9> kFeatures = {
    "verifier", "prover",   "aggregator", "challenger",  "vdf",
    "shards",   "evidence", "json",       "host-signer",
};
constexpr std::string_view kKernelPrefix = "kernel:";

bool has_feature(std::string_view name) {
    for (const std::string_view feature : kFeatures) {
        if (feature == name) return true;
    }
    if (!name.starts_with(kKernelPrefix)) return false;
    const std::string_view kernel = name.substr(kKernelPrefix.size());
    return kernel == best_fill_kernel().name || kernel == best_sha256_kernel().name ||
           kernel == best_walk_kernel().name;
}

const ReasonInfo* reason_info(holdfast_reason reason) {
    if (reason < 0 || static_cast<std::size_t>(reason) >= reason_count()) return nullptr;
    return &describe(static_cast<Reason>(reason));
}

}  // namespace
}  // namespace holdfast::capi

using namespace holdfast;
using namespace holdfast::capi;

uint32_t holdfast_abi_version(void) { return HOLDFAST_ABI_VERSION; }

const char* holdfast_version(void) { return HOLDFAST_VERSION; }

int holdfast_has_feature(const char* name) {
    try {
        return name != nullptr && has_feature(name) ? 1 : 0;
    } catch (...) {
        return 0;
    }
}

const char* holdfast_status_name(holdfast_status status) {
    switch (status) {
        case HOLDFAST_OK:
            return "ok";
        case HOLDFAST_SHORT_BUFFER:
            return "short-buffer";
        case HOLDFAST_WRONG_HANDLE:
            return "wrong-handle";
        case HOLDFAST_CALLBACK_FAILED:
            return "callback-failed";
        case HOLDFAST_INTERNAL:
            return "internal";
        default:
            break;
    }
    const std::optional<ErrorCode> code = code_of(status);
    return code ? to_string(*code).data() : nullptr;
}

// The texts of the table are literals, so that each ends with a NUL.
size_t holdfast_reason_count(void) { return reason_count(); }

const char* holdfast_reason_name(holdfast_reason reason) {
    const ReasonInfo* const info = reason_info(reason);
    return info == nullptr ? nullptr : info->name.data();
}

const char* holdfast_reason_meaning(holdfast_reason reason) {
    const ReasonInfo* const info = reason_info(reason);
    return info == nullptr ? nullptr : info->meaning.data();
}

const char* holdfast_reason_action(holdfast_reason reason) {
    const ReasonInfo* const info = reason_info(reason);
    return info == nullptr ? nullptr : info->action.data();
}

const char* holdfast_kind_name(holdfast_kind kind) {
    if (kind < 1 || kind > static_cast<holdfast_kind>(Kind::kChallenge2)) return nullptr;
    return to_string(static_cast<Kind>(kind)).data();
}

holdfast_status holdfast_object_kind(const uint8_t* object, size_t object_bytes,
                                     holdfast_kind* out) {
    return run([&]() -> Done {
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(bytes, view_of(object, object_bytes, "object"));
        const Checked<Kind> kind = peek_kind(bytes);
        if (!kind) return refused(kind.error(), "the object");
        *out = static_cast<holdfast_kind>(*kind);
        return {};
    });
}

holdfast_status holdfast_object_to_json(const uint8_t* object, size_t object_bytes, char* out,
                                        size_t* out_bytes) {
    return run([&]() -> Done {
        HOLDFAST_ASSIGN(bytes, view_of(object, object_bytes, "object"));
        const Checked<json::Json> text = json::describe_object(bytes);
        if (!text) return refused(text.error(), "the object");
        return put_text(json::dump(*text), out, out_bytes);
    });
}

holdfast_status holdfast_object_from_json(const char* json, size_t json_bytes, uint8_t* out,
                                          size_t* out_bytes) {
    return run([&]() -> Done {
        if (json == nullptr) return missing("json");
        const auto parsed = json::Json::parse(json, json + json_bytes, nullptr, false);
        if (parsed.is_discarded()) return bad_argument("the text is no JSON");
        HOLDFAST_ASSIGN(object, json::object_from_json(parsed));
        return put_bytes(object, out, out_bytes);
    });
}

holdfast_status holdfast_sha256(const uint8_t* data, size_t data_bytes, uint8_t out[32]) {
    return run([&]() -> Done {
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(bytes, view_of(data, data_bytes, "data"));
        put_fixed(out, sha256(bytes));
        return {};
    });
}
