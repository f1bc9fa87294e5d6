#include "storage/numbered_files.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>

namespace holdfast {
namespace {

constexpr std::size_t kDigits = 12;

}  // namespace

std::filesystem::path numbered_file(const std::filesystem::path& folder, std::uint64_t number,
                                    std::string_view suffix) {
    std::string name = std::to_string(number);
    name.insert(0, kDigits - std::min(kDigits, name.size()), '0');
    return folder / name.append(suffix);
}

Result<std::vector<std::uint64_t>> numbered_files(const std::filesystem::path& folder,
                                                  std::string_view suffix) {
    std::vector<std::uint64_t> out;
    std::error_code error;
    for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
         at.increment(error)) {
        const std::string name = at->path().filename().string();
        if (!name.ends_with(suffix)) continue;
        const char* last = name.data() + name.size() - suffix.size();
        std::uint64_t number = 0;
        const auto [stop, bad] = std::from_chars(name.data(), last, number);
        if (bad != std::errc() || stop != last) {
            return fail(ErrorCode::kCorrupt, at->path().string() + ": an unknown file");
        }
        out.push_back(number);
    }
    if (error) return fail_errno(error.value(), folder.string());
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace holdfast
