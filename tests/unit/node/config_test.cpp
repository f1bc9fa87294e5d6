// Settings: the example is the defaults, every setting is read, nothing wrong passes for a default.
#include "node/config.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <sstream>

#include "support/temp_folder.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::node;
using Json = nlohmann::ordered_json;

const std::string kKey = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
const std::string kOther = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

Result<Config> parse(const std::string& text) { return parse_config(text, "node.toml", "/etc/hf"); }

TEST(Config, TheExampleParsesToTheDefaults) {
    const auto config = parse(example_config());
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(to_json(*config), to_json(Config{}));
    const auto empty = parse("");
    ASSERT_TRUE(empty);
    EXPECT_EQ(to_json(*empty), to_json(Config{}));
    // Its commented entries parse too.
    std::string entries;
    std::istringstream lines(example_config());
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("# [") || (!entries.empty() && line.starts_with("# ") &&
                                        line.find(" = \"") != std::string::npos)) {
            entries += line.substr(2) + "\n";
        }
    }
    const auto with_entries = parse(entries);
    ASSERT_TRUE(with_entries) << with_entries.error().message << "\n" << entries;
    EXPECT_EQ(with_entries->hosts.size(), 1u);
    EXPECT_EQ(with_entries->peers.size(), 1u);
    EXPECT_EQ(with_entries->replicas.size(), 1u);
    EXPECT_EQ(with_entries->folders.size(), 1u);
    EXPECT_EQ(with_entries->deposits.clients.size(), 1u);
}

/// A value that is allowed and is not the default.
std::string another_value(const std::string& name, const Json& value) {
    if (value.is_boolean()) return value.get<bool>() ? "false" : "true";
    if (value.is_number()) {
        // Two settings have to stay on their side of another, and one is the most that there is.
        const bool down =
            name == "keepalive_ms" || name == "backoff_first_ms" || name == "max_request_bytes";
        const auto number = value.get<std::uint64_t>();
        return std::to_string(down || number >= (16U << 20) ? number - 1 : number + 1);
    }
    if (name == "level") return "\"error\"";
    if (name == "format") return "\"json\"";
    if (name == "trust") return "\"operator\"";
    if (name == "bond") return "\"" + kKey + "\"";
    if (name == "seal") return "\"economy\"";
    if (name == "retention") return "\"archival\"";
    return "\"127.0.0.1:9\"";  // a text or a path
}

TEST(Config, EverySettingIsReadAndShownWhereItStands) {
    const Json defaults = to_json(Config{});
    unsigned settings = 0;
    const std::function<void(const std::string&, const Json&)> visit = [&](const std::string& name,
                                                                           const Json& section) {
        for (const auto& [key, value] : section.items()) {
            if (value.is_object()) {
                visit(name + "." + key, value);
                continue;
            }
            const std::string text = "[" + name + "]\n" + key + " = " + another_value(key, value);
            const auto config = parse(text);
            ASSERT_TRUE(config) << text << ": " << config.error().message;
            const Json difference = Json::diff(defaults, to_json(*config));
            ASSERT_EQ(difference.size(), 1u) << text << difference;
            std::string pointer = "/" + name + "/" + key;
            std::replace(pointer.begin(), pointer.end(), '.', '/');
            EXPECT_EQ(difference[0]["path"], pointer);
            ++settings;
        }
    };
    for (const auto& [name, section] : defaults.items()) {
        if (section.is_object()) visit(name, section);
    }
    EXPECT_GE(settings, 45u);
}

TEST(Config, ReadsEntriesAndPaths) {
    const auto config = parse(
        "[identity]\nkey = \"keys/a.key\"\n"
        "[network]\nparams = \"/srv/public\"\n"
        "[[hosts]]\nkey = \"" +
        kKey +
        "\"\naddress = \"[::1]:9001\"\n"
        "[[peers]]\nkey = \"" +
        kKey +
        "\"\n"
        "[[peers]]\nkey = \"" +
        kOther +
        "\"\naddress = \"far.example:1\"\n"
        "[[replicas]]\nreplica = \"../data/x.replica\"\nraw = \"/data/x\"\n"
        "[[replicas]]\nreplica = \"y.replica\"\n"
        "[[folders]]\npath = \"/mnt/a\"\n[[folders]]\npath = \"b\"\n");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->key, "/etc/hf/keys/a.key");
    EXPECT_EQ(config->params, "/srv/public");
    EXPECT_EQ(config->hosts.at(0).address, "[::1]:9001");
    ASSERT_EQ(config->peers.size(), 2u);
    EXPECT_EQ(config->peers[0].address, "");
    EXPECT_EQ(to_hex(config->peers[1].key), kOther);
    EXPECT_EQ(config->replicas, (std::vector<ReplicaEntry>{{"/etc/data/x.replica", "/data/x"},
                                                           {"/etc/hf/y.replica", ""}}));
    EXPECT_EQ(config->folders, (std::vector<FolderEntry>{{"/mnt/a"}, {"/etc/hf/b"}}));
}

