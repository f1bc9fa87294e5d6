#include "cli/console.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <mutex>

namespace holdfast::cli {
namespace {

static_assert(std::atomic<bool>::is_always_lock_free &&
              std::atomic<std::uint64_t>::is_always_lock_free);
std::atomic<bool> g_stop{false};
std::atomic<bool> g_outlives_terminal{false};
std::atomic<std::uint64_t> g_hangups{0};

extern "C" void on_stop(int) { g_stop = true; }
extern "C" void on_hangup(int) { ++g_hangups; }

void handle(int signal, void (*handler)(int), int flags) {
    struct sigaction action{};
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigaction(signal, &action, nullptr);
}

std::string text_of(const Json& value) {
    return value.is_string() ? value.get<std::string>() : dump(value);
}

/// The parser takes "-1" for the largest number and more than 64 bits for it too.
std::string refuse_number(const std::string& word) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error == std::errc() && end == word.data() + word.size()) return {};
    return "'" + word + "' is not a whole number from 0 to 2^64 - 1";
}

}  // namespace

Output& Output::field(const std::string& key, const Json& value) {
    json[key] = value;
    std::string label = key;
    for (char& c : label) c = c == '_' ? ' ' : c;
    text += label + ": " + text_of(value) + "\n";
    return *this;
}

Output& Output::fields(const Json& object) {
    for (const auto& [key, value] : object.items()) {
        if (!key.ends_with("_bytes")) {
            field(key, value);
            continue;
        }
        json[key] = value;
        line(key.substr(0, key.size() - 6) + ": " + format_bytes(value.get<std::uint64_t>()));
    }
    return *this;
}

Output& Output::line(const std::string& text_line) {
    text += text_line + "\n";
    return *this;
}

Output& Output::verdict(const Verdict& v) {
    const ReasonInfo& info = describe(v.reason);
    json["accepted"] = v.accepted();
    json["reason"] = info.name;
    json["meaning"] = info.meaning;
    if (v.index) json["index"] = *v.index;
    if (v.accepted()) {
        text += "verdict: accepted\n";
    } else {
        json["action"] = info.action;
        text += "verdict: REFUSED\nreason: " + to_string(v) +
                "\nwhat to do: " + std::string(info.action) + "\n";
        exit_code = kExitRefused;
    }
    return *this;
}

Output& Output::append(const Output& other) {
    json.update(other.json);
    text += other.text;
    exit_code = std::max(exit_code, other.exit_code);
    return *this;
}

Output& Output::part(const Output& one) {
    parts.push_back(one.json);
    text += one.text;
    exit_code = std::max(exit_code, one.exit_code);
    return *this;
}

Output& Output::finish_parts() {
    if (parts.size() == 1) {
        json = parts[0];
    } else {
        json["results"] = parts;
        json["accepted"] = exit_code == kExitOk;
    }
    return *this;
}

struct Progress::State {
    std::mutex mutex;
    std::string what;
    std::string unit;
    bool shown = false;
    std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point last{};
};

Progress::Progress(const Globals& globals, std::string what, std::string unit) {
    if (globals.quiet || (::isatty(STDERR_FILENO) == 0 && !globals.force_progress)) return;
    state_ = std::make_unique<State>();
    state_->what = std::move(what);
    state_->unit = std::move(unit);
}

Progress::~Progress() {
    if (state_ && state_->shown) std::fputs("\n", stderr);
}

void Progress::update(std::uint64_t done, std::uint64_t total) {
    if (!state_ || total == 0) return;
    const std::lock_guard lock(state_->mutex);
    const auto now = std::chrono::steady_clock::now();
    if (done < total && now - state_->last < std::chrono::milliseconds(200)) return;
    state_->last = now;
    state_->shown = true;
    const double seconds = std::chrono::duration<double>(now - state_->started).count();
    const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
    const double left = rate > 0 ? static_cast<double>(total - done) / rate : 0;
    const bool is_bytes = state_->unit == "B";
    std::fprintf(stderr, "\r%s: %5.1f%%  %.1f %s/s  %s left   ", state_->what.c_str(),
                 100.0 * static_cast<double>(done) / static_cast<double>(total),
                 is_bytes ? rate / 1048576.0 : rate, is_bytes ? "MiB" : state_->unit.c_str(),
                 format_duration(left).c_str());
    std::fflush(stderr);
}

void PhaseProgress::operator()(const std::string& phase, std::uint64_t done, std::uint64_t total) {
    if (!current_ || phase != phase_) {
        current_.reset();
        current_.emplace(globals_, phase, unit_);
        phase_ = phase;
    }
    current_->update(done, total);
}

StopCheck stop_requested() {
    return [] { return g_stop || (g_hangups > 0 && !g_outlives_terminal); };
}

void install_signal_handlers() {
    constexpr int kOnce = static_cast<int>(SA_RESETHAND);  // a second Ctrl-C is not handled
    handle(SIGINT, on_stop, kOnce);
    handle(SIGTERM, on_stop, kOnce);
    handle(SIGPIPE, SIG_IGN, 0);
    handle(SIGXFSZ, SIG_IGN, 0);  // the write that goes beyond the limit fails and says so
    struct sigaction before{};
    sigaction(SIGHUP, nullptr, &before);
    if (before.sa_handler != SIG_IGN) handle(SIGHUP, on_hangup, SA_RESTART);
}

void count_hangups() {
    g_outlives_terminal = true;
    handle(SIGHUP, on_hangup, SA_RESTART);
}

std::uint64_t hangups() { return g_hangups; }

std::string format_duration(double seconds) {
    char text[64];
    if (seconds < 10) {
        std::snprintf(text, sizeof text, "%.2f s", seconds);
    } else if (seconds < 120) {
        std::snprintf(text, sizeof text, "%.0f s", seconds);
    } else {
        const auto whole = static_cast<unsigned long long>(seconds);
        std::snprintf(text, sizeof text, "%llu min %02llu s", whole / 60, whole % 60);
    }
    return text;
}

std::string format_bytes(std::uint64_t bytes) {
    static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1024 && unit + 1 < std::size(kUnits)) {
        value /= 1024;
        ++unit;
    }
    char text[64];
    std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
    return text;
}

void Commands::run(CLI::App* command, const std::string& examples,
                   std::function<CommandResult()> body) {
    if (!examples.empty()) command->footer("Examples:\n" + examples);
    for (CLI::Option* option : command->get_options()) {
        if (option->get_type_name() == "UINT") option->check(refuse_number, "");
    }
    // A subcommand's callback runs before its command's, which then has no say.
    command->callback([this, body = std::move(body)] {
        if (!chosen_) chosen_ = body;
    });
}

}  // namespace holdfast::cli
