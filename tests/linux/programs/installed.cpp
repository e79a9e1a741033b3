// Linked with an installed larder: containers on the allocator and the resource of larder.hpp.
#include <larder/larder.hpp>
#include <larder/process.h>

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory_resource>
#include <string>
#include <vector>

struct alignas(256) wide {
    char bytes[256];
};

static bool is_ours(const void *pointer) {
    return larder_owns(larder_process(), pointer);
}

static bool vectors() {
    std::vector<int, larder_cpp::allocator<int>> numbers;
    for (int i = 0; i < 100000; i++)
        numbers.push_back(i);
    std::vector<wide, larder_cpp::allocator<wide>> wides(3);
    return is_ours(numbers.data()) && numbers[99999] == 99999 && is_ours(wides.data()) &&
           reinterpret_cast<std::uintptr_t>(wides.data()) % alignof(wide) == 0;
}

static bool rooms() {
    using allocator = larder_cpp::allocator<int>;
    try {
        (void)allocator().allocate(std::size_t(-1) / 2);
    } catch (const std::bad_alloc &) {
        return allocator::room_for(25) == 28 && allocator::room_for(0) == 0 &&
               larder_cpp::allocator<wide>::room_for(3) == 3 && allocator() == larder_cpp::allocator<char>();
    }
    return false;
}

static bool resources() {
    std::pmr::map<int, std::pmr::string> names(larder_cpp::process_resource());
    for (int i = 0; i < 1000; i++)
        names.emplace(i, "a name that is too long for a string to keep inside");
    void *page = larder_cpp::process_resource()->allocate(100, 4096);
    const bool good = is_ours(names[500].data()) && is_ours(page) &&
                      reinterpret_cast<std::uintptr_t>(page) % 4096 == 0;
    larder_cpp::process_resource()->deallocate(page, 100, 4096);
    return good && larder_cpp::process_resource()->is_equal(*larder_cpp::process_resource()) &&
           !larder_cpp::process_resource()->is_equal(*std::pmr::null_memory_resource());
}

int main() {
    int *plain = new int;
    std::printf("%d %d %d %d\n", vectors(), rooms(), resources(), is_ours(plain));
    delete plain;
}
