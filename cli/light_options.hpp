// What commands are told that verify over the network: whom to ask, what to keep, how to check y.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/light_client.hpp"
#include "cli/console.hpp"
#include "node/light_nodes.hpp"

namespace holdfast::cli {

struct LightArguments {
    std::vector<std::string> from;  // KEY@HOST:PORT
    std::string params;             // network.params, or a folder that holds one
    std::string cache;
    std::string key;  // this side's key file; empty: one made for the run
    std::string y = "spot";
    std::uint32_t segments = 16;
    double timeout = 10;
    std::uint32_t busy_ms = 30'000;  // how long a busy node is asked again
    void add_to(CLI::App* command);
};

/// A light client and the connections it asks over.
struct LightSession {
    std::unique_ptr<node::LightNodes> nodes;
    std::unique_ptr<LightClient> client;

    /// kInvalidArgument for options without sense.
    static Result<LightSession> open(const LightArguments& arguments, const Globals& globals);
};

/// {"rests_on": […]}, and a line each.
void print_rests_on(Output& out, const std::vector<std::string>& rests_on);
/// {"nodes": [{"node", "lied", "why"}]}, and a line each.
void print_faults(Output& out, const std::vector<LightFault>& faults);

}  // namespace holdfast::cli
