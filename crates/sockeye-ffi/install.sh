#!/bin/bash
# Builds the C library and installs it: install.sh [PREFIX], /usr/local unless written. DESTDIR is put before it.
set -eu
prefix=${1:-/usr/local}
case $prefix in /*) ;; *) echo "the prefix must be an absolute path: $prefix" >&2; exit 2 ;; esac
cd "$(dirname "$0")/../.."
cargo build -q --release -p sockeye-ffi
built=${CARGO_TARGET_DIR:-target}/release
root=${DESTDIR:-}$prefix
install -d "$root/lib/pkgconfig" "$root/include/winsock"
install -m 755 "$built/libsockeye.so" "$root/lib"
install -m 644 "$built/libsockeye.a" "$root/lib"
install -m 644 crates/sockeye-ffi/include/*.h "$root/include"
install -m 644 crates/sockeye-ffi/include/winsock/*.h "$root/include/winsock"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
cat >"$root/lib/pkgconfig/sockeye.pc" <<END
prefix=$prefix
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: sockeye
Description: BSD sockets on a TCP/IP stack of their own, inside one process
Version: $version
Libs: -L\${libdir} -lsockeye
Libs.private: -lpthread -ldl -lm
Cflags: -I\${includedir}
END
