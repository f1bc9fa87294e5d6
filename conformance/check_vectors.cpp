#include "conformance/check_vectors.hpp"

#include <map>

#include "conformance/vector_file.hpp"
#include "core/keys.hpp"
#include "storage/file.hpp"
#include "storage/randomness.hpp"

namespace holdfast {
namespace {

using conformance::Checker;
using conformance::FileCheck;
using conformance::Malformed;
using conformance::Stopped;
using conformance::Value;
using conformance::Visited;

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 30;
constexpr std::string_view kSpecName = "holdfast/1";

const std::map<std::string_view, FileCheck>& file_checks() {
    static const std::map<std::string_view, FileCheck> checks{
        {"availability", conformance::check_availability},
        {"bundles", conformance::check_bundles},
        {"entropy", conformance::check_entropy},
        {"erasure", conformance::check_erasure},
        {"evidence", conformance::check_evidence},
        {"files", conformance::check_files},
        {"fill", conformance::check_fill},
        {"history", conformance::check_history},
        {"hierarchy", conformance::check_hierarchy},
        {"lifecycle", conformance::check_lifecycle},
        {"links", conformance::check_links},
        {"merkle", conformance::check_merkle},
        {"network", conformance::check_network},
        {"seal", conformance::check_seal},
        {"selection", conformance::check_selection},
        {"signatures", conformance::check_signatures},
        {"vdf", conformance::check_vdf},
    };
    return checks;
}

/// A folder of its own that goes away with everything in it.
class ScratchFolder {
  public:
    static Result<ScratchFolder> create(const std::filesystem::path& parent) {
        std::error_code error;
        const std::filesystem::path where =
            parent.empty() ? std::filesystem::temp_directory_path(error) : parent;
        Digest name;
        HOLDFAST_TRY(random_bytes({name.data(), name.size()}));
        ScratchFolder out;
        if (!error) {
            out.path_ = where / ("holdfast-vectors-" + to_hex(view(name)).substr(0, 16));
            std::filesystem::create_directory(out.path_, error);
        }
        if (error) {
            const std::string what = "cannot make a folder in " + where.string();
            out.path_.clear();
            return fail_errno(error.value(), what);
        }
        return out;
    }
    ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    ScratchFolder& operator=(ScratchFolder&&) = delete;
    ~ScratchFolder() {
        std::error_code ignored;
        if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    ScratchFolder() = default;
    std::filesystem::path path_;
};

/// Values that no check has looked at. An object or array that nobody entered counts once.
std::uint64_t count_unvisited(const nlohmann::json& json, const Visited& visited) {
    if (!visited.contains(&json)) return 1;
    std::uint64_t count = 0;
    if (json.is_structured()) {
        for (const nlohmann::json& child : json) count += count_unvisited(child, visited);
    }
    return count;
}

/// Throws Malformed or Stopped.
void run_checks(Checker& checker, const Value& root, const std::string& stem) {
    if (root["spec"].text() != kSpecName) {
        root["spec"].malformed("is not \"" + std::string(kSpecName) + "\"");
    }
    if (root.has("set")) static_cast<void>(root["set"].text());
    const auto check = file_checks().find(stem);
    if (check == file_checks().end()) {
        throw Malformed{stem, "no vector file of the protocol has this name"};
    }
    const conformance::Network network = checker.network(root);
    check->second(checker, network, root["cases"]);
}

void check_json(FileReport& report, const VectorOptions& options, const std::string& stem,
                const nlohmann::json& json, const std::filesystem::path& scratch) {
    Visited visited;
    Checker checker(report, options, scratch);
    try {
        const Value root(json, "", visited);
        checker.run_case(root, [&] { run_checks(checker, root, stem); });
    } catch (const Malformed& m) {
        checker.fail(m.where, m.what);
    }
    report.skipped = count_unvisited(json, visited);
}

}  // namespace

Result<FileReport> check_vector_file(const std::filesystem::path& file,
                                     const VectorOptions& options) {
    FileReport report;
    report.file = file.filename().string();
    HOLDFAST_ASSIGN(scratch, ScratchFolder::create(options.scratch));
    const Result<Bytes> bytes = read_file(file, kMaxFileBytes);
    if (!bytes) {
        report.failed = 1;
        report.failures.push_back(bytes.error().message);
        return report;
    }
    try {
        const nlohmann::json json = nlohmann::json::parse(bytes->begin(), bytes->end());
        check_json(report, options, file.stem().string(), json, scratch.path());
    } catch (const Stopped&) {
        return fail(ErrorCode::kInterrupted, "stopped in " + report.file);
    } catch (const std::exception& e) {
        ++report.failed;
        report.failures.push_back(report.file + ": " + e.what());
    }
    return report;
}

Result<std::vector<FileReport>> check_vectors(const std::filesystem::path& folder,
                                              const VectorOptions& options) {
    std::error_code error;
    std::vector<std::filesystem::path> files;
    for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
         it.increment(error)) {
        if (it->path().extension() == ".json") files.push_back(it->path());
    }
    if (error) return fail_errno(error.value(), "cannot list " + folder.string());
    if (files.empty()) {
        return fail(ErrorCode::kNotFound, folder.string() + " holds no *.json file");
    }
    std::sort(files.begin(), files.end());
    std::vector<FileReport> reports;
    for (const std::filesystem::path& file : files) {
        HOLDFAST_ASSIGN(report, check_vector_file(file, options));
        reports.push_back(std::move(report));
    }
    return reports;
}

}  // namespace holdfast
