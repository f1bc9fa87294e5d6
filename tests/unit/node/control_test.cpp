// The control socket: requests and errors come through as they are, and nobody who can connect to
// it makes it stop answering.
#include "node/control.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <future>
#include <stdexcept>

#include "support/code_of.hpp"
#include "support/temp_folder.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::node;
using holdfast::test::code_of;
using holdfast::test::TempFolder;

Result<Json> echo(const std::string& command, const Json& arguments) {
    if (command == "refuse") return fail_refused(Verdict(Reason::kBadSignature, 7), "it");
    if (command == "busy") return fail(ErrorCode::kBusy, "held");
    if (command == "throw") throw std::runtime_error("oh");
    return Json{{"command", command}, {"arguments", arguments}};
}

std::unique_ptr<ControlServer> start(const std::filesystem::path& socket,
                                     const ControlLimits& limits = {},
                                     ControlServer::Handler handler = echo) {
    auto server = ControlServer::start(socket, std::move(handler), limits);
    if (!server) throw std::runtime_error(server.error().message);
    return std::move(*server);
}

/// A connection that says what it is told to, bytes as they are.
class Raw {
  public:
    explicit Raw(const std::filesystem::path& socket) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, socket.c_str());
        descriptor_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
        if (::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
            throw std::runtime_error("no connection");
        }
    }
    ~Raw() { ::close(descriptor_); }
    Raw(const Raw&) = delete;
    Raw& operator=(const Raw&) = delete;
    void say(const std::string& text) const {
        (void)::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
    }
    /// Until the other side closes, or five seconds.
    [[nodiscard]] std::string hear() const {
        std::string out;
        std::array<char, 4'096> part{};
        while (true) {
            pollfd one{descriptor_, POLLIN, 0};
            if (::poll(&one, 1, 5'000) <= 0) return out + " (nothing more)";
            const ssize_t got = ::recv(descriptor_, part.data(), part.size(), 0);
            if (got <= 0) return out;
            out.append(part.data(), static_cast<std::size_t>(got));
            if (out.back() == '\n') return out;
        }
    }

  private:
    int descriptor_ = -1;
};

TEST(Control, ARequestAndItsErrorComeThroughAsTheyAre) {
    const TempFolder folder;
    const auto server = start(folder / "control.sock");
    const auto asked =
        control_request(server->socket(), "do it", {{"amount", 5}, {"name", "caf\xe9"}});
    ASSERT_TRUE(asked) << asked.error().message;
    EXPECT_EQ((*asked)["command"], "do it");
    EXPECT_EQ((*asked)["arguments"]["amount"], 5);
    const auto busy = control_request(server->socket(), "busy", Json::object());
    EXPECT_EQ(code_of(busy), ErrorCode::kBusy);
    EXPECT_EQ(busy.error().message, "held");
    const auto refused = control_request(server->socket(), "refuse", Json::object());
    ASSERT_EQ(code_of(refused), ErrorCode::kRefused);
    EXPECT_EQ(refused.error().verdict, Verdict(Reason::kBadSignature, 7));
    const auto thrown = control_request(server->socket(), "throw", Json::object());
    EXPECT_EQ(code_of(thrown), ErrorCode::kIo);
    EXPECT_TRUE(control_request(server->socket(), "after", Json::object()));
}

TEST(Control, TheSocketIsTheUsersOwnAndGoesWithTheDaemon) {
    const TempFolder folder;
    auto server = start(folder / "control.sock");
    struct stat found{};
    ASSERT_EQ(::lstat(server->socket().c_str(), &found), 0);
    EXPECT_TRUE(S_ISSOCK(found.st_mode));
    EXPECT_EQ(found.st_mode & 0777U, 0600U);
    server.reset();
    EXPECT_FALSE(std::filesystem::exists(folder / "control.sock"));
    EXPECT_EQ(code_of(control_request(folder / "control.sock", "x", Json::object())),
              ErrorCode::kUnavailable);
}

TEST(Control, ADeadProcessesSocketIsReplacedAndALivingOnesIsNot) {
    const TempFolder folder;
    const auto socket = folder / "control.sock";
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {  // binds, and dies without a word
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, socket.c_str());
        const int bound = ::socket(AF_UNIX, SOCK_STREAM, 0);
        const bool good =
            ::bind(bound, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
            ::listen(bound, 1) == 0;
        ::_exit(good ? 0 : 1);
    }
    int status = 1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    ASSERT_TRUE(std::filesystem::exists(socket));
    EXPECT_EQ(code_of(control_request(socket, "x", Json::object())), ErrorCode::kUnavailable);
    const auto server = start(socket);
    EXPECT_TRUE(control_request(socket, "x", Json::object()));
    EXPECT_EQ(code_of(ControlServer::start(socket, echo)), ErrorCode::kBusy);
    EXPECT_TRUE(control_request(socket, "x", Json::object()));  // and the first one still answers
}

TEST(Control, AFileThatIsNoSocketIsLeftAlone) {
    const TempFolder folder;
    test::spill(folder / "control.sock", view(std::string("mine")));
    EXPECT_EQ(code_of(ControlServer::start(folder / "control.sock", echo)),
              ErrorCode::kAlreadyExists);
    EXPECT_EQ(test::slurp(folder / "control.sock").size(), 4U);
}

TEST(Control, APathTooLongForASocketSaysHowLongItMayBe) {
    const TempFolder folder;
    const auto socket = folder / std::string(120, 'x');
    const auto started = ControlServer::start(socket, echo);
    ASSERT_EQ(code_of(started), ErrorCode::kInvalidArgument);
    EXPECT_NE(started.error().message.find("1 to 107"), std::string::npos)
        << started.error().message;
    EXPECT_EQ(code_of(control_request(socket, "x", Json::object())), ErrorCode::kUnavailable);
}

TEST(Control, WhatIsNoRequestIsToldSo) {
    const TempFolder folder;
    const auto server = start(folder / "control.sock", {.line_bytes = 4'096});
    for (const std::string text : {"{]\n", "[]\n", "{}\n", "{\"command\":5}\n", "\n",
                                   "{\"command\":\"x\",\"arguments\":[]}\n"}) {
        const Raw raw(server->socket());
        raw.say(text);
        EXPECT_NE(raw.hear().find("invalid-argument"), std::string::npos) << text;
    }
    const Raw raw(server->socket());
    raw.say(std::string(5'000, 'x'));
    EXPECT_NE(raw.hear().find("too long a request"), std::string::npos);
    const auto much =
        control_request(server->socket(), std::string(1'000'000, 'x'), Json::object());
    EXPECT_EQ(code_of(much), ErrorCode::kInvalidArgument);
    EXPECT_TRUE(control_request(server->socket(), "after", Json::object()));
}

TEST(Control, WhoSaysNothingIsClosed) {
    const TempFolder folder;
    const auto server = start(folder / "control.sock", {.exchange_ms = 100});
    const Raw silent(server->socket());
    const Raw slow(server->socket());
    slow.say("{\"command\":");
    EXPECT_EQ(silent.hear(), "");
    EXPECT_EQ(slow.hear(), "");
}

TEST(Control, WhoHoldsOnKeepsOthersWaitingForAMomentOnly) {
    const TempFolder folder;
    const auto server = start(folder / "control.sock", {.connections = 2, .exchange_ms = 300});
    const Raw one(server->socket());
    const Raw two(server->socket());
    EXPECT_EQ(code_of(control_request(server->socket(), "x", Json::object())), ErrorCode::kBusy);
    EXPECT_EQ(one.hear(), "");
    EXPECT_EQ(two.hear(), "");
    EXPECT_TRUE(control_request(server->socket(), "x", Json::object()));
}

TEST(Control, ALongCommandOutlastsTheDeadlineOfItsConnection) {
    const TempFolder folder;
    const auto server = start(folder / "control.sock", {.exchange_ms = 50},
                              [](const std::string&, const Json&) -> Result<Json> {
                                  std::this_thread::sleep_for(std::chrono::milliseconds(300));
                                  return Json{{"done", true}};
                              });
    auto second = std::async(std::launch::async, [&] {
        return control_request(server->socket(), "second", Json::object());
    });
    EXPECT_TRUE(control_request(server->socket(), "first", Json::object()));
    EXPECT_TRUE(second.get());
    EXPECT_EQ(code_of(control_request(server->socket(), "x", Json::object(), 50)),
              ErrorCode::kTimeout);
}

}  // namespace
