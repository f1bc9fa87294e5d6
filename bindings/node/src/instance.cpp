#include "instance.hpp"

#include "job.hpp"

namespace holdfast_node {

Instance::Instance(napi_env env) : env_(env) {}

Instance& Instance::of(napi_env env) {
    void* instance = nullptr;
    napi_get_instance_data(env, &instance);
    return *static_cast<Instance*>(instance);
}

void Instance::end() {
    ended_ = true;
    {
        const std::lock_guard lock(requests_->mutex);
        requests_->closed = true;
        for (auto& [id, request] : requests_->open) {
            request->done = true;
            request->text = "the environment of JavaScript ends";
        }
    }
    requests_->answered.notify_all();
    for (auto& [job, owned] : jobs_) job->stop();
    // Waits for their threads; those of the pool are waited for by Node.js.
    std::erase_if(jobs_, [](const auto& job) { return job.first->has_thread(); });
}

napi_value Instance::hold(HandleBox box) {
    auto owned = std::make_unique<HandleBox>(std::move(box));
    napi_value out = nullptr;
    must(env_, napi_create_external(env_, owned.get(), &Instance::forget, this, &out));
    boxes_.insert(owned.release());
    return out;
}

void Instance::forget(napi_env env, void* data, void* hint) {
    Instance& instance = *static_cast<Instance*>(hint);
    const std::unique_ptr<HandleBox> box(static_cast<HandleBox*>(data));
    instance.boxes_.erase(data);
    if (!box->object || !box->slow || instance.ended_) return;
    try {
        Job::release(env, std::move(box->object));
    } catch (const Pending&) {
        napi_value ignored = nullptr;
        napi_get_and_clear_last_exception(env, &ignored);
    }
}

void Instance::error_class(napi_value constructor) {
    if (error_class_ != nullptr) napi_delete_reference(env_, error_class_);
    must(env_, napi_create_reference(env_, constructor, 1, &error_class_));
}

napi_value Instance::error_of(const Failure& failure) const {
    const bool refused = failure.verdict.reason != HOLDFAST_REASON_OK;
    const char* const code = holdfast_status_name(failure.status);
    Value parts[] = {failure.text, name(code),
                     refused ? name(holdfast_reason_name(failure.verdict.reason)) : Value{},
                     failure.verdict.has_index != 0 ? Value{failure.verdict.index} : Value{}};
    napi_value arguments[4];
    for (std::size_t i = 0; i < 4; ++i) arguments[i] = to_js(env_, std::move(parts[i]));
    napi_value constructor = nullptr;
    napi_value out = nullptr;
    must(env_, napi_get_reference_value(env_, error_class_, &constructor));
    must(env_, napi_new_instance(env_, constructor, 4, arguments, &out));
    return out;
}

void Instance::keep(std::unique_ptr<Job> job) {
    if (ended_) throw Failure{HOLDFAST_UNAVAILABLE, "the environment of JavaScript ends", {}};
    Job* const key = job.get();
    jobs_.emplace(key, std::move(job));
}

void Instance::drop(Job* job) { jobs_.erase(job); }

void throw_current(napi_env env) noexcept {
    try {
        throw;
    } catch (const Pending&) {
        // thrown already
    } catch (const BadArgument& bad) {
        if (bad.range) {
            napi_throw_range_error(env, "ERR_OUT_OF_RANGE", bad.text.c_str());
        } else {
            napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", bad.text.c_str());
        }
    } catch (const Failure& failure) {
        try {
            napi_throw(env, Instance::of(env).error_of(failure));
        } catch (const Pending&) {
        }
    } catch (const std::exception& error) {
        napi_throw_error(env, nullptr, error.what());
    }
}

}  // namespace holdfast_node
