// larder/larder.hpp: larder for C++17.
//
// allocator and process_resource() are for the heap of the process (larder/process.h); fit_resource is a
// std::pmr::memory_resource on a region heap (larder/fit.h): containers, strings and everything else of
// std::pmr live in memory the caller owns, and nowhere else. The namespace has this name because C has
// `struct larder`.
#ifndef LARDER_LARDER_HPP
#define LARDER_LARDER_HPP

#include "larder/fit.h"
#include "larder/heap.h"

#include <cstddef>
#include <cstdlib>
#include <limits>
#include <memory>
#include <memory_resource>
#include <new>
#include <version>

namespace larder_cpp {

namespace detail {

// Through malloc's family, so that memory may be freed by anyone, and the heap grows. Throws
// std::bad_alloc iff that is NULL; zero bytes are one byte.
inline void *process_allocate(std::size_t bytes, std::size_t alignment) {
    const std::size_t wanted = bytes != 0 ? bytes : 1;
    void *pointer = alignment <= alignof(std::max_align_t) ? std::malloc(wanted)
                                                           : std::aligned_alloc(alignment, wanted);
    if (pointer == nullptr) {
        throw std::bad_alloc();
    }
    return pointer;
}

class process_resource_type : public std::pmr::memory_resource {
    void *do_allocate(std::size_t bytes, std::size_t alignment) override {
        return process_allocate(bytes, alignment);
    }

    void do_deallocate(void *pointer, std::size_t, std::size_t) override { std::free(pointer); }

    bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override {
        return dynamic_cast<const process_resource_type *>(&other) != nullptr;
    }
};

} // namespace detail

// The heap of the process as a std::pmr::memory_resource: never null, lives until the program ends, any
// thread. All that this returns, in every library of the program, are equal.
inline std::pmr::memory_resource *process_resource() noexcept {
    static detail::process_resource_type resource;
    return &resource;
}

// The heap of the process as an allocator of the standard library. Beyond std::allocator it tells the
// container how much a size class really holds (allocate_at_least, C++23), so that a vector that grows
// uses what it would waste. Stateless: all are equal. Over-aligned types are served.
template <class T> class allocator {
public:
    using value_type = T;

    allocator() noexcept = default;
    template <class U> allocator(const allocator<U> &) noexcept {}

    T *allocate(std::size_t count) {
        return static_cast<T *>(detail::process_allocate(bytes_of(count), alignof(T)));
    }

    void deallocate(T *pointer, std::size_t) noexcept { std::free(pointer); }

    // The objects that fit into the memory of `count`: at least count.
    static std::size_t room_for(std::size_t count) {
        const std::size_t bytes = bytes_of(count);
        return bytes == 0 || alignof(T) > alignof(std::max_align_t)
                   ? count
                   : larder_good_size(bytes) / sizeof(T);
    }

#ifdef __cpp_lib_allocate_at_least
    std::allocation_result<T *> allocate_at_least(std::size_t count) {
        const std::size_t room = room_for(count);
        return {allocate(room), room};
    }
#endif

private:
    static std::size_t bytes_of(std::size_t count) {
        if (count > static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) / sizeof(T)) {
            throw std::bad_array_new_length();
        }
        return count * sizeof(T);
    }
};

template <class T, class U> bool operator==(const allocator<T> &, const allocator<U> &) noexcept {
    return true;
}

template <class T, class U> bool operator!=(const allocator<T> &, const allocator<U> &) noexcept {
    return false;
}

// Does not own the heap; two of them are equal iff they are on the same heap, so that containers move
// between them without copying. do_allocate throws std::bad_alloc iff larder_fit_aligned() is NULL;
// zero bytes are one byte. Thread safety is that of the heap.
class fit_resource : public std::pmr::memory_resource {
public:
    explicit fit_resource(larder_fit &heap) noexcept : heap_(&heap) {}

    larder_fit &heap() const noexcept { return *heap_; }

private:
    void *do_allocate(std::size_t bytes, std::size_t alignment) override {
        void *pointer = larder_fit_aligned(heap_, alignment, bytes != 0 ? bytes : 1);
        if (pointer == nullptr) {
            throw std::bad_alloc();
        }
        return pointer;
    }

    void do_deallocate(void *pointer, std::size_t, std::size_t) override {
        larder_fit_free(heap_, pointer);
    }

    bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override {
        auto resource = dynamic_cast<const fit_resource *>(&other);
        return resource != nullptr && resource->heap_ == heap_;
    }

    larder_fit *heap_;
};

} // namespace larder_cpp

#endif
