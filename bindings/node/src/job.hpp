// Calls of the C ABI off the event loop, each a promise of JavaScript's.
//
// Two ways: `pool` on libuv's threads, for what ends soon and asks nobody; `thread` on a thread of
// its own, for what takes long or may ask JavaScript something. The pool has four threads, which
// JavaScript's files and lookups need too: were they all to wait for callbacks that read a file,
// nothing would go on.
#pragma once

#include <node_api.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "value.hpp"

namespace holdfast_node {

/// Ends a call, from the event loop; kept alive by JavaScript and by the call.
using StopFlag = std::atomic<int>;

/// Off the event loop; throws Failure. The pointer is nullptr where nobody watches.
using Work = std::function<Value(const holdfast_control*)>;

class Job {
  public:
    enum class Where { kPool, kThread };

    /// Starts; control: {stop, progress}, or nothing. Returns the promise.
    static napi_value start(napi_env env, Where where, Work work, const In* control = nullptr);
    /// Lets a handle go on a thread of the pool.
    static void release(napi_env env, std::shared_ptr<void> object);

    Job(napi_env env, Work work) : env_(env), work_(std::move(work)) {}
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    ~Job();
    void stop() { stop_->store(1); }
    [[nodiscard]] bool has_thread() const { return thread_.joinable(); }

  private:
    void watch(const In& control);
    void start_on_pool();
    void start_thread();
    void run() noexcept;
    void finish();
    void report_progress();
    static void progress(void* job, const char* stage, std::uint64_t done, std::uint64_t total);

    napi_env env_;
    Work work_;
    napi_deferred deferred_ = nullptr;
    Value result_;
    std::optional<Failure> failure_;

    bool watched_ = false;
    std::shared_ptr<StopFlag> stop_ = std::make_shared<StopFlag>(0);
    napi_ref on_progress_ = nullptr;
    napi_ref thrown_ = nullptr;  // by it
    std::mutex mutex_;           // of the four below
    bool news_ = false;
    std::string stage_;
    std::uint64_t done_ = 0;
    std::uint64_t total_ = 0;

    napi_async_work on_pool_ = nullptr;
    std::thread thread_;
    napi_threadsafe_function wake_ = nullptr;  // the event loop
};

}  // namespace holdfast_node
