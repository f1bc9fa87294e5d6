// A child process that is killed with signal 9 at any moment: what tests of durability share.
//
// A forked child has none of its parent's threads: whatever it uses works with one.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <stdexcept>

#include "core/types.hpp"

namespace holdfast::test {

/// How many times to kill: HOLDFAST_KILL_POINTS, or else `otherwise`.
inline int kill_points(int otherwise) {
    const char* wanted = std::getenv("HOLDFAST_KILL_POINTS");
    return wanted == nullptr ? otherwise : std::atoi(wanted);
}

using PipedChunk = std::array<std::uint8_t, 512>;  // a pipe takes one whole

/// A message through a pipe: its length, then chunks. `put` writes a value as it lies in memory.
template <class Put>
void send_piped(const Put& put, ByteView message) {
    put(std::uint64_t{message.size()});
    for (std::size_t at = 0; at < message.size(); at += sizeof(PipedChunk)) {
        PipedChunk chunk{};
        const ByteView part = message.subspan(at, std::min(sizeof chunk, message.size() - at));
        std::copy(part.begin(), part.end(), chunk.begin());
        put(chunk);
    }
}
/// Empty: whoever sends has ended, within it or before it. `get` reads a value; false at the end.
template <class Get>
std::optional<Bytes> receive_piped(const Get& get) {
    std::uint64_t size = 0;
    if (!get(size)) return std::nullopt;
    Bytes out;
    while (out.size() < size) {
        PipedChunk chunk;
        if (!get(chunk)) return std::nullopt;
        const std::size_t part = std::min<std::size_t>(sizeof chunk, size - out.size());
        out.insert(out.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(part));
    }
    return out;
}

class KilledChild {
  public:
    /// Runs work(in, out) in a child: what the parent tells and what it acknowledges, each a pipe.
    template <class Work>
    explicit KilledChild(Work&& work) {
        int in[2];
        int out[2];
        if (::pipe(in) != 0 || ::pipe(out) != 0) throw std::runtime_error("no pipe");
        child_ = ::fork();
        if (child_ < 0) throw std::runtime_error("no fork");
        if (child_ == 0) {
            ::close(in[1]);
            ::close(out[0]);
            work(in[0], out[1]);
            ::_exit(0);
        }
        ::close(in[0]);
        ::close(out[1]);
        in_ = in[1];
        out_ = out[0];
    }
    KilledChild(const KilledChild&) = delete;
    KilledChild& operator=(const KilledChild&) = delete;
    ~KilledChild() {
        kill();
        ::close(in_);
        ::close(out_);
    }

    template <class T>
    void tell(const T& value) {
        if (::write(in_, &value, sizeof value) != sizeof value) {
            throw std::runtime_error("the child does not listen");
        }
    }
    /// After it was killed: what it had acknowledged, one after another.
    template <class T>
    std::optional<T> heard() {
        T value;
        if (::read(out_, &value, sizeof value) != sizeof value) return std::nullopt;
        return value;
    }
    /// Kills it; whether it was still at work. A child that ended by itself has ended well.
    bool kill() {
        if (child_ == 0) return was_at_work_;
        ::kill(child_, SIGKILL);
        int status = 0;
        EXPECT_EQ(::waitpid(child_, &status, 0), child_);
        child_ = 0;
        was_at_work_ = WIFSIGNALED(status);
        if (WIFEXITED(status)) {
            EXPECT_EQ(WEXITSTATUS(status), 0) << "the child could not go on";
        }
        return was_at_work_;
    }

  private:
    pid_t child_ = 0;
    int in_ = -1;
    int out_ = -1;
    bool was_at_work_ = false;
};

}  // namespace holdfast::test
