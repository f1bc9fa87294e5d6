// JSON that inspect prints of a proof makes the same proof again, and nothing else does.
#include "node_world.hpp"

namespace holdfast::test {
namespace {

using OrderedJson = nlohmann::ordered_json;

struct Formats {
    NodeWorld world;
    Formats() {
        world.live({{"a", "alice.key"}});
        world.prove_all("a", "alice.key");
    }
    [[nodiscard]] OrderedJson printed(const std::string& file) const {
        return OrderedJson::parse(world.json("inspect " + file).dump());
    }
    [[nodiscard]] Ran composed(const OrderedJson& json) const {
        const std::string text = json.dump();
        spill(world / "x.json", Bytes(text.begin(), text.end()));
        return world.run("inspect x.json --from-json --out x.object --force");
    }
};

TEST(FromJson, EveryFormatComesBackByteForByte) {
    const Formats f;
    for (const char* name : {"receipt", "compact", "full", "path", "window"}) {
        const std::string file = std::string("a.") + name;
        const Ran made = f.composed(f.printed(file));
        ASSERT_EQ(made.code, 0) << name << made;
        EXPECT_TRUE(slurp(f.world / "x.object") == slurp(f.world / file)) << name;
    }
    f.world.good("verify x.object --public public");
}

TEST(FromJson, MalformedJsonWritesNothing) {
    const Formats f;
    const OrderedJson compact = f.printed("a.compact");
    struct Row {
        const char* what;
        std::function<void(OrderedJson&)> change;
        const char* says;
    };
    const Row rows[] = {
        {"no kind", [](OrderedJson& j) { j.erase("kind"); }, "kind"},
        {"another kind", [](OrderedJson& j) { j["kind"] = "full"; }, "cells"},
        {"no such kind", [](OrderedJson& j) { j["kind"] = "vdf-proof"; }, "kind"},
        {"missing", [](OrderedJson& j) { j.erase("anchor"); }, "anchor"},
        {"short hex", [](OrderedJson& j) { j["link"] = "abcd"; }, "link"},
        {"no hex", [](OrderedJson& j) { j["link"] = std::string(64, 'g'); }, "link"},
        {"a number", [](OrderedJson& j) { j["link"] = 5; }, "link"},
        {"negative", [](OrderedJson& j) { j["height"] = -1; }, "height"},
        {"fraction", [](OrderedJson& j) { j["height"] = 1.5; }, "height"},
        {"too large", [](OrderedJson& j) { j["path"]["slot"] = std::uint64_t{1} << 32; }, "slot"},
        {"status", [](OrderedJson& j) { j["status"] = "well"; }, "status"},
        {"no path", [](OrderedJson& j) { j["path"] = 7; }, "region"},
        {"list", [](OrderedJson& j) { j["cell_path"] = "none"; }, "cell_path"},
        {"opening path", [](OrderedJson& j) { j["opening_path"].erase(0); }, "opening_path"},
        {"surplus hash", [](OrderedJson& j) { j["path"]["slot_path"].push_back(j["link"]); }, ""},
        {"unknown field", [](OrderedJson& j) { j["remark"] = "hello"; }, "remark"},
        {"bytes", [](OrderedJson& j) { j["bytes"] = 1; }, "bytes"},
        {"zeros written out", [](OrderedJson& j) { j["reveal"] = std::string(64, '0'); }, "reveal"},
    };
    for (const Row& row : rows) {
        OrderedJson json = compact;
        row.change(json);
        std::filesystem::remove(f.world / "x.object");
        const Ran refused = f.composed(json);
        EXPECT_NE(refused.code, 0) << row.what;
        EXPECT_TRUE(refused.says(row.says)) << row.what << refused;
        EXPECT_FALSE(std::filesystem::exists(f.world / "x.object")) << row.what;
    }
    OrderedJson window = f.printed("a.window");
    std::swap(window["commitments"][0], window["commitments"][1]);
    EXPECT_TRUE(f.composed(window).says("window-order"));
    window["commitments"] = OrderedJson::array();
    EXPECT_TRUE(f.composed(window).says("1 to 5"));
    EXPECT_NE(f.composed(OrderedJson::array()).code, 0);
    spill(f.world / "x.json", Bytes(100'000, '['));
    EXPECT_NE(f.world.run("inspect x.json --from-json --out x.object").code, 0);
    expect_failure(f.world.run("inspect a.full --from-json --out x.object"), kExitUsage,
                   "not JSON");
    expect_failure(f.world.run("inspect x.json --from-json"), kExitUsage, "--out");
}

}  // namespace
}  // namespace holdfast::test
