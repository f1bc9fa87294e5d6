// What every command shares: results in text and JSON, exit codes, progress, interruption.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "core/fill.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "json/json.hpp"

namespace holdfast::cli {

using namespace json;  // Json, to_json, json_of: the words for objects in every command

// Documented in README.md and in `holdfast --help`.
inline constexpr int kExitOk = 0;
inline constexpr int kExitRefused = 1;      // a proof or object was examined and refused
inline constexpr int kExitUsage = 2;        // wrong arguments
inline constexpr int kExitEnvironment = 3;  // files, disk, memory, locks
inline constexpr int kExitInterrupted = 130;
inline constexpr int kExitReaderGone = 141;  // nobody reads standard output: as if by SIGPIPE

/// What a command has to say: one JSON object, and the same as lines of text.
struct Output {
    Json json = Json::object();
    std::string text;
    int exit_code = kExitOk;
    Json parts = Json::array();  // what part() was given
    bool one_line = false;       // JSON without line breaks, after others like it

    /// Adds "key" to the JSON and "label: value" to the text.
    Output& field(const std::string& key, const Json& value);
    /// Adds every member of an object; sizes (…_bytes) are scaled in the text.
    Output& fields(const Json& object);
    /// Adds a line of text only.
    Output& line(const std::string& text_line);
    /// Adds a verdict: {"verdict", "reason", "accepted", "index", "action"}; sets the exit code.
    Output& verdict(const Verdict& v);
    /// Adds everything that another one says, of the same input.
    Output& append(const Output& other);
    /// Adds what one of several inputs gave; finish_parts() makes the JSON: the object itself for
    /// one input, {"results", "accepted"} for more. The worst exit code stands.
    Output& part(const Output& one);
    Output& finish_parts();
};

using CommandResult = Result<Output>;

/// Options that every command has.
struct Globals {
    bool json = false;
    bool quiet = false;
    bool force_progress = false;
};

/// Progress on standard error when it is a terminal: what, percent, rate, remaining time.
/// update() may be called from any thread.
class Progress {
  public:
    /// `unit` is printed behind the rate; "B" is scaled to MiB.
    Progress(const Globals& globals, std::string what, std::string unit);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    void update(std::uint64_t done, std::uint64_t total);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Progress of work that goes through phases: a line each. Called by one thread at a time.
class PhaseProgress {
  public:
    PhaseProgress(const Globals& globals, std::string unit)
        : globals_(globals), unit_(std::move(unit)) {}
    void operator()(const std::string& phase, std::uint64_t done, std::uint64_t total);
    void finish() { current_.reset(); }

  private:
    const Globals& globals_;
    std::string unit_;
    std::string phase_;
    std::optional<Progress> current_;
};

/// True once Ctrl-C, SIGTERM or, but for daemons, a hangup has arrived.
StopCheck stop_requested();
/// Ctrl-C, SIGTERM and a hangup (SIGHUP) end what is under way in an orderly manner; a second one
/// of the same kind ends the process at once. Under nohup hangups are ignored, as asked for.
/// Writing to a pipe that nobody reads is an error, not a signal.
void install_signal_handlers();
/// From now on a hangup ends nothing and is counted: for daemons, which outlive their terminal.
void count_hangups();
/// Hangups so far. Any thread.
std::uint64_t hangups();

std::string format_duration(double seconds);
std::string format_bytes(std::uint64_t bytes);

/// A command line word that must be `size()` bytes of hex.
template <class T>
Result<T> parse_hex(const std::string& word, const std::string& what) {
    T out;
    if (!from_hex(word, MutByteView(out.bytes))) {
        return fail(ErrorCode::kInvalidArgument, what + " must be " +
                                                     std::to_string(2 * T::size()) +
                                                     " hexadecimal digits, not '" + word + "'");
    }
    return out;
}

/// Registers a command whose body runs after parsing; main prints its result.
class Commands {
  public:
    Commands(CLI::App& app, Globals& globals) : app_(app), globals_(globals) {}
    CLI::App& app() { return app_; }
    const Globals& globals() const { return globals_; }
    /// `examples` are shown below --help.
    void run(CLI::App* command, const std::string& examples, std::function<CommandResult()> body);
    [[nodiscard]] const std::function<CommandResult()>& chosen() const { return chosen_; }

  private:
    CLI::App& app_;
    Globals& globals_;
    std::function<CommandResult()> chosen_;
};

}  // namespace holdfast::cli
