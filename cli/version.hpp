// What `holdfast --version` says of this build and of this processor.
#pragma once

#include "cli/console.hpp"

namespace holdfast::cli {

/// Version, commit, compiler, and the kernels that are chosen here, each after its self-test
/// (docs/architecture.md section 4).
Output version_output();

}  // namespace holdfast::cli
