// Who may ask an HTTP server what: the bearer token, the names it goes by, the paths it takes.
//
// Threading: any thread. Failure: as each function says; none throws.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast::node {

/// A secret that callers give. Only its hash is kept in memory.
class AccessToken {
  public:
    /// The one line of a file of mode 0600 (16 to 512 printable characters without spaces). Made
    /// from 32 random bytes where there is no file. kPermission when others can read it,
    /// kInvalidArgument for another content, kIo.
    [[nodiscard]] static Result<AccessToken> open(const std::filesystem::path& file);
    /// Whether the value of an Authorization header gives it: "Bearer TOKEN", or "Basic" with it as
    /// the password of any user. Takes as long for every wrong one of a length.
    [[nodiscard]] bool given_by(std::string_view authorization) const;

  private:
    explicit AccessToken(const Digest& hash) : hash_(hash) {}
    Digest hash_;
};

/// The path and query of a request's target; none where it is no path of ours: not from the root,
/// badly escaped, with control characters, backslashes or escaped slashes, or with "." or ".." as a
/// part.
struct HttpTarget {
    std::string path;
    std::string query;
};
enum class TargetFault : std::uint8_t { kNone, kMalformed, kDots };
[[nodiscard]] TargetFault parse_target(std::string_view target, HttpTarget& out);
/// %41 becomes A, and a '+' of a query a space; none where it is badly escaped.
[[nodiscard]] std::optional<std::string> unescape(std::string_view text, bool plus_is_space);

/// Of "name:port", "1.2.3.4" or "[::1]:port".
[[nodiscard]] std::string_view host_without_port(std::string_view host);
/// Whether a browser that names this host means a machine by its number, or this one: nobody can
/// bend such a name to another address. `any_address`: not those of loopback alone.
[[nodiscard]] bool is_unbendable_host(std::string_view host, bool any_address);

}  // namespace holdfast::node
