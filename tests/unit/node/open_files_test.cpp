// A daemon that could run out of open files says so when it starts.
#include "node/open_files.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/code_of.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::node;

/// In a child whose limits are these: lowering the hard one cannot be undone.
int with_limits(rlim_t soft, rlim_t hard, int (*body)()) {
    const pid_t child = ::fork();
    if (child == 0) {
        const rlimit limit{soft, hard};
        ::_exit(::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? body() : 99);
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child) return 98;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 97;
}

TEST(OpenFiles, ALowLimitIsRaisedAsFarAsNeeded) {
    EXPECT_EQ(with_limits(64, 1'024,
                          [] {
                              if (!make_room_for({.connections = 300})) return 1;
                              rlimit now{};
                              ::getrlimit(RLIMIT_NOFILE, &now);
                              return now.rlim_cur == 300 + kFilesOfDaemon ? 0 : 2;
                          }),
              0);
}

TEST(OpenFiles, AHighLimitStaysAsItIs) {
    EXPECT_EQ(with_limits(900, 1'024,
                          [] {
                              if (!make_room_for({.connections = 300})) return 1;
                              rlimit now{};
                              ::getrlimit(RLIMIT_NOFILE, &now);
                              return now.rlim_cur == 900 ? 0 : 2;
                          }),
              0);
}

TEST(OpenFiles, ALimitThatCannotBeRaisedRefusesTheStartWithNumbersAndWhatToDo) {
    EXPECT_EQ(with_limits(768, 768,
                          [] {
                              const Status room = make_room_for(
                                  {.connections = 2'048, .replicas = 10, .workers = 2});
                              if (room || room.error().code != ErrorCode::kInvalidArgument)
                                  return 1;
                              const std::string& said = room.error().message;
                              for (const char* part :
                                   {"2552 files", "2048 connections", "40 for 10 replicas",
                                    "allows this process 768", "at most 264"}) {
                                  if (said.find(part) == std::string::npos) return 2;
                              }
                              return 0;
                          }),
              0);
}

TEST(OpenFiles, WhereReplicasAloneAreTooManyThatIsSaid) {
    EXPECT_EQ(
        with_limits(512, 512,
                    [] {
                        const Status room = make_room_for({.replicas = 1'000});
                        if (room) return 1;
                        return room.error().message.find("fewer replicas") != std::string::npos ? 0
                                                                                                : 2;
                    }),
        0);
}

}  // namespace
