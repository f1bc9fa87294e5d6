// What bench programs that work on files share: results taken or thrown, a folder of their own,
// bytes to work on. One thread.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "bench/result.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast::bench {

template <class T>
T expect(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    return std::move(*result);
}

inline void expect(const Status& status) {
    if (!status) throw std::runtime_error(status.error().message);
}

/// A temporary folder, removed with everything in it.
class Folder {
  public:
    Folder() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "holdfast-bench-XXXXXX").string();
        require(::mkdtemp(pattern.data()) != nullptr, "a temporary folder");
        path_ = pattern;
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
        return path_ / name;
    }

  private:
    std::filesystem::path path_;
};

/// Bytes that no file system and no kernel can treat as a special case.
inline Bytes source_bytes(std::uint64_t length) {
    Bytes bytes(length);
    std::uint64_t x = 1;
    for (std::uint8_t& byte : bytes) {
        x = x * 6364136223846793005U + 1442695040888963407U;
        byte = static_cast<std::uint8_t>(x >> 56);
    }
    return bytes;
}

}  // namespace holdfast::bench
