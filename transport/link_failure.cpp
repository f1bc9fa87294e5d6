#include "transport/link_failure.hpp"

#include <array>
#include <cerrno>

namespace holdfast {
namespace {

constexpr std::array<std::string_view, kLinkFailureCount> kNames = {
    "refused", "no-such-name", "unreachable", "timeout", "tls",   "wrong-key", "version",
    "network", "not-allowed",  "ceiling",     "closed",  "local", "same-key"};

}  // namespace

std::string_view to_string(LinkFailure failure) {
    return kNames.at(static_cast<std::size_t>(failure));
}

bool is_final(LinkFailure failure) {
    switch (failure) {
        case LinkFailure::kWrongKey:
        case LinkFailure::kVersion:
        case LinkFailure::kNetwork:
        case LinkFailure::kNotAllowed:
            return true;
        default:
            return false;
    }
}

bool is_absent(LinkFailure failure) {
    return failure == LinkFailure::kRefused || failure == LinkFailure::kNoSuchName ||
           failure == LinkFailure::kUnreachable;
}

LinkFailure link_failure_of(int system_error) {
    switch (system_error) {
        case ECONNREFUSED:
            return LinkFailure::kRefused;
        case ENETUNREACH:
        case EHOSTUNREACH:
        case ENETDOWN:
        case EHOSTDOWN:
        case EADDRNOTAVAIL:
        case EAFNOSUPPORT:
        case EINVAL:
        case EACCES:
        case EPERM:
            return LinkFailure::kUnreachable;
        case ETIMEDOUT:
        case ECANCELED:
            return LinkFailure::kTimeout;
        case ECONNRESET:
        case ECONNABORTED:
        case EPIPE:
            return LinkFailure::kClosed;
        default:
            return LinkFailure::kLocal;
    }
}

}  // namespace holdfast
