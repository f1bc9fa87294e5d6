// A few threads that run what peers ask for, so that no peer's wishes hold up another's.
//
// What is urgent comes before what is not; within each, peers take turns, one job at a time, and
// the jobs of one peer run in order. A job that runs is never interrupted: something urgent waits
// for one of the jobs that run to end, and for one urgent job of each other peer.
//
// Threading: any thread may add; stop() lets running jobs end, drops waiting ones, joins.
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "core/types.hpp"

namespace holdfast::transport {

class WorkerPool {
  public:
    using Job = std::function<void()>;

    explicit WorkerPool(unsigned threads) {
        for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
    }
    ~WorkerPool() { stop(); }
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    void add(const PublicKey& from, bool urgent, Job job) {
        {
            const std::lock_guard lock(mutex_);
            if (stopping_) return;
            lines_[urgent ? 0 : 1].push(from, std::move(job));
        }
        wake_.notify_one();
    }
    void stop() {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
            lines_ = {};
        }
        wake_.notify_all();
        for (std::thread& thread : threads_) {
            if (thread.joinable()) thread.join();
        }
    }

  private:
    /// Jobs of peers that take turns.
    class Line {
      public:
        [[nodiscard]] bool empty() const { return turns_.empty(); }
        void push(const PublicKey& from, Job job) {
            std::deque<Job>& jobs = jobs_[from];
            if (jobs.empty()) turns_.push_back(from);
            jobs.push_back(std::move(job));
        }
        Job pop() {
            const PublicKey next = turns_.front();
            turns_.pop_front();
            const auto found = jobs_.find(next);
            Job job = std::move(found->second.front());
            found->second.pop_front();
            if (found->second.empty()) {
                jobs_.erase(found);
            } else {
                turns_.push_back(next);
            }
            return job;
        }

      private:
        std::map<PublicKey, std::deque<Job>> jobs_;  // of those in turns_ alone
        std::deque<PublicKey> turns_;
    };

    void work() {
        std::unique_lock lock(mutex_);
        while (true) {
            wake_.wait(lock,
                       [this] { return stopping_ || !lines_[0].empty() || !lines_[1].empty(); });
            if (stopping_) return;
            Job job = lines_[lines_[0].empty() ? 1 : 0].pop();
            lock.unlock();
            job();
            job = nullptr;
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    std::array<Line, 2> lines_;  // urgent, and the rest
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace holdfast::transport
