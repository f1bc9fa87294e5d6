// submit: an object to a node, over the transport.

#include "cli/commands.hpp"
#include "cli/daemon_options.hpp"
#include "cli/peer_link.hpp"
#include "cli/workspace.hpp"
#include "node/connect.hpp"

namespace holdfast::cli {
namespace {

constexpr double kWaitSeconds = 10;  // for the connection

struct SubmitArguments {
    std::vector<std::string> files;
    std::string params, key, host;
};

CommandResult submit(const SubmitArguments& arguments) {
    node::Config config;
    config.params = arguments.params;
    config.key = arguments.key;
    HOLDFAST_ASSIGN(host, parse_peer(arguments.host, "--host", true));
    config.hosts = {host};
    HOLDFAST_ASSIGN(identity, node::open_identity(config));
    HOLDFAST_ASSIGN(log, node::Log::open({node::LogLevel::kOff, {}, {}}));
    HOLDFAST_ASSIGN(network, node::start_network(config, identity.params.id(), *identity.key,
                                                 kRoleReader, {}, *log));
    HOLDFAST_ASSIGN(client, node::follow_host(config, *network));
    HOLDFAST_TRY(wait_connected(*network, {host.key, host.address}, kWaitSeconds));
    Output out;
    for (const std::string& file : arguments.files) {
        HOLDFAST_ASSIGN(object, read_object(file));
        const Checked<Kind> kind = peek_kind(object);
        if (!kind) return fail_refused(kind.error(), file);
        HOLDFAST_TRY(client->submit(*kind, object));
        out.json["taken"].push_back({{"file", file}, {"kind", to_string(*kind)}});
        out.line(file + ": " + std::string(to_string(*kind)) + ", taken");
    }
    return out;
}

}  // namespace

void add_submit_command(Commands& commands) {
    auto a = std::make_shared<SubmitArguments>();
    CLI::App* command = commands.app().add_subcommand(
        "submit", "hand objects to a node somewhere else: evidence, an update, a removal ...");
    command->add_option("files", a->files, "objects, each standing alone")->required();
    command->add_option("-p,--params", a->params, "network.params, or a folder that has it")
        ->required();
    command->add_option("-k,--key", a->key, "key file of whoever hands them over")->required();
    command->add_option("--host", a->host, "KEY@HOST:PORT of the node")->required();
    commands.run(command,
                 "  holdfast submit e.evidence --params network.params --key bob.key --host "
                 "KEY@node.example:9000\n"
                 "Taken means that the node's chain has it durably; what it is worth is decided "
                 "once a final block\nlists it (holdfast stats, evidence cases).\n",
                 [a] { return submit(*a); });
}

}  // namespace holdfast::cli
