#include "value.hpp"

#include <cmath>
#include <cstring>

#include "instance.hpp"

namespace holdfast_node {

void check(holdfast_status status) {
    if (status == HOLDFAST_OK) return;
    Failure failure{status, holdfast_last_error(), {}};
    if (status == HOLDFAST_REFUSED) holdfast_last_verdict(&failure.verdict);
    throw failure;
}

void must(napi_env env, napi_status status) {
    if (status == napi_ok) return;
    bool pending = false;
    napi_is_exception_pending(env, &pending);
    if (!pending) {
        const napi_extended_error_info* info = nullptr;
        napi_get_last_error_info(env, &info);
        const char* text = info != nullptr ? info->error_message : nullptr;
        napi_throw_error(env, nullptr, text != nullptr ? text : "Node-API refused a call");
    }
    throw Pending{};
}

Value name(const char* text) {
    if (text == nullptr) return {};
    return std::string(text);
}

Value verdict_value(const holdfast_verdict& verdict) {
    const bool accepted = verdict.reason == HOLDFAST_REASON_OK;
    return Fields{{"accepted", accepted},
                  {"reason", accepted ? Value{} : name(holdfast_reason_name(verdict.reason))},
                  {"index", verdict.has_index != 0 ? Value{verdict.index} : Value{}}};
}

namespace {

struct Maker {
    napi_env env;
    napi_value out = nullptr;

    void operator()(std::monostate) { must(env, napi_get_null(env, &out)); }
    void operator()(bool value) { must(env, napi_get_boolean(env, value, &out)); }
    void operator()(double value) { must(env, napi_create_double(env, value, &out)); }
    void operator()(std::uint64_t value) { must(env, napi_create_bigint_uint64(env, value, &out)); }
    void operator()(const Bytes& value) {
        void* data = nullptr;
        must(env, napi_create_buffer_copy(env, value.size(), value.data(), &data, &out));
    }
    void operator()(const std::string& value) {
        must(env, napi_create_string_utf8(env, value.data(), value.size(), &out));
    }
    void operator()(Fields& fields) {
        must(env, napi_create_object(env, &out));
        for (auto& [key, value] : fields) {
            must(env, napi_set_named_property(env, out, key, to_js(env, std::move(value))));
        }
    }
    void operator()(Items& items) {
        must(env, napi_create_array_with_length(env, items.size(), &out));
        for (std::uint32_t i = 0; i < items.size(); ++i) {
            must(env, napi_set_element(env, out, i, to_js(env, std::move(items[i]))));
        }
    }
    void operator()(HandleBox& handle) { out = Instance::of(env).hold(std::move(handle)); }
};

}  // namespace

napi_value to_js(napi_env env, Value&& value) {
    Maker maker{env};
    std::visit(maker, value.is);
    return maker.out;
}

napi_valuetype In::type() const {
    napi_valuetype type = napi_undefined;
    must(env_, napi_typeof(env_, value_, &type));
    return type;
}

void In::bad(const std::string& wanted, bool range) const {
    throw BadArgument{name_ + ": " + wanted + " wanted", range};
}

bool In::present() const {
    const napi_valuetype is = type();
    return is != napi_undefined && is != napi_null;
}

std::string In::text() const {
    if (type() != napi_string) bad("a string");
    std::size_t size = 0;
    must(env_, napi_get_value_string_utf8(env_, value_, nullptr, 0, &size));
    std::string out(size + 1, '\0');
    must(env_, napi_get_value_string_utf8(env_, value_, out.data(), out.size(), &size));
    out.resize(size);
    if (out.find('\0') != std::string::npos) bad("a string without NUL");
    return out;
}

holdfast_bytes In::view() const {
    bool typed = false;
    must(env_, napi_is_typedarray(env_, value_, &typed));
    if (!typed) bad("a Buffer or Uint8Array");
    napi_typedarray_type kind = napi_int8_array;
    std::size_t size = 0;
    void* data = nullptr;
    must(env_, napi_get_typedarray_info(env_, value_, &kind, &size, &data, nullptr, nullptr));
    if (kind != napi_uint8_array) bad("a Buffer or Uint8Array");
    return {static_cast<const std::uint8_t*>(data), data == nullptr ? 0 : size};
}

Bytes In::bytes() const {
    const holdfast_bytes view = this->view();
    return {view.data, view.data + view.size};
}

void In::copy_exactly(std::uint8_t* out, std::size_t size) const {
    const holdfast_bytes given = view();
    if (given.size != size) bad(std::to_string(size) + " bytes", true);
    std::memcpy(out, given.data, size);
}

std::uint64_t In::u64() const {
    const napi_valuetype is = type();
    if (is == napi_bigint) {
        std::uint64_t out = 0;
        bool lossless = false;
        must(env_, napi_get_value_bigint_uint64(env_, value_, &out, &lossless));
        if (!lossless) bad("a BigInt from 0 to 2^64 - 1", true);
        return out;
    }
    if (is != napi_number) bad("a BigInt or Number");
    double out = 0;
    must(env_, napi_get_value_double(env_, value_, &out));
    if (!(out >= 0 && out <= 9007199254740991.0) || out != std::floor(out)) {
        bad("a whole number from 0 to 2^53 - 1, or a BigInt,", true);
    }
    return static_cast<std::uint64_t>(out);
}

std::uint32_t In::u32() const {
    const std::uint64_t out = u64();
    if (out > UINT32_MAX) bad("a number below 2^32", true);
    return static_cast<std::uint32_t>(out);
}

bool In::flag() const {
    if (type() != napi_boolean) bad("a boolean");
    bool out = false;
    must(env_, napi_get_value_bool(env_, value_, &out));
    return out;
}

napi_value In::function() const {
    if (type() != napi_function) bad("a function");
    return value_;
}

In In::field(const char* key) const {
    const napi_valuetype is = type();
    if (is != napi_object && is != napi_function) bad("an object");
    napi_value value = nullptr;
    must(env_, napi_get_named_property(env_, value_, key, &value));
    return {env_, value, name_ + "." + key};
}

std::vector<In> In::items() const {
    bool array = false;
    must(env_, napi_is_array(env_, value_, &array));
    if (!array) bad("an array");
    std::uint32_t size = 0;
    must(env_, napi_get_array_length(env_, value_, &size));
    if (size > 1'000'000) bad("an array of at most a million elements", true);
    std::vector<In> out;
    out.reserve(size);
    for (std::uint32_t i = 0; i < size; ++i) {
        napi_value value = nullptr;
        must(env_, napi_get_element(env_, value_, i, &value));
        out.emplace_back(env_, value, name_ + "[" + std::to_string(i) + "]");
    }
    return out;
}

HandleBox* In::any_handle() const {
    void* data = nullptr;
    if (type() != napi_external) return nullptr;
    must(env_, napi_get_value_external(env_, value_, &data));
    return Instance::of(env_).box_at(data);
}

std::shared_ptr<void> In::object_of(const char* kind) const {
    HandleBox* const box = any_handle();
    if (box == nullptr || std::strcmp(box->kind, kind) != 0) bad(std::string("a ") + kind);
    if (!box->object) {
        throw Failure{HOLDFAST_WRONG_HANDLE, std::string("this ") + kind + " was closed", {}};
    }
    return box->object;
}

std::int32_t In::word(const std::vector<const char*>& words, std::int32_t first) const {
    const std::string given = text();
    std::string all;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (given == words[i]) return first + static_cast<std::int32_t>(i);
        all += (i == 0 ? "" : ", ") + std::string(words[i]);
    }
    bad("one of " + all, true);
}

}  // namespace holdfast_node
