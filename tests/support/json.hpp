// Reading vector files in unit tests.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "core/types.hpp"
#include "support/paths.hpp"

namespace holdfast::test {

/// Lives until the program ends: a loop over load_vectors(…)["cases"] would otherwise see a
/// destroyed temporary, and silently nothing.
inline const nlohmann::json& load_vectors(const std::string& name) {
    static std::map<std::string, nlohmann::json> loaded;
    if (const auto found = loaded.find(name); found != loaded.end()) return found->second;
    std::ifstream in(std::string(kVectorsFolder) + "/" + name);
    EXPECT_TRUE(in.good()) << name;
    return loaded[name] = nlohmann::json::parse(in);
}

inline Bytes hex(const nlohmann::json& value) {
    Bytes out;
    EXPECT_TRUE(from_hex(value.get<std::string>(), out)) << value;
    return out;
}

template <class T>
T fixed(const nlohmann::json& value) {
    T out;
    EXPECT_TRUE(from_hex(value.get<std::string>(), MutByteView(out.bytes))) << value;
    return out;
}

}  // namespace holdfast::test
