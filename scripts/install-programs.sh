#!/usr/bin/env bash
# Installs the outside programs that specs talk to the servers with. Needs root and apt-get; elsewhere it says what is missing.
set -euo pipefail

declare -A package_of=([redis-benchmark]=redis-tools [socat]=socat [strace]=strace [openssl]=openssl [curl]=curl [nc]=netcat-openbsd)

packages=()
for program in "${!package_of[@]}"; do
  command -v "$program" >/dev/null || packages+=("${package_of[$program]}")
done
[ ${#packages[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "not installed: ${packages[*]} (needs root and apt-get)" >&2
  exit 0
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y -qq --no-install-recommends "${packages[@]}" >"$log" 2>&1; }
# The package lists may be missing or old: fetched only when that is so.
install || { apt-get update -qq >"$log" 2>&1 && install; } || {
  cat "$log" >&2
  exit 1
}
