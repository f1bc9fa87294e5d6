// The border between C and C++: everything that is the same for each function of
// include/holdfast/holdfast.h.
//
// No exception leaves run() or run_controlled(); what went wrong becomes a status, and text and
// verdict of the calling thread. Arguments are looked at here: handles by their magic word, structs
// by their size, buffers by their length. Threading: free functions, any thread.
#pragma once

#include <holdfast/holdfast.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/codec.hpp"
#include "core/fill.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast::capi {

/// Why a function does not return HOLDFAST_OK.
struct Failure {
    holdfast_status status = HOLDFAST_INTERNAL;
    std::string message;
    Verdict verdict = {};

    Failure(holdfast_status s, std::string text) : status(s), message(std::move(text)) {}
    Failure(Error error);  // NOLINT(google-explicit-constructor): HOLDFAST_TRY converts
};
using Done = tl::expected<void, Failure>;
template <class T>
using Got = tl::expected<T, Failure>;

inline tl::unexpected<Failure> failure(holdfast_status status, std::string message) {
    return tl::unexpected<Failure>(Failure(status, std::move(message)));
}
inline tl::unexpected<Failure> bad_argument(std::string message) {
    return failure(HOLDFAST_INVALID_ARGUMENT, std::move(message));
}
inline tl::unexpected<Failure> missing(const char* name) {
    return bad_argument(std::string(name) + " is NULL");
}

/// An object called `what` that does not hold.
inline tl::unexpected<Failure> refused(const Verdict& verdict, std::string_view what) {
    return tl::unexpected<Failure>(Failure(fail_refused(verdict, what).value()));
}

[[nodiscard]] holdfast_status status_of(ErrorCode code);
/// Empty for a status that is no environment error.
[[nodiscard]] std::optional<ErrorCode> code_of(holdfast_status status);
[[nodiscard]] holdfast_verdict to_c(const Verdict& verdict);

/// Remembers a failure for the calling thread and gives its status.
holdfast_status note(const Failure& why) noexcept;
/// The status of the exception that is being handled.
holdfast_status note_exception() noexcept;

/// Runs what a function does and turns its end into a status.
template <class Body>
holdfast_status run(Body&& body) noexcept {
    try {
        const Done done = body();
        return done ? HOLDFAST_OK : note(done.error());
    } catch (...) {
        return note_exception();
    }
}

// --- handles -------------------------------------------------------------------------------------

/// What every handle begins with. `kWord` differs from type to type.
template <std::uint64_t kWord>
struct Handle {
    std::uint64_t magic = kWord;
    static constexpr std::uint64_t kMagic = kWord;

    Handle() = default;
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    /// A store that stays, so that a handle used after its end is told from a living one where its
    /// memory still lies there.
    ~Handle() { *const_cast<volatile std::uint64_t*>(&magic) = 0; }
};

/// Whether the pointer is a handle of this type, as far as can be told.
template <class H>
[[nodiscard]] bool is_handle(const H* handle) {
    std::uint64_t word = 0;
    if (handle == nullptr) return false;
    std::memcpy(&word, static_cast<const void*>(handle), sizeof word);
    return word == H::kMagic;
}

template <class H>
[[nodiscard]] Done check_handle(const H* handle, const char* name) {
    if (is_handle(handle)) return {};
    return failure(HOLDFAST_WRONG_HANDLE,
                   std::string(name) + (handle == nullptr ? " is NULL" : " is no such handle"));
}

template <class H>
void free_handle(H* handle) noexcept {
    if (is_handle(handle)) delete handle;
}

/// One call at a time on a handle; a second one is told so, and nobody waits.
class Turn {
  public:
    explicit Turn(std::atomic<bool>& taken) : taken_(taken), mine_(!taken.exchange(true)) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
        if (mine_) taken_ = false;
    }
    [[nodiscard]] Done check(const char* name) const {
        if (mine_) return {};
        return failure(HOLDFAST_BUSY, "another call on this " + std::string(name) + " goes on");
    }

  private:
    std::atomic<bool>& taken_;
    bool mine_;
};

/// run() for a function of a handle that takes one call at a time.
template <class H, class Body>
holdfast_status run_alone(H* handle, const char* name, Body&& body) noexcept {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(handle, name));
        const Turn turn(handle->taken);
        HOLDFAST_TRY(turn.check(name));
        return body();
    });
}

// --- structs that begin with their size ----------------------------------------------------------

inline constexpr std::size_t kMostStructBytes = 4096;

/// That a struct of this size can be one of this header, an older or a newer one.
[[nodiscard]] Done check_struct_size(std::size_t size, std::size_t alignment, const char* name);
[[nodiscard]] bool all_zeros(const unsigned char* bytes, std::size_t count);

