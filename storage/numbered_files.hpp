// Files of one store that follow one another, with their number in the name: 000000000001.links.
//
// Threading: any. Errors: kCorrupt for a name with the suffix that has no number; those of the
// system.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace holdfast {

/// `suffix` with its dot.
[[nodiscard]] std::filesystem::path numbered_file(const std::filesystem::path& folder,
                                                  std::uint64_t number, std::string_view suffix);
/// Numbers of the files with this suffix in a folder, ascending.
[[nodiscard]] Result<std::vector<std::uint64_t>> numbered_files(const std::filesystem::path& folder,
                                                                std::string_view suffix);

}  // namespace holdfast
