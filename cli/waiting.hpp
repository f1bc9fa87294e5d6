// What a command waits for, said once it has waited for a second: a connection, a node that is at
// work, a database that is checked.
//
// On standard error: on a terminal with the seconds so far, otherwise one line. Nothing with
// --quiet. Any thread; one wait at a time is shown well.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace holdfast::cli {

class Waiting {
  public:
    /// "a connection to 10.0.0.1:9000", as in "waiting for ..."
    explicit Waiting(std::string what);
    ~Waiting();
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

    /// --quiet, for the whole process.
    static void keep_quiet();

  private:
    void tell();

    const std::string what_;
    std::mutex mutex_;  // guards over_
    std::condition_variable changed_;
    bool over_ = false;
    std::thread thread_;
};

}  // namespace holdfast::cli
