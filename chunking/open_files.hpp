// Files open for reading, never more than so many at once; the least recently used is closed first.
//
// Thread-safe. What get() hands out stays open while it is held, and counts: with the limit reached
// by held files alone, get() fails with kBusy rather than open one more.
#pragma once

#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "core/result.hpp"
#include "storage/file.hpp"

namespace holdfast {

class OpenFiles {
  public:
    /// At least two: a replica and its tree.
    explicit OpenFiles(std::size_t limit) : limit_(limit < 2 ? 2 : limit) {}

    /// Errors of File::open; kBusy.
    [[nodiscard]] Result<std::shared_ptr<const File>> get(const std::filesystem::path& path);
    [[nodiscard]] std::size_t open() const;
    /// The most that were open at one time.
    [[nodiscard]] std::size_t most() const;
    [[nodiscard]] std::size_t limit() const { return limit_; }
    /// Closes a file that nobody holds, if it is open: the next get() sees what the name means now.
    void forget(const std::filesystem::path& path);

  private:
    struct Entry {
        std::string path;
        std::shared_ptr<const File> file;
    };
    using Order = std::list<Entry>;  // most recently used first

    bool close_one();

    mutable std::mutex mutex_;
    std::size_t limit_;
    std::size_t opening_ = 0;
    std::size_t most_ = 0;
    Order order_;
    std::unordered_map<std::string, Order::iterator> by_path_;
};

}  // namespace holdfast
