#include "node/daemon_control.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

namespace holdfast::node {
namespace {

using json::Json;

/// "section.key" of each setting, and the entries of lists under their section's name.
void each_setting(const std::string& name, const Json& value,
                  const std::function<void(const std::string&, const Json&)>& visit) {
    if (!value.is_object()) return visit(name, value);
    for (const auto& [key, inner] : value.items()) {
        each_setting(name.empty() ? key : name + "." + key, inner, visit);
    }
}

std::vector<std::string> differences(const Json& before, const Json& after) {
    std::map<std::string, Json> old;
    each_setting("", before, [&](const std::string& name, const Json& v) { old[name] = v; });
    std::vector<std::string> out;
    each_setting("", after, [&](const std::string& name, const Json& v) {
        const auto found = old.find(name);
        if (found == old.end() || found->second != v) out.push_back(name);
    });
    return out;
}

}  // namespace

DaemonControl::DaemonControl(const Config& config, Parts parts, Log& log)
    : parts_(std::move(parts)), file_(config.file), log_(log), hangups_(log.reopenings()) {
    if (file_.empty()) return;
    const auto loaded = load_config(file_);
    if (loaded) started_ = in_force_ = to_json(*loaded);
}

std::vector<ApiRoute> DaemonControl::routes() {
    return {
        {"GET", "/status", "status", "What the daemon does.", {}, {{"role", "string", true, ""}}},
        {"GET",
         "/health",
         "health",
         "Whether something is wrong, and what.",
         {},
         {{"healthy", "boolean", true, ""}, {"problems", "array", true, ""}}},
        {"POST",
         "/log-level",
         "log-level",
         "What the log tells from now on.",
         {{"level", "string", true, "", {"debug", "info", "warn", "error", "off"}}},
         {{"level", "string", true, ""}}},
        {"POST",
         "/reload",
         "reload",
         "Read the settings file again; as SIGHUP.",
         {},
         {{"changed", "array", true, "Settings that are in force now."},
          {"restart", "array", true, "Settings that wait for a restart."}}},
        {"POST", "/stop", "stop", "End it, in order.", {}, {{"stopping", "boolean", true, ""}}},
    };
}

bool DaemonControl::has(const std::string& command) {
    const auto all = routes();
    return std::any_of(all.begin(), all.end(),
                       [&](const ApiRoute& one) { return one.command == command; });
}

Result<Json> DaemonControl::set_level(const Json& arguments) {
    const auto word = arguments.find("level");
    const auto level = word != arguments.end() && word->is_string()
                           ? parse_log_level(word->get<std::string>())
                           : std::nullopt;
    if (!level) {
        return fail(ErrorCode::kInvalidArgument, "level is debug, info, warn, error or off");
    }
    log_.set_level(*level);
    log_.info("log.level", {{"level", to_string(*level)}});
    return Json{{"level", std::string(to_string(*level))}};
}

Result<Json> DaemonControl::reload() {
    const std::lock_guard lock(reloading_);
    if (file_.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    "it was started without a settings file: there is nothing to reload");
    }
    Result<Config> loaded = load_config(file_);
    if (!loaded) {
        log_.error("settings.refused", {{"error", loaded.error().message}});
        return fail(loaded.error());
    }
    const Json now = to_json(*loaded);
    const auto is_ours = [this](const std::string& name) {
        return name == "log.level" || std::find(parts_.applied.begin(), parts_.applied.end(),
                                                name) != parts_.applied.end();
    };
    Json changed = Json::array();
    for (const std::string& name : differences(in_force_, now)) {
        if (is_ours(name)) changed.push_back(name);
    }
    Json restart = Json::array();
    for (const std::string& name : differences(started_, now)) {
        if (!is_ours(name)) restart.push_back(name);
    }
    if (parts_.apply) HOLDFAST_TRY(parts_.apply(*loaded));
    const bool level_changed =
        std::find(changed.begin(), changed.end(), "log.level") != changed.end();
    if (level_changed) log_.set_level(loaded->log.level);
    in_force_ = now;
    log_.info("settings.reloaded", {{"changed", changed.size()}, {"restart", restart.size()}});
    return Json{{"changed", std::move(changed)}, {"restart", std::move(restart)}};
}

void DaemonControl::look_at_hangups() {
    {
        const std::lock_guard lock(reloading_);
        if (log_.reopenings() == hangups_) return;
        hangups_ = log_.reopenings();
    }
    if (!file_.empty()) (void)reload();  // what is wrong with the file is in the log
}

void watch_hangups(DaemonControl& daemon, const StopCheck& stop) {
    while (!stop()) {
        daemon.look_at_hangups();
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

Result<Json> DaemonControl::handle(const std::string& command, const Json& arguments) {
    if (command == "status") {
        Json out = parts_.status();
        out["problems"] = parts_.health().problems;
        return out;
    }
    if (command == "health") {
        const Health now = parts_.health();
        return Json{{"healthy", now.problems.empty()}, {"problems", now.problems}};
    }
    if (command == "log-level") return set_level(arguments);
    if (command == "reload") return reload();
    if (command == "stop") {
        stop_wanted_ = true;
        return Json{{"stopping", true}};
    }
    return fail(ErrorCode::kInvalidArgument, "there is no command " + command);
}

}  // namespace holdfast::node
