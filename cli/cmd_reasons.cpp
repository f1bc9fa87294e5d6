// reasons: every verdict that this build can give, from the table that the code itself uses.

#include "cli/commands.hpp"

namespace holdfast::cli {
namespace {

/// docs/verdicts.md, to the byte.
std::string markdown() {
    std::string text =
        "# Verdicts\n\n"
        "Every object that Holdfast examines gets one of these verdicts. Names and numbers do not\n"
        "change; new ones are added at the end. The table is written by `holdfast reasons\n"
        "--markdown` from the list that the code is compiled from, and a test compares the two.\n"
        "Where a verdict carries an index, the meaning says of what.\n\n"
        "| number | name | meaning | what an operator should do |\n|---|---|---|---|\n";
    for (std::size_t i = 0; i < reason_count(); ++i) {
        const ReasonInfo& info = describe(static_cast<Reason>(i));
        text += "| " + std::to_string(i) + " | `" + std::string(info.name) + "` | " +
                std::string(info.meaning) + " | " + std::string(info.action) + " |\n";
    }
    return text;
}

CommandResult reasons(const std::string& name, bool as_markdown) {
    Output out;
    Json list = Json::array();
    for (std::size_t i = 0; i < reason_count(); ++i) {
        const ReasonInfo& info = describe(static_cast<Reason>(i));
        if (!name.empty() && info.name != name) continue;
        list.push_back({{"number", i},
                        {"name", info.name},
                        {"meaning", info.meaning},
                        {"action", info.action}});
        out.line(std::string(info.name) + ": " + std::string(info.meaning) + "\n    " +
                 std::string(info.action));
    }
    if (list.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    "no verdict is called '" + name + "'; 'holdfast reasons' lists them");
    }
    out.json["reasons"] = list;
    if (as_markdown) out.text = markdown();
    return out;
}

}  // namespace

void add_reason_commands(Commands& commands) {
    auto name = std::make_shared<std::string>();
    auto as_markdown = std::make_shared<bool>(false);
    CLI::App* command = commands.app().add_subcommand(
        "reasons", "what each verdict means, and what to do when one is met");
    command->add_option("name", *name, "only this one");
    command->add_flag("--markdown", *as_markdown, "as docs/verdicts.md");
    commands.run(command,
                 "  holdfast reasons\n  holdfast reasons reveal-distance\n"
                 "  holdfast reasons --json\n  holdfast reasons --markdown >docs/verdicts.md\n",
                 [name, as_markdown] { return reasons(*name, *as_markdown); });
}

}  // namespace holdfast::cli
