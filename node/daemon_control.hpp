// What every daemon can be told while it runs, over its control socket and its API alike: status,
// health, metrics' source aside; log-level, reload, stop. A daemon's own commands stand beside
// these.
//
// reload reads the settings file whole and checks it before anything changes; what can change while
// the daemon runs is put in force, and what differs otherwise is named: it waits for a restart.
// SIGHUP is the same (the log is reopened first: node/log.hpp).
//
// Threading: any thread; reloads one at a time.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "core/fill.hpp"
#include "node/api.hpp"
#include "node/config.hpp"
#include "node/log.hpp"
#include "node/monitor.hpp"

namespace holdfast::node {

class DaemonControl {
  public:
    struct Parts {
        std::function<json::Json()> status;
        std::function<Health()> health;
        /// Puts in force what the daemon can change; `sections` it has taken are not named as
        /// waiting. Empty: none but the log's level.
        std::function<Status(const Config& now)> apply = {};
        std::vector<std::string> applied = {};  // "prover.rescan_s", "folders", ...
    };
    DaemonControl(const Config& config, Parts parts, Log& log);

    /// kInvalidArgument with the commands that there are, for one that there is not.
    [[nodiscard]] Result<json::Json> handle(const std::string& command,
                                            const json::Json& arguments);
    [[nodiscard]] bool stop_wanted() const { return stop_wanted_.load(); }
    /// Reloads where SIGHUP has come since the last call.
    void look_at_hangups();

    [[nodiscard]] static bool has(const std::string& command);
    [[nodiscard]] static std::vector<ApiRoute> routes();

  private:
    [[nodiscard]] Result<json::Json> reload();
    [[nodiscard]] Result<json::Json> set_level(const json::Json& arguments);

    const Parts parts_;
    const std::filesystem::path file_;
    Log& log_;
    std::atomic<bool> stop_wanted_{false};
    json::Json started_;    // the file's settings when it began
    std::mutex reloading_;  // guards the two below
    json::Json in_force_;   // the file's settings as of the newest reload
    std::uint64_t hangups_;
};

/// Reloads at hangups, until `stop`.
void watch_hangups(DaemonControl& daemon, const StopCheck& stop);

}  // namespace holdfast::node
