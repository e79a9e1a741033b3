// Every operator new and delete there is, each on the process's instance: a request of 100 bytes gets
// 112 usable ones there, and nowhere else. Prints TAP. With an argument: deletes with a wrong size.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <malloc.h>
#include <new>

namespace {

const std::size_t size = 100, ours = 112, wide = 64, impossible = std::size_t(1) << 46;
const std::align_val_t wide_value{wide};
int number;

void say(bool good, const char *what) {
    std::printf("%s %d - %s\n", good ? "ok" : "not ok", ++number, what);
}

bool is_ours(void *pointer, std::size_t align) {
    std::memset(pointer, 0x5a, size);
    return malloc_usable_size(pointer) >= ours && malloc_usable_size(pointer) % 16 == 0 &&
           reinterpret_cast<std::uintptr_t>(pointer) % align == 0;
}

// Freed memory is handed out again by the next request of its class: what LIFO magazines do.
template <class New, class Delete>
void pair(const char *what, std::size_t align, New make, Delete unmake) {
    void *first = make();
    bool good = first && is_ours(first, align);
    unmake(first);
    void *second = make();
    good = good && second == first;
    unmake(second);
    say(good, what);
}

void plain_pairs() {
    const auto make = [] { return operator new(size); };
    const auto make_array = [] { return operator new[](size); };
    pair("delete", 16, make, [](void *p) { operator delete(p); });
    pair("delete[]", 16, make_array, [](void *p) { operator delete[](p); });
    pair("delete, sized", 16, make, [](void *p) { operator delete(p, size); });
    pair("delete[], sized", 16, make_array, [](void *p) { operator delete[](p, size); });
    pair("nothrow", 16, [] { return operator new(size, std::nothrow); },
         [](void *p) { operator delete(p, std::nothrow); });
    pair("nothrow[]", 16, [] { return operator new[](size, std::nothrow); },
         [](void *p) { operator delete[](p, std::nothrow); });
}

void aligned_pairs() {
    const auto make = [] { return operator new(size, wide_value); };
    const auto make_array = [] { return operator new[](size, wide_value); };
    pair("aligned", wide, make, [](void *p) { operator delete(p, wide_value); });
    pair("aligned[]", wide, make_array, [](void *p) { operator delete[](p, wide_value); });
    pair("aligned, sized", wide, make, [](void *p) { operator delete(p, size, wide_value); });
    pair("aligned[], sized", wide, make_array,
         [](void *p) { operator delete[](p, size, wide_value); });
    pair("aligned, nothrow", wide, [] { return operator new(size, wide_value, std::nothrow); },
         [](void *p) { operator delete(p, wide_value, std::nothrow); });
    pair("aligned[], nothrow", wide, [] { return operator new[](size, wide_value, std::nothrow); },
         [](void *p) { operator delete[](p, wide_value, std::nothrow); });
}

void edges() {
    void *a = operator new(0), *b = operator new(0);
    say(a && b && a != b, "new(0) is a pointer of its own");
    operator delete(a);
    operator delete(b);
    operator delete(nullptr);
    operator delete[](nullptr, size);
    operator delete(nullptr, size, wide_value);
    say(true, "delete of null does nothing");
}

// ---- running out ----

int calls;

void give_up_at_three() {
    if (++calls == 3)
        std::set_new_handler(nullptr);
}

void refuse() {
    calls++;
    throw std::bad_alloc();
}

template <class New> bool throws(New make) {
    try {
        (void)make();
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

void running_out() {
    say(throws([] { return operator new(impossible); }), "new throws std::bad_alloc");
    say(throws([] { return operator new[](impossible, wide_value); }), "aligned new[] throws it too");
    say(!operator new(impossible, std::nothrow) && !operator new[](impossible, wide_value, std::nothrow),
        "nothrow forms return null");
    std::set_new_handler(give_up_at_three);
    say(throws([] { return operator new(impossible); }) && calls == 3,
        "the handler is called until there is none");
    calls = 0;
    std::set_new_handler(give_up_at_three);
    say(!operator new(impossible, std::nothrow) && calls >= 3, "for the nothrow form too");
}

void throwing_handler() {
    calls = 0;
    std::set_new_handler(refuse);
    say(throws([] { return operator new(impossible, wide_value); }) && calls == 1,
        "what a handler throws is passed on");
    say(!operator new(impossible, std::nothrow), "and is null in a nothrow form");
    say(!operator new(impossible, wide_value, std::nothrow), "aligned too");
    std::set_new_handler(nullptr);
}

} // namespace

int main(int argc, char **argv) {
    if (argc > 1 && std::strcmp(argv[1], "mistake") == 0) {
        operator delete(operator new(size), 4 * size);
        return 0;
    }
    const bool is_static = argc > 1;
    std::printf("1..%d\n", is_static ? 19 : 22);
    plain_pairs();
    aligned_pairs();
    edges();
    running_out();
    if (!is_static)
        throwing_handler();
}
