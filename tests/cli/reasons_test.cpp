// The table of verdicts: complete, with something to say in every cell, and docs/verdicts.md is it.
#include <set>

#include "command.hpp"
#include "core/result.hpp"

namespace holdfast::test {
namespace {

TEST(Reasons, DocsVerdictsIsCurrent) {
    TempFolder folder;
    const Ran ran = holdfast_command(folder.path(), {"reasons", "--markdown"});
    ASSERT_EQ(ran.code, kExitOk) << ran;
    const Bytes doc = slurp(std::filesystem::path(kVectorsFolder) / "../../docs/verdicts.md");
    EXPECT_EQ(std::string(doc.begin(), doc.end()), ran.out)
        << "write it again: holdfast reasons --markdown >docs/verdicts.md";
}

TEST(Reasons, EveryVerdictHasANameAMeaningAndAnAdvice) {
    TempFolder folder;
    const nlohmann::json list =
        holdfast_command(folder.path(), {"reasons", "--json"}).json().at("reasons");
    ASSERT_EQ(list.size(), reason_count());
    std::set<std::string> names;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const auto& row = list[i];
        EXPECT_EQ(row.at("number"), i);
        EXPECT_TRUE(names.insert(row.at("name")).second) << row;
        for (const char* column : {"meaning", "action"}) {
            const std::string text = row.at(column);
            EXPECT_GT(text.size(), 5U) << row;
            EXPECT_EQ(text.back(), '.') << row;
            EXPECT_EQ(text.find('|'), std::string::npos) << "it would break the table";
        }
    }
    const Ran one = holdfast_command(folder.path(), {"reasons", "signature"});
    EXPECT_EQ(one.code, kExitOk);
    EXPECT_TRUE(one.says("signature: ")) << one;
    expect_failure(holdfast_command(folder.path(), {"reasons", "nonsense"}), kExitUsage,
                   "nonsense");
}

}  // namespace
}  // namespace holdfast::test
