// Whom a daemon believes about y, as the settings say it (node/verified_output.hpp). Plain values.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace holdfast::node {

enum class OutputTrust : std::uint8_t {
    kFull,      // nobody: every y is verified in full
    kOperator,  // the operator's head, unless a spot check refutes it
};
[[nodiscard]] std::string_view to_string(OutputTrust trust);
[[nodiscard]] std::optional<OutputTrust> parse_output_trust(std::string_view word);

struct VerifiedOutputOptions {
    OutputTrust trust = OutputTrust::kFull;
    std::filesystem::path folder;  // of proofs and marks, this node's own; made when missing
    unsigned threads = 0;          // for fills and verification; 0: all cores
    std::uint32_t spot_segments = 16;
};

}  // namespace holdfast::node
