#include "cli/light_options.hpp"

#include "cli/daemon_options.hpp"
#include "cli/workspace.hpp"
#include "storage/key_file.hpp"

namespace holdfast::cli {
namespace {

constexpr double kMostLightSeconds = 3'600;

/// Of what the options name, or of the cache, which holds them once it was used.
Result<NetworkParams> params_of(const LightArguments& a) {
    if (!a.params.empty()) return read_network(a.params);
    if (!a.cache.empty()) return read_network(a.cache);
    return fail(ErrorCode::kInvalidArgument,
                "--from needs --params: the network's parameters, a network.params file or a "
                "folder that holds one");
}

Result<LightOptions> options_of(const LightArguments& a,
                                const std::shared_ptr<PhaseProgress>& progress) {
    LightOptions out;
    const std::optional<LightY> how = parse_light_y(a.y);
    if (!how) return fail(ErrorCode::kInvalidArgument, "--y is full, spot or none");
    out.outputs.how = *how;
    out.outputs.segments = a.segments;
    out.outputs.stop = stop_requested();
    const auto mutex = std::make_shared<std::mutex>();
    out.outputs.progress = [progress, mutex](const char* what, std::uint64_t done,
                                             std::uint64_t total) {
        const std::lock_guard lock(*mutex);
        (*progress)(std::string("checking y: ") + what, done, total);
        if (done >= total) progress->finish();
    };
    out.cache = a.cache;
    return out;
}

}  // namespace

void LightArguments::add_to(CLI::App* command) {
    command->add_option("--from", from,
                        "KEY@HOST:PORT of a node to ask (repeat: all are asked and compared)");
    command->add_option("--params", params,
                        "with --from: network.params, or a folder that holds one");
    command->add_option("--cache", cache, "with --from: folder for what was fetched and checked");
    command->add_option("-k,--key", key,
                        "with --from: this side's key file; without one a key is made");
    command
        ->add_option("--y", y,
                     "with --from: check y by all segments of its VDF proofs (full), by some "
                     "drawn at random (spot), or not (none)")
        ->capture_default_str();
    command->add_option("--segments", segments, "with --y spot: how many, 1 to 64")
        ->capture_default_str();
    command->add_option("--timeout", timeout, "with --from: seconds to wait for a connection")
        ->capture_default_str();
}

Result<LightSession> LightSession::open(const LightArguments& a, const Globals& globals) {
    if (!(a.timeout > 0) || a.timeout > kMostLightSeconds) {
        return fail(ErrorCode::kInvalidArgument, "--timeout is above 0 and at most 3600 seconds");
    }
    node::LightNodesOptions options;
    for (const std::string& word : a.from) {
        HOLDFAST_ASSIGN(node, parse_peer(word, "--from", true));
        if (!is_tcp_address(node.address)) {
            return fail(ErrorCode::kInvalidArgument,
                        "--from must be KEY@HOST:PORT, not '" + word + "'");
        }
        options.nodes.push_back(std::move(node));
    }
    options.connect_ms = static_cast<std::uint32_t>(a.timeout * 1'000);
    options.busy_ms = a.busy_ms;
    options.stop = stop_requested();
    HOLDFAST_ASSIGN(params, params_of(a));
    HOLDFAST_ASSIGN(light, options_of(a, std::make_shared<PhaseProgress>(globals, "segments")));
    HOLDFAST_ASSIGN(key, a.key.empty() ? generate_key_pair() : load_key_pair(a.key));
    LightSession out;
    HOLDFAST_ASSIGN(nodes, node::LightNodes::start(params.id(), key, std::move(options)));
    out.nodes = std::move(nodes);
    HOLDFAST_ASSIGN(client, LightClient::open(params, out.nodes->nodes(), light));
    out.client = std::move(client);
    return out;
}

void print_rests_on(Output& out, const std::vector<std::string>& rests_on) {
    out.json["rests_on"] = rests_on;
    for (const std::string& one : rests_on) out.line("rests on: " + one);
}

void print_faults(Output& out, const std::vector<LightFault>& faults) {
    Json all = Json::array();
    for (const LightFault& fault : faults) {
        all.push_back({{"node", fault.node}, {"lied", fault.lied}, {"why", fault.why}});
        out.line((fault.lied ? "refused: " : "left out: ") + fault.node + ": " + fault.why);
    }
    out.json["left_out"] = all;
}

}  // namespace holdfast::cli
