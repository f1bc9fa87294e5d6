#include "chunking/scrub.hpp"

#include "chunking/examine.hpp"

namespace holdfast {

Result<ScrubReport> scrub(const ReplicaFiles& files, const NetworkParams& network,
                          const ScrubOptions& options) {
    HOLDFAST_ASSIGN(examination, examine(files, network, options, Finished::kForget));
    const ScrubReport report = examination.report();
    if (report.clean()) HOLDFAST_TRY(examination.log.remove());
    return report;
}

}  // namespace holdfast
