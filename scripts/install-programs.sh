#!/usr/bin/env bash
# Finds the outside programs that specs, examples and benchmarks talk to the servers with, and installs those that are missing.
# Installing needs root and apt-get; elsewhere it prints the command that would. Its exit status is 1 when a program is still missing.
#
#   scripts/install-programs.sh              all of them
#   scripts/install-programs.sh curl wrk     only these
set -uo pipefail

# The Debian package of each program.
declare -A package_of=(
  [redis-benchmark]=redis-tools
  [redis-cli]=redis-tools
  [openssl]=openssl
  [curl]=curl
  [wrk]=wrk
  [socat]=socat
  [strace]=strace
  [nc]=netcat-openbsd
  [nats-server]=nats-server
  [nginx]=nginx-light
  [haproxy]=haproxy
  [chromium]=chromium
  [ruby]=ruby-eventmachine
  [systemd-socket-activate]=systemd
  [systemd-analyze]=systemd
  [systemd-notify]=systemd
  [ip]=iproute2
  [nsenter]=util-linux
  [unshare]=util-linux
  [prlimit]=util-linux
  [timeout]=coreutils
  [script]=bsdutils
)

programs=("$@")
[ $# -gt 0 ] || mapfile -t programs < <(printf '%s\n' "${!package_of[@]}" | sort)

# There are several programs called nc; the specs use -N and -U, which only this one has.
# What Debian puts into /usr/sbin is not on the path of a user.
PATH=$PATH:/usr/sbin

present() {
  command -v "$1" >/dev/null || return 1
  [ "$1" != nc ] || nc -h 2>&1 | grep -q OpenBSD
}

missing=()
for program in "${programs[@]}"; do
  [ -n "${package_of[$program]:-}" ] || { echo "$program: no package is known for it (scripts/install-programs.sh)" >&2; exit 2; }
  present "$program" || missing+=("$program")
done
[ ${#missing[@]} -gt 0 ] || exit 0

mapfile -t packages < <(for program in "${missing[@]}"; do echo "${package_of[$program]}"; done | sort -u)
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "missing: ${missing[*]}. On Debian, as root: apt-get install --no-install-recommends ${packages[*]}" >&2
  exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
install() { apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "$@" >>"$log" 2>&1; }
# The package lists may be missing or old: fetched only when that is so. One package that cannot be had does not keep the others away.
install "${packages[@]}" || { apt-get update -qq >>"$log" 2>&1; install "${packages[@]}"; } || for package in "${packages[@]}"; do install "$package"; done

status=0
for program in "${missing[@]}"; do
  if present "$program"; then echo "installed: $program ($(command -v "$program"))"; else echo "missing: $program" >&2; status=1; fi
done
[ "$status" -eq 0 ] || tail -n 20 "$log" >&2
exit "$status"