/// A copy with this header's fields: what the caller's header lacks is zero.
template <class T>
[[nodiscard]] Got<T> read_struct(const T* in, const char* name) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (in == nullptr) return missing(name);
    std::size_t size = 0;
    std::memcpy(&size, static_cast<const void*>(in), sizeof size);
    HOLDFAST_TRY(check_struct_size(size, alignof(T), name));
    const auto* const bytes = reinterpret_cast<const unsigned char*>(in);
    if (size > sizeof(T) && !all_zeros(bytes + sizeof(T), size - sizeof(T))) {
        return failure(HOLDFAST_UNSUPPORTED,
                       std::string(name) + " has fields that this library does not know");
    }
    T out{};
    std::memcpy(static_cast<void*>(&out), bytes, std::min(size, sizeof(T)));
    out.struct_size = sizeof(T);
    return out;
}
/// The same of something that may be left out.
template <class T>
[[nodiscard]] Got<T> read_optional(const T* in, const char* name) {
    if (in != nullptr) return read_struct(in, name);
    T none{};
    none.struct_size = sizeof(T);
    return none;
}
/// Element `index` of an array whose elements have the size that the first one states.
template <class T>
[[nodiscard]] const T* element(const T* first, std::size_t index) {
    std::size_t size = 0;
    std::memcpy(&size, static_cast<const void*>(first), sizeof size);
    return reinterpret_cast<const T*>(reinterpret_cast<const unsigned char*>(first) + index * size);
}

/// That an answer can be put there.
template <class T>
[[nodiscard]] Done check_out(const T* out, const char* name) {
    if (out == nullptr) return missing(name);
    std::size_t size = 0;
    std::memcpy(&size, static_cast<const void*>(out), sizeof size);
    return check_struct_size(size, alignof(T), name);
}
/// As much of the answer as the caller's header has; check_out() has held.
template <class T>
void write_struct(T* out, const T& value) {
    std::size_t size = 0;
    std::memcpy(&size, static_cast<const void*>(out), sizeof size);
    auto* const bytes = reinterpret_cast<unsigned char*>(out);
    const auto* const from = reinterpret_cast<const unsigned char*>(&value);
    const std::size_t common = std::min(size, sizeof(T));
    std::memcpy(bytes + sizeof size, from + sizeof size, common - sizeof size);
    std::memset(bytes + common, 0, size - common);
}

// --- bytes and text ------------------------------------------------------------------------------

[[nodiscard]] Got<ByteView> view_of(const std::uint8_t* data, std::size_t size, const char* name);
[[nodiscard]] Got<std::string> text_of(const char* text, const char* name);

/// 32 or 64 bytes of the caller's as a key, digest, ….
template <class T>
[[nodiscard]] Got<T> fixed_of(const std::uint8_t* bytes, const char* name) {
    if (bytes == nullptr) return missing(name);
    T out;
    std::memcpy(out.bytes.data(), bytes, T::kSize);
    return out;
}
template <class T>
void put_fixed(std::uint8_t* out, const T& value) {
    std::memcpy(out, value.bytes.data(), T::kSize);
}
/// Into a parameter that may be left out.
template <class T>
void put_optional(std::uint8_t* out, const T& value) {
    if (out != nullptr) put_fixed(out, value);
}
template <class T>
void put_number(T* out, std::type_identity_t<T> value) {
    if (out != nullptr) *out = value;
}

/// That `needed` bytes have room; otherwise *out_bytes says how many they are. Before long work.
[[nodiscard]] Done need_room(std::size_t needed, const void* out, std::size_t* out_bytes);
/// Copies into the caller's buffer, with its length.
[[nodiscard]] Done put_bytes(ByteView bytes, std::uint8_t* out, std::size_t* out_bytes);
/// The same with a closing NUL.
[[nodiscard]] Done put_text(std::string_view text, char* out, std::size_t* out_bytes);

/// An object of a kind that stands alone.
template <class T>
[[nodiscard]] Got<T> object_as(Kind kind, ByteView object, const char* name) {
    const Checked<ByteView> body = unwrap_object(kind, object);
    if (!body) return refused(body.error(), name);
    Checked<T> value = T::decode(*body);
    if (!value) return refused(value.error(), name);
    return std::move(*value);
}
template <class T>
[[nodiscard]] Got<T> object_as(Kind kind, const holdfast_bytes& object, const char* name) {
    HOLDFAST_ASSIGN(bytes, view_of(object.data, object.size, name));
    return object_as<T>(kind, bytes, name);
}

// --- watching and stopping -----------------------------------------------------------------------

/// A holdfast_control for the time of one call. A callback that throws ends the call.
class Control {
  public:
    explicit Control(const holdfast_control& control) : control_(control) {}
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;
    ~Control();

    /// Empty where the caller gave none. Both refer to this.
    [[nodiscard]] StopCheck stop();
    [[nodiscard]] std::function<void(const char* stage, std::uint64_t done, std::uint64_t total)>
    progress();
    /// The same of one stage.
    [[nodiscard]] std::function<void(std::uint64_t done, std::uint64_t total)> progress_of(
        const char* stage);
    [[nodiscard]] bool threw() const { return threw_; }

  private:
    holdfast_control control_;
    std::atomic<bool> threw_{false};
    std::atomic<bool> telling_{false};  // progress, somewhere
};

/// run() for a function that can be watched and stopped.
template <class Body>
holdfast_status run_controlled(const holdfast_control* control, Body&& body) noexcept {
    return run([&]() -> Done {
        HOLDFAST_ASSIGN(read, read_optional(control, "control"));
        Control work(read);
        const Done done = body(work);
        if (work.threw()) {
            return failure(HOLDFAST_CALLBACK_FAILED, "a stop or progress callback threw");
        }
        return done;
    });
}

}  // namespace holdfast::capi
