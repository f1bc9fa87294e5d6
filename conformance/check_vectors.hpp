// Runs folders of vector files against this library: every file, every case, every value and every
// encoding that must be refused.
//
// A vector file is JSON of the form described in docs/spec.md (test vectors); which checks a file
// gets follows from its name. Nothing about the inputs, networks or sizes is assumed: another
// folder of the same form with other contents runs the same checks. Malformed files are failures
// with a message, never a crash. Runs in the calling thread; memory and time follow the cases
// themselves (a fill of the size that a case asks for).
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/fill.hpp"
#include "core/result.hpp"

namespace holdfast {

/// Failures of which the text is kept, per file.
inline constexpr std::size_t kMaxReportedFailures = 20;

struct FileReport {
    std::string file;          // "merkle.json"
    std::uint64_t passed = 0;  // comparisons that held and refusals that happened
    std::uint64_t failed = 0;
    std::uint64_t skipped = 0;          // values of the file that no check has looked at
    std::vector<std::string> failures;  // the first ones, with the place in the file
};

struct VectorOptions {
    /// Called after every case with the file's report so far.
    std::function<void(const FileReport&)> on_progress;
    StopCheck stop;
    /// Folder in which the cases' replicas and record files are kept while they are checked;
    /// nothing remains of them. Empty: the system's folder for temporary files.
    std::filesystem::path scratch;
};

/// One report per *.json file of the folder, ordered by name. A file whose name is not one of the
/// known vector files is a failure of its own. Errors: kNotFound (no such folder, or no *.json in
/// it), kIo, kInterrupted; those of the scratch folder.
[[nodiscard]] Result<std::vector<FileReport>> check_vectors(const std::filesystem::path& folder,
                                                            const VectorOptions& options = {});

/// One file; its name says what it holds. Errors: kInterrupted.
[[nodiscard]] Result<FileReport> check_vector_file(const std::filesystem::path& file,
                                                   const VectorOptions& options = {});

}  // namespace holdfast
