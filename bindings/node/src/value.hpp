// Values on their way between JavaScript and the C ABI.
//
// In reads what JavaScript gave and throws BadArgument, with the name of the argument, for anything
// else than what is asked for. Value holds what a call of the C ABI gave, on any thread, until the
// event loop makes JavaScript of it. 64-bit integers come out as BigInt and go in as BigInt or as a
// Number that is a safe integer.
#pragma once

#include <node_api.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "holdfast/holdfast.h"

namespace holdfast_node {

using Bytes = std::vector<std::uint8_t>;
using Digest = std::array<std::uint8_t, 32>;

/// A JavaScript argument that is not what the function takes: a TypeError or RangeError.
struct BadArgument {
    std::string text;
    bool range = false;
};

/// An exception of JavaScript is pending in the environment.
struct Pending {};

/// A call of the C ABI that did not return HOLDFAST_OK: a HoldfastError.
struct Failure {
    holdfast_status status = HOLDFAST_INTERNAL;
    std::string text;
    holdfast_verdict verdict{};
};

/// Throws the Failure of the calling thread's last error.
void check(holdfast_status status);

/// Throws Pending unless Node-API did what it was asked for.
void must(napi_env env, napi_status status);

// --- handles -------------------------------------------------------------------------------------

/// What JavaScript holds of a handle: calls that run keep the object alive beside it.
struct HandleBox {
    std::shared_ptr<void> object;  // empty once it was closed
    const char* kind = "";
    bool slow = false;  // freeing it may wait for somebody: not on the event loop
};

template <class T>
struct HandleKind;
#define HOLDFAST_NODE_HANDLE(NAME, SLOW)                                              \
    template <>                                                                       \
    struct HandleKind<holdfast_##NAME> {                                              \
        static constexpr const char* kName = #NAME;                                   \
        static constexpr bool kSlow = SLOW;                                           \
        static void free(holdfast_##NAME* object) { holdfast_##NAME##_free(object); } \
    };
HOLDFAST_NODE_HANDLE(network, false)
HOLDFAST_NODE_HANDLE(signer, true)
HOLDFAST_NODE_HANDLE(blockchain, true)
HOLDFAST_NODE_HANDLE(token, true)
HOLDFAST_NODE_HANDLE(beacon, true)
HOLDFAST_NODE_HANDLE(peers, true)
HOLDFAST_NODE_HANDLE(verifier, false)
HOLDFAST_NODE_HANDLE(prover, true)
HOLDFAST_NODE_HANDLE(challenger, true)
HOLDFAST_NODE_HANDLE(vdf, true)
HOLDFAST_NODE_HANDLE(clock, true)
HOLDFAST_NODE_HANDLE(aggregator, true)
HOLDFAST_NODE_HANDLE(block_report, false)
#undef HOLDFAST_NODE_HANDLE

template <class T>
HandleBox box(T* object) {
    return {std::shared_ptr<void>(object, [](void* p) { HandleKind<T>::free(static_cast<T*>(p)); }),
            HandleKind<T>::kName, HandleKind<T>::kSlow};
}

// --- out -----------------------------------------------------------------------------------------

struct Value;
using Fields = std::vector<std::pair<const char*, Value>>;
using Items = std::vector<Value>;

struct Value {
    /// In this order: null, boolean, Number, BigInt, Buffer, string, object, array, handle.
    std::variant<std::monostate, bool, double, std::uint64_t, Bytes, std::string, Fields, Items,
                 HandleBox>
        is;

    Value() = default;
    template <class T>
    Value(T value) : is(std::move(value)) {}
};

/// A Number, for what is small by its nature.
inline Value number(double value) { return value; }
inline Value bytes_of(const std::uint8_t* data, std::size_t size) {
    return Bytes(data, data + size);
}
template <std::size_t N>
Value bytes_of(const std::uint8_t (&data)[N]) {
    return bytes_of(data, N);
}
/// A name of the library's, or null.
Value name(const char* text);
/// {accepted, reason, index}
Value verdict_value(const holdfast_verdict& verdict);

napi_value to_js(napi_env env, Value&& value);

// --- in ------------------------------------------------------------------------------------------

/// One value of JavaScript's and what it is called in messages. Of the event loop alone.
class In {
  public:
    In(napi_env env, napi_value value, std::string name)
        : env_(env), value_(value), name_(std::move(name)) {}

    [[nodiscard]] bool present() const;  // neither undefined nor null
    [[nodiscard]] napi_value raw() const { return value_; }
    [[nodiscard]] std::string text() const;
    [[nodiscard]] Bytes bytes() const;
    /// In place, for a call that ends before JavaScript goes on.
    [[nodiscard]] holdfast_bytes view() const;
    template <std::size_t N>
    [[nodiscard]] std::array<std::uint8_t, N> fixed() const {
        std::array<std::uint8_t, N> out;
        copy_exactly(out.data(), N);
        return out;
    }
    [[nodiscard]] Digest digest() const { return fixed<32>(); }
    [[nodiscard]] std::uint64_t u64() const;
    [[nodiscard]] std::uint32_t u32() const;
    [[nodiscard]] bool flag() const;
    [[nodiscard]] napi_value function() const;
    [[nodiscard]] In field(const char* key) const;
    [[nodiscard]] std::vector<In> items() const;
    template <class T>
    [[nodiscard]] std::shared_ptr<T> handle() const {
        return std::static_pointer_cast<T>(object_of(HandleKind<T>::kName));
    }
    [[nodiscard]] std::shared_ptr<void> object_of(const char* kind) const;
    /// nullptr for a handle that was closed.
    [[nodiscard]] HandleBox* any_handle() const;
    /// The place of a word in a list of words that begins with number `first`.
    [[nodiscard]] std::int32_t word(const std::vector<const char*>& words,
                                    std::int32_t first) const;
    [[noreturn]] void bad(const std::string& wanted, bool range = false) const;

  private:
    void copy_exactly(std::uint8_t* out, std::size_t size) const;
    [[nodiscard]] napi_valuetype type() const;

    napi_env env_;
    napi_value value_;
    std::string name_;
};

template <class T>
void copy_to(std::uint8_t (&out)[sizeof(T)], const T& from) {
    std::copy(from.begin(), from.end(), out);
}

/// Calls f(out, &bytes) of the C ABI with as much room as it needs; `guess`: the room tried first.
template <class F>
Bytes sized(std::size_t guess, F&& f) {
    Bytes out(std::max<std::size_t>(guess, 1));  // an empty answer is no short buffer, either
    for (;;) {
        std::size_t size = out.size();
        const holdfast_status status = f(out.data(), &size);
        if (status == HOLDFAST_SHORT_BUFFER && size > out.size()) {
            out.resize(size);
            continue;
        }
        check(status);
        out.resize(size);
        return out;
    }
}

/// The same for text that ends with a NUL.
template <class F>
std::string text_of(F&& f) {
    const Bytes out = sized(4'096, [&](std::uint8_t* data, std::size_t* size) {
        return f(reinterpret_cast<char*>(data), size);
    });
    return {out.begin(), out.empty() ? out.end() : out.end() - 1};
}

}  // namespace holdfast_node
