// serve: the daemon of a prover.

#include "cli/commands.hpp"
#include "cli/daemon_options.hpp"
#include "node/serve.hpp"

namespace holdfast::cli {
namespace {

struct ServeArguments {
    DaemonOptions daemon;
    std::vector<std::string> replicas;
    std::vector<std::string> raw;
};

CommandResult run_serve(const Globals& globals, const ServeArguments& a) {
    if (a.raw.size() > a.replicas.size()) {
        return fail(ErrorCode::kInvalidArgument, "give one --replica for each --raw");
    }
    HOLDFAST_ASSIGN(config, daemon_config(a.daemon));
    for (std::size_t i = 0; i < a.replicas.size(); ++i) {
        config.replicas.push_back({a.replicas[i], i < a.raw.size() ? a.raw[i] : ""});
    }
    HOLDFAST_ASSIGN(log, DaemonLog::open(config.log));
    node::ServeHooks hooks;
    hooks.ready = [&](const Json& ready) { print_ready(globals, ready, **log); };
    HOLDFAST_ASSIGN(summary, node::run_serve(config, **log, hooks, stop_requested()));
    return summary_output(summary);
}

}  // namespace

void add_serve_command(Commands& commands) {
    auto s = std::make_shared<ServeArguments>();
    CLI::App* serve =
        commands.app().add_subcommand("serve", "answer challenges and readers, following a node");
    add_daemon_options(serve, s->daemon);
    serve->add_option("-r,--replica", s->replicas,
                      "a registered replica of the key (repeat); besides those of the file");
    serve->add_option("--raw", s->raw,
                      "its data as before sealing, to serve them raw (repeat, same order)");
    commands.run(serve,
                 "  holdfast serve --params network.params --key alice.key --replica "
                 "data.bin.replica --listen 127.0.0.1:9001 --host KEY@127.0.0.1:9000 "
                 "--accept-anyone\n"
                 "  holdfast serve --config alice.toml --monitor 127.0.0.1:9101\n"
                 "Ctrl-C or SIGTERM stops it; the exit code is then 0.\n",
                 [s, &commands] { return run_serve(commands.globals(), *s); });
}

}  // namespace holdfast::cli
