// A small file system in memory, for tests of disks that fill up.
#pragma once

#include <sys/mount.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace holdfast::test {

/// A file system of its own with room for `bytes`; empty where mounting is not allowed.
class SmallDisk {
  public:
    explicit SmallDisk(const std::filesystem::path& at, std::uint64_t bytes) {
        std::filesystem::create_directory(at);
        const std::string options = "size=" + std::to_string(bytes);
        if (::mount("tmpfs", at.c_str(), "tmpfs", 0, options.c_str()) == 0) path_ = at;
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    ~SmallDisk() {
        if (!path_.empty()) ::umount(path_.c_str());
    }
    [[nodiscard]] bool mounted() const { return !path_.empty(); }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] bool empty() const { return std::filesystem::is_empty(path_); }

  private:
    std::filesystem::path path_;
};

}  // namespace holdfast::test
