// Names are bytes, not UTF-8: every result is printed whatever they are.
#include "json/json.hpp"

#include "node_world.hpp"

namespace holdfast::test {
namespace {

constexpr const char* kName = "caf\xe9";

TEST(Names, NameThatIsNotUtf8IsPrintedAsJson) {
    NodeWorld world;
    world.data(kName, 300'000, 2);
    const std::string name = kName;
    const nlohmann::json sealed = world.json("seal " + name + " --key alice.key");
    EXPECT_EQ(json::original_bytes(sealed["replica"].get<std::string>()), name + ".replica");
    const nlohmann::json inspected = world.json("inspect " + name + ".replica");
    EXPECT_TRUE(inspected.contains("kind")) << inspected;
    EXPECT_EQ(world.json("scrub " + name + ".replica --no-log")["damaged"], 0);
    const std::string folder = "shards" + name;
    const nlohmann::json shards =
        world.json("shard " + name + " --data 2 --parity 1 --out " + folder);
    EXPECT_EQ(json::original_bytes(shards["manifest"].get<std::string>()),
              folder + "/" + name + ".manifest");
    const nlohmann::json back = world.json("recover " + folder + " --manifest " + folder + "/" +
                                           name + ".manifest --out back" + name);
    EXPECT_EQ(json::original_bytes(back["file"].get<std::string>()), "back" + name);
}

TEST(Names, NameThatIsNotUtf8InAnErrorIsPrintedAsJson) {
    NodeWorld world;
    const std::string name = kName;
    for (const std::string line : {"inspect ", "seal --key alice.key ", "config check ", "recover ",
                                   "fetch --params ", "vectors check ", "public export --dir "}) {
        const Ran ran = world.run(line + name + " --json");
        EXPECT_GT(ran.code, kExitOk) << ran;
        EXPECT_LE(ran.code, kExitEnvironment) << ran;
        EXPECT_EQ(ran.signal, 0) << ran;
        EXPECT_FALSE(ran.says("internal error")) << ran;
        EXPECT_TRUE(ran.json().contains("error")) << ran;
    }
    const Ran wrong = world.run("seal a --key " + name + " --json");
    EXPECT_NE(json::original_bytes(wrong.json()["error"]["message"].get<std::string>()).find(name),
              std::string::npos)
        << wrong;
}

TEST(Names, SettingsInAFolderThatIsNotUtf8ArePrintedAsJson) {
    NodeWorld world;
    const std::string folder = kName;
    std::filesystem::create_directory(world / folder);
    spill(world / folder / "node.toml", view(std::string_view("[network]\nparams = \"x\"\n")));
    const nlohmann::json checked = world.json("config check " + folder + "/node.toml");
    EXPECT_EQ(json::original_bytes(checked["in_force"]["network"]["params"].get<std::string>()),
              folder + "/x");
    world.good("config check " + folder + "/node.toml");
}

}  // namespace
}  // namespace holdfast::test
