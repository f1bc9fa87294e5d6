// /api/v1: a table is the routes, their checks and the OpenAPI document; nothing is steered without
// the token, and no secret is told.
#include "node/api.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>

#include "node/daemon_control.hpp"
#include "node/drain.hpp"
#include "node/events.hpp"
#include "node/prover_control.hpp"
#include "support/temp_folder.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::node;
using json::Json;

HttpRequest request_of(const std::string& method, const std::string& path,
                       const std::string& query = {}, const std::string& body = {}) {
    HttpRequest out;
    out.method = method;
    out.path = "/api/v1" + path;
    out.query = query;
    out.headers = {{"content-type", "application/json"}};
    out.body = body;
    out.authorized = out.has_token = true;
    return out;
}
Json body_of(const HttpResponse& response) { return Json::parse(response.body); }

class ApiTest : public ::testing::Test {
  protected:
    test::TempFolder folder_;
    std::unique_ptr<Log> log_ = *Log::open({LogLevel::kInfo, LogFormat::kText, folder_ / "log"});
    std::vector<std::pair<std::string, Json>> asked_;
    Api api_{"prover", ProverControl::routes(),
             [this](const std::string& command, const Json& arguments) -> Result<Json> {
                 asked_.emplace_back(command, arguments);
                 if (command == "add") return fail(ErrorCode::kNotFound, "no such file or folder");
                 return Json{{"did", command}};
             },
             *log_};
};

TEST_F(ApiTest, EveryRouteIsInTheDocumentAndIsCarriedOutAsItSays) {
    const Json document = api_.openapi();
    EXPECT_EQ(document["openapi"], "3.1.0");
    std::set<std::string> ids;
    std::size_t operations = 0;
    for (const auto& [path, methods] : document["paths"].items()) {
        for (const auto& [method, operation] : methods.items()) {
            ++operations;
            EXPECT_TRUE(ids.insert(operation["operationId"].get<std::string>()).second);
            if (path == "/events") continue;
            std::string query;
            Json body = Json::object();
            const auto value = [](const Json& schema) -> Json {
                if (schema.contains("enum")) return schema["enum"][0];
                if (schema["type"] == "boolean") return true;
                if (schema["type"] == "integer") return 7;
                return "/mnt/a";
            };
            if (operation.contains("requestBody")) {
                const Json& schema =
                    operation["requestBody"]["content"]["application/json"]["schema"];
                for (const auto& [name, part] : schema["properties"].items()) {
                    body[name] = value(part);
                }
            }
            for (const Json& one : operation.value("parameters", Json::array())) {
                const Json given = value(one["schema"]);
                query += one["name"].get<std::string>() + "=" +
                         (given.is_string() ? given.get<std::string>() : json::dump(given)) + "&";
            }
            std::string verb = method;
            for (char& c : verb) c = static_cast<char>(c & ~0x20);
            asked_.clear();
            const HttpResponse answer =
                api_.answer(request_of(verb, path, query, json::dump(body)));
            ASSERT_EQ(asked_.size(), 1U) << verb << path << answer.body;
            EXPECT_EQ(asked_[0].first, operation["operationId"].get<std::string>());
            EXPECT_EQ(asked_[0].second.size(),
                      body.size() + operation.value("parameters", Json::array()).size());
            // The same without the token reads, and steers nothing.
            HttpRequest stranger = request_of(verb, path, query, json::dump(body));
            stranger.authorized = false;
            asked_.clear();
            EXPECT_EQ(api_.answer(stranger).status, verb == "GET" ? 200U : 401U);
            stranger.has_token = false;
            EXPECT_EQ(api_.answer(stranger).status, verb == "GET" ? 200U : 403U);
            EXPECT_EQ(asked_.empty(), verb != "GET");
        }
    }
    EXPECT_EQ(operations, ProverControl::routes().size() + 1);
}

