#include "core/result.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace holdfast {
namespace {

constexpr ReasonInfo kReasons[] = {
#define HOLDFAST_REASON(id, name, meaning, action) {Reason::id, name, meaning, action},
#include "core/reasons.def"
#undef HOLDFAST_REASON
};

}  // namespace

std::size_t reason_count() { return std::size(kReasons); }

const ReasonInfo& describe(Reason reason) {
    const auto i = static_cast<std::size_t>(reason);
    HOLDFAST_CHECK(i < std::size(kReasons));
    return kReasons[i];
}

std::string to_string(const Verdict& verdict) {
    const ReasonInfo& info = describe(verdict.reason);
    std::string text(info.name);
    if (verdict.index) text += " (" + std::to_string(*verdict.index) + ")";
    return text + ": " + std::string(info.meaning);
}

std::string_view to_string(ErrorCode code) {
    switch (code) {
        case ErrorCode::kInvalidArgument:
            return "invalid-argument";
        case ErrorCode::kNotFound:
            return "not-found";
        case ErrorCode::kAlreadyExists:
            return "already-exists";
        case ErrorCode::kPermission:
            return "permission";
        case ErrorCode::kIo:
            return "io";
        case ErrorCode::kCorrupt:
            return "corrupt";
        case ErrorCode::kOutOfSpace:
            return "out-of-space";
        case ErrorCode::kOutOfMemory:
            return "out-of-memory";
        case ErrorCode::kBusy:
            return "busy";
        case ErrorCode::kInterrupted:
            return "interrupted";
        case ErrorCode::kUnavailable:
            return "unavailable";
        case ErrorCode::kTimeout:
            return "timeout";
        case ErrorCode::kRefused:
            return "refused";
        case ErrorCode::kUnsupported:
            return "unsupported";
    }
    return "unknown";
}

tl::unexpected<Error> fail_refused(const Verdict& verdict, std::string_view what) {
    return tl::unexpected<Error>(
        Error{ErrorCode::kRefused, std::string(what) + " refused: " + to_string(verdict), verdict});
}

tl::unexpected<Error> fail_errno(int error_number, std::string_view what) {
    ErrorCode code = ErrorCode::kIo;
    switch (error_number) {
        case ENOENT:
        case ENOTDIR:
            code = ErrorCode::kNotFound;
            break;
        case EEXIST:
        case ENOTEMPTY:
            code = ErrorCode::kAlreadyExists;
            break;
        case EACCES:
        case EPERM:
        case EROFS:
            code = ErrorCode::kPermission;
            break;
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
            code = ErrorCode::kOutOfSpace;
            break;
        case ENOMEM:
            code = ErrorCode::kOutOfMemory;
            break;
        case EINTR:
            code = ErrorCode::kInterrupted;
            break;
        case EAGAIN:
        case EBUSY:
            code = ErrorCode::kBusy;
            break;
        default:
            break;
    }
    return fail(code, std::string(what) + ": " + std::generic_category().message(error_number));
}

void bug(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "holdfast: internal check failed: %s (%s:%d)\n", condition, file, line);
    std::abort();
}

}  // namespace holdfast
