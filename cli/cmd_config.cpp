// config example|check: the settings file of the daemons.

#include "cli/commands.hpp"
#include "node/config.hpp"

namespace holdfast::cli {
namespace {

CommandResult example() {
    Output out;
    out.json["config"] = node::example_config();
    out.text = node::example_config();
    return out;
}

/// Lines "section.key = value", sections in the file's order.
void list(Output& out, const std::string& name, const Json& value) {
    if (value.is_object()) {
        for (const auto& [key, below] : value.items()) {
            list(out, name.empty() ? key : name + "." + key, below);
        }
    } else if (!value.is_array()) {
        out.line(name + " = " + dump(value));
    } else {
        for (std::size_t i = 0; i < value.size(); ++i) {
            list(out, name + "[" + std::to_string(i) + "]", value[i]);
        }
    }
}

CommandResult check(const std::string& file) {
    HOLDFAST_ASSIGN(config, node::load_config(file));
    Output out;
    out.json["file"] = file;
    out.json["in_force"] = node::to_json(config);
    out.line(file + ": in force are");
    list(out, "", out.json["in_force"]);
    return out;
}

}  // namespace

void add_config_commands(Commands& commands) {
    CLI::App* config =
        commands.app().add_subcommand("config", "the settings file of node, prover and challenger");
    config->require_subcommand(1);
    CLI::App* show = config->add_subcommand("example", "print one with every setting explained");
    commands.run(show, "  holdfast config example > node.toml\n", [] { return example(); });
    auto file = std::make_shared<std::string>();
    CLI::App* verify = config->add_subcommand("check", "say what is wrong in one, or is in force");
    verify->add_option("file", *file, "the settings file")->required();
    commands.run(verify,
                 "  holdfast config check node.toml\n  holdfast config check node.toml --json\n",
                 [file] { return check(*file); });
}

}  // namespace holdfast::cli