TEST_F(ApiTest, WrongArgumentsAreRefusedBeforeAnythingIsDone) {
    for (const auto& [path, body] : std::vector<std::pair<std::string, std::string>>{
             {"/replicas", ""},
             {"/replicas", "{}"},
             {"/replicas", "{\"path\":7}"},
             {"/replicas", "{\"path\":\"/a\",\"more\":1}"},
             {"/replicas", "[\"/a\"]"},
             {"/replicas", "{\"path\":"},
             {"/replicas", std::string(10'000, '[')},
             {"/replicas", "{\"path\":" + std::string(10'000, '[') + "}"},
             {"/log-level", "{\"level\":\"loud\"}"},
             {"/drain", "{\"wait_s\":-1}"},
             {"/drain", "{\"wait_s\":1.5}"}}) {
        EXPECT_EQ(api_.answer(request_of("POST", path, "", body)).status, 400U) << path << body;
    }
    EXPECT_EQ(api_.answer(request_of("DELETE", "/replicas", "path=/a&end=maybe")).status, 400U);
    EXPECT_TRUE(asked_.empty());
    HttpRequest form = request_of("POST", "/scrub", "", "path=/a");
    form.headers = {{"content-type", "text/plain"}};
    EXPECT_EQ(api_.answer(form).status, 400U) << "what a browser sends for another site's form";
    const HttpResponse wrong = api_.answer(request_of("DELETE", "/status"));
    EXPECT_EQ(wrong.status, 405U);
    EXPECT_EQ(wrong.headers, (HttpHeaders{{"Allow", "GET"}}));
    EXPECT_EQ(api_.answer(request_of("GET", "/nothing")).status, 404U);
    const HttpResponse missing =
        api_.answer(request_of("POST", "/replicas", "", "{\"path\":\"/a\"}"));
    EXPECT_EQ(missing.status, 404U);
    EXPECT_EQ(body_of(missing)["code"], to_string(ErrorCode::kNotFound));
}

TEST_F(ApiTest, EventsAreTheLogsWhateverItsLevel) {
    log_->set_level(LogLevel::kOff);
    log_->info("links.made", {{"links", 5U}});
    log_->debug("quiet", {});
    const Json all = body_of(api_.answer(request_of("GET", "/events")));
    ASSERT_EQ(all["events"].size(), 1U);
    EXPECT_EQ(all["events"][0]["event"], "links.made");
    EXPECT_EQ(all["events"][0]["links"], 5);
    EXPECT_EQ(all["missed"], 0);
    const std::string next = std::to_string(all["next"].get<std::uint64_t>());
    EXPECT_TRUE(
        body_of(api_.answer(request_of("GET", "/events", "from=" + next)))["events"].empty());
    EXPECT_TRUE(body_of(api_.answer(request_of("GET", "/events", "name=disk.")))["events"].empty());
}

// --- what every daemon can be told ---------------------------------------------------------------

class DaemonControlTest : public ::testing::Test {
  protected:
    test::TempFolder folder_;
    std::unique_ptr<Log> log_ = *Log::open({LogLevel::kInfo, LogFormat::kText, folder_ / "log"});
    std::vector<Config> applied_;

    void write(const std::string& text) { std::ofstream(folder_ / "settings.toml") << text; }
    DaemonControl control() {
        Config config = *load_config(folder_ / "settings.toml");
        return {config,
                {[] { return Json{{"role", "test"}}; },
                 [] { return Health{}; },
                 [this](const Config& now) -> Status {
                     applied_.push_back(now);
                     return {};
                 },
                 {"scrub.rate"}},
                *log_};
    }
};

TEST_F(DaemonControlTest, AReloadChecksTheWholeFileBeforeAnythingChanges) {
    write("[scrub]\nrate = 3\n");
    DaemonControl control = this->control();
    write("[log]\nlevel = \"debug\"\n[scrub]\nrate = 9\n[transport]\nworkers = \"many\"\n");
    const auto refused = control.handle("reload", Json::object());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(applied_.empty());
    EXPECT_EQ(log_->level(), LogLevel::kInfo);
    write("[log]\nlevel = \"debug\"\n[scrub]\nrate = 9\n[transport]\nworkers = 5\n");
    const auto done = control.handle("reload", Json::object());
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ((*done)["changed"], (Json{"scrub.rate", "log.level"}));
    EXPECT_EQ((*done)["restart"], Json::array({"transport.workers"}));
    EXPECT_EQ(log_->level(), LogLevel::kDebug);
    ASSERT_EQ(applied_.size(), 1U);
    EXPECT_EQ(applied_[0].scrub.rate, 9U);
    const auto again = control.handle("reload", Json::object());
    ASSERT_TRUE(again);
    EXPECT_TRUE((*again)["changed"].empty());
    EXPECT_EQ((*again)["restart"], Json::array({"transport.workers"})) << "it still waits";
}

TEST_F(DaemonControlTest, AHangupReloadsOnce) {
    write("[scrub]\nrate = 3\n");
    DaemonControl control = this->control();
    control.look_at_hangups();
    EXPECT_TRUE(applied_.empty());
    ASSERT_TRUE(log_->reopen());
    control.look_at_hangups();
    control.look_at_hangups();
    EXPECT_EQ(applied_.size(), 1U);
}

TEST_F(DaemonControlTest, TheLogsLevelAndTheEndCanBeTold) {
    write("# nothing is set\n");
    DaemonControl control = this->control();
    EXPECT_FALSE(control.handle("log-level", Json::parse(R"({"level":"loud"})")));
    EXPECT_TRUE(control.handle("log-level", Json::parse(R"({"level":"error"})")));
    EXPECT_FALSE(log_->enabled(LogLevel::kWarn));
    EXPECT_FALSE(control.stop_wanted());
    EXPECT_TRUE(control.handle("stop", Json::object()));
    EXPECT_TRUE(control.stop_wanted());
    EXPECT_FALSE(control.handle("no-such-thing", Json::object()));
}

/// A daemon that was told to end never ended: a thread asked while it held what the question of
/// another thread waited for.
TEST_F(DaemonControlTest, ADrainHoldsNothingWhileItAsksWhetherWorkIsUnderWay) {
    std::mutex work;
    std::atomic<bool> asked{false};
    Drain drain(60'000, *log_, [&] {
        if (!asked.exchange(true)) {
            const std::lock_guard lock(work);
        }
        return true;
    });
    std::unique_lock held(work);
    std::thread first([&] { EXPECT_TRUE(drain.over()); });
    while (!asked) std::this_thread::yield();
    EXPECT_TRUE(drain.over());  // although the first question has no answer yet
    held.unlock();
    first.join();
}

TEST_F(DaemonControlTest, ADrainWaitsForWhatIsUnderWayAndNotForEver) {
    bool idle = false;
    Drain patient(60'000, *log_, [&] { return idle; });
    EXPECT_FALSE(patient.over());
    idle = true;
    EXPECT_TRUE(patient.over());
    idle = false;
    EXPECT_TRUE(patient.over()) << "over is over";
    Drain short_one(0, *log_, [] { return false; });
    EXPECT_TRUE(short_one.over());
}

}  // namespace
