#!/usr/bin/env bash
# Makes sure that what the tests need beside Go is on this machine: the server binaries of PostgreSQL 15 or newer, a
# Chromium, and the languages of the documentation's examples, which the tests run. If all is there it is done in a moment; root on Debian or Ubuntu gets what is missing from the
# distribution; anybody else is told in one line what to install.
set -euo pipefail
cd "$(dirname "$0")/.."

# look fills wanted with the packages to install, and problem with the words for a person, if something is missing.
look() {
	wanted=() problem=""
	local name said
	if [[ -z "${PAYDESK_TEST_POSTGRES_URL:-}" ]] && ! said=$(go run ./internal/testpostgres -find 2>&1); then
		wanted+=(postgresql)
		problem="${said%$'\n'exit status*}"
	fi
	if ! any chromium chromium-browser google-chrome google-chrome-stable; then
		wanted+=(chromium)
		problem+="${problem:+; }no Chromium on PATH: install it (Debian: apt-get install chromium)"
	fi
	for name in python3:python3 node:nodejs; do
		if ! any "${name%:*}"; then
			wanted+=("${name#*:}")
			problem+="${problem:+; }no ${name%:*} on PATH: install it (Debian: apt-get install ${name#*:})"
		fi
	done
}

# any tells whether one of some programs is there.
any() {
	local program
	for program in "$@"; do
		if command -v "$program" >/dev/null; then return 0; fi
	done
	return 1
}

# install_packages says nothing unless it fails. A package that creates a cluster of its own would leave a server
# running on a developer's machine, so for the time of the installation it is told not to.
install_packages() {
	local drop_in=/etc/postgresql-common/createcluster.d/paydesk-tests.conf log
	log=$(mktemp)
	trap "rm -f '$drop_in' '$log'" EXIT
	mkdir -p "${drop_in%/*}"
	echo "create_main_cluster = false" >"$drop_in"
	export DEBIAN_FRONTEND=noninteractive
	if ! { apt-get -qq update && apt-get -qq install -y --no-install-recommends "$@"; } </dev/null >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		return 1
	fi
}

look
if [[ ${#wanted[@]} -gt 0 && $EUID -eq 0 ]] && command -v apt-get >/dev/null; then
	echo "test-needs: installing ${wanted[*]}" >&2
	install_packages "${wanted[@]}" || true
	look
fi
if [[ -n "$problem" ]]; then
	echo "test-needs: $problem" >&2
	exit 1
fi
