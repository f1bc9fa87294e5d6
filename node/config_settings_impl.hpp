// The table of settings: what each is called, where it is kept, what it may be, what it means.
// Reading, printing and the example file follow from it.
#pragma once

#include <span>
#include <string_view>
#include <variant>

#include "node/config.hpp"

namespace holdfast::node {

/// Why a text may not be the value, or null.
using TextProblem = const char* (*)(const std::string& text);

struct PathSlot {
    std::filesystem::path& (*at)(Config& config);
};
struct TextSlot {
    std::string& (*at)(Config& config);
    TextProblem problem;
};
struct FlagSlot {
    bool& (*at)(Config& config);
};
struct NumberSlot {
    std::uint64_t (*get)(Config& config);
    void (*set)(Config& config, std::uint64_t value);
    std::uint64_t min;
    std::uint64_t max;
};
struct WordSlot {
    std::string_view (*get)(const Config& config);
    bool (*set)(Config& config, std::string_view word);  // false: not a word of it
    const char* allowed;
};

struct Setting {
    std::string_view section;  // "transport.limits"
    std::string_view key;
    std::variant<PathSlot, TextSlot, FlagSlot, NumberSlot, WordSlot> slot;
    const char* help;  // lines, without a '#'
};

struct Section {
    std::string_view name;
    const char* help;
};

/// In the order of the example file. Sections of entries ([[hosts]], [[peers]], [[replicas]]) have
/// no settings of this kind.
[[nodiscard]] std::span<const Section> config_sections();
[[nodiscard]] std::span<const Setting> config_settings();
/// For [[peers]] and [[hosts]].
[[nodiscard]] const char* address_problem(const std::string& text);

}  // namespace holdfast::node
