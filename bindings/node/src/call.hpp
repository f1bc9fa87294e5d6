// One call of JavaScript's into the add-on, and the list of all of them.
#pragma once

#include <node_api.h>

#include "instance.hpp"
#include "job.hpp"
#include "value.hpp"

namespace holdfast_node {

class Call {
  public:
    static constexpr std::size_t kMost = 8;

    Call(napi_env env, napi_callback_info info) : env_(env) {
        count_ = kMost;
        must(env, napi_get_cb_info(env, info, &count_, arguments_, nullptr, nullptr));
    }
    /// undefined where there are fewer.
    [[nodiscard]] In at(std::size_t place, const char* name) const {
        return {env_, arguments_[place], name};
    }
    [[nodiscard]] napi_env env() const { return env_; }
    /// Here and now.
    template <class Value_>
    napi_value now(Value_&& value) const {
        return to_js(env_, Value(std::forward<Value_>(value)));
    }
    [[nodiscard]] napi_value nothing() const { return to_js(env_, {}); }
    napi_value pool(Work work) const {
        return Job::start(env_, Job::Where::kPool, std::move(work));
    }
    napi_value thread(Work work) const {
        return Job::start(env_, Job::Where::kThread, std::move(work));
    }
    napi_value thread(const In& control, Work work) const {
        return Job::start(env_, Job::Where::kThread, std::move(work), &control);
    }

  private:
    napi_env env_;
    std::size_t count_ = 0;
    napi_value arguments_[kMost] = {};
};

using Function = napi_value (*)(Call&);

template <Function function>
napi_value entry(napi_env env, napi_callback_info info) noexcept {
    try {
        Call call(env, info);
        return function(call);
    } catch (...) {
        throw_current(env);
        return nullptr;
    }
}

struct Export {
    const char* name;
    napi_callback function;
};
using Exports = std::vector<Export>;

void add_library(Exports& exports);
void add_storage(Exports& exports);
void add_prover(Exports& exports);
void add_verifier(Exports& exports);
void add_challenges(Exports& exports);
void add_time(Exports& exports);
void add_aggregator(Exports& exports);

}  // namespace holdfast_node
