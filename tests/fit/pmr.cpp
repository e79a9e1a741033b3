// std::pmr containers on a region heap: they live in it, throw when it is full, give everything back.
#include "larder/larder.hpp"

#include <cstdio>
#include <list>
#include <map>
#include <string>
#include <vector>

static unsigned char memory[65536];
static int number, failed;

static void check(bool good, const char *what) {
    std::printf("%sok %d - %s\n", good ? "" : "not ", ++number, what);
    failed |= !good;
}

struct alignas(256) wide {
    int value;
};

static bool inside(const void *pointer) {
    auto at = static_cast<const unsigned char *>(pointer);
    return at >= memory && at < memory + sizeof memory;
}

static bool full_throws(std::pmr::memory_resource *resource) {
    try {
        std::pmr::vector<char> large(sizeof memory, 'x', resource);
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

int main() {
    larder_fit *heap = larder_fit_create(memory, sizeof memory, LARDER_FIT_BEST);
    larder_cpp::fit_resource one(*heap), same(*heap);
    std::size_t before = heap->free_bytes;
    std::printf("1..7\n");
    {
        std::pmr::vector<std::pmr::string> words(&one);
        for (int i = 0; i < 100; i++) {
            words.emplace_back("a string that is too long to be kept inside its object " +
                               std::to_string(i));
        }
        check(inside(words.data()) && inside(words[99].data()), "vector and strings are in it");
        std::pmr::map<int, std::pmr::list<int>> map(&one);
        map[3].push_back(4);
        check(inside(&map[3]) && inside(&map[3].front()), "maps of lists are in it");
        std::pmr::vector<wide> wides(3, wide{7}, &one);
        check(reinterpret_cast<std::uintptr_t>(wides.data()) % 256 == 0, "alignment is kept");
        auto first = words.data();
        std::pmr::vector<std::pmr::string> moved(std::move(words), &same);
        check(moved.data() == first, "two resources on one heap are equal: moving copies nothing");
        check(!one.is_equal(*std::pmr::new_delete_resource()), "and differ from others");
    }
    check(full_throws(&one), "a full heap throws bad_alloc");
    check(heap->free_bytes == before && larder_fit_check(heap, nullptr) == LARDER_FIT_SOUND,
          "everything is given back");
    return failed;
}
