// Why a peer is not connected: kept for each, so that nobody has to guess.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "callbacks/network.hpp"

namespace holdfast {

/// How the newest attempt to connect to a peer ended, or its last connection. Names are stable:
/// metrics and status use them.
enum class LinkFailure : std::uint8_t {
    kRefused,      // nothing listens at the address
    kNoSuchName,   // the host's name cannot be looked up
    kUnreachable,  // no way to that address
    kTimeout,      // no answer, or none any more
    kTls,          // what answers does not speak TLS 1.3 with an Ed25519 key
    kWrongKey,     // it has another key than the one expected
    kVersion,      // it speaks another version of the transport
    kNetwork,      // it is of another network
    kNotAllowed,   // it does not serve our key, or we not its
    kCeiling,      // it has too many connections
    kClosed,       // it has closed the connection, for another reason or without one
    kLocal,        // this machine could not: no descriptor, port or memory
    kSameKey,      // another process with our key has connected in our place
};
inline constexpr std::size_t kLinkFailureCount = 13;

/// "refused", "no-such-name", …
[[nodiscard]] std::string_view to_string(LinkFailure failure);
/// Whether waiting cannot help: somebody has to change a setting.
[[nodiscard]] bool is_final(LinkFailure failure);
/// Whether the answer came at once, and is that there is nobody: a command need not wait for more.
[[nodiscard]] bool is_absent(LinkFailure failure);
/// What an errno of the system, or of a look-up, means.
[[nodiscard]] LinkFailure link_failure_of(int system_error);

/// A peer as it stands now.
struct PeerReport {
    Peer peer;
    bool connected = false;
    std::optional<LinkFailure> failure;  // none: connected, or nothing has failed yet
    std::string why;                     // in words, with the address; empty without a failure
    std::uint64_t failed_age_ms = 0;     // since then
    std::uint64_t failures = 0;          // in a row, since it was last connected
};

}  // namespace holdfast
