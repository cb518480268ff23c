#!/usr/bin/env bash
# Decode every golden file on an emulated 64-bit ARM machine, and compare. Needs Debian with apt, and its registries.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python3}
work=$root/build/aarch64
mkdir -p "$work/debs" "$work/system" "$work/wheels" "$work/site"

dpkg --add-architecture arm64
apt-get update -qq
apt-get install -y -qq qemu-user > /dev/null

cd "$work/debs"
apt-get download -qq {python3.11-minimal,libpython3.11-minimal,libpython3.11-stdlib,libc6,libstdc++6,libgcc-s1}:arm64 \
    {zlib1g,libexpat1,libffi8,libssl3,libbz2-1.0,liblzma5,libzstd1,libsqlite3-0,libuuid1}:arm64
for deb in *.deb; do dpkg -x "$deb" "$work/system"; done

# onnxruntime 1.32 does not start under Debian's qemu 7.2, on any CPU that it emulates
platforms=(--platform manylinux2014_aarch64 --platform manylinux_2_27_aarch64 --platform manylinux_2_28_aarch64)
"$python" -m pip download -q --only-binary=:all: --python-version 3.11 "${platforms[@]}" -d "$work/wheels" \
    onnxruntime==1.23.2 numpy pillow zstandard click rich
"$python" -m pip wheel -q --no-deps -w "$work/wheels" "$root"
for wheel in "$work"/wheels/*.whl; do "$python" -m zipfile -e "$wheel" "$work/site"; done

cd "$root"
PYTHONPATH=$work/site qemu-aarch64 -cpu cortex-a72 -L "$work/system" \
    "$work/system/usr/bin/python3.11" tests/golden/check.py