struct Wrong {
    std::string text;
    std::string line;  // "node.toml:N: "
    std::string says;
};

TEST(Config, RefusesWhatIsWrongAndSaysWhereAndWhatIsAllowed) {
    const std::string peer = "[[peers]]\nkey = \"" + kKey + "\"\n";
    const Wrong cases[] = {
        {"[transprot]\n", "1", "[transprot]; there are network, identity, transport"},
        {"x = 1\n", "1", "[x]"},
        {"[transport]\nlisten = \"127.0.0.1:1\"\nworker = 3\n", "3",
         "\"worker\" in [transport]; it has listen, accept_anyone, workers"},
        {"[transport.limit]\nmax_peers = 3\n", "1", "\"limit\" in [transport]"},
        {"[transport.limits]\nmax_peer = 3\n", "2", "\"max_peer\" in [transport.limits]"},
        {"transport = 3\n", "1", "must be a section"},
        {"[transport]\nworkers = 0\n", "2",
         "transport.workers must be a whole number from 1 to 64"},
        {"[transport]\nworkers = 65\n", "2", "from 1 to 64"},
        {"[transport]\nworkers = -1\n", "2", "from 1 to 64"},
        {"[transport]\nworkers = 2.0\n", "2", "whole number"},
        {"[transport]\nworkers = \"2\"\n", "2", "whole number"},
        {"[transport]\naccept_anyone = 1\n", "2", "true or false"},
        {"[transport]\nlisten = 9001\n", "2", "a string in quotes"},
        {"[transport]\nlisten = \"9001\"\n", "2", "host:port"},
        {"[transport.limits]\nkeepalive_ms = 70000\n", "2", "idle_timeout_ms must be above"},
        {"[transport.limits]\nbackoff_max_ms = 10\n", "2", "must not be below backoff_first_ms"},
        {"[monitor]\nlisten = \"0.0.0.0\"\n", "2", "loopback"},
        {"[log]\nlevel = \"loud\"\n", "2", "debug, info, warn, error or off"},
        {"[log]\nformat = \"xml\"\n", "2", "text or json"},
        {"[identity]\nkey = [\"a\"]\n", "2", "a string in quotes"},
        {"[identity]\nkey = \"a\\u0000b\"\n", "2", "zero byte"},
        {"[[hosts]]\nkey = \"" + kKey + "\"\n", "1", "[[hosts]] needs an address"},
        {"[[folders]]\n", "1", "[[folders]] needs a path"},
        {"[prover]\nbond = \"12\"\n", "2", "64 hex digits"},
        {"[prover]\nretention = \"ever\"\n", "2", "temporary, default or archival"},
        {"[[hosts]]\naddress = \"a:1\"\n", "1", "[[hosts]] needs a key"},
        {"[[peers]]\nkey = \"abc\"\n", "2", "64 digits"},
        {"[[peers]]\nkey = \"" + std::string(64, '0') + "\"\n", "2", "public key"},
        {"[[peers]]\nkey = \"" + kKey + "\"\nport = 3\n", "3", "\"port\" in [[peers]]; it has key"},
        {peer + peer, "1", "twice"},
        {"[peers]\nkey = \"" + kKey + "\"\n", "1", "a list"},
        {"[[replicas]]\nraw = \"x\"\n", "1", "[[replicas]] needs a replica"},
        {"[log]\nlevel = \"info\"\nlevel = \"info\"\n", "3", "not TOML"},
        {"[log\n", "1", "not TOML"},
        {std::string("a = \"\xff\"\n"), "1", "not TOML"},
        {std::string(100'000, '['), "1", "not TOML"},
    };
    for (const Wrong& one : cases) {
        const auto config = parse(one.text);
        ASSERT_FALSE(config) << one.text;
        EXPECT_EQ(config.error().code, ErrorCode::kInvalidArgument) << one.text;
        EXPECT_TRUE(config.error().message.starts_with("node.toml:" + one.line + ": "))
            << one.text.substr(0, 200) << config.error().message;
        EXPECT_NE(config.error().message.find(one.says), std::string::npos)
            << one.text.substr(0, 200) << config.error().message;
    }
}

TEST(Config, FilesAreReadWithinBounds) {
    const test::TempFolder folder;
    EXPECT_EQ(load_config(folder / "none.toml").error().code, ErrorCode::kNotFound);
    test::spill(folder / "a.toml", view("[node]\ndir = \"here\"\n"));
    const auto config = load_config(folder / "a.toml");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->dir, folder / "here");
    test::spill(folder / "b.toml", Bytes((1U << 20) + 1, '#'));
    EXPECT_EQ(load_config(folder / "b.toml").error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
