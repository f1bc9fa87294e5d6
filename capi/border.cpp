#include "capi/border.hpp"

#include <algorithm>
#include <exception>
#include <new>

namespace holdfast::capi {
namespace {

/// What a thread can ask about its last failure.
struct LastFailure {
    std::string message;
    Verdict verdict;
    bool without_memory = false;
};
thread_local LastFailure last_failure;

constexpr const char* kWithoutMemory = "not even the text of this error had memory";

/// Statuses 1 to 14 are the error codes in their order.
constexpr holdfast_status kFirstCode = HOLDFAST_INVALID_ARGUMENT;
constexpr holdfast_status kLastCode = HOLDFAST_UNSUPPORTED;
static_assert(kFirstCode + static_cast<int>(ErrorCode::kUnsupported) == kLastCode);
static_assert(kFirstCode + static_cast<int>(ErrorCode::kRefused) == HOLDFAST_REFUSED);
static_assert(kFirstCode + static_cast<int>(ErrorCode::kBusy) == HOLDFAST_BUSY);

}  // namespace

holdfast_status status_of(ErrorCode code) { return kFirstCode + static_cast<int>(code); }

std::optional<ErrorCode> code_of(holdfast_status status) {
    if (status < kFirstCode || status > kLastCode) return std::nullopt;
    return static_cast<ErrorCode>(status - kFirstCode);
}

holdfast_verdict to_c(const Verdict& verdict) {
    return {static_cast<holdfast_reason>(verdict.reason), verdict.index ? 1 : 0,
            verdict.index.value_or(0)};
}

Failure::Failure(Error error)
    : status(status_of(error.code)), message(std::move(error.message)), verdict(error.verdict) {}

holdfast_status note(const Failure& why) noexcept {
    last_failure.without_memory = false;
    if (why.status == HOLDFAST_REFUSED) last_failure.verdict = why.verdict;
    try {
        last_failure.message = why.message;
    } catch (...) {
        last_failure.without_memory = true;
    }
    return why.status;
}

holdfast_status note_exception() noexcept {
    try {
        throw;
    } catch (const std::bad_alloc&) {
        last_failure.message.clear();
        last_failure.without_memory = true;
        return HOLDFAST_OUT_OF_MEMORY;
    } catch (const std::exception& e) {
        try {
            return note(Failure(HOLDFAST_INTERNAL, e.what()));
        } catch (...) {
            last_failure.without_memory = true;
            return HOLDFAST_INTERNAL;
        }
    } catch (...) {
        last_failure.message.clear();
        return HOLDFAST_INTERNAL;
    }
}

Done check_struct_size(std::size_t size, std::size_t alignment, const char* name) {
    if (size >= sizeof(std::size_t) && size <= kMostStructBytes && size % alignment == 0) return {};
    return bad_argument(std::string(name) + "->struct_size is " + std::to_string(size) +
                        ": set it to sizeof of the struct");
}

bool all_zeros(const unsigned char* bytes, std::size_t count) {
    return std::all_of(bytes, bytes + count, [](unsigned char b) { return b == 0; });
}

Got<ByteView> view_of(const std::uint8_t* data, std::size_t size, const char* name) {
    if (data == nullptr && size > 0) return missing(name);
    return ByteView(data, size);
}

Got<std::string> text_of(const char* text, const char* name) {
    if (text == nullptr) return missing(name);
    return std::string(text);
}

Done need_room(std::size_t needed, const void* out, std::size_t* out_bytes) {
    if (out_bytes == nullptr) return missing("out_bytes");
    const std::size_t room = *out_bytes;
    if (out != nullptr && room >= needed) return {};
    *out_bytes = needed;
    return failure(HOLDFAST_SHORT_BUFFER, "the answer has " + std::to_string(needed) +
                                              " bytes, the buffer " +
                                              std::to_string(out == nullptr ? 0 : room));
}

Done put_bytes(ByteView bytes, std::uint8_t* out, std::size_t* out_bytes) {
    HOLDFAST_TRY(need_room(bytes.size(), out, out_bytes));
    std::copy(bytes.begin(), bytes.end(), out);
    *out_bytes = bytes.size();
    return {};
}

Done put_text(std::string_view text, char* out, std::size_t* out_bytes) {
    HOLDFAST_TRY(need_room(text.size() + 1, out, out_bytes));
    std::copy(text.begin(), text.end(), out);
    out[text.size()] = '\0';
    *out_bytes = text.size() + 1;
    return {};
}

Control::~Control() {
    if (control_.destroy == nullptr) return;
    try {
        control_.destroy(control_.user_data);
    } catch (...) {  // a C++ host's; there is nobody left to tell
        threw_ = true;
    }
}

StopCheck Control::stop() {
    if (control_.stop == nullptr && control_.progress == nullptr) return {};
    return [this] {
        if (threw_) return true;
        if (control_.stop == nullptr) return false;
        try {
            return control_.stop(control_.user_data) != 0;
        } catch (...) {
            threw_ = true;
            return true;
        }
    };
}

std::function<void(const char*, std::uint64_t, std::uint64_t)> Control::progress() {
    if (control_.progress == nullptr) return {};
    return [this](const char* stage, std::uint64_t done, std::uint64_t total) {
        if (threw_ || telling_.exchange(true)) return;
        try {
            control_.progress(control_.user_data, stage, done, total);
        } catch (...) {
            threw_ = true;
        }
        telling_ = false;
    };
}

std::function<void(std::uint64_t, std::uint64_t)> Control::progress_of(const char* stage) {
    if (control_.progress == nullptr) return {};
    return [tell = progress(), stage](std::uint64_t done, std::uint64_t total) {
        tell(stage, done, total);
    };
}

}  // namespace holdfast::capi

extern "C" const char* holdfast_last_error(void) {
    using namespace holdfast::capi;
    return last_failure.without_memory ? kWithoutMemory : last_failure.message.c_str();
}

extern "C" void holdfast_last_verdict(holdfast_verdict* out) {
    using namespace holdfast::capi;
    if (out != nullptr) *out = to_c(last_failure.verdict);
}
