#include "job.hpp"

#include "instance.hpp"

namespace holdfast_node {
namespace {

napi_value text_value(napi_env env, const char* text) {
    napi_value out = nullptr;
    must(env, napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &out));
    return out;
}

}  // namespace

napi_value Job::start(napi_env env, Where where, Work work, const In* control) {
    auto job = std::make_unique<Job>(env, std::move(work));
    if (control != nullptr && control->present()) job->watch(*control);
    napi_value promise = nullptr;
    must(env, napi_create_promise(env, &job->deferred_, &promise));
    Job* const started = job.get();
    Instance::of(env).keep(std::move(job));
    if (where == Where::kPool && !started->watched_) {
        started->start_on_pool();
    } else {
        started->start_thread();
    }
    return promise;
}

void Job::release(napi_env env, std::shared_ptr<void> object) {
    auto job = std::make_unique<Job>(env, [object = std::move(object)](auto) mutable {
        object.reset();
        return Value{};
    });
    Job* const started = job.get();
    Instance::of(env).keep(std::move(job));
    started->start_on_pool();
}

Job::~Job() {
    if (thread_.joinable()) thread_.join();
    if (on_progress_ != nullptr) napi_delete_reference(env_, on_progress_);
    if (thrown_ != nullptr) napi_delete_reference(env_, thrown_);
}

void Job::watch(const In& control) {
    watched_ = true;
    const In stop = control.field("stop");
    if (stop.present()) stop_ = std::static_pointer_cast<StopFlag>(stop.object_of("stop"));
    const In listener = control.field("progress");
    if (listener.present()) {
        must(env_, napi_create_reference(env_, listener.function(), 1, &on_progress_));
    }
}

void Job::start_on_pool() {
    must(env_, napi_create_async_work(
                   env_, nullptr, text_value(env_, "holdfast"),
                   [](napi_env, void* job) { static_cast<Job*>(job)->run(); },
                   [](napi_env, napi_status, void* job) { static_cast<Job*>(job)->finish(); }, this,
                   &on_pool_));
    must(env_, napi_queue_async_work(env_, on_pool_));
}

void Job::start_thread() {
    must(env_,
         napi_create_threadsafe_function(
             env_, nullptr, nullptr, text_value(env_, "holdfast"), 0, 1, nullptr, nullptr, this,
             [](napi_env env, napi_value, void* job, void* finished) {
                 if (env == nullptr) return;  // the environment ends
                 if (finished != nullptr) {
                     static_cast<Job*>(job)->finish();
                 } else {
                     static_cast<Job*>(job)->report_progress();
                 }
             },
             &wake_));
    thread_ = std::thread([this] {
        run();
        napi_call_threadsafe_function(wake_, this, napi_tsfn_nonblocking);
    });
}

void Job::run() noexcept {
    holdfast_control control{};
    control.struct_size = sizeof control;
    control.user_data = this;
    control.stop = [](void* job) { return static_cast<Job*>(job)->stop_->load(); };
    if (on_progress_ != nullptr) control.progress = &Job::progress;
    try {
        result_ = work_(&control);
    } catch (Failure& failure) {
        failure_ = std::move(failure);
    } catch (const std::exception& error) {
        failure_ = Failure{HOLDFAST_OUT_OF_MEMORY, error.what(), {}};
    }
    work_ = nullptr;  // what it kept alive goes here, where waiting harms nobody
}

void Job::progress(void* user, const char* stage, std::uint64_t done, std::uint64_t total) {
    Job* const job = static_cast<Job*>(user);
    const std::lock_guard lock(job->mutex_);
    job->stage_ = stage;
    job->done_ = done;
    job->total_ = total;
    // The event loop is told once and then hears what is newest.
    if (!std::exchange(job->news_, true)) {
        napi_call_threadsafe_function(job->wake_, nullptr, napi_tsfn_nonblocking);
    }
}

void Job::report_progress() {
    Fields news;
    {
        const std::lock_guard lock(mutex_);
        news_ = false;
        news = {{"stage", stage_}, {"done", done_}, {"total", total_}};
    }
    if (thrown_ != nullptr) return;
    try {
        napi_value listener = nullptr;
        napi_value global = nullptr;
        must(env_, napi_get_reference_value(env_, on_progress_, &listener));
        must(env_, napi_get_global(env_, &global));
        napi_value argument = to_js(env_, std::move(news));
        must(env_, napi_call_function(env_, global, listener, 1, &argument, nullptr));
    } catch (const Pending&) {  // a listener that throws ends the call, with what it threw
        napi_value error = nullptr;
        napi_get_and_clear_last_exception(env_, &error);
        napi_value holder = nullptr;
        if (napi_create_object(env_, &holder) == napi_ok) {
            napi_set_named_property(env_, holder, "error", error);
            napi_create_reference(env_, holder, 1, &thrown_);
        }
        stop();
    }
}

void Job::finish() {
    try {
        if (deferred_ == nullptr) {
            // nobody waits
        } else if (thrown_ != nullptr) {
            napi_value holder = nullptr;
            napi_value error = nullptr;
            must(env_, napi_get_reference_value(env_, thrown_, &holder));
            must(env_, napi_get_named_property(env_, holder, "error", &error));
            must(env_, napi_reject_deferred(env_, deferred_, error));
        } else if (failure_) {
            must(env_,
                 napi_reject_deferred(env_, deferred_, Instance::of(env_).error_of(*failure_)));
        } else {
            must(env_, napi_resolve_deferred(env_, deferred_, to_js(env_, std::move(result_))));
        }
    } catch (const Pending&) {
        napi_value error = nullptr;
        napi_get_and_clear_last_exception(env_, &error);
        napi_reject_deferred(env_, deferred_, error);
    }
    if (on_pool_ != nullptr) napi_delete_async_work(env_, on_pool_);
    if (wake_ != nullptr) napi_release_threadsafe_function(wake_, napi_tsfn_release);
    Instance::of(env_).drop(this);  // the end of this object
}

}  // namespace holdfast_node
