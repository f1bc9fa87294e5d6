// Chains of a prover's own key that the followed node knows and that are not served here: a disk
// that is not mounted, a replica that nobody named. Each is a challenge without an answer.
//
// The node's list of chains is asked for when it has changed, and at most once in kEveryHeights,
// since it may hold a hundred thousand. Threading: look() is one thread's, the rest any thread's.
// Ownership: the client must outlive it.
#pragma once

#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "follow/client.hpp"

namespace holdfast::node {

class UnservedChains {
  public:
    static constexpr std::uint64_t kEveryHeights = 32;

    UnservedChains(FollowClient& client, const PublicKey& own) : client_(client), own_(own) {}

    /// A height was told. Without an answer it is asked again with the next one.
    void look(const FollowHeight& height);
    /// The node's chains of this key but those that are served, ascending.
    [[nodiscard]] std::vector<ChainId> but(std::span<const ChainId> served) const;

  private:
    FollowClient& client_;
    const PublicKey own_;
    std::optional<Height> asked_;  // look()'s
    Digest list_;                  // look()'s: that was asked for
    mutable std::mutex mutex_;     // guards the next
    std::vector<ChainId> known_;   // ascending
};

/// For people, where there are any.
[[nodiscard]] std::optional<std::string> unserved_problem(std::span<const ChainId> unserved);

}  // namespace holdfast::node
