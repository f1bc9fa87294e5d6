// A log that nobody reads.
#pragma once

#include "node/log.hpp"
#include "support/registry_world.hpp"

namespace holdfast::test {

inline std::unique_ptr<node::Log> quiet_log() {
    node::LogOptions options;
    options.level = node::LogLevel::kOff;
    return must(node::Log::open(options));
}

}  // namespace holdfast::test
