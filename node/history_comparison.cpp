#include "node/history_comparison.hpp"

namespace holdfast::node {

std::string SplitHistory::to_string() const {
    return "two nodes tell different histories: the " + what + " of height " +
           std::to_string(height.value) + " is another one at " + first + " than at " + second;
}

template <class T>
void HistoryComparison::compare(Word<T>& known, const std::optional<T>& said,
                                const std::string& name, Height height, const char* what) {
    if (!said || split_) return;
    if (!known.value) {
        known = {said, name};
    } else if (*known.value != *said) {
        split_ = SplitHistory{height, what, known.name, name};
    }
}

bool HistoryComparison::note(const std::string& name, Height height, const Said& said) {
    const std::lock_guard lock(mutex_);
    if (split_) return false;
    Known& known = known_[height];
    compare(known.block, said.block, name, height, "block");
    compare(known.y, said.y, name, height, "y");
    compare(known.anchor, said.anchor, name, height, "digest");
    while (known_.size() > kKept) known_.erase(known_.begin());
    return split_.has_value();
}

bool HistoryComparison::note(const SplitHistory& found) {
    const std::lock_guard lock(mutex_);
    if (split_) return false;
    split_ = found;
    return true;
}

std::optional<SplitHistory> HistoryComparison::split() const {
    const std::lock_guard lock(mutex_);
    return split_;
}

void HistoryComparison::forget() {
    const std::lock_guard lock(mutex_);
    known_.clear();
    split_.reset();
}

}  // namespace holdfast::node
