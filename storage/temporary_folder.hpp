// A folder in which something is put together that appears whole, by one rename, or not at all.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "core/result.hpp"

namespace holdfast {

/// A hidden folder in `parent`; gone, with everything in it, unless it was published.
class TemporaryFolder {
  public:
    static Result<TemporaryFolder> make(const std::filesystem::path& parent,
                                        const std::string& name);
    TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    TemporaryFolder& operator=(TemporaryFolder&&) = delete;
    ~TemporaryFolder();

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    /// Under its final name, durably; what lies in it is on the device already. The name must be
    /// free.
    [[nodiscard]] Status publish(const std::filesystem::path& to);

  private:
    explicit TemporaryFolder(std::filesystem::path path) : path_(std::move(path)) {}
    std::filesystem::path path_;
};

/// The folder that holds `path`.
[[nodiscard]] std::filesystem::path parent_of(const std::filesystem::path& path);
/// `path` without a separator at its end, which would leave it without a name.
[[nodiscard]] std::filesystem::path named_path(const std::filesystem::path& path);

}  // namespace holdfast
