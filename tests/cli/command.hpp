// Running the `holdfast` command as a user does: a process of its own, its words and its exit code.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "support/paths.hpp"
#include "support/temp_folder.hpp"

namespace holdfast::test {

// What README.md and `holdfast --help` promise.
inline constexpr int kExitOk = 0;
inline constexpr int kExitRefused = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitEnvironment = 3;
inline constexpr int kExitInterrupted = 130;
inline constexpr int kExitReaderGone = 141;

using Words = std::vector<std::string>;

/// What a finished command left.
struct Ran {
    std::string command;
    int code = -1;    // exit code; -1 when a signal ended it
    int signal = 0;   // that signal
    std::string out;  // standard output
    std::string err;  // standard error
    long peak_kib = 0;

    [[nodiscard]] std::string says() const { return out + err; }
    [[nodiscard]] bool says(const std::string& text) const {
        return says().find(text) != std::string::npos;
    }
    [[nodiscard]] nlohmann::json json() const {
        nlohmann::json parsed = nlohmann::json::parse(out, nullptr, false);
        EXPECT_TRUE(parsed.is_object()) << command << "\n" << out << err;
        return parsed.is_object() ? parsed : nlohmann::json::object();
    }
};

inline std::ostream& operator<<(std::ostream& os, const Ran& r) {
    return os << "$ holdfast " << r.command << "\nexit code " << r.code << ", signal " << r.signal
              << "\n"
              << r.out << r.err;
}

/// A command in progress. Its output goes to files outside of any folder that a test looks at.
class Command {
  public:
    /// `standard_output`: a descriptor to give it instead of a file; kClosed: none at all.
    static constexpr int kClosed = -2;
    Command(const std::filesystem::path& folder, const Words& words, int standard_output = -1) {
        std::vector<std::string> all = {kCommandProgram};
        all.insert(all.end(), words.begin(), words.end());
        std::vector<char*> argv;
        for (std::string& word : all) argv.push_back(word.data());
        argv.push_back(nullptr);
        for (const std::string& word : words)
            ran_.command += (ran_.command.empty() ? "" : " ") + word;
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        const int flags = O_WRONLY | O_CREAT | O_TRUNC;
        if (standard_output == kClosed) {
            posix_spawn_file_actions_addclose(&actions, STDOUT_FILENO);
        } else if (standard_output >= 0) {
            posix_spawn_file_actions_adddup2(&actions, standard_output, STDOUT_FILENO);
        } else {
            posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out().c_str(), flags, 0600);
        }
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err().c_str(), flags, 0600);
        const int failed =
            ::posix_spawn(&pid_, kCommandProgram, &actions, nullptr, argv.data(), environ);
        posix_spawn_file_actions_destroy(&actions);
        if (failed != 0) pid_ = -1;
        EXPECT_EQ(failed, 0) << kCommandProgram;
    }
    Command(const Command&) = delete;
    Command& operator=(const Command&) = delete;
    ~Command() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }

    void send(int signal) const {
        if (pid_ <= 0) return;
        EXPECT_EQ(::kill(pid_, signal), 0);
    }

    /// What it has written to standard output so far.
    [[nodiscard]] std::string said() const { return text(out()); }
    /// Its first whole line on standard output, waited for; empty when it ends or says nothing.
    [[nodiscard]] std::string first_line(int seconds = 60) const {
        for (int i = 0; i < 50 * seconds; ++i) {
            const std::string all = said();
            const std::size_t end = all.find('\n');
            if (end != std::string::npos) return all.substr(0, end);
            siginfo_t info{};
            if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
                info.si_pid == pid_) {
                return {};
            }
            ::usleep(20'000);
        }
        return {};
    }

    Ran wait() {
        int status = 0;
        rusage used{};
        if (pid_ > 0 && ::wait4(pid_, &status, 0, &used) == pid_) {
            ran_.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
            ran_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
            ran_.peak_kib = used.ru_maxrss;
        }
        pid_ = -1;
        ran_.out = text(out());
        ran_.err = text(err());
        return ran_;
    }

  private:
    [[nodiscard]] std::filesystem::path out() const { return own_ / "out"; }
    [[nodiscard]] std::filesystem::path err() const { return own_ / "err"; }
    static std::string text(const std::filesystem::path& file) {
        if (!std::filesystem::exists(file)) return {};
        const Bytes bytes = slurp(file);
        return {bytes.begin(), bytes.end()};
    }

    TempFolder own_;
    pid_t pid_ = -1;
    Ran ran_;
};

inline Ran holdfast_command(const std::filesystem::path& folder, const Words& words) {
    return Command(folder, words).wait();
}

/// The words of a line without quotes.
inline Words words_of(const std::string& line) {
    Words words;
    std::istringstream in(line);
    for (std::string word; in >> word;) words.push_back(word);
    return words;
}

/// Every name below a folder, sorted: what a failed command must leave as it was.
inline std::vector<std::string> names_below(const std::filesystem::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        names.push_back(std::filesystem::relative(entry.path(), folder).string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

/// An ordinary failure: no crash, words on standard error that hold `words`.
inline void expect_failure(const Ran& ran, int code, const std::string& words) {
    EXPECT_EQ(ran.signal, 0) << ran;
    EXPECT_EQ(ran.code, code) << ran;
    EXPECT_NE(ran.err.find(words), std::string::npos) << "not said: " << words << "\n" << ran;
    EXPECT_EQ(ran.err.find("internal error"), std::string::npos) << ran;
}

}  // namespace holdfast::test
