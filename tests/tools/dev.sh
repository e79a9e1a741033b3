#!/bin/sh
# ./dev on machines that are not this one: every command it calls is a fake that writes down how it
# was called; apt's sources are in a folder of the test.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
count=0
failed=0

# ---- A machine ------------------------------------------------------------------------------------
fake() {
    { echo '#!/bin/sh'; cat; } >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}

# machine NAME: a fresh machine of that Debian: root, nothing installed, no foreign architecture.
machine() {
    rm -rf "${work:?}/bin" "$work/apt" "$work/installed" "$work/calls"
    mkdir -p "$work/bin" "$work/apt/sources.list.d"
    : >"$work/installed"
    : >"$work/calls"
    echo "VERSION_CODENAME=$1" >"$work/os-release"
    echo 0 >"$work/uid"
    echo 10 >"$work/qemu"
    fake id <<END
cat $work/uid
END
    fake dpkg <<END
case \$1 in
--print-architecture) echo amd64 ;;
--print-foreign-architectures) cat $work/foreign 2>/dev/null ;;
*) echo "dpkg \$*" >>$work/calls ;;
esac
END
    fake dpkg-query <<END
shift 3
for name; do
    if grep -qx "\$name" $work/installed; then
        echo "\${name%%:*} \${name%%:*}:\${name##*:} installed"
    fi
done
END
    fake apt-cache <<END
case \$2 in *-14 | *-14-dev) grep -q trixie $work/os-release && exit 0 ;; esac
echo "\$2:"; echo "  Candidate: 1.0"
END
    fake apt-get <<END
echo "apt-get \$*" | sed 's/-o [^ ]* //g' >>$work/calls
case "\$*" in *qemu*) echo 10 >$work/qemu; : >$work/bin/qemu-installed ;; esac
exit \$(cat $work/apt-status 2>/dev/null || echo 0)
END
    fake qemu-system-aarch64 <<END
echo "raspi3b  Raspberry Pi 3B"
if [ "\$(cat $work/qemu)" -ge 9 ]; then echo "raspi4b  Raspberry Pi 4B"; fi
END
    fake make <<END
echo "make \$*" >>$work/calls
END
    fake nproc <<END
echo 2
END
    rm -f "$work/foreign" "$work/apt-status" "$work/bin/sudo"
}

# All that ./dev run wants, as installed.
install_all() {
    printf '%s\n' make gcc libc6-dev python3 gcc-aarch64-linux-gnu libc6-dev-arm64-cross \
        libfdt-dev:arm64 libfdt1 device-tree-compiler qemu-system-arm >"$work/installed"
}

deb822() {
    cat >"$work/apt/sources.list.d/debian.sources"
}

dev() {
    # Nothing from outside but the shell's own tools; sudo only where the machine has a fake one.
    # shellcheck disable=SC2086
    PATH="$work/bin:$work/tools" DEV_APT_FOLDER="$work/apt" DEV_OS_RELEASE="$work/os-release" CI=true \
        ${SHELL_UNDER_TEST:-/bin/sh} ./dev "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
}

mkdir -p "$work/tools"
for tool in awk cat cut dirname env grep head mkdir printf rm sed sh sort tee tr true; do
    ln -s "$(command -v $tool)" "$work/tools/$tool" 2>/dev/null
done
[ -x "$work/tools/printf" ] || rm -f "$work/tools/printf"

