"""An SMT file: timetables over integers and bit vectors. smt.py > timetable.smt2

Each course has a start and a room; courses that share students must not overlap, rooms hold one course at a
time. Small enough for a second, large enough that the solver's clauses and terms fill some memory."""

COURSES, ROOMS, DAY = 26, 6, 22


def draw(seed):
    while True:
        seed = seed * 1103515245 + 12345 & 0x7fffffff
        yield seed >> 8


def timetable(numbers):
    print("(push)")
    for i in range(COURSES):
        print(f"(declare-const start{i} Int)(declare-const room{i} Int)")
        print(f"(assert (and (<= 0 start{i}) (<= start{i} {DAY}) (<= 0 room{i}) (< room{i} {ROOMS})))")
    lengths = [1 + next(numbers) % 4 for _ in range(COURSES)]
    for i in range(COURSES):
        for j in range(i):
            apart = f"(or (<= (+ start{i} {lengths[i]}) start{j}) (<= (+ start{j} {lengths[j]}) start{i}))"
            if next(numbers) % 4 == 0:
                print(f"(assert {apart})")
            else:
                print(f"(assert (or (not (= room{i} room{j})) {apart}))")
    print("(check-sat)\n(pop)")


def mixing(bits, rounds):
    """Two ways to compute the same, claimed to differ: unsatisfiable."""
    print("(push)")
    print(f"(declare-const a (_ BitVec {bits}))(declare-const b (_ BitVec {bits}))")
    left, right = "a", "a"
    for i in range(rounds):
        left = f"(bvadd (bvxor {left} b) (bvshl a (_ bv{i + 1} {bits})))"
        right = (f"(bvadd (bvsub (bvor {right} b) (bvand {right} b)) "
                 f"(bvmul a (_ bv{(1 << (i + 1)) % (1 << bits)} {bits})))")
    print(f"(assert (not (= {left} {right})))")
    print("(check-sat)\n(pop)")


def main():
    numbers = draw(1)
    for _ in range(3):
        timetable(numbers)
    mixing(6, 3)


main()
