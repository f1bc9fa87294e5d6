#include "cli/version.hpp"

#include "core/fill.hpp"
#include "core/hash.hpp"
#include "vdf/walk_kernel.hpp"

// Written by cmake/build_info.cmake whenever the commit has changed.
extern const char* const kBuildCommit;

namespace holdfast::cli {

Output version_output() {
    const std::string_view fill = best_fill_kernel().name;
    const std::string_view sha256 = best_sha256_kernel().name;
    const std::string_view walk = best_walk_kernel().name;
    Output out;
    out.line("holdfast " HOLDFAST_VERSION);
    out.json["version"] = HOLDFAST_VERSION;
    out.field("commit", kBuildCommit);
    out.field("compiler", HOLDFAST_COMPILER);
    out.field("drand_adapter", HOLDFAST_DRAND);
    out.json["kernels"] = {{"fill", fill}, {"sha256", sha256}, {"walk", walk}};
    out.line("kernels: fill " + std::string(fill) + ", sha256 " + std::string(sha256) + ", walk " +
             std::string(walk));
    return out;
}

}  // namespace holdfast::cli