# ---- Judging --------------------------------------------------------------------------------------
ok() {
    count=$((count + 1))
    if [ "$bad" = '' ]; then
        echo "ok $count - $1"
    else
        failed=1
        echo "not ok $count - $1:$bad"
        for file in out err calls; do sed "s/^/# $file: /" "$work/$file"; done
        for file in "$work"/apt/sources.list.d/*backports*; do
            [ ! -f "$file" ] || sed 's/^/# added: /' "$file"
        done
    fi
    bad=''
}
bad=''
expect() { # FILE PATTERN
    grep -q -e "$2" "$work/$1" || bad="$bad [$1 lacks: $2]"
}
expect_not() {
    ! grep -q -e "$2" "$work/$1" || bad="$bad [$1 has: $2]"
}
expect_status() {
    [ "$status" = "$1" ] || bad="$bad [status $status, not $1]"
}
added=apt/sources.list.d/bookworm-backports.sources
expect_added() { # the exact body
    cat >"$work/expected"
    grep -v '^#' "$work/$added" 2>/dev/null >"$work/added" || :
    cmp -s "$work/expected" "$work/added" || bad="$bad [the source added is not as expected]"
}

# ---- Cases ----------------------------------------------------------------------------------------
machine bookworm
rm "$work/bin/make"
dev help
expect_status 0
expect out '^  test  *every test'
expect_not calls apt-get
ok 'help needs neither make nor apt'

machine bookworm
dev frobnicate
expect_status 2
expect err 'no target "frobnicate"'
expect_not calls apt-get
ok 'an unknown target installs nothing'

machine bookworm
install_all
dev run BOARD=raspberry-pi-3
expect_status 0
expect calls '^make run BOARD=raspberry-pi-3$'
expect_not calls apt-get
expect_not err .
ok 'nothing missing: straight to make, variables passed on'

machine bookworm
install_all
dev bench core X=1
expect calls '^make bench-core X=1$'
ok 'bench NAME is one benchmark'

machine bookworm
install_all
dev bench malloc WORKLOADS='larson redis'
expect calls 'apt-get install .*libjemalloc2 libmimalloc2.0 .*libclang-rt-14-dev redis-tools z3'
expect_not calls 'librte\|qemu'
expect calls '^make bench-malloc WORKLOADS=larson redis$'
ok 'bench malloc brings the other allocators and programs'

machine bookworm
install_all
dev bench core
expect calls 'apt-get install .*librte'
expect_not calls 'jemalloc\|redis\|z3\|ghostscript'
ok 'bench core does not'

machine bookworm
deb822 <<'END'
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
END
dev run
expect_status 0
expect err 'installing: make gcc .*qemu-system-arm'
expect err 'missing: make gcc'
expect err 'adding architecture arm64'
expect calls '^dpkg --add-architecture arm64$'
expect calls '^apt-get update$'
expect calls '^apt-get install -y --no-remove make gcc .*libfdt-dev:arm64'
expect calls '^apt-get install -y --no-remove -t bookworm-backports qemu-system-arm$'
expect calls '^make run$'
expect_not calls 'make gcc.*qemu-system-arm'
expect_added <<'END'
Types: deb
URIs: http://mirror.example/debian
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
Suites: bookworm-backports
Components: main
END
ok 'a fresh Debian 12: deb822 sources'

machine bookworm
cat >"$work/apt/sources.list" <<'END'
# deb http://old.example/debian bookworm main
deb cdrom:[Debian GNU/Linux 12]/ bookworm main
deb-src http://source.example/debian bookworm main
deb http://mirror.example/debian-security bookworm-security main
deb [arch=amd64 signed-by=/etc/apt/key.gpg] http://mirror.example/debian/ bookworm main non-free
END
dev run
expect_added <<'END'
Types: deb
URIs: http://mirror.example/debian/
Signed-By: /etc/apt/key.gpg
Suites: bookworm-backports
Components: main
END
ok 'one-line sources with options, among others that do not count'

machine bookworm
echo '  deb   http://mirror.example/debian  bookworm  main # the mirror' \
    >"$work/apt/sources.list.d/a.list"
dev run
expect_added <<'END'
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm-backports
Components: main
END
ok 'one-line source without options'

machine bookworm
deb822 <<'END'
Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

# a comment
Types: deb
URIs: http://one.example/debian http://two.example/debian
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBFit2ioBEADhWpZ8
 -----END PGP PUBLIC KEY BLOCK-----
END
dev run
expect_added <<'END'
Types: deb
URIs: http://one.example/debian http://two.example/debian
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBFit2ioBEADhWpZ8
 -----END PGP PUBLIC KEY BLOCK-----
Suites: bookworm-backports
Components: main
END
ok 'a source that is off, two mirrors, a key inside the file'

machine bookworm
cat >"$work/apt/sources.list" <<'END'
deb http://mirror.example/debian bookworm main
deb http://mirror.example/debian bookworm-backports main
END
dev run
[ ! -e "$work/$added" ] || bad=' [added a second source]'
expect calls '-t bookworm-backports qemu-system-arm$'
ok 'backports that are there already are not added again'

machine bookworm
install_all
echo 7 >"$work/qemu"
echo 'deb http://mirror.example/debian bookworm main' >"$work/apt/sources.list"
dev run
expect err 'installing: qemu-system-arm$'
expect calls '^apt-get install -y --no-remove -t bookworm-backports qemu-system-arm$'
expect_not calls 'add-architecture'
ok 'a QEMU that is too old is replaced, and nothing else'

machine trixie
echo 'deb http://mirror.example/debian trixie main' >"$work/apt/sources.list"
dev check
expect calls '^apt-get install -y --no-remove .*clang-format clang-tidy '
expect_not calls '-14'
ok 'Debian 13: the tools it has instead'

machine trixie
echo 'deb http://mirror.example/debian trixie main' >"$work/apt/sources.list"
dev run
expect calls '^apt-get install -y --no-remove qemu-system-arm$'
expect_not calls backports
ok 'Debian 13 has the emulator'

machine bookworm
echo 1000 >"$work/uid"
echo 'deb [signed-by=/k.gpg] http://mirror.example/debian bookworm main' >"$work/apt/sources.list"
install_all
sed -i '/^make$/d; /fdt-dev/d; /qemu/d' "$work/installed"
dev run
expect_status 1
expect err 'packages are missing: make libfdt-dev:arm64 qemu-system-arm$'
expect err '^    dpkg --add-architecture arm64$'
expect err '^Signed-By: */k.gpg$'
expect err '^    apt-get install --no-install-recommends -t bookworm-backports qemu-system-arm$'
expect err '^    apt-get install --no-install-recommends make libfdt-dev:arm64$'
expect_not calls .
ok 'neither root nor sudo: what is missing and what to type, and nothing is done'

machine bookworm
echo 1000 >"$work/uid"
install_all
dev run
expect_status 0
expect calls '^make run$'
ok 'neither root nor sudo matter when nothing is missing'

machine bookworm
echo 1000 >"$work/uid"
fake sudo <<'END'
exit 1
END
dev test
expect_status 1
expect err 'whose sudo works'
expect_not calls apt-get
ok 'a sudo that wants a password, without a terminal'

machine bookworm
echo 1000 >"$work/uid"
fake sudo <<END
if [ "\$1" = -n ]; then exit 0; fi
echo "sudo \$*" >>$work/calls
exec "\$@"
END
echo 'deb http://mirror.example/debian bookworm main' >"$work/apt/sources.list"
dev run
expect_status 0
expect calls '^sudo env .*apt-get .*install -y'
expect calls '^sudo tee '
expect_added <<'END'
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm-backports
Components: main
END
ok 'a sudo that works'

machine bookworm
echo 100 >"$work/apt-status"
dev run
expect_status 1
expect err 'could not install: make'
expect_not calls '^make run'
ok 'apt-get that fails stops before make'

machine bookworm
rm "$work/bin/apt-get"
dev run
expect_status 1
expect err 'no apt-get here.*make gcc'
ok 'no apt at all'

machine bookworm
printf '%s\n' make gcc libc6-dev python3 gcc-aarch64-linux-gnu libc6-dev-arm64-cross \
    libfdt-dev:arm64 libfdt1 qemu-system-arm clang libclang-rt-14-dev libcmocka-dev gcovr cmake pkg-config sqlite3 perl man-db \
    device-tree-compiler git g++ patch clang-format-14 clang-tidy-14 shellcheck \
    lib32gcc-12-dev libc6-dev-i386 gcc-arm-none-eabi libnewlib-arm-none-eabi gcc-avr avr-libc \
    simavr qemu-user libzstd-dev zlib1g-dev libdw-dev libjansson-dev >"$work/installed"
fake make <<END
echo "1 passed, 1 failed" >"\$LARDER_SUMMARY"
echo "make: *** Error 1"
exit 2
END
dev test
expect_status 2
expect_not calls apt-get
[ "$(tail -n 1 "$work/out")" = '1 passed, 1 failed' ] || bad="$bad [the last line is not the summary]"
ok 'the summary is the last line also when make complains'

echo "1..$count"
exit $failed
