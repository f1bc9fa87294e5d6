// What several nodes say of the same heights: whether they tell one history.
//
// Of each height the first word is kept, with who gave it; a later one that differs is a split. A
// node that lags, or has no y yet, contradicts nobody. After a split nothing more is compared until
// forget().
//
// Threading: any thread. Memory: the newest kKept heights. Spec: docs/spec.md sections 14, 15.7.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "core/types.hpp"

namespace holdfast::node {

struct SplitHistory {
    Height height;
    std::string what;  // "block", "y", "digest" or "head"
    std::string first;
    std::string second;
    [[nodiscard]] std::string to_string() const;
};

class HistoryComparison {
  public:
    static constexpr std::size_t kKept = 1'024;

    struct Said {
        std::optional<BlockHash> block;
        std::optional<VdfOutput> y;
        std::optional<GlobalDigest> anchor;  // the digest that links of this height build on
    };

    /// Notes the word of one node, known by `name`. True when this is what splits the history.
    bool note(const std::string& name, Height height, const Said& said);
    /// What was found elsewhere. False: they are split already.
    bool note(const SplitHistory& found);
    [[nodiscard]] std::optional<SplitHistory> split() const;
    void forget();

  private:
    template <class T>
    struct Word {
        std::optional<T> value;
        std::string name;
    };
    struct Known {
        Word<BlockHash> block;
        Word<VdfOutput> y;
        Word<GlobalDigest> anchor;
    };
    template <class T>
    void compare(Word<T>& known, const std::optional<T>& said, const std::string& name,
                 Height height, const char* what);

    mutable std::mutex mutex_;  // guards the two below
    std::map<Height, Known> known_;
    std::optional<SplitHistory> split_;
};

}  // namespace holdfast::node
