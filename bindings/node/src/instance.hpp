// What one environment of Node.js (the main thread, or a worker) has of this add-on.
//
// Threading: all of it is of the environment's own thread, but for the requests, which have a lock.
#pragma once

#include <node_api.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "value.hpp"

namespace holdfast_node {

class Job;

/// A question of the library's to JavaScript, from another thread, until it is answered or given
/// up.
struct Request {
    std::function<void(const In&)> take;  // reads the answer, where it is one
    bool done = false;
    holdfast_status status = HOLDFAST_UNAVAILABLE;
    holdfast_reason reason = HOLDFAST_REASON_OK;
    std::string text;
};

/// The open questions. Outlives its environment for as long as a host's interface needs it.
struct Requests {
    std::recursive_mutex mutex;  // reading an answer may run getters of JavaScript
    std::condition_variable_any answered;
    bool closed = false;  // the environment ends: nobody answers any more
    std::uint32_t next = 1;
    std::unordered_map<std::uint32_t, std::shared_ptr<Request>> open;
    std::thread::id event_loop = std::this_thread::get_id();
};

class Instance {
  public:
    explicit Instance(napi_env env);
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;
    static Instance& of(napi_env env);
    /// Ends what still runs: stops calls, answers questions, waits for threads.
    void end();

    /// An external of JavaScript's for a handle.
    napi_value hold(HandleBox box);
    HandleBox* box_at(void* data) {
        return boxes_.contains(data) ? static_cast<HandleBox*>(data) : nullptr;
    }

    /// The class that errors of the library are made of: (message, code, reason, index).
    void error_class(napi_value constructor);
    napi_value error_of(const Failure& failure) const;

    void keep(std::unique_ptr<Job> job);
    void drop(Job* job);

    const std::shared_ptr<Requests>& requests() const { return requests_; }

  private:
    static void forget(napi_env env, void* data, void* instance);

    napi_env env_;
    napi_ref error_class_ = nullptr;
    bool ended_ = false;
    std::unordered_set<void*> boxes_;
    std::unordered_map<Job*, std::unique_ptr<Job>> jobs_;
    std::shared_ptr<Requests> requests_ = std::make_shared<Requests>();
};

/// Throws the C++ exception that is being handled as one of JavaScript's.
void throw_current(napi_env env) noexcept;

}  // namespace holdfast_node
