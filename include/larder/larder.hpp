// larder/larder.hpp: larder for C++17.
//
// fit_resource is a std::pmr::memory_resource on a region heap (larder/fit.h): containers, strings and
// everything else of std::pmr live in memory the caller owns, and nowhere else.
#ifndef LARDER_LARDER_HPP
#define LARDER_LARDER_HPP

#include "larder/fit.h"

#include <cstddef>
#include <memory_resource>
#include <new>

namespace larder {

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

} // namespace larder

#endif
