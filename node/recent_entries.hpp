// Where the newest objects of a journal stand, by their hash: for whoever hands over once more what
// stands there already, because the first answer was lost.
//
// Reads what has come since it was asked last, and nothing before it is asked at all. Of the newest
// kKept entries; 64 bytes of memory each. Threading: any thread. The registry must outlive it.
#pragma once

#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "hierarchy/registry.hpp"

namespace holdfast::node {

class RecentEntries {
  public:
    static constexpr std::uint64_t kKept = std::uint64_t{1} << 18;

    explicit RecentEntries(const Registry& registry, std::uint64_t kept = kKept)
        : registry_(registry), kept_(kept) {}

    /// Number of the entry that is this object, standing alone; empty: none of the newest is.
    [[nodiscard]] Result<std::optional<std::uint64_t>> find(ByteView object);

  private:
    [[nodiscard]] Status catch_up();
    void add(const Digest& hash);

    const Registry& registry_;
    const std::uint64_t kept_;
    std::mutex mutex_;  // guards what follows
    bool begun_ = false;
    std::uint64_t next_ = 0;  // entry to be read
    std::unordered_map<Digest, std::uint64_t, DigestHash> numbers_;
    std::vector<Digest> ring_;  // entry n at n % kept_
};

}  // namespace holdfast::node
