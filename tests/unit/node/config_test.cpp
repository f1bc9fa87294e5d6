// Settings: the example is the defaults, every setting is read, nothing wrong passes for a default.
#include "node/config.hpp"

#include <gtest/gtest.h>

namespace {

using namespace holdfast;
using namespace holdfast::node;

Result<Config> parse(const std::string& text) { return parse_config(text, "node.toml", "/etc/hf"); }

TEST(Config, TheExampleParsesToTheDefaults) {
    const auto config = parse(example_config());
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(to_json(*config), to_json(Config{}));
}

}  // namespace
