#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "conformance/check_vectors.hpp"
#include "support/paths.hpp"
#include "support/temp_folder.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

std::string joined(const FileReport& report) {
    std::string out;
    for (const std::string& failure : report.failures) out += "\n  " + failure;
    return out;
}

nlohmann::json load(const std::string& name) {
    std::ifstream in(fs::path(test::kVectorsFolder) / name);
    return nlohmann::json::parse(in);
}

class ScratchTest : public ::testing::Test {
  protected:
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / name, std::ios::binary) << text;
    }
    [[nodiscard]] VectorOptions options() const {
        VectorOptions out;
        out.scratch = folder_.path();
        return out;
    }
    [[nodiscard]] FileReport run(const std::string& name, const std::string& text) const {
        write(name, text);
        auto report = check_vector_file(folder_ / name, options());
        EXPECT_TRUE(report.has_value());
        return report ? *report : FileReport{};
    }

    test::TempFolder folder_;
};

using ConformanceRunner = ScratchTest;

// --- the public vectors --------------------------------------------------------------------------

std::vector<std::string> vector_files() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(test::kVectorsFolder)) {
        if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

class VectorFile : public ScratchTest, public ::testing::WithParamInterface<std::string> {};

TEST_P(VectorFile, EveryCasePasses) {
    const auto report =
        check_vector_file(fs::path(test::kVectorsFolder) / (GetParam() + ".json"), options());
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(report->failed, 0U) << joined(*report);
    EXPECT_GT(report->passed, 0U);
    EXPECT_EQ(report->skipped, 0U) << "values of the file that no check reads";
}

INSTANTIATE_TEST_SUITE_P(All, VectorFile, ::testing::ValuesIn(vector_files()),
                         [](const auto& file) { return file.param; });

TEST(VectorFolder, HoldsEveryFileOfTheProtocol) {
    const std::vector<std::string> expected{
        "availability", "bundles",   "entropy",   "erasure",    "evidence", "files",
        "fill",         "hierarchy", "history",   "lifecycle",  "links",    "merkle",
        "network",      "seal",      "selection", "signatures", "vdf"};
    EXPECT_EQ(vector_files(), expected);
}

// --- the runner can fail -------------------------------------------------------------------------

/// One wrong nibble in the value at `pointer` must be a failure that names the place.
struct Damage {
    std::string file;
    std::string pointer;
    std::string place;
};

class FlippedDigest : public ScratchTest, public ::testing::WithParamInterface<Damage> {};

TEST_P(FlippedDigest, IsReported) {
    const Damage& damage = GetParam();
    nlohmann::json json = load(damage.file);
    auto& value = json.at(nlohmann::json::json_pointer(damage.pointer));
    std::string hex = value.get<std::string>();
    hex[0] = hex[0] == '0' ? '1' : '0';
    value = hex;
    const FileReport report = run(damage.file, json.dump());
    EXPECT_GT(report.failed, 0U);
    ASSERT_FALSE(report.failures.empty());
    EXPECT_NE(joined(report).find(damage.place), std::string::npos) << joined(report);
}

INSTANTIATE_TEST_SUITE_P(
    One, FlippedDigest,
    ::testing::Values(
        Damage{"merkle.json", "/cases/5/root", "cases[5].root"},
        Damage{"merkle.json", "/cases/5/multiproofs/0/siblings/0",
               "cases[5].multiproofs[0].siblings[0]"},
        Damage{"network.json", "/cases/1/network_id", "cases[1].network_id"},
        Damage{"signatures.json", "/cases/signed/1/signature", "cases.signed[1].signature"},
        Damage{"fill.json", "/cases/0/matrix_sha256", "cases[0].matrix_sha256"},
        Damage{"hierarchy.json", "/cases/6/global", "cases[6].global"},
        Damage{"erasure.json", "/cases/0/manifest_id", "cases[0].manifest_id"},
        Damage{"evidence.json", "/cases/evidence/0/offence_id", "cases.evidence[0].offence_id"},
        Damage{"bundles.json", "/cases/bundles/1/root", "cases.bundles[1].root"},
        Damage{"bundles.json", "/cases/bundles/3/chains/2/body", "cases.bundles[3].chains[2].body"},
        Damage{"bundles.json", "/cases/shorts/0/heights/0/link", "cases.shorts[0].heights[0]"},
        Damage{"bundles.json", "/cases/shorts/1/heights/1/short_full",
               "cases.shorts[1].heights[1].short_full"},
        Damage{"bundles.json", "/cases/acknowledgements/0/signed",
               "cases.acknowledgements[0].signed"},
        Damage{"history.json", "/cases/journal/consistency/13/6/0", "consistency[13][6]"},
        Damage{"history.json", "/cases/heads/1/signed", "cases.heads[1].signed"},
        Damage{"history.json", "/cases/challenges/2/assigned", "cases.challenges[2].assigned"},
        Damage{"vdf.json", "/cases/evaluations/0/y", "cases.evaluations[0].y"}),
    [](const auto& damage) { return "case_" + std::to_string(damage.index); });

TEST_F(ConformanceRunner, ReportsAnEncodingThatShouldBeRefusedAndIsNot) {
    nlohmann::json json = load("network.json");
    auto& list = json["cases"][1]["refused"];
    list = nlohmann::json::array(
        {{{"why", "nothing changed"}, {"at", 0}, {"remove", 0}, {"insert", ""}}});
    const FileReport report = run("network.json", json.dump());
    ASSERT_EQ(report.failed, 1U);
    EXPECT_EQ(report.failures[0],
              "cases[1].refused[0] (nothing changed): accepted, expected refusal");
}

TEST_F(ConformanceRunner, ReportsAFlagThatIsWrong) {
    nlohmann::json json = load("signatures.json");
    auto& valid = json["cases"]["edges"][0]["valid"];
    valid = !valid.get<bool>();
    const FileReport report = run("signatures.json", json.dump());
    ASSERT_EQ(report.failed, 1U);
    EXPECT_EQ(report.failures[0], "cases.edges[0].valid: computed true, the file has false");
}

TEST_F(ConformanceRunner, CountsValuesThatNoCheckReads) {
    nlohmann::json json = load("merkle.json");
    json["cases"][2]["surprise"] = {{"a", 1}, {"b", 2}};
    const FileReport report = run("merkle.json", json.dump());
    EXPECT_EQ(report.failed, 0U) << joined(report);
    EXPECT_EQ(report.skipped, 1U);
}

TEST_F(ConformanceRunner, KeepsTheFirstFailuresOnly) {
    nlohmann::json json = load("selection.json");
    for (auto& v : json["cases"]["v2"]) v["selected"] = nlohmann::json::array({12345});
    const FileReport report = run("selection.json", json.dump());
    EXPECT_EQ(report.failed, json["cases"]["v2"].size());
    EXPECT_EQ(report.failures.size(), kMaxReportedFailures);
}

// --- other forms ---------------------------------------------------------------------------------

TEST_F(ConformanceRunner, RefusesFilesWithAnUnknownName) {
    const FileReport report = run("weather.json", load("merkle.json").dump());
    EXPECT_EQ(report.failed, 1U);
    EXPECT_EQ(report.passed, 0U);
    EXPECT_NE(joined(report).find("no vector file of the protocol has this name"),
              std::string::npos);
}

TEST_F(ConformanceRunner, ReportsMalformedFiles) {
    const std::string whole = load("merkle.json").dump();
    const std::vector<std::string> texts{
        "",
        "{",
        "null",
        "[]",
        "{}",
        whole.substr(0, whole.size() / 2),
        R"({"spec": "holdfast/2", "network": "00", "network_id": "00", "cases": []})",
        R"({"spec": "holdfast/1", "network": "00", "network_id": "00", "cases": []})",
        std::string(100'000, '['),
    };
    for (const std::string& text : texts) {
        const FileReport report = run("merkle.json", text);
        EXPECT_EQ(report.failed, 1U) << text.substr(0, 100) << joined(report);
        EXPECT_EQ(report.failures.size(), 1U);
    }
}

TEST_F(ConformanceRunner, NamesThePlaceOfAMalformedValue) {
    nlohmann::json json = load("merkle.json");
    json["cases"][3]["root"] = "xyz";
    json["cases"][4]["paths"] = 7;
    json["cases"][5]["multiproofs"][0].erase("opened");
    json["cases"][6]["multiproofs"][0]["opened"] = nlohmann::json::array({-1});
    json["cases"][7]["multiproofs"][0]["opened"] = nlohmann::json::array({1'000'000});
    json["cases"][8]["multiproofs"][0]["refused"][0]["at"] = std::uint64_t{18446744073709551615U};
    const FileReport report = run("merkle.json", json.dump());
    EXPECT_EQ(report.failed, 6U) << joined(report);
    const std::string all = joined(report);
    for (const char* place : {"cases[3].root: should be hex", "cases[4].paths: should be an array",
                              "cases[5].multiproofs[0]: lacks \"opened\"",
                              "cases[6].multiproofs[0].opened[0]: should be",
                              "cases[7].multiproofs[0].opened: should ascend", "lies outside"}) {
        EXPECT_NE(all.find(place), std::string::npos) << place << " in" << all;
    }
    EXPECT_GT(report.passed, 100U) << "the other cases go on";
}

/// Every value of a small file replaced in turn by values of other types: failures, never a crash.
TEST_F(ConformanceRunner, SurvivesAnyValueOfAnotherType) {
    for (const char* name : {"merkle.json", "network.json", "signatures.json", "lifecycle.json",
                             "hierarchy.json", "selection.json"}) {
        const nlohmann::json whole = load(name);
        nlohmann::json small = whole;
        if (small["cases"].is_array()) {
            small["cases"] = nlohmann::json::array({whole["cases"][1]});
        }
        const nlohmann::json flat = small.flatten();
        std::size_t step = std::max<std::size_t>(1, flat.size() / 12);
        std::size_t i = 0;
        for (auto it = flat.begin(); it != flat.end(); ++it, ++i) {
            if (i % step != 0) continue;
            for (const nlohmann::json& other :
                 {nlohmann::json(nullptr), nlohmann::json(UINT64_MAX), nlohmann::json(-1.5),
                  nlohmann::json(""), nlohmann::json("00ff"), nlohmann::json::array(),
                  nlohmann::json::object()}) {
                nlohmann::json damaged = small;
                damaged.at(nlohmann::json::json_pointer(it.key())) = other;
                const FileReport report = run(name, damaged.dump());
                EXPECT_GT(report.failed + report.passed, 0U) << name << " " << it.key();
            }
        }
    }
}

TEST_F(ConformanceRunner, ReadsTheFolderInOrder) {
    write("merkle.json", load("merkle.json").dump());
    write("network.json", load("network.json").dump());
    write("README.md", "not a vector file");
    const auto reports = check_vectors(folder_.path());
    ASSERT_TRUE(reports.has_value());
    ASSERT_EQ(reports->size(), 2U);
    EXPECT_EQ((*reports)[0].file, "merkle.json");
    EXPECT_EQ((*reports)[1].file, "network.json");
}

TEST_F(ConformanceRunner, FailsWithoutAnyFile) {
    EXPECT_EQ(check_vectors(folder_.path()).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(check_vectors(folder_ / "absent").error().code, ErrorCode::kNotFound);
}

TEST_F(ConformanceRunner, StopsAndTellsItsProgress) {
    std::uint64_t last = 0;
    int calls = 0;
    VectorOptions watched = options();
    watched.on_progress = [&](const FileReport& report) {
        EXPECT_GE(report.passed, last);
        last = report.passed;
        ++calls;
    };
    watched.stop = [&] { return calls >= 3; };
    const auto report = check_vector_file(fs::path(test::kVectorsFolder) / "merkle.json", watched);
    ASSERT_FALSE(report.has_value());
    EXPECT_EQ(report.error().code, ErrorCode::kInterrupted);
    EXPECT_EQ(calls, 3);
}

TEST_F(ConformanceRunner, LeavesNothingInItsScratchFolder) {
    const fs::path file = fs::path(test::kVectorsFolder) / "erasure.json";
    ASSERT_TRUE(check_vector_file(file, options()).has_value());
    EXPECT_TRUE(fs::is_empty(folder_.path()));
    VectorOptions absent;
    absent.scratch = folder_ / "absent";
    EXPECT_FALSE(check_vector_file(file, absent).has_value());
}

}  // namespace
}  // namespace holdfast
