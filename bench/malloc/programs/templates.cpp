// For the C++ compiler: much of the standard library, and templates made with it. Never run.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <sstream>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

template <int number> struct record {
    std::map<std::string, std::vector<std::tuple<int, double, std::string>>> rows;
    std::unordered_map<int, std::variant<int, std::string, std::shared_ptr<record>>> cells;

    std::string text() const {
        std::ostringstream out;
        for (const auto &[name, list] : rows)
            for (const auto &[count, weight, note] : list)
                out << name << count * number << weight << note;
        return out.str();
    }
    int total() const {
        return std::accumulate(cells.begin(), cells.end(), number, [](int sum, const auto &cell) {
            return sum + cell.first + static_cast<int>(cell.second.index());
        });
    }
    void order() {
        for (auto &row : rows)
            std::sort(row.second.begin(), row.second.end(), std::greater<>());
    }
};

template <int... numbers> int all(std::integer_sequence<int, numbers...>) {
    return (... + [] {
        record<numbers> one;
        one.order();
        return one.total() + static_cast<int>(one.text().size());
    }());
}

int everything() {
    return all(std::make_integer_sequence<int, 4>());
}
