// The three ways in which something can fail, as three types.
//
//   Verdict   the object under examination is bad, and why. Malformed bytes from anywhere are a
//             verdict.
//   Error     the environment failed: disk, memory, network, a host's callback, a wrong argument.
//   a bug     HOLDFAST_CHECK: stays on in release builds and ends the process.
//
// No exception crosses a public boundary. All types are values, safe in any thread.
//
//     Result<std::uint64_t> size_of(const std::string& path);
//     Checked<Link> decode_link(ByteView bytes);
//
//     Status show(const std::string& path, ByteView bytes) {
//         HOLDFAST_ASSIGN(size, size_of(path));  // passes an Error on
//         const Checked<Link> link = decode_link(bytes);
//         if (!link) std::puts(to_string(link.error()).c_str());  // "trailing-bytes: …"
//         return size > 0 ? Status{} : fail(ErrorCode::kCorrupt, "'" + path + "' is empty");
//     }
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace holdfast {

/// Why an object was refused. The list, with each reason's name, meaning and what an operator
/// should do, is core/reasons.def.
enum class Reason : std::uint16_t {
#define HOLDFAST_REASON(id, name, meaning, action) id,
#include "core/reasons.def"
#undef HOLDFAST_REASON
};

/// A reason's number, stable name, meaning, and what to do.
struct ReasonInfo {
    Reason reason;
    std::string_view name;     // stable identifier, e.g. "signature"
    std::string_view meaning;  // one sentence
    std::string_view action;   // what an operator should do
};

/// Row of the table; every Reason has one.
const ReasonInfo& describe(Reason reason);
/// Number of reasons; describe(static_cast<Reason>(i)) is valid for i below it.
std::size_t reason_count();

/// Outcome of an examination. `index` names the offending part where there is one (segment, window,
/// opening, item), as the reason's meaning says.
struct [[nodiscard]] Verdict {
    Reason reason = Reason::kOk;
    std::optional<std::uint64_t> index;

    constexpr Verdict() = default;
    constexpr Verdict(Reason r) : reason(r) {}
    constexpr Verdict(Reason r, std::uint64_t i) : reason(r), index(i) {}
    static constexpr Verdict ok() { return {}; }
    [[nodiscard]] constexpr bool accepted() const { return reason == Reason::kOk; }
    constexpr explicit operator bool() const { return accepted(); }
    friend constexpr bool operator==(const Verdict&, const Verdict&) = default;
};

/// "signature: the signature does not verify …" or "vdf-segment (17): …".
std::string to_string(const Verdict& verdict);

/// A value, or why there is none.
template <class T>
using Checked = tl::expected<T, Verdict>;

inline tl::unexpected<Verdict> refuse(Reason reason) { return tl::unexpected<Verdict>(reason); }
inline tl::unexpected<Verdict> refuse(Reason reason, std::uint64_t index) {
    return tl::unexpected<Verdict>(Verdict{reason, index});
}
inline tl::unexpected<Verdict> refuse(const Verdict& v) { return tl::unexpected<Verdict>(v); }

enum class ErrorCode : std::uint8_t {
    kInvalidArgument,  // the caller asked for something that makes no sense
    kNotFound,
    kAlreadyExists,
    kPermission,
    kIo,       // the disk or the file system failed
    kCorrupt,  // a file of ours does not hold what it must
    kOutOfSpace,
    kOutOfMemory,
    kBusy,         // locked by another process, or a ceiling is reached
    kInterrupted,  // cancelled by the caller
    kUnavailable,  // a required source or callback has no answer (yet)
    kTimeout,
    kRefused,      // carries a verdict on somebody's object
    kUnsupported,  // newer schema, missing kernel
};

std::string_view to_string(ErrorCode code);

/// An environment error. `message` says what happened to which thing and what to do about it.
struct Error {
    ErrorCode code = ErrorCode::kIo;
    std::string message;
    Verdict verdict{};  // set when code is kRefused
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
    return tl::unexpected<Error>(Error{code, std::move(message), {}});
}
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }
/// An error that reports the refusal of an object called `what`.
tl::unexpected<Error> fail_refused(const Verdict& verdict, std::string_view what);
/// An error from errno; picks kNotFound, kPermission, kOutOfSpace, ... by its value.
tl::unexpected<Error> fail_errno(int error_number, std::string_view what);

[[noreturn]] void bug(const char* condition, const char* file, int line);

}  // namespace holdfast

// Guards memory and consensus; on in every build.
#define HOLDFAST_CHECK(condition) \
    ((condition) ? static_cast<void>(0) : ::holdfast::bug(#condition, __FILE__, __LINE__))

#define HOLDFAST_CONCAT_(a, b) a##b
#define HOLDFAST_CONCAT(a, b) HOLDFAST_CONCAT_(a, b)
// Returns the error or verdict of `expr` from the enclosing function; otherwise goes on.
#define HOLDFAST_TRY(expr)                                                      \
    do {                                                                        \
        auto holdfast_try_result = (expr);                                      \
        if (!holdfast_try_result)                                               \
            return tl::make_unexpected(std::move(holdfast_try_result).error()); \
    } while (false)
// Declares `var` as the value of `expr`, or returns its error from the enclosing function.
#define HOLDFAST_ASSIGN(var, expr)                                                    \
    auto HOLDFAST_CONCAT(var, _result) = (expr);                                      \
    if (!HOLDFAST_CONCAT(var, _result))                                               \
        return tl::make_unexpected(std::move(HOLDFAST_CONCAT(var, _result)).error()); \
    auto var = std::move(*HOLDFAST_CONCAT(var, _result))
// In a function that returns Verdict: passes a refusal on.
#define HOLDFAST_REQUIRE_OK(expr)                                  \
    do {                                                           \
        ::holdfast::Verdict holdfast_verdict = (expr);             \
        if (!holdfast_verdict.accepted()) return holdfast_verdict; \
    } while (false)
